package reading

import (
	"regexp"
	"strings"

	"fileroom/internal/library"
)

// A labelAt is a label on a page of a form.
type labelAt struct {
	kind      labelKind
	party     party
	row       int // In the rows of the form.
	from, to  int // Its tokens on that row.
	colon     bool
	box       library.Box
	right     float64 // Up to where its value may stand: the next label or the edge.
	rightTill int     // The token of the row at which its value must end.
}

// A formPage is the rows of one page of a form with its labels and headings.
type formPage struct {
	rows    []formRow
	labels  []labelAt
	heads   []headAt
	taken   map[[2]int]bool // Tokens that are of a label, a heading or print.
	under   int             // Above 0 where labels stand under their values, below 0 where over them.
	ink     []library.Ink
	unread  []labelAt      // What was filled in and could not be read.
	picture bool           // It was read from a picture.
	asked   map[int]string // What the boxes of a row answer, as far as it was looked for.
}

// A headAt is a heading on a page.
type headAt struct {
	party  party
	row    int
	x      float64
	column bool // Another heading stands beside it.
	right  float64
}

// newFormPage finds the labels and headings of a page.
func newFormPage(p library.Page) *formPage {
	f := &formPage{rows: formRows(p), taken: map[[2]int]bool{}, ink: p.Ink, asked: map[int]string{}, picture: p.Source == library.SourceOCR}
	for i := range f.rows {
		f.findLabels(i)
		f.findHeadings(i)
	}
	f.letterhead()
	for i := range f.labels {
		l := &f.labels[i]
		switch p := f.partyAt(*l); {
		case l.party == anybody, l.party == theSigner && p == officeOnly:
			l.party = p
		}
	}
	return f
}

// letterhead gives what stands above the first question about the patient to
// the hospital whose form it is.
func (f *formPage) letterhead() {
	first := -1
	for _, l := range f.labels {
		if (l.kind == askName || l.kind == askBirth || l.kind == askFamily) && (first < 0 || l.row < first) {
			first = l.row
		}
	}
	for i := range f.labels {
		if l := &f.labels[i]; l.row < first && l.party == anybody && about(l.kind) {
			l.party = officeOnly
		}
	}
}

// findLabels adds the labels of row i.
func (f *formPage) findLabels(i int) {
	r := f.rows[i]
	for from := 0; from < len(r.tokens) && len(f.labels) < mostLabels; {
		l, ok := r.labelAt(from)
		if !ok {
			from++
			continue
		}
		l.row = i
		for j := l.from; j < l.to; j++ {
			f.taken[[2]int{i, j}] = true
		}
		if n := len(f.labels); n > 0 && f.labels[n-1].row == i {
			f.labels[n-1].right, f.labels[n-1].rightTill = l.box.X, l.from
		}
		l.right, l.rightTill = 1, len(r.tokens)
		f.labels = append(f.labels, l)
		from = l.to
	}
}

// mostLabels is the most labels of a page that are looked at.
const mostLabels = 300

// labelAt finds the longest label that begins at token i of r. Without a colon
// behind it a label must stand alone, or words in a sentence would be labels.
func (r formRow) labelAt(i int) (labelAt, bool) {
	begins := r.starts(i)
	if r.tokens[i].glyph != noGlyph || !begins && !upper(r.text[r.at[i]:]) && !strings.HasSuffix(r.tokens[i].text, ":") {
		return labelAt{}, false
	}
	rest := r.phrase(i)
	var best labelAt
	for _, form := range labelForms {
		m := form.re.FindStringIndex(rest)
		if m == nil {
			continue
		}
		end := r.at[i] + len(strings.TrimRight(rest[:m[1]], " "))
		to := r.index(end-1) + 1
		if to <= i || to <= best.to || !r.endsAt(to, end) {
			continue
		}
		matched := r.text[r.at[i]:end]
		colon := strings.ContainsAny(inBrackets.ReplaceAllString(matched, ""), ":;#") || strings.HasSuffix(matched, ":")
		if !colon && !r.alone(i, to) {
			continue
		}
		if !begins && form.kind == askAttention {
			continue
		}
		box, _ := around(r.tokens[i:to])
		best = labelAt{kind: form.kind, party: form.party, from: i, to: to, colon: colon, box: *box}
	}
	if best.to > 0 {
		return best, true
	}
	// "Something else: ..." is a label too, whatever it asks for.
	if j := r.run(i); begins && j-i <= 7 {
		for k := i; k < j; k++ {
			if strings.HasSuffix(r.tokens[k].text, ":") && upper(r.text[r.at[i]:]) {
				box, _ := around(r.tokens[i : k+1])
				return labelAt{kind: askNothing, from: i, to: k + 1, colon: true, box: *box}, true
			}
		}
	}
	return labelAt{}, false
}

// phrase returns the text from token i on, up to a gap that no phrase has in it, a box or a mark.
func (r formRow) phrase(i int) string {
	j := i + 1
	for j < len(r.tokens) && r.tokens[j].glyph == noGlyph && r.tokens[j].dx < 0.03 {
		j++
	}
	return r.text[r.at[i]:r.end(j-1)]
}

