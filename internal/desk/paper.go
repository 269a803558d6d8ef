package desk

import (
	"fmt"
	"slices"
	"strings"

	"fileroom/internal/library"
)

// maxShown is the most pages that one HTML page shows.
const maxShown = 200

// A paperView is a page as it arrived.
type paperView struct {
	Number  int
	Source  string
	Picture string  // Path; empty if there is none.
	W, H    float64 // Of the page, in whatever it is measured.
	Boxes   []boxView
	Lines   [][]segment // Its words, if there is no picture.
	ID      string
}

// A boxView marks a field on a picture, in fractions of the page.
type boxView struct {
	ID, Label  string
	X, Y, W, H float64
	Finding    bool
}

// A segment is a piece of a line; one with an ID is marked as a field's.
type segment struct {
	Text, ID string
}

// A cropView is the part of a page's picture on which a finding rests. Its
// numbers are those of an SVG viewBox, in which the whole picture is W by H.
type cropView struct {
	Picture    string
	X, Y, W, H float64
	PW, PH     float64
	Mark       library.Box
	Label      string
}

// marks know where fields stand on the pages.
type marks struct {
	ids   map[string]string
	pages map[string]int
	base  string // Path of the page that shows the marks; empty for this one.
}

func (m *marks) id(name string) string { return m.ids[name] }

// link returns where a field stands, or nothing.
func (m *marks) link(name string) string {
	if m.ids[name] == "" {
		return ""
	}
	return m.base + "#" + m.ids[name]
}

func (m *marks) page(name string) int          { return m.pages[name] }
func (m *marks) set(name, id string, page int) { m.ids[name], m.pages[name] = id, page }

var sourceNames = map[library.Source]string{
	library.SourceMail: "text of the e-mail", library.SourceText: "print", library.SourceOCR: "scan",
}

func picturePath(id library.CaseID, page int) string {
	return fmt.Sprintf("/desk/%s/pages/%d.png", id, page)
}

// size returns a page's size; a page that has none is taken for a US letter.
func size(p library.Page) (w, h float64) {
	if p.Width <= 0 || p.Height <= 0 || p.Width > 1e6 || p.Height > 1e6 {
		return 612, 792
	}
	return p.Width, p.Height
}

// papers returns the pages with the fields marked on them.
func (f *casefile) papers() ([]paperView, *marks) {
	m := &marks{ids: map[string]string{}, pages: map[string]int{}}
	var all []paperView
	for _, p := range f.pages[:min(len(f.pages), maxShown)] {
		w, h := size(p)
		v := paperView{Number: p.Number, Source: word(sourceNames, p.Source), W: w, H: h, ID: fmt.Sprintf("page-%d", p.Number)}
		if p.Picture != "" {
			v.Picture = picturePath(f.ID, p.Number)
			v.Boxes = f.boxes(p.Number, m)
		} else {
			v.Lines = f.markedLines(p, m)
		}
		all = append(all, v)
	}
	return all, m
}

func (f *casefile) boxes(page int, m *marks) []boxView {
	var all []boxView
	for i, field := range f.reading.Fields {
		b, ok := onPage(field.Box)
		if field.Page != page || !ok {
			continue
		}
		group, label := fieldLabel(field.Name)
		v := boxView{ID: fmt.Sprintf("box-%d", i), Label: group + ": " + label, X: b.X, Y: b.Y, W: b.W, H: b.H}
		m.set(field.Name, v.ID, page)
		all = append(all, v)
	}
	for i, finding := range f.findings {
		if b, ok := onPage(finding.Box); ok && finding.Page == page && finding.Open() {
			all = append(all, boxView{ID: fmt.Sprintf("finding-box-%d", i), Label: finding.Rule, X: b.X, Y: b.Y, W: b.W, H: b.H, Finding: true})
		}
	}
	return all
}

