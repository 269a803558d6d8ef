package mimemail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/sandbox"
)

// A Runner runs [Main] once in a child process, gives it stdin and returns
// what it wrote. Its error is [library.Invalid] when the child failed or was
// stopped at a limit, and without a kind when it could not be run.
type Runner interface {
	Run(ctx context.Context, stdin io.Reader) ([]byte, error)
}

// A Parser takes messages apart in a child process.
type Parser struct {
	Child Runner
	Own   []string // Our own addresses: what comes from there is our own letter.
}

// New returns a parser whose child is command. The limits leave the largest
// message that is parsed thirty times what it needs on a busy machine; of the
// address space it uses a tenth.
func New(command, own []string) *Parser {
	return &Parser{Own: own, Child: sandbox.Child{
		Command: command, Timeout: 3 * time.Minute, CPU: 30 * time.Second, Memory: 3 << 30, MaxOutput: 3 * maxMessage,
	}}
}

// Parse takes the raw message apart. A message that cannot be read, or that
// stops its reader, is no error: it comes with Troubles and what could be
// read, at least its header if that is possible. An error is a fault that may
// pass.
//
// Parts are the text, unless there is none, and the attachments, with those of
// messages attached to this one, whose text is a part as well. Text is the
// plain text, or the HTML turned into text where there is no other, in clean
// UTF-8 with \n at line ends; quoted history is left as it came. ReplyTo is ""
// whenever no program may answer. Automatic is set only for what cannot be a
// request; a fax service that forbids answers still sends requests.
func (p *Parser) Parse(ctx context.Context, raw io.Reader) (library.MailMessage, error) {
	const op = "parse message"
	in := &source{r: io.LimitReader(raw, maxMessage+1)}
	out, err := p.Child.Run(ctx, in)
	switch {
	case in.err != nil:
		return library.MailMessage{}, library.Fault(op, "", errors.New("the raw message cannot be read"))
	case library.KindOf(err) == library.Invalid:
		return p.headOnly(ctx, in.head)
	case err != nil:
		return library.MailMessage{}, library.Fault(op, "", err)
	}
	return p.decode(op, out)
}

// headOnly reads the header of a message whose body stopped the child, so
// that it is at least known whose it is.
func (p *Parser) headOnly(ctx context.Context, raw []byte) (library.MailMessage, error) {
	const op = "parse header of message"
	stopped := []library.Trouble{{
		Code: library.TroubleTimeout, Part: 1,
		Text: "Reading the message was stopped at its limit of time or memory. Look at it as it came.",
	}}
	head, _ := splitHead(raw)
	out, err := p.Child.Run(ctx, bytes.NewReader(head))
	if library.KindOf(err) == library.Invalid {
		return library.MailMessage{Troubles: stopped}, nil
	}
	if err != nil {
		return library.MailMessage{}, library.Fault(op, "", err)
	}
	m, err := p.decode(op, out)
	m.Parts, m.Troubles = nil, stopped
	return m, err
}

// decode reads what the child wrote.
func (p *Parser) decode(op string, out []byte) (library.MailMessage, error) {
	line, rest, ok := bytes.Cut(out, []byte("\n"))
	var w wire
	if !ok || json.Unmarshal(line, &w) != nil {
		return library.MailMessage{}, library.Fault(op, "", errors.New("the child process gave no result"))
	}
	next := func(n int) []byte {
		if n < 0 || n > len(rest) {
			ok = false
			return nil
		}
		b := rest[:n:n]
		rest = rest[n:]
		return b
	}
	if ours(w.From, p.Own) {
		w.Sign = ourselves
	}
	m := library.MailMessage{
		MessageID: w.MessageID, From: w.From, FromName: w.FromName, ReplyTo: answerable(w.Sign, w.From, w.ReplyTo, p.Own), Subject: w.Subject, Date: w.Date,
		InReplyTo: w.InReplyTo, Automatic: w.Sign.words(len(w.Parts) > 0), Troubles: w.Troubles,
	}
	if text := next(w.Text); len(bytes.TrimSpace(text)) > 0 {
		m.Parts = append(m.Parts, library.Part{ContentType: "text/plain", Message: true, Body: text})
	} else {
		for i := range m.Troubles { // Without text the first attachment is part 1.
			m.Troubles[i].Part = max(1, m.Troubles[i].Part-1)
		}
	}
	for _, part := range w.Parts {
		m.Parts = append(m.Parts, library.Part{Name: part.Name, ContentType: part.Type, Message: part.Message, Body: next(part.Size)})
	}
	if !ok || len(rest) > 0 {
		return library.MailMessage{}, library.Fault(op, "", errors.New("the child process gave half a result"))
	}
	return m, nil
}

// A source remembers the beginning of what is read through it, and whether
// reading failed.
type source struct {
	r    io.Reader
	head []byte
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if room := maxHead + 1 - len(s.head); room > 0 {
		s.head = append(s.head, p[:min(n, room)]...)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
