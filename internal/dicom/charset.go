package dicom

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// characterSet returns the encoding for a defined term of Specific Character
// Set (PS3.3 section C.12.1.1.2). The default is ASCII; bytes beyond it are
// not allowed and yet common, and are taken for Latin 1 as archives do.
func characterSet(term string) encoding.Encoding {
	switch strings.TrimSpace(strings.Replace(term, "ISO 2022 IR", "ISO_IR", 1)) {
	case "ISO_IR 101":
		return charmap.ISO8859_2
	case "ISO_IR 109":
		return charmap.ISO8859_3
	case "ISO_IR 110":
		return charmap.ISO8859_4
	case "ISO_IR 144":
		return charmap.ISO8859_5
	case "ISO_IR 127":
		return charmap.ISO8859_6
	case "ISO_IR 126":
		return charmap.ISO8859_7
	case "ISO_IR 138":
		return charmap.ISO8859_8
	case "ISO_IR 148":
		return charmap.ISO8859_9
	case "ISO_IR 203":
		return charmap.ISO8859_15
	case "ISO_IR 166":
		return charmap.Windows874
	case "ISO_IR 13":
		return japanese.ShiftJIS
	case "ISO_IR 192":
		return unicode.UTF8
	case "GB18030":
		return simplifiedchinese.GB18030
	case "GBK":
		return simplifiedchinese.GBK
	}
	return charmap.ISO8859_1
}

// escapes are the switches between character sets within one value (PS3.3
// tables C.12-3 and C.12-4).
var escapes = []struct {
	sequence string
	set      encoding.Encoding
	keep     bool // The decoder wants to see the switch itself.
}{
	{"\x1b-A", charmap.ISO8859_1, false},
	{"\x1b-B", charmap.ISO8859_2, false},
	{"\x1b-C", charmap.ISO8859_3, false},
	{"\x1b-D", charmap.ISO8859_4, false},
	{"\x1b-L", charmap.ISO8859_5, false},
	{"\x1b-G", charmap.ISO8859_6, false},
	{"\x1b-F", charmap.ISO8859_7, false},
	{"\x1b-H", charmap.ISO8859_8, false},
	{"\x1b-M", charmap.ISO8859_9, false},
	{"\x1b-b", charmap.ISO8859_15, false},
	{"\x1b-T", charmap.Windows874, false},
	{"\x1b(B", charmap.ISO8859_1, false},
	{"\x1b(J", charmap.ISO8859_1, false},
	{"\x1b)I", japanese.ShiftJIS, false},
	{"\x1b$B", japanese.ISO2022JP, true},
	{"\x1b$(D", japanese.ISO2022JP, true},
	{"\x1b$)C", korean.EUCKR, false},
	{"\x1b$)A", simplifiedchinese.GBK, false},
}

// decode returns a value as UTF-8. What does not decode becomes U+FFFD, which
// is equal to no name.
func decode(value, charset string) string {
	first, _, _ := strings.Cut(charset, `\`)
	head, rest, _ := strings.Cut(value, "\x1b")
	var out strings.Builder
	out.WriteString(decodeOne(head, characterSet(first)))
	for rest != "" {
		var piece string
		piece, rest, _ = strings.Cut(rest, "\x1b")
		out.WriteString(decodeEscaped("\x1b" + piece))
	}
	return out.String()
}

func decodeEscaped(piece string) string {
	for _, e := range escapes {
		if text, ok := strings.CutPrefix(piece, e.sequence); ok {
			if e.keep {
				text = piece
			}
			return decodeOne(text, e.set)
		}
	}
	return "\uFFFD"
}

func decodeOne(s string, set encoding.Encoding) string {
	out, err := set.NewDecoder().String(s)
	if err != nil {
		return "\uFFFD"
	}
	return strings.ToValidUTF8(out, "\uFFFD")
}
