package reading

import (
	"regexp"
	"strings"
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
			r.nameplate(d, paragraph)
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

// nameplate takes the name of a place that stands by itself over the address
// of a letterhead, with more room between than in a paragraph.
func (r *reader) nameplate(d *destination, paragraph int) {
	above := strings.TrimRight(r.t.s[:paragraph], "\n")
	from := strings.LastIndexByte(above, '\n') + 1
	if len(d.segments) > 0 || from > 0 && !strings.HasSuffix(above[:from], "\n\n") || from > 200 {
		return
	}
	if s := above[from:]; isTitleLike(s) && organization.MatchString(s) {
		d.segments, d.opening = []segment{{from, len(above), oneLine(s)}}, true
	}
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
