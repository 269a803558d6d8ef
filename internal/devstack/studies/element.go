package studies

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// An object is a run of data elements in Explicit VR Little Endian (PS3.5
// annex A.2), written in the order in which they are put. It is a buffer, and its
// writes do not fail.
type object struct{ bytes.Buffer }

// text puts a value of characters; several values are joined by a backslash.
func (o *object) text(tag uint32, vr string, values ...string) {
	value := strings.Join(values, `\`)
	if len(value)%2 == 1 {
		pad := " "
		if vr == "UI" {
			pad = "\x00"
		}
		value += pad
	}
	o.head(tag, vr, uint32(len(value))) //nolint:gosec // Values here are short.
	_, _ = o.WriteString(value)
}

// short puts a value of one unsigned short.
func (o *object) short(tag uint32, value uint16) {
	o.head(tag, "US", 2)
	_, _ = o.Write(binary.LittleEndian.AppendUint16(nil, value))
}

// raw puts a value of bytes.
func (o *object) raw(tag uint32, vr string, value []byte) {
	o.head(tag, vr, uint32(len(value))) //nolint:gosec // Values here are short.
	_, _ = o.Write(value)
}

// sequence puts a sequence of the items given, each filled by a function.
// Lengths are left undefined (PS3.5 section 7.5), as many devices do.
func (o *object) sequence(tag uint32, items ...func(*object)) {
	o.head(tag, "SQ", 0xFFFFFFFF)
	for _, fill := range items {
		o.delimiter(0xFFFEE000, 0xFFFFFFFF)
		fill(o)
		o.delimiter(0xFFFEE00D, 0)
	}
	o.delimiter(0xFFFEE0DD, 0)
}

// code puts a sequence of one coded concept (PS3.3 section 8.8).
func (o *object) code(tag uint32, value, scheme, meaning string) {
	o.sequence(tag, func(item *object) {
		item.text(0x00080100, "SH", value)
		item.text(0x00080102, "SH", scheme)
		item.text(0x00080104, "LO", meaning)
	})
}

func (o *object) head(tag uint32, vr string, length uint32) {
	b := binary.LittleEndian.AppendUint16(nil, uint16(tag>>16))
	b = binary.LittleEndian.AppendUint16(b, uint16(tag&0xFFFF))
	b = append(b, vr...)
	switch vr {
	case "OB", "OW", "SQ", "UN", "UT":
		b = append(b, 0, 0)
		b = binary.LittleEndian.AppendUint32(b, length)
	default:
		b = binary.LittleEndian.AppendUint16(b, uint16(length)) //nolint:gosec // Values here are short.
	}
	_, _ = o.Write(b)
}

func (o *object) delimiter(tag, length uint32) {
	b := binary.LittleEndian.AppendUint16(nil, uint16(tag>>16))
	b = binary.LittleEndian.AppendUint16(b, uint16(tag&0xFFFF))
	_, _ = o.Write(binary.LittleEndian.AppendUint32(b, length))
}
