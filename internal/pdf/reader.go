package pdf

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"fileroom/internal/layout"
	"fileroom/internal/library"
	"fileroom/internal/sandbox"
)

// MaxPages bounds the pages of one document.
const MaxPages = 200

// maxWords is how many words of a page's text layer are taken; a dense page has a thousand. One with more is read from a drawing.
const maxWords = 5000

// Why a document cannot be read, besides the errors of package sandbox. Each
// comes as the reason of a [library.Invalid] error.
var (
	ErrEncrypted = errors.New("needs a password")
	ErrTooMany   = errors.New("has too many pages")
	ErrDamaged   = errors.New("is damaged")
)

// A Reader reads documents in child processes.
type Reader struct {
	// Plain is the command that runs [Main]: sandbox.Self("pdf").
	Plain []string
	// Timeout bounds each step of reading a document; zero means 20 seconds.
	Timeout time.Duration
}

// A Page is a page of a document. Its Number counts from 1 within the
// document; Width and Height are in points of 1/72 inch.
type Page struct {
	library.Page
	// Picture says that the words, if any, are not to be trusted: the page is a
	// scan (even if a scanner's software laid its words beneath), or its fonts do
	// not say which letters they show. Its words must be read from a drawing.
	Picture bool
}

// Pages returns the pages of doc with the words of their text layer, in
// reading order. A document that cannot be read is [library.Invalid], with
// [ErrEncrypted], [ErrTooMany], [ErrDamaged] or an error of package sandbox as the reason.
func (r *Reader) Pages(ctx context.Context, doc []byte) ([]Page, error) {
	const op = "read pdf"
	n, turned, err := r.count(ctx, doc)
	if errors.Is(err, ErrDamaged) {
		return r.plainPages(ctx, doc, MaxPages)
	}
	if err != nil {
		return nil, err
	}
	if n > MaxPages {
		return nil, library.Errorf(library.Invalid, op, "", "%w: %d, at most %d", ErrTooMany, n, MaxPages)
	}
	out, err := r.run(ctx, doc, "pdftotext", "-tsv", "-enc", "UTF-8", sandbox.Path(0), "-")
	switch {
	case errors.Is(err, ErrDamaged):
		return r.plainPages(ctx, doc, n)
	case err != nil:
		return nil, err
	}
	pages := parseTSV(out, n, turned)
	// Poppler gives a page that it cannot find no size: a blank one would hide that.
	if len(pages) == 0 || slices.ContainsFunc(pages, func(p Page) bool { return p.Width <= 0 || p.Height <= 0 }) {
		return nil, library.Errorf(library.Invalid, op, "", "%w", ErrDamaged)
	}
	covered, err := r.pictures(ctx, doc, pages)
	if err != nil {
		return nil, err
	}
	for i := range pages {
		pages[i].Picture = pages[i].Picture || covered[i] >= 0.5 || !legible(pages[i].Lines)
	}
	return pages, nil
}

// Draw returns page n of doc, from 1, as a binary gray PGM whose longer side has the given pixels.
func (r *Reader) Draw(ctx context.Context, doc []byte, n, pixels int) ([]byte, error) {
	page := strconv.Itoa(n)
	return r.run(ctx, doc, "pdftoppm", "-gray", "-scale-to", strconv.Itoa(pixels), "-f", page, "-l", page, "-singlefile", sandbox.Path(0))
}

// run runs one of Poppler's programs on doc.
func (r *Reader) run(ctx context.Context, doc []byte, command ...string) ([]byte, error) {
	const op = "read pdf"
	f, err := sandbox.File(doc)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	out, err := r.child(command, f).Run(ctx, nil)
	exit, ok := errors.AsType[*sandbox.ExitError](err)
	switch {
	case !ok:
		return out, err
	case bytes.Contains(exit.Stderr, []byte("Incorrect password")):
		return nil, library.Errorf(library.Invalid, op, "", "%w", ErrEncrypted)
	case outOfMemory(exit):
		return nil, library.Errorf(library.Invalid, op, "", "stopped at its memory limit: %w", sandbox.ErrTimeout)
	}
	return nil, library.Errorf(library.Invalid, op, "", "%w: %w", ErrDamaged, exit)
}