// endsAt reports whether place end of the text is the end of the token before to.
func (r formRow) endsAt(to, end int) bool {
	last := r.end(to - 1)
	return end >= last || strings.Trim(r.text[end:last], " .,:;*#_-–") == ""
}

// alone reports whether the tokens from i to j stand apart from what is beside
// them, or what follows can only be filled in.
func (r formRow) alone(i, j int) bool {
	if !r.starts(i) {
		return false
	}
	if j == len(r.tokens) || r.starts(j) {
		return true
	}
	// A date, a number or an address with @ behind a label without a colon.
	next := r.tokens[j].text
	return strings.ContainsAny(next, "0123456789@") || filledIn.MatchString(r.text[r.at[i]:r.at[j]]) && upper(next)
}

// filledIn are labels that forms print without a colon before a rule.
var filledIn = regexp.MustCompile(`(?i)(?:name|address|telephone|individual|zip|email|release reason|time period) $`)

// findHeadings adds the headings of row i: of its whole text, or of a run of it.
func (f *formPage) findHeadings(i int) {
	r := f.rows[i]
	first := len(f.heads)
	for from := 0; from < len(r.tokens); {
		to := r.run(from)
		s := r.text[r.at[from]:r.end(to-1)]
		if to-from <= 24 && r.starts(from) {
			for _, h := range headings {
				m := h.re.FindStringIndex(s)
				if m != nil && (to-from <= 12 && !proseLike(inBrackets.ReplaceAllString(s, "")) || strings.Contains(s[m[1]-1:], ":")) {
					f.heads = append(f.heads, headAt{party: h.party, row: i, x: r.tokens[from].box.X, right: 1})
					f.entitled(i, r.at[from]+m[1], from, to, h.party)
					break
				}
			}
		}
		from = to
	}
	for j := first; j < len(f.heads); j++ {
		f.heads[j].column = len(f.heads)-first > 1
		if j > first {
			f.heads[j-1].right = f.heads[j].x
		}
	}
}

// entitled takes a heading with its value behind a colon for a label of a
// name: "to release information to: ...". The rest of a heading is print.
func (f *formPage) entitled(i, end, from, to int, p party) {
	r := f.rows[i]
	for k := from; k < to; k++ {
		if r.end(k) >= end-1 && k+1 < to && strings.HasSuffix(r.tokens[k].text, ":") && p == theRecipient && !f.taken[[2]int{i, k}] {
			box, _ := around(r.tokens[from : k+1])
			for j := from; j <= k; j++ {
				f.taken[[2]int{i, j}] = true
			}
			f.labels = append(f.labels, labelAt{kind: askName, party: p, row: i, from: from, to: k + 1, colon: true, box: *box, right: 1, rightTill: len(r.tokens)})
			return
		}
	}
	for j := from; j < to; j++ {
		f.taken[[2]int{i, j}] = true
		if strings.HasSuffix(r.tokens[j].text, ":") {
			return // What follows is filled in.
		}
	}
}

// partyAt tells whom a label is about: by the last heading above it in its
// column, or by a label there that says whose name or signature it asks for.
func (f *formPage) partyAt(l labelAt) party {
	best, bestRow, bestX := anybody, -1, -1.0
	consider := func(p party, row int, x, right float64) {
		if row > l.row || l.box.X < x-0.04 || l.box.X >= right {
			return
		}
		if row > bestRow || row == bestRow && x > bestX {
			best, bestRow, bestX = p, row, x
		}
	}
	for _, h := range f.heads {
		switch {
		case h.party == theRecords, h.party == theConditions:
			if !about(l.kind) {
				consider(h.party, h.row, -1, 1)
			}
		case !h.column && h.x < 0.45:
			consider(h.party, h.row, -1, 1)
		default:
			consider(h.party, h.row, h.x, h.right)
		}
	}
	for _, o := range f.labels {
		if o.row > l.row || o.row == l.row && o.from >= l.from {
			continue
		}
		switch {
		case o.kind == askSignature:
			consider(theSigner, o.row, -1, 1)
		case o.kind == askName && o.party != anybody:
			consider(o.party, o.row, o.box.X-0.1, f.column(o))
		}
	}
	return best
}

// about reports whether a label of kind asks about a person or a place.
func about(k labelKind) bool {
	switch k {
	case askName, askAddress, askUnit, askCity, askState, askZip, askTown, askPhone, askFax, askEmail, askAttention:
		return true
	default:
		return false
	}
}

// column returns up to where the part below a label of a name reaches: to the
// next name that is asked for on its row.
func (f *formPage) column(o labelAt) float64 {
	for _, n := range f.labels {
		if n.row == o.row && n.box.X > o.box.X && n.kind == askName && n.party != anybody {
			return n.box.X - 0.02
		}
	}
	return 1
}
