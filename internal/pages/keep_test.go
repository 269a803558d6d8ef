package pages_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"image/png"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/pages"
	"fileroom/internal/pdf"
	"fileroom/internal/pdf/pdftest"
	"fileroom/internal/raster"
	"fileroom/internal/tiff/tifftest"
)

// shelf keeps pictures by their digest.
type shelf struct {
	mu    sync.Mutex
	files map[string][]byte
}

func (s *shelf) keep(_ context.Context, r io.Reader) (string, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	digest := hex.EncodeToString(sum[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		s.files = map[string][]byte{}
	}
	s.files[digest] = b
	return digest, nil
}

// picture returns the picture of page p.
func (s *shelf) picture(t *testing.T, p library.Page) *image.Gray {
	t.Helper()

	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := png.Decode(bytes.NewReader(s.files[p.Picture]))
	if err != nil {
		t.Fatalf("picture %q of page %d: %v", p.Picture, p.Number, err)
	}
	g, ok := m.(*image.Gray)
	if !ok {
		t.Fatalf("picture is %T, want it gray", m)
	}
	return g
}

// askew is g turned by some degrees, as a sheet that ran through a scanner askew.
func askew(g *image.Gray, degrees float64) *image.Gray { return raster.Turning{Skew: degrees}.Turn(g) }

// coarse is every other row of g.
func coarse(g *image.Gray) *image.Gray {
	c := image.NewGray(image.Rect(0, 0, g.Rect.Dx(), g.Rect.Dy()/2))
	for y := range c.Rect.Dy() {
		copy(c.Pix[y*c.Stride:][:c.Stride], g.Pix[2*y*g.Stride:])
	}
	return c
}

// moved is a document whose page does not begin at the origin.
func moved(p pdftest.Page) []byte {
	return bytes.Replace(pdftest.Document(p), []byte("[0 0 612 792]"), []byte("[9 9 621 801]"), 1)
}

var plain = pdftest.Page{Lines: letter.Lines}

// Whatever way a page comes, and however it lies, the picture of it that is kept shows
// each word at its box and nothing beside them.
func TestOpenKeepsPictures(t *testing.T) {
	t.Parallel()

	g := drawnPage(t, plain)
	tests := map[string]struct {
		file []byte
		size image.Point
	}{
		"PDF with text":                      {file: pdftest.Document(plain), size: image.Pt(1275, 1650)},
		"PDF with text on its side":          {file: pdftest.Document(more(plain, "/Rotate 90")), size: image.Pt(1650, 1275)},
		"PDF with text upside down":          {file: pdftest.Document(more(plain, "/Rotate 180")), size: image.Pt(1275, 1650)},
		"PDF with text, cropped":             {file: pdftest.Document(more(plain, "/CropBox [36 36 576 756]")), size: image.Pt(1275, 1650)},
		"PDF with text, not from the origin": {file: moved(plain), size: image.Pt(1275, 1650)},
		"scan in a PDF":                      {file: pdftest.Document(pdftest.Page{Scan: g}), size: image.Pt(1275, 1650)},
		"scan in a PDF, askew":               {file: pdftest.Document(pdftest.Page{Scan: askew(g, 3)}), size: image.Pt(1275, 1650)},
		"scan in a PDF turned to be shown":   {file: pdftest.Document(pdftest.Page{Scan: raster.Turn(g, 3), More: "/Rotate 90"}), size: image.Pt(1650, 1275)}, // Drawn wide.
		"fax upside down":                    {file: tifftest.File(200, 200, raster.Turn(g, 2)), size: image.Pt(1275, 1650)},
		"coarse fax":                         {file: tifftest.File(200, 100, coarse(g)), size: image.Pt(1275, 1650)},
		"JPEG on its side, askew":            {file: jpegOf(t, askew(raster.Turn(g, 1), -2)), size: image.Pt(1275, 1650)},
		"PNG":                                {file: pngOf(t, g), size: image.Pt(1275, 1650)},
		"PNG that is small already":          {file: pngOf(t, raster.Shrink(g, 1400)), size: image.Pt(1081, 1400)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var kept shelf
			o := opener()
			o.Keep = kept.keep
			ps, troubles, err := o.Open(t.Context(), pages.Part{Body: bytes.NewReader(tt.file)})
			if err != nil || len(ps) != 1 || len(troubles) != 0 {
				t.Fatalf("Open = %d pages, %v, %v, want one without trouble", len(ps), troubles, err)
			}
			picture := kept.picture(t, ps[0])
			if d := picture.Rect.Max.Sub(tt.size); d.X < -2 || d.X > 2 || d.Y < -2 || d.Y > 2 {
				t.Errorf("picture is %v, want %v", picture.Rect.Max, tt.size)
			}
			fits(t, picture, ps[0])

			again, _, err := o.Open(t.Context(), pages.Part{Body: bytes.NewReader(tt.file)})
			if err != nil || again[0].Picture != ps[0].Picture || len(kept.files) != 1 {
				t.Errorf("opened again: %v, %d pictures, want the same one", err, len(kept.files))
			}
		})
	}
}

