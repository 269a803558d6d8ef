package reading

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"fileroom/internal/library"
)

// A signing is a place of a form where somebody signs.
type signing struct {
	page  *formPage
	label labelAt
	ink   *library.Box // What stands there, if anything.

	confidence float64 // That ink is a signature.
}

// signings returns the places where one signs, on all pages.
func (f *form) signings() []signing {
	var out []signing
	for _, p := range f.pages {
		for _, l := range p.labels {
			if l.kind == askSignature && l.party != officeOnly {
				out = append(out, p.signing(l))
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	// Where the label cannot be read, a signature belongs left of the printed name.
	for _, p := range f.pages {
		for _, l := range p.labels {
			if l.kind == askPrinted && l.from > 0 && l.party != officeOnly {
				l.to, l.right = l.from, l.box.X
				l.from = 0
				box, _ := around(p.rows[l.row].tokens[:l.to])
				l.box, l.colon = *box, false
				out = append(out, p.signing(l))
			}
		}
	}
	return out
}

// signing looks at what stands where a label asks for a signature.
func (f *formPage) signing(l labelAt) signing {
	s := signing{page: f, label: l, ink: f.inkAt(l), confidence: 0.85}
	if s.ink != nil || !f.picture {
		return s
	}
	if box := f.scrawl(l); box != nil {
		s.ink, s.confidence = box, 0.65
	} else if tokens := f.rows[l.row].tokens[l.from:l.to]; len(tokens) > 0 && !signWord.MatchString(f.rows[l.row].text) {
		s.ink, _ = around(tokens) // The pen went over the label.
		s.confidence = 0.6
	}
	return s
}

var signWord = regexp.MustCompile(`(?i)ignatur|firma|signed`)

// scrawl returns the words above a label that hardly can be read: a signature.
func (f *formPage) scrawl(l labelAt) *library.Box {
	for i := l.row - 1; i >= max(0, l.row-2); i-- {
		var found []token
		for _, t := range f.rows[i].tokens {
			middle := t.box.X + t.box.W/2
			if middle > l.box.X-0.03 && middle < math.Max(l.box.X+l.box.W, math.Min(l.right, l.box.X+0.35)) && t.trust < 0.6 && l.box.Y-t.box.Y < 0.06 {
				found = append(found, t)
			}
		}
		if box, _ := around(found); box != nil && box.W > 0.03 {
			return box
		}
	}
	return nil
}

// inkAt returns the ink that stands beside or above a label, where one signs.
func (f *formPage) inkAt(l labelAt) *library.Box {
	for _, i := range f.ink {
		b := i.Box
		if b.W < 0.035 || b.W > 0.6 || b.H < 0.008 || b.H > 0.2 {
			continue
		}
		middle := b.Y + b.H/2
		right := math.Max(l.right, l.box.X+l.box.W)
		over := b.X < right && b.X+b.W > l.box.X-0.03 && b.X > l.box.X-0.12 && middle < l.box.Y+0.6*l.box.H && b.Y+b.H > l.box.Y-0.045
		next := b.X+b.W/2 > l.box.X+l.box.W && b.X < right && middle > l.box.Y-0.025 && middle < l.box.Y+l.box.H+0.012
		if over || next && l.colon {
			return &b
		}
	}
	return nil
}

// under reports whether there is ink just below a label without a colon, where no rule stands above it.
func (s signing) under() bool {
	if s.label.colon {
		return false
	}
	for _, i := range s.page.ink {
		b, l := i.Box, s.label.box
		if b.W >= 0.035 && b.H >= 0.01 && b.X < s.label.right && b.X+b.W > l.X && b.Y > l.Y+0.5*l.H && b.Y < l.Y+l.H+0.02 {
			return true
		}
	}
	return false
}

// formSignature reads who signed a form, and when.
func (r *reader) formSignature(f *form) {
	places := f.signings()
	if len(places) == 0 {
		if !r.electronic() {
			r.fieldAt("signature.present", "false", 0.5, r.firstPage(), nil)
		}
		return
	}
	signed := places[0]
	for _, p := range places {
		if p.ink != nil {
			signed = p
			break
		}
	}
	sig := &r.req.Signature
	page := signed.page.rows[signed.label.row].page
	switch {
	case r.stamped(signed), r.electronic():
	case signed.ink != nil:
		sig.Present = true
		r.fieldAt("signature.present", "true", signed.confidence, page, signed.ink)
		r.fieldAt("signature.electronic", "false", signed.confidence, page, signed.ink)
	case signed.under():
		sig.Present = true
		r.fieldAt("signature.present", "true", 0.7, page, &signed.label.box)
		r.fieldAt("signature.electronic", "false", 0.7, page, &signed.label.box)
	default:
		r.fieldAt("signature.present", "false", 0.75, page, &signed.label.box)
	}
	if v, ok := f.near(signed, askPrinted, 6); ok {
		r.put(&sig.Name, "signature.name", v.text(), v)
	}
	v, dated := signed.besideDate()
	if !dated {
		v, dated = f.near(signed, askDate, 4)
	}
	if !dated {
		v, dated = f.first(askToday, theSigner)
	}
	if dated && sig.Date == "" {
		for _, w := range r.datesOf(v.text()) {
			if w.date != "" {
				sig.Date = w.date
				r.answer("signature.date", string(w.date), math.Min(v.confidence(), w.confidence), v.page, v.tokens)
				break
			}
		}
	}
	r.formSigner(f, signed)
}

// besideDate returns the date on the row of a signature that has no label of its own.
func (s signing) besideDate() (filled, bool) {
	for _, l := range s.page.labels {
		if l.row == s.label.row && l.kind == askDate {
			return filled{}, false
		}
	}
	row := s.page.rows[s.label.row]
	tokens := row.tokens[s.label.to:]
	v := filled{label: s.label, row: s.label.row, page: row.page, tokens: tokens}
	return v, dayOf(v.text()) != ""
}

// near returns the value of a kind that stands nearest to a signature, within so many rows.
func (f *form) near(s signing, kind labelKind, rows int) (filled, bool) {
	best, distance := filled{}, rows+1
	for _, v := range f.values {
		if v.label.kind != kind || v.label.party == officeOnly || v.page != s.page.rows[s.label.row].page {
			continue
		}
		d := v.label.row - s.label.row
		if d < 0 {
			d = -d
		}
		if d < distance {
			best, distance = v, d
		}
	}
	return best, distance <= rows
}

var stamp = regexp.MustCompile(`(` + fullName + `)\s*\((` + `[A-Z][a-z]{2,8} \d{1,2}, \d{4}` + `)[^)]{0,24}\)`)

// stamped finds what a signing service writes in place of a signature: the name, and the moment in brackets.
func (r *reader) stamped(s signing) bool {
	for i := max(0, s.label.row-1); i <= s.label.row; i++ {
		row := s.page.rows[i]
		m := stamp.FindStringSubmatchIndex(row.text)
		if m == nil {
			continue
		}
		sig := &r.req.Signature
		tokens := row.tokens[row.index(m[0]) : row.index(m[1]-1)+1]
		sig.Present, sig.Electronic = true, true
		r.answer("signature.present", "true", 0.95, row.page, tokens)
		r.answer("signature.electronic", "true", 0.95, row.page, tokens)
		sig.Name = row.text[m[2]:m[3]]
		r.answer("signature.name", sig.Name, 0.94, row.page, tokens)
		for _, w := range dates(row.text[m[4]:m[5]], r.opts.Received) {
			sig.Date = w.date
			r.answer("signature.date", string(w.date), 0.94, row.page, tokens)
		}
		return true
	}
	return false
}

// formSigner tells what the signer is to the patient: by what is written or ticked as the relationship, or by the name.
func (r *reader) formSigner(f *form, s signing) {
	sig := &r.req.Signature
	page := s.page.rows[s.label.row].page
	set := func(v string, confidence float64, tokens []token) {
		sig.Signer = v
		if tokens == nil {
			if s.page.picture {
				confidence = math.Min(confidence, 0.85)
			}
			r.fieldAt("signature.signer", v, confidence, page, &s.label.box)
			return
		}
		r.answer("signature.signer", v, confidence, page, tokens)
	}
	if v, ok := f.near(s, askRelationship, 6); ok {
		t := strings.ToLower(v.text())
		if strings.Contains(t, "self") || strings.Contains(t, "paciente") || t == "patient" {
			set("patient", 0.93, v.tokens)
			return
		}
		for _, rel := range relations {
			if rel.role.MatchString(t) || rel.re.MatchString(t) {
				set(rel.signer, 0.92, v.tokens)
				return
			}
		}
		if nextOfKin.MatchString(t) {
			set("other-representative", 0.85, v.tokens)
			return
		}
	}
	if t, ok := f.ticked(chooseSigner); ok {
		set(t.value, t.confidence, t.tokens)
		return
	}
	name := r.req.Patient.Name()
	switch {
	case sig.Name != "" && name != "" && sameName(sig.Name, name):
		set("patient", 0.92, nil)
	case sig.Name != "" && name != "":
		set("other-representative", 0.4, nil)
	case sig.Present:
		set("patient", 0.7, nil)
	}
}

var nextOfKin = regexp.MustCompile(`(?i)\b(?:son|daughter|brother|sister|niece|nephew|grand\w+|cousin|friend|hij[oa]|herman[oa])\b`)

// formTerm is until when a form says that it holds: what is written in, or its own printed rule.
var formTerm = regexp.MustCompile(`(?i)(?:\bexpires?|\bexpirar[áa]|\bcaduca(?:r[áa])?|\bvencer?[áa]?|\bvalid for(?: a period of)?|/ ?end|\bin effect for|\bv[áa]lid[oa] (?:por|durante))(?: (?:automatically|autom[áa]ticamente|after|on|in|en|a los|until))*\s+((?:[a-záéíóúñ]+ |\d+ )?(?:\(\w+\) )?(?:years?|months?|days?|meses|d[íi]as|años?)\b[^.;:(]{0,90})`)

var termEnds = regexp.MustCompile(`(?i)\s*(?:,? ?\b(?:unless|or (?:until|as|upon)|if no|si no|a menos|except|however|I understand|the undersigned)\b).*$`)

// formExpires reads until when a form holds.
func (r *reader) formExpires(f *form) {
	if r.req.Expires != "" {
		return
	}
	for _, p := range f.pages {
		for i, row := range p.rows {
			m := expiryWritten.FindStringIndex(row.text)
			if m == nil {
				continue
			}
			for n := max(0, i-1); n <= min(len(p.rows)-1, i+1); n++ {
				near := p.rows[n]
				if n != i && p.asks(n, askDate, askSignature, askPrinted) || near.y-row.y > 3*row.h {
					continue
				}
				if m := termWritten.FindStringSubmatch(near.text); m != nil {
					r.req.Expires = m[1]
					r.answer("expires", m[1], 0.88, near.page, near.tokens)
					return
				}
				for _, w := range dates(near.text, r.opts.Received) {
					if w.date == "" || noExpiry.MatchString(near.text[max(0, w.start-30):w.start]) {
						continue
					}
					r.req.Expires = string(w.date)
					r.answer("expires", r.req.Expires, math.Min(0.92, w.confidence), near.page, near.tokens[near.index(w.start):near.index(w.end-1)+1])
					return
				}
			}
		}
	}
	if m := formTerm.FindStringSubmatchIndex(r.flat); m != nil {
		s := oneLine(r.t.s[m[2]:m[3]])
		s = strings.Trim(termEnds.ReplaceAllString(s, ""), " ,")
		if s != "" {
			r.req.Expires = s
			r.field("expires", s, 0.85, m[2], m[3])
		}
	}
}

var (
	termWritten   = regexp.MustCompile(`(?i)(?:^|[):] )(\d+ (?:days?|months?|years?|d[íi]as|meses|años?))(?:$| unless| a menos)`)
	expiryWritten = regexp.MustCompile(`(?i)\b(?:expir\w*|event is written here|written here|otherwise specified|insert applicable date|earlier date|vence\b|fecha o el evento|specify number of days)`)
	noExpiry      = regexp.MustCompile(`(?i)\b(?:signature|birth|service|treatment|printed|date signed|rev\.?|revised|version)\b`)
)

// asks reports whether row n has a label of one of kinds.
func (f *formPage) asks(n int, kinds ...labelKind) bool {
	return slices.ContainsFunc(f.labels, func(l labelAt) bool { return l.row == n && slices.Contains(kinds, l.kind) })
}
