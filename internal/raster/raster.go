package raster

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"math"
)

// MaxPixels bounds a picture: about 12 by 12 inches at 600 dots per inch.
const MaxPixels = 52 << 20

// ErrTooLarge says that a picture has more than [MaxPixels].
var ErrTooLarge = errors.New("picture has too many pixels")

// DecodePGM reads a binary gray PGM with 8 bits a pixel.
func DecodePGM(b []byte) (*image.Gray, error) {
	r := bytes.NewReader(b)
	var w, h, most int
	if _, err := fmt.Fscanf(r, "P5\n%d %d\n%d", &w, &h, &most); err != nil || most != 255 || w <= 0 || h <= 0 {
		return nil, errors.New("not a gray PGM")
	}
	if w > MaxPixels/h {
		return nil, ErrTooLarge
	}
	pixels := b[len(b)-r.Len():]
	if len(pixels) < 1+w*h {
		return nil, errors.New("PGM ends early")
	}
	return &image.Gray{Pix: pixels[1 : 1+w*h : 1+w*h], Stride: w, Rect: image.Rect(0, 0, w, h)}, nil
}

// EncodePGM writes g as a binary gray PGM.
func EncodePGM(g *image.Gray) []byte {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	b := fmt.Appendf(make([]byte, 0, w*h+32), "P5\n%d %d\n255\n", w, h)
	for y := range h {
		b = append(b, g.Pix[y*g.Stride:y*g.Stride+w]...)
	}
	return b
}

// Gray returns m in gray on white, from its upper left corner at the origin.
func Gray(m image.Image) *image.Gray {
	b := m.Bounds()
	g := blank(b.Dx(), b.Dy())
	draw.Draw(g, g.Rect, m, b.Min, draw.Over)
	return g
}

func blank(w, h int) *image.Gray {
	g := image.NewGray(image.Rect(0, 0, w, h))
	for i := range g.Pix {
		g.Pix[i] = 255
	}
	return g
}

// Shrink returns g so that its longer side has at most the given pixels, each the mean of those it replaces.
func Shrink(g *image.Gray, longest int) *image.Gray {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	if max(w, h) <= longest {
		return g
	}
	scale := float64(max(w, h)) / float64(longest)
	nw, nh := max(1, int(float64(w)/scale)), max(1, int(float64(h)/scale))
	o := image.NewGray(image.Rect(0, 0, nw, nh))
	for y := range nh {
		y0, y1 := y*h/nh, max(y*h/nh+1, (y+1)*h/nh)
		for x := range nw {
			x0, x1 := x*w/nw, max(x*w/nw+1, (x+1)*w/nw)
			sum := 0
			for yy := y0; yy < y1; yy++ {
				for _, p := range g.Pix[yy*g.Stride+x0 : yy*g.Stride+x1] {
					sum += int(p)
				}
			}
			o.Pix[y*o.Stride+x] = uint8(sum / ((y1 - y0) * (x1 - x0))) // #nosec G115 -- a mean of bytes
		}
	}
	return o
}

// Turn returns g turned clockwise by quarter turns.
func Turn(g *image.Gray, quarters int) *image.Gray {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	switch quarters & 3 {
	case 1:
		o := image.NewGray(image.Rect(0, 0, h, w))
		for y := range h {
			for x := range w {
				o.Pix[x*o.Stride+h-1-y] = g.Pix[y*g.Stride+x]
			}
		}
		return o
	case 2:
		o := image.NewGray(g.Rect)
		for y := range h {
			for x := range w {
				o.Pix[(h-1-y)*o.Stride+w-1-x] = g.Pix[y*g.Stride+x]
			}
		}
		return o
	case 3:
		o := image.NewGray(image.Rect(0, 0, h, w))
		for y := range h {
			for x := range w {
				o.Pix[(w-1-x)*o.Stride+y] = g.Pix[y*g.Stride+x]
			}
		}
		return o
	}
	return g
}

// Threshold returns the gray level that best parts dark from light (Otsu).
func Threshold(g *image.Gray) uint8 {
	var histogram [256]int
	for _, p := range g.Pix {
		histogram[p]++
	}
	total, sum := float64(len(g.Pix)), 0.0
	for i, c := range histogram {
		sum += float64(i * c)
	}
	var below, sumBelow, best float64
	level := 128
	for i, c := range histogram {
		below += float64(c)
		if below == 0 || below == total {
			continue
		}
		sumBelow += float64(i * c)
		d := sumBelow/below - (sum-sumBelow)/(total-below)
		if v := below * (total - below) * d * d; v > best {
			best, level = v, i
		}
	}
	return uint8(level) // #nosec G115 -- an index of 256
}

// Bilevel reports whether g is black and white, as a fax is.
func Bilevel(g *image.Gray) bool {
	gray := 0
	for _, p := range g.Pix {
		if p > 40 && p < 215 {
			gray++
		}
	}
	return gray*50 < len(g.Pix)
}

// Despeckle whitens the dark spots of g of fewer than n pixels.
func Despeckle(g *image.Gray, n int) {
	dark := mask(g, 127)
	components(dark, g.Rect.Dx(), 1, func(c component) {
		if len(c.points) < n {
			for _, p := range c.points {
				g.Pix[p] = 255
			}
		}
	})
}

