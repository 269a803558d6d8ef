package layout_test

import (
	"slices"
	"testing"

	"fileroom/internal/layout"
	"fileroom/internal/library"
)

// line is words of one line, each 0.1 wide, from x to the right at height y.
func line(x, y float64, words ...string) library.Line {
	var l library.Line
	for i, w := range words {
		l.Words = append(l.Words, library.Word{Text: w, Box: &library.Box{X: x + float64(i)*0.11, Y: y, W: 0.1, H: 0.02}})
	}
	return l
}

func TestRows(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		lines []library.Line
		want  []string
	}{
		"nothing":                           {},
		"lines in disorder are sorted":      {lines: []library.Line{line(0, 0.5, "second"), line(0, 0.1, "first")}, want: []string{"first", "second"}},
		"columns of a table become rows":    {lines: []library.Line{line(0, 0.1, "CT"), line(0, 0.2, "MRI"), line(0.5, 0.1, "chest"), line(0.5, 0.201, "brain")}, want: []string{"CT chest", "MRI brain"}},
		"value right of its label":          {lines: []library.Line{line(0.4, 0.105, "Quill"), line(0, 0.1, "Name:")}, want: []string{"Name: Quill"}},
		"value in a gap of its line":        {lines: []library.Line{line(0, 0.1, "Name:", "a", "b", "Date:"), {Words: []library.Word{}}}, want: []string{"Name: a b Date:"}},
		"lines close together stay apart":   {lines: []library.Line{line(0, 0.1, "a"), line(0, 0.115, "b")}, want: []string{"a", "b"}},
		"words without a box keep the line": {lines: []library.Line{{Words: []library.Word{{Text: "no"}, {Text: "box"}}}, line(0, 0.1, "a")}, want: []string{"a", "no box"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var got []string
			for _, l := range layout.Rows(tt.lines) {
				got = append(got, l.Text())
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("Rows = %q, want %q", got, tt.want)
			}
		})
	}
}
