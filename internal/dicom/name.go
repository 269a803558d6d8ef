package dicom

import (
	"strings"
	"unicode"
)

// A PersonName is a name in its parts (PS3.5 section 6.2.1). Any may be empty.
type PersonName struct {
	Family string
	Given  string
	Middle string
	Prefix string
	Suffix string

	Ideographic string // Second component group, as written.
	Phonetic    string // Third component group, as written.
}

// ParsePersonName reads a name as DICOM writes it. Every string is a name;
// components beyond the fifth stay in the suffix, so that names which differ
// stay different.
func ParsePersonName(s string) PersonName {
	groups := strings.SplitN(s, "=", 3)
	parts := strings.SplitN(groups[0], "^", 5)
	at := func(list []string, i int) string {
		if i < len(list) {
			return strings.TrimSpace(list[i])
		}
		return ""
	}
	return PersonName{
		Family:      at(parts, 0),
		Given:       at(parts, 1),
		Middle:      at(parts, 2),
		Prefix:      at(parts, 3),
		Suffix:      strings.TrimRightFunc(at(parts, 4), func(r rune) bool { return r == '^' || unicode.IsSpace(r) }),
		Ideographic: at(groups, 1),
		Phonetic:    at(groups, 2),
	}
}

// String returns the first component group as DICOM writes it, without empty
// components at the end: FAMILY^GIVEN^MIDDLE^PREFIX^SUFFIX.
func (n PersonName) String() string {
	return strings.TrimRight(strings.Join([]string{n.Family, n.Given, n.Middle, n.Prefix, n.Suffix}, "^"), "^")
}
