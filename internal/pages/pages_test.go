package pages_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/ocr"
	"fileroom/internal/pages"
	"fileroom/internal/pdf"
	"fileroom/internal/pdf/pdftest"
	"fileroom/internal/raster"
	"fileroom/internal/reading"
	"fileroom/internal/sandbox"
	"fileroom/internal/tiff"
	"fileroom/internal/tiff/tifftest"
)

// TestMain lets the test binary stand in for the program as the child.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "child" {
		child := map[string]func(io.Reader, io.Writer) error{"pdf": pdf.Main, "picture": pages.Main}[os.Args[2]]
		if err := child(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	m.Run()
}

var pictures = &pages.Decoder{Command: sandbox.Self("picture"), Timeout: patience}

func opener() *pages.Opener {
	return &pages.Opener{PDF: &pdf.Reader{Plain: sandbox.Self("pdf")}, TIFF: &tiff.Converter{}, Pictures: pictures, OCR: &ocr.Recognizer{}, Mail: mailbag{}}
}

// mailbag takes a message apart at "--", for the tests of what is done with the parts.
type mailbag struct{}

func (mailbag) Parts(_ context.Context, message []byte) ([]pages.Part, []library.Trouble, error) {
	_, body, _ := strings.Cut(string(message), "\n\n")
	if body == "broken" {
		return nil, nil, library.Errorf(library.Invalid, "parse", "", "broken")
	}
	var parts []pages.Part
	for i, p := range strings.Split(body, "--\n") {
		parts = append(parts, pages.Part{Text: i == 0, Body: strings.NewReader(p)})
	}
	return parts, []library.Trouble{{Code: library.TroubleDamaged, Part: 2, Text: "noted"}}, nil
}

var letter = pdftest.Page{Signed: 16, Lines: []string{
	"June 2, 2026", "", "Duke Radiology Image Library", "", "My name is Ada Mae Quill, born March 19, 1961, MRN D1000042.",
	"Please send my brain MRI of 02/12/2026 by electronic transfer to my", "neurologist, Dr. Nora Tarn, Heron Neurology, 40 Elm Row, Boone, NC 28607.",
	"", "", "Sincerely,", "", "", "", "", "", "Ada M. Quill",
}}

// drawn is the letter as a picture.
func drawn(t *testing.T) *image.Gray {
	t.Helper()

	b, err := (&pdf.Reader{}).Draw(t.Context(), pdftest.Document(letter), 1, 2200)
	if err != nil {
		t.Fatal(err)
	}
	g, err := raster.DecodePGM(b)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func pngOf(t *testing.T, m image.Image) []byte {
	t.Helper()

	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t *testing.T, m image.Image) []byte {
	t.Helper()

	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Whatever way a letter comes, it is read to the same request.
func TestOpenAndRead(t *testing.T) {
	t.Parallel()

	g := drawn(t)
	tests := map[string]struct {
		file   []byte
		source library.Source
	}{
		"PDF with text":   {file: pdftest.Document(letter), source: library.SourceText},
		"scan in a PDF":   {file: pdftest.Document(pdftest.Page{Scan: g}), source: library.SourceOCR},
		"fax":             {file: tifftest.File(200, 200, g), source: library.SourceOCR},
		"fax upside down": {file: tifftest.File(200, 200, raster.Turn(g, 2)), source: library.SourceOCR},
		"JPEG":            {file: jpegOf(t, g), source: library.SourceOCR},
		"PNG":             {file: pngOf(t, g), source: library.SourceOCR},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			ps, troubles, err := opener().Open(t.Context(), pages.Part{Body: bytes.NewReader(tt.file)})
			if err != nil || len(ps) != 1 || len(troubles) != 0 {
				t.Fatalf("Open = %d pages, %v, %v, want one without trouble", len(ps), troubles, err)
			}
			if ps[0].Source != tt.source {
				t.Errorf("source %q, want %q", ps[0].Source, tt.source)
			}
			got := reading.Read(ps, reading.Options{Received: "2026-06-15", Library: []string{"Duke Radiology"}})
			q := got.Request
			if q.Patient.Name() != "Ada Mae Quill" || q.Patient.BirthDate != "1961-03-19" || q.Patient.MRN != "D1000042" {
				t.Errorf("patient %+v", q.Patient)
			}
			if q.Recipient.Person != "Dr. Nora Tarn" || q.Recipient.Street != "40 Elm Row" || q.Recipient.Zip != "28607" {
				t.Errorf("recipient %+v", q.Recipient)
			}
			if want := []library.StudyRequest{{Modality: "MR", BodyPart: "brain", Date: "2026-02-12"}}; !slices.Equal(q.Studies, want) {
				t.Errorf("studies %+v, want %+v", q.Studies, want)
			}
			if want := (library.Signature{Present: true, Name: "Ada M. Quill", Date: "2026-06-02", Signer: "patient"}); q.Signature != want {
				t.Errorf("signature %+v, want %+v", q.Signature, want)
			}
			if len(got.Missing) != 0 {
				t.Errorf("missing %q, want nothing", got.Missing)
			}
		})
	}
}

