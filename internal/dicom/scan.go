package dicom

import (
	"encoding/binary"
	"io"
	"strings"

	"fileroom/internal/library"
)

// undefined is the length of a value that ends with a delimiter (PS3.5
// section 7.5).
const undefined = 0xFFFFFFFF

// The tags that hold sequences together (PS3.5 section 7.5).
const (
	tagItem        = 0xFFFEE000
	tagItemEnd     = 0xFFFEE00D
	tagSequenceEnd = 0xFFFEE0DD
)

// deepest is how far sequences may be nested before the last header attribute.
// Real objects stay below five.
const deepest = 16

// A scanner keeps every byte that it reads.
type scanner struct {
	r     io.Reader
	buf   []byte
	pos   int
	limit int64
}

// fill makes n bytes from pos on available in buf.
func (s *scanner) fill(n int64) error {
	end := int64(s.pos) + n
	if end > s.limit {
		return invalid("has a header beyond the limit")
	}
	if int64(cap(s.buf)) < end {
		room := min(max(end, 2*int64(cap(s.buf)), 4096), s.limit)
		s.buf = append(make([]byte, 0, room), s.buf...)
	}
	for idle := 0; int64(len(s.buf)) < end; idle++ {
		// Take what comes beyond end too: many readers charge by the call.
		n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		switch {
		case int64(len(s.buf)) >= end:
			return nil
		case err == io.EOF: // A wrapped EOF is trouble of the source, not its end.
			return invalid("ends within its header")
		case err != nil:
			return library.Fault(opHeader, "", err)
		case n > 0:
			idle = 0
		case idle == 100:
			return library.Fault(opHeader, "", io.ErrNoProgress)
		}
	}
	return nil
}

func (s *scanner) take(n int64) ([]byte, error) {
	if err := s.fill(n); err != nil {
		return nil, err
	}
	b := s.buf[s.pos : s.pos+int(n)]
	s.pos += int(n)
	return b, nil
}

// group returns the group of the next element without going past it.
func (s *scanner) group() (uint16, error) {
	if err := s.fill(2); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint16(s.buf[s.pos:]), nil
}

// An element is a data element up to its value (PS3.5 section 7.1).
type element struct {
	tag    uint32
	vr     string // Empty where it is implicit.
	length uint32
}

func (s *scanner) element(explicit bool) (element, error) {
	head, err := s.take(8)
	if err != nil {
		return element{}, err
	}
	e := element{tag: uint32(binary.LittleEndian.Uint16(head))<<16 | uint32(binary.LittleEndian.Uint16(head[2:]))}
	if !explicit || e.tag>>16 == 0xFFFE {
		e.length = binary.LittleEndian.Uint32(head[4:])
		return e, nil
	}
	e.vr = string(head[4:6])
	if strings.Trim(e.vr, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return element{}, invalid("has an element without value representation")
	}
	if shortVR(e.vr) {
		e.length = uint32(binary.LittleEndian.Uint16(head[6:]))
		return e, nil
	}
	long, err := s.take(4)
	if err != nil {
		return element{}, err
	}
	e.length = binary.LittleEndian.Uint32(long)
	return e, nil
}

// shortVR reports whether a value representation has a length of 16 bits. All
// others, those of the future too, have one of 32 (PS3.5 section 7.1.2).
func shortVR(vr string) bool {
	switch vr {
	case "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FL", "FD", "IS", "LO", "LT",
		"PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US":
		return true
	}
	return false
}

// meta reads the file meta information and returns the transfer syntax
// (PS3.10 section 7.1). It is always explicit and little endian.
func (s *scanner) meta() (syntax string, err error) {
	var last uint32
	end := -1
	for {
		if group, err := s.group(); err != nil || group != 2 {
			if err == nil && end >= 0 && s.pos != end {
				err = invalid("has file meta information of another length than it says")
			}
			return syntax, err
		}
		e, err := s.element(true)
		if err != nil {
			return "", err
		}
		if e.tag <= last {
			return "", invalid("has file meta information out of order")
		}
		last = e.tag
		if e.length == undefined {
			return "", invalid("has file meta information without end")
		}
		value, err := s.take(int64(e.length))
		if err != nil {
			return "", err
		}
		switch {
		case e.tag == tagTransferSyntax:
			syntax = trim(value)
		case e.tag == tagMetaLength && len(value) == 4:
			end = s.pos + int(binary.LittleEndian.Uint32(value))
		}
	}
}

// dataSet reads the data set up to the Series Instance UID, or to where it
// would have been, and returns the header's values as they are written.
func (s *scanner) dataSet(explicit bool) (map[uint32]string, error) {
	values := map[uint32]string{}
	var last uint32
	for last != tagSeries {
		group, err := s.group()
		if err != nil {
			return nil, err
		}
		if group > tagSeries>>16 {
			return values, nil
		}
		e, err := s.element(explicit)
		if err != nil {
			return nil, err
		}
		// PS3.5 section 7.1: in order, each once. Otherwise the next reader
		// might believe another value than we do.
		if e.tag <= last {
			return nil, invalid("has elements out of order")
		}
		last = e.tag
		if !wanted(e.tag) {
			if err := s.skip(e, explicit, 0); err != nil {
				return nil, err
			}
			continue
		}
		if e.length == undefined {
			return nil, invalid("has a header value without end")
		}
		value, err := s.take(int64(e.length))
		if err != nil {
			return nil, err
		}
		values[e.tag] = trim(value)
	}
	return values, nil
}

func wanted(tag uint32) bool {
	switch tag {
	case tagCharacterSet, tagSOPClass, tagSOPInstance, tagModality, tagPatientName, tagPatientID,
		tagIssuer, tagBirthDate, tagSex, tagStudy, tagSeries:
		return true
	}
	return false
}

// skip passes over the value of e.
func (s *scanner) skip(e element, explicit bool, depth int) error {
	if e.length != undefined {
		_, err := s.take(int64(e.length))
		return err
	}
	if depth == deepest {
		return invalid("has sequences nested too deeply")
	}
	// A sequence of unknown representation is implicit inside (PS3.5 section
	// 6.2.2, note 2).
	explicit = explicit && e.vr != "UN"
	for {
		item, err := s.element(explicit)
		switch {
		case err != nil:
			return err
		case item.tag == tagSequenceEnd:
			return nil
		case item.tag != tagItem:
			return invalid("has a sequence of something else than items")
		case item.length != undefined:
			_, err = s.take(int64(item.length))
		default:
			err = s.skipItem(explicit, depth+1)
		}
		if err != nil {
			return err
		}
	}
}

func (s *scanner) skipItem(explicit bool, depth int) error {
	for {
		e, err := s.element(explicit)
		switch {
		case err != nil:
			return err
		case e.tag == tagItemEnd:
			return nil
		case e.tag>>16 == 0xFFFE:
			return invalid("has an item that does not end")
		}
		if err := s.skip(e, explicit, depth); err != nil {
			return err
		}
	}
}

// trim takes the padding off a value (PS3.5 section 6.2).
func trim(b []byte) string { return strings.TrimRight(string(b), " \x00") }
