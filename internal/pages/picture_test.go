package pages_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/png"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/ocr"
	"fileroom/internal/pages"
	"fileroom/internal/pdf"
	"fileroom/internal/pdf/pdftest"
	"fileroom/internal/raster"
	"fileroom/internal/sandbox"
)

// patience is for children that the race detector makes slow, on a machine that
// does other things as well.
const patience = 5 * time.Minute

// progressive is a JPEG (ITU-T T.81) of one gray level, whose decoder visits
// every block again for each of so many scans of a few bytes each.
func progressive(side, components, scans int) []byte {
	segment := func(b []byte, marker byte, body ...byte) []byte {
		b = append(b, 0xff, marker)
		b = binary.BigEndian.AppendUint16(b, uint16(2+len(body)))
		return append(b, body...)
	}
	b := []byte{0xff, 0xd8}
	b = segment(b, 0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...) // DQT
	size := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{8}, uint16(side)), uint16(side))
	frame := append(size, byte(components))
	all := []byte{byte(components)}
	for i := range components {
		frame, all = append(frame, byte(1+i), 0x11, 0), append(all, byte(1+i), 0)
	}
	b = segment(b, 0xc2, frame...) // SOF2

	one := func(class, symbol byte) []byte {
		return slices.Concat([]byte{class, 1}, make([]byte, 15), []byte{symbol})
	}
	b = segment(b, 0xc4, one(0x00, 0)...)    // DHT: the bit 0 says that DC is as it was.
	b = segment(b, 0xc4, one(0x10, 0xe0)...) // DHT: the bit 0 and 14 more say for how many blocks AC is zero.
	b = segment(b, 0xda, append(all, 0, 0, 0)...)
	blocks := (side + 7) / 8 * ((side + 7) / 8)
	b = append(b, make([]byte, (blocks*components+7)/8)...)
	for range scans {
		b = segment(b, 0xda, 1, 1, 0, 1, 63, 0)
		b = append(b, make([]byte, (blocks/(1<<14)+1)*15/8+1)...)
	}
	return append(b, 0xff, 0xd9)
}

func TestDecode(t *testing.T) {
	t.Parallel()

	dot := image.NewGray(image.Rect(0, 0, 300, 200)) // Black, with white at its upper left.
	for y := range 50 {
		for x := range 50 {
			dot.SetGray(x, y, color.Gray{Y: 255})
		}
	}
	plain := jpegOf(t, dot)
	exif := slices.Concat(plain[:2], []byte("\xff\xe1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"), plain[2:])
	tests := map[string]struct {
		file    []byte
		timeout time.Duration
		size    image.Point
		white   image.Point
		err     error
	}{
		"JPEG":                           {file: plain, size: image.Pt(300, 200), white: image.Pt(20, 20)},
		"JPEG turned by its camera":      {file: exif, size: image.Pt(200, 300), white: image.Pt(180, 20)},
		"PNG":                            {file: pngOf(t, dot), size: image.Pt(300, 200), white: image.Pt(20, 20)},
		"PNG larger than is read":        {file: pngOf(t, image.NewPaletted(image.Rect(0, 0, 7000, 7000), color.Palette{color.White})), size: image.Pt(ocr.Longest, ocr.Longest), white: image.Pt(20, 20)},
		"too many pixels":                {file: hugePNG(), err: raster.ErrTooLarge},
		"ends early":                     {file: plain[:len(plain)/2], err: sandbox.ErrCrashed},
		"one that takes most memory":     {file: progressive(7200, 3, 1), size: image.Pt(ocr.Longest, ocr.Longest), white: image.Pt(-1, -1)},
		"one of a hundred thousand laps": {file: progressive(4000, 1, 100_000), timeout: time.Second, err: sandbox.ErrTimeout},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, err := (&pages.Decoder{Command: sandbox.Self("picture"), Timeout: cmp.Or(tt.timeout, patience)}).Decode(t.Context(), tt.file)
			if !errors.Is(err, tt.err) || err != nil && library.KindOf(err) != library.Invalid {
				t.Fatalf("Decode error = %v of kind %q, want %v", err, library.KindOf(err), tt.err)
			}
			if err != nil {
				return
			}
			if got.Rect.Size() != tt.size {
				t.Fatalf("picture is %v, want %v", got.Rect.Size(), tt.size)
			}
			if tt.white.X >= 0 && got.GrayAt(tt.white.X, tt.white.Y).Y < 200 {
				t.Errorf("picture is dark at %v, want it white", tt.white)
			}
		})
	}
}

