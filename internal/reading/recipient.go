package reading

import (
	"regexp"
	"strings"

	"fileroom/internal/library"
)

var (
	capitalRun   = regexp.MustCompile(`(?:\p{Lu}[\p{L}\d&/.'’-]*|[A-Za-z]?[a-z]*\p{Lu}[\p{L}]*)(?:[ \n](?:(?:of|the|for|and|&|de|del|la|el|los|las|y|at)[ \n]){0,3}(?:\p{Lu}[\p{L}\d&/.'’-]*|&|\d+))*\.?\)?$`)
	segmentBreak = regexp.MustCompile(`[,;:·•|\t]|\n|[.!?]\s`)
	organization = regexp.MustCompile(`(?i)\b(?:clinic|cl[ií]nica|hospital|cent(?:er|re|ro)|institut[eo]|associates|group|medical|medicine|health|healthcare|neuro\w*|spine|ortho\w*|ortopedia|imaging|radiology|university|universidad|law|office|pllc|llc|llp|inc|department|departamento|dept|practice|partners|specialists|physicians|surg\w*|therapy|rehab\w*|recovery|consultancy|panel|services?|foundation|bureau|division|unit|oncology|cardio\w*|pulmonary|digestive|urology|dermatology|pediatrics?|children['’]?s|women['’]?s|school|college|church|insurance|company|agency|care|hospice|ent|obgyn|ob/gyn|family|joint|bone|heart|vascular|cancer|eye|vision|dental|pain|sports|wellness|solutions|team|library|archive|reading room|file room)\b|&|P\.A\.`)
	titled       = regexp.MustCompile(`\b(?:Dr|Dra|Drs|Prof|Professor|Doctor|DR|Mr|Ms|Mrs)\.?[ \n]+(` + nameWord + `(?:[ \n](?:` + nameParticle + `[ \n])?` + nameWord + `){0,3})`)
	doctor       = regexp.MustCompile(`\b(?:Dr|Dra|Prof|DR)\.?[ \n]+(?:` + nameWord + `)(?:[ \n](?:` + nameParticle + `[ \n])?` + nameWord + `){0,3}`)
	credentialed = regexp.MustCompile(`(` + fullName + `), (?:M\.?D|D\.?O|D\.?P\.?M|N\.?P|P\.?A|Ph\.?D|RN|FRCS)\b\.?`)
	attention    = regexp.MustCompile(`(?i)^[\s,.;(-]*(?:attn|attention|care of|c/o|atención)?[.: ]*\(?((?:dr|dra|prof)\.? [^,.;)\n]{2,40}|(?:attn|attention)[.: ]+[^,.;)\n]{3,50})`)
	attnWord     = regexp.MustCompile(`(?i)^(?:attn|attention|atención|atn|care of|c/o|doctor|name|to|send to|for)[.:]?\s+`)
	selfPhrase   = regexp.MustCompile(`(?i)\b(?:(?:mail(?:ed)?|sent?|send|give[n]?|bring|copy|copies|provided?|released?|ship(?:ped)?)\b[^.\n]{0,60}?\bto (?:me\b|myself|my (?:home|house|own)|the address (?:above|at the top|below))|\bsend me\b|\bmail me\b|\bgive me\b|\bmyself\b|mailed to me|i will pick (?:them|it) up|envi(?:ar|en)me|mandarme|a m[íi] misma?o?\b)`)
	ownUse       = regexp.MustCompile(`(?i)\bfor (?:my|our) (?:own )?(?:personal )?(?:records?|files?|use)\b`)
	toUs         = regexp.MustCompile(`(?i)\b(?:we are|our (?:pacs|office|clinic|practice|facility|system)|to us\b|this office|undersigned|to our\b|above address|address above)`)
	placeOnly    = regexp.MustCompile(`\b(?:at|to|with)[ \n]+(?:the[ \n]+)?((?:\p{Lu}[\p{L}\d&/.'’-]*)(?:[ \n](?:(?:of|the|for|and|&|de|del)[ \n])?(?:\p{Lu}[\p{L}\d&/.'’-]*|&))*)(?:[ \n]in[ \n](` + cityRe + `))?`)
	terse        = regexp.MustCompile(`(?i)\bdr\.?\s+([a-z]{2,20})(?:\s+at\s+([a-z][a-z ]{3,40}?)(?:\s+(?:asap|please|pls|thanks|today)|\s*[.,\n]|$))?`)
)

// recipient reads who shall receive the images.
func (r *reader) recipient() {
	var best *destination
	score := 0.0
	all := r.destinations()
	for i := range all {
		d := &all[i]
		if c := r.recipientScore(d); c > score {
			best, score = d, c
		}
	}
	self := r.self(best, score)
	switch {
	case best != nil && (!self || strings.HasSuffix(best.lead, "to me at")):
		r.address(best, score)
	case self && r.representative():
		// The patient's address is not the signer's, so the signer's is what matters.
		for i := range all {
			for _, s := range all[i].segments {
				if r.isSigner(s.text) && r.req.Recipient.Street == "" {
					all[i].segments = nil
					r.address(&all[i], 0.8)
					break
				}
			}
		}
	case !self:
		r.placeWithoutAddress()
	}
	if self {
		r.req.Recipient.Self = true
	} else {
		r.person()
	}
	r.best, r.all = best, all
}

// missingRecipient is what of the recipient is not there.
func missingRecipient(to library.Recipient) []string {
	if to.Self {
		return nil
	}
	var out []string
	if to.Person == "" && to.Organization == "" {
		out = append(out, "recipient-name")
	}
	if to.Street == "" {
		out = append(out, "recipient-address")
	}
	return out
}

// fuller returns the longest way in which the doctor v is named.
func (r *reader) fuller(v string, re *regexp.Regexp, at []int) (string, []int) {
	family := v[strings.LastIndexByte(v, ' ')+1:]
	for _, m := range re.FindAllStringIndex(r.t.s, -1) {
		if w := oneLine(r.t.s[m[0]:m[1]]); len(w) > len(v) && strings.HasSuffix(w, " "+family) {
			v, at = w, m
		}
	}
	return v, at
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
	return n >= 2 && n <= 4 && s != strings.ToUpper(s) && (r.isSigner(s) || middleInitial.MatchString(s))
}

// middleInitial betrays a person without a title.
var middleInitial = regexp.MustCompile(`^\p{Lu}\p{Ll}+ \p{Lu}\.`)

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
