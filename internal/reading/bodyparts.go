package reading

import (
	"regexp"
	"strings"
)

// bodyPart finds which part of the body an examination is of, in the words of
// the request: just before its name, or after it.
func (r *reader) bodyPart(m mention, from, to int) (string, [2]int) {
	s := r.t.s
	if r.spanish {
		if i := partSpanish.FindStringSubmatchIndex(s[m.end:to]); i != nil {
			return strings.ToLower(oneLine(s[m.end+i[0] : m.end+i[1]])), [2]int{m.end + i[0], m.end + i[1]}
		}
	}
	after := s[m.end:to]
	if i := strings.Index(after, "\n\n"); i >= 0 {
		after = after[:i]
	}
	next := partAfter.FindStringSubmatchIndex(after)
	if i := partBefore.FindStringSubmatchIndex(s[from:m.start]); i != nil {
		g := groups(s[from:m.start], i)
		at := [2]int{from + i[2*2], from + i[2*2+1]}
		if i[2] >= 0 {
			at[0] = from + i[2]
		}
		if g[1] == "" && next != nil {
			// "hip xray, both hips"; "knee MRI (right knee)".
			h := groups(after, next)
			if h[1] != "" && stem(h[2]) == stem(g[2]) {
				return partName(h[1], h[2]), [2]int{m.end + next[0], m.end + next[1]}
			}
		}
		if o := rightOne.FindStringSubmatch(after); o != nil && g[1] == "" {
			g[1] = o[1]
		}
		return partName(g[1], g[2]), at
	}
	if next != nil && !tooFar(after[:next[0]]) {
		h := groups(after, next)
		if h[1] == "" { // "His leg veins (left leg)".
			for _, again := range partAfter.FindAllStringSubmatchIndex(after, -1) {
				if k := groups(after, again); k[1] != "" && stem(k[2]) == stem(h[2]) {
					h, next = k, again
					break
				}
			}
		}
		return partName(h[1], h[2]), [2]int{m.end + next[0], m.end + next[1]}
	}
	return m.part, [2]int{m.start, m.end}
}

// tooFar reports whether a body part so far behind belongs to something else.
func tooFar(gap string) bool {
	return len(gap) > 60 || strings.Contains(gap, "sent to") || strings.Contains(gap, " to Dr")
}

func stem(s string) string { return strings.TrimSuffix(strings.ToLower(s), "s") }

// partName writes a body part as the corpus does: lower case, abbreviations in full, nouns for adjectives.
func partName(side, part string) string {
	part = strings.ReplaceAll(strings.ToLower(oneLine(part)), " & ", " and ")
	part = strings.ReplaceAll(part, "abdomen/pelvis", "abdomen and pelvis")
	for short, long := range map[string]string{
		"c-spine": "cervical spine", "t-spine": "thoracic spine", "l-spine": "lumbar spine", "c spine": "cervical spine", "t spine": "thoracic spine", "l spine": "lumbar spine",
		"cardiac": "heart", "coronary": "heart", "abdominal": "abdomen", "pelvic": "pelvis", "renal": "kidneys", "testicular": "testicles", "scrotal": "scrotum",
	} {
		if part == short {
			part = long
		}
	}
	switch side = strings.ToLower(side); side {
	case "lt":
		side = "left"
	case "rt":
		side = "right"
	}
	return strings.TrimSpace(side + " " + part)
}

// sideElsewhere adds the side to a part, where the text names one side of it
// only: "my elbow MRI ... It's the right elbow."
func (r *reader) sideElsewhere(part string) string {
	if part == "" || strings.Contains(part, " ") || r.spanish {
		return part
	}
	found := ""
	for _, m := range partAfter.FindAllStringSubmatch(r.flat, -1) {
		if m[1] == "" || stem(m[2]) != stem(part) {
			continue
		}
		if name := partName(m[1], m[2]); found == "" || found == name {
			found = name
		} else {
			return part // Both sides are spoken of.
		}
	}
	if found == "" {
		return part
	}
	return found
}

// secondPart returns d for the other part of "x-rays of the right hip and pelvis".
func (r *reader) secondPart(d draft, scope int) (draft, bool) {
	if d.part == "" || d.partAt[0] < d.end || d.partAt[1] > scope {
		return d, false
	}
	behind := r.t.s[d.partAt[1]:scope]
	m := andPart.FindStringSubmatchIndex(behind)
	if m == nil || examBehind(behind[m[1]:]) {
		return d, false
	}
	g := groups(behind, m)
	d.part, d.partAt = partName(g[1], g[2]), [2]int{d.partAt[1] + m[4], d.partAt[1] + m[5]}
	d.confidence = min(d.confidence, 0.88)
	return d, true
}

var andPart = regexp.MustCompile(`^(?i)[ \n]+(?:and|&)[ \n]+(?:the[ \n]+)?(?:(` + side + `)[ \n]+)?(` + parts + `)\b`)

// examBehind reports whether s begins with the name of an examination, to which the part before it belongs.
func examBehind(s string) bool {
	ms := mentions(s[:min(len(s), 30)])
	return len(ms) > 0 && strings.TrimSpace(s[:ms[0].start]) == ""
}
