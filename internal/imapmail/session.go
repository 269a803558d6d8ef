package imapmail

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"fileroom/internal/library"
)

// A session is one signed-in connection with the mailbox selected. It ends
// when its context does.
type session struct {
	box      *Mailbox
	conn     *watchedConn
	client   *imapclient.Client
	unhook   func() bool
	news     chan struct{} // Has a value when the server has announced something.
	validity uint32
	keywords bool // Whether messages can be marked by keyword; else they are moved.
	hasKept  bool // Whether KeptMailbox is known to exist.
}

func (m *Mailbox) open(ctx context.Context) (*session, error) {
	conn, err := m.dial(ctx)
	if err != nil {
		return nil, err
	}
	s := &session{box: m, conn: conn, news: make(chan struct{}, 1)}
	s.unhook = context.AfterFunc(ctx, func() { _ = conn.Close() })
	s.client = imapclient.New(conn, &imapclient.Options{
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: func(d *imapclient.UnilateralDataMailbox) {
			if d.NumMessages != nil {
				s.announce()
			}
		}},
	})
	if err := s.enter(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (m *Mailbox) dial(ctx context.Context) (*watchedConn, error) {
	if m.TLS == nil {
		return nil, errNoTLS
	}
	ctx, cancel := context.WithTimeout(ctx, m.silence())
	defer cancel()
	config := m.TLS.Clone()
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", m.Address)
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: conn}, nil
}

func (m *Mailbox) silence() time.Duration { return or(m.Silence, time.Minute) }

// enter signs in and selects the mailbox.
func (s *session) enter() error {
	defer s.expect()()
	if err := s.client.WaitGreeting(); err != nil {
		return s.why(err)
	}
	if err := s.client.Login(s.box.Username, s.box.Password).Wait(); err != nil {
		return refusedLogin(s.why(err))
	}
	name := s.box.Name
	if name == "" {
		name = "INBOX"
	}
	box, err := s.client.Select(name, nil).Wait()
	if err != nil {
		return s.refusedSelect(name, s.why(err))
	}
	s.validity = box.UIDValidity
	s.keywords = slices.ContainsFunc(box.PermanentFlags, func(f imap.Flag) bool {
		return f == imap.FlagWildcard || strings.EqualFold(string(f), Kept)
	})
	if !s.keywords && !s.client.Caps().Has(imap.CapMove) {
		return library.Errorf(library.Invalid, "open mailbox", "", "the server allows neither keywords nor moving, so nothing can be marked as kept")
	}
	return nil
}

// refusedSelect returns err as [library.NotFound] when there is no mailbox of
// that name. Not every server has a response code for it.
func (s *session) refusedSelect(name string, err error) error {
	if e, ok := errors.AsType[*imap.Error](err); !ok || e.Type != imap.StatusResponseTypeNo {
		return err
	}
	found, listErr := s.client.List("", name, nil).Collect()
	if listErr != nil || len(found) > 0 {
		return err
	}
	return library.Errorf(library.NotFound, "open mailbox", "", "no such mailbox")
}

// close ends the connection; what is under way on it fails.
func (s *session) close() {
	s.unhook()
	_ = s.conn.Close() // Not the client's Close, which waits for whoever reads a message.
}

// each shows every unmarked message to keep and marks it.
func (s *session) each(ctx context.Context, keep func(context.Context, library.IncomingMail) error) (int, error) {
	uids, err := s.unkept()
	if err != nil {
		return 0, err
	}
	n := 0
	var missed []imap.UID
	for batch := range slices.Chunk(uids, 100) {
		messages, err := s.describe(batch)
		if err != nil {
			return n, err
		}
		for _, uid := range batch {
			msg, ok := messages[uid]
			if !ok {
				missed = append(missed, uid)
				continue
			}
			err := s.keep(ctx, msg, keep)
			if errors.Is(err, errSize) {
				err = s.box.keepHeader(ctx, msg, keep)
				if err == nil { // The rest waits for the next call: this session is closed.
					return n + 1, nil
				}
			}
			if err != nil {
				return n, err
			}
			n++
		}
	}
	return n, s.stillThere(missed)
}

