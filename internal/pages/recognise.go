package pages

import (
	"bytes"
	"cmp"
	"context"
	"image"
	"image/png"
	"runtime"
	"sync"

	"fileroom/internal/library"
	"fileroom/internal/raster"
)

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
				if err = late(ctx, err); library.KindOf(err) == library.Invalid {
					p := w.pages[w.todo[i].page]
					found = []library.Trouble{troubleOf(err, p.Part, p.Number)}
				} else if err != nil {
					cancel(err)
				}
				troubles[i] = found
				w.todo[i].draw = nil // Lets go of the file.
			}
		})
	}
	for i := range w.todo {
		if ctx.Err() != nil && !isLate(ctx) {
			break
		}
		next <- i
	}
	close(next)
	group.Wait()
	for _, t := range troubles {
		w.troubles = append(w.troubles, t...)
	}
	if ctx.Err() != nil && !isLate(ctx) {
		return library.Fault("open parts", "", context.Cause(ctx))
	}
	return nil
}

// The length in pixels of the longer side of a page that is drawn.
const (
	shown = 1650 // To show it and to look for ink: 150 dots per inch on letter paper.
	full  = 2200 // To read it: 200 dots per inch.
)

// look draws one page and reads it, or finds its ink, and keeps its picture.
func (w *work) look(ctx context.Context, t picture) ([]library.Trouble, error) {
	if ctx.Err() != nil { // Before the file is copied for a child that cannot start.
		return nil, context.Cause(ctx)
	}
	p := &w.pages[t.page]
	if t.read {
		g, err := t.draw(ctx, full)
		if err != nil {
			return nil, err
		}
		read, face, err := w.read(ctx, *p, g)
		if err != nil { // Somebody must read it by eye.
			return nil, cmp.Or(w.keep(ctx, p, face), err)
		}
		*p = read
		return illegible(read), w.keep(ctx, p, face)
	}
	face, err := t.draw(ctx, shown)
	if err != nil {
		return nil, err
	}
	hidden(p, face)
	if inked(*p) >= 0.25 { // The text layer leaves out much of what is to be seen.
		face, err = w.again(ctx, t, face)
	}
	return nil, cmp.Or(w.keep(ctx, p, face), err)
}

// again reads a page with a text layer from a drawing, if that says more, and
// returns the picture on which the words stand.
func (w *work) again(ctx context.Context, t picture, face *image.Gray) (*image.Gray, error) {
	g, err := t.draw(ctx, full)
	if err != nil {
		return face, err
	}
	p := &w.pages[t.page]
	read, turned, err := w.read(ctx, *p, g)
	if err != nil || words(read) <= words(*p)*3/2 {
		return face, err
	}
	*p = read
	return turned, nil
}

// read reads page p from its drawing g, and returns the picture on which the
// words stand: as it was drawn, but as they were read.
func (w *work) read(ctx context.Context, p library.Page, g *image.Gray) (library.Page, *image.Gray, error) {
	read, how, err := w.OCR.Page(ctx, g)
	read.Number, read.Part = p.Number, p.Part
	if w.Keep != nil {
		g = how.Turn(raster.Shrink(g, shown))
	}
	return read, g, err
}

// keep keeps the picture of page p, in 16 steps of gray: the noise of a scanner
// would fill the vault, and nobody sees it. A page that was read as time ran out has none.
func (w *work) keep(ctx context.Context, p *library.Page, face *image.Gray) error {
	if w.Keep == nil {
		return nil
	}
	for i, v := range face.Pix {
		face.Pix[i] = (v/17 + v%17/9) * 17 // 0 stays 0, and 255 stays 255.
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, face); err != nil {
		return library.Fault("keep picture of page", "", err)
	}
	digest, err := w.Keep(ctx, &b)
	if err != nil {
		if isLate(ctx) {
			return nil
		}
		return library.Fault("keep picture of page", "", err)
	}
	p.Picture = digest
	return nil
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