// However many pictures come, no more of them are in memory than are read at once.
func TestOpenHoldsFewPictures(t *testing.T) {
	t.Parallel()

	file := pngOf(t, image.NewPaletted(image.Rect(0, 0, 2000, 2000), color.Palette{color.White}))
	var parts []pages.Part
	for range 20 {
		parts = append(parts, pages.Part{Body: bytes.NewReader(file)})
	}
	o := opener()
	counted := &counter{Pictures: pictures}
	o.Pictures, o.OCR, o.Workers = counted, counted, 2
	ps, troubles, err := o.Open(t.Context(), parts...)
	if err != nil || len(ps) != 20 || len(troubles) != 0 {
		t.Fatalf("Open = %d pages, %v, %v, want 20", len(ps), troubles, err)
	}
	if most := counted.most.Load(); most > 2 {
		t.Errorf("%d pictures were held at once, want 2 at most", most)
	}
}

// A counter counts the pictures that are decoded and not yet read.
type counter struct {
	pages.Pictures
	held, most atomic.Int64
}

func (c *counter) Decode(ctx context.Context, file []byte) (*image.Gray, error) {
	n := c.held.Add(1)
	for m := c.most.Load(); n > m && !c.most.CompareAndSwap(m, n); m = c.most.Load() {
	}
	return c.Pictures.Decode(ctx, file)
}

func (c *counter) Page(context.Context, *image.Gray) (library.Page, raster.Turning, error) {
	c.held.Add(-1)
	return library.Page{Source: library.SourceOCR}, raster.Turning{}, nil
}

// slow never ends by itself.
type slow struct{}

func (slow) Decode(ctx context.Context, _ []byte) (*image.Gray, error) {
	<-ctx.Done()
	return nil, library.Fault("decode", "", context.Cause(ctx))
}

func (slow) Pages(ctx context.Context, _ []byte) ([]pdf.Page, error) {
	<-ctx.Done()
	return nil, library.Fault("read", "", context.Cause(ctx))
}
func (slow) Draw(context.Context, []byte, int, int) ([]byte, error) { return nil, errRefused }

// An arrival that is out of time gives what was read, and says of each other part that it was not.
func TestOpenKeepsToItsBudget(t *testing.T) {
	t.Parallel()

	picture, doc := pngOf(t, drawnBlank()), pdftest.Document(letter)
	parts := func() []pages.Part {
		return []pages.Part{
			{Text: true, Body: strings.NewReader("hello")},
			{Body: bytes.NewReader(picture)},
			{Body: bytes.NewReader(picture)},
			{Body: bytes.NewReader(doc)},
			{Text: true, Body: strings.NewReader("last")},
		}
	}
	o := opener()
	o.Pictures, o.PDF, o.Budget, o.Workers = slow{}, slow{}, 100*time.Millisecond, 1
	ps, troubles, err := o.Open(t.Context(), parts()...)
	if err != nil {
		t.Fatal(err)
	}
	if len(ps) != 4 || ps[0].Lines[0].Text() != "hello" || ps[3].Lines[0].Text() != "last" {
		t.Errorf("%d pages, want the words and the pages of the pictures", len(ps))
	}
	var late []int
	for _, tr := range troubles {
		if tr.Code == library.TroubleTimeout {
			late = append(late, tr.Part)
		}
	}
	if slices.Sort(late); !slices.Equal(late, []int{2, 3, 4}) || len(troubles) != 3 {
		t.Errorf("troubles %+v, want timeouts of parts 2, 3 and 4", troubles)
	}

	// The caller's own deadline is a fault that may pass.
	o.Budget = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := o.Open(ctx, parts()...); !errors.Is(err, context.DeadlineExceeded) || library.KindOf(err) != "" {
		t.Errorf("Open error = %v of kind %q, want a deadline without a kind", err, library.KindOf(err))
	}
}