// keepHeader keeps a message that turned out larger than the server had said,
// over a connection of its own.
func (m *Mailbox) keepHeader(ctx context.Context, msg library.IncomingMail, keep func(context.Context, library.IncomingMail) error) error {
	s, err := m.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if s.validity != msg.UIDValidity {
		return errSize // The mailbox was rebuilt just now; all is seen again.
	}
	msg.TooLarge = true
	return s.keep(ctx, msg, keep)
}

// expect starts the watchdog over what the server now owes us, and returns the
// function that stops it. The client library itself waits for ever.
func (s *session) expect() func() {
	s.conn.expect(s.box.silence())
	return func() { s.conn.expect(0) }
}

// why prefers what ended the connection to what the library made of it.
func (s *session) why(err error) error {
	if lost := s.conn.lost(); err != nil && lost != nil {
		return lost
	}
	return err
}

func (s *session) announce() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// unkept returns the UIDs of the messages that are not marked, in order.
func (s *session) unkept() ([]imap.UID, error) {
	defer s.expect()()
	criteria := &imap.SearchCriteria{}
	if s.keywords {
		criteria.NotFlag = []imap.Flag{Kept}
	}
	found, err := s.client.UIDSearch(criteria, nil).Wait()
	if err != nil {
		return nil, s.why(err)
	}
	uids := found.AllUIDs()
	slices.Sort(uids)
	return slices.Compact(uids), nil
}

// stillThere returns an error when one of uids, which the server did not give
// when asked, was not merely deleted meanwhile.
func (s *session) stillThere(uids []imap.UID) error {
	if len(uids) == 0 {
		return nil
	}
	now, err := s.unkept()
	if err != nil {
		return err
	}
	for _, uid := range uids {
		if slices.Contains(now, uid) {
			return errWithheld
		}
	}
	return nil
}

// describe asks for size and date of messages. Nothing more: an ENVELOPE made
// of a malformed message ends the connection.
func (s *session) describe(uids []imap.UID) (map[imap.UID]library.IncomingMail, error) {
	defer s.expect()()
	cmd := s.client.Fetch(imap.UIDSetNum(uids...), &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: true})
	found := map[imap.UID]library.IncomingMail{}
	for data := cmd.Next(); data != nil; data = cmd.Next() {
		msg, uid := library.IncomingMail{UIDValidity: s.validity}, imap.UID(0)
		for item := data.Next(); item != nil; item = data.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				uid = item.UID
			case imapclient.FetchItemDataRFC822Size:
				msg.Size = item.Size
			case imapclient.FetchItemDataInternalDate:
				msg.ReceivedAt = item.Time
			}
		}
		msg.UID = uint32(uid)
		msg.TooLarge = msg.Size > or(s.box.MaxBytes, 200<<20)
		found[uid] = msg
	}
	return found, s.why(cmd.Close())
}

// keep streams one message to the caller's function and marks it.
func (s *session) keep(ctx context.Context, msg library.IncomingMail, keep func(context.Context, library.IncomingMail) error) error {
	section := &imap.FetchItemBodySection{Peek: true} // Without \Seen: staff may look into the mailbox too.
	if msg.TooLarge {
		section.Specifier = imap.PartSpecifierHeader
		section.Partial = &imap.SectionPartial{Size: maxHeader}
	}
	if err := s.stream(ctx, msg, section, keep); err != nil {
		return err
	}
	return s.mark(imap.UID(msg.UID))
}

// maxHeader bounds how much of the header of a message too large is read.
const maxHeader = 256 << 10

