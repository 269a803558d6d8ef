package devstack_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"fileroom/internal/devstack"
	"fileroom/internal/library"
)

func TestMailArrives(t *testing.T) {
	t.Parallel()
	s := whole(t)
	for name, tt := range map[string]struct{ to, box string }{
		"to the library":                       {"imagelibrary@hospital.example", devstack.Library},
		"to the library, in capitals":          {"ImageLibrary@HOSPITAL.example", devstack.Library},
		"to the requester":                     {"requester@clinic.example", devstack.Requester},
		"to anybody else, for the demo to see": {"dr.lind@clinic.example", devstack.Requester},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			subject := "S-" + strings.ReplaceAll(t.Name(), "/", "-") + "-end"
			if err := send(s, tt.to, message(subject)); err != nil {
				t.Fatal(err)
			}
			got := find(t, s, tt.box, subject)
			if len(got) != 1 || !strings.HasSuffix(got[0], message(subject)) {
				t.Errorf("%d messages in %s, want the one sent: %q", len(got), tt.box, got)
			}
			if len(got) == 1 && !strings.HasPrefix(got[0], "Return-Path: <requester@hospital.example>\r\n") {
				t.Errorf("no return path: %q", got[0])
			}
		})
	}
}

func TestDeliverReachesTheMailbox(t *testing.T) {
	t.Parallel()
	s := whole(t)
	if err := s.Deliver(devstack.Library, "sender@example.org", strings.NewReader(message("S-delivered"))); err != nil {
		t.Fatal(err)
	}
	if got := find(t, s, devstack.Library, "S-delivered"); len(got) != 1 {
		t.Errorf("%d messages, want 1", len(got))
	}
	if err := s.Deliver("../etc", "", strings.NewReader("")); library.KindOf(err) != library.NotFound {
		t.Errorf("a mailbox that is none: %v, want not found", err)
	}
}

func TestSinkFailsAsTold(t *testing.T) {
	t.Parallel()
	s := start(t, devstack.Options{Only: []devstack.Service{devstack.SMTP, devstack.IMAP}})

	s.Sink().FailAfterData(1)
	if err := send(s, "requester@clinic.example", message("S-lost")); err == nil {
		t.Error("a client heard of a message whose connection was to break")
	}
	if err := send(s, "requester@clinic.example", message("S-lost")); err != nil {
		t.Errorf("the second time: %v", err)
	}
	if got := find(t, s, devstack.Requester, "S-lost"); len(got) != 2 {
		t.Errorf("%d messages, want both", len(got))
	}

	refusal := &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "mailbox full"}
	s.Sink().Reject(func(rcpt string) error {
		switch rcpt {
		case "gone@clinic.example":
			return errors.New("gone")
		case "full@clinic.example":
			return refusal
		}
		return nil
	})
	for to, code := range map[string]int{"gone@clinic.example": 550, "full@clinic.example": 450, "other@clinic.example": 0} {
		err := send(s, to, message("S-refused"))
		got := 0
		if e, ok := errors.AsType[*smtp.SMTPError](err); ok {
			got = e.Code
		} else if err != nil {
			t.Errorf("%s: %v", to, err)
		}
		if got != code {
			t.Errorf("%s is answered %d, want %d", to, got, code)
		}
	}
}

func TestSubmissionNeedsTLSAndAPassword(t *testing.T) {
	t.Parallel()
	s := whole(t)
	d := s.Description().SMTP

	conn, err := net.Dial("tcp", d.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	plain := smtp.NewClient(conn)
	if err := plain.Hello("client.example"); err != nil {
		t.Fatal(err)
	}
	if ok, _ := plain.Extension("AUTH"); ok {
		t.Error("a password may be sent in clear")
	}
	if err := plain.Mail("requester@hospital.example", nil); err == nil {
		t.Error("mail is taken without a password")
	}

	c := dialSMTP(t, s)
	a := d.Account(devstack.Library)
	if err := c.Auth(sasl.NewPlainClient("", a.User, "wrong")); err == nil {
		t.Error("a wrong password is let in")
	}
	if err := c.Mail("requester@hospital.example", nil); err == nil {
		t.Error("mail is taken after a wrong password")
	}
}

func TestMailboxNeedsTLSAndAPassword(t *testing.T) {
	t.Parallel()
	s := whole(t)
	d := s.Description().IMAP

	// The system's authorities do not know ours.
	if c, err := imapclient.DialTLS(d.Address, nil); err == nil {
		_ = c.Close()
		t.Error("a stranger's certificate is as good as ours")
	}
	conn, err := net.Dial("tcp", d.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "a LOGIN imagelibrary x\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err == nil && strings.Contains(line, "OK") {
		t.Errorf("the port speaks in clear: %q", line)
	}

	c := dialIMAP(t, s)
	if err := c.Login(devstack.Library, d.Account(devstack.Requester).Password).Wait(); err == nil {
		t.Error("another mailbox's password opens the library's")
	}
}

func message(subject string) string {
	return "From: requester@hospital.example\r\nTo: imagelibrary@hospital.example\r\nSubject: " + subject + "\r\n\r\nHello.\r\n"
}

func dialSMTP(t *testing.T, s *devstack.Stack) *smtp.Client {
	t.Helper()
	c, err := smtp.DialStartTLS(s.Description().SMTP.Address, s.TLS())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// send submits a message as the requester.
func send(s *devstack.Stack, to, raw string) error {
	d := s.Description().SMTP
	c, err := smtp.DialStartTLS(d.Address, s.TLS())
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	a := d.Account(devstack.Requester)
	if err := c.Auth(sasl.NewPlainClient("", a.User, a.Password)); err != nil {
		return err
	}
	return c.SendMail(a.Email, []string{to}, strings.NewReader(raw))
}

func dialIMAP(t *testing.T, s *devstack.Stack) *imapclient.Client {
	t.Helper()
	config := s.TLS()
	config.MinVersion = tls.VersionTLS13
	c, err := imapclient.DialTLS(s.Description().IMAP.Address, &imapclient.Options{TLSConfig: config})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// find returns the messages of a mailbox with a subject.
func find(t *testing.T, s *devstack.Stack, user, subject string) []string {
	t.Helper()
	c := dialIMAP(t, s)
	if err := c.Login(user, s.Description().IMAP.Account(user).Password).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	hits, err := c.UIDSearch(&imap.SearchCriteria{
		Header: []imap.SearchCriteriaHeaderField{{Key: "Subject", Value: subject}},
	}, nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	if len(hits.AllUIDs()) == 0 {
		return nil
	}
	section := &imap.FetchItemBodySection{Peek: true}
	messages, err := c.Fetch(imap.UIDSetNum(hits.AllUIDs()...), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	var raw []string
	for _, m := range messages {
		raw = append(raw, string(m.FindBodySection(section)))
	}
	return raw
}