func TestOpenTroubles(t *testing.T) {
	t.Parallel()

	locked := []byte("PK\x03\x04\x14\x00\x01\x00" + strings.Repeat("x", 40))
	tests := map[string]struct {
		body  []byte
		name  string
		pages int
		want  library.TroubleCode
	}{
		"text":                       {body: []byte("Dear Library"), pages: 1},
		"text in Latin-1":            {body: []byte("Estimados se\xf1ores, mis im\xe1genes por favor"), pages: 1},
		"web page":                   {body: []byte("<!DOCTYPE html><p>Dear Library"), pages: 1},
		"empty":                      {want: library.TroubleEmpty},
		"white space":                {body: []byte(" \r\n\t"), want: library.TroubleEmpty},
		"web page without words":     {body: []byte("<html><script>alert(1)</script></html>"), want: library.TroubleEmpty},
		"too large":                  {body: bytes.Repeat([]byte("x"), pages.MaxPart+1), want: library.TroubleTooLarge},
		"PDF by another name":        {body: pdftest.Document(pdftest.Page{Lines: []string{"Dear Library"}}), name: "photo.jpg", pages: 1},
		"broken PDF":                 {body: []byte("%PDF-1.7\nnothing"), want: library.TroubleDamaged},
		"PDF with a password":        {body: read(t, "../pdf/testdata/user-password.pdf"), want: library.TroubleEncrypted},
		"PDF of too many pages":      {body: pdftest.Document(make([]pdftest.Page, pdf.MaxPages+1)...), want: library.TroubleTooLarge},
		"broken TIFF":                {body: []byte("II*\x00zzzzzzzz"), want: library.TroubleDamaged},
		"broken picture":             {body: []byte("\xff\xd8\xff\xe0broken"), want: library.TroubleDamaged},
		"picture of too many pixels": {body: hugePNG(), want: library.TroubleTooLarge},
		"zip":                        {body: []byte("PK\x03\x04\x14\x00\x00\x00" + strings.Repeat("x", 40)), want: library.TroubleUnsupported},
		"zip with a password":        {body: locked, want: library.TroubleEncrypted},
		"Word file":                  {body: []byte("PK\x03\x04\x14\x00\x06\x00\x08\x00....................[Content_Types].xml"), name: "letter.pdf", want: library.TroubleUnsupported},
		"program":                    {body: []byte("MZ\x90\x00"), name: "letter.pdf", want: library.TroubleUnsupported},
		"HEIC photo":                 {body: []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), want: library.TroubleUnsupported},
		"bytes of no kind":           {body: []byte("\x00\x01\x02\xff\xfe"), want: library.TroubleUnsupported},
		"broken message":             {body: []byte("From: a@b.example\nDate: x\n\nbroken"), want: library.TroubleDamaged},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			ps, troubles, err := opener().Open(t.Context(), pages.Part{Name: tt.name, Body: bytes.NewReader(tt.body)})
			if err != nil || len(ps) != tt.pages {
				t.Fatalf("Open = %d pages, %v, want %d", len(ps), err, tt.pages)
			}
			switch {
			case tt.want == "" && len(troubles) == 0:
			case len(troubles) != 1 || troubles[0].Code != tt.want || troubles[0].Part != 1 || len(troubles[0].Text) < 40:
				t.Errorf("troubles %+v, want one %q with a text for staff", troubles, tt.want)
			}
		})
	}
}

