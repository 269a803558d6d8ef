package dicom_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"fileroom/internal/dicom"
	"fileroom/internal/library"
)

const (
	implicit = "1.2.840.10008.1.2"
	explicit = "1.2.840.10008.1.2.1"
)

// el writes an explicit element whose length is as said, not as it is.
func el(tag uint32, vr string, length uint32, value string) string {
	b := binary.LittleEndian.AppendUint16(nil, uint16(tag>>16))
	b = binary.LittleEndian.AppendUint16(b, uint16(tag))
	switch {
	case vr == "":
		b = binary.LittleEndian.AppendUint32(b, length)
	case strings.Contains("OB OW SQ UN UT", vr):
		b = binary.LittleEndian.AppendUint32(append(b, vr+"\x00\x00"...), length)
	default:
		b = binary.LittleEndian.AppendUint16(append(b, vr...), uint16(length))
	}
	return string(b) + value
}

// ex and im write an element as it should be, explicit and implicit.
func ex(tag uint32, vr, value string) string { return el(tag, vr, uint32(len(value)), value) }
func im(tag uint32, value string) string     { return el(tag, "", uint32(len(value)), value) }

func file(syntax string, dataSet ...string) string {
	meta := ex(0x00020010, "UI", syntax)
	length := string(binary.LittleEndian.AppendUint32(nil, uint32(len(meta))))
	return strings.Repeat("\x00", 128) + "DICM" + ex(0x00020000, "UL", length) + meta + strings.Join(dataSet, "")
}

// plain is a data set with everything that a header needs.
func plain(before8, before20 string) string {
	return before8 + ex(0x00080016, "UI", "1.2.3\x00") + ex(0x00080018, "UI", "1.2.4\x00") + ex(0x00080060, "CS", "CT") + before20 +
		ex(0x00100010, "PN", "DOE^JANE^^ ") + ex(0x00100020, "LO", " D1 ") +
		ex(0x00100030, "DA", "19580417") + ex(0x00100040, "CS", "F ") +
		ex(0x0020000D, "UI", "1.2.5\x00") + ex(0x0020000E, "UI", "1.2.6\x00")
}

const undefined = 0xFFFFFFFF

// nested returns sequences of undefined length, one inside the other.
func nested(depth int) string {
	if depth == 0 {
		return ""
	}
	return el(0x00081032, "SQ", undefined, el(0xFFFEE000, "", undefined, nested(depth-1)+el(0xFFFEE00D, "", 0, ""))+el(0xFFFEE0DD, "", 0, ""))
}

