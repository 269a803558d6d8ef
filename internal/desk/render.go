package desk

import (
	"bytes"
	"crypto/rand"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"fileroom/internal/library"
)

//go:embed templates
var templateFiles embed.FS

func (d *Desk) parseTemplates() (*template.Template, error) {
	t, err := template.New("desk").Option("missingkey=error").Funcs(template.FuncMap{
		"asset": d.assetPath,
		"day":   dayWords, "moment": momentWords, "date": dateWords, "count": countWords,
	}).ParseFS(templateFiles, "templates/*.html")
	return t, library.Fault("read templates", "", err)
}

// A frame is what every page has around it.
type frame struct {
	Title   string // Never more than a case number.
	Name    string // Of who is signed in.
	Role    string
	SignOut string
	Panel   bool
	Origin  string // Of the Temporal UI, for the panel's script.
	Ext     string
	Flow    string // Workflow that the panel shows.
}

func (d *Desk) frame(v visit, title string) frame {
	return frame{
		Title: title, Name: v.actor().Name, Role: roleWords(v.actor()), SignOut: d.o.SignOut,
		Panel: v.panel, Origin: d.origin, Ext: d.o.Extension,
	}
}

// show renders a page whole before a byte of it is sent.
func (d *Desk) show(w http.ResponseWriter, status int, name string, view any) {
	var b bytes.Buffer
	if err := d.templates.ExecuteTemplate(&b, name, view); err != nil {
		http.Error(w, "This page cannot be shown. Nothing was decided by looking at it.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(visible(b.Bytes())) // The browser may have gone.
}

// message shows a page that says one thing.
func (d *Desk) message(w http.ResponseWriter, v visit, status int, head, text string) {
	d.show(w, status, "message", struct {
		frame
		Head, Text string
	}{d.frame(v, head), head, text})
}

// visible shows what cannot be seen and what would turn or hide other text:
// control characters, direction marks, zero-width characters and fillers
// become their number, such as ⟨U+202E⟩. It runs over the whole page, so that
// nothing from outside is forgotten.
func visible(page []byte) []byte {
	if bytes.IndexFunc(page, unseen) < 0 {
		return page
	}
	out := make([]byte, 0, len(page)+64)
	for len(page) > 0 {
		r, n := utf8.DecodeRune(page)
		if unseen(r) {
			out = fmt.Appendf(out, "⟨U+%04X⟩", r)
		} else {
			out = append(out, page[:n]...)
		}
		page = page[n:]
	}
	return out
}

func unseen(r rune) bool {
	switch r {
	case '\n', '\r', '\t':
		return false
	case '\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u2028', '\u2029', '\u3164', '\uffa0':
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Cf)
}

// newFormID returns a random name for a form, so that sending it twice can be
// told from sending two.
func newFormID() string { return strings.ToLower(rand.Text()) }
