package reading

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"fileroom/internal/library"
)

// A form is what was filled in on the pages of a form.
type form struct {
	pages  []*formPage
	values []filled
	ticks  []ticked
}

// newForm reads the pages that are forms.
func newForm(pages []library.Page, forms map[int]bool) *form {
	f := &form{}
	for _, p := range pages {
		if !forms[p.Number] || p.Source == library.SourceMail {
			continue
		}
		page := newFormPage(p)
		f.pages = append(f.pages, page)
		f.values = append(f.values, page.values()...)
		f.ticks = append(f.ticks, page.ticks()...)
		if p.Source == library.SourceOCR {
			f.guess(page)
		}
	}
	return f
}

// guess adds the choices of a page that seem ticked, to the questions that no mark answers.
func (f *form) guess(page *formPage) {
	for _, g := range page.guesses() {
		if _, ok := f.ticked(g.group); !ok {
			f.ticks = append(f.ticks, g)
		}
	}
}

// first returns the first value of a kind that is for one of parties.
func (f *form) first(kind labelKind, parties ...party) (filled, bool) {
	for _, p := range parties {
		for _, v := range f.values {
			if v.label.kind == kind && v.label.party == p {
				return v, true
			}
		}
	}
	return filled{}, false
}

// unread reports whether something of a kind is filled in for one of parties that could not be read.
func (f *form) unread(kind labelKind, parties ...party) bool {
	return slices.ContainsFunc(f.pages, func(p *formPage) bool {
		return slices.ContainsFunc(p.unread, func(l labelAt) bool { return l.kind == kind && slices.Contains(parties, l.party) })
	})
}

// ticked returns the choice of a group that is ticked, and false for none or several that differ.
func (f *form) ticked(group string) (ticked, bool) {
	var found ticked
	n := 0
	for _, t := range f.ticks {
		if t.group != group || t.party == officeOnly {
			continue
		}
		if n > 0 && vague(found.value) && !vague(t.value) {
			n = 0 // "Electronic: by e-mail".
		}
		if n > 0 && vague(t.value) && !vague(found.value) {
			continue
		}
		if n == 0 {
			found, n = t, 1
		} else if t.value != found.value {
			n++
			found.confidence = 0.5
		}
	}
	return found, n > 0
}

// vague reports whether a way of delivery is open to a nearer word.
func vague(way string) bool { return way == "electronic" || way == "paper" || way == "other" }

// fillIn takes over what the form says, where nothing is known yet.
func (r *reader) fillIn(f *form) {
	r.formPatient(f)
	r.formRecipient(f)
	r.formStudies(f)
	if t, ok := f.ticked(choosePurpose); ok && r.req.Purpose == "" {
		r.req.Purpose = t.value
		r.answer("purpose", t.value, t.confidence, t.page, t.tokens)
	}
	if t, ok := f.ticked(chooseDelivery); ok && r.req.Delivery == "" {
		r.req.Delivery = t.value
		r.answer("delivery", t.value, t.confidence, t.page, t.tokens)
	}
	r.formReason(f)
	r.formWay(f)
}

// answer records a value that stands in tokens of a form.
func (r *reader) answer(name, value string, confidence float64, page int, tokens []token) {
	if value == "" {
		return
	}
	box, trust := around(tokens)
	r.fieldAt(name, value, math.Min(confidence, trust), page, box)
}

// put sets a value that is not set yet from what was filled in.
func (r *reader) put(to *string, name, value string, v filled) {
	if value = strings.Trim(oneLine(value), " ,;"); *to == "" && value != "" {
		*to = value
		r.answer(name, value, v.confidence(), v.page, v.tokens)
	}
}

// confidence is less where the place of the value is a guess.
func (v filled) confidence() float64 {
	if v.place == beside && v.label.colon {
		return 0.96
	}
	return 0.94
}

func (r *reader) formPatient(f *form) {
	p := &r.req.Patient
	mine := []party{thePatient, anybody}
	given, ok := f.first(askGiven, mine...)
	family, too := f.first(askFamily, mine...)
	switch {
	case p.Family != "" || p.Given != "":
	case ok && too:
		r.put(&p.Given, "patient.given", given.text(), given)
		r.put(&p.Family, "patient.family", family.text(), family)
		if middle, ok := f.first(askMiddle, mine...); ok {
			r.put(&p.Middle, "patient.middle", middle.text(), middle)
		}
	default:
		if v, ok := f.first(askName, mine...); ok {
			r.formName(v)
		}
	}
	if v, ok := f.first(askBirth, mine...); ok && p.BirthDate == "" {
		r.formBirth(v)
	}
	if v, ok := f.first(askMRN, mine...); ok {
		r.put(&p.MRN, "patient.mrn", strings.ReplaceAll(v.text(), " ", ""), v)
	}
	if v, ok := f.first(askPhone, mine...); ok {
		r.put(&p.Phone, "patient.phone", phoneOf(v.text()), v)
	}
	if v, ok := f.first(askOtherPhone, mine...); ok {
		r.put(&p.Phone, "patient.phone", phoneOf(v.text()), v)
	}
	if v, ok := f.first(askEmail, mine...); ok {
		r.put(&p.Email, "patient.email", mailAddress.FindString(v.text()), v)
	}
	if v, ok := f.first(askAddress, mine...); ok {
		r.put(&p.Address, "patient.address", f.postal(v, mine).written(), v)
	}
}

