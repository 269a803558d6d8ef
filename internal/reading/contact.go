package reading

import (
	"regexp"
	"strings"
)

// reach gives each telephone number and address to the recipient or the
// patient. It needs to know who signed.
func (r *reader) reach() {
	r.reachAt(r.best, r.req.Recipient.Self)
	r.patientAddress(r.all, r.best, r.req.Recipient.Self)
}

// byPatient reports whether it is the patient who writes.
func (r *reader) byPatient() bool {
	s := r.req.Signature.Signer
	return !r.representative() && !r.typed.staff && (s == "" || s == "patient")
}

// recipientScore says how surely d is where the images shall go; 0 is not at all.
func (r *reader) recipientScore(d *destination) float64 {
	for _, s := range d.segments {
		if r.isLibrary(s.text) {
			return 0
		}
	}
	if r.isLibrary(r.t.s[d.start:d.end]) || strings.HasSuffix(d.lead, "address:") || strings.HasSuffix(d.lead, "client:") {
		return 0
	}
	if strings.HasSuffix(d.lead, "to me at") || strings.HasSuffix(d.lead, "my address is") {
		return 0.8
	}
	if len(d.segments) == 0 {
		return 0
	}
	org := false
	for _, s := range d.segments {
		org = org || organization.MatchString(s.text) || doctor.MatchString(s.text)
	}
	switch {
	case introduced(d.lead):
		return 0.95
	case d.top && org && d.opening:
		return 0.6 // A letterhead.
	case d.top && org:
		return 0.8
	case org:
		return 0.85
	case d.top:
		return 0 // The sender's own block.
	}
	return 0.5
}

var leadIn = regexp.MustCompile(`(?:\b(?:to|to the|at|at the|with|is|for|see|doctor|a|al|en|del|con|consultorio)|(?:send|sent|go|goes|mail|forward|deliver|release|copy|transfer)[^.]{0,30}\bto(?: the)?|to):?$|\b(?:send to|they go to|recipient|destination|deliver to|enviar a|doctor|provider|facility)\b[^.]{0,20}:?$|\b(?:my|her|his|our|their|su|mi) (?:[a-z]+ ){0,4}[a-z]+,?$`)

func introduced(lead string) bool { return leadIn.MatchString(strings.TrimSpace(lead)) }

// address takes over the address of d and who is there.
func (r *reader) address(d *destination, confidence float64) {
	to := &r.req.Recipient
	var places []string
	from, until := -1, -1
	for _, s := range d.segments {
		t := attnWord.ReplaceAllString(strings.Trim(s.text, "() "), "")
		t = strings.TrimPrefix(strings.TrimSuffix(t, ","), "the ")
		switch {
		case r.isPerson(t):
			if to.Person == "" {
				to.Person = t
				r.field("recipient.person", t, confidence, s.start, s.end)
			}
		case jobTitle.MatchString(t):
		case credential.MatchString(t) && to.Person != "" && len(places) == 0:
			to.Person += ", " + t
			r.revise("recipient.person", to.Person)
		default:
			places = append(places, t)
			if from < 0 {
				from = s.start
			}
			until = s.end
		}
	}
	if len(places) > 0 {
		to.Organization = strings.Join(places, ", ")
		c := confidence
		if !organization.MatchString(to.Organization) {
			c = min(c, 0.85)
		}
		r.field("recipient.organization", to.Organization, c, from, until)
	}
	to.Street, to.City, to.State, to.Zip = d.street, d.city, d.state, d.zip
	r.field("recipient.street", d.street, confidence, d.streetAt, d.streetEnd)
	r.field("recipient.city", d.city, confidence, d.cityAt, d.cityEnd)
	r.field("recipient.state", d.state, confidence, d.stateAt, d.stateEnd)
	r.field("recipient.zip", d.zip, confidence, d.zipAt, d.zipEnd)

	after := r.t.s[d.end:min(len(r.t.s), d.end+90)]
	if m := attention.FindStringSubmatchIndex(after); m != nil {
		v := attnWord.ReplaceAllString(oneLine(strings.Trim(after[m[2]:m[3]], "() ")), "")
		switch {
		case r.isPerson(v) && to.Person == "":
			to.Person = v
			r.field("recipient.person", v, 0.9, d.end+m[2], d.end+m[3])
		case !r.isPerson(v) && to.Organization != "" && isTitleLike(v):
			to.Organization += ", " + v
			r.revise("recipient.organization", to.Organization)
		}
	}
}

var jobTitle = regexp.MustCompile(`(?i)^(?:attorneys?\b.*|counsel\w*.*|esq\.?|partner|president|director|manager)$`)

var credential = regexp.MustCompile(`^(?:M\.?D|D\.?O|D\.?P\.?M|N\.?P|P\.?A|Ph\.?D|R\.?N|FRCS|F\.?A\.?C\.?S|Esq)\.?$`)

