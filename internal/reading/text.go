package reading

import (
	"math"
	"sort"
	"strings"

	"fileroom/internal/library"
)

// A text is the words of some pages as one string, with the way back from
// every place in it to the words. Words on a line are parted by a space, or a tab where the
// gap is wide; lines end with "\n" and paragraphs with "\n\n".
type text struct {
	s     string
	spans []span
	ends  []int // Where sentences and paragraphs end.
	cut   bool  // There was more than maxText.
}

// The most of one request that is looked at. Patterns are tried against each
// other in places, so that what a stranger sends must not decide how often.
const (
	maxText = 60_000 // Bytes: twenty pages of prose.
	most    = 60     // Names, dates, examinations and addresses, each.
)

// A span is where a word stands in a text.
type span struct {
	start, end int
	word       library.Word
	page       int
	source     library.Source
	quoted     bool // Somebody wrote it earlier: history below a reply.
	form       bool // It stands on a form, whose boxes this package does not know.
}

// A line is one line of a text, with where it stands on its page if known.
type line struct {
	start, end int
	text       string
	page       int
	box        *library.Box
}

// newText joins the lines of pages.
func newText(pages []library.Page, quoted, dropped map[lineKey]bool, forms map[int]bool) *text {
	t := &text{}
	var b strings.Builder
	for _, p := range pages {
		var above *library.Box
		pitch := pitchOf(p)
		for i, l := range p.Lines {
			if dropped[lineKey{p.Number, i}] {
				continue
			}
			if b.Len() > maxText {
				t.cut = true
				break
			}
			box := boxOf(l.Words)
			if b.Len() > 0 && (len(l.Words) == 0 || apart(above, box, pitch)) && !strings.HasSuffix(b.String(), "\n\n") {
				b.WriteByte('\n')
			}
			if len(l.Words) == 0 {
				continue
			}
			t.line(&b, p, l, quoted[lineKey{p.Number, i}], forms[p.Number])
			above = box
		}
		if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n\n") {
			b.WriteByte('\n')
		}
	}
	t.s = b.String()
	t.ends = sentenceEnds(t.s)
	return t
}

// A lineKey names a line by its page and its index there.
type lineKey struct{ page, line int }

func (t *text) line(b *strings.Builder, p library.Page, l library.Line, quoted, form bool) {
	for i, w := range l.Words {
		if i > 0 {
			b.WriteByte(gap(l.Words[i-1], w))
		}
		start := b.Len()
		if w.Text == "|" && p.Source == library.SourceOCR {
			w.Text = "I" // As "I am" is often read.
		}
		b.WriteString(w.Text)
		t.spans = append(t.spans, span{start, b.Len(), w, p.Number, p.Source, quoted, form})
	}
	b.WriteByte('\n')
}

// gap is a tab where there is room for two letters or more between words.
func gap(a, b library.Word) byte {
	if a.Box == nil || b.Box == nil {
		return ' '
	}
	letter := a.Box.W / math.Max(1, float64(len([]rune(a.Text))))
	if b.Box.X-(a.Box.X+a.Box.W) > math.Max(2.5*letter, 0.02) {
		return '\t'
	}
	return ' '
}

// apart reports whether there is more room between two lines than between the
// lines of a paragraph, which are pitch from each other; 0 for not known.
func apart(above, below *library.Box, pitch float64) bool {
	if above == nil || below == nil {
		return false
	}
	if pitch > 0 {
		return below.Y+below.H/2-above.Y-above.H/2 > 1.3*pitch
	}
	return below.Y-(above.Y+above.H) > 0.75*math.Min(above.H, below.H)
}

// pitchOf returns how far the lines of paragraphs are from each other on a page
// that was read from a picture. There boxes fit the letters, and say little of the room between lines.
func pitchOf(p library.Page) float64 {
	if p.Source != library.SourceOCR {
		return 0
	}
	var all []float64
	for i := 1; i < len(p.Lines); i++ {
		a, b := boxOf(p.Lines[i-1].Words), boxOf(p.Lines[i].Words)
		if a == nil || b == nil {
			continue
		}
		if d := b.Y + b.H/2 - a.Y - a.H/2; d > 0.008 && d < 0.05 {
			all = append(all, d)
		}
	}
	if len(all) < 8 {
		return 0
	}
	sort.Float64s(all)
	return all[len(all)*2/5]
}

func boxOf(words []library.Word) *library.Box {
	var u *library.Box
	for _, w := range words {
		u = union(u, w.Box)
	}
	return u
}

