package activitiestest

import (
	"bytes"
	"context"
	"io"
	"net/mail"
	"strings"
	"sync"
	"time"

	"fileroom/activities"
	"fileroom/internal/library"
)

// A Sender remembers the letters that it was given.
type Sender struct {
	mu      sync.Mutex
	letters []library.OutgoingMail
	Err     error // What Send returns instead of taking the letter.
}

// Send takes a letter.
func (s *Sender) Send(_ context.Context, m library.OutgoingMail) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Err == nil {
		s.letters = append(s.letters, m)
	}
	return s.Err
}

// Letters returns what was sent.
func (s *Sender) Letters() []library.OutgoingMail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]library.OutgoingMail(nil), s.letters...)
}

// A Parser takes plain messages apart, those without attachments.
type Parser struct{}

// Parse takes a message apart.
func (Parser) Parse(_ context.Context, raw io.Reader) (library.MailMessage, error) {
	m, err := mail.ReadMessage(raw)
	if err != nil {
		return library.MailMessage{}, library.Errorf(library.Invalid, "parse message", "", "no header")
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		return library.MailMessage{}, library.Fault("parse message", "", err)
	}
	from, _ := mail.ParseAddress(m.Header.Get("From"))
	r := library.MailMessage{
		MessageID: strings.Trim(m.Header.Get("Message-ID"), "<>"), Subject: m.Header.Get("Subject"),
		InReplyTo: strings.Fields(strings.NewReplacer("<", " ", ">", " ").Replace(m.Header.Get("In-Reply-To"))),
		Parts:     []library.Part{{Message: true, Body: body}},
	}
	if from != nil {
		r.From, r.ReplyTo = from.Address, from.Address
	}
	if m.Header.Get("Auto-Submitted") != "" {
		r.Automatic = "an automatic message"
	}
	return r, nil
}

// An Opener takes each part for a page of plain text; a form feed begins another.
type Opener struct{}

// Open turns parts into pages.
func (Opener) Open(_ context.Context, parts []library.Part) ([]library.Page, []library.Trouble, error) {
	var pages []library.Page
	for n, part := range parts {
		for text := range bytes.SplitSeq(part.Body, []byte("\f")) {
			page := library.Page{Number: len(pages) + 1, Part: n + 1, Source: library.SourceMail}
			for line := range strings.Lines(string(text)) {
				var l library.Line
				for w := range strings.FieldsSeq(line) {
					l.Words = append(l.Words, library.Word{Text: w, Confidence: 1})
				}
				page.Lines = append(page.Lines, l)
			}
			pages = append(pages, page)
		}
	}
	return pages, nil, nil
}

// A Mailbox holds messages; the zero value is empty.
type Mailbox struct {
	mu   sync.Mutex
	mail []library.IncomingMail
	raw  [][]byte
	kept map[int]bool
	Err  error // What Each and Wait return.
}

// Deliver puts a message into the mailbox.
func (m *Mailbox) Deliver(raw []byte, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.raw = append(m.raw, raw)
	m.mail = append(m.mail, library.IncomingMail{UIDValidity: 1, UID: uint32(len(m.raw)), Size: int64(len(raw)), ReceivedAt: at})
}

// Each hands over what was not kept.
func (m *Mailbox) Each(ctx context.Context, keep func(context.Context, library.IncomingMail) error) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for i, one := range m.mail {
		if m.kept[i] {
			continue
		}
		one.Body = bytes.NewReader(m.raw[i])
		if err := keep(ctx, one); err != nil {
			return n, err
		}
		if m.kept == nil {
			m.kept = map[int]bool{}
		}
		m.kept[i] = true
		n++
	}
	return n, m.Err
}

// Wait ends with its context, or at once when something is there.
func (m *Mailbox) Wait(ctx context.Context, _ time.Duration, alive func()) error {
	alive()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Err != nil {
		return m.Err
	}
	return ctx.Err()
}

// Destinations gives one archive for every facility.
type Destinations struct{ Archive activities.Archive }

// Destination implements [activities.Destinations].
func (d Destinations) Destination(context.Context, library.Facility) (activities.Archive, error) {
	return d.Archive, nil
}
