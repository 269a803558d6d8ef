package smtpmail_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"fileroom/internal/library"
	"fileroom/internal/smtpmail"
)

// A backend is a mail server that does what the local part of an address says.
type backend struct {
	mu       sync.Mutex
	messages []received
}

type received struct {
	from, to string
	raw      []byte
}

func (b *backend) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{backend: b, conn: c}, nil
}

type session struct {
	backend  *backend
	conn     *smtp.Conn
	signed   bool
	from, to string
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != "intake" || password != "kettle" {
			return smtp.ErrAuthFailed
		}
		s.signed = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.signed {
		return smtp.ErrAuthRequired
	}
	if strings.HasPrefix(from, "notmine") {
		return &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "not your address, Ada Quill"}
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	switch local, _, _ := strings.Cut(to, "@"); local {
	case "nobody":
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user, Ada Quill"}
	case "greylisted":
		return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "later, Ada Quill"}
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.backend.mu.Lock()
	defer s.backend.mu.Unlock()
	s.backend.messages = append(s.backend.messages, received{s.from, s.to, raw})
	switch local, _, _ := strings.Cut(s.to, "@"); local {
	case "content-refused":
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "spam"}
	case "dropped":
		return s.conn.Conn().Close()
	}
	return nil
}

// silence is where the server's complaints go.
type silence struct{}