func union(a, b *library.Box) *library.Box {
	switch {
	case b == nil:
		return a
	case a == nil:
		c := *b
		return &c
	}
	x, y := math.Min(a.X, b.X), math.Min(a.Y, b.Y)
	return &library.Box{X: x, Y: y, W: math.Max(a.X+a.W, b.X+b.W) - x, H: math.Max(a.Y+a.H, b.Y+b.H) - y}
}

// lines returns the lines of t that hold words.
func (t *text) lines() []line {
	var out []line
	start := 0
	for l := range strings.Lines(t.s) {
		end := start + len(strings.TrimRight(l, "\n"))
		if end > start {
			page, box, _ := t.where(start, end)
			out = append(out, line{start, end, t.s[start:end], page, box})
		}
		start += len(l)
	}
	return out
}

// where returns the page and place of t.s[start:end], and how far its words can be believed.
func (t *text) where(start, end int) (page int, box *library.Box, trust float64) {
	i := sort.Search(len(t.spans), func(i int) bool { return t.spans[i].end > start })
	trust = 1
	for ; i < len(t.spans) && t.spans[i].start < end; i++ {
		s := t.spans[i]
		if page == 0 {
			page = s.page
		}
		if s.page == page {
			box = union(box, s.word.Box)
		}
		trust = math.Min(trust, s.trust())
	}
	return page, box, trust
}

// trust is the most that a value may be believed that rests on a word. What was read from a
// picture never reaches 0.9: one sure digit in two hundred is wrong.
func (s span) trust() float64 {
	trust := s.word.Confidence
	if s.source == library.SourceOCR {
		trust = math.Min(0.89, 0.92*trust)
	}
	if s.quoted {
		trust = math.Min(trust, 0.8)
	}
	if s.form {
		trust = math.Min(trust, 0.6)
	}
	return trust
}

// sentence returns the bounds of the sentence or paragraph around at.
func (t *text) sentence(at int) (start, end int) {
	start, end = 0, len(t.s)
	for _, e := range t.ends {
		if e <= at {
			start = e
			continue
		}
		end = e
		break
	}
	return start, end
}

// sentenceEnds returns the offsets at which a sentence or paragraph of s ends.
func sentenceEnds(s string) []int {
	var ends []int
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\n':
			if i+1 < len(s) && s[i+1] == '\n' {
				ends = append(ends, i+1)
			}
		case '.', '!', '?':
			if i+2 < len(s) && (s[i+1] == ' ' || s[i+1] == '\n') && upper(s[i+2:]) && !abbreviation(s[:i]) {
				ends = append(ends, i+1)
			}
		}
	}
	return ends
}

func upper(s string) bool {
	for _, c := range s {
		return c >= 'A' && c <= 'Z' || c > 0xbf && strings.ToLower(string(c)) != string(c) || c == '¿' || c == '¡'
	}
	return false
}

// abbreviation reports whether s ends in a word after which a full stop ends no sentence.
func abbreviation(s string) bool {
	word := s[strings.LastIndexAny(s, " \t\n(")+1:]
	if len([]rune(word)) <= 1 {
		return true
	}
	switch strings.ToLower(word) {
	case "dr", "dra", "mr", "mrs", "ms", "prof", "sr", "sra", "jr", "st", "ste", "apt", "ave", "rd", "blvd", "no", "tel", "med", "rec",
		"jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "p.o", "d.o.b", "attn", "ext", "inc", "dept", "p.a", "m.d":
		return true
	}
	return false
}

// written returns how t.s[start:end] was obtained, how tall its words are and on which page they stand.
func (t *text) written(start, end int) (source library.Source, height float64, page int) {
	i := sort.Search(len(t.spans), func(i int) bool { return t.spans[i].end > start })
	n := 0
	for ; i < len(t.spans) && t.spans[i].start < end; i++ {
		s := t.spans[i]
		source, page = s.source, s.page
		if s.word.Box != nil {
			height += s.word.Box.H
			n++
		}
	}
	return source, height / float64(max(1, n)), page
}

// height returns how tall the words of a page are: the middle one of them all.
func (t *text) height(page int) float64 {
	var all []float64
	for _, s := range t.spans {
		if s.page == page && s.word.Box != nil {
			all = append(all, s.word.Box.H)
		}
	}
	if len(all) == 0 {
		return 1
	}
	sort.Float64s(all)
	return all[len(all)/2]
}
