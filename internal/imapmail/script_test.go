package imapmail_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"fileroom/internal/imapmail"
	"fileroom/internal/library"
)

// script is a server that says to each command what a table tells it, for
// what no good server does. A reply's %s is the command's tag; a reply of ""
// is silence; a reply that ends in "close" closes the connection after it.
type script map[string]string

// usual is what a server without IDLE says.
func usual(change script) script {
	s := script{
		"greeting":   "* OK [CAPABILITY IMAP4rev1] hello\r\n",
		"CAPABILITY": "* CAPABILITY IMAP4rev1\r\n%s OK done\r\n",
		"LOGIN":      "%s OK [CAPABILITY IMAP4rev1] done\r\n",
		"SELECT":     "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n%s OK done\r\n",
		"SEARCH":     "* SEARCH 5\r\n%s OK done\r\n",
		"SIZE":       "* 1 FETCH (UID 5 RFC822.SIZE 11)\r\n%s OK done\r\n",
		"FETCH":      "* 1 FETCH (UID 5 BODY[] {11}\r\nhello there)\r\n%s OK done\r\n",
		"STORE":      "%s OK done\r\n",
		"NOOP":       "%s OK done\r\n",
	}
	maps.Copy(s, change)
	return s
}

func (s script) serve(t *testing.T) *imapmail.Mailbox {
	t.Helper()

	certificate, key, roots, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.talk(conn)
		}
	}()
	return &imapmail.Mailbox{
		Address: l.Addr().String(), TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		Username: "intake", Password: "x",
		Silence: 2 * time.Second, Poll: 50 * time.Millisecond,
	}
}

func (s script) talk(conn net.Conn) {
	defer conn.Close()
	say := func(reply, tag string) bool {
		reply, last := strings.CutSuffix(strings.ReplaceAll(reply, "%s", tag), "close")
		_, err := io.WriteString(conn, reply)
		return err == nil && !last
	}
	if !say(s["greeting"], "") {
		return
	}
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		tag, command, _ := strings.Cut(lines.Text(), " ")
		command = strings.TrimPrefix(command, "UID ")
		word, rest, _ := strings.Cut(command, " ")
		if word == "FETCH" && strings.Contains(rest, "RFC822.SIZE") {
			word = "SIZE"
		}
		if word == "FETCH" && strings.Contains(rest, "HEADER") {
			word = "HEADER"
		}
		if !say(s[word], tag) {
			return
		}
	}
}

func TestBadServers(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		server script
		says   string
		kind   library.Kind
	}{
		"silent before the greeting":   {script{"greeting": ""}, "does not answer", ""},
		"silent on login":              {usual(script{"LOGIN": ""}), "does not answer", ""},
		"silent on select":             {usual(script{"SELECT": ""}), "does not answer", ""},
		"silent in mid-message":        {usual(script{"FETCH": "* 1 FETCH (UID 5 BODY[] {11}\r\nhello"}), "does not answer", ""},
		"closes in mid-message":        {usual(script{"FETCH": "* 1 FETCH (UID 5 BODY[] {11}\r\nhelloclose"}), "ended early", ""},
		"closes after the greeting":    {usual(script{"LOGIN": "close"}), "connection lost", ""},
		"says goodbye":                 {script{"greeting": "* BYE too busy, Ada Quill\r\nclose"}, "BYE|connection lost", ""}, // Whichever the client sees first.
		"unknown answer":               {usual(script{"LOGIN": "* XYZZY Ada Quill\r\n%s OK done\r\n"}), "not IMAP", ""},
		"endless nesting":              {usual(script{"SIZE": "* 1 FETCH " + strings.Repeat("(", 100000)}), "not IMAP", ""},
		"unknown item":                 {usual(script{"SIZE": "* 1 FETCH (UID 5 X-ADA \"Ada Quill\")\r\n%s OK done\r\n"}), "not IMAP", ""},
		"impossible literal":           {usual(script{"FETCH": "* 1 FETCH (UID 5 BODY[] {99999999999999999999}\r\n"}), "not IMAP", ""},
		"not even IMAP":                {script{"greeting": "HTTP/1.1 400 Bad Request\r\n\r\n"}, "not IMAP", ""},
		"login refused":                {usual(script{"LOGIN": "%s NO [AUTHENTICATIONFAILED] Ada Quill unknown\r\n"}), "refuses", library.Unauthorized},
		"its own directory is down":    {usual(script{"LOGIN": "%s NO [UNAVAILABLE] directory down\r\n"}), "NO UNAVAILABLE", ""},
		"marking refused":              {usual(script{"STORE": "%s NO [OVERQUOTA] Ada Quill\r\n"}), "NO OVERQUOTA", ""},
		"message without body":         {usual(script{"FETCH": "* 1 FETCH (UID 5 FLAGS ())\r\n%s OK done\r\n"}), "without its body", ""},
		"lists what it does not give":  {usual(script{"SIZE": "%s OK done\r\n"}), "does not give", ""},
		"neither keywords nor moving":  {usual(script{"SELECT": "* OK [PERMANENTFLAGS (\\Seen)] x\r\n%s OK done\r\n"}), "neither", library.Invalid},
		"answers to another's command": {usual(script{"SELECT": "T999 OK done\r\n"}), "not IMAP", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := tt.server.serve(t)
			n, err := m.Each(t.Context(), func(_ context.Context, msg library.IncomingMail) error {
				_, _ = io.Copy(io.Discard, msg.Body) // A caller who overlooks the error.
				return nil
			})
			if n != 0 || err == nil || !slices.ContainsFunc(strings.Split(tt.says, "|"), func(s string) bool { return strings.Contains(err.Error(), s) }) || library.KindOf(err) != tt.kind {
				t.Errorf("Each = %d, %v of kind %q, want %q of kind %q", n, err, library.KindOf(err), tt.says, tt.kind)
			}
			if err != nil && strings.Contains(fmt.Sprintf("%+v", err), "Quill") {
				t.Errorf("error quotes the server: %v", err)
			}
		})
	}
}

