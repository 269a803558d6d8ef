package imapmail

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/emersion/go-imap/v2"

	"fileroom/internal/library"
)

const (
	// Kept is the keyword that a message safely kept carries.
	Kept = "$FileroomKept"
	// KeptMailbox receives kept messages where the server allows no keywords.
	KeptMailbox = "Fileroom kept"
)

// A Mailbox is one mailbox on an IMAP server. The zero value of each limit
// means what its comment says. Its methods connect anew each time, and may be
// called at the same time.
type Mailbox struct {
	Address  string      // Host and port of the TLS service, usually 993.
	TLS      *tls.Config // Required; a nil ServerName is taken from Address.
	Username string
	Password string
	Name     string // Mailbox name; "" is INBOX.

	MaxBytes int64         // Larger messages come without body; 0 is 200 MB.
	Silence  time.Duration // How long the server may say nothing while it owes an answer; 0 is a minute.
	Poll     time.Duration // How often a server without IDLE is asked; 0 is 30 seconds.
}

// heartbeat is how often Wait says that it is alive.
const heartbeat = 5 * time.Second

// longestWait ends every Wait, so that IDLE is begun anew before a server may
// end it after 29 minutes (RFC 2177).
const longestWait = 25 * time.Minute

// Each gives every message that is not marked as kept to keep, oldest first,
// and marks it when keep returns nil; once in a while it leaves some for the next call. When keep fails, the message stays
// unmarked and Each stops with keep's error. It returns how many were marked.
//
// The body of a message ends with [io.EOF] only when all of it came; a lost
// connection is another error. Of a message larger than MaxBytes it is the
// header alone, cut at 256 KB.
//
// The kinds of error, apart from keep's, are [library.Unauthorized] when the
// server refuses the credentials, [library.NotFound] when there is no such
// mailbox, [library.Invalid] when the server can mark messages in neither
// way, and otherwise a fault that may pass.
func (m *Mailbox) Each(ctx context.Context, keep func(context.Context, library.IncomingMail) error) (int, error) {
	const op = "read mailbox"
	s, err := m.open(ctx)
	if err != nil {
		return 0, fault(ctx, op, err)
	}
	defer s.close()
	n, err := s.each(ctx, keep)
	return n, fault(ctx, op, err)
}

// Wait returns nil as soon as there may be a message to keep, and at the
// latest after timeout or 25 minutes. It calls alive every five seconds. A
// lost connection is a fault, for mail may come unseen. Its kinds of error are
// those of [Mailbox.Each].
func (m *Mailbox) Wait(ctx context.Context, timeout time.Duration, alive func()) error {
	const op = "wait for mail"
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	alive()
	done := make(chan error, 1)
	go func() { done <- m.wait(ctx, min(timeout, longestWait)) }()
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return fault(ctx, op, err)
		case <-tick.C:
			alive()
		}
	}
}

func (m *Mailbox) wait(ctx context.Context, timeout time.Duration) error {
	until := time.NewTimer(timeout)
	defer until.Stop()
	s, err := m.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	// What arrives from here on is announced; what is there already is not.
	uids, err := s.unkept()
	if err != nil || len(uids) > 0 {
		return err
	}
	if s.client.Caps().Has(imap.CapIdle) {
		return s.idle(until.C)
	}
	return s.poll(until.C, or(m.Poll, 30*time.Second))
}

func or[T int64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}
