package pdf_test

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"strings"
	"testing"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/pdf"
	"fileroom/internal/pdf/pdftest"
	"fileroom/internal/sandbox"
)

// TestMain lets the test binary stand in for the program as the child.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "child" && os.Args[2] == "pdf" {
		if err := pdf.Main(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	m.Run()
}

func reader(timeout time.Duration) *pdf.Reader {
	return &pdf.Reader{Plain: sandbox.Self("pdf"), Timeout: timeout}
}

// text returns the lines of pages, each page after a form feed.
func text(pages []pdf.Page) string {
	var b strings.Builder
	for i, p := range pages {
		if i > 0 {
			b.WriteByte('\f')
		}
		for _, l := range p.Lines {
			b.WriteString(l.Text() + "\n")
		}
	}
	return b.String()
}

func TestPages(t *testing.T) {
	t.Parallel()

	letter := pdftest.Document(pdftest.Page{Lines: []string{"Dear Library,", "send my CT, María."}}, pdftest.Page{Lines: []string{"Second page"}})
	tests := map[string]struct {
		doc     []byte
		timeout time.Duration // Zero means a minute.
		want    string
		err     error
	}{
		"two pages":                     {doc: letter, want: "Dear Library,\nsend my CT, María.\n\fSecond page\n"},
		"locked against changes only":   {doc: file(t, "testdata/owner-password.pdf"), want: "Patient: Ada Quill\n"},
		"form fields hold the words":    {doc: form(), want: "Ada Quill\n"},
		"index of objects is lost":      {doc: bytes.Replace(letter, []byte("startxref\n"), []byte("startxref\n9"), 1), want: "Dear Library,\nsend my CT, María.\n\fSecond page\n"},
		"needs a password":              {doc: file(t, "testdata/user-password.pdf"), err: pdf.ErrEncrypted},
		"empty":                         {err: pdf.ErrDamaged},
		"no PDF":                        {doc: []byte("%PDF-1.4\nhello"), err: pdf.ErrDamaged},
		"no pages":                      {doc: pdftest.File("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>"), err: pdf.ErrDamaged},
		"too many pages":                {doc: pdftest.Document(make([]pdftest.Page, pdf.MaxPages+1)...), err: pdf.ErrTooMany},
		"never ends":                    {doc: bomb(t), timeout: 500 * time.Millisecond, err: sandbox.ErrTimeout},
		"page tree that bites its tail": {doc: pdftest.File("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R] /Count 5 >>"), timeout: 2 * time.Second, err: errAny},
		"page tree of itself alone":     {doc: pdftest.File("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"), err: pdf.ErrDamaged},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, err := reader(cmp.Or(tt.timeout, time.Minute)).Pages(t.Context(), tt.doc)
			switch {
			case errors.Is(tt.err, errAny) && library.KindOf(err) == library.Invalid:
			case !errors.Is(err, tt.err) || err != nil && library.KindOf(err) != library.Invalid:
				t.Fatalf("Pages error = %v of kind %q, want %v", err, library.KindOf(err), tt.err)
			}
			if text(got) != tt.want {
				t.Errorf("Pages = %q, want %q", text(got), tt.want)
			}
		})
	}
}

// errAny stands for any error of kind Invalid.
var errAny = errors.New("any")

func TestPagesPlacesWords(t *testing.T) {
	t.Parallel()

	pages, err := reader(time.Minute).Pages(t.Context(), pdftest.Document(pdftest.Page{Lines: []string{"Ada Quill"}}))
	if err != nil {
		t.Fatal(err)
	}
	w := pages[0].Lines[0].Words[1]
	if w.Text != "Quill" || w.Confidence != 1 || w.Box == nil {
		t.Fatalf("second word = %+v, want Quill, sure, with a box", w)
	}
	// Written at 72 points from the left and from the top.
	if b := *w.Box; b.X < 0.13 || b.X > 0.2 || b.Y < 0.06 || b.Y > 0.1 || b.W < 0.03 || b.W > 0.08 {
		t.Errorf("Quill stands at %+v", b)
	}
	if pages[0].Width != 612 || pages[0].Height != 792 || pages[0].Picture {
		t.Errorf("page = %v x %v, picture %v, want letter paper with words", pages[0].Width, pages[0].Height, pages[0].Picture)
	}
}