func (r *Reader) child(command []string, files ...*os.File) sandbox.Child {
	timeout := cmp.Or(r.Timeout, 20*time.Second)
	return sandbox.Child{
		Command: command, Files: files, Env: []string{"LC_ALL=C.UTF-8"},
		Timeout: timeout, CPU: timeout, Memory: 1 << 30, MaxOutput: 64 << 20,
	}
}

// outOfMemory reports whether a program ended for want of memory: Poppler and
// the C++ library say so, and the kernel kills.
func outOfMemory(e *sandbox.ExitError) bool {
	return bytes.Contains(e.Stderr, []byte("Out of memory")) || bytes.Contains(e.Stderr, []byte("bad_alloc"))
}

// count returns how many pages doc says it has, without reading them, and which
// of them, from 1, lie on their side when they are shown.
func (r *Reader) count(ctx context.Context, doc []byte) (n int, turned map[int]bool, err error) {
	out, err := r.run(ctx, doc, "pdfinfo", "-f", "1", "-l", strconv.Itoa(MaxPages), sandbox.Path(0))
	if err != nil {
		return 0, nil, err
	}
	n, turned = parseInfo(out)
	if n < 1 {
		return 0, nil, library.Errorf(library.Invalid, "read pdf", "", "%w", ErrDamaged)
	}
	return n, turned, nil
}

// parseInfo reads what pdfinfo writes: "Pages: 2" and, for each page, "Page 1 rot: 90".
func parseInfo(out []byte) (n int, turned map[int]bool) {
	turned = map[int]bool{}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		switch {
		case len(f) == 2 && f[0] == "Pages:" && n == 0:
			n, _ = strconv.Atoi(f[1])
		case len(f) == 4 && f[0] == "Page" && f[2] == "rot:":
			page, err := strconv.Atoi(f[1])
			degrees, odd := strconv.Atoi(f[3])
			if err == nil && odd == nil && degrees%180 != 0 {
				turned[page] = true
			}
		}
	}
	return n, turned
}

// plainPages asks the second parser. Its words have no boxes.
func (r *Reader) plainPages(ctx context.Context, doc []byte, n int) ([]Page, error) {
	c := r.child(r.Plain)
	c.Memory, c.MaxInput = 2<<30, int64(len(doc))
	out, err := c.Run(ctx, bytes.NewReader(doc))
	if errors.Is(err, sandbox.ErrCrashed) {
		return nil, library.Errorf(library.Invalid, "read pdf", "", "%w", ErrDamaged)
	}
	if err != nil {
		return nil, err
	}
	var texts []string
	if err := json.Unmarshal(out, &texts); err != nil || len(texts) == 0 {
		return nil, library.Errorf(library.Invalid, "read pdf", "", "%w", ErrDamaged)
	}
	pages := make([]Page, min(len(texts), n))
	for i := range pages {
		lines, all := plainLines(texts[i])
		pages[i].Page = library.Page{Number: i + 1, Source: library.SourceText, Lines: lines}
		pages[i].Picture = !all || !legible(lines)
	}
	return pages, nil
}

// plainLines returns the words of text, and whether they are all.
func plainLines(text string) (lines []library.Line, all bool) {
	n := 0
	for l := range strings.Lines(text) {
		if n++; n > maxWords {
			return lines, false
		}
		var line library.Line
		for w := range strings.FieldsSeq(l) {
			if n++; n > maxWords {
				return lines, false
			}
			line.Words = append(line.Words, library.Word{Text: strings.ToValidUTF8(w, "\ufffd"), Confidence: 0.8})
		}
		lines = append(lines, line)
	}
	return lines, true
}

