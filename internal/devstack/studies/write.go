package studies

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"

	"fileroom/internal/library"

	"golang.org/x/text/encoding/charmap"
)

const explicitLittleEndian = "1.2.840.10008.1.2.1"

// Write writes the i-th instance of s, from 0, as a DICOM Part 10 file. It
// keeps one row of pixels in memory.
func (s Study) Write(w io.Writer, i int) error {
	if i < 0 || i >= s.Images() {
		return library.Errorf(library.Invalid, "write demonstration image", strconv.Itoa(i), "study has %d images", s.Images())
	}
	var head object
	s.meta(&head, i)
	s.header(&head, i)
	head.head(0x7FE00010, "OW", uint32(2*s.Size*s.Size)) //nolint:gosec // Sizes here are small.
	if _, err := w.Write(head.Bytes()); err != nil {
		return err
	}
	series, number := s.locate(i)
	draw := phantom(s.Modality, series, number)
	row := make([]byte, 0, 2*s.Size)
	for y := range s.Size {
		row = row[:0]
		for x := range s.Size {
			u, v := (float64(x)+0.5)/float64(s.Size)*2-1, (float64(y)+0.5)/float64(s.Size)*2-1
			noise := uint16(uint32(x*7919+y*104729+i*15485863)*2654435761>>27) & 15 //nolint:gosec // Noise may wrap.
			row = binary.LittleEndian.AppendUint16(row, draw(u, v)+noise)
		}
		if _, err := w.Write(row); err != nil {
			return err
		}
	}
	return nil
}

// Open returns the i-th instance of s as a stream. The caller closes it.
func (s Study) Open(i int) io.ReadCloser {
	pr, pw := io.Pipe()
	go func() { pw.CloseWithError(s.Write(pw, i)) }()
	return pr
}

// Each hands every instance of s to f, in order, with a file name that says
// nothing about the patient. It ends at the first error and returns it.
func (s Study) Each(f func(name string, r io.Reader) error) error {
	for i := range s.Images() {
		series, number := s.locate(i)
		r := s.Open(i)
		err := f(fmt.Sprintf("%s-%s-%d-%03d.dcm", s.Modality, s.Date.DICOM(), series.Number, number), r)
		_ = r.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// meta puts preamble and file meta information (PS3.10 section 7.1).
func (s Study) meta(o *object, i int) {
	instance := s.Instance(i)
	var group object
	group.raw(0x00020001, "OB", []byte{0, 1})
	group.text(0x00020002, "UI", instance.Class)
	group.text(0x00020003, "UI", instance.SOP)
	group.text(0x00020010, "UI", explicitLittleEndian)
	group.text(0x00020012, "UI", uid("implementation"))
	group.text(0x00020013, "SH", "FILEROOM_DEMO")

	_, _ = o.Write(make([]byte, 128))
	_, _ = o.WriteString("DICM")
	o.raw(0x00020000, "UL", binary.LittleEndian.AppendUint32(nil, uint32(group.Len()))) //nolint:gosec // Some 200 bytes.
	_, _ = io.Copy(o, bytes.NewReader(group.Bytes()))                                   // A buffer does not fail.
}

// header puts everything of the data set before the pixels, in the order of
// the tags.
func (s Study) header(o *object, i int) {
	instance, m := s.Instance(i), modules[s.Modality]
	series, number := s.locate(i)

	o.text(0x00080005, "CS", s.CharacterSet)
	o.text(0x00080008, "CS", m.imageType...)
	o.text(0x00080016, "UI", instance.Class)
	o.text(0x00080018, "UI", instance.SOP)
	o.text(0x00080020, "DA", s.Date.DICOM())
	o.text(0x00080021, "DA", s.Date.DICOM())
	o.text(0x00080022, "DA", s.Date.DICOM())
	o.text(0x00080023, "DA", s.Date.DICOM())
	o.text(0x00080030, "TM", s.Time)
	o.text(0x00080031, "TM", s.Time)
	o.text(0x00080032, "TM", s.Time)
	o.text(0x00080033, "TM", s.Time)
	o.text(0x00080050, "SH", s.Accession)
	o.text(0x00080060, "CS", s.Modality)
	if s.Modality == "DX" {
		o.text(0x00080068, "CS", "FOR PRESENTATION")
	}
	o.text(0x00080070, "LO", "Invented Imaging")
	o.text(0x00080080, "LO", "Demonstration Hospital")
	o.text(0x00080090, "PN", "EXAMPLE^REFERRING")
	o.text(0x00081030, "LO", s.Description)
	o.code(0x00081032, m.procedure[0], "SCT", m.procedure[1])
	o.text(0x0008103E, "LO", series.Description)
	o.text(0x00081090, "LO", "Phantom 1")
	if s.Modality == "DX" {
		o.code(0x00082218, "51185008", "SCT", "Thorax")
	}
	o.text(0x00100010, "PN", s.encode(s.Patient.Name))
	o.text(0x00100020, "LO", s.encode(s.Patient.ID))
	if s.Patient.Issuer != "" {
		o.text(0x00100021, "LO", s.encode(s.Patient.Issuer))
	}
	o.text(0x00100030, "DA", s.Patient.BirthDate.DICOM())
	o.text(0x00100040, "CS", s.Patient.Sex)
	o.text(0x00180015, "CS", s.BodyPart)
	m.acquisition(o, s)
	o.text(0x0020000D, "UI", s.UID)
	o.text(0x0020000E, "UI", series.UID)
	o.text(0x00200010, "SH", s.Accession)
	o.text(0x00200011, "IS", strconv.Itoa(series.Number))
	if s.Modality != "DX" {
		o.text(0x00200012, "IS", "1")
	}
	o.text(0x00200013, "IS", strconv.Itoa(number))
	if s.Modality == "DX" {
		projection(o, series)
	} else {
		slice(o, uid("frame of reference", s.Accession), number)
	}
	s.pixels(o, m)
	if s.Modality == "DX" {
		o.sequence(0x00400555) // Acquisition context: nothing to tell.
		o.text(0x20500020, "CS", "IDENTITY")
	}
}

// pixels puts how the pixels are to be understood (PS3.3 section C.7.6.3).
func (s Study) pixels(o *object, m module) {
	size := uint16(s.Size) //nolint:gosec // Sizes here are small.
	o.short(0x00280002, 1)
	o.text(0x00280004, "CS", "MONOCHROME2")
	o.short(0x00280010, size)
	o.short(0x00280011, size)
	if s.Modality != "DX" {
		o.text(0x00280030, "DS", spacing(s.Size), spacing(s.Size))
	}
	o.short(0x00280100, 16)
	o.short(0x00280101, 12)
	o.short(0x00280102, 11)
	o.short(0x00280103, 0)
	m.grey(o)
}

// encode returns text in the character set of the study.
func (s Study) encode(text string) string {
	if s.CharacterSet != "ISO_IR 100" {
		return text
	}
	out, err := charmap.ISO8859_1.NewEncoder().String(text)
	if err != nil {
		return text
	}
	return out
}

// spacing is the size of a pixel in millimetres, over a field of 360 mm.
func spacing(size int) string { return strconv.FormatFloat(360/float64(size), 'f', 6, 64) }
