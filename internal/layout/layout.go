// Package layout puts the words that a reader of pages found into the order
// in which a person reads them.
//
// It is pure, knows [library] alone, and never adds, drops or changes a word.
package layout

import (
	"slices"
	"unicode/utf8"

	"fileroom/internal/library"
)

// Rows joins lines that stand beside each other, such as the cells of a table
// or a label and its value, and returns the rows from top to bottom, each from left to
// right. Words without a box keep their line, and such lines come last in the order they had.
func Rows(lines []library.Line) []library.Line {
	var rows []row
	var rest []library.Line
	for _, l := range lines {
		if r, ok := newRow(l); ok {
			rows = append(rows, r)
		} else if len(l.Words) > 0 {
			rest = append(rest, l)
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return compare(a.mid(), b.mid()) })

	var joined []row
	for _, r := range rows {
		joined = place(joined, r)
	}
	slices.SortStableFunc(joined, func(a, b row) int { return compare(a.mid(), b.mid()) })
	out := make([]library.Line, 0, len(joined)+len(rest))
	for _, r := range joined {
		slices.SortStableFunc(r.words, func(a, b library.Word) int { return compare(a.Box.X, b.Box.X) })
		out = append(out, library.Line{Words: r.words})
	}
	return append(out, rest...)
}

// A row is words on one line with the box that holds them.
type row struct {
	words          []library.Word
	x0, y0, x1, y1 float64
}

func newRow(l library.Line) (row, bool) {
	r := row{x0: 2, y0: 2, x1: -1, y1: -1}
	for _, w := range l.Words {
		if w.Box == nil {
			return row{}, false
		}
		r.words = append(r.words, w)
		b := Tight(*w.Box, utf8.RuneCountInString(w.Text))
		r.x0, r.y0 = min(r.x0, b.X), min(r.y0, b.Y)
		r.x1, r.y1 = max(r.x1, b.X+b.W), max(r.y1, b.Y+b.H)
	}
	return r, len(r.words) > 0
}

func (r row) mid() float64 { return (r.y0 + r.y1) / 2 }

// place adds r to the row it stands beside, among the few above it, or as a row of its own.
func place(rows []row, r row) []row {
	for i := len(rows) - 1; i >= max(0, len(rows)-4); i-- {
		q := rows[i]
		overlap := min(q.y1, r.y1) - max(q.y0, r.y0)
		beside := r.x0 >= q.x1-0.002 || q.x0 >= r.x1-0.002 || fits(q, r)
		if overlap >= 0.6*min(q.y1-q.y0, r.y1-r.y0) && beside {
			rows[i] = row{
				words: append(slices.Clone(q.words), r.words...),
				x0:    min(q.x0, r.x0), y0: min(q.y0, r.y0), x1: max(q.x1, r.x1), y1: max(q.y1, r.y1),
			}
			return rows
		}
	}
	return append(rows, r)
}

// fits reports whether r stands in a gap between the words of q.
func fits(q, r row) bool {
	for _, a := range q.words {
		for _, b := range r.words {
			if a.Box.X < b.Box.X+b.Box.W-0.002 && b.Box.X < a.Box.X+a.Box.W-0.002 {
				return false
			}
		}
	}
	return true
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
