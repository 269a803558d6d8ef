package reading

import (
	"regexp"
	"strings"

	"fileroom/internal/library"
)

// A segment is a part of a written address before its street: a person, an
// organization or a department, parted from the next by a comma or a new line.
type segment struct {
	start, end int
	text       string
}

// A destination is an address with who is there and how it is introduced.
type destination struct {
	address
	segments []segment // In reading order.
	lead     string    // The words before the first segment, folded.
	top      bool      // Nothing stands before the first segment in its paragraph.
	opening  bool      // It is of the first paragraph.
}

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

// destinations returns the addresses of the text with who is there.
func (r *reader) destinations() []destination {
	var out []destination
	for _, a := range addresses(r.t.s) {
		d := destination{address: a}
		r.walkBack(&d)
		out = append(out, d)
	}
	return out
}

// walkBack collects the segments before the street of d, the nearest first, as
// long as they look like names of people or places.
func (r *reader) walkBack(d *destination) {
	s := r.t.s
	paragraph := strings.LastIndex(s[:d.start], "\n\n") + 2
	if paragraph == 1 {
		paragraph = 0
	}
	d.opening = paragraph == 0
	at := d.start
	for len(d.segments) < 5 {
		for at > paragraph && strings.IndexByte(" \n\t,·•|;(", s[at-1]) >= 0 {
			at--
		}
		if at <= paragraph {
			d.top = true
			break
		}
		if s[at-1] == ':' || s[at-1] == '.' && !abbreviation(s[paragraph:at-1]) && len(d.segments) == 0 {
			break // A label, or the end of a sentence.
		}
		from := paragraph
		for _, m := range segmentBreak.FindAllStringIndex(s[paragraph:at], -1) {
			if b := s[paragraph+m[0]]; (b == '.' || b == '!' || b == '?') && abbreviation(s[:paragraph+m[0]]) || paragraph+m[1] >= at {
				continue
			}
			from = paragraph + m[1]
		}
		if wrapped(s[paragraph:from], s[from:at]) { // The segment began on the line above.
			if i := strings.LastIndexAny(strings.TrimRight(s[paragraph:from], "\n"), ",;:\n\t·"); i >= 0 {
				from = paragraph + i + 1
			} else {
				from = paragraph
			}
		}
		body := s[from:at]
		lead := len(body) - len(strings.TrimLeft(body, " \n\t"))
		from, body = from+lead, body[lead:]
		if m := attnWord.FindString(body); m != "" && isTitleLike(body[len(m):]) {
			from, body = from+len(m), body[len(m):]
		}
		if body == "" {
			break
		}
		if isTitleLike(body) {
			d.segments = append([]segment{{from, at, oneLine(body)}}, d.segments...)
			at = from
			continue
		}
		if m := capitalRun.FindStringIndex(body); m != nil && !isMonthOrDay(body[m[0]:]) {
			d.segments = append([]segment{{from + m[0], at, oneLine(body[m[0]:])}}, d.segments...)
			at = from + m[0]
		}
		break
	}
	d.lead = strings.ToLower(oneLine(s[max(paragraph, at-60):at]))
}

// wrapped reports whether after continues the line that before ends with: prose
// is wrapped in the middle of a name, lines of an address are not.
func wrapped(before, after string) bool {
	if !strings.HasSuffix(before, "\n") {
		return false
	}
	lines := strings.Split(strings.TrimSuffix(before, "\n"), "\n")
	above := lines[len(lines)-1]
	return len(above) > 50 && !strings.HasSuffix(above, ",") && !isTitleLike(above)
}

// isTitleLike reports whether s is capitalised words with small words between, as names of places are.
func isTitleLike(s string) bool {
	words := strings.Fields(s)
	capitals := 0
	for i, w := range words {
		switch w {
		case "of", "the", "for", "and", "&", "de", "del", "la", "el", "los", "las", "y", "at", "/", "-":
			if i == 0 && w != "the" {
				return false
			}
			continue
		}
		c := strings.TrimLeft(w, "(\"“'’#")
		if c == "" || !upper(c) && (c[0] < '0' || c[0] > '9') && !strings.ContainsFunc(c[1:], func(x rune) bool { return x >= 'A' && x <= 'Z' }) {
			return false
		}
		capitals++
	}
	return capitals > 0 && len(words) <= 10
}

var monthOrDay = regexp.MustCompile(`(?i)^(?:` + monthNames + `|monday|tuesday|wednesday|thursday|friday|saturday|sunday|electronic\w*|please|thanks?)\b`)

func isMonthOrDay(s string) bool { return monthOrDay.MatchString(s) }

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
