// Package letter words the letters that the library writes. It knows nothing
// of how they are sent.
//
// A letter by e-mail crosses networks in the clear, so its subject says nothing
// about a patient and its text no more than the requester needs (45 CFR
// 164.530(c)): never a name, a birth date, a record number or an examination.
package letter

import (
	"embed"
	"strings"
	"text/template"

	"fileroom/internal/library"
)

// Facts are what a letter may speak of.
type Facts struct {
	Library  Letterhead
	Case     library.CaseID
	Asks     []string // What is missing, each the exact thing to send.
	Message  string   // What staff add, in their words.
	Images   int
	Facility string // Name of the receiving facility.
}

// A Letterhead is who writes.
type Letterhead struct {
	Name  string
	Phone string
	Hours string
}

//go:embed templates/*.txt
var texts embed.FS

var templates = template.Must(template.ParseFS(texts, "templates/*.txt"))

// Write words the letter of a kind: the subject, which is the template's first
// line, and the text. A kind without a template is a [library.Invalid] error.
func Write(kind library.LetterKind, f Facts) (subject, text string, err error) {
	t := templates.Lookup(string(kind) + ".txt")
	if t == nil {
		return "", "", library.Errorf(library.Invalid, "write letter", string(f.Case), "no template for %q", kind)
	}
	var b strings.Builder
	if err := t.Execute(&b, f); err != nil {
		return "", "", library.Errorf(library.Invalid, "write letter", string(f.Case), "template %q does not fit", kind)
	}
	subject, text, _ = strings.Cut(b.String(), "\n")
	return strings.TrimPrefix(subject, "Subject: "), strings.TrimLeft(text, "\n"), nil
}