// parseTSV reads what pdftotext -tsv writes: a row each for page, block, line
// and word, with boxes in points. The boxes are those of the page as it is shown;
// its size is not, so that of a page in turned has its sides exchanged.
func parseTSV(out []byte, most int, turned map[int]bool) []Page {
	var pages []Page
	var lines []library.Line
	taken := 0 // Of the words of the last page.
	flush := func() {
		taken = 0
		if len(pages) > 0 {
			pages[len(pages)-1].Lines = layout.Rows(lines)
		}
		lines = nil
	}
	for row := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimRight(row, "\r\n"), "\t")
		if len(f) != 12 {
			continue
		}
		b, ok := numbers(f[6:10])
		if !ok {
			continue
		}
		switch f[0] {
		case "1":
			flush()
			if len(pages) == most {
				return pages
			}
			p := Page{Page: library.Page{Number: len(pages) + 1, Source: library.SourceText, Width: b[2], Height: b[3]}}
			if turned[p.Number] {
				p.Width, p.Height = p.Height, p.Width
			}
			pages = append(pages, p)
		case "4":
			lines = append(lines, library.Line{})
		case "5":
			if len(pages) == 0 || len(lines) == 0 {
				continue
			}
			if taken++; taken > maxWords {
				pages[len(pages)-1].Picture = true
				continue
			}
			l, p := &lines[len(lines)-1], pages[len(pages)-1]
			if w, ok := word(f[11], b, p.Width, p.Height); ok {
				l.Words = append(l.Words, w)
			}
		}
	}
	flush()
	return pages
}

func word(text string, b [4]float64, width, height float64) (library.Word, bool) {
	text = strings.TrimSpace(strings.ToValidUTF8(text, "\ufffd"))
	if text == "" || width <= 0 || height <= 0 {
		return library.Word{}, false
	}
	box := library.Box{X: b[0] / width, Y: b[1] / height, W: b[2] / width, H: b[3] / height}
	return library.Word{Text: text, Confidence: 1, Box: &box}, true
}

func numbers(fields []string) (b [4]float64, ok bool) {
	for i, f := range fields {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return b, false
		}
		b[i] = v
	}
	return b, true
}

// legible reports whether lines are words at all and mostly of letters that mean something.
func legible(lines []library.Line) bool {
	letters, strange := 0, 0
	for _, l := range lines {
		for _, w := range l.Words {
			for _, c := range w.Text {
				letters++
				if c == '\ufffd' || c < ' ' || c >= '\ue000' && c <= '\uf8ff' {
					strange++
				}
			}
		}
	}
	return letters > 0 && strange*10 < letters
}

// pictures returns which share of each page its pictures cover.
func (r *Reader) pictures(ctx context.Context, doc []byte, pages []Page) ([]float64, error) {
	covered := make([]float64, len(pages))
	out, err := r.run(ctx, doc, "pdfimages", "-list", sandbox.Path(0))
	if errors.Is(err, ErrDamaged) {
		return covered, nil // The text was read; the pictures are a matter of trust only.
	}
	if err != nil {
		return nil, err
	}
	for row := range strings.Lines(string(out)) {
		// page num type width height color comp bpc enc interp object ID x-ppi y-ppi size ratio
		f := strings.Fields(row)
		if len(f) < 14 || f[2] != "image" && f[2] != "stencil" {
			continue
		}
		page, err := strconv.Atoi(f[0])
		b, ok := numbers([]string{f[3], f[4], f[len(f)-4], f[len(f)-3]})
		if err != nil || !ok || page < 1 || page > len(pages) || b[2] <= 0 || b[3] <= 0 {
			continue
		}
		p := pages[page-1]
		covered[page-1] += b[0] / b[2] * 72 * b[1] / b[3] * 72 / (p.Width * p.Height)
	}
	return covered, nil
}
