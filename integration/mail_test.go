package integration_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/smtp"
	"os"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"fileroom/internal/devstack"
	"fileroom/internal/library"
)

// trust returns what a mail program needs to know of the mail servers.
func (s *stack) trust() (*tls.Config, error) {
	pem, err := os.ReadFile(s.dev.CACertificate)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate")
	}
	return &tls.Config{RootCAs: roots, ServerName: s.dev.SMTP.Host, MinVersion: tls.VersionTLS12}, nil
}

// deliver brings a message to where the installation looks for mail: by SMTP
// to the inbox, or, for there is no address for it, by IMAP into its folder.
func (i *installation) deliver(t *testing.T, m message) message {
	t.Helper()
	err := i.append(i.folder, m)
	if i.folder == "" {
		err = i.post("requester@hospital.example", m)
	}
	if err != nil {
		t.Fatalf("deliver the message: %v", err)
	}
	return m
}

// post sends a message to the library. One from nobody ("") is a bounce.
func (s *stack) post(from string, m message) error {
	c, err := smtp.Dial(s.dev.SMTP.Address)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	trust, err := s.trust()
	if err != nil {
		return err
	}
	account := s.dev.SMTP.Account(devstack.Requester)
	err = errors.Join(c.StartTLS(trust), c.Auth(smtp.PlainAuth("", account.User, account.Password, s.dev.SMTP.Host)),
		c.Mail(from), c.Rcpt("imagelibrary@hospital.example"))
	if err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	_, err = w.Write(m.raw)
	return errors.Join(err, w.Close(), c.Quit())
}

// signIn opens a mail account.
func (s *stack) signIn(user string) (*imapclient.Client, error) {
	trust, err := s.trust()
	if err != nil {
		return nil, err
	}
	c, err := imapclient.DialTLS(s.dev.IMAP.Address, &imapclient.Options{TLSConfig: trust})
	if err != nil {
		return nil, err
	}
	account := s.dev.IMAP.Account(user)
	if err := c.Login(account.User, account.Password).Wait(); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// makeFolder makes a folder in the library's mailbox.
func (s *stack) makeFolder(name string) error {
	c, err := s.signIn(devstack.Library)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	return c.Create(name, nil).Wait()
}

func (s *stack) append(folder string, m message) error {
	if folder == "" {
		return nil
	}
	c, err := s.signIn(devstack.Library)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	a := c.Append(folder, int64(len(m.raw)), nil)
	_, err = a.Write(m.raw)
	err = errors.Join(err, a.Close())
	_, waited := a.Wait()
	return errors.Join(err, waited)
}

// A received is a letter about a case as the requester has it.
type received struct{ subject, id string }

// letters returns the letters about a case that are in the requester's mailbox.
func (s *stack) letters(id library.CaseID) ([]received, error) {
	c, err := s.signIn(devstack.Requester)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	box, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil || box.NumMessages == 0 {
		return nil, err
	}
	fetched, err := c.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{Envelope: true}).Collect()
	var all []received
	for _, f := range fetched {
		if strings.Contains(f.Envelope.Subject, string(id)) {
			all = append(all, received{subject: f.Envelope.Subject, id: strings.Trim(f.Envelope.MessageID, "<>")})
		}
	}
	return all, err
}

// distinct counts letters by their Message-ID.
func distinct(all []received) int {
	ids := map[string]bool{}
	for _, r := range all {
		ids[r.id] = true
	}
	return len(ids)
}

// awaitLetters waits until the requester has so many letters about a case.
func (s *stack) awaitLetters(ctx context.Context, t *testing.T, id library.CaseID, n int) []received {
	t.Helper()
	return await(ctx, t, "letters to the requester", func(context.Context) ([]received, error) { return s.letters(id) },
		func(all []received) bool { return distinct(all) >= n })
}
