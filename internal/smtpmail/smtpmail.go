// Package smtpmail sends letters through the hospital's own mail server.
//
// A letter leaves only over TLS with a server that proves its name; there is
// no falling back. Its Message-ID is the caller's, derived from the case, so a
// letter repeated after a lost connection is recognisably the same letter.
// Every letter says that a program wrote it (RFC 3834), so that no other
// program answers it.
//
// The package knows nothing of cases or of what a letter may say. Its errors
// carry the server's codes and never its words, which may quote an address.
package smtpmail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"fileroom/internal/library"
)

// LoopHeader marks everything this program sends, so that it knows its own
// letters when they come back.
const LoopHeader = "X-Fileroom-Loop"

// A Sender is an account on a mail server. Its methods connect anew each
// time, and may be called at the same time.
type Sender struct {
	Address  string      // Host and port of the submission service with STARTTLS, usually 587.
	TLS      *tls.Config // Required; a nil ServerName is taken from Address.
	Username string
	Password string
	From     string        // Our own address, bare.
	Timeout  time.Duration // For the whole of one letter; 0 is a minute.
}

// Send sends l once, as plain text, and returns nil when the server has taken it. It returns
// [library.Invalid] when the letter or its recipient will never do,
// [library.Unauthorized] when the server refuses our credentials or our
// address, and a fault for all that may pass. After a fault the server may
// have taken the letter all the same; sending it again repeats its Message-ID.
func (s *Sender) Send(ctx context.Context, l library.OutgoingMail) error {
	const op = "send letter"
	if err := check(l); err != nil {
		return &library.Error{Kind: library.Invalid, Op: op, Err: err} // Without the id, which may be what is malformed.
	}
	m, err := s.message(l)
	if err != nil {
		return library.Errorf(library.Invalid, op, l.MessageID, "unusable address or header")
	}
	timeout := s.Timeout
	if timeout == 0 {
		timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := s.client(ctx, timeout)
	if err != nil {
		return library.Fault(op, l.MessageID, err)
	}
	err = c.DialAndSendWithContext(ctx, m)
	if err == nil || m.IsDelivered() { // What fails after that is only the goodbye.
		return nil
	}
	if ctx.Err() != nil {
		return library.Fault(op, l.MessageID, context.Cause(ctx))
	}
	kind, why := reason(err)
	return &library.Error{Kind: kind, Op: op, ID: l.MessageID, Err: why}
}

func (s *Sender) client(ctx context.Context, timeout time.Duration) (*mail.Client, error) {
	if s.TLS == nil {
		return nil, errors.New("no TLS configuration")
	}
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return nil, errors.New("server address is not host:port")
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, errors.New("server address is not host:port")
	}
	config := s.TLS.Clone()
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	if config.ServerName == "" {
		config.ServerName = host
	}
	return mail.NewClient(host,
		mail.WithPort(number),
		mail.WithTLSPolicy(mail.TLSMandatory),
		mail.WithTLSConfig(config),
		mail.WithOpportunisticSMTPAuth(mail.SMTPAuthPlain, mail.SMTPAuthLogin), // Opportunistic in which, not in whether.
		mail.WithUsername(s.Username),
		mail.WithPassword(s.Password),
		mail.WithHELO(domain(s.From)),         // Not this machine's name.
		mail.WithTimeout(timeout+time.Second), // For each step; ctx ends first, and says why.
		mail.WithoutNoop(),
		mail.WithDialContextFunc(dial(ctx)),
	)
}

// dial connects, and closes the connection when ctx ends: the client library
// asks ctx only before it has connected.
func dial(letter context.Context) mail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil {
			context.AfterFunc(letter, func() { _ = conn.Close() })
		}
		return conn, err
	}
}

func (s *Sender) message(l library.OutgoingMail) (*mail.Msg, error) {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := m.From(s.From); err != nil {
		return nil, err
	}
	if err := m.To(l.To); err != nil {
		return nil, err
	}
	m.Subject(l.Subject)
	m.SetDate()
	m.SetMessageIDWithValue(l.MessageID)
	// RFC 3834 section 5: what answers one message is auto-replied.
	submitted := "auto-generated"
	if l.InReplyTo != "" {
		submitted = "auto-replied"
	}
	m.SetGenHeader("Auto-Submitted", submitted)
	m.SetGenHeader("X-Auto-Response-Suppress", "All") // What Exchange heeds instead.
	m.SetGenHeader(LoopHeader, "fileroom")
	if validMessageID(l.InReplyTo) { // A stranger wrote it: what is odd is not repeated.
		m.SetGenHeader(mail.HeaderInReplyTo, "<"+l.InReplyTo+">")
		m.SetGenHeader(mail.HeaderReferences, "<"+l.InReplyTo+">")
	}
	m.SetBodyString(mail.TypeTextPlain, l.Text)
	return m, nil
}

// reason says what a failure means, in our own words and the server's codes.
func reason(err error) (library.Kind, error) {
	if e, ok := errors.AsType[*mail.SendError](err); ok && e.ErrorCode() != 0 {
		code := e.ErrorCode()
		why := fmt.Errorf("the server answers %s to %s", codes(code, e.EnhancedStatusCode()), e.Reason)
		switch {
		case credentials(code), code >= 500 && e.Reason == mail.ErrSMTPMailFrom:
			return library.Unauthorized, why
		case code >= 500:
			return library.Invalid, why
		}
		return "", why
	}
	if e, ok := errors.AsType[*textproto.Error](err); ok { // Before the letter itself.
		why := fmt.Errorf("the server answers %d", e.Code)
		if credentials(e.Code) {
			return library.Unauthorized, why
		}
		return "", why
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "", e
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return "", e
	}
	if strings.Contains(err.Error(), "STARTTLS") { // The library has no error value for it.
		return "", errors.New("the server offers no STARTTLS")
	}
	return "", errors.New("connection lost, or an answer that is not SMTP")
}

// credentials reports whether code says that the account is refused (RFC 4954
// section 6). 454, a passing fault of the server's, is not among them.
func credentials(code int) bool {
	return code == 530 || code == 534 || code == 535 || code == 538
}

func codes(code int, enhanced string) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + enhanced)
}
