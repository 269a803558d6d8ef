package reading

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"fileroom/internal/layout"
	"fileroom/internal/library"
)

// A token is a word of a form, or the part of one on its side of a colon or a rule.
type token struct {
	text  string
	box   library.Box // Tight around it.
	trust float64     // The most that a value may be believed that rests on it.
	read  float64     // How surely it was read.
	glyph glyph
	dx    float64 // Room to the token before it on its row.
}

// A glyph says whether a token is the picture of a box to tick.
type glyph int

const (
	noGlyph  glyph = iota
	emptyBox       // A box, as fonts draw it.
	tick           // A mark, or a box with a mark in it.
)

// A formRow is the tokens of one row, from left to right, and their text.
type formRow struct {
	tokens []token
	text   string // With single spaces; slips in the words of labels are mended.
	at     []int  // Where each token begins in text.
	page   int
	y, h   float64
}

// formRows returns the rows of a page.
func formRows(p library.Page) []formRow {
	var tokens []token
	for _, l := range p.Lines {
		for _, w := range l.Words {
			if w.Box != nil && !sideways(w) {
				tokens = append(tokens, tokensOf(w, p.Source)...)
			}
		}
	}
	tokens = tokens[:min(len(tokens), maxTokens)]
	boxes := make([]library.Box, len(tokens))
	for i, t := range tokens {
		boxes[i] = t.box
	}
	var rows []formRow
	for _, band := range layout.Bands(boxes) {
		r := formRow{page: p.Number}
		var b strings.Builder
		var all *library.Box
		for n, i := range band {
			t := tokens[i]
			if n > 0 {
				before := r.tokens[n-1].box
				t.dx = t.box.X - (before.X + before.W)
				b.WriteByte(' ')
			}
			if letterMark(t.text) && n > 0 && r.tokens[n-1].glyph == noGlyph && t.dx < wideGap(r.tokens[n-1]) && !strings.HasSuffix(r.tokens[n-1].text, ":") {
				t.glyph = noGlyph // "Rayos X".
			}
			r.at = append(r.at, b.Len())
			b.WriteString(unslip(t.text))
			r.tokens = append(r.tokens, t)
			all = union(all, &t.box)
		}
		r.text, r.y, r.h = b.String(), all.Y, all.H
		rows = append(rows, r)
	}
	return rows
}

// sideways reports whether w runs up or down the margin.
func sideways(w library.Word) bool {
	return utf8.RuneCountInString(w.Text) >= 4 && w.Box.H > 2.2*w.Box.W
}

// maxTokens is the most of one page of a form that is looked at.
const maxTokens = 4000

var (
	blankRule = regexp.MustCompile(`[_\x{FFFD}…]+|\.{4,}|—{2,}|-{4,}`)
	debris    = regexp.MustCompile("^[|}{~=_°'`‘’“”\".,*—–:;]+$")
	// The strokes of a date get read as marks of all kinds.
	mendedDate = regexp.MustCompile(`^(\d{1,2})[/'’:.-](\d{1,2})[/'’:.-](\d{4}):?$`)
	splitWord  = regexp.MustCompile(`[:;]`)
)

// tokensOf takes a word apart where a rule to write on, or a colon, joins what
// is printed with what is filled in.
func tokensOf(w library.Word, source library.Source) []token {
	box := layout.Tight(*w.Box, utf8.RuneCountInString(w.Text))
	trust := span{word: w, source: source}.trust()
	letters := float64(max(1, utf8.RuneCountInString(w.Text)))
	var out []token
	add := func(from, to int) {
		text := strings.TrimSpace(w.Text[from:to])
		if source == library.SourceOCR {
			text = curly.Replace(text)
			text = mendedDate.ReplaceAllString(strings.Trim(text, "|~="), "$1/$2/$3")
		}
		if source == library.SourceOCR && (debris.MatchString(text) || w.Confidence < 0.3 && len(text) == 1 && !digit(text[0])) {
			return // A rule or the edge of a cell.
		}
		if text == "" || !strings.ContainsFunc(text, unicode.IsGraphic) && glyphOf(text) == noGlyph {
			return
		}
		b := box
		b.X += b.W * float64(utf8.RuneCountInString(w.Text[:from])) / letters
		b.W *= float64(utf8.RuneCountInString(w.Text[from:to])) / letters
		out = append(out, token{text: text, box: b, trust: trust, read: w.Confidence, glyph: glyphOf(text)})
	}
	from := 0
	for _, m := range blankRule.FindAllStringIndex(w.Text, -1) {
		addParts(w.Text, from, m[0], add)
		from = m[1]
	}
	addParts(w.Text, from, len(w.Text), add)
	return out
}

// curly are brackets as poor print is read.
var curly = strings.NewReplacer("{", "(", "}", ")")