// formName takes the patient's name apart.
func (r *reader) formName(v filled) {
	s := v.text()
	if i := nextLabel.FindStringIndex(s); i != nil {
		s = s[:i[0]]
	}
	q, ok := parseName(s, r.spanish)
	if !ok {
		return
	}
	p := &r.req.Patient
	r.put(&p.Given, "patient.given", q.Given, v)
	r.put(&p.Middle, "patient.middle", q.Middle, v)
	r.put(&p.Family, "patient.family", q.Family, v)
	r.put(&p.Suffix, "patient.suffix", q.Suffix, v)
}

func (r *reader) formBirth(v filled) {
	s := v.text()
	if m := apart3.FindStringSubmatch(oneLine(s)); m != nil {
		s = m[1] + "/" + m[2] + "/" + m[3]
	}
	for _, w := range r.datesOf(s) {
		if w.date == "" || r.opts.Received != "" && w.date > r.opts.Received {
			continue
		}
		r.req.Patient.BirthDate = w.date
		r.answer("patient.birth_date", string(w.date), math.Min(v.confidence(), w.confidence), v.page, v.tokens)
		return
	}
}

var (
	monthLeads = regexp.MustCompile(`(?i)\bmm ?/ ?dd ?/ ?(?:yy|aa)`)
	dayLeads   = regexp.MustCompile(`(?i)\bdd ?/ ?mm ?/ ?(?:yy|aa)`)
)

// datesOf finds the dates in s, which stands on a form: the form may say which
// figure is the month, or another date on it show it.
func (r *reader) datesOf(s string) []when {
	order := writesDayFirst(r.t.s)
	switch {
	case monthLeads.MatchString(r.t.s):
		order = -1
	case dayLeads.MatchString(r.t.s):
		order = 1
	}
	return datesAs(s, r.opts.Received, order)
}

// phoneOf writes the telephone number of s without the spaces of a form's brackets.
func phoneOf(s string) string {
	m := anyPhone.FindString(s)
	m = strings.NewReplacer("( ", "(", " )", ")", " - ", "-", " -", "-", "- ", "-").Replace(oneLine(m))
	return strings.TrimSpace(m)
}

// postal puts together the address that begins with v and goes on in the labels of the same party.
func (f *form) postal(v filled, parties []party) address {
	s := v.text()
	if found := addresses(s); len(found) > 0 {
		return found[0]
	}
	a := address{street: strings.Trim(oneLine(s), " ,")}
	if m := streetThenTown.FindStringSubmatch(a.street); m != nil {
		a.street, a.city, a.state, a.zip = m[1], m[2], m[3], m[4]
		return a
	}
	after := func(kind labelKind) (filled, bool) {
		for _, p := range parties {
			for _, o := range f.values {
				if o.label.kind == kind && o.label.party == p && o.page == v.page && o.row >= v.row-1 && o.row <= v.row+7 {
					return o, true
				}
			}
		}
		return filled{}, false
	}
	if o, ok := after(askUnit); ok {
		a.street += ", " + o.text()
	}
	if o, ok := after(askTown); ok {
		if m := townValue.FindStringSubmatch(o.text()); m != nil {
			a.city, a.state, a.zip = m[1], m[2], m[3]
		}
	}
	for _, part := range []struct {
		kind labelKind
		to   *string
	}{{askCity, &a.city}, {askState, &a.state}, {askZip, &a.zip}} {
		if o, ok := after(part.kind); ok && *part.to == "" {
			*part.to = stateOf(o.text())
		}
	}
	if m := townValue.FindStringSubmatch(a.city); m != nil {
		a.city = m[1]
		if a.state == "" {
			a.state = m[2]
		}
		if a.zip == "" {
			a.zip = m[3]
		}
	}
	return a
}

