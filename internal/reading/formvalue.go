package reading

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"fileroom/internal/library"
)

// Where a value stands to its label.
type place int

const (
	beside place = iota
	above
	below
)

// A filled is what was filled in for a label.
type filled struct {
	label  labelAt
	place  place
	row    int
	tokens []token
	page   int
	next   int // The token at which a second line begins; 0 for none.
}

func (f filled) text() string {
	if f.next > 0 {
		return strings.TrimRight(joinTokens(f.tokens[:f.next]), ",") + ", " + joinTokens(f.tokens[f.next:])
	}
	return joinTokens(f.tokens)
}

// values returns what is filled in on a page, for each label at most one.
func (f *formPage) values() []filled {
	f.settle()
	var out []filled
	used := map[[2]int]bool{}
	for _, l := range partsFirst(f.labels) {
		found := len(out)
		for _, p := range f.places(l) {
			row, at := f.candidate(l, p)
			if len(at) == 0 || used[[2]int{row, at[0]}] {
				continue
			}
			v := filled{label: l, place: p, row: row, page: f.rows[row].page}
			for _, j := range at {
				v.tokens = append(v.tokens, f.rows[row].tokens[j])
			}
			if !fits(l.kind, v.text()) {
				continue
			}
			for _, j := range at {
				used[[2]int{row, j}] = true
			}
			if p == beside && (l.kind == askAddress || l.kind == askService || l.kind == askSpecify) {
				f.more(&v, used)
			}
			out = append(out, v)
			break
		}
		if len(out) == found && f.written(l) {
			f.unread = append(f.unread, l)
		}
	}
	return out
}

// written reports whether something is filled in for l that could not be read: by hand, or too poor.
func (f *formPage) written(l labelAt) bool {
	for _, p := range f.places(l) {
		if p == below {
			continue
		}
		if row, at := f.candidate(l, p); f.picture && len(at) > 0 && !proseLike(f.string(row, at)) {
			return true
		}
	}
	for _, i := range f.ink {
		b := i.Box
		middle := b.Y + b.H/2
		behind := b.X+b.W/2 > l.box.X+l.box.W && b.X < l.right && middle > l.box.Y-0.7*l.box.H && middle < l.box.Y+1.4*l.box.H
		over := !l.colon && b.X < l.right && b.X+b.W > l.box.X && middle < l.box.Y && middle > l.box.Y-2.2*l.box.H
		if b.W > 0.02 && b.H < 0.06 && (behind || over && f.under >= 0) {
			return true
		}
	}
	return false
}

// partsFirst returns the labels that ask something, those for a part of a name
// before those for a whole one: forms put the parts under the line of the whole.
func partsFirst(labels []labelAt) []labelAt {
	var parts, rest []labelAt
	for _, l := range labels {
		switch l.kind {
		case askNothing:
		case askGiven, askMiddle, askFamily:
			parts = append(parts, l)
		default:
			rest = append(rest, l)
		}
	}
	return append(parts, rest...)
}

// settle counts on which side of labels without a colon the values stand: a
// form prints its labels under the rules to write on, or over them, but not both.
func (f *formPage) settle() {
	f.under = 0
	for _, l := range f.labels {
		if l.colon || !telling(l.kind) {
			continue
		}
		for p, n := range map[place]int{above: 1, below: -1} {
			if row, at := f.candidate(l, p); len(at) > 0 {
				if s := f.string(row, at); fits(l.kind, s) {
					f.under += n
				}
			}
		}
	}
}

// telling reports whether a value of kind can be told by its form alone.
func telling(k labelKind) bool {
	switch k {
	case askBirth, askPhone, askFax, askEmail, askZip, askState, askDate, askCity:
		return true
	default:
		return false
	}
}

// places returns where to look for the value of l, the likeliest first.
func (f *formPage) places(l labelAt) []place {
	switch {
	case l.colon && l.kind != askSignature:
		return []place{beside, below}
	case f.under < 0:
		return []place{beside, below, above}
	}
	return []place{beside, above}
}

func (f *formPage) string(row int, at []int) string {
	var t []token
	for _, j := range at {
		t = append(t, f.rows[row].tokens[j])
	}
	return joinTokens(t)
}

// candidate returns the tokens that stand at place p of label l.
func (f *formPage) candidate(l labelAt, p place) (row int, at []int) {
	switch p {
	case beside:
		return l.row, f.besideLabel(l)
	case above:
		for i := l.row - 1; i >= 0; i-- {
			if gap := l.box.Y - (f.rows[i].y + f.rows[i].h); gap > 1.8*l.box.H || l.row-i > 2 {
				break
			}
			if at := f.within(l, i); len(at) > 0 {
				return i, at
			}
		}
	case below:
		for i := l.row + 1; i < len(f.rows) && i <= l.row+2; i++ {
			if f.rows[i].y-(l.box.Y+l.box.H) > 1.8*l.box.H {
				break
			}
			if at := f.within(l, i); len(at) > 0 {
				return i, at
			}
		}
	}
	return 0, nil
}

// besideLabel returns the tokens right of l on its row, up to the next label, a box or print.
func (f *formPage) besideLabel(l labelAt) []int {
	r := f.rows[l.row]
	var at []int
	for j := l.to; j < l.rightTill; j++ {
		t := r.tokens[j]
		if f.taken[[2]int{l.row, j}] || t.glyph == emptyBox {
			break
		}
		if t.glyph == tick && len(at) == 0 {
			break
		}
		if len(at) > 0 && t.dx > 0.25 {
			break
		}
		if strings.HasPrefix(t.text, "(") && !phoneStart.MatchString(joinTokens(r.tokens[j:min(len(r.tokens), j+3)])) && len(t.text) > 2 && l.kind != askSpecify && l.kind != askName {
			break
		}
		at = append(at, j)
	}
	return at
}