// addParts parts "Phone:919-555-0142" behind its colon, but not a time.
func addParts(s string, from, to int, add func(from, to int)) {
	for _, m := range splitWord.FindAllStringIndex(s[from:to], -1) {
		at := from + m[1]
		if at >= to || m[0] == 0 || strings.HasPrefix(s[at:], "/") || digit(s[at-2]) && digit(s[at]) {
			continue
		}
		add(from, at)
		from = at
	}
	add(from, to)
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// glyphOf tells the picture of a box by its character. Fonts of symbols give
// private characters for their boxes, or characters of scripts that no form here is in.
func glyphOf(s string) glyph {
	r, n := utf8.DecodeRuneInString(s)
	if n != len(s) {
		return noGlyph
	}
	switch r {
	case '☐', '□', '❑', '❏', '❐', '❒', '▢', '◻', '○', '¨':
		return emptyBox
	case '✔', '✓', '☑', '☒', '✗', '✘', '✕', '✖', '√', '■', '☓':
		return tick
	case 'X', 'x', 'v':
		return tick
	}
	if r >= 0xe000 && r <= 0xf8ff || unicode.Is(unicode.Ethiopic, r) {
		return emptyBox
	}
	return noGlyph
}

// letterMark reports whether s is a letter that may be a mark.
func letterMark(s string) bool { return s == "X" || s == "x" || s == "v" }

// run returns the index behind the last token of the run that begins at i: up to a wide gap, a box or a mark.
func (r formRow) run(i int) int {
	j := i + 1
	for j < len(r.tokens) && r.tokens[j].glyph == noGlyph && r.tokens[j].dx < wideGap(r.tokens[j-1]) {
		j++
	}
	return j
}

// wideGap is more room than between the words of a phrase.
func wideGap(t token) float64 {
	letter := t.box.W / float64(max(1, utf8.RuneCountInString(t.text)))
	return math.Max(0.012, 2*letter)
}

// starts reports whether a phrase may begin at token i: first on the row,
// behind a wide gap, a box or a mark.
func (r formRow) starts(i int) bool {
	return i == 0 || r.tokens[i-1].glyph != noGlyph || r.tokens[i].dx >= wideGap(r.tokens[i-1])
}

// index returns the token that holds place at of the row's text.
func (r formRow) index(at int) int {
	for i, start := range slices.Backward(r.at) {
		if start <= at {
			return i
		}
	}
	return 0
}

// joinTokens joins tokens with single spaces.
func joinTokens(tokens []token) string {
	var b strings.Builder
	for i, t := range tokens {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.text)
	}
	return b.String()
}

// around returns the box of tokens and how far they can be believed together.
func around(tokens []token) (box *library.Box, trust float64) {
	trust = 1
	for _, t := range tokens {
		box, trust = union(box, &t.box), math.Min(trust, t.trust)
	}
	return box, trust
}

// labelWords are words of labels in which a slip of one letter is mended.
var labelWords = []string{
	"address", "patient", "telephone", "signature", "printed", "relationship", "medical", "record", "number", "birth", "phone",
	"street", "email", "facility", "organization", "representative", "treatment", "service", "purpose", "continuing", "continuation",
	"direccion", "nombre", "paciente", "nacimiento", "telefono", "ciudad", "estado", "fecha", "firma",
}

// unslip returns s with a slip of one letter mended, where it must be a word of a label.
func unslip(s string) string {
	bare := strings.TrimRight(s, ":.,;#*")
	if len(bare) < 5 || strings.ContainsAny(bare, "0123456789@()/") {
		return s
	}
	low := strings.ToLower(bare)
	if slices.Contains(labelWords, low) {
		return s
	}
	for _, w := range labelWords {
		if low != w && (low[0] == w[0] || len(w) >= 8) && low != w+"s" && oneApart(low, w) {
			return w + s[len(bare):]
		}
	}
	return s
}

// oneApart reports whether a and b differ in one letter, or one has a letter more.
func oneApart(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || len(a) < 5 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return i == len(a) || a[i+1:] == b[i+1:]
	}
	return a[i:] == b[i+1:]
}

// without returns r without its tokens that are g.
func (r formRow) without(g glyph) formRow {
	out := formRow{page: r.page, y: r.y, h: r.h}
	var b strings.Builder
	for _, t := range r.tokens {
		if t.glyph == g {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		out.at = append(out.at, b.Len())
		b.WriteString(t.text)
		out.tokens = append(out.tokens, t)
	}
	out.text = b.String()
	return out
}

// end returns where token i ends in the row's text.
func (r formRow) end(i int) int {
	if i+1 < len(r.at) {
		return r.at[i+1] - 1
	}
	return len(r.text)
}