// A scan stays a scan, whatever words a scanner laid beneath it.
func TestPagesDistrustsScans(t *testing.T) {
	t.Parallel()

	scan := image.NewGray(image.Rect(0, 0, 85, 110))
	doc := pdftest.Document(
		pdftest.Page{Scan: scan}, pdftest.Page{Scan: scan, Hidden: []string{"Patient: Somebody Else"}}, pdftest.Page{Lines: []string{"typed"}}, pdftest.Page{})
	pages, err := reader(time.Minute).Pages(t.Context(), doc)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, true, false, true} {
		if pages[i].Picture != want {
			t.Errorf("page %d: picture %v, want %v", i+1, pages[i].Picture, want)
		}
	}
}

func TestDraw(t *testing.T) {
	t.Parallel()

	doc := pdftest.Document(pdftest.Page{}, pdftest.Page{Lines: []string{"x"}, Signed: 3})
	got, err := reader(time.Minute).Draw(t.Context(), doc, 2, 220)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(got, []byte("P5\n170 220\n255\n")) {
		t.Errorf("Draw = %.20q, want a PGM of 170 by 220", got)
	}
}

// Poppler's failing hands over to the second parser; this holds that parser to its part.
func TestPlainParser(t *testing.T) {
	t.Parallel()

	var out bytes.Buffer
	if err := pdf.Main(bytes.NewReader(pdftest.Document(pdftest.Page{Lines: []string{"Dear Library"}})), &out); err != nil {
		t.Fatal(err)
	}
	if want := `["Dear Library\n"]` + "\n"; out.String() != want && !strings.Contains(out.String(), "Dear Library") {
		t.Errorf("Main wrote %s, want %s", out.String(), want)
	}
	if err := pdf.Main(strings.NewReader("no PDF"), &out); err == nil {
		t.Error("Main accepted what is no PDF")
	}
}

func TestPagesHonoursContext(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := reader(time.Minute).Pages(ctx, bomb(t))
	if err == nil || library.KindOf(err) != "" {
		t.Errorf("Pages error = %v of kind %q, want one without a kind, to be retried", err, library.KindOf(err))
	}
}