func (s *session) stream(ctx context.Context, msg library.IncomingMail, section *imap.FetchItemBodySection, keep func(context.Context, library.IncomingMail) error) error {
	defer s.expect()()
	cmd := s.client.Fetch(imap.UIDSetNum(imap.UID(msg.UID)), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
	given := false
	for data := cmd.Next(); data != nil; data = cmd.Next() {
		for item := data.Next(); item != nil; item = data.Next() {
			part, ok := item.(imapclient.FetchItemDataBodySection)
			if !ok || given {
				continue
			}
			given = true
			b := s.body(part.Literal)
			if err := s.give(ctx, msg, b, keep); err != nil {
				_ = s.conn.Close() // Rather than read on to the end of the message.
				if b.err == nil {
					_ = cmd.Close()
				} // Else closing would read once more what has failed, in a race with the client's reader.
				return err
			}
		}
	}
	if err := cmd.Close(); err != nil {
		return s.why(err)
	}
	if !given {
		return errNoBody
	}
	return nil
}

// give hands one body to the caller, and notices when it was not all of it.
func (s *session) give(ctx context.Context, msg library.IncomingMail, b *body, keep func(context.Context, library.IncomingMail) error) error {
	if !msg.TooLarge && b.left > or(s.box.MaxBytes, 200<<20) {
		return errSize
	}
	msg.Body = b
	s.conn.expect(0) // While the caller works it is not the server that is slow.
	if err := keep(ctx, msg); err != nil {
		return keepError{err}
	}
	s.expect()                                     // The caller of give ends this.
	if b.err != nil && !errors.Is(b.err, io.EOF) { // The caller may not have looked.
		return s.why(b.err)
	}
	return nil
}

// A body is a literal that knows how long it must be: the client library
// takes a connection closed in mid-message for the message's end.
type body struct {
	r      io.Reader
	left   int64
	err    error // The first, which is also the last: r must not be read again.
	expect func() func()
}

func (s *session) body(literal imap.LiteralReader) *body {
	if literal == nil { // NIL, as some servers give an empty message.
		return &body{r: strings.NewReader(""), expect: s.expect}
	}
	return &body{r: literal, left: literal.Size(), expect: s.expect}
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	defer b.expect()()
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if errors.Is(err, io.EOF) && b.left > 0 {
		err = errShort
	}
	b.err = err
	return n, err
}

// mark records in the mailbox that a message is kept.
func (s *session) mark(uid imap.UID) error {
	defer s.expect()()
	if s.keywords {
		store := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{Kept}}
		return s.why(s.client.Store(imap.UIDSetNum(uid), store, nil).Close())
	}
	if !s.hasKept {
		// It usually exists, and then CREATE is refused, with one code or none.
		if err := s.client.Create(KeptMailbox, nil).Wait(); err != nil {
			if _, refused := errors.AsType[*imap.Error](err); !refused {
				return s.why(err)
			}
		}
		s.hasKept = true
	}
	_, err := s.client.Move(imap.UIDSetNum(uid), KeptMailbox).Wait()
	return s.why(err)
}

// idle waits for news until the time comes, by IDLE (RFC 2177).
func (s *session) idle(until <-chan time.Time) error {
	begun := s.expect()
	idle, err := s.client.Idle()
	if err != nil {
		return s.why(err)
	}
	begun() // From now on silence is what is asked for; TCP keep-alive finds the dead.
	select {
	case <-s.news:
	case <-until:
	case <-s.client.Closed():
		_ = idle.Close()
		return s.why(errLost)
	}
	// The server must still be there, or the silence meant nothing.
	defer s.expect()()
	if err := idle.Close(); err != nil {
		return s.why(err)
	}
	return s.why(idle.Wait())
}

// poll asks for news until the time comes, by NOOP.
func (s *session) poll(until <-chan time.Time, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-s.news:
			return nil
		case <-until:
			return nil
		case <-s.client.Closed():
			return s.why(errLost)
		case <-tick.C:
			if err := s.noop(); err != nil {
				return err
			}
		}
	}
}

func (s *session) noop() error {
	defer s.expect()()
	return s.why(s.client.Noop().Wait())
}
