package pages

import (
	"cmp"
	"context"
	"image"
	"io"
	"slices"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/pdf"
	"fileroom/internal/raster"
)

// Bounds on one arrival: on one of its parts, and on all together.
const (
	MaxPart   = 50 << 20    // Bytes in one part.
	MaxPages  = 200         // Pages.
	MaxParsed = 40          // Parts that a parser must open: PDF, TIFF and pictures.
	MaxPixels = 600_000_000 // Pixels in JPEG and PNG files; pages are drawn to a size of ours.
	MaxWords  = 100_000     // Words and lines; a page has some hundreds.
	maxHeld   = 256 << 20   // Bytes of faxes made into documents, which wait to be drawn.
)

// A PDF reads PDF documents; [pdf.Reader] does.
type PDF interface {
	Pages(ctx context.Context, doc []byte) ([]pdf.Page, error)
	Draw(ctx context.Context, doc []byte, page, pixels int) ([]byte, error)
}

// A TIFF makes PDF documents of TIFF files; [tiff.Converter] does.
type TIFF interface {
	PDF(ctx context.Context, file []byte) (doc []byte, partial bool, err error)
}

// An OCR reads pictures of pages; ocr.Recognizer does. It leaves the picture as
// it is; words and ink stand where they are on the picture after the turning.
type OCR interface {
	Page(ctx context.Context, picture *image.Gray) (library.Page, raster.Turning, error)
}

// Pictures decode JPEG and PNG files; [Decoder] does.
type Pictures interface {
	Decode(ctx context.Context, file []byte) (*image.Gray, error)
}

// A Mail takes messages apart. It gives the words of the message itself as a
// part of text, then the attachments in order, and so on inside a message that is attached.
type Mail interface {
	Parts(ctx context.Context, message []byte) ([]Part, []library.Trouble, error)
}

// A Part is one file of an arrival, or the words of a message.
type Part struct {
	Name        string // As the sender calls it; not believed.
	ContentType string // As the sender says; not believed but for text.
	Text        bool   // Body is the words of a message or a page: UTF-8 text.
	Body        io.Reader
}

// An Opener opens parts.
type Opener struct {
	PDF      PDF
	TIFF     TIFF
	Pictures Pictures
	OCR      OCR
	Mail     Mail // May be nil: messages are then not opened.

	// Keep keeps the picture of a page for [library.Page.Picture]: a gray PNG file of at
	// most 1650 pixels a side, in which the page's words and ink stand at their boxes. The
	// same page gives the same file. It is called by several pages at once; when it fails,
	// so does Open. Nil keeps none.
	Keep func(ctx context.Context, png io.Reader) (digest string, err error)

	// Workers is how many pages are read at once; zero means one for each processor.
	Workers int
	// Budget is how long one arrival may take; zero means 10 minutes. What is
	// not read by then is a [library.TroubleTimeout].
	Budget time.Duration
}

// Open opens the parts of one arrival, in order.
func (o *Opener) Open(ctx context.Context, parts ...Part) ([]library.Page, []library.Trouble, error) {
	w := &work{Opener: o}
	ctx, cancel := context.WithTimeoutCause(ctx, cmp.Or(o.Budget, 10*time.Minute), errLate)
	defer cancel()
	for _, p := range parts {
		w.part++
		if err := w.open(ctx, p, 0); err != nil {
			return nil, nil, err
		}
	}
	if err := w.recognise(ctx); err != nil {
		return nil, nil, err
	}
	w.words = 0
	for i := range w.pages { // Once more, with the words read from pictures.
		w.fit(&w.pages[i])
	}
	return w.pages, w.troubles, nil
}

// work is one arrival being opened. Pages whose words are yet to be read from
// a picture wait in todo, so that they can be read side by side.
type work struct {
	*Opener
	part     int
	pages    []library.Page
	troubles []library.Trouble
	todo     []picture

	parsed int // Parts that a parser opened.
	pixels int // In pictures.
	held   int // Bytes of documents made here.
	words  int // Words and lines in pages.
}

// A picture is a page, by its index, whose words or ink are to be found by
// drawing it.
type picture struct {
	page int
	read bool // The words as well, not only ink.
	draw func(ctx context.Context, pixels int) (*image.Gray, error)
}

// smallest is the shorter side in pixels of a picture that can be a page.
const smallest = 200

// maxDepth is how deep a message may lie in messages.
const maxDepth = 3

func (w *work) open(ctx context.Context, p Part, depth int) error {
	body, err := io.ReadAll(io.LimitReader(p.Body, MaxPart+1))
	if err != nil {
		return library.Fault("open part", "", err)
	}
	if len(body) > MaxPart {
		w.trouble(library.TroubleTooLarge, 0)
		return nil
	}
	switch k := kindOf(body, p); k {
	case kindEmpty:
		w.trouble(library.TroubleEmpty, 0)
	case kindText:
		w.text(body, func(s string) string { return s })
	case kindHTML:
		w.text(body, textOfHTML)
	case kindPDF, kindTIFF:
		if !w.parse() {
			w.trouble(library.TroubleTooLarge, 0)
			return nil
		}
		if k == kindTIFF {
			return w.tiff(ctx, body)
		}
		return w.pdf(ctx, body)
	case kindPicture:
		w.picture(body)
	case kindMail:
		return w.mail(ctx, body, depth)
	default:
		w.unsupported(k)
	}
	return nil
}