var phoneStart = regexp.MustCompile(`^\(\s?\d`)

// within returns the tokens of row i that stand over or under l: in its own column, and no label or print.
func (f *formPage) within(l labelAt, i int) []int {
	left, right := l.box.X-0.05, 1.0
	if !slices.ContainsFunc(f.labels, func(o labelAt) bool { return o.row == l.row && o.from < l.from }) {
		left = 0 // The first label of its row may stand under the middle of its value.
	}
	for _, o := range f.labels {
		if o.row == l.row && o.box.X > l.box.X {
			right = math.Min(right, o.box.X-0.015)
		}
		if o.row == l.row && o.box.X < l.box.X {
			left = math.Max(left, o.box.X+o.box.W)
		}
	}
	var at []int
	for j, t := range f.rows[i].tokens {
		middle := t.box.X + t.box.W/2
		if middle < left || middle > right {
			continue
		}
		if f.taken[[2]int{i, j}] || t.glyph != noGlyph {
			switch {
			case len(at) > 0:
				return at
			case l.kind == askGiven, l.kind == askMiddle, l.kind == askFamily:
				continue // The label of the whole name.
			}
			return nil
		}
		if len(at) > 0 && t.dx > 0.12 {
			break
		}
		at = append(at, j)
	}
	return at
}

// more adds the next row to a value of several: an address with its town below, a list of studies.
func (f *formPage) more(v *filled, used map[[2]int]bool) {
	for i := v.row + 1; i < len(f.rows) && i <= v.row+2; i++ {
		r := f.rows[i]
		last := f.rows[i-1]
		if r.y-(last.y+last.h) > 2.6*v.label.box.H {
			return
		}
		for _, l := range f.labels {
			if l.row == i && l.box.X < math.Min(v.label.right, v.tokens[0].box.X+0.2) && l.box.X >= v.label.box.X-0.02 {
				return
			}
		}
		l := v.label
		l.row = v.label.row
		at := f.within(l, i)
		if len(at) == 0 || used[[2]int{i, at[0]}] {
			continue
		}
		s := f.string(i, at)
		if v.label.kind == askAddress && !townLine.MatchString(s) || v.label.kind != askAddress && len(mentions(s)) == 0 && !figureDate.MatchString(s) {
			return
		}
		if v.next == 0 {
			v.next = len(v.tokens)
		}
		for _, j := range at {
			used[[2]int{i, j}] = true
			v.tokens = append(v.tokens, r.tokens[j])
		}
	}
}

var (
	townLine  = regexp.MustCompile(`^` + cityRe + `,? +(?:` + states + `),? +\d{5}`)
	townValue = regexp.MustCompile(`^(` + cityRe + `),?(?:\s+(` + states + `))?,?(?:\s+(\d{5}(?:-\d{4})?))?$`)
	justState = regexp.MustCompile(`^(?:` + states + `)$`)
	justZip   = regexp.MustCompile(`^\d{5}(?:-\d{4})?$`)
	number    = regexp.MustCompile(`\d`)
	anyPhone  = regexp.MustCompile(`\(?\s?\d{3}\s?\)?[\s.-]*\d{3}[\s.-]*\d{4}`)
	recordNo  = regexp.MustCompile(`^[A-Za-z]{0,3}[\d-]{3,14}[A-Za-z]?$`)
	personal  = regexp.MustCompile(`^[\p{L}.,'’() -]+$`)
)

// fits reports whether s can be the answer to a label of kind k.
func fits(k labelKind, s string) bool {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 200 {
		return false
	}
	switch k {
	case askBirth, askDate:
		return dayOf(s) != ""
	case askPhone, askOtherPhone, askFax:
		return anyPhone.MatchString(s)
	case askEmail:
		return mailAddress.MatchString(s)
	case askState:
		return justState.MatchString(stateOf(s))
	case askZip:
		return justZip.MatchString(s)
	case askMRN:
		return recordNo.MatchString(strings.ReplaceAll(s, " ", ""))
	case askCity:
		return townValue.MatchString(s) && len(strings.Fields(s)) <= 5
	case askTown:
		return townValue.MatchString(s)
	case askAddress:
		return number.MatchString(s) && strings.ContainsAny(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz") && !mailAddress.MatchString(s)
	case askGiven, askFamily, askMiddle, askPrinted:
		return personal.MatchString(s) && len(strings.Fields(s)) <= 6 && isName(strings.Trim(s, " .,"))
	case askName:
		return upper(s) && len(strings.Fields(s)) <= 14 && !proseLike(s)
	case askSignature:
		return false
	default:
		return true
	}
}

// stateOf mends the letters of a state that are read as others.
func stateOf(s string) string {
	if len(s) == 2 && !justState.MatchString(s) {
		return strings.NewReplacer("l", "I", "1", "I", "0", "O").Replace(s)
	}
	return s
}

var smallWords = regexp.MustCompile(`(?i)\b(?:the|will|be|may|that|this|is|are|understand|please|which|que|esta|para)\b`)

// proseLike reports whether s is a sentence of the form's own.
func proseLike(s string) bool { return len(smallWords.FindAllStringIndex(s, 4)) >= 2 }

// dayOf returns the one day that s names, also with its figures apart: "10 03 1949".
func dayOf(s string) library.Date {
	s = strings.Join(strings.Fields(s), " ")
	if m := apart3.FindStringSubmatch(s); m != nil {
		s = m[1] + "/" + m[2] + "/" + m[3]
	}
	for _, w := range dates(s, "") {
		if w.date != "" {
			return w.date
		}
	}
	return ""
}

var apart3 = regexp.MustCompile(`^(\d{1,2})[ /]+(\d{1,2})[ /]+(\d{4})$`)
