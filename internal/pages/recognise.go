package pages

import (
	"context"
	"image"
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
	sketch = 1100 // To look for ink.
	full   = 2200 // To read it: 200 dots per inch on letter paper.
)

// look draws one page and reads it, or finds its ink.
func (w *work) look(ctx context.Context, t picture) ([]library.Trouble, error) {
	if ctx.Err() != nil { // Before the file is copied for a child that cannot start.
		return nil, context.Cause(ctx)
	}
	p := &w.pages[t.page]
	if t.read {
		read, err := w.read(ctx, t)
		if err != nil {
			return nil, err
		}
		*p = read
		return illegible(read), nil
	}
	g, err := t.draw(ctx, sketch)
	if err != nil {
		return nil, err
	}
	hidden(p, g)
	if inked(*p) < 0.25 {
		return nil, nil
	}
	// The text layer leaves out much of what is to be seen.
	read, err := w.read(ctx, t)
	if err == nil && words(read) > words(*p)*3/2 {
		*p = read
	}
	return nil, err
}

// read reads a page from a drawing.
func (w *work) read(ctx context.Context, t picture) (library.Page, error) {
	g, err := t.draw(ctx, full)
	if err != nil {
		return library.Page{}, err
	}
	read, err := w.OCR.Page(ctx, g)
	read.Number, read.Part = w.pages[t.page].Number, w.pages[t.page].Part
	return read, err
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
