package imapmail_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"fileroom/internal/imapmail"
	"fileroom/internal/library"
)

func letter(n int) string {
	return fmt.Sprintf("From: ana@clinic.example\r\nSubject: records %d\r\n\r\nPlease send my images.\r\n", n)
}

func TestEachMarksOnlyWhatIsKept(t *testing.T) {
	t.Parallel()

	m, c := mailbox(t, "marks")
	for n := range 3 {
		c.deliver("INBOX", letter(n))
	}
	// The second is fetched, but the caller cannot keep it.
	broken := errors.New("vault is full")
	var seen []string
	n, err := m.Each(t.Context(), func(ctx context.Context, msg library.IncomingMail) error {
		if len(seen) == 1 {
			return broken
		}
		return collect(&seen)(ctx, msg)
	})
	if n != 1 || !errors.Is(err, broken) {
		t.Fatalf("Each = %d, %v, want 1 and the caller's own error", n, err)
	}
	if got, want := c.flags("INBOX"), []string{imapmail.Kept, "", ""}; !reflect.DeepEqual(got, want) {
		t.Fatalf("flags = %q, want %q", got, want)
	}

	n, err = m.Each(t.Context(), collect(&seen))
	if want := []string{letter(0), letter(1), letter(2)}; n != 2 || err != nil || !reflect.DeepEqual(seen, want) {
		t.Fatalf("Each = %d, %v and saw %q, want 2 and %q", n, err, seen, want)
	}
	if n, err := m.Each(t.Context(), collect(&seen)); n != 0 || err != nil || len(seen) != 3 {
		t.Errorf("third Each = %d, %v, want nothing new", n, err)
	}
	// Staff who look into the mailbox must see what nobody has read.
	if got := strings.Join(c.flags("INBOX"), ","); strings.Contains(got, "Seen") {
		t.Errorf("flags = %q, want none seen", got)
	}
}

func TestEachSeesMessagesThatStaffOpened(t *testing.T) {
	t.Parallel()

	m, c := mailbox(t, "opened")
	c.deliver("INBOX", letter(1))
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	flags := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagSeen, imap.FlagFlagged}}
	if err := c.Store(imap.SeqSetNum(1), flags, nil).Close(); err != nil {
		t.Fatal(err)
	}
	var seen []string
	if n, err := m.Each(t.Context(), collect(&seen)); n != 1 || err != nil {
		t.Errorf("Each = %d, %v, want the opened message", n, err)
	}
}