// parse counts a part that a parser must open, and reports whether it may.
func (w *work) parse() bool {
	w.parsed++
	return w.parsed <= MaxParsed
}

func (w *work) mail(ctx context.Context, body []byte, depth int) error {
	if w.Mail == nil || depth >= maxDepth {
		w.unsupported(kindMail)
		return nil
	}
	parts, troubles, err := w.Mail.Parts(ctx, body)
	err = late(ctx, err)
	if library.KindOf(err) == library.Invalid {
		w.fail(err, 0)
		return nil
	}
	if err != nil {
		return err
	}
	first := w.part
	for _, t := range troubles {
		t.Part += first - 1
		w.troubles = append(w.troubles, t)
	}
	for i, p := range parts {
		if i > 0 {
			w.part++
		}
		if err := w.open(ctx, p, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) pdf(ctx context.Context, doc []byte) error {
	found, err := w.PDF.Pages(ctx, doc)
	err = late(ctx, err)
	if library.KindOf(err) == library.Invalid {
		w.fail(err, 0)
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range found {
		i, ok := w.add(p.Page)
		if !ok {
			return nil
		}
		n := p.Number
		w.todo = append(w.todo, picture{page: i, read: p.Picture, draw: func(ctx context.Context, pixels int) (*image.Gray, error) {
			b, err := w.PDF.Draw(ctx, doc, n, pixels)
			if err != nil {
				return nil, err
			}
			return decodePGM(b)
		}})
	}
	return nil
}

func (w *work) tiff(ctx context.Context, file []byte) error {
	doc, partial, err := w.TIFF.PDF(ctx, file)
	err = late(ctx, err)
	if library.KindOf(err) == library.Invalid {
		w.fail(err, 0)
		return nil
	}
	if err != nil {
		return err
	}
	if w.held += len(doc); w.held > maxHeld {
		w.trouble(library.TroubleTooLarge, 0)
		return nil
	}
	if partial {
		w.troubles = append(w.troubles, library.Trouble{
			Code: library.TroubleDamaged, Part: w.part,
			Text: "Lines of this fax were lost on the way. Compare the reading with the picture; ask for it again if it matters.",
		})
	}
	return w.pdf(ctx, doc)
}

// picture adds a page for a JPEG or PNG file, which is decoded when its turn comes.
func (w *work) picture(file []byte) {
	size, err := size(file)
	if err != nil {
		w.fail(err, 0)
		return
	}
	if w.part > 1 && min(size.X, size.Y) < smallest {
		return // A logo below somebody's name.
	}
	if w.pixels+size.X*size.Y > MaxPixels || !w.parse() {
		w.trouble(library.TroubleTooLarge, 0)
		return
	}
	w.pixels += size.X * size.Y
	if i, ok := w.add(library.Page{Source: library.SourceOCR}); ok {
		w.todo = append(w.todo, picture{page: i, read: true, draw: func(ctx context.Context, _ int) (*image.Gray, error) {
			return w.Pictures.Decode(ctx, file)
		}})
	}
}

func (w *work) text(body []byte, plain func(string) string) {
	if len(body) > maxText {
		w.tooLarge(w.part)
	}
	lines := linesOf(plain(string(body[:min(len(body), maxText)])), MaxWords-w.words+2) // More than fits, so that what is left out is noticed.
	if len(lines) == 0 {
		w.trouble(library.TroubleEmpty, 0)
		return
	}
	w.add(library.Page{Source: library.SourceMail, Lines: lines})
}

// add numbers p and returns its index, or false beyond the limit.
func (w *work) add(p library.Page) (int, bool) {
	p.Number, p.Part = len(w.pages)+1, w.part
	if len(w.pages) == MaxPages {
		w.tooLarge(w.part)
		return 0, false
	}
	w.fit(&p)
	w.pages = append(w.pages, p)
	return len(w.pages) - 1, true
}

// fit cuts p to the words and lines that are left of [MaxWords].
func (w *work) fit(p *library.Page) {
	for i, l := range p.Lines {
		left := MaxWords - w.words - 1
		if len(l.Words) > left {
			p.Lines = slices.Clone(p.Lines[:i]) // Lets go of the rest.
			if left > 0 {
				p.Lines = append(p.Lines, library.Line{Words: slices.Clone(l.Words[:left])})
			}
			w.words = MaxWords
			w.tooLarge(p.Part)
			return
		}
		w.words += 1 + len(l.Words)
	}
}
