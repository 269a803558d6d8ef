package library

import (
	"fmt"
	"io"
	"log/slog"
	"time"
)

// An IncomingMail is a message as a mailbox hands it over.
type IncomingMail struct {
	UIDValidity uint32
	UID         uint32
	Size        int64 // Bytes, as the server counts them.
	ReceivedAt  time.Time
	TooLarge    bool      // Body holds the header alone.
	Body        io.Reader // The raw message, streamed; valid until the callback returns.
}

// A MailMessage is a message taken apart. It is full of private things, and
// shows none of them when printed.
type MailMessage struct {
	MessageID string
	From      string // The address alone.
	FromName  string // As the sender writes it.
	ReplyTo   string // Where an answer may go; empty if nowhere.
	Subject   string
	Date      time.Time
	InReplyTo []string // Message-IDs of In-Reply-To and References.
	Automatic string   // Why it must not be answered, in the program's words; empty for a person's message.
	Parts     []Part   // The text of the message first, then what was attached, in order.
	Troubles  []Trouble
}

// A Part is one piece of an arrival, to be turned into pages.
type Part struct {
	Name        string // As the sender called it, made clean; never trusted.
	ContentType string // As the sender called it; never trusted.
	Message     bool   // The words of the message itself.
	Body        []byte
}

// Format implements [fmt.Formatter] and shows nothing.
func (MailMessage) Format(s fmt.State, _ rune) { hide(s) }

// LogValue implements [slog.LogValuer] and shows nothing.
func (MailMessage) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON always fails.
func (MailMessage) MarshalJSON() ([]byte, error) { return nil, errPrivate }

// Format implements [fmt.Formatter] and shows nothing.
func (Part) Format(s fmt.State, _ rune) { hide(s) }

// LogValue implements [slog.LogValuer] and shows nothing.
func (Part) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON always fails.
func (Part) MarshalJSON() ([]byte, error) { return nil, errPrivate }

// An OutgoingMail is a letter on its way out by e-mail.
type OutgoingMail struct {
	MessageID string // Without angle brackets; the same for every try.
	To        string
	Subject   string // No patient data.
	Text      string
	InReplyTo string // Message-ID of what it answers; empty for none.
}
