package integration_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"strings"
	"sync/atomic"
	"time"

	"fileroom/internal/library"
)

func upper(s string) string { return strings.ToUpper(s) }

// A letter is an e-mail that asks for images.
type letter struct {
	from patient
	to   library.Facility
	asks []string // Lines that name studies; nil for the CT and the film.

	change      func(text string) string
	html        bool
	attachments []attachment
	head        []string // Further header fields.
}

// An attachment is a file that comes with a letter.
type attachment struct {
	name, kind string
	body       []byte
}

// Lines of a letter that name the studies of [patient.ct] and [patient.film].
const (
	askCT   = "CT chest, 02/12/2026"
	askFilm = "X-ray chest, 11/04/2025"
)

// text is what the letter says.
func (l letter) text() string {
	p, f, asks := l.from, l.to, l.asks
	if asks == nil {
		asks = []string{askCT, askFilm}
	}
	text := strings.Join([]string{
		"To the Radiology Image Library", "",
		"Patient: " + p.name(),
		"Date of birth: " + p.born(),
		"Medical record number: " + p.mrn, "",
		"Please send the following studies by electronic image transfer to my doctor,",
		"who is treating me, for my continuing care:", "",
		strings.Join(asks, "\n"), "",
		"Send to:", f.Name, f.Street, fmt.Sprintf("%s, %s %s", f.City, f.State, f.Zip), "Phone " + f.Phone, "",
		fmt.Sprintf("If you have questions, please call me at %s.", p.phone), "",
		"/s/ " + p.name(),
		time.Now().Format("January 2, 2006"), "",
	}, "\n")
	if l.change != nil {
		text = l.change(text)
	}
	return text
}

// A message is a raw message, with CR and LF at line ends.
type message struct {
	id  string
	raw []byte
}

var messages atomic.Int64

// message puts the letter into an envelope.
func (l letter) message() message {
	kind, text := "text/plain", l.text()
	if l.html {
		kind, text = "text/html", "<html><body><p>"+strings.ReplaceAll(html.EscapeString(text), "\n", "<br>\n")+"</p></body></html>\n"
	}
	return envelope(l.from.name(), l.head, kind, text, l.attachments...)
}

// envelope makes a message of what it says and its attachments.
func envelope(from string, head []string, kind, text string, attachments ...attachment) message {
	m := message{id: fmt.Sprintf("letter.%d.%d@home.example", time.Now().UnixNano(), messages.Add(1))}
	var b bytes.Buffer
	lines := append([]string{
		fmt.Sprintf("From: %s <requester@hospital.example>", from), "To: Radiology Image Library <imagelibrary@hospital.example>",
		"Date: " + time.Now().Format(time.RFC1123Z), "Message-ID: <" + m.id + ">", "MIME-Version: 1.0",
	}, head...)
	if !strings.Contains(strings.Join(head, "\n"), "Subject:") {
		lines = append(lines, "Subject: My images")
	}
	write := func(lines ...string) {
		for _, line := range lines {
			b.WriteString(strings.ReplaceAll(line, "\n", "\r\n") + "\r\n")
		}
	}
	write(lines...)
	part := []string{"Content-Type: " + kind + "; charset=utf-8", "Content-Transfer-Encoding: 8bit", "", text}
	if attachments == nil {
		write(part...)
		m.raw = b.Bytes()
		return m
	}
	const boundary = "=_a7f2_="
	write(`Content-Type: multipart/mixed; boundary="`+boundary+`"`, "", "--"+boundary)
	write(part...)
	for _, a := range attachments {
		write("--"+boundary, fmt.Sprintf("Content-Type: %s; name=%q", a.kind, a.name),
			fmt.Sprintf("Content-Disposition: attachment; filename=%q", a.name), "Content-Transfer-Encoding: base64", "")
		encoded := base64.StdEncoding.EncodeToString(a.body)
		for len(encoded) > 76 {
			b.WriteString(encoded[:76] + "\r\n")
			encoded = encoded[76:]
		}
		write(encoded)
	}
	write("--" + boundary + "--")
	m.raw = b.Bytes()
	return m
}
