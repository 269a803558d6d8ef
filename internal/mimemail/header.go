package mimemail

import (
	"bytes"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jhillyerd/enmime/v2"
	"golang.org/x/text/encoding/charmap"
)

// A header is the fields of a message's head, in order, unfolded and undecoded.
type header []field

type field struct {
	name, value string // Name in lower case.
}

// splitHead cuts raw after the empty line that ends its head. A message
// without one is all head.
func splitHead(raw []byte) (head, body []byte) {
	for rest := raw; len(rest) > 0; {
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		if len(bytes.TrimRight(line, "\r")) == 0 {
			return raw[:len(raw)-len(after)], after
		}
		rest = after
	}
	return raw, nil
}

// parseHeader is forgiving: what is not a field is left out, as mail
// programs do.
func parseHeader(head []byte) header {
	var h header
	for line := range bytes.Lines(head) {
		s := strings.TrimRight(string(line), "\r\n")
		if s != "" && (s[0] == ' ' || s[0] == '\t') {
			if len(h) > 0 {
				h[len(h)-1].value += " " + strings.TrimSpace(s)
			}
			continue
		}
		name, value, ok := strings.Cut(s, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			continue
		}
		h = append(h, field{name, strings.TrimSpace(value)})
	}
	return h
}

// all returns the values of every field called name, as they stand.
func (h header) all(name string) []string {
	var values []string
	for _, f := range h {
		if f.name == name {
			values = append(values, f.value)
		}
	}
	return values
}

func (h header) get(name string) string {
	for _, f := range h {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

func (h header) has(name string) bool { return len(h.all(name)) > 0 }

// text returns a field decoded (RFC 2047), clean and on one line.
func (h header) text(name string) string {
	return oneLine(enmime.DecodeRFC2047(toUTF8(h.get(name))), 1000)
}

// addresses returns the usable addresses of every field called one of names.
func (h header) addresses(names ...string) []*mail.Address {
	var list []*mail.Address
	for _, name := range names {
		for _, value := range h.all(name) {
			for _, a := range parseAddresses(value) {
				if address, ok := cleanAddress(a.Address); ok && len(list) < maxAddresses {
					list = append(list, &mail.Address{Name: oneLine(a.Name, 200), Address: address})
				}
			}
		}
	}
	return list
}

// maxAddresses is how many recipients of a message are of interest.
const maxAddresses = 50

// one returns the address of the field called name, if it is exactly one
// field with exactly one usable address. A second From is how a message shows
// one sender to the server that checks it and another to its reader.
func (h header) one(name string) (mail.Address, bool) {
	values := h.all(name)
	if len(values) != 1 {
		return mail.Address{}, false
	}
	usable := h.addresses(name)
	if len(parseAddresses(values[0])) != 1 || len(usable) != 1 {
		return mail.Address{}, false
	}
	return *usable[0], true
}

// parseAddresses returns the addresses in a field. Many mail programs forget
// to quote a name such as "Quill, MD", which makes the field malformed; where
// there is one address in angle brackets at its end, that is what is meant.
func parseAddresses(value string) []*mail.Address {
	value = toUTF8(value)
	if found, err := enmime.ParseAddressList(value); err == nil {
		return found
	}
	name, rest, ok := strings.Cut(value, "<")
	address, ok2 := strings.CutSuffix(strings.TrimSpace(rest), ">")
	if !ok || !ok2 || strings.ContainsAny(address, "<>") || strings.Contains(name, "@") {
		return nil
	}
	return []*mail.Address{{Name: enmime.DecodeRFC2047(name), Address: address}}
}

// cleanAddress returns an address with its domain in lower case, if it is one
// that can be written to without SMTPUTF8.
func cleanAddress(s string) (string, bool) {
	local, domain, ok := cutAddress(s)
	if !ok || len(s) > 254 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) || strings.ContainsAny(s, `"\<>()[],;:`) {
		return "", false
	}
	return local + "@" + strings.ToLower(domain), true
}

func cutAddress(s string) (local, domain string, ok bool) {
	i := strings.LastIndexByte(s, '@')
	if i <= 0 || i == len(s)-1 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// messageIDs returns the well-formed ids in a field, without brackets.
func (h header) messageIDs(name string) []string {
	var ids []string
	rest := h.get(name)
	for len(ids) < maxReferences {
		_, after, ok := strings.Cut(rest, "<")
		if !ok {
			break
		}
		id, tail, ok := strings.Cut(after, ">")
		if !ok {
			break
		}
		rest = tail
		if len(id) <= 250 && strings.Count(id, "@") == 1 && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`<>()\",;:`, r) }) {
			ids = append(ids, id)
		}
	}
	return ids
}

const maxReferences = 100

func (h header) messageID(name string) string {
	if ids := h.messageIDs(name); len(ids) > 0 {
		return ids[0]
	}
	return ""
}

func (h header) date() time.Time {
	t, err := mail.ParseDate(h.get("date"))
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}
	}
	return t.UTC()
}

// toUTF8 reads bytes that are not UTF-8 as Windows-1252, which mail programs
// that write 8-bit headers mostly mean.
func toUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	decoded, err := charmap.Windows1252.NewDecoder().String(s)
	if err != nil {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return decoded
}

// cleanText makes s valid UTF-8 with \n for line ends and without control
// characters, which a database refuses or a terminal obeys.
func cleanText(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r) || hidden(r):
			return -1
		}
		return r
	}, s)
}

// oneLine makes s clean, of one line and of at most limit bytes.
func oneLine(s string, limit int) string {
	s = strings.Join(strings.Fields(cleanText(s)), " ")
	return cut(s, limit)
}

// cut returns the first bytes of s, at most limit, ending with a whole rune.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// hidden reports whether r is a format character, such as those that turn the
// direction of text so that a file's name reads backwards; joiners, which
// some scripts need, excepted.
func hidden(r rune) bool {
	return unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d'
}