func file(t *testing.T, name string) []byte {
	t.Helper()

	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// form is a page whose only words are the value of a form field.
func form() []byte {
	look := "/Tx BMC BT /Helv 12 Tf 2 4 Td (Ada Quill) Tj ET EMC"
	return pdftest.File(
		"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] /DR << /Font << /Helv 5 0 R >> >> >> >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Annots [4 0 R] >>",
		"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V (Ada Quill) /Rect [72 700 272 720] /F 4 /DA (/Helv 12 Tf) /AP << /N 6 0 R >> >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
		fmt.Sprintf("<< /Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /Helv 5 0 R >> >> /Length %d >>\nstream\n%s\nendstream", len(look), look),
	)
}

// bomb is a page of a few hundred kilobytes that unpacks to hundreds of megabytes of drawing.
func bomb(t *testing.T) []byte {
	t.Helper()

	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	chunk := []byte(strings.Repeat("BT /F1 1 Tf (x) Tj ET\n", 1<<15))
	for range 300 {
		if _, err := z.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return pdftest.File(
		"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>",
		fmt.Sprintf("<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream", b.Len(), b.Bytes()),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	)
}

// A page of more words than can be seen is read as it is seen.
func TestTSVBoundsAPage(t *testing.T) {
	t.Parallel()

	line := "4\t1\t0\t0\t0\t0\t1\t1\t1\t1\t-1\t###LINE###\n" + strings.Repeat("5\t1\t0\t0\t0\t0\t72\t72\t9\t9\t100\tAda\n", 100)
	for lines, picture := range map[int]bool{50: false, 51: true} {
		got := pdf.ParseTSV([]byte("1\t1\t0\t0\t0\t0\t0\t0\t612\t792\t-1\t###PAGE###\n"+strings.Repeat(line, lines)), 3, nil)
		n := 0
		for _, l := range got[0].Lines {
			n += len(l.Words)
		}
		if n != 5000 || got[0].Picture != picture {
			t.Errorf("%d words, picture %v, want 5000, %v", n, got[0].Picture, picture)
		}
	}
}

// However a page is turned or cropped to be shown, its words stand within it, in parts of what is drawn.
func TestPagesTurned(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		more          string
		width, height float64
		x, y          float64 // Where the word begins, in parts of the page.
	}{
		"upright":                       {width: 612, height: 792, x: 72. / 612, y: 63. / 792},
		"on its right side":             {more: "/Rotate 90", width: 792, height: 612, x: 717. / 792, y: 72. / 612},
		"upside down":                   {more: "/Rotate 180", width: 612, height: 792, x: 516. / 612, y: 717. / 792},
		"on its left side":              {more: "/Rotate -90", width: 792, height: 612, x: 63. / 792, y: 516. / 612},
		"on its right side and cropped": {more: "/CropBox [50 400 400 760] /Rotate 90", width: 792, height: 612, x: 717. / 792, y: 72. / 612},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			doc := pdftest.Document(pdftest.Page{}, pdftest.Page{Lines: []string{"Radiology"}, More: tt.more})
			got, err := reader(time.Minute).Pages(t.Context(), doc)
			if err != nil || len(got) != 2 || len(got[1].Lines) != 1 {
				t.Fatalf("Pages = %+v, %v, want two, with one line", got, err)
			}
			if got[1].Width != tt.width || got[1].Height != tt.height || got[0].Width != 612 {
				t.Errorf("page of %v by %v points, want %v by %v", got[1].Width, got[1].Height, tt.width, tt.height)
			}
			b := got[1].Lines[0].Words[0].Box
			// The word is 53 points long; turned, its box begins at its other end.
			if b.X < tt.x-54/tt.width || b.X > tt.x+0.01 || b.Y < tt.y-54/tt.height || b.Y > tt.y+0.01 || b.X+b.W > 1 || b.Y+b.H > 1 {
				t.Errorf("word at %+v, want it near %v, %v", *b, tt.x, tt.y)
			}
		})
	}
}

func FuzzInfo(f *testing.F) {
	f.Add([]byte("Pages:           2\nPage    1 size: 612 x 792 pts (letter)\nPage    1 rot:  90\n"))
	f.Add([]byte("Title: Pages: 9\nPages: -1\nPage 1 rot: x\n"))
	f.Fuzz(func(t *testing.T, out []byte) {
		n, turned := pdf.ParseInfo(out)
		if n != 0 && !bytes.Contains(out, []byte("Pages:")) || len(turned) > bytes.Count(out, []byte("rot:")) {
			t.Errorf("%d pages, %v turned, in %q", n, turned, out)
		}
	})
}

func FuzzTSV(f *testing.F) {
	f.Add([]byte("1\t1\t0\t0\t0\t0\t0\t0\t612\t792\t-1\t###PAGE###\n4\t1\t0\t0\t0\t0\t1\t1\t1\t1\t-1\t###LINE###\n5\t1\t0\t0\t0\t0\t72\t72\t9\t9\t100\tAda\n"))
	f.Add([]byte("5\t\t\t\t\t\tNaN\t-1\t0\t0\t0\tx\n"))
	f.Fuzz(func(t *testing.T, out []byte) {
		for _, p := range pdf.ParseTSV(out, 3, map[int]bool{1: true}) {
			if p.Number < 1 || p.Number > 3 {
				t.Errorf("page %d of at most 3", p.Number)
			}
		}
	})
}
