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

// reachAt gives each telephone number and mail address to the recipient or the patient.
func (r *reader) reachAt(best *destination, self bool) {
	to, p := &r.req.Recipient, &r.req.Patient
	theirs := func(at int) bool { return best != nil && !self && r.besideAddress(best, at) }
	office := best != nil && toUs.MatchString(r.flat) && (best.top || r.typed.staff)
	for _, n := range phones(r.t.s) {
		near := theirs(n.start)
		confidence := 0.92
		if !near {
			confidence = 0.8 // Somewhere on the paper of an office that asks for itself.
		}
		switch {
		case n.fax && (near || office && !r.nearLibrary(n.start)):
			r.once(&to.Fax, "recipient.fax", n.number, confidence, n.start, n.end)
		case near, office && !n.fax:
			r.once(&to.Phone, "recipient.phone", n.number, min(confidence, 0.9), n.start, n.end)
		case !n.fax && r.byPatient() && !office && !r.nearLibrary(n.start):
			r.once(&p.Phone, "patient.phone", n.number, 0.85, n.start, n.end)
		}
	}
	for _, m := range mailAddress.FindAllStringIndex(r.t.s, most) {
		v := strings.TrimRight(r.t.s[m[0]:m[1]], ".")
		switch {
		case r.isLibrary(v):
		case theirs(m[0]):
			r.once(&to.Email, "recipient.email", v, 0.9, m[0], m[1])
		case r.byPatient() && !office:
			r.once(&p.Email, "patient.email", v, 0.85, m[0], m[1])
		}
	}
	r.quotedAddress()
	r.senderAddress(office)
}

// once sets a value that is not set yet.
func (r *reader) once(to *string, name, value string, confidence float64, start, end int) {
	if *to == "" {
		*to = value
		r.field(name, value, confidence, start, end)
	}
}

// besideAddress reports whether what stands at belongs to the address of best:
// between it and its name, or soon behind it. A letterhead and the words of the letter may both give the address.
func (r *reader) besideAddress(best *destination, at int) bool {
	for _, d := range r.all {
		if fold(d.street) != fold(best.street) {
			continue
		}
		from := d.start
		if len(d.segments) > 0 {
			from = d.segments[0].start
		}
		if at >= from && at < d.end {
			return true
		}
		if at < d.end || at-d.end >= 170 {
			continue
		}
		gap := r.t.s[d.end:at]
		if !own.MatchString(gap) && (len(gap) < 60 || !strings.Contains(gap, "\n\n")) {
			return true
		}
	}
	return false
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
