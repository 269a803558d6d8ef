package layout_test

import (
	"fmt"
	"testing"

	"fileroom/internal/layout"
	"fileroom/internal/library"
)

func TestBands(t *testing.T) {
	t.Parallel()

	box := func(x, y float64) library.Box { return library.Box{X: x, Y: y, W: 0.1, H: 0.012} }
	tests := map[string]struct {
		boxes []library.Box
		want  string
	}{
		"nothing":                           {want: "[]"},
		"left to right":                     {boxes: []library.Box{box(0.5, 0.1), box(0.1, 0.1)}, want: "[[1 0]]"},
		"filled in a little above its row":  {boxes: []library.Box{box(0.1, 0.1), box(0.3, 0.093)}, want: "[[0 1]]"},
		"lines close together":              {boxes: []library.Box{box(0.1, 0.1), box(0.1, 0.113), box(0.1, 0.126)}, want: "[[0] [1] [2]]"},
		"one over the other is another row": {boxes: []library.Box{box(0.1, 0.1), box(0.12, 0.107)}, want: "[[0] [1]]"},
		"a mark in its box":                 {boxes: []library.Box{box(0.1, 0.1), box(0.12, 0.102)}, want: "[[0 1]]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if got := fmt.Sprint(layout.Bands(tt.boxes)); got != tt.want {
				t.Errorf("Bands = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestTight(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		box  library.Box
		want float64 // Its height.
	}{
		"as print is":                   {box: library.Box{W: 0.04, H: 0.012}, want: 0.012},
		"a heading in large letters":    {box: library.Box{W: 0.12, H: 0.03}, want: 0.03},
		"a font that reaches far below": {box: library.Box{W: 0.04, H: 0.043}, want: 0.016},
		"one thin letter":               {box: library.Box{W: 0.004, H: 0.043}, want: 0.01},
	}
	letters := map[string]int{"one thin letter": 1}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			n := max(letters[name], 5)
			if name == "one thin letter" {
				n = 1
			}
			got := layout.Tight(tt.box, n)
			if fmt.Sprintf("%.4f", got.H) != fmt.Sprintf("%.4f", tt.want) || got.Y != tt.box.Y || got.X != tt.box.X || got.W != tt.box.W {
				t.Errorf("Tight = %+v, want a height of %v and nothing else changed", got, tt.want)
			}
		})
	}
}