func TestReadHeader(t *testing.T) {
	t.Parallel()
	jane := library.PatientRecord{ID: "D1", Name: "DOE^JANE", BirthDate: "1958-04-17", Sex: "F"}
	with := func(change func(*library.PatientRecord)) library.PatientRecord {
		p := jane
		change(&p)
		return p
	}
	named := func(charset, name string) string {
		return strings.Replace(plain(ex(0x00080005, "CS", charset), ""), ex(0x00100010, "PN", "DOE^JANE^^ "), ex(0x00100010, "PN", name), 1)
	}
	pixels := ex(0x7FE00010, "OW", "pixels")
	tests := map[string]struct {
		object string
		want   library.PatientRecord
		kind   library.Kind
	}{
		"explicit":                           {object: file(explicit, plain("", ""), pixels), want: jane},
		"ends with the header":               {object: file(explicit, plain("", "")), want: jane},
		"compressed pixels do not matter":    {object: file("1.2.840.10008.1.2.4.50", plain("", ""), pixels), want: jane},
		"nested sequences without length":    {object: file(explicit, plain("", nested(5))), want: jane},
		"a patient inside a sequence is not": {object: file(explicit, plain("", el(0x00081110, "SQ", undefined, el(0xFFFEE000, "", undefined, ex(0x00100020, "LO", "D9")+el(0xFFFEE00D, "", 0, ""))+el(0xFFFEE0DD, "", 0, "")))), want: jane},
		"unknown sequence is implicit":       {object: file(explicit, plain("", el(0x00091001, "UN", undefined, el(0xFFFEE000, "", undefined, im(0x00100020, "D9")+el(0xFFFEE00D, "", 0, ""))+el(0xFFFEE0DD, "", 0, "")))), want: jane},
		"latin 1":                            {object: file(explicit, named("ISO_IR 100", "M\xdcLLER^ZO\xcb")), want: with(func(p *library.PatientRecord) { p.Name = "MÜLLER^ZOË" })},
		"utf-8":                              {object: file(explicit, named("ISO_IR 192", "MÜLLER^ZOË")), want: with(func(p *library.PatientRecord) { p.Name = "MÜLLER^ZOË" })},
		"undeclared latin 1":                 {object: file(explicit, named("", "M\xdcLLER^ZOE")), want: with(func(p *library.PatientRecord) { p.Name = "MÜLLER^ZOE" })},
		"cyrillic":                           {object: file(explicit, named("ISO_IR 144", "\xbb\xee\xda^A")), want: with(func(p *library.PatientRecord) { p.Name = "Люк^A" })},
		"switches to greek": {
			object: file(explicit, named(`ISO 2022 IR 100\ISO 2022 IR 126`, "M\xdc^\x1b-F\xc1")),
			want:   with(func(p *library.PatientRecord) { p.Name = "MÜ^Α" }),
		},
		"japanese beside roman": {
			object: file(explicit, named(`\ISO 2022 IR 87`, "YAMADA^TAROU=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=...")),
			want:   with(func(p *library.PatientRecord) { p.Name = "YAMADA^TAROU" }),
		},
		"unknown switch":  {object: file(explicit, named("ISO 2022 IR 100", "A\x1b%G^B")), want: with(func(p *library.PatientRecord) { p.Name = "A\uFFFD" })},
		"broken utf-8":    {object: file(explicit, named("ISO_IR 192", "M\xdcLLER")), want: with(func(p *library.PatientRecord) { p.Name = "M\uFFFDLLER" })},
		"no patient data": {object: file(explicit, ex(0x00080016, "UI", "1.2"), ex(0x00080018, "UI", "1.2"), ex(0x0020000D, "UI", "1.2"), ex(0x0020000E, "UI", "1.2")), want: library.PatientRecord{}},
		"implicit": {
			object: file(implicit, im(0x00080016, "1.2"), im(0x00080018, "1.2"),
				el(0x00081110, "", undefined, el(0xFFFEE000, "", undefined, im(0x00100020, "D9")+el(0xFFFEE00D, "", 0, ""))+el(0xFFFEE0DD, "", 0, "")),
				im(0x00100020, "D1"), im(0x00100021, "HOSP"), im(0x0020000D, "1.2"), im(0x0020000E, "1.2")),
			want: library.PatientRecord{ID: "D1", Issuer: "HOSP"},
		},

		"empty":                             {object: "", kind: library.Invalid},
		"no preamble":                       {object: plain("", ""), kind: library.Invalid},
		"nothing but the preamble":          {object: file(explicit)[:132], kind: library.Invalid},
		"no transfer syntax":                {object: strings.Repeat("\x00", 128) + "DICM" + plain("", ""), kind: library.Invalid},
		"private transfer syntax":           {object: file("1.2.3.4", plain("", "")), kind: library.Invalid},
		"big endian":                        {object: file("1.2.840.10008.1.2.2", plain("", "")), kind: library.Invalid},
		"deflated":                          {object: file("1.2.840.10008.1.2.1.99", plain("", "")), kind: library.Invalid},
		"cut off in the header":             {object: file(explicit, plain("", ""))[:270], kind: library.Invalid},
		"second patient id behind the last": {object: file(explicit, plain("", ex(0x00100020, "LO", "D2"))), kind: library.Invalid},
		"patient id twice": {
			object: file(explicit, strings.Replace(plain("", ""), ex(0x00100020, "LO", " D1 "), ex(0x00100020, "LO", "D2")+ex(0x00100020, "LO", "D1"), 1)),
			kind:   library.Invalid,
		},
		"meta information shorter than it says": {object: strings.Replace(file(explicit, plain("", "")), "UL\x04\x00", "UL\x04\x00\xff\x01\x00\x00", 1), kind: library.Invalid},
		"study uid of words":                    {object: file(explicit, strings.Replace(plain("", ""), "1.2.5\x00", "../etc", 1)), kind: library.Invalid},
		"no series uid":                         {object: file(explicit, plain("", ""))[:len(file(explicit, plain("", "")))-14], kind: library.Invalid},
		"value beyond the limit":                {object: file(explicit, plain("", el(0x00091001, "OB", 1<<31, ""))), kind: library.Invalid},
		"value without end":                     {object: file(explicit, plain("", el(0x00100020, "UN", undefined, ""))), kind: library.Invalid},
		"sequences nested without end":          {object: file(explicit, plain("", nested(1000))), kind: library.Invalid},
		"sequence of something else":            {object: file(explicit, plain("", el(0x00081110, "SQ", undefined, ex(0x00100020, "LO", "D9")))), kind: library.Invalid},
		"header larger than the limit":          {object: file(explicit, plain("", ex(0x00091001, "OB", strings.Repeat("x", 70_000)))), kind: library.Invalid},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, r := range []io.Reader{strings.NewReader(tt.object), iotest.OneByteReader(strings.NewReader(tt.object))} {
				h, consumed, err := dicom.ReadHeader(r, 1<<16)
				if kind := library.KindOf(err); kind != tt.kind || (err == nil) != (tt.kind == "") {
					t.Fatalf("kind %q, want %q (err: %v)", kind, tt.kind, err)
				}
				if got := h.Patient.Reveal(); got != tt.want {
					t.Errorf("patient %+v, want %+v", got, tt.want)
				}
				rest, err := io.ReadAll(r)
				if err != nil || string(consumed)+string(rest) != tt.object {
					t.Errorf("what was consumed and the rest are not the object (%v)", err)
				}
			}
		})
	}
}