// onPage clips a box to the page; what lies outside is none.
func onPage(b *library.Box) (library.Box, bool) {
	if b == nil || !(b.W > 0) || !(b.H > 0) || !(b.X < 1) || !(b.Y < 1) || !(b.X+b.W > 0) || !(b.Y+b.H > 0) { // NaN is none either.
		return library.Box{}, false
	}
	x, y := max(b.X, 0), max(b.Y, 0)
	return library.Box{X: x, Y: y, W: min(b.X+b.W, 1) - x, H: min(b.Y+b.H, 1) - y}, true
}

// markedLines returns the words of a page without a picture; where a field's
// value is found in them, it is marked.
func (f *casefile) markedLines(p library.Page, m *marks) [][]segment {
	lines := make([][]segment, 0, len(p.Lines))
	for _, l := range p.Lines {
		lines = append(lines, []segment{{Text: l.Text()}})
	}
	for i, field := range f.reading.Fields {
		if field.Page != p.Number {
			continue
		}
		id := fmt.Sprintf("box-%d", i)
		for _, spelt := range spellings(field) {
			if mark(lines, spelt, id) {
				m.set(field.Name, id, p.Number)
				break
			}
		}
	}
	return lines
}

// spellings are the ways in which a letter may write a field's value.
func spellings(field library.Field) []string {
	if t, ok := library.Date(field.Value).Time(); ok {
		var all []string
		for _, layout := range []string{
			"January 2, 2006", "2 January 2006", "Jan 2, 2006", "Jan. 2, 2006", "2 Jan 2006", "01/02/2006", "1/2/2006", "01/02/06", "1/2/06",
			"01-02-2006", "1-2-2006", "2006-01-02", "January 2 2006", "1.2.2006",
		} {
			all = append(all, t.Format(layout))
		}
		return all
	}
	if len(field.Value) < 2 || field.Value == "true" || field.Value == "false" {
		return nil
	}
	return []string{field.Value}
}

// mark marks the first place, among what is not marked yet, where the words of
// text stand by themselves.
func mark(lines [][]segment, text, id string) bool {
	for i, segments := range lines {
		for j, s := range segments {
			if s.ID != "" {
				continue
			}
			at := indexFold(s.Text, text)
			if at < 0 {
				continue
			}
			end := at + len(text)
			cut := []segment{{Text: s.Text[:at]}, {Text: s.Text[at:end], ID: id}, {Text: s.Text[end:]}}
			lines[i] = slices.Concat(segments[:j], cut, segments[j+1:])
			return true
		}
	}
	return false
}

// indexFold finds text in s in any case, as whole words.
func indexFold(s, text string) int {
	for from := 0; from+len(text) <= len(s); from++ {
		end := from + len(text)
		if strings.EqualFold(s[from:end], text) && (from == 0 || !wordByte(s[from-1])) && (end == len(s) || !wordByte(s[end])) {
			return from
		}
	}
	return -1
}

func wordByte(b byte) bool {
	return b >= 0x80 || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// crop returns what surrounds a finding on its page.
func (f *casefile) crop(finding library.Finding) *cropView {
	b, ok := onPage(finding.Box)
	i := slices.IndexFunc(f.pages, func(p library.Page) bool { return p.Number == finding.Page && p.Picture != "" })
	if !ok || i < 0 {
		return nil
	}
	pw, ph := size(f.pages[i])
	x0, x1 := max(b.X-0.08, 0), min(b.X+b.W+0.08, 1)
	y0, y1 := max(b.Y-0.015, 0), min(b.Y+b.H+0.015, 1)
	return &cropView{
		Picture: picturePath(f.ID, finding.Page), PW: pw, PH: ph,
		X: x0 * pw, Y: y0 * ph, W: (x1 - x0) * pw, H: (y1 - y0) * ph,
		Mark:  library.Box{X: b.X * pw, Y: b.Y * ph, W: b.W * pw, H: b.H * ph},
		Label: fmt.Sprintf("Part of page %d on which %s rests", finding.Page, finding.Rule),
	}
}
