package raster_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"math"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/raster"
)

// page is a white page of 850 by 1100 pixels.
func page() *image.Gray {
	g := image.NewGray(image.Rect(0, 0, 850, 1100))
	for i := range g.Pix {
		g.Pix[i] = 255
	}
	return g
}

// fill darkens the pixels from x0, y0 up to x1, y1.
func fill(g *image.Gray, x0, y0, x1, y1 int) {
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			g.SetGray(x, y, color.Gray{Y: 20})
		}
	}
}

// scrawl draws a pen stroke of loops, 200 by about 50 pixels.
func scrawl(g *image.Gray, x, y int) {
	for i := range 4000 {
		t := float64(i) / 4000 * 8 * math.Pi
		px, py := x+int(200*float64(i)/4000+14*math.Cos(t)), y+int(25*math.Sin(t))
		fill(g, px, py, px+2, py+2)
	}
}

func TestPGM(t *testing.T) {
	t.Parallel()

	g := page()
	fill(g, 10, 10, 20, 20)
	b := raster.EncodePGM(g)
	got, err := raster.DecodePGM(b)
	if err != nil || got.Rect != g.Rect || !bytes.Equal(got.Pix, g.Pix) {
		t.Errorf("decoded %v, %v, want what was encoded", got.Rect, err)
	}
	tests := map[string]struct {
		in   []byte
		want error // Nil for any.
	}{
		"empty":           {},
		"ends early":      {in: b[:len(b)-1]},
		"colour":          {in: []byte("P6\n1 1\n255\nxxx")},
		"sixteen bits":    {in: []byte("P5\n1 1\n65535\nxx")},
		"negative":        {in: []byte("P5\n-1 -1\n255\nx")},
		"larger than any": {in: []byte("P5\n4000000000 4000000000\n255\n"), want: raster.ErrTooLarge},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if _, err := raster.DecodePGM(tt.in); err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("DecodePGM error = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestTurn(t *testing.T) {
	t.Parallel()

	g := image.NewGray(image.Rect(0, 0, 3, 2))
	copy(g.Pix, []byte{1, 2, 3, 4, 5, 6})
	for quarters, want := range map[int][]byte{0: {1, 2, 3, 4, 5, 6}, 1: {4, 1, 5, 2, 6, 3}, 2: {6, 5, 4, 3, 2, 1}, 3: {3, 6, 2, 5, 1, 4}, -1: {3, 6, 2, 5, 1, 4}} {
		if got := raster.Turn(g, quarters); !bytes.Equal(got.Pix, want) {
			t.Errorf("turned by %d: %v, want %v", quarters, got.Pix, want)
		}
	}
}

func TestShrink(t *testing.T) {
	t.Parallel()

	g := page()
	if got := raster.Shrink(g, 1100); got != g {
		t.Error("a picture that fits was changed")
	}
	if got := raster.Shrink(g, 110).Rect; got != image.Rect(0, 0, 85, 110) {
		t.Errorf("shrunk to %v, want 85 by 110", got)
	}
}

func TestDespeckle(t *testing.T) {
	t.Parallel()

	g := page()
	fill(g, 100, 100, 102, 102) // A speck.
	fill(g, 200, 200, 204, 204) // A full stop.
	raster.Despeckle(g, 6)
	if g.GrayAt(100, 100).Y != 255 || g.GrayAt(201, 201).Y == 255 {
		t.Error("want the speck gone and the full stop there")
	}
}

func TestStraighten(t *testing.T) {
	t.Parallel()

	g := page()
	for line := range 20 {
		for x := 100; x < 750; x++ { // Lines that fall three pixels in a hundred: 1.7 degrees.
			y := 100 + 40*line + x*3/100
			fill(g, x, y, x+1, y+8)
		}
	}
	g, _ = raster.Straighten(g)
	dark := 0
	for y := range 1100 {
		row := 0
		for x := 150; x < 700; x++ {
			if g.GrayAt(x, y).Y < 128 {
				row++
			}
		}
		if row > 500 {
			dark++
		}
	}
	if dark < 60 {
		t.Errorf("%d rows are dark from end to end, want the twenty lines to lie level", dark)
	}
}

func TestInk(t *testing.T) {
	t.Parallel()

	word := library.Box{X: 200. / 850, Y: 300. / 1100, W: 100. / 850, H: 14. / 1100}
	tests := map[string]struct {
		draw func(g *image.Gray)
		want int
	}{
		"white page":         {draw: func(*image.Gray) {}},
		"pen stroke":         {draw: func(g *image.Gray) { scrawl(g, 200, 600) }, want: 1},
		"stroke on a rule":   {draw: func(g *image.Gray) { fill(g, 150, 620, 500, 622); scrawl(g, 200, 600) }, want: 1},
		"rule alone":         {draw: func(g *image.Gray) { fill(g, 150, 620, 500, 622); fill(g, 100, 100, 102, 900) }},
		"word that was read": {draw: func(g *image.Gray) { fill(g, 202, 302, 298, 312) }},
		"word that was not":  {draw: func(g *image.Gray) { scrawl(g, 200, 600); fill(g, 202, 302, 298, 312) }, want: 1},
		"specks": {draw: func(g *image.Gray) {
			for i := range 200 {
				fill(g, 50+3*i, 100+4*i, 52+3*i, 102+4*i)
			}
		}},
		"shadow at the edge": {draw: func(g *image.Gray) { fill(g, 0, 0, 15, 1100) }},
		"line through a word": {draw: func(g *image.Gray) {
			for x := 200; x < 290; x++ {
				fill(g, x, 600+x/10, x+1, 602+x/10)
			}
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			g := page()
			tt.draw(g)
			got := raster.Ink(g, []library.Box{word})
			if len(got) != tt.want {
				t.Fatalf("Ink = %+v, want %d marks", got, tt.want)
			}
			if tt.want == 1 {
				if b := got[0].Box; math.Abs(b.X-188./850) > 0.03 || math.Abs(b.W-225./850) > 0.05 || b.Y < 0.5 || b.Y > 0.56 {
					t.Errorf("ink at %+v, want it where it was drawn", b)
				}
			}
		})
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()

	g := page()
	fill(g, 202, 302, 298, 312)
	for name, tt := range map[string]struct {
		box  library.Box
		want bool
	}{
		"drawn":     {box: library.Box{X: 0.23, Y: 0.27, W: 0.1, H: 0.02}, want: true},
		"not drawn": {box: library.Box{X: 0.23, Y: 0.6, W: 0.1, H: 0.02}},
		"off page":  {box: library.Box{X: 1.5, Y: -2, W: 0.1, H: 0.02}},
	} {
		if got := raster.Visible(g, tt.box); got != tt.want {
			t.Errorf("%s: Visible = %v, want %v", name, got, tt.want)
		}
	}
}

func FuzzDecodePGM(f *testing.F) {
	f.Add([]byte("P5\n2 1\n255\nab"))
	f.Add([]byte("P5\n1 1\n255"))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := raster.DecodePGM(b)
		if err != nil {
			return
		}
		if len(g.Pix) != g.Rect.Dx()*g.Rect.Dy() {
			t.Errorf("%d pixels for %v", len(g.Pix), g.Rect)
		}
		straight, _ := raster.Straighten(raster.Turn(g, 1))
		raster.Ink(straight, nil)
	})
}
