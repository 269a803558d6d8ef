package reading

import (
	"fmt"
	"regexp"
	"strings"

	"fileroom/internal/library"
)

var (
	serviceRow = regexp.MustCompile(`(?i)\b(?:treatment|dates? ?\(?s?\)? of (?:service|exam)|date range|dates of|period|fechas? de (?:servicio|tratamiento)|from\b.*\bto|desde\b.*\bhasta)\b|^date\(s\)`)
	noService  = regexp.MustCompile(`(?i)\b(?:birth|dob|nacimiento|expire|valid|signed|will be|past|vence|unless)\b`)
	wholeYear  = regexp.MustCompile(`(?:^|[: ])((?:19|20)\d{2})\s*$`)
	inBrackets = regexp.MustCompile(`\([^)]*\)?`)
)

// formStudies reads which images a form asks for: the examinations that are
// written in, and the dates of service.
func (r *reader) formStudies(f *form) {
	if len(r.req.Studies) > 0 {
		return
	}
	written := r.writtenStudies(f)
	span, page, tokens := r.serviceDates(f)
	all, allDates := f.ticked(chooseAll)
	if len(written.req.Studies) == 0 {
		switch {
		case span.date != "" || span.from != "":
			r.req.Studies = []library.StudyRequest{{Date: span.date, From: span.from, To: span.to}}
			r.answerDates("studies[0].", span, page, tokens)
		case allDates:
			r.req.Studies = []library.StudyRequest{{All: true}}
			r.answer("studies[0].all", "true", all.confidence, all.page, all.tokens)
		}
		return
	}
	r.req.Studies = written.req.Studies
	r.fields = append(r.fields, written.fields...)
	for i := range r.req.Studies {
		s := &r.req.Studies[i]
		if s.Date == "" && s.From == "" && (span.date != "" || span.from != "") {
			s.Date, s.From, s.To = span.date, span.from, span.to
			r.answerDates(fmt.Sprintf("studies[%d].", i), span, page, tokens)
		}
	}
}

func (r *reader) answerDates(name string, w when, page int, tokens []token) {
	r.answer(name+"date", string(w.date), w.confidence, page, tokens)
	r.answer(name+"from", string(w.from), w.confidence, page, tokens)
	r.answer(name+"to", string(w.to), w.confidence, page, tokens)
}

// writtenStudies reads the examinations in the rows of a form that name one
// with its part of the body or its date; the others are print.
func (r *reader) writtenStudies(f *form) *reader {
	sub := &reader{opts: r.opts, library: r.library, spanish: r.spanish}
	var pages []library.Page
	for _, p := range f.pages {
		page := library.Page{Source: library.SourceText}
		for i, row := range p.rows {
			page.Number = row.page
			l := p.studyLine(i)
			if len(l.Words) == 0 {
				continue
			}
			page.Lines = append(page.Lines, l)
			if i+1 < len(p.rows) {
				page.Lines = append(page.Lines, p.goesOn(l, i+1))
			}
			page.Lines = append(page.Lines, library.Line{})
		}
		if len(page.Lines) > 0 {
			pages = append(pages, page)
		}
	}
	sub.t = newText(pages, nil, nil, nil)
	sub.flat = strings.ReplaceAll(sub.t.s, "\n", " ")
	sub.dates = dates(sub.t.s, r.opts.Received)
	sub.born = nil
	sub.studies()
	return sub
}

// studyLine returns what row i says of examinations, and nothing if that is print.
func (f *formPage) studyLine(i int) library.Line {
	r := f.rows[i]
	var l library.Line
	var own []token
	brackets := explanations(r)
	for j, t := range r.tokens {
		if brackets[j] {
			continue
		}
		if !f.taken[[2]int{i, j}] && t.glyph == noGlyph {
			own = append(own, t)
		}
	}
	s := inBrackets.ReplaceAllString(joinTokens(own), " ")
	named := false
	for _, m := range mentions(s) {
		from, to := max(0, m.start-30), min(len(s), m.end+60)
		named = named || partAfter.MatchString(s[from:to]) || partSpanish.MatchString(s[from:to])
	}
	if len(mentions(s)) == 0 || proseLike(s) || !named && !figureDate.MatchString(s) && !f.specified(i) {
		return l
	}
	for _, t := range own {
		box := t.box
		l.Words = append(l.Words, library.Word{Text: t.text, Confidence: t.trust, Box: &box})
	}
	return l
}

// goesOn returns row i if it goes on with the dates of the examination above it.
func (f *formPage) goesOn(above library.Line, i int) library.Line {
	var l library.Line
	r := f.rows[i]
	if len(r.tokens) == 0 || r.y-above.Words[len(above.Words)-1].Box.Y > 0.025 || !figureDate.MatchString(r.tokens[0].text) || r.tokens[0].box.X < above.Words[0].Box.X-0.02 {
		return l
	}
	for _, t := range r.tokens {
		box := t.box
		l.Words = append(l.Words, library.Word{Text: t.text, Confidence: t.trust, Box: &box})
	}
	return l
}

// explanations returns the tokens of r in brackets that explain what to write.
func explanations(r formRow) map[int]bool {
	out := map[int]bool{}
	for _, m := range inBrackets.FindAllStringIndex(r.text, -1) {
		s := r.text[m[0]:m[1]]
		if !explains.MatchString(s) && len(mentions(s)) < 3 {
			continue
		}
		for j := r.index(m[0]); j <= r.index(m[1]-1); j++ {
			out[j] = true
		}
	}
	return out
}

var explains = regexp.MustCompile(`(?i)specify|e\.g\.|example|such as|include|including|check`)

// specified reports whether row i is the answer to a label that asks which images.
func (f *formPage) specified(i int) bool {
	for _, l := range f.labels {
		if l.row == i && l.colon && (l.kind == askSpecify || l.kind == askService) && len(f.besideLabel(l)) > 0 {
			return true
		}
	}
	return false
}

// serviceDates returns the dates of service that a form was filled in with.
func (r *reader) serviceDates(f *form) (when, int, []token) {
	for _, p := range f.pages {
		for i, row := range p.rows {
			if !serviceRow.MatchString(row.text) || noService.MatchString(row.text) {
				continue
			}
			row := row.without(emptyBox)
			for _, w := range dates(row.text, r.opts.Received) {
				from, to := row.index(w.start), row.index(w.end-1)+1
				return r.ofService(w), row.page, row.tokens[from:to]
			}
			for _, l := range p.labels {
				if l.row != i || l.kind != askService {
					continue
				}
				at := p.besideLabel(l)
				if len(at) == 0 {
					continue
				}
				if m := wholeYear.FindStringSubmatch(p.string(i, at)); m != nil {
					from, to := span12(m[1], "")
					return when{from: from, to: to, confidence: 0.9}, row.page, row.tokens[at[0] : at[len(at)-1]+1]
				}
			}
		}
	}
	return when{}, 0, nil
}

// ofService bounds how surely dates of service are said.
func (r *reader) ofService(w when) when {
	w.confidence = min(w.confidence, 0.92)
	return w
}
