package smtpmail

import (
	"errors"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"fileroom/internal/library"
)

const (
	maxSubject = 200
	maxText    = 256 << 10
	maxAddress = 254 // RFC 5321 section 4.5.3.1.3, without the angle brackets.
)

// check refuses what cannot be a letter, above all what could smuggle in
// headers or recipients. Its errors name the field and never the value.
func check(l library.OutgoingMail) error {
	switch {
	case !validMessageID(l.MessageID):
		return errors.New("malformed message id")
	case !validAddress(l.To):
		return errors.New("malformed recipient address")
	case len(l.Subject) > maxSubject:
		return errors.New("subject longer than 200 bytes")
	case !utf8.ValidString(l.Subject) || strings.ContainsFunc(l.Subject, unicode.IsControl):
		return errors.New("control characters in the subject")
	case l.Subject == "" || l.Text == "":
		return errors.New("no subject or no text")
	case len(l.Text) > maxText:
		return errors.New("text longer than 256 KB")
	case !utf8.ValidString(l.Text) || strings.ContainsRune(l.Text, 0):
		return errors.New("text is not UTF-8")
	}
	return nil
}

// validAddress reports whether s is one bare address that needs no SMTPUTF8.
func validAddress(s string) bool {
	if len(s) > maxAddress || !printable(s) {
		return false
	}
	a, err := mail.ParseAddress(s)
	// A quoted local part parses to something else than was written; nobody has one.
	return err == nil && a.Name == "" && a.Address == s && !strings.ContainsAny(s, `"\[]<>(),;:`)
}

// validMessageID reports whether s is the inside of a Message-ID (RFC 5322
// section 3.6.4) short enough for one header line.
func validMessageID(s string) bool {
	left, right, ok := strings.Cut(s, "@")
	return ok && left != "" && right != "" && len(s) <= 250 && printable(s) && !strings.ContainsAny(s, `<>()\",;:`) && !strings.Contains(right, "@")
}

// printable reports whether s is of visible ASCII alone.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// domain returns what stands after the last @ of an address.
func domain(address string) string {
	return address[strings.LastIndex(address, "@")+1:]
}