func drawnBlank() image.Image { return image.NewGray(image.Rect(0, 0, 400, 400)) }

// All parts together stay within the limits, and whatever is left out is told.
func TestOpenBoundsTheWhole(t *testing.T) {
	t.Parallel()

	files := func(n int, file []byte) (parts []pages.Part) {
		for range n {
			parts = append(parts, pages.Part{Body: bytes.NewReader(file)})
		}
		return parts
	}
	big := pngOf(t, image.NewPaletted(image.Rect(0, 0, 7000, 7000), color.Palette{color.White})) // 49 million pixels
	tests := map[string]struct {
		parts []pages.Part
		pages int
		first int // Part of the first trouble, the others follow.
	}{
		"pictures":   {parts: files(pages.MaxParsed+3, pngOf(t, drawnBlank())), pages: pages.MaxParsed, first: pages.MaxParsed + 1},
		"pixels":     {parts: files(15, big), pages: 12, first: 13},
		"words":      {parts: files(4, bytes.Repeat([]byte("word word word\n"), 10_000)), pages: 4, first: 3},
		"lines":      {parts: files(4, append(bytes.Repeat([]byte("\n"), 40_000), 'x')), pages: 4, first: 3},
		"long line":  {parts: files(2, bytes.Repeat([]byte("w "), 90_000)), pages: 2, first: 2},
		"long words": {parts: files(1, bytes.Repeat([]byte("w"), 2<<20)), pages: 1, first: 1},
		"text pages": {parts: files(pages.MaxPages+2, []byte("Dear Library")), pages: pages.MaxPages, first: pages.MaxPages + 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			o := opener()
			o.Pictures, o.OCR = blank{}, blank{}
			ps, troubles, err := o.Open(t.Context(), tt.parts...)
			if err != nil || len(ps) != tt.pages {
				t.Fatalf("Open = %d pages, %v, want %d", len(ps), err, tt.pages)
			}
			if len(troubles) != len(tt.parts)-tt.first+1 {
				t.Fatalf("%d troubles, want one for each part from %d", len(troubles), tt.first)
			}
			for i, tr := range troubles {
				if tr.Code != library.TroubleTooLarge || tr.Part != tt.first+i {
					t.Errorf("trouble %+v, want too-large of part %d", tr, tt.first+i)
				}
			}
			n := 0
			for _, p := range ps {
				n += len(p.Lines)
				for _, l := range p.Lines {
					n += len(l.Words)
				}
			}
			if n > pages.MaxWords {
				t.Errorf("%d words and lines, want %d at most", n, pages.MaxWords)
			}
		})
	}
}

// blank stands for pictures with nothing on them.
type blank struct{}

func (blank) Decode(context.Context, []byte) (*image.Gray, error) {
	return image.NewGray(image.Rect(0, 0, 1, 1)), nil
}

func (blank) Page(context.Context, *image.Gray) (library.Page, raster.Turning, error) {
	return library.Page{}, raster.Turning{}, nil
}

func FuzzMain(f *testing.F) {
	small := image.NewGray(image.Rect(0, 0, 20, 10))
	for _, b := range [][]byte{hugePNG(), progressive(16, 3, 2), []byte("\xff\xd8\xffExif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01")} {
		f.Add(b)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, small); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, _, err := image.DecodeConfig(bytes.NewReader(b)); err == nil && c.Width*c.Height > 1<<20 {
			t.Skip("takes memory, as it may in a child")
		}
		var out bytes.Buffer
		if pages.Main(bytes.NewReader(b), &out) != nil {
			return
		}
		g, err := raster.DecodePGM(out.Bytes())
		if err != nil || max(g.Rect.Dx(), g.Rect.Dy()) > ocr.Longest {
			t.Errorf("Main wrote %v, %v, want a picture of at most %d pixels", g, err, ocr.Longest)
		}
	})
}
