package dicom

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strings"

	"fileroom/internal/library"
)

const opHeader = "read dicom header"

// A Header is what an object says of itself.
type Header struct {
	SOPClassUID       string
	SOPInstanceUID    string
	StudyInstanceUID  string
	SeriesInstanceUID string
	TransferSyntaxUID string
	Modality          string
	CharacterSet      string // Specific Character Set (0008,0005) as written; empty for the default.

	// Patient holds Patient ID, its issuer, name, birth date and sex as
	// UTF-8. The name is its first component group without empty components
	// at the end, as [PersonName.String] writes it, so that it compares with
	// what an archive answers.
	Patient library.Private[library.PatientRecord]

	// Start is the offset of the data set, behind preamble and file meta
	// information. Receivers may rewrite what is before it (PS3.10 section
	// 7.1), so digests are taken from here.
	Start int64
}

// The attributes that a header holds.
const (
	tagMetaLength     = 0x00020000
	tagTransferSyntax = 0x00020010
	tagCharacterSet   = 0x00080005
	tagSOPClass       = 0x00080016
	tagSOPInstance    = 0x00080018
	tagModality       = 0x00080060
	tagPatientName    = 0x00100010
	tagPatientID      = 0x00100020
	tagIssuer         = 0x00100021
	tagBirthDate      = 0x00100030
	tagSex            = 0x00100040
	tagStudy          = 0x0020000D
	tagSeries         = 0x0020000E
)

// ReadHeader reads an object up to its Series Instance UID, and no more than
// limit bytes. It returns what it has taken from r, which may be some bytes
// more than the header, so that the caller can send on the whole object:
//
//	io.MultiReader(bytes.NewReader(consumed), r)
//
// An object that is damaged, whose header is larger than limit, that lacks one
// of its UIDs, or that is deflated or big endian gives a [library.Invalid]
// error. Trouble with r that is not its end is a fault.
func ReadHeader(r io.Reader, limit int64) (h Header, consumed []byte, err error) {
	s := &scanner{r: r, limit: limit}
	h, err = s.header()
	return h, s.buf, err
}

func (s *scanner) header() (Header, error) {
	preamble, err := s.take(132)
	if err != nil {
		return Header{}, err
	}
	if string(preamble[128:]) != "DICM" {
		return Header{}, invalid("is not a DICOM file")
	}
	syntax, err := s.meta()
	if err != nil {
		return Header{}, err
	}
	explicit, err := explicitVR(syntax)
	if err != nil {
		return Header{}, err
	}
	start := int64(s.pos)
	values, err := s.dataSet(explicit)
	if err != nil {
		return Header{}, err
	}
	h := newHeader(values)
	h.TransferSyntaxUID, h.Start = syntax, start
	for _, uid := range []string{h.SOPClassUID, h.SOPInstanceUID, h.StudyInstanceUID, h.SeriesInstanceUID} {
		if !ValidUID(uid) {
			return Header{}, invalid("lacks a valid SOP Class, SOP Instance, Study or Series Instance UID")
		}
	}
	return h, nil
}

func newHeader(values map[uint32]string) Header {
	charset := values[tagCharacterSet]
	text := func(tag uint32) string { return strings.TrimSpace(decode(values[tag], charset)) }
	return Header{
		SOPClassUID:       values[tagSOPClass],
		SOPInstanceUID:    values[tagSOPInstance],
		StudyInstanceUID:  values[tagStudy],
		SeriesInstanceUID: values[tagSeries],
		Modality:          strings.TrimSpace(values[tagModality]),
		CharacterSet:      charset,
		Patient: library.Hide(library.PatientRecord{
			ID:        text(tagPatientID),
			Issuer:    text(tagIssuer),
			Name:      ParsePersonName(text(tagPatientName)).String(),
			BirthDate: library.DateFromDICOM(values[tagBirthDate]),
			Sex:       text(tagSex),
		}),
	}
}

// explicitVR says how the data set is encoded (PS3.5 section 10 and annex A).
func explicitVR(syntax string) (bool, error) {
	switch syntax {
	case "1.2.840.10008.1.2":
		return false, nil
	case "1.2.840.10008.1.2.2":
		return false, invalid("is big endian, which DICOM has retired")
	case "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205":
		return false, invalid("is deflated, which is not read")
	}
	if !strings.HasPrefix(syntax, "1.2.840.10008.1.2.") {
		return false, invalid("has no transfer syntax of the standard")
	}
	return true, nil
}

// ValidUID reports whether s is made as a UID is (PS3.5 section 9.1).
func ValidUID(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "0123456789.") == "" &&
		s[0] != '.' && s[len(s)-1] != '.' && !strings.Contains(s, "..")
}

// A Reader hands on an object byte for byte, and takes the digest of its data
// set as it passes.
type Reader struct {
	Header Header

	object io.Reader
	sum    hash.Hash
	before int64 // Bytes still to come before the data set.
}

// NewReader reads the header of the object in r, as [ReadHeader] does, and
// returns a Reader that begins again at the object's first byte.
func NewReader(r io.Reader, limit int64) (*Reader, error) {
	h, consumed, err := ReadHeader(r, limit)
	if err != nil {
		return nil, err
	}
	return &Reader{
		Header: h,
		object: io.MultiReader(bytes.NewReader(consumed), r),
		sum:    sha256.New(),
		before: h.Start,
	}, nil
}

// Read implements [io.Reader].
func (r *Reader) Read(p []byte) (int, error) {
	n, err := r.object.Read(p)
	skip := min(r.before, int64(n))
	r.before -= skip
	_, _ = r.sum.Write(p[skip:n]) // A hash does not fail.
	return n, err
}

// Digest returns the SHA-256, in hexadecimal, of that part of the data set
// which was read so far: of all of it, once Read has returned [io.EOF].
func (r *Reader) Digest() string { return hex.EncodeToString(r.sum.Sum(nil)) }

func invalid(why string) error {
	return library.Errorf(library.Invalid, opHeader, "", "object %s", why)
}