func TestOpenNumbersThroughAllParts(t *testing.T) {
	t.Parallel()

	doc := pdftest.Document(pdftest.Page{Lines: []string{"one"}}, pdftest.Page{Lines: []string{"two"}})
	message := "From: ada@post.example\nDate: today\n\nhello\n--\n" + string(doc) + "--\nfurther words"
	ps, troubles, err := opener().Open(t.Context(),
		pages.Part{Body: strings.NewReader(message)}, pages.Part{Body: strings.NewReader("")}, pages.Part{Body: strings.NewReader("last")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, p := range ps {
		if p.Number != i+1 {
			t.Errorf("page %d is numbered %d", i+1, p.Number)
		}
		got = append(got, p.Lines[0].Text()+" of "+string(rune('0'+p.Part)))
	}
	if want := []string{"hello of 1", "one of 2", "two of 2", "further words of 3", "last of 5"}; !slices.Equal(got, want) {
		t.Errorf("pages %q, want %q", got, want)
	}
	if len(troubles) != 2 || troubles[0].Part != 2 || troubles[1].Part != 4 || troubles[1].Code != library.TroubleEmpty {
		t.Errorf("troubles %+v, want that of the message at part 2 and an empty part 4", troubles)
	}
}

// The logo below the name of a sender is no page; a picture that comes alone is looked at, whatever its size.
func TestOpenPassesOverLogos(t *testing.T) {
	t.Parallel()

	logo := pngOf(t, image.NewGray(image.Rect(0, 0, 220, 64)))
	for name, tt := range map[string]struct {
		parts []pages.Part
		want  int
	}{
		"below a message": {parts: []pages.Part{{Text: true, Body: strings.NewReader("hello")}, {Body: bytes.NewReader(logo)}}, want: 1},
		"alone":           {parts: []pages.Part{{Body: bytes.NewReader(logo)}}, want: 1},
	} {
		ps, troubles, err := opener().Open(t.Context(), tt.parts...)
		if err != nil || len(ps) != tt.want || len(troubles) != 0 {
			t.Errorf("%s: %d pages, %v, %v, want %d", name, len(ps), troubles, err, tt.want)
		}
	}
}

// Words that nobody can see on the page are not believed.
func TestOpenDoubtsHiddenWords(t *testing.T) {
	t.Parallel()

	doc := pdftest.Document(pdftest.Page{Lines: []string{"Patient: Ada Quill"}, Hidden: []string{"Patient: Mark Tarn"}})
	ps, _, err := opener().Open(t.Context(), pages.Part{Body: bytes.NewReader(doc)})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range ps[0].Lines {
		for _, w := range l.Words {
			if hidden := strings.Contains(l.Text(), "Tarn"); hidden != (w.Confidence < 0.5) {
				t.Errorf("word %q has confidence %v", w.Text, w.Confidence)
			}
		}
	}
}

func TestOpenHonoursContext(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := opener().Open(ctx, pages.Part{Body: bytes.NewReader(pdftest.Document(letter))})
	if !errors.Is(err, context.Canceled) || library.KindOf(err) != "" {
		t.Errorf("Open error = %v of kind %q, want one without a kind", err, library.KindOf(err))
	}
}

// An e-mail that is HTML alone reads as if it were typed.
func TestOpenHTML(t *testing.T) {
	t.Parallel()

	const s = `<html><head><style>p {color: red}</style></head><body><div>Patient: <b>Ada</b> Quill<br>DOB: 3/19/1961</div>
		<p>Send&nbsp;it to<p>Dr. Tarn</p><blockquote>old words</blockquote><table><tr><td>MRI</td><td>brain</td></tr></table></body></html>`
	ps, _, err := opener().Open(t.Context(), pages.Part{Body: strings.NewReader(s)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range ps[0].Lines {
		if len(l.Words) > 0 {
			got = append(got, l.Text())
		}
	}
	if want := []string{"Patient: Ada Quill", "DOB: 3/19/1961", "Send it to", "Dr. Tarn", "> old words", "MRI brain"}; !slices.Equal(got, want) {
		t.Errorf("lines %q, want %q", got, want)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()

	b, err := os.ReadFile(name) // #nosec G304 -- a test's own
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// hugePNG is the head of a picture of 60,000 by 60,000 pixels.
func hugePNG() []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	b = binary.BigEndian.AppendUint32(b, 60000)
	b = binary.BigEndian.AppendUint32(b, 60000)
	b = append(b, 8, 0, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("<div>a<blockquote>b</div>&#0;"))
	f.Add([]byte("From: a@b.example\nDate: x\n\nhello\n--\n<html>"))
	f.Add([]byte("\xff\xd8\xffExif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01"))
	f.Add(hugePNG())
	o := &pages.Opener{PDF: refuse{}, TIFF: refuse{}, Pictures: refuse{}, OCR: refuse{}, Mail: mailbag{}}
	f.Fuzz(func(t *testing.T, b []byte) {
		ps, troubles, err := o.Open(t.Context(), pages.Part{Body: bytes.NewReader(b)})
		if err != nil {
			t.Fatal(err)
		}
		if len(ps) == 0 && len(troubles) == 0 {
			t.Error("neither a page nor a trouble")
		}
	})
}

// refuse stands for the children, which have their own tests.
type refuse struct{}

var errRefused = library.Errorf(library.Invalid, "refuse", "", "refused")

func (refuse) Pages(context.Context, []byte) ([]pdf.Page, error)      { return nil, errRefused }
func (refuse) Draw(context.Context, []byte, int, int) ([]byte, error) { return nil, errRefused }
func (refuse) Decode(context.Context, []byte) (*image.Gray, error)    { return nil, errRefused }
func (refuse) PDF(context.Context, []byte) ([]byte, bool, error)      { return nil, false, errRefused }

func (refuse) Page(context.Context, *image.Gray) (library.Page, raster.Turning, error) {
	return library.Page{}, raster.Turning{}, errRefused
}
