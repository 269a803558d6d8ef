package mimemail

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"fileroom/internal/library"
)

// The bounds on a message. What is beyond them is refused before it is parsed,
// with a Trouble.
const (
	maxMessage   = 50 << 20
	maxHead      = 64 << 10
	maxParts     = 500
	maxOpen      = 10  // Multiparts within multiparts that do not end.
	maxMultipart = 100 // Multiparts in all.
	maxForwarded = 4   // Messages within messages.
)

// wire is what the child tells its parent: one line of JSON, then the text and
// the bodies of the parts, one after the other.
type wire struct {
	MessageID string            `json:"message_id"`
	From      string            `json:"from"`
	FromName  string            `json:"from_name"`
	ReplyTo   string            `json:"reply_to"`
	Subject   string            `json:"subject"`
	Date      time.Time         `json:"date"`
	InReplyTo []string          `json:"in_reply_to"`
	Sign      sign              `json:"sign"`
	Text      int               `json:"text"` // Bytes.
	Parts     []wirePart        `json:"parts"`
	Troubles  []library.Trouble `json:"troubles"` // By part: 1 is the text, Parts begin at 2.
}

type wirePart struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Message bool   `json:"message"` // The words of a message attached to this one.
	Size    int    `json:"size"`
	body    []byte
}

// Main is the child's side: it takes the raw message on stdin apart and writes
// the result to stdout. It never returns an error on account of the message,
// but may take for ever or die: the parent must be able to end it.
func Main(stdin io.Reader, stdout io.Writer) error {
	raw, err := io.ReadAll(io.LimitReader(stdin, maxMessage+1))
	if err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	w, text := dissect(raw)
	w.Text = len(text)
	line, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	out := bufio.NewWriter(stdout)
	_, _ = out.Write(append(line, '\n'))
	_, _ = out.WriteString(text)
	for _, p := range w.Parts {
		_, _ = out.Write(p.body)
	}
	return out.Flush() // Which remembers the first error.
}

// dissect takes a message apart and returns what was found and its text.
func dissect(raw []byte) (wire, string) {
	d := &dissection{}
	head, _ := splitHead(raw[:min(len(raw), maxHead+1)])
	if len(head) > maxHead {
		d.Sign = unreadableHead
		d.trouble(1, library.TroubleTooLarge, "The header of the message is larger than 64 KB. Look at it as it came.")
		return d.wire, ""
	}
	d.head(parseHeader(head))
	if len(bytes.TrimSpace(raw)) == 0 {
		d.trouble(1, library.TroubleEmpty, "The message is empty.")
		return d.wire, ""
	}
	if len(raw) > maxMessage {
		d.trouble(1, library.TroubleTooLarge, "The message is larger than 50 MB. Ask for a disc, or for several smaller messages.")
		return d.wire, ""
	}
	text := d.message(raw, place{number: 1})
	if strings.TrimSpace(text) == "" && len(d.Parts) == 0 && len(d.Troubles) == 0 {
		d.trouble(1, library.TroubleEmpty, "The message has neither text nor attachments.")
	}
	return d.wire, text
}

// head reads what the header says.
func (d *dissection) head(h header) {
	d.Sign = signOf(h)
	from, _ := h.one("from")
	reply, _ := h.one("reply-to")
	d.From, d.FromName, d.ReplyTo = from.Address, from.Name, reply.Address
	d.MessageID = h.messageID("message-id")
	d.InReplyTo = append(h.messageIDs("in-reply-to"), h.messageIDs("references")...)
	d.Subject, d.Date = h.text("subject"), h.date()
	if len(h.all("from")) > 1 {
		d.trouble(1, library.TroubleDamaged, "The message names more than one sender. Do not trust what it says about who wrote it.")
	}
}