// isPerson reports whether s names a person rather than a place.
func (r *reader) isPerson(s string) bool {
	if titled.MatchString(s) && titled.FindStringIndex(s)[0] == 0 {
		return true
	}
	if organization.MatchString(s) || !isName(s) {
		return false
	}
	n := len(strings.Fields(s))
	return n >= 2 && n <= 4 && s != strings.ToUpper(s) && (r.isSigner(s) || commonGiven(s))
}

// commonGiven is a short list of what betrays a person without a title: an initial in the middle.
func commonGiven(s string) bool { return regexp.MustCompile(`^\p{Lu}\p{Ll}+ \p{Lu}\.`).MatchString(s) }

// isSigner reports whether s is a name that stands where one signs.
func (r *reader) isSigner(s string) bool {
	return r.typed.name != "" && sameName(s, r.typed.name) || r.author.name != "" && sameName(s, r.author.name)
}

// person finds a doctor who is named apart from the address.
func (r *reader) person() {
	to := &r.req.Recipient
	if to.Person != "" {
		return
	}
	for _, re := range []*regexp.Regexp{doctor, credentialed} {
		for _, m := range re.FindAllStringIndex(r.t.s, -1) {
			if i := strings.IndexByte(r.t.s[m[0]:m[1]], '\n'); i > 0 && len(strings.Fields(r.t.s[m[0]:m[0]+i])) >= 3 {
				m[1] = m[0] + i // The next line is of something else.
			}
			v := oneLine(r.t.s[m[0]:m[1]])
			v = strings.TrimSuffix(strings.TrimSuffix(v, "."), "’s")
			if r.isLibrary(v) || r.req.Patient.Family != "" && sameName(v, r.req.Patient.Name()) {
				continue
			}
			v, at := r.fuller(v, re, m)
			to.Person = v
			r.field("recipient.person", v, 0.75, at[0], at[1])
			return
		}
	}
	if m := terse.FindStringSubmatchIndex(r.t.s); m != nil {
		to.Person = oneLine(r.t.s[m[0]:m[3]])
		r.field("recipient.person", to.Person, 0.5, m[0], m[3])
		if m[4] >= 0 && to.Organization == "" && to.Street == "" {
			to.Organization = oneLine(r.t.s[m[4]:m[5]])
			r.field("recipient.organization", to.Organization, 0.5, m[4], m[5])
		}
	}
	// A lawyer or clinic that asks for itself names the one who signs.
	if to.Person == "" && !r.author.staff && toUs.MatchString(r.flat) && r.author.name != "" && !sameName(r.author.name, r.req.Patient.Name()) {
		to.Person = r.author.name
		r.field("recipient.person", to.Person, 0.7, r.author.start, r.author.end)
	}
}

// placeWithoutAddress finds an organization that is named without a street.
func (r *reader) placeWithoutAddress() {
	for _, m := range placeOnly.FindAllStringSubmatchIndex(r.t.s, -1) {
		v := strings.TrimRight(oneLine(r.t.s[m[2]:m[3]]), ".,")
		if r.isLibrary(v) || !organization.MatchString(v) || titled.MatchString(v) {
			continue
		}
		r.req.Recipient.Organization = v
		r.field("recipient.organization", v, 0.75, m[2], m[3])
		if m[4] >= 0 {
			r.req.Recipient.City = strings.TrimRight(oneLine(r.t.s[m[4]:m[5]]), ".")
			r.field("recipient.city", r.req.Recipient.City, 0.75, m[4], m[5])
		}
		return
	}
}

// self reports whether the images shall go to whoever asks.
func (r *reader) self(best *destination, score float64) bool {
	if best != nil && strings.HasSuffix(best.lead, "to me at") {
		r.field("recipient.self", "true", 0.9, best.start, best.end)
		return true
	}
	if best != nil && score >= 0.8 {
		return false
	}
	if m := selfPhrase.FindStringIndex(r.flat); m != nil {
		r.field("recipient.self", "true", 0.85, m[0], m[1])
		return true
	}
	if m := ownUse.FindStringIndex(r.flat); m != nil && best == nil {
		r.field("recipient.self", "true", 0.7, m[0], m[1])
		return true
	}
	return false
}

