package raster

import (
	"image"

	"fileroom/internal/library"
)

// Ink returns the marks on page g that are neither words, rules nor specks,
// joined where they stand close together. Words are the places of what was read.
func Ink(g *image.Gray, words []library.Box) []library.Ink {
	g = Shrink(g, 1100) // About 100 dots per inch: a pen stroke is two pixels.
	w, h := g.Rect.Dx(), g.Rect.Dy()
	if w < 50 || h < 50 {
		return nil
	}
	m := mask(g, min(Threshold(g), 170))
	rule := rules(m, w, h)
	for i := range m {
		m[i] = m[i] && !rule[i]
	}
	for _, b := range words {
		wipe(m, w, h, b)
	}
	margin(m, w, h)

	var marks []image.Rectangle
	components(m, w, 3, func(c component) {
		dx, dy := c.x1-c.x0, c.y1-c.y0
		if len(c.points) < 12 || dx < 8 && dy < 8 || straight(c, w) {
			return
		}
		marks = append(marks, image.Rect(c.x0, c.y0, c.x1+1, c.y1+1))
	})
	var ink []library.Ink
	for _, r := range join(marks, h/60) {
		if r.Dx() < w/40 || r.Dy() < h/150 {
			continue
		}
		ink = append(ink, library.Ink{Box: library.Box{
			X: float64(r.Min.X) / float64(w), Y: float64(r.Min.Y) / float64(h),
			W: float64(r.Dx()) / float64(w), H: float64(r.Dy()) / float64(h),
		}})
	}
	return ink
}

// Visible reports whether anything is drawn where a word is said to stand:
// a text layer can hold words that nobody sees.
func Visible(g *image.Gray, b library.Box) bool {
	w, h := float64(g.Rect.Dx()), float64(g.Rect.Dy())
	r := image.Rect(int(b.X*w), int(b.Y*h), int((b.X+b.W)*w)+1, int((b.Y+b.H)*h)+1).Intersect(g.Rect)
	darkest, lightest := uint8(255), uint8(0)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, p := range g.Pix[y*g.Stride+r.Min.X : y*g.Stride+r.Max.X] {
			darkest, lightest = min(darkest, p), max(lightest, p)
		}
	}
	return int(lightest)-int(darkest) > 40
}

// rules returns which pixels of m belong to long straight lines along an edge of the page.
func rules(m []bool, w, h int) []bool {
	rule := make([]bool, len(m))
	near := func(x, y int) bool { // A rule on a page slightly askew steps from row to row.
		i := y*w + x
		return m[i] || y > 0 && m[i-w] || y+1 < h && m[i+w]
	}
	shortest := w / 12
	for y := range h {
		from, gap := -1, 0
		for x := 0; x <= w; x++ {
			if x < w && near(x, y) {
				if from < 0 {
					from = x
				}
				gap = 0
				continue
			}
			if from < 0 {
				continue
			}
			if gap++; gap > 3 || x == w {
				if end := x - gap + 1; end-from >= shortest && thin(m, w, h, from, end, y) {
					paint(rule, w, h, from, y-1, end, y+2)
				}
				from = -1
			}
		}
	}
	for x := range w {
		from := -1
		for y := 0; y <= h; y++ {
			if y < h && m[y*w+x] {
				if from < 0 {
					from = y
				}
				continue
			}
			if from >= 0 && y-from >= h/14 {
				paint(rule, w, h, x-1, from, x+2, y)
			}
			from = -1
		}
	}
	return rule
}

// thin reports whether the run from x0 to x1 on row y is a line rather than the middle of
// something tall: four rows off, most of it is white.
func thin(m []bool, w, h, x0, x1, y int) bool {
	dark := 0
	for x := x0; x < x1; x++ {
		above, below := y < 4 || m[(y-4)*w+x], y+4 >= h || m[(y+4)*w+x]
		if above || below {
			dark++
		}
	}
	return dark*2 < x1-x0
}

func paint(m []bool, w, h, x0, y0, x1, y1 int) {
	for y := max(0, y0); y < min(h, y1); y++ {
		for x := max(0, x0); x < min(w, x1); x++ {
			m[y*w+x] = true
		}
	}
}

// wipe empties the place of a word and a little around it.
func wipe(m []bool, w, h int, b library.Box) {
	x0, y0 := int(b.X*float64(w))-2, int(b.Y*float64(h))-1
	x1, y1 := int((b.X+b.W)*float64(w))+3, int((b.Y+b.H)*float64(h))+2
	for y := max(0, y0); y < min(h, y1); y++ {
		clear(m[y*w+max(0, min(w, x0)) : y*w+max(0, min(w, x1))])
	}
}

// margin empties the outermost part of the page, where scanners leave shadows and punches holes.
func margin(m []bool, w, h int) {
	edge := w / 40
	for y := range h {
		row := m[y*w : y*w+w]
		if y < edge || y >= h-edge {
			clear(row)
			continue
		}
		clear(row[:edge])
		clear(row[w-edge:])
	}
}

// straight reports whether c is one straight line, such as a fold or a line struck through words.
func straight(c component, w int) bool {
	if c.x1-c.x0 < 40 {
		return false
	}
	var n, sx, sy, sxx, sxy float64
	for _, p := range c.points {
		x, y := float64(int(p)%w), float64(int(p)/w)
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	d := n*sxx - sx*sx
	if d == 0 {
		return false
	}
	slope := (n*sxy - sx*sy) / d
	offset := (sy - slope*sx) / n
	var off float64
	for _, p := range c.points {
		e := float64(int(p)/w) - slope*float64(int(p)%w) - offset
		off += e * e
	}
	return off/n < 3
}

// join unites rectangles that are at most gap apart.
func join(rects []image.Rectangle, gap int) []image.Rectangle {
	if len(rects) > 2000 {
		return nil // Noise or a photograph: no stroke can be told.
	}
	for changed := true; changed; {
		changed = false
		for i := 0; i < len(rects); i++ {
			for j := i + 1; j < len(rects); j++ {
				if rects[i].Inset(-gap).Overlaps(rects[j]) {
					rects[i] = rects[i].Union(rects[j])
					rects = append(rects[:j], rects[j+1:]...)
					changed = true
					j--
				}
			}
		}
	}
	return rects
}