// mask returns which pixels of g are at or below level.
func mask(g *image.Gray, level uint8) []bool {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	m := make([]bool, w*h)
	for y := range h {
		for x, p := range g.Pix[y*g.Stride : y*g.Stride+w] {
			m[y*w+x] = p <= level
		}
	}
	return m
}

// A component is dark pixels that hang together, as indices into the mask, and their bounds.
type component struct {
	points         []int32
	x0, y0, x1, y1 int
}

// components calls yield with each component of m, of width w, whose pixels
// are at most reach apart. It empties m; points are valid only during the call.
func components(m []bool, w, reach int, yield func(component)) {
	h := len(m) / max(w, 1)
	var stack, points []int32
	for i := range m {
		if !m[i] {
			continue
		}
		m[i] = false
		stack, points = append(stack[:0], int32(i)), points[:0] // #nosec G115 -- below MaxPixels
		c := component{x0: w, y0: h, x1: -1, y1: -1}
		for len(stack) > 0 {
			p := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			points = append(points, p)
			x, y := int(p)%w, int(p)/w
			c.x0, c.x1, c.y0, c.y1 = min(c.x0, x), max(c.x1, x), min(c.y0, y), max(c.y1, y)
			for ny := max(0, y-reach); ny <= min(h-1, y+reach); ny++ {
				for nx := max(0, x-reach); nx <= min(w-1, x+reach); nx++ {
					if q := ny*w + nx; m[q] {
						m[q] = false
						stack = append(stack, int32(q)) // #nosec G115 -- below MaxPixels
					}
				}
			}
		}
		c.points = points
		yield(c)
	}
}

// A Turning is how a page was turned until it could be read. It is the same
// for a picture of the page of any size.
type Turning struct {
	Skew     float64 // Degrees, first.
	Quarters int     // Then quarter turns clockwise.
	Rest     float64 // Degrees, last.
}

// Turn returns g turned as t says: what was found on the turned page stands in
// the same place, in parts of width and height.
func (t Turning) Turn(g *image.Gray) *image.Gray {
	return rotate(Turn(rotate(g, t.Skew), t.Quarters), t.Rest)
}

// Straighten turns g by its skew if that is small but harmful, and returns it
// and by how many degrees it was turned.
func Straighten(g *image.Gray) (*image.Gray, float64) {
	a := skew(g)
	if math.Abs(a) <= 0.15 {
		return g, 0
	}
	return rotate(g, a), a
}

// skew returns by how many degrees, within 6, the lines of text in g slope: the
// angle at which the pixel counts of the rows differ most.
func skew(g *image.Gray) float64 {
	small := Shrink(g, max(g.Rect.Dx(), g.Rect.Dy())/4+1)
	w, h := small.Rect.Dx(), small.Rect.Dy()
	level := Threshold(small)
	type point struct{ x, y float64 }
	var points []point
	for y := h / 20; y < h-h/20; y++ {
		for x := w / 20; x < w-w/20; x++ {
			if small.Pix[y*small.Stride+x] <= level {
				points = append(points, point{float64(x - w/2), float64(y)})
			}
		}
	}
	if len(points) > w*h/3 {
		return 0 // A photograph, not print.
	}
	score := func(degrees float64) float64 {
		slope := math.Tan(degrees * math.Pi / 180)
		rows := make([]float64, h+w/2)
		for _, p := range points {
			if k := int(p.y-p.x*slope) + w/4; k >= 0 && k < len(rows) {
				rows[k]++
			}
		}
		sum := 0.0
		for i := 1; i < len(rows); i++ {
			d := rows[i] - rows[i-1]
			sum += d * d
		}
		return sum
	}
	best, at := score(0), 0.0
	search := func(from, to, step float64) {
		for a := from; a <= to; a += step {
			if s := score(a); s > best {
				best, at = s, a
			}
		}
	}
	search(-6, 6, 0.5)
	search(at-0.45, at+0.45, 0.05)
	return at
}

// rotate returns g turned about its middle, between pixels by linear interpolation.
func rotate(g *image.Gray, degrees float64) *image.Gray {
	if degrees == 0 {
		return g
	}
	w, h := g.Rect.Dx(), g.Rect.Dy()
	o := blank(w, h)
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	cx, cy := float64(w)/2, float64(h)/2
	for y := range h {
		for x := range w {
			dx, dy := float64(x)-cx, float64(y)-cy
			sx, sy := cos*dx-sin*dy+cx, sin*dx+cos*dy+cy
			x0, y0 := int(math.Floor(sx)), int(math.Floor(sy))
			if x0 < 0 || y0 < 0 || x0 >= w-1 || y0 >= h-1 {
				continue
			}
			fx, fy := sx-float64(x0), sy-float64(y0)
			p := y0*g.Stride + x0
			top := float64(g.Pix[p])*(1-fx) + float64(g.Pix[p+1])*fx
			low := float64(g.Pix[p+g.Stride])*(1-fx) + float64(g.Pix[p+g.Stride+1])*fx
			o.Pix[y*o.Stride+x] = uint8(top*(1-fy) + low*fy)
		}
	}
	return o
}