// reachAt gives each telephone number and mail address to the recipient or the patient.
func (r *reader) reachAt(best *destination, self bool) {
	to, p := &r.req.Recipient, &r.req.Patient
	nearOne := func(d *destination, at int) bool {
		from, until := d.start, d.end
		if len(d.segments) > 0 {
			from = d.segments[0].start
		}
		if at >= from && at < until {
			return true
		}
		gap := ""
		if at >= until {
			gap = r.t.s[until:at]
		}
		return at >= until && len(gap) < 170 && !own.MatchString(gap) && (!strings.Contains(gap, "\n\n") || len(gap) < 60)
	}
	near := func(at int) bool {
		for i := range r.all {
			// A letterhead and the words of the letter may both give the address.
			if best != nil && !self && fold(r.all[i].street) == fold(best.street) && nearOne(&r.all[i], at) {
				return true
			}
		}
		return false
	}
	office := best != nil && toUs.MatchString(r.flat) && (best.top || r.typed.staff)
	for _, n := range phones(r.t.s) {
		switch {
		case near(n.start) && n.fax, office && n.fax && !r.nearLibrary(n.start):
			if to.Fax == "" {
				to.Fax = n.number
				r.field("recipient.fax", n.number, 0.93, n.start, n.end)
			}
		case near(n.start), office && !n.fax:
			if to.Phone == "" {
				to.Phone = n.number
				r.field("recipient.phone", n.number, 0.9, n.start, n.end)
			}
		case !n.fax && p.Phone == "" && r.byPatient() && !office && !r.nearLibrary(n.start):
			p.Phone = n.number
			r.field("patient.phone", n.number, 0.85, n.start, n.end)
		}
	}
	for _, m := range mailAddress.FindAllStringIndex(r.t.s, -1) {
		v := strings.TrimRight(r.t.s[m[0]:m[1]], ".")
		switch {
		case r.isLibrary(v):
		case near(m[0]):
			if to.Email == "" {
				to.Email = v
				r.field("recipient.email", v, 0.9, m[0], m[1])
			}
		case p.Email == "" && r.byPatient() && !office:
			p.Email = v
			r.field("patient.email", v, 0.85, m[0], m[1])
		}
	}
	r.senderAddress(office)
}

// quotedAddress takes the patient's address from above an older message of hers.
func (r *reader) quotedAddress() {
	for _, a := range r.authors {
		m := mailAddress.FindString(a)
		before, _, _ := strings.Cut(a, m)
		if i := strings.LastIndexAny(before, ":,"); i >= 0 {
			before = before[i+1:]
		}
		if m != "" && r.req.Patient.Email == "" && r.req.Patient.Family != "" && sameName(strings.Trim(before, " <*\""), r.req.Patient.Name()) {
			r.req.Patient.Email = m
			r.field("patient.email", m, 0.75, -1, -1)
		}
	}
}

var own = regexp.MustCompile(`(?i)\b(?:me|my|mine|i|mi)\b`)

// nearLibrary reports whether the words just before at name the library.
func (r *reader) nearLibrary(at int) bool {
	from := max(0, at-60)
	if i := strings.LastIndex(r.t.s[from:at], "\n\n"); i >= 0 {
		from += i
	}
	return r.isLibrary(r.t.s[from:at])
}

// senderAddress takes the address that the message came from for the patient's, where the patient seems to send it.
func (r *reader) senderAddress(office bool) {
	r.quotedAddress()
	if r.opts.Sender == "" || !r.byPatient() || office || r.forwarded || r.isLibrary(r.opts.Sender) {
		return
	}
	local := strings.ToLower(r.opts.Sender[:max(0, strings.IndexByte(r.opts.Sender, '@'))])
	confidence := 0.75
	for _, w := range append(nameWords(r.req.Patient.Family), nameWords(r.req.Patient.Given)...) {
		if len(w) >= 4 && strings.Contains(local, w[:4]) {
			confidence = 0.9
		}
	}
	if r.opts.SenderName != "" && r.req.Patient.Family != "" && sameName(r.opts.SenderName, r.req.Patient.Name()) {
		confidence = 0.9
	}
	if confidence < 0.8 && !r.plainText() {
		return // Whoever passes on a letter is not its writer.
	}
	r.req.Patient.Email = r.opts.Sender
	r.drop("patient.email")
	r.field("patient.email", r.opts.Sender, confidence, -1, -1)
}

// patientAddress finds the patient's own address: labelled, at the head of the letter or below the name at its end.
func (r *reader) patientAddress(all []destination, best *destination, self bool) {
	for i := range all {
		d := &all[i]
		if best != nil && d.start == best.start {
			if self && r.byPatient() {
				r.setPatientAddress(d, 0.9)
			}
			continue
		}
		labelled := strings.HasSuffix(d.lead, "address:") || strings.HasSuffix(d.lead, "address is")
		if labelled {
			r.setPatientAddress(d, 0.93)
			return
		}
		if !r.byPatient() || toUs.MatchString(r.flat) || r.recipientScore(d) > 0 || !d.top {
			continue
		}
		mine := len(d.segments) == 0 && d.opening
		for _, s := range d.segments {
			if r.isLibrary(s.text) {
				mine = false
				break
			}
			if r.req.Patient.Family != "" && sameName(s.text, r.req.Patient.Name()) || r.isSigner(s.text) {
				mine = true
			}
		}
		if mine {
			r.setPatientAddress(d, 0.88)
		}
	}
}

func (r *reader) setPatientAddress(d *destination, confidence float64) {
	if r.req.Patient.Address == "" {
		r.req.Patient.Address = d.written()
		r.field("patient.address", d.written(), confidence, d.start, d.end)
	}
}
