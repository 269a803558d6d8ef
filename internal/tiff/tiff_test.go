package tiff_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/pdf"
	"fileroom/internal/tiff"
	"fileroom/internal/tiff/tifftest"
)

// fax is a page of a standard fax with bars on it, which fills half its length.
func fax() *image.Gray {
	g := image.NewGray(image.Rect(0, 0, 1728, 1078))
	for i := range g.Pix {
		g.Pix[i] = 255
	}
	for bar := range 20 {
		for y := 100 + 40*bar; y < 115+40*bar; y++ {
			for x := 200; x < 1500; x += 1 + (x+bar)%3 {
				g.SetGray(x, y, color.Gray{})
			}
		}
	}
	return g
}

// encoded is file in another encoding.
func encoded(t *testing.T, file []byte, encoding string) []byte {
	t.Helper()

	from, to := filepath.Join(t.TempDir(), "from.tif"), filepath.Join(t.TempDir(), "to.tif")
	if err := os.WriteFile(from, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "tiffcp", "-c", encoding, from, to).CombinedOutput(); err != nil { // #nosec G204 -- a test's own
		t.Fatalf("tiffcp: %v: %s", err, out)
	}
	b, err := os.ReadFile(to) // #nosec G304 -- a test's own
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPDF(t *testing.T) {
	t.Parallel()

	plain := tifftest.File(204, 98, fax(), fax())
	twoDimensional := encoded(t, plain, "g3:2d:fill")
	garbled := bytes.Clone(encoded(t, plain, "g4"))
	for i := 2000; i < 2040; i++ {
		garbled[i] ^= 0x5a
	}
	tests := map[string]struct {
		file    []byte
		pages   int
		partial bool
		err     error
	}{
		"not compressed":         {file: plain, pages: 2},
		"G3 one-dimensional":     {file: encoded(t, plain, "g3:1d"), pages: 2},
		"G3 two-dimensional":     {file: twoDimensional, pages: 2},
		"G4":                     {file: encoded(t, plain, "g4"), pages: 2},
		"empty":                  {err: tiff.ErrDamaged},
		"ends after its first":   {file: plain[:8], err: tiff.ErrDamaged},
		"no TIFF":                {file: []byte("II*\x00hello, hello"), err: tiff.ErrDamaged},
		"a page of 10^10 pixels": {file: bytes.ReplaceAll(plain, []byte{0xc0, 0x06, 0, 0}, []byte{0, 0, 0, 1}), err: tiff.ErrTooLarge},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			doc, partial, err := (&tiff.Converter{}).PDF(t.Context(), tt.file)
			if !errors.Is(err, tt.err) || err != nil && library.KindOf(err) != library.Invalid {
				t.Fatalf("PDF error = %v of kind %q, want %v", err, library.KindOf(err), tt.err)
			}
			if err != nil {
				return
			}
			pages, err := (&pdf.Reader{}).Pages(t.Context(), doc)
			if err != nil || len(pages) != tt.pages || partial != tt.partial {
				t.Fatalf("%d pages, partial %v, %v, want %d, %v", len(pages), partial, err, tt.pages, tt.partial)
			}
			// 204 by 98 dots an inch is a page of its right shape, not half a page.
			if p := pages[0]; !p.Picture || p.Height < 780 || p.Height > 800 || p.Width < 600 || p.Width > 620 {
				t.Errorf("page is %v by %v points, picture %v", p.Width, p.Height, p.Picture)
			}
		})
	}
	t.Run("garbled", func(t *testing.T) {
		t.Parallel()

		// Whatever libtiff makes of it, it is said, or refused, and never passed off as whole.
		doc, partial, err := (&tiff.Converter{}).PDF(t.Context(), garbled)
		if err == nil && (len(doc) == 0 || !partial) {
			t.Errorf("a garbled fax gave %d bytes, partial %v", len(doc), partial)
		}
	})
}