func TestReadHeaderShowsNoPatient(t *testing.T) {
	t.Parallel()
	h, _, err := dicom.ReadHeader(strings.NewReader(file(explicit, plain("", ""))), 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, h); strings.Contains(s, "DOE") || strings.Contains(s, "D1") {
			t.Errorf("%s shows the patient", verb)
		}
	}
}

func TestTroubleOnTheWayIsAFault(t *testing.T) {
	t.Parallel()
	object := file(explicit, plain("", ""))
	for _, trouble := range []error{io.ErrUnexpectedEOF, errors.New("reset")} {
		r := io.MultiReader(strings.NewReader(object[:200]), iotest.ErrReader(trouble))
		_, _, err := dicom.ReadHeader(r, 1<<16)
		if library.KindOf(err) != "" || !errors.Is(err, trouble) {
			t.Errorf("%v became %v of kind %q", trouble, err, library.KindOf(err))
		}
	}
}

func TestReaderHandsOnTheObject(t *testing.T) {
	t.Parallel()
	object := file(explicit, plain("", ""), ex(0x7FE00010, "OW", strings.Repeat("pixel ", 9000)))
	r, err := dicom.NewReader(strings.NewReader(object), 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(iotest.HalfReader(r))
	if err != nil || string(got) != object {
		t.Fatalf("object was changed on its way (%v)", err)
	}
	// Another preamble, the same data set: the same digest.
	other := "other" + object[5:]
	o, err := dicom.NewReader(strings.NewReader(other), 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, o); err != nil {
		t.Fatal(err)
	}
	if r.Digest() != o.Digest() {
		t.Error("the digest depends on what is before the data set")
	}
	changed := object[:len(object)-1] + "X"
	c, err := dicom.NewReader(strings.NewReader(changed), 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Fatal(err)
	}
	if r.Digest() == c.Digest() {
		t.Error("the digest does not see the last byte of the pixels")
	}
}

func FuzzReadHeader(f *testing.F) {
	f.Add([]byte(file(explicit, plain("", nested(3)), ex(0x7FE00010, "OW", "pixels"))))
	f.Add([]byte(file(implicit, im(0x00080016, "1.2"), im(0x00080018, "1.2"), im(0x00100020, "D1"), im(0x0020000D, "1.2"), im(0x0020000E, "1.2"))))
	f.Add([]byte(file(explicit, plain(ex(0x00080005, "CS", `\ISO 2022 IR 87`), ""))))
	f.Add([]byte(file(explicit, plain("", el(0x00091001, "UN", undefined, el(0xFFFEE000, "", undefined, ""))))))
	const limit = 4096
	f.Fuzz(func(t *testing.T, object []byte) {
		r := bytes.NewReader(object)
		h, consumed, err := dicom.ReadHeader(r, limit)
		if len(consumed) > limit || cap(consumed) > limit {
			t.Fatalf("holds %d bytes, limit %d", cap(consumed), limit)
		}
		rest, _ := io.ReadAll(r)
		if !bytes.Equal(append(consumed, rest...), object) {
			t.Fatal("bytes were lost")
		}
		if err != nil {
			if k := library.KindOf(err); k != library.Invalid {
				t.Fatalf("kind %q for bytes that are complete", k)
			}
			return
		}
		if h.Start <= 132 || h.Start > int64(len(object)) {
			t.Fatalf("data set starts at %d of %d", h.Start, len(object))
		}
		for _, uid := range []string{h.SOPClassUID, h.SOPInstanceUID, h.StudyInstanceUID, h.SeriesInstanceUID} {
			if !dicom.ValidUID(uid) {
				t.Fatal("header without valid uid")
			}
		}
	})
}
