package reading

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"fileroom/internal/library"
)

// missing names the required elements that are not there.
func (r *reader) missing(pages []library.Page, docs []library.Document) []string {
	out := []string{}
	add := func(is bool, name string) {
		if is {
			out = append(out, name)
		}
	}
	f := r.form
	add(r.req.Patient.Family == "" && !f.unread(askName, thePatient, anybody) && !f.unread(askFamily, thePatient, anybody), "patient-name")
	add(r.req.Patient.BirthDate == "" && !f.unread(askBirth, thePatient, anybody), "birth-date")
	for _, name := range missingRecipient(r.req.Recipient) {
		kind := askAddress
		if name == "recipient-name" {
			kind = askName
		}
		add(!f.unread(kind, theRecipient), name)
	}
	asked := f.unread(askService, theRecords) || f.unread(askSpecify, theRecords)
	add(len(r.req.Studies) == 0 && !asked, "studies")
	undated := len(r.req.Studies) == 0
	for _, s := range r.req.Studies {
		undated = undated || s.Date == "" && s.From == "" && s.To == "" && !s.All
	}
	add(undated && !f.unread(askService, theRecords) && (len(r.req.Studies) > 0 || !asked), "study-dates")
	add(!r.req.Signature.Present, "signature")
	add(r.req.Signature.Date == "" && !f.unread(askDate, theSigner), "signature-date")
	add(r.paperMissing(pages, docs), "legal-document")
	return out
}

// paperMissing reports whether somebody signs for the patient without a paper
// that lets them: one that is this patient's, executed, and not run out.
func (r *reader) paperMissing(pages []library.Page, docs []library.Document) bool {
	sig := r.req.Signature
	if sig.Signer == "" || sig.Signer == "patient" || !sig.Present {
		return false
	}
	day := r.opts.Received
	if sig.Date != "" {
		day = sig.Date
	}
	if sig.Signer == "parent" && minor(r.req.Patient.BirthDate, day) {
		return false
	}
	for _, d := range docs {
		if legalPaper(d.Kind) && r.goodPaper(pages, d, day) {
			return false
		}
	}
	return true
}

// minor reports whether somebody born on birth is below 18 on day (N.C.G.S. 48A-2). Without both dates nobody is.
func minor(birth, day library.Date) bool {
	b, okB := birth.Time()
	d, okD := day.Time()
	return okB && okD && b.AddDate(18, 0, 0).After(d.Add(time.Hour))
}

var runsOut = regexp.MustCompile(`(?i)\b(?:terminates?|expires?|until|ends?)\b[^.\n]{0,40}$`)

func (r *reader) goodPaper(pages []library.Page, d library.Document, day library.Date) bool {
	var s strings.Builder
	ink, drawn, ocr := false, false, false
	for _, p := range pages {
		if kindAt([]library.Document{d}, p.Number) == "" {
			continue
		}
		s.WriteString(pageText(p.Lines))
		ink = ink || len(p.Ink) > 0
		ocr = ocr || p.Source == library.SourceOCR
		drawn = drawn || p.Width > 0
	}
	if drawn && !ink {
		return false // Nobody signed it.
	}
	words := fold(s.String())
	for _, w := range append(nameWords(r.req.Patient.Given), nameWords(r.req.Patient.Family)...) {
		if there := strings.Contains(words, w) || ocr && almost(words, w); !there {
			return false
		}
	}
	for _, w := range dates(s.String(), day) {
		// The notary's commission runs out too, and matters to nobody.
		before := s.String()[max(0, w.start-60):w.start]
		if w.date != "" && w.date < day && runsOut.MatchString(before) && !strings.Contains(strings.ToLower(before), "commission") {
			return false
		}
	}
	return true
}

// almost reports whether a word of s is w but for a letter that was read wrongly.
func almost(s, w string) bool {
	return slices.ContainsFunc(strings.Fields(s), func(v string) bool { return oneApart(strings.Trim(v, ".,;:()"), w) })
}
