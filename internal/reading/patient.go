package reading

import (
	"regexp"
	"slices"
	"strings"

	"fileroom/internal/library"
)

// A candidate is a name that may be the patient's.
type candidate struct {
	start, end int
	name       string
	confidence float64
}

// Where a patient's name stands. The first group is the name.
var (
	// Labels of a patient, and "Name:", which may be anybody's.
	labelledName = regexp.MustCompile(`(?im)(?:^|[\t\n(•*-]) *(?:patient(?:['’]?s)?(?: full| legal)? name|name of (?:the )?patient|patient|(?:our )?client|pt|nombre(?: completo)? del paciente|paciente)(?: is)? ?[:#][ \t]*([^\n\t]{3,70})`)
	plainLabel   = regexp.MustCompile(`(?im)(?:^|[\t\n(•*-]) *(?:(?:my )?(?:full |legal |whole )*name|nombre(?: completo)?) ?(?:is|:)[ \t]*([^\n\t]{3,70})`)
	saidName     = regexp.MustCompile(`(?:[Mm]y (?:(?:full|whole|legal|complete) )*name is|[Mm]e llamo|[Mm]i nombre(?: completo)? es|[Ww]hose name is)\s+(` + personName + `)`)
	iAm          = regexp.MustCompile(`(?:\bI am|\bI['’]m|\b[Tt]his is|\b[Ss]oy)\s+(` + nameWord + `(?: ["“][^"”]{1,20}["”])?(?:` + nameGap + `(?:` + nameParticle + nameGap + `)?` + nameWord + `){1,4})`)
	cardSays     = regexp.MustCompile(`(?i:card says|chart says|listed as|under the name(?: of)?)\s+(` + fullName + `)`)
	aboutName    = regexp.MustCompile(`(?:\b[Mm]y (?:late )?(?:mother|father|mom|dad|son|daughter|child|husband|wife|brother|sister|aunt|uncle|niece|nephew|grandmother|grandfather|ward|client|patient)|\b[Oo]n behalf of(?: my [a-z]+)?|\b[Ee]state of|\b[Tt]he late|\b[Pp]aciente|\b[Mm]enor|\b[Pp]atient|\b[Mm]i (?:madre|padre|hijo|hija|esposo|esposa|hermano|hermana)),?\s+(` + fullName + `)`)
	reLine       = regexp.MustCompile(`(?m)^(?:RE|Re|Subject|SUBJECT|Ref|REF|Asunto)\s*[:.]\s*(?:Estate of |[Mm]y (?:son|daughter|mother|father|husband|wife),? |[Ii]mages of (?:the late )?|[Rr]equest for |[Rr]ecords of )?(` + lineName + `)`)
	beforeBirth  = regexp.MustCompile(`(` + lineName + `)[,;(\s]+(?:b\.|born|who was born|DOB|D\.O\.B\.|dob|[Dd]ate of [Bb]irth|birthday|nacid[oa])`)
	iSelf        = regexp.MustCompile(`(?:^|\n)\s*(?:I|Yo), (` + fullName + `),`)
	fromLine     = regexp.MustCompile(`(?m)^(?:From|FROM|De)\s*:\s*(` + fullName + `)`)
	nextLabel    = regexp.MustCompile(`(?i)[\s,;(-]+(?:dob|d\.\s?o\.\s?b|date of birth|birth ?date|born|b\.|mrn|duke|medical rec|your mrn|ssn|phone|age|sex|male|female|\(deceased\)|fecha de nac)\b.*$`)
	middleName   = regexp.MustCompile(`(?i:middle name(?: is)?:?|segundo nombre:?) (` + nameWord + `)`)
	birthLabel   = regexp.MustCompile(`(?i)(?:\bdate of birth|\bbirth ?-?date|\bbirthday|\bd\.?\s?o\.?\s?b\b\.?|\bborn\b|[,;] ?b\.|\bfecha de nac(?:imiento|\.)?|\bf\. ?nac\.?|\bnac[ií](?:d[oa])?\b|\bnací|\bnació)`)
	mrnLabel     = regexp.MustCompile(`(?i)(?:\bm\.?r\.?n\b\.?|\bmed(?:ical|\.)? rec(?:ord|\.)?(?: (?:number|no|num|#))?\b\.?|\b(?:history|chart|hospital|duke(?: (?:mrn|history|hospital|medical record|patient))?|patient|record) (?:number|no\.|#)|\bduke #|\b(?:pt|patient) id(?: (?:number|no\.|#))?|\bn[úu]mero de (?:expediente|historia(?: cl[íi]nica)?|historial)|\bexpediente|\bhistoria cl[íi]nica)(?:\s*(?:number|no\.|no\b|num|#|is|es|en duke(?: es)?|at duke(?: is)?|:|-|\())*\s*#?\s*([A-Za-z]{0,3}\d[A-Za-z0-9-]{2,14}\b)`)
)

// patientNames lists who the patient may be, the most likely first.
func (r *reader) patientNames() []candidate {
	var found []candidate
	add := func(re *regexp.Regexp, confidence float64) {
		for _, m := range re.FindAllStringSubmatchIndex(r.t.s, most) {
			c := candidate{start: m[2], end: m[3], name: r.t.s[m[2]:m[3]], confidence: confidence}
			if i := nextLabel.FindStringIndex(c.name); i != nil {
				c.end, c.name = c.start+i[0], c.name[:i[0]]
			}
			if r.isLibrary(c.name) {
				continue
			}
			c.name = trimName(c.name)
			c.end = c.start + len(c.name)
			if p, ok := parseName(c.name, r.spanish); ok && (p.Family != "" || confidence > 0.9) {
				found = append(found, c)
			}
		}
	}
	// Whoever asks for somebody else names both; then "my name is" is not the patient's.
	self := 0.95
	if r.representative() {
		self = 0.6
	}
	add(labelledName, 0.98)
	add(reLine, 0.9)
	add(aboutName, 0.92)
	add(beforeBirth, 0.91)
	add(saidName, self)
	add(plainLabel, self-0.02)
	add(cardSays, self-0.04)
	add(iAm, self-0.03)
	add(iSelf, self-0.03)
	add(fromLine, self-0.15)
	slices.SortStableFunc(found, func(a, b candidate) int {
		switch {
		case a.confidence > b.confidence:
			return -1
		case a.confidence < b.confidence:
			return 1
		}
		return a.start - b.start
	})
	return found
}

