package devstack

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"fileroom/internal/library"
)

// messageLimit is the size of the largest message taken. An attachment of
// 60 MB comes as 82 MB of base64.
const messageLimit = 100 << 20

// A Sink is the SMTP server of a stack. It takes mail from the stack's
// accounts, after STARTTLS and AUTH, and sends none on: mail for
// "imagelibrary" at any domain goes to the library's mailbox, all other to the
// requester's.
type Sink struct {
	stack *Stack

	mu     sync.Mutex
	reject func(rcpt string) error
	fail   int
}

// FailAfterData makes the next n messages be delivered without the client
// hearing of it: the connection breaks instead.
func (k *Sink) FailAfterData(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fail = n
}

// Reject makes the server ask f about every recipient, and refuse those for
// which it returns an error: an [smtp.SMTPError] as it is, any other as 550.
// nil ends it.
func (k *Sink) Reject(f func(rcpt string) error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reject = f
}

func (s *Stack) newSMTP(Options) (*unit, error) {
	const op = "set up smtp"
	s.sink = &Sink{stack: s}
	if err := s.mailroom().prepare(); err != nil {
		return nil, library.Fault(op, "", err)
	}
	cert, err := tls.LoadX509KeyPair(s.place.tlsFile(), s.place.tlsKeyFile())
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	return &unit{
		service: SMTP, out: s.out, tail: s.logTail,
		launch: func(ctx context.Context) (instance, error) { return s.listenSMTP(ctx, cert) },
		probe:  s.probeSMTP,
	}, nil
}

// listenSMTP starts the server in this process.
func (s *Stack) listenSMTP(ctx context.Context, cert tls.Certificate) (instance, error) {
	const op = "start smtp"
	logFile, err := openLog(s.Log(SMTP))
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp4", s.ports.address(portSMTP))
	if err != nil {
		_ = logFile.Close()
		return nil, library.Fault(op, "", err)
	}
	server := smtp.NewServer(s.sink)
	server.Domain = "localhost"
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	server.MaxMessageBytes = messageLimit
	server.MaxRecipients = 50
	server.ReadTimeout, server.WriteTimeout = 5*time.Minute, 5*time.Minute // RFC 5321, section 4.5.3.2; a large letter takes its time on a busy machine.
	server.EnableSMTPUTF8 = true
	server.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(logFile, nil), slog.LevelWarn)

	run := &smtpRun{server: server, done: make(chan struct{})}
	go func() {
		run.err = server.Serve(l)
		_ = logFile.Close()
		close(run.done)
	}()
	return run, nil
}

// smtpRun is one life of the SMTP server.
type smtpRun struct {
	server *smtp.Server
	done   chan struct{}
	err    error
}

func (r *smtpRun) ended() <-chan struct{} { return r.done }
func (r *smtpRun) pid() int               { return 0 }
func (r *smtpRun) kill()                  { _ = r.server.Close() }

func (r *smtpRun) reason() string {
	if r.err == nil {
		return "it was closed"
	}
	return r.err.Error()
}

func (r *smtpRun) finish(ctx context.Context) error {
	// A client that keeps its connection open is not waited for.
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := r.server.Shutdown(ctx); err != nil {
		_ = r.server.Close()
	}
	<-r.done
	return nil
}

func (s *Stack) probeSMTP(ctx context.Context) error {
	d := s.Description().SMTP
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", d.Address)
	if err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	c, err := smtp.NewClientStartTLS(conn, s.TLS())
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	a := d.Account(Library)
	if err := c.Auth(sasl.NewPlainClient("", a.User, a.Password)); err != nil {
		return err
	}
	return c.Quit()
}

// NewSession implements the SMTP server's backend.
func (k *Sink) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{sink: k, conn: c}, nil
}

// A session is one connection's.
type session struct {
	sink  *Sink
	conn  *smtp.Conn
	known bool // Signed in.
	from  string
	to    []string
}