func more(p pdftest.Page, entries string) pdftest.Page {
	p.More = entries
	return p
}

func drawnPage(t *testing.T, p pdftest.Page) *image.Gray {
	t.Helper()

	b, err := (&pdf.Reader{}).Draw(t.Context(), pdftest.Document(p), 1, 2200)
	if err != nil {
		t.Fatal(err)
	}
	g, err := raster.DecodePGM(b)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// fits checks that there is ink inside the box of every word of p, and next to none elsewhere.
func fits(t *testing.T, g *image.Gray, p library.Page) {
	t.Helper()

	w, h := g.Rect.Dx(), g.Rect.Dy()
	in := func(x, y int) bool { return image.Pt(x, y).In(g.Rect) && g.GrayAt(x, y).Y < 128 }
	all := 0
	for y := range h {
		for x := range w {
			if in(x, y) {
				all++
			}
		}
	}
	inside := map[image.Point]bool{}
	words := 0
	for _, l := range p.Lines {
		for _, word := range l.Words {
			words++
			b, n := *word.Box, 0
			for y := int(b.Y*float64(h)) - 2; y <= int((b.Y+b.H)*float64(h))+2; y++ {
				for x := int(b.X*float64(w)) - 2; x <= int((b.X+b.W)*float64(w))+2; x++ {
					if in(x, y) {
						n++
						inside[image.Pt(x, y)] = true
					}
				}
			}
			if float64(n) < 0.05*b.W*b.H*float64(w*h) {
				t.Errorf("%q has %d dark pixels in its box %+v", word.Text, n, b)
			}
		}
	}
	if words < 40 {
		t.Errorf("%d words, want those of a letter", words)
	}
	if out := all - len(inside); out*20 > all {
		t.Errorf("%d of %d dark pixels are in no word's box", out, all)
	}
}

// Every page that has a face has a picture, in an arrival of several kinds, and what has none is no trouble.
func TestOpenKeepsFacesOnly(t *testing.T) {
	t.Parallel()

	var kept shelf
	o := opener()
	o.Keep, o.Workers = kept.keep, 3
	scan := pdftest.Page{Scan: drawnPage(t, letter)}
	ps, troubles, err := o.Open(t.Context(),
		pages.Part{Text: true, Body: bytes.NewReader([]byte("Dear Library"))},
		pages.Part{Body: bytes.NewReader(pdftest.Document(letter, pdftest.Page{}, scan))})
	if err != nil || len(ps) != 4 || len(troubles) != 0 {
		t.Fatalf("Open = %d pages, %v, %v, want four", len(ps), troubles, err)
	}
	if ps[0].Picture != "" {
		t.Error("the words of a message have a picture")
	}
	for _, p := range ps[1:] {
		kept.picture(t, p)
	}
	if len(kept.files) != 3 {
		t.Errorf("%d pictures, want one for each page", len(kept.files))
	}

	// What nobody can read is shown as it came.
	o.OCR = refuse{}
	ps, troubles, err = o.Open(t.Context(), pages.Part{Body: bytes.NewReader(pdftest.Document(scan))})
	if err != nil || len(troubles) != 1 || troubles[0].Page != 1 {
		t.Fatalf("Open = %v, %v, want the trouble of one page", troubles, err)
	}
	kept.picture(t, ps[0])

	// A page that cannot be drawn has the trouble that it had, and no picture.
	o.PDF = undrawn{o.PDF}
	ps, troubles, err = o.Open(t.Context(), pages.Part{Body: bytes.NewReader(pdftest.Document(letter))})
	if err != nil || len(troubles) != 1 || ps[0].Picture != "" || len(ps[0].Lines) == 0 {
		t.Errorf("Open = %+v, %v, %v, want words and a trouble", ps, troubles, err)
	}
}

// undrawn reads documents and draws none.
type undrawn struct{ pages.PDF }

func (undrawn) Draw(context.Context, []byte, int, int) ([]byte, error) { return nil, errRefused }

// A record gives what a reader said of a one-page document, at once.
type record struct {
	pages []pdf.Page
	png   []byte
}

func recorded(t *testing.T, doc []byte) record {
	t.Helper()
	var reader pdf.Reader
	ps, err := reader.Pages(t.Context(), doc)
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := reader.Draw(t.Context(), doc, 1, 2200)
	if err != nil {
		t.Fatal(err)
	}
	return record{ps, drawn}
}

func (r record) Pages(context.Context, []byte) ([]pdf.Page, error) { return r.pages, nil }

func (r record) Draw(context.Context, []byte, int, int) ([]byte, error) { return r.png, nil }

// A vault that is down is a fault that may pass, whatever it calls it; one that is slower than the budget costs only pictures.
func TestOpenWithoutAVault(t *testing.T) {
	t.Parallel()

	doc := pdftest.Document(letter)
	o := opener()
	o.Keep = func(context.Context, io.Reader) (string, error) {
		return "", library.Errorf(library.Invalid, "put", "", "no room")
	}
	if _, _, err := o.Open(t.Context(), pages.Part{Body: bytes.NewReader(doc)}); err == nil || library.KindOf(err) != "" {
		t.Errorf("Open error = %v of kind %q, want one without a kind", err, library.KindOf(err))
	}

	slow := opener()
	slow.PDF = recorded(t, doc)
	slow.Budget = 2 * time.Second
	slow.Keep = func(ctx context.Context, _ io.Reader) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	}
	synctest.Test(t, func(t *testing.T) { // The budget runs out without anybody waiting for it.
		ps, troubles, err := slow.Open(t.Context(), pages.Part{Body: bytes.NewReader(doc)})
		if err != nil || len(troubles) != 0 || len(ps) != 1 || ps[0].Picture != "" {
			t.Fatalf("Open = %d pages, %v, %v, want the page without a picture", len(ps), troubles, err)
		}
		if !slices.ContainsFunc(ps[0].Lines, func(l library.Line) bool { return l.Text() == "Duke Radiology Image Library" }) {
			t.Error("the words are lost")
		}
	})

	ctx, cancel := context.WithCancel(t.Context())
	o.Budget, o.Keep = 0, func(context.Context, io.Reader) (string, error) {
		cancel()
		return "", ctx.Err()
	}
	if _, _, err := o.Open(ctx, pages.Part{Body: bytes.NewReader(doc)}); !errors.Is(err, context.Canceled) || library.KindOf(err) != "" {
		t.Errorf("Open error = %v of kind %q, want the caller's", err, library.KindOf(err))
	}
}

// BenchmarkOpen says what the pictures add for each page of a document with a text layer.
func BenchmarkOpen(b *testing.B) {
	doc := pdftest.Document(slices.Repeat([]pdftest.Page{letter}, 20)...)
	for name, keep := range map[string]func(context.Context, io.Reader) (string, error){"none": nil, "kept": (&shelf{}).keep} {
		b.Run(name, func(b *testing.B) {
			o := opener()
			o.Keep, o.Workers = keep, 1
			for b.Loop() {
				if _, _, err := o.Open(b.Context(), pages.Part{Body: bytes.NewReader(doc)}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N*20), "ms/page")
		})
	}
}