var actsForAnother = regexp.MustCompile(`\b(?:(?i:on behalf of|i am (?:the |his |her |their )|i'?’?m (?:the |his |her )|i am writing for my|as (?:his|her|the|their) |power of attorney|executor|executrix|administrator|guardian|i represent|in fact for|attorney for|soy (?:la |el )?(?:madre|padre|hij[oa]|espos[oa]|tutor)|(?:madre|padre|tutora?) de (?:la |el )?menor)|(?i:my (?:late )?(?:mother|father|son|daughter|husband|wife|brother|sister)),? (?:\p{Lu}|\())`)

// representative reports whether somebody other than the patient seems to write.
func (r *reader) representative() bool { return actsForAnother.MatchString(r.flat) }

// patient reads the patient's name, birth date and record number.
func (r *reader) patient() {
	names := r.patientNames()
	if len(names) > 0 {
		r.patientName(names[0], names[1:])
	}
	r.birthDate()
	for _, m := range mrnLabel.FindAllStringSubmatchIndex(r.t.s, -1) {
		if v := strings.Trim(r.t.s[m[2]:m[3]], "-"); len(v) >= 4 && r.req.Patient.MRN == "" {
			r.req.Patient.MRN = v
			r.field("patient.mrn", v, 0.98, m[2], m[3])
		}
	}
}

func (r *reader) patientName(c candidate, others []candidate) {
	p, _ := parseName(c.name, r.spanish)
	for _, o := range others {
		q, ok := parseName(o.name, r.spanish)
		if !ok || !sameName(p.Name(), q.Name()) {
			continue
		}
		// The same person, named more fully elsewhere.
		if len([]rune(q.Middle)) > len([]rune(p.Middle)) && (p.Middle == "" || strings.EqualFold(q.Middle[:1], p.Middle[:1])) {
			p.Middle = q.Middle
		}
		if p.Suffix == "" {
			p.Suffix = q.Suffix
		}
		if p.Family == "" {
			p.Family = q.Family
		}
	}
	if m := middleName.FindStringSubmatch(r.t.s); m != nil && p.Middle == "" {
		p.Middle = m[1]
	}
	r.req.Patient.Given, r.req.Patient.Middle, r.req.Patient.Family, r.req.Patient.Suffix = p.Given, p.Middle, p.Family, p.Suffix
	for _, f := range []struct{ name, value string }{{"given", p.Given}, {"middle", p.Middle}, {"family", p.Family}, {"suffix", p.Suffix}} {
		r.field("patient."+f.name, f.value, c.confidence, c.start, c.end)
	}
}

func (r *reader) birthDate() {
	for _, w := range r.born {
		if r.req.Patient.BirthDate == "" {
			r.req.Patient.BirthDate = w.date
			r.field("patient.birth_date", string(w.date), w.confidence, w.start, w.end)
		}
	}
}

// births returns the dates that are said to be birth dates. A birth in the
// future is a misreading, of the century or of the date.
func (r *reader) births() []when {
	var out []when
	for _, m := range birthLabel.FindAllStringIndex(r.t.s, most) {
		for _, w := range r.dates {
			if w.start < m[1] || w.date == "" {
				continue
			}
			if gap := r.t.s[m[1]:w.start]; len(gap) > 24 || strings.Contains(gap, "\n\n") || len(strings.Fields(gap)) > 4 {
				break
			}
			w.confidence = min(w.confidence, 0.98)
			if r.opts.Received != "" && w.date > r.opts.Received {
				w.confidence = 0.2
			}
			if !slices.ContainsFunc(out, func(o when) bool { return o.start == w.start }) {
				out = append(out, w)
			}
			break
		}
	}
	return out
}

// others finds further patients in the same envelope: each further birth date
// that differs, and each further "Patient:" with another name, is one.
func (r *reader) others() []library.Patient {
	var out []library.Patient
	seen := []library.Patient{r.req.Patient}
	add := func(p library.Patient) {
		for _, s := range seen {
			if p.BirthDate != "" && p.BirthDate == s.BirthDate || p.Family != "" && sameName(p.Name(), s.Name()) {
				return
			}
		}
		seen = append(seen, p)
		out = append(out, p)
	}
	labels := labelledName.FindAllStringSubmatchIndex(r.t.s, most)
	for _, w := range r.born {
		if w.date == r.req.Patient.BirthDate {
			continue
		}
		p := library.Patient{BirthDate: w.date}
		for _, m := range append(slices.Clone(labels), beforeBirth.FindAllStringSubmatchIndex(r.t.s, most)...) {
			if m[0] < w.start && w.start-m[0] < 200 {
				if q, ok := parseName(nextLabel.ReplaceAllString(r.t.s[m[2]:m[3]], ""), r.spanish); ok {
					q.BirthDate = w.date
					p = q
				}
			}
		}
		add(p)
	}
	for _, m := range labels {
		if p, ok := parseName(nextLabel.ReplaceAllString(r.t.s[m[2]:m[3]], ""), r.spanish); ok && p.Family != "" {
			add(p)
		}
	}
	return out
}
