// Package tiff makes PDF documents of TIFF files, which is what faxes arrive as.
//
// Fax software writes encodings (T.4 in two dimensions, fill bits) that no
// TIFF reader in Go understands, so libtiff's programs do it, in a [sandbox.Child]. The pixels are kept
// as they are, and pages sent at 204 by 98 dots per inch get their right shape.
package tiff

import (
	"cmp"
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/sandbox"
)

// Bounds on one file.
const (
	MaxPages  = 200
	maxPixels = 100 << 20 // A page, before anything decodes it.
)

// Why a file cannot be read, besides the errors of package sandbox. Each
// comes as the reason of a [library.Invalid] error.
var (
	ErrTooLarge = errors.New("has too many pages or pixels")
	ErrDamaged  = errors.New("is damaged")
)

// A Converter makes PDF documents.
type Converter struct {
	Timeout time.Duration // For each step; zero means 20 seconds.
}

// PDF returns the pages of a TIFF file as a PDF document. Partial says that
// some of the picture is lost: a line of a fax that was garbled on the way.
func (c *Converter) PDF(ctx context.Context, file []byte) (doc []byte, partial bool, err error) {
	const op = "read tiff"
	info, _, err := c.run(ctx, file, "tiffinfo", sandbox.Path(0))
	if err != nil && !errors.Is(err, ErrDamaged) {
		return nil, false, err
	}
	if err := check(string(info)); err != nil {
		return nil, false, library.Errorf(library.Invalid, op, "", "%w", err)
	}
	doc, warned, err := c.run(ctx, file, "tiff2pdf", sandbox.Path(0))
	if err == nil && len(doc) > 0 && !warned {
		return doc, false, nil
	}
	if err != nil && !errors.Is(err, ErrDamaged) {
		return nil, false, err
	}
	// tiffcp decodes what can be decoded and writes it anew.
	mended, err := c.mend(ctx, file)
	if err != nil {
		return nil, false, err
	}
	doc, _, err = c.run(ctx, mended, "tiff2pdf", sandbox.Path(0))
	return doc, true, err
}

func (c *Converter) mend(ctx context.Context, file []byte) ([]byte, error) {
	out, err := sandbox.File(nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	_, _, runErr := c.run(ctx, file, "tiffcp", "-i", "-c", "none", sandbox.Path(0), sandbox.Path(1), out)
	if runErr != nil && !errors.Is(runErr, ErrDamaged) {
		return nil, runErr
	}
	mended, err := sandbox.Content(out, maxOutput)
	if err == nil && len(mended) == 0 {
		return nil, library.Errorf(library.Invalid, "read tiff", "", "%w", ErrDamaged)
	}
	return mended, err
}

// maxOutput is bytes: 200 fax pages that are not compressed.
const maxOutput = 128 << 20

// run runs a program on file; arguments that are files follow it. Warned says that it complained.
func (c *Converter) run(ctx context.Context, file []byte, program string, args ...any) (out []byte, warned bool, err error) {
	in, err := sandbox.File(file)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = in.Close() }()
	var complaints strings.Builder
	timeout := cmp.Or(c.Timeout, 20*time.Second)
	child := sandbox.Child{
		Command: []string{program}, Files: []*os.File{in}, Stderr: &complaints,
		Timeout: timeout, CPU: timeout, Memory: 1 << 30, MaxOutput: maxOutput,
	}
	for _, a := range args {
		switch a := a.(type) {
		case string:
			child.Command = append(child.Command, a)
		case *os.File:
			child.Files = append(child.Files, a)
		}
	}
	out, err = child.Run(ctx, nil)
	if errors.Is(err, sandbox.ErrCrashed) {
		err = library.Errorf(library.Invalid, "read tiff", "", "%w", ErrDamaged)
	}
	return out, strings.Contains(complaints.String(), "Fax"), err
}

// check refuses, from the words of tiffinfo, what is too large or no page at all.
func check(info string) error {
	pages := 0
	for line := range strings.Lines(info) {
		// "  Image Width: 1728 Image Length: 2200"
		f := strings.Fields(line)
		if len(f) < 6 || f[0] != "Image" || f[1] != "Width:" || f[4] != "Length:" {
			continue
		}
		w, errW := strconv.Atoi(f[2])
		h, errH := strconv.Atoi(f[5])
		if errW != nil || errH != nil || w <= 0 || h <= 0 {
			return ErrDamaged
		}
		if pages++; pages > MaxPages || w > maxPixels/h {
			return ErrTooLarge
		}
	}
	if pages == 0 {
		return ErrDamaged
	}
	return nil
}
