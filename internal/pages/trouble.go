package pages

import (
	"context"
	"errors"
	"slices"

	"fileroom/internal/library"
	"fileroom/internal/pdf"
	"fileroom/internal/raster"
	"fileroom/internal/sandbox"
	"fileroom/internal/tiff"
)

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

// errLate ends an arrival's context at [Opener.Budget].
var errLate = errors.New("arrival is out of time")

// isLate reports whether the budget has ended ctx, and not the caller.
func isLate(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errLate) }

// late makes the error of what the budget stopped one of the part or page.
func late(ctx context.Context, err error) error {
	if err != nil && isLate(ctx) {
		return library.Errorf(library.Invalid, "open parts", "", "%w: %w", errLate, sandbox.ErrTimeout)
	}
	return err
}

// fail records why the present part gave nothing.
func (w *work) fail(err error, page int) {
	w.troubles = append(w.troubles, troubleOf(err, w.part, page))
}

func (w *work) trouble(code library.TroubleCode, page int) {
	w.troubles = append(w.troubles, library.Trouble{Code: code, Part: w.part, Page: page, Text: advice(code)})
}

// tooLarge records, once, that a part has more than is left of the limits.
func (w *work) tooLarge(part int) {
	said := func(t library.Trouble) bool { return t.Part == part && t.Code == library.TroubleTooLarge }
	if !slices.ContainsFunc(w.troubles, said) {
		w.troubles = append(w.troubles, library.Trouble{Code: library.TroubleTooLarge, Part: part, Text: advice(library.TroubleTooLarge)})
	}
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
		return "This part, or all that came together, is larger than the program opens (50 MB, 200 pages, 40 files, 50 million pixels). Open the rest by hand, or ask for it in smaller pieces."
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