func (silence) Printf(string, ...any) {}
func (silence) Println(...any)        {}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// serve starts a mail server and returns it with an account on it.
func serve(t *testing.T, starttls bool) (*backend, *smtpmail.Sender) {
	t.Helper()

	certificate, roots := authority(t)
	b := &backend{}
	server := smtp.NewServer(b)
	server.Domain = "mail.hospital.example"
	server.ErrorLog = silence{}
	if starttls {
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	} else {
		server.AllowInsecureAuth = true
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return b, &smtpmail.Sender{
		Address: l.Addr().String(), TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		Username: "intake", Password: "kettle", From: "images@hospital.example",
	}
}

func authority(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

func letterTo(to string) library.OutgoingMail {
	return library.OutgoingMail{
		MessageID: "k7m3-1@hospital.example", To: to, Subject: "Your request K7M3",
		Text: "Dear Ms. Müller,\n.\nyour request has the number K7M3.\n", InReplyTo: "abc.1@clinic.example",
	}
}

func TestSend(t *testing.T) {
	t.Parallel()

	b, s := serve(t, true)
	l := letterTo("ana@clinic.example")
	if err := s.Send(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if len(b.messages) != 1 || b.messages[0].to != l.To || b.messages[0].from != s.From {
		t.Fatalf("received %+v, want one letter", b.messages)
	}
	m, err := mail.ReadMessage(bytes.NewReader(b.messages[0].raw))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"Message-Id": "<k7m3-1@hospital.example>", "Subject": l.Subject, "Auto-Submitted": "auto-replied",
		"X-Auto-Response-Suppress": "All", "X-Fileroom-Loop": "fileroom", "In-Reply-To": "<abc.1@clinic.example>",
		"From": "<images@hospital.example>", "To": "<ana@clinic.example>", "User-Agent": "", "X-Mailer": "",
	}
	for name, value := range want {
		if got := m.Header.Get(name); got != value {
			t.Errorf("%s = %q, want %q", name, got, value)
		}
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if got := strings.ReplaceAll(string(text), "\r\n", "\n"); err != nil || !strings.Contains(got, "Müller,\n.\nyour") {
		t.Errorf("text = %q, %v", got, err)
	}
}

func TestSendOfItsOwnAccord(t *testing.T) {
	t.Parallel()

	b, s := serve(t, true)
	l := letterTo("ana@clinic.example")
	l.InReplyTo = ""
	if err := s.Send(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if raw := string(b.messages[0].raw); !strings.Contains(raw, "Auto-Submitted: auto-generated\r\n") || strings.Contains(raw, "In-Reply-To") {
		t.Errorf("received %s", raw)
	}
}

// A stranger's Message-ID with a line end in it is no reason not to answer,
// and not to be repeated either.
func TestSendLeavesOutOddInReplyTo(t *testing.T) {
	t.Parallel()

	b, s := serve(t, true)
	l := letterTo("ana@clinic.example")
	l.InReplyTo = "a@b>\r\nBcc: everyone@clinic.example"
	if err := s.Send(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	raw := string(b.messages[0].raw)
	if strings.Contains(raw, "everyone") || strings.Contains(raw, "In-Reply-To") || !strings.Contains(raw, "auto-replied") {
		t.Errorf("received %s", raw)
	}
}

func TestSendRefused(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		to     string
		change func(*smtpmail.Sender)
		want   library.Kind
		says   string
	}{
		"no such recipient":        {"nobody@clinic.example", nil, library.Invalid, "550 5.1.1"},
		"later":                    {"greylisted@clinic.example", nil, "", "450 4.7.1"},
		"content refused":          {"content-refused@clinic.example", nil, library.Invalid, "554"},
		"wrong password":           {"ana@clinic.example", func(s *smtpmail.Sender) { s.Password = "pot" }, library.Unauthorized, "535"},
		"address that is not ours": {"ana@clinic.example", func(s *smtpmail.Sender) { s.From = "notmine@hospital.example" }, library.Unauthorized, "553"},
		"unknown authority":        {"ana@clinic.example", func(s *smtpmail.Sender) { s.TLS = &tls.Config{MinVersion: tls.VersionTLS12} }, "", "unknown authority"},
		"no TLS configuration":     {"ana@clinic.example", func(s *smtpmail.Sender) { s.TLS = nil }, "", "no TLS"},
		"nobody listens":           {"ana@clinic.example", func(s *smtpmail.Sender) { s.Address = "127.0.0.1:1" }, "", "refused"},
		"address without port":     {"ana@clinic.example", func(s *smtpmail.Sender) { s.Address = "mail.example" }, "", "host:port"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, s := serve(t, true)
			if tt.change != nil {
				tt.change(s)
			}
			err := s.Send(t.Context(), letterTo(tt.to))
			if err == nil || library.KindOf(err) != tt.want || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("Send = %v of kind %q, want %q of kind %q", err, library.KindOf(err), tt.says, tt.want)
			}
			if strings.Contains(err.Error(), "Quill") || strings.Contains(err.Error(), "clinic.example") {
				t.Errorf("error quotes the server or names the recipient: %v", err)
			}
		})
	}
}

func TestSendRefusesPlaintext(t *testing.T) {
	t.Parallel()

	b, s := serve(t, false)
	err := s.Send(t.Context(), letterTo("ana@clinic.example"))
	if err == nil || library.KindOf(err) != "" || !strings.Contains(err.Error(), "no STARTTLS") {
		t.Errorf("Send = %v, want a fault that names STARTTLS", err)
	}
	if len(b.messages) != 0 {
		t.Error("a letter left in clear")
	}
}

// The server took the letter, but its answer was lost: we must try again, and
// the reader's mail program must see that it is the same letter.
func TestSendAfterLostAnswer(t *testing.T) {
	t.Parallel()

	b, s := serve(t, true)
	for range 2 {
		if err := s.Send(t.Context(), letterTo("dropped@clinic.example")); err == nil || library.KindOf(err) != "" {
			t.Fatalf("Send = %v of kind %q, want a fault", err, library.KindOf(err))
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.messages) != 2 {
		t.Fatalf("server has %d letters, want 2", len(b.messages))
	}
	for _, m := range b.messages {
		if !bytes.Contains(m.raw, []byte("Message-ID: <k7m3-1@hospital.example>\r\n")) {
			t.Errorf("received %s", m.raw)
		}
	}
}

func TestSilentServer(t *testing.T) {
	t.Parallel()

	l, err := net.Listen("tcp", "127.0.0.1:0") // Connects, and is never accepted.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	_, s := serve(t, true)
	s.Address = l.Addr().String()

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Send(ctx, letterTo("ana@clinic.example")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Send = %v, want the caller's deadline", err)
	}
	s.Timeout = 100 * time.Millisecond
	if err := s.Send(t.Context(), letterTo("ana@clinic.example")); !errors.Is(err, context.DeadlineExceeded) || library.KindOf(err) != "" {
		t.Errorf("Send = %v, want its own deadline", err)
	}
}

func TestMalformedLetters(t *testing.T) {
	t.Parallel()

	_, s := serve(t, true)
	tests := map[string]func(*library.OutgoingMail){
		"no message id":                func(l *library.OutgoingMail) { l.MessageID = "" },
		"message id without domain":    func(l *library.OutgoingMail) { l.MessageID = "a" },
		"message id with line end":     func(l *library.OutgoingMail) { l.MessageID = "a@b\r\nBcc: c@d.example" },
		"message id in brackets":       func(l *library.OutgoingMail) { l.MessageID = "<a@b.example>" },
		"no recipient":                 func(l *library.OutgoingMail) { l.To = "" },
		"two recipients":               func(l *library.OutgoingMail) { l.To = "a@clinic.example, b@clinic.example" },
		"recipient with name":          func(l *library.OutgoingMail) { l.To = "Ana <ana@clinic.example>" },
		"recipient with line end":      func(l *library.OutgoingMail) { l.To = "ana@clinic.example\r\nRCPT TO:<b@c.example>" },
		"recipient with quoted part":   func(l *library.OutgoingMail) { l.To = `"ana> RCPT"@clinic.example` },
		"recipient without domain":     func(l *library.OutgoingMail) { l.To = "ana" },
		"recipient beyond all lengths": func(l *library.OutgoingMail) { l.To = strings.Repeat("a", 250) + "@clinic.example" },
		"recipient not in ASCII":       func(l *library.OutgoingMail) { l.To = "änne@clinic.example" },
		"subject with line end":        func(l *library.OutgoingMail) { l.Subject = "a\r\nBcc: b@c.example" },
		"subject too long":             func(l *library.OutgoingMail) { l.Subject = strings.Repeat("a", 201) },
		"no subject":                   func(l *library.OutgoingMail) { l.Subject = "" },
		"no text":                      func(l *library.OutgoingMail) { l.Text = "" },
		"text too long":                func(l *library.OutgoingMail) { l.Text = strings.Repeat("a", 300<<10) },
		"text not in UTF-8":            func(l *library.OutgoingMail) { l.Text = "\xff" },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			l := letterTo("ana@clinic.example")
			spoil(&l)
			if err := s.Send(t.Context(), l); library.KindOf(err) != library.Invalid {
				t.Errorf("Send = %v of kind %q, want invalid", err, library.KindOf(err))
			}
		})
	}
}