// A crash between keeping and marking shows the message again.
func TestEachAfterCrash(t *testing.T) {
	t.Parallel()

	m, c := mailbox(t, "crash")
	c.deliver("INBOX", letter(1))
	ctx, crash := context.WithCancel(t.Context())
	var seen []string
	_, err := m.Each(ctx, func(ctx context.Context, msg library.IncomingMail) error {
		defer crash()
		return collect(&seen)(ctx, msg)
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Each error = %v, want a cancellation", err)
	}
	if _, err := m.Each(t.Context(), collect(&seen)); err != nil {
		t.Fatal(err)
	}
	if want := []string{letter(1), letter(1)}; !reflect.DeepEqual(seen, want) {
		t.Errorf("seen %q, want %q", seen, want)
	}
}

func TestEachAfterMailboxIsRebuilt(t *testing.T) {
	t.Parallel()

	m, c := mailbox(t, "rebuilt")
	m.Name = "Requests"
	var validity []uint32
	for range 2 {
		if err := c.Create("Requests", nil).Wait(); err != nil {
			t.Fatal(err)
		}
		c.deliver("Requests", letter(1))
		n, err := m.Each(t.Context(), func(_ context.Context, msg library.IncomingMail) error {
			validity = append(validity, msg.UIDValidity)
			return nil
		})
		if n != 1 || err != nil {
			t.Fatalf("Each = %d, %v, want 1", n, err)
		}
		if err := c.Delete("Requests").Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if len(validity) != 2 || validity[0] == validity[1] {
		t.Errorf("UIDVALIDITY = %v, want two that differ", validity)
	}
	if _, err := m.Each(t.Context(), nil); library.KindOf(err) != library.NotFound {
		t.Errorf("Each without mailbox = %v of kind %q, want not found", err, library.KindOf(err))
	}
}

func TestEachWithoutKeywords(t *testing.T) {
	t.Parallel()

	m, c := mailbox(t, "nokeywords")
	c.deliver("INBOX", letter(1))
	c.deliver("INBOX", letter(2))
	var seen []string
	if n, err := m.Each(t.Context(), collect(&seen)); n != 2 || err != nil {
		t.Fatalf("Each = %d, %v, want 2", n, err)
	}
	if n, err := m.Each(t.Context(), collect(&seen)); n != 0 || err != nil {
		t.Errorf("second Each = %d, %v, want 0", n, err)
	}
	if in, kept := len(c.flags("INBOX")), len(c.flags(imapmail.KeptMailbox)); in != 0 || kept != 2 {
		t.Errorf("%d in the mailbox and %d moved, want 0 and 2", in, kept)
	}
}

func TestEachTooLarge(t *testing.T) {
	t.Parallel()

	m, c := mailbox(t, "large")
	m.MaxBytes = 1000
	head := "From: ana@clinic.example\r\nSubject: large\r\n\r\n"
	c.deliver("INBOX", head+strings.Repeat("x", 2000))
	c.deliver("INBOX", letter(1))
	var got []library.IncomingMail
	var seen []string
	n, err := m.Each(t.Context(), func(ctx context.Context, msg library.IncomingMail) error {
		got = append(got, msg)
		return collect(&seen)(ctx, msg)
	})
	if n != 2 || err != nil {
		t.Fatalf("Each = %d, %v, want 2", n, err)
	}
	if want := []string{head, letter(1)}; !reflect.DeepEqual(seen, want) {
		t.Errorf("seen %q, want %q", seen, want)
	}
	if !got[0].TooLarge || got[0].Size != int64(len(head)+2000) || got[1].TooLarge {
		t.Errorf("messages = %+v, want the first too large", got)
	}
	if age := time.Since(got[0].ReceivedAt); age < -time.Minute || age > time.Hour {
		t.Errorf("ReceivedAt = %v, want now", got[0].ReceivedAt)
	}
}

func TestEachOddMessages(t *testing.T) {
	t.Parallel()

	m, c := mailbox(t, "odd")
	odd := []string{"", "\r\n", "no header at all", "From: <\r\n(((((\x01\xff\r\n\r\n", ": \r\n:\r\n"}
	var want []string
	for _, text := range odd {
		cmd := c.Append("INBOX", int64(len(text)), nil)
		_, _ = io.WriteString(cmd, text)
		_ = cmd.Close()
		if _, err := cmd.Wait(); err == nil { // Dovecot takes no empty message.
			want = append(want, text)
		}
	}
	if len(want) < 3 {
		t.Fatalf("the server took only %q", want)
	}
	var seen []string
	if n, err := m.Each(t.Context(), collect(&seen)); n != len(want) || err != nil || !reflect.DeepEqual(seen, want) {
		t.Errorf("Each = %d, %v, saw %q, want %q", n, err, seen, want)
	}
}

// Not parallel: it measures what the whole process allocates.
func TestEachStreams(t *testing.T) {
	m, c := mailbox(t, "streams")
	raw := "Subject: large\r\n\r\n" + strings.Repeat(strings.Repeat("x", 76)+"\r\n", 30<<20/78)
	c.deliver("INBOX", raw)
	want := sha256.Sum256([]byte(raw))

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var got [sha256.Size]byte
	n, err := m.Each(t.Context(), func(_ context.Context, msg library.IncomingMail) error {
		h := sha256.New()
		_, err := io.Copy(h, msg.Body)
		h.Sum(got[:0])
		return err
	})
	runtime.ReadMemStats(&after)
	if n != 1 || err != nil || got != want {
		t.Fatalf("Each = %d, %v, digest equal %t, want the message whole", n, err, got == want)
	}
	if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 4 {
		t.Errorf("allocated %d MB for a message of %d MB", mb, len(raw)>>20)
	}
}

func TestWaitSeesNewMail(t *testing.T) {
	t.Parallel()

	m, c := mailbox(t, "idle")
	waiting := make(chan error, 1)
	begun := make(chan struct{}, 100)
	go func() {
		waiting <- m.Wait(t.Context(), 10*time.Minute, func() { begun <- struct{}{} })
	}()
	<-begun
	<-begun // Five seconds in: the connection idles.
	select {
	case err := <-waiting:
		t.Fatalf("Wait = %v in an empty mailbox", err)
	default:
	}
	c.deliver("INBOX", letter(1))
	delivered := time.Now()
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}
	if late := time.Since(delivered); late > 5*time.Second {
		t.Errorf("new mail was seen after %v", late)
	}
	// What is there already ends a wait at once: nothing falls between two calls.
	if err := m.Wait(t.Context(), 10*time.Minute, func() {}); err != nil {
		t.Error(err)
	}
	if n, err := m.Each(t.Context(), func(context.Context, library.IncomingMail) error { return nil }); n != 1 || err != nil {
		t.Errorf("Each = %d, %v, want 1", n, err)
	}
}

func TestWaitEndsInTime(t *testing.T) {
	t.Parallel()

	m, _ := mailbox(t, "intime")
	if err := m.Wait(t.Context(), time.Second, func() {}); err != nil {
		t.Errorf("Wait = %v, want nil when the time is over", err)
	}
}

// A server that ends the connection is a fault; the next call connects anew.
func TestWaitNoticesLostConnection(t *testing.T) {
	t.Parallel()

	m, c := mailbox(t, "kicked")
	waiting := make(chan error, 1)
	begun := make(chan struct{}, 100)
	go func() {
		waiting <- m.Wait(t.Context(), 10*time.Minute, func() { begun <- struct{}{} })
	}()
	<-begun
	<-begun
	doveadm(t, "kick", "kicked")
	if err := <-waiting; err == nil || library.KindOf(err) != "" {
		t.Fatalf("Wait = %v of kind %q, want a fault", err, library.KindOf(err))
	}
	_ = c.Close()
	_, c = mailbox(t, "kicked")
	c.deliver("INBOX", letter(1))
	if err := m.Wait(t.Context(), 10*time.Minute, func() {}); err != nil {
		t.Error(err)
	}
}

func TestWaitHonoursContext(t *testing.T) {
	t.Parallel()

	m, _ := mailbox(t, "ctx")
	ctx, cancel := context.WithCancel(t.Context())
	first := true
	err := m.Wait(ctx, 10*time.Minute, func() {
		if !first {
			cancel()
		}
		first = false
	})
	if !errors.Is(err, context.Canceled) || library.KindOf(err) != "" {
		t.Errorf("Wait = %v, want a cancellation", err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		change func(*imapmail.Mailbox)
		want   library.Kind
		says   string
	}{
		"wrong password":          {func(m *imapmail.Mailbox) { m.Password = "apple" }, library.Unauthorized, "refuses"},
		"unknown authority":       {func(m *imapmail.Mailbox) { m.TLS = &tls.Config{MinVersion: tls.VersionTLS12} }, "", "unknown authority"},
		"wrong name":              {func(m *imapmail.Mailbox) { m.TLS = m.TLS.Clone(); m.TLS.ServerName = "mail.example" }, "", "mail.example"},
		"no TLS configuration":    {func(m *imapmail.Mailbox) { m.TLS = nil }, "", "no TLS"},
		"nobody listens":          {func(m *imapmail.Mailbox) { m.Address = "127.0.0.1:1" }, "", "refused"},
		"no mailbox of that name": {func(m *imapmail.Mailbox) { m.Name = "Nowhere" }, library.NotFound, "no such mailbox"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m, _ := mailbox(t, "refused")
			tt.change(m)
			_, each := m.Each(t.Context(), nil)
			wait := m.Wait(t.Context(), time.Minute, func() {})
			for _, err := range []error{each, wait} {
				if err == nil || library.KindOf(err) != tt.want || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("error = %v of kind %q, want %q of kind %q", err, library.KindOf(err), tt.says, tt.want)
				}
			}
		})
	}
}
