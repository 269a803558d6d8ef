package ocr_test

import (
	"context"
	"image"
	"strings"
	"testing"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/ocr"
	"fileroom/internal/pdf"
	"fileroom/internal/pdf/pdftest"
	"fileroom/internal/raster"
)

// scan is a picture of a letter, as a scanner would take it.
func scan(t *testing.T, p pdftest.Page) *image.Gray {
	t.Helper()

	b, err := (&pdf.Reader{}).Draw(t.Context(), pdftest.Document(p), 1, ocr.Resolution)
	if err != nil {
		t.Fatal(err)
	}
	g, err := raster.DecodePGM(b)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

var english = pdftest.Page{Signed: 8, Lines: []string{
	"June 2, 2026", "To the Radiology Image Library", "", "My name is Ada Quill and I was born on March 19, 1961.",
	"Please send the MRI of my brain to my new doctor.", "", "", "Sincerely yours, Ada Quill",
}}

func TestPage(t *testing.T) {
	t.Parallel()

	spanish := pdftest.Page{Lines: []string{
		"Estimados señores de la biblioteca:", "Me llamo María del Carmen y mi fecha de nacimiento es en febrero.",
		"Solicito por favor las imágenes de mi resonancia para la doctora.", "Mi número de teléfono es el de la clínica.",
	}}
	tests := map[string]struct {
		page     pdftest.Page
		quarters int
		want     []string
		ink      bool
	}{
		"upright":     {page: english, want: []string{"June 2, 2026", "My name is Ada Quill", "March 19, 1961"}, ink: true},
		"upside down": {page: english, quarters: 2, want: []string{"My name is Ada Quill", "March 19, 1961"}, ink: true},
		"on its side": {page: english, quarters: 1, want: []string{"My name is Ada Quill", "March 19, 1961"}, ink: true},
		"Spanish":     {page: spanish, want: []string{"María del Carmen", "imágenes de mi resonancia", "teléfono"}},
		"blank":       {page: pdftest.Page{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, _, err := (&ocr.Recognizer{}).Page(t.Context(), raster.Turn(scan(t, tt.page), tt.quarters))
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, l := range got.Lines {
				lines = append(lines, l.Text())
				for _, w := range l.Words {
					if w.Box == nil || w.Box.X < 0 || w.Box.X+w.Box.W > 1.001 || w.Box.Y < 0 || w.Box.Y+w.Box.H > 1.001 || w.Confidence < 0 || w.Confidence > 1 {
						t.Errorf("word %+v", w)
					}
				}
			}
			text := strings.Join(lines, "\n")
			for _, w := range tt.want {
				if !strings.Contains(text, w) {
					t.Errorf("read %q, want %q in it", text, w)
				}
			}
			if len(tt.want) == 0 && text != "" {
				t.Errorf("read %q on a blank page", text)
			}
			if (len(got.Ink) > 0) != tt.ink {
				t.Errorf("ink %+v, want some: %v", got.Ink, tt.ink)
			}
			if got.Source != library.SourceOCR {
				t.Errorf("source %q", got.Source)
			}
		})
	}
}

func TestPageHonoursContext(t *testing.T) {
	t.Parallel()

	g := scan(t, english)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, _, err := (&ocr.Recognizer{}).Page(ctx, g); err == nil || library.KindOf(err) != "" {
		t.Errorf("Page error = %v of kind %q, want one without a kind, to be retried", err, library.KindOf(err))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("4\t1\t1\t1\t1\t0\t1\t1\t1\t1\t-1\t\n5\t1\t1\t1\t1\t1\t10\t10\t40\t12\t96.5\tAda\n"))
	f.Add([]byte("5\tx\t\t\t\t\t\t\t\t\tNaN\tAda\n4\t\t\t\t\t\t\t\t\t\t\t\n5\t\t\t\t\t\t1e999\t\t\t\tNaN\tB\n"))
	f.Fuzz(func(t *testing.T, out []byte) {
		for _, w := range ocr.Words(out) {
			if !(w.Confidence >= 0 && w.Confidence <= 1) || w.Text == "" {
				t.Errorf("word %+v", w)
			}
		}
	})
}