var streetThenTown = regexp.MustCompile(`^(.*\d.*?), (` + cityRe + `),? (` + states + `)(?:,? (\d{5}(?:-\d{4})?))?$`)

// formRecipient reads who shall have the images.
func (r *reader) formRecipient(f *form) {
	to := &r.req.Recipient
	if t, ok := f.ticked(chooseSelf); ok && to.Street == "" && to.Organization == "" {
		if _, named := f.first(askName, theRecipient); !named || t.value == "true" {
			to.Self = true
			r.answer("recipient.self", "true", t.confidence, t.page, t.tokens)
			return
		}
	}
	if to.Self || to.Street != "" {
		return
	}
	if v, ok := f.first(askName, theRecipient); ok {
		r.formPlace(v)
	}
	if v, ok := f.first(askAttention, theRecipient); ok && r.isPersonOrTitled(v.text()) {
		r.put(&to.Person, "recipient.person", v.text(), v)
	}
	own := []party{theRecipient}
	v, ok := f.first(askAddress, theRecipient)
	if ok {
		a := f.postal(v, own)
		r.put(&to.Street, "recipient.street", a.street, v)
		r.put(&to.City, "recipient.city", a.city, v)
		r.put(&to.State, "recipient.state", a.state, v)
		r.put(&to.Zip, "recipient.zip", a.zip, v)
	}
	for _, part := range []struct {
		kind labelKind
		to   *string
		name string
	}{{askCity, &to.City, "city"}, {askState, &to.State, "state"}, {askZip, &to.Zip, "zip"}} {
		if o, ok := f.first(part.kind, theRecipient); ok {
			r.put(part.to, "recipient."+part.name, stateOf(o.text()), o)
		}
	}
	if o, ok := f.first(askPhone, theRecipient); ok {
		r.put(&to.Phone, "recipient.phone", phoneOf(o.text()), o)
	}
	if o, ok := f.first(askFax, theRecipient); ok {
		r.put(&to.Fax, "recipient.fax", phoneOf(o.text()), o)
	}
	if o, ok := f.first(askEmail, theRecipient); ok {
		r.put(&to.Email, "recipient.email", mailAddress.FindString(o.text()), o)
	}
	r.ownAddress(ok, v)
}

// ownAddress notices that the recipient is the patient, who wrote the name and address again.
func (r *reader) ownAddress(written bool, v filled) {
	to, p := &r.req.Recipient, r.req.Patient
	if to.Organization == "" && to.Person != "" && p.Family != "" && sameName(to.Person, p.Name()) {
		to.Self = true
		r.answer("recipient.self", "true", 0.93, v.page, v.tokens)
	}
}

var placeParts = regexp.MustCompile(`\s*(?:[,;]|\s[-–]\s)\s*`)

// formPlace parts the name of a recipient into the person and the organization.
func (r *reader) formPlace(v filled) {
	to := &r.req.Recipient
	var places []string
	s := v.text()
	if found := addresses(s); len(found) > 0 { // Name and address on one line.
		a := found[0]
		r.put(&to.Street, "recipient.street", a.street, v)
		r.put(&to.City, "recipient.city", a.city, v)
		r.put(&to.State, "recipient.state", a.state, v)
		r.put(&to.Zip, "recipient.zip", a.zip, v)
		s = strings.TrimRight(s[:a.start], " ,;")
	}
	parts := placeParts.Split(nickname.ReplaceAllString(s, ""), -1)
	for i, part := range parts {
		part = strings.TrimSpace(part)
		bare := attnWord.ReplaceAllString(part, "")
		switch {
		case bare == "":
		case to.Person == "" && (r.isPersonOrTitled(bare) || len(parts) > 1 && i > 0 && nameAlone(bare)):
			r.put(&to.Person, "recipient.person", bare, v)
		case credential.MatchString(bare) && to.Person != "":
			to.Person += ", " + bare
			r.revise("recipient.person", to.Person)
		default:
			places = append(places, bare)
		}
	}
	if r.isLibrary(s) {
		return
	}
	r.put(&to.Organization, "recipient.organization", strings.Join(places, ", "), v)
}

// isPersonOrTitled reports whether s names a person: by a title, or as the patient or signer.
func (r *reader) isPersonOrTitled(s string) bool {
	if i := titled.FindStringIndex(s); i != nil && i[0] == 0 {
		return true
	}
	return nameAlone(s) && (sameName(s, r.req.Patient.Name()) || r.isPerson(s))
}

// nameAlone reports whether s is the name of a person and of nothing else.
func nameAlone(s string) bool {
	n := len(strings.Fields(s))
	return n >= 2 && n <= 4 && !organization.MatchString(s) && isName(s) && !number.MatchString(s)
}
