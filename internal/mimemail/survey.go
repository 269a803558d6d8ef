package mimemail

import (
	"bytes"
	"strings"

	"github.com/jhillyerd/enmime/v2/mediatype"
)

// tooComplex reports, without parsing, whether a message has so many parts, or
// so many multiparts within each other that never end, that the parser would
// take for ever: its time doubles with each multipart left open. A message
// made to deceive this look meets the child's time limit.
func tooComplex(raw []byte) bool {
	s := &survey{open: map[string]bool{}}
	for line := range bytes.Lines(raw) {
		if s.line(line) {
			return true
		}
	}
	return s.declare()
}

type survey struct {
	open       map[string]bool // The boundaries declared and not yet closed.
	multiparts int
	parts      int
	pending    []byte // A Content-Type field that may continue on the next line.
}

var contentTypeField = []byte("content-type:")

// line looks at the next line and reports whether it is one too many.
func (s *survey) line(line []byte) bool {
	if s.pending != nil {
		if (line[0] == ' ' || line[0] == '\t') && len(s.pending) < 8<<10 {
			s.pending = append(s.pending, line...)
			return false
		}
		if s.declare() {
			return true
		}
	}
	if n := len(contentTypeField); len(line) > n && bytes.EqualFold(line[:n], contentTypeField) {
		s.pending = bytes.Clone(line[n:])
		return false
	}
	delimiter, ok := bytes.CutPrefix(line, []byte("--"))
	if !ok {
		return false
	}
	name := string(bytes.TrimRight(delimiter[:min(len(delimiter), 1000)], " \t\r\n"))
	if closed, ok := strings.CutSuffix(name, "--"); ok && s.open[closed] {
		delete(s.open, closed)
		return false
	}
	if s.open[name] {
		s.parts++
	}
	return s.parts > maxParts
}

// declare notes the boundary of a multipart that has just been announced.
func (s *survey) declare() bool {
	value := strings.ReplaceAll(strings.ReplaceAll(string(s.pending), "\r", ""), "\n", "")
	s.pending = nil
	if !strings.Contains(strings.ToLower(value), "multipart/") {
		return false
	}
	_, params, _, err := mediatype.Parse(strings.TrimSpace(value))
	if err != nil || params["boundary"] == "" {
		return false
	}
	s.open[params["boundary"]] = true
	s.multiparts++
	return len(s.open) > maxOpen || s.multiparts > maxMultipart
}
