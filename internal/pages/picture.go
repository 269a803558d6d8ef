package pages

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"image"
	_ "image/jpeg" // Decoders, chosen by content.
	_ "image/png"
	"io"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/ocr"
	"fileroom/internal/raster"
	"fileroom/internal/sandbox"
)

// A Decoder decodes JPEG and PNG files in child processes: a small file may
// take hours, or be a picture that fills the memory.
type Decoder struct {
	Command []string      // Runs [Main]: sandbox.Self("picture").
	Timeout time.Duration // For one picture; zero means 20 seconds.
}

// Decode returns the picture in gray, turned as its camera says, its longer side no
// longer than [ocr.Longest]. A picture that cannot be decoded is [library.Invalid], with
// [raster.ErrTooLarge] or an error of package sandbox as the reason.
func (d *Decoder) Decode(ctx context.Context, file []byte) (*image.Gray, error) {
	if _, err := size(file); err != nil {
		return nil, err
	}
	timeout := cmp.Or(d.Timeout, 20*time.Second)
	out, err := sandbox.Child{
		Command: d.Command, Timeout: timeout, CPU: timeout, Memory: 3 << 30, // Of address space; the largest picture takes half of it.
		MaxInput: int64(len(file)), MaxOutput: ocr.Longest*ocr.Longest + 64,
	}.Run(ctx, bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	return decodePGM(out)
}

// Main reads a JPEG or PNG file from in and writes the picture to out, as a
// gray PGM. It may take hours and all memory, and is run only as a child process.
func Main(in io.Reader, out io.Writer) error {
	file, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	if _, err := size(file); err != nil {
		return err
	}
	m, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return errors.New("picture cannot be decoded")
	}
	g := raster.Shrink(raster.Gray(m), ocr.Longest)
	_, err = out.Write(raster.EncodePGM(raster.Turn(g, quarters(file))))
	return err
}

// size returns the size in pixels that the head of a file gives; that costs no more than to read the file.
func size(file []byte) (image.Point, error) {
	const op = "read picture"
	c, _, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil || c.Width <= 0 || c.Height <= 0 {
		return image.Point{}, library.Errorf(library.Invalid, op, "", "picture cannot be decoded")
	}
	if c.Width > raster.MaxPixels/c.Height {
		return image.Point{}, library.Errorf(library.Invalid, op, "", "%w", raster.ErrTooLarge)
	}
	return image.Pt(c.Width, c.Height), nil
}

func decodePGM(b []byte) (*image.Gray, error) {
	g, err := raster.DecodePGM(b)
	if err != nil {
		return nil, library.Errorf(library.Invalid, "draw page", "", "%w", err)
	}
	return g, nil
}

// quarters returns by how many quarter turns clockwise a JPEG is to be turned
// (Exif 2.32, tag 0x0112). Mirrored pictures are left as they are.
func quarters(b []byte) int {
	i := bytes.Index(b[:min(len(b), 4096)], []byte("Exif\x00\x00"))
	if i < 0 || len(b) < i+14 {
		return 0
	}
	t := b[i+6:]
	var order binary.ByteOrder = binary.BigEndian
	if t[0] == 'I' {
		order = binary.LittleEndian
	}
	at := int(order.Uint32(t[4:]))
	if at < 8 || at+2 > len(t) || at > 1<<16 {
		return 0
	}
	for n := range int(order.Uint16(t[at:])) {
		e := at + 2 + 12*n
		if e+12 > len(t) {
			return 0
		}
		if order.Uint16(t[e:]) == 0x0112 {
			return map[uint16]int{3: 2, 6: 1, 8: 3}[order.Uint16(t[e+8:])]
		}
	}
	return 0
}
