package layout

import (
	"math"
	"slices"

	"fileroom/internal/library"
)

// Tight returns the box of a word of so many letters without what its font
// claims below the letters: some fonts of PDF files say that they reach four
// lines down. The upper edge is right even then.
func Tight(b library.Box, letters int) library.Box {
	// A line is hardly more than twice as tall as its letters are wide on
	// average, and less as a part of a page, which is taller than wide.
	most := 2 * b.W / float64(max(1, letters))
	if b.H > 0.02 && b.H > most {
		b.H = math.Max(most, 0.01)
	}
	return b
}

// Bands sorts boxes into the rows of a form, from top to bottom, each from
// left to right, and returns their places in boxes. What is filled in stands a
// little above or below the print of its row, so boxes of a row need not overlap by much.
func Bands(boxes []library.Box) [][]int {
	order := make([]int, len(boxes))
	for i := range order {
		order[i] = i
	}
	middle := func(i int) float64 { return boxes[i].Y + boxes[i].H/2 }
	slices.SortStableFunc(order, func(a, b int) int { return compare(middle(a), middle(b)) })
	type band struct {
		middle, height float64
		at             []int
	}
	var bands []band
	for _, i := range order {
		best, closest := -1, math.Inf(1)
		for j := len(bands) - 1; j >= max(0, len(bands)-3); j-- {
			height := math.Min(math.Max(bands[j].height, boxes[i].H), 0.02)
			d := math.Abs(middle(i) - bands[j].middle)
			if d < 0.65*height && d < closest && (d < 0.25*height || !covered(boxes, bands[j].at, i)) {
				best, closest = j, d
			}
		}
		if best < 0 {
			bands = append(bands, band{middle(i), boxes[i].H, []int{i}})
			continue
		}
		b := &bands[best]
		n := float64(len(b.at))
		b.middle, b.height = (b.middle*n+middle(i))/(n+1), math.Max(b.height, boxes[i].H)
		b.at = append(b.at, i)
	}
	slices.SortStableFunc(bands, func(a, b band) int { return compare(a.middle, b.middle) })
	out := make([][]int, len(bands))
	for j, b := range bands {
		slices.SortStableFunc(b.at, func(a, c int) int { return compare(boxes[a].X, boxes[c].X) })
		out[j] = b.at
	}
	return out
}

// covered reports whether box i has one of the boxes of a row over or under it.
func covered(boxes []library.Box, row []int, i int) bool {
	b := boxes[i]
	return slices.ContainsFunc(row, func(j int) bool {
		return math.Min(b.X+b.W, boxes[j].X+boxes[j].W)-math.Max(b.X, boxes[j].X) > 0.2*math.Min(b.W, boxes[j].W)
	})
}
