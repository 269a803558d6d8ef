// Package tifftest writes small black-and-white TIFF files for tests, as fax software does.
package tifftest

import (
	"bytes"
	"encoding/binary"
	"image"
)

// File returns a TIFF file with a page for each picture, not compressed, at the given dots per inch across and down.
func File(across, down int, pages ...*image.Gray) []byte {
	var b bytes.Buffer
	b.WriteString("II*\x00")
	put := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) } // A buffer does not fail.
	next := 4                                                           // Where the offset of the next directory goes.
	put(uint32(0))
	for _, g := range pages {
		w, h := g.Rect.Dx(), g.Rect.Dy()
		row := (w + 7) / 8
		bits := make([]byte, row*h)
		for y := range h {
			for x := range w {
				if g.Pix[y*g.Stride+x] < 128 {
					bits[y*row+x/8] |= 0x80 >> (x % 8)
				}
			}
		}
		at := b.Len()
		b.Write(bits)
		resolution := b.Len()
		put([]uint32{uint32(across), 1, uint32(down), 1})
		directory := b.Len()
		binary.LittleEndian.PutUint32(b.Bytes()[next:], uint32(directory))
		const short, long, rational = 3, 4, 5
		tags := [][4]uint32{
			{256, long, 1, uint32(w)},
			{257, long, 1, uint32(h)},
			{258, short, 1, 1},
			{259, short, 1, 1},
			{262, short, 1, 0},
			{273, long, 1, uint32(at)},
			{277, short, 1, 1},
			{278, long, 1, uint32(h)},
			{279, long, 1, uint32(len(bits))},
			{282, rational, 1, uint32(resolution)},
			{283, rational, 1, uint32(resolution + 8)},
			{296, short, 1, 2},
		}
		put(uint16(len(tags)))
		for _, t := range tags {
			put(uint16(t[0]))
			put(uint16(t[1]))
			put(t[2:])
		}
		next = b.Len()
		put(uint32(0))
	}
	return b.Bytes()
}
