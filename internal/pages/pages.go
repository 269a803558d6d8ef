package pages

import (
	"context"
	"errors"
	"image"
	"io"
	"runtime"
	"sync"

	"fileroom/internal/library"
	"fileroom/internal/pdf"
	"fileroom/internal/raster"
	"fileroom/internal/sandbox"
	"fileroom/internal/tiff"
)

// Bounds on one arrival.
const (
	MaxPart  = 50 << 20 // Bytes in one part.
	MaxPages = 200      // Pages in all parts together.
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

// An OCR reads pictures of pages; ocr.Recognizer does.
type OCR interface {
	Page(ctx context.Context, picture *image.Gray) (library.Page, error)
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
	PDF  PDF
	TIFF TIFF
	OCR  OCR
	Mail Mail // May be nil: messages are then not opened.

	// Workers is how many pages are read at once; zero means one for each processor.
	Workers int
}

// Open opens the parts of one arrival, in order.
func (o *Opener) Open(ctx context.Context, parts ...Part) ([]library.Page, []library.Trouble, error) {
	w := &work{Opener: o}
	for _, p := range parts {
		w.part++
		if err := w.open(ctx, p, 0); err != nil {
			return nil, nil, err
		}
	}
	if err := w.recognise(ctx); err != nil {
		return nil, nil, err
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
		w.text(string(body))
	case kindHTML:
		w.text(textOfHTML(string(body)))
	case kindPDF:
		return w.pdf(ctx, body)
	case kindTIFF:
		return w.tiff(ctx, body)
	case kindPicture:
		w.picture(body)
	case kindMail:
		return w.mail(ctx, body, depth)
	default:
		w.unsupported(k)
	}
	return nil
}

func (w *work) mail(ctx context.Context, body []byte, depth int) error {
	if w.Mail == nil || depth >= maxDepth {
		w.unsupported(kindMail)
		return nil
	}
	parts, troubles, err := w.Mail.Parts(ctx, body)
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
	if library.KindOf(err) == library.Invalid {
		w.fail(err, 0)
		return nil
	}
	if err != nil {
		return err
	}
	if partial {
		w.troubles = append(w.troubles, library.Trouble{
			Code: library.TroubleDamaged, Part: w.part,
			Text: "Lines of this fax were lost on the way. Compare the reading with the picture; ask for it again if it matters.",
		})
	}
	return w.pdf(ctx, doc)
}

func (w *work) picture(file []byte) {
	g, err := decodePicture(file)
	if err != nil {
		w.fail(err, 0)
		return
	}
	if w.part > 1 && min(g.Rect.Dx(), g.Rect.Dy()) < smallest {
		return // A logo below somebody's name.
	}
	if i, ok := w.add(library.Page{Source: library.SourceOCR}); ok {
		w.todo = append(w.todo, picture{page: i, read: true, draw: func(context.Context, int) (*image.Gray, error) { return g, nil }})
	}
}

func (w *work) text(s string) {
	lines := linesOf(s)
	if len(lines) == 0 {
		w.trouble(library.TroubleEmpty, 0)
		return
	}
	w.add(library.Page{Source: library.SourceMail, Lines: lines})
}

// add numbers p and returns its index, or false beyond the limit.
func (w *work) add(p library.Page) (int, bool) {
	if len(w.pages) == MaxPages {
		if n := len(w.troubles); n == 0 || w.troubles[n-1].Code != library.TroubleTooLarge || w.troubles[n-1].Part != w.part {
			w.trouble(library.TroubleTooLarge, 0)
		}
		return 0, false
	}
	p.Number, p.Part = len(w.pages)+1, w.part
	w.pages = append(w.pages, p)
	return len(w.pages) - 1, true
}

// recognise reads the pictures side by side.
func (w *work) recognise(ctx context.Context) error {
	workers := w.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	troubles := make([][]library.Trouble, len(w.todo))
	next := make(chan int)
	var group sync.WaitGroup
	for range min(workers, len(w.todo)) {
		group.Go(func() {
			for i := range next {
				found, err := w.look(ctx, w.todo[i])
				if err != nil {
					cancel(err)
				}
				troubles[i] = found
			}
		})
	}
	for i := range w.todo {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	group.Wait()
	for _, t := range troubles {
		w.troubles = append(w.troubles, t...)
	}
	if ctx.Err() != nil {
		return library.Fault("open parts", "", context.Cause(ctx))
	}
	return nil
}

// The length in pixels of the longer side of a page that is drawn.
const (
	sketch = 1100 // To look for ink.
	full   = 2200 // To read it: 200 dots per inch on letter paper.
)

// look draws one page and reads it, or finds its ink.
func (w *work) look(ctx context.Context, t picture) ([]library.Trouble, error) {
	p := &w.pages[t.page]
	pixels := sketch
	if t.read {
		pixels = full
	}
	g, err := t.draw(ctx, pixels)
	if err == nil && t.read {
		number, part := p.Number, p.Part
		var read library.Page
		if read, err = w.OCR.Page(ctx, g); err == nil {
			read.Number, read.Part = number, part
			*p = read
			return illegible(read), nil
		}
	}
	switch {
	case library.KindOf(err) == library.Invalid:
		return []library.Trouble{troubleOf(err, p.Part, p.Number)}, nil
	case err != nil:
		return nil, err
	}
	hidden(p, g)
	if inked(*p) < 0.25 {
		return nil, nil
	}
	return w.again(ctx, t)
}

// again reads from a drawing a page whose text layer leaves out much of what
// is to be seen, and keeps that reading if it has more words.
func (w *work) again(ctx context.Context, t picture) ([]library.Trouble, error) {
	p := &w.pages[t.page]
	g, err := t.draw(ctx, full)
	if err == nil {
		var read library.Page
		if read, err = w.OCR.Page(ctx, g); err == nil {
			if words(read) > words(*p)*3/2 {
				read.Number, read.Part = p.Number, p.Part
				*p = read
			}
			return nil, nil
		}
	}
	if library.KindOf(err) == library.Invalid {
		return []library.Trouble{troubleOf(err, p.Part, p.Number)}, nil
	}
	return nil, err
}

// inked returns which share of a page its ink takes.
func inked(p library.Page) float64 {
	sum := 0.0
	for _, i := range p.Ink {
		sum += i.Box.W * i.Box.H
	}
	return sum
}

func words(p library.Page) int {
	n := 0
	for _, l := range p.Lines {
		n += len(l.Words)
	}
	return n
}

// hidden finds the ink of a page with a text layer, and doubts the words that nobody can see.
func hidden(p *library.Page, g *image.Gray) {
	var boxes []library.Box
	for i := range p.Lines {
		for j := range p.Lines[i].Words {
			word := &p.Lines[i].Words[j]
			if word.Box == nil {
				continue
			}
			if !raster.Visible(g, *word.Box) {
				word.Confidence = min(word.Confidence, 0.2)
			}
			boxes = append(boxes, *word.Box)
		}
	}
	p.Ink = raster.Ink(g, boxes)
}

// illegible tells of a page that was read with too little confidence to be of use.
func illegible(p library.Page) []library.Trouble {
	var letters, sum float64
	for _, l := range p.Lines {
		for _, w := range l.Words {
			n := float64(len(w.Text))
			letters, sum = letters+n, sum+n*w.Confidence
		}
	}
	if letters == 0 && len(p.Ink) == 0 || letters > 0 && sum/letters >= 0.5 {
		return nil
	}
	return []library.Trouble{{
		Code: library.TroubleIllegible, Part: p.Part, Page: p.Number,
		Text: "This page could not be read well: handwriting, or a poor picture. Read it by eye, or ask for a clearer copy.",
	}}
}

// fail records why the present part gave nothing.
func (w *work) fail(err error, page int) {
	w.troubles = append(w.troubles, troubleOf(err, w.part, page))
}

func (w *work) trouble(code library.TroubleCode, page int) {
	w.troubles = append(w.troubles, library.Trouble{Code: code, Part: w.part, Page: page, Text: advice(code)})
}

func troubleOf(err error, part, page int) library.Trouble {
	code := library.TroubleDamaged
	switch {
	case errors.Is(err, pdf.ErrEncrypted):
		code = library.TroubleEncrypted
	case errors.Is(err, sandbox.ErrTimeout):
		code = library.TroubleTimeout
	case errors.Is(err, pdf.ErrTooMany), errors.Is(err, tiff.ErrTooLarge), errors.Is(err, raster.ErrTooLarge),
		errors.Is(err, sandbox.ErrOutput), errors.Is(err, sandbox.ErrInput):
		code = library.TroubleTooLarge
	}
	return library.Trouble{Code: code, Part: part, Page: page, Text: advice(code)}
}

func advice(code library.TroubleCode) string {
	switch code {
	case library.TroubleEmpty:
		return "There is nothing in this part. If something was meant to be attached, ask the sender for it."
	case library.TroubleTooLarge:
		return "This part is larger than the program opens (50 MB, 200 pages, 50 million pixels). Open it by hand, or ask for it in smaller pieces."
	case library.TroubleTimeout:
		return "Reading this part was stopped at its limit of time or memory, as a harmful file would be. Do not open it; ask the sender for a fresh PDF, a photo or a fax."
	case library.TroubleEncrypted:
		return "This file needs a password. Ask the sender for a copy without one, never for the password by e-mail."
	case library.TroubleDamaged:
		return "This file is broken. Ask the sender to send it again, as a PDF or a photo."
	case library.TroubleUnsupported:
		return "The program does not open this kind of file. Ask the sender for a PDF, a photo (JPEG) or a fax."
	case library.TroubleIllegible:
		return "This page could not be read well. Read it by eye, or ask for a clearer copy."
	}
	return ""
}