// AuthMechanisms implements the SMTP server's session. It is not asked before
// STARTTLS.
func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements the SMTP server's session.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		for _, a := range s.sink.stack.accounts() {
			right := subtle.ConstantTimeCompare([]byte(password), []byte(a.Password)) == 1
			if right && (user == a.User || user == a.Email) {
				s.known = true
				return nil
			}
		}
		return smtp.ErrAuthFailed
	}), nil
}

// Mail implements the SMTP server's session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

// Rcpt implements the SMTP server's session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	s.sink.mu.Lock()
	reject := s.sink.reject
	s.sink.mu.Unlock()
	if reject != nil {
		if err := reject(to); err != nil {
			if e, ok := errors.AsType[*smtp.SMTPError](err); ok {
				return e
			}
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such user here"}
		}
	}
	s.to = append(s.to, to)
	return nil
}

// Data implements the SMTP server's session.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	boxes := map[string]bool{}
	for _, to := range s.to {
		boxes[mailboxOf(to)] = true
	}
	for box := range boxes {
		if err := s.sink.stack.mailroom().deliver(box, s.from, bytes.NewReader(raw)); err != nil {
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Delivery failed"}
		}
	}
	s.sink.mu.Lock()
	fail := s.sink.fail > 0
	if fail {
		s.sink.fail--
	}
	s.sink.mu.Unlock()
	if fail {
		_ = s.conn.Conn().Close()
		return errors.New("connection broken on purpose")
	}
	return nil
}

// Reset implements the SMTP server's session.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout implements the SMTP server's session.
func (s *session) Logout() error { return nil }

// mailboxOf returns the mailbox that mail for an address goes to.
func mailboxOf(address string) string {
	local, _, _ := strings.Cut(strings.ToLower(address), "@")
	if local == Library {
		return Library
	}
	return Requester
}

// A mailroom puts messages into Dovecot's Maildirs.
type mailroom struct {
	place place
	dir   string // One Maildir for each user in it.
}

func (s *Stack) mailroom() mailroom {
	return mailroom{place: s.place, dir: filepath.Join(s.place.servers, "mail")}
}

// prepare makes the Maildirs.
func (m mailroom) prepare() error {
	folders := []string{m.dir}
	for _, user := range []string{Library, Requester} {
		folders = append(folders, filepath.Join(m.dir, user))
		for _, sub := range []string{"tmp", "new", "cur"} {
			folders = append(folders, filepath.Join(m.dir, user, sub))
		}
	}
	for _, f := range folders {
		if _, err := m.place.folder(f); err != nil {
			return err
		}
	}
	return nil
}

// deliver puts a message into a mailbox under the Maildir rules: written in
// tmp, moved to new when whole. from, if known, goes to the Return-Path.
func (m mailroom) deliver(user, from string, raw io.Reader) (err error) {
	const op = "deliver message"
	if user != Library && user != Requester {
		return library.Errorf(library.NotFound, op, "", "no such mailbox")
	}
	if err := m.prepare(); err != nil {
		return library.Fault(op, "", err)
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // Never fails.
	now := time.Now()
	name := fmt.Sprintf("%d.R%s.localhost", now.Unix(), hex.EncodeToString(random[:]))
	draft := filepath.Join(m.dir, user, "tmp", name)
	f, err := os.OpenFile(draft, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return library.Fault(op, "", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(draft)
		}
	}()
	from = strings.Map(func(r rune) rune {
		if r < ' ' || r == '<' || r == '>' {
			return -1
		}
		return r
	}, from)
	_, err1 := fmt.Fprintf(f, "Return-Path: <%s>\r\nReceived: by localhost (development sink); %s\r\n",
		from, now.UTC().Format(time.RFC1123Z))
	_, err2 := io.Copy(f, raw)
	if err := errors.Join(err1, err2, f.Close(), m.place.give(draft)); err != nil {
		return library.Fault(op, "", err)
	}
	return library.Fault(op, "", os.Rename(draft, filepath.Join(m.dir, user, "new", name)))
}