func TestEachNilBody(t *testing.T) {
	t.Parallel()

	for _, empty := range []string{"NIL", `""`, "{0}\r\n"} {
		m := usual(script{"FETCH": "* 1 FETCH (UID 5 BODY[] " + empty + ")\r\n%s OK done\r\n"}).serve(t)
		var seen []string
		if n, err := m.Each(t.Context(), collect(&seen)); n != 1 || err != nil || seen[0] != "" {
			t.Errorf("Each of %s = %d, %v, saw %q, want one empty message", empty, n, err, seen)
		}
	}
}

// A server that announces a size smaller than what it sends cannot make us
// take more than we will, nor block the mailbox.
func TestEachLargerThanAnnounced(t *testing.T) {
	t.Parallel()

	m := usual(script{
		"FETCH":  "* 1 FETCH (UID 5 BODY[] {500000000}\r\nhello",
		"HEADER": "* 1 FETCH (UID 5 BODY[HEADER]<0> {6}\r\nA: b\r\n)\r\n%s OK done\r\n",
	}).serve(t)
	var seen []string
	n, err := m.Each(t.Context(), func(ctx context.Context, msg library.IncomingMail) error {
		if !msg.TooLarge {
			t.Error("message is not too large")
		}
		return collect(&seen)(ctx, msg)
	})
	if n != 1 || err != nil || seen[0] != "A: b\r\n" {
		t.Errorf("Each = %d, %v, saw %q, want the header", n, err, seen)
	}
}

func TestSilentServerHonoursContext(t *testing.T) {
	t.Parallel()

	m := usual(script{"SELECT": ""}).serve(t)
	m.Silence = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, each := m.Each(ctx, nil)
	wait := m.Wait(ctx, time.Hour, func() {})
	for _, err := range []error{each, wait} {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v, want a deadline", err)
		}
	}
}

// The caller may be slow; only the server must not.
func TestSlowCallerIsNoSilentServer(t *testing.T) {
	t.Parallel()

	m := usual(nil).serve(t)
	m.Silence = 300 * time.Millisecond
	n, err := m.Each(t.Context(), func(_ context.Context, msg library.IncomingMail) error {
		<-time.After(time.Second)
		_, err := io.Copy(io.Discard, msg.Body)
		<-time.After(time.Second)
		return err
	})
	if n != 1 || err != nil {
		t.Errorf("Each = %d, %v, want 1", n, err)
	}
}

func TestWaitWithoutIdle(t *testing.T) {
	t.Parallel()

	empty := script{"SEARCH": "* SEARCH\r\n%s OK done\r\n"}
	m := usual(empty).serve(t)
	if err := m.Wait(t.Context(), 300*time.Millisecond, func() {}); err != nil {
		t.Errorf("Wait without news = %v", err)
	}
	empty["NOOP"] = "* 2 EXISTS\r\n%s OK done\r\n"
	if err := usual(empty).serve(t).Wait(t.Context(), time.Hour, func() {}); err != nil {
		t.Errorf("Wait with news = %v", err)
	}
	empty["NOOP"] = ""
	if err := usual(empty).serve(t).Wait(t.Context(), time.Hour, func() {}); err == nil {
		t.Error("Wait on a silent server = nil, want a fault")
	}
}

// A server may refuse IDLE, or begin it and then be gone without a word.
func TestWaitBadIdle(t *testing.T) {
	t.Parallel()

	tests := map[string]string{
		"refused":              "%s NO not now\r\n",
		"never begun":          "",
		"begun, then no end":   "+ idling\r\n* 2 EXISTS\r\n",
		"begun, then closed":   "+ idling\r\nclose",
		"ended before it was":  "%s OK done\r\n",
		"malformed in between": "+ idling\r\n* GARBAGE\r\n",
	}
	for name, reply := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := usual(script{"SEARCH": "* SEARCH\r\n%s OK done\r\n", "IDLE": reply})
			s["greeting"] = "* OK [CAPABILITY IMAP4rev1 IDLE] hello\r\n"
			s["LOGIN"] = "%s OK [CAPABILITY IMAP4rev1 IDLE] done\r\n"
			if err := s.serve(t).Wait(t.Context(), time.Hour, func() {}); err == nil || library.KindOf(err) != "" {
				t.Errorf("Wait = %v of kind %q, want a fault", err, library.KindOf(err))
			}
		})
	}
}
