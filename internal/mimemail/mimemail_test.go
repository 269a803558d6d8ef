package mimemail_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"fileroom/internal/library"
	"fileroom/internal/mimemail"
	"fileroom/internal/sandbox"
)

// TestMain lets the test binary stand in for the program as the child.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "child" && os.Args[2] == "mime" {
		if err := mimemail.Main(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var own = []string{"images@hospital.example"}

// parse parses raw here, for messages that do no harm.
func parse(t *testing.T, raw string) library.MailMessage {
	t.Helper()

	m, err := (&mimemail.Parser{Child: inProcess{}, Own: own}).Parse(t.Context(), strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// inProcess runs the child's side here, where nothing hostile is read.
type inProcess struct{}

func (inProcess) Run(_ context.Context, stdin io.Reader) ([]byte, error) {
	var out bytes.Buffer
	err := mimemail.Main(stdin, &out)
	return out.Bytes(), err
}

// crlf writes a message as it travels.
func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

const head = "From: Ana Quill <ana@Clinic.example>\nTo: images@hospital.example\nSubject: records\nDate: Tue, 14 Jul 2026 09:00:00 -0400\nMessage-ID: <1@clinic.example>\nMIME-Version: 1.0\n"

// multipart is a message of parts, each with its own header.
func multipart(kind string, parts ...string) string {
	var b strings.Builder
	b.WriteString(head + "Content-Type: multipart/" + kind + "; boundary=\"=_bnd\"\n\nignored\n")
	for _, p := range parts {
		b.WriteString("--=_bnd\n" + p + "\n")
	}
	b.WriteString("--=_bnd--\n")
	return crlf(b.String())
}

// attached is a part with a file in base64.
func attached(name, kind, content string) string {
	return "Content-Type: " + kind + "; name=\"" + name + "\"\nContent-Disposition: attachment; filename=\"" + name +
		"\"\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte(content)) + "\n"
}

const (
	plainPart = "Content-Type: text/plain; charset=utf-8\n\nPlease send my images.\n"
	htmlPart  = "Content-Type: text/html; charset=utf-8\n\n<html><body><h1>Request</h1><p>Please send <b>Ana Quill</b>&#39;s images.</p></body></html>\n"
)

// render writes what a test looks at: parts and troubles.
func render(m library.MailMessage) string {
	var b strings.Builder
	for i, p := range m.Parts {
		fmt.Fprintf(&b, "%d %q %s %q", i+1, p.Name, p.ContentType, p.Body[:min(len(p.Body), 300)])
		if p.Message {
			b.WriteString(" message")
		}
		b.WriteString("\n")
	}
	for _, t := range m.Troubles {
		fmt.Fprintf(&b, "trouble %s in %d\n", t.Code, t.Part)
	}
	return b.String()
}

func TestParse(t *testing.T) {
	t.Parallel()

	nested := crlf(head + "Content-Type: text/plain\n\nat the bottom\n")
	for i := range 6 {
		nested = multipart("mixed", "Content-Type: message/rfc822\n\n"+strings.ReplaceAll(nested, "=_bnd", fmt.Sprint("inner", i)))
	}
	tests := map[string]struct {
		raw  string
		want string
	}{
		"plain text": {crlf(head + "\nPlease send my images.\nThank you.\n"), "1 \"\" text/plain \"Please send my images.\\nThank you.\\n\" message\n"},
		"text in Latin-1": {
			crlf(head + "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nM=FCller\n"),
			"1 \"\" text/plain \"Müller\\n\" message\n",
		},
		"text in an unnamed 8-bit set":  {crlf(head + "\nM\xfcller\n"), "1 \"\" text/plain \"Müller\\n\" message\n"},
		"HTML alone":                    {crlf(head + htmlPart), "1 \"\" text/plain \"Request\\n\\nPlease send Ana Quill's images.\" message\n"},
		"HTML beside plain text":        {multipart("alternative", plainPart, htmlPart), "1 \"\" text/plain \"Please send my images.\\n\" message\n"},
		"HTML beside empty plain text":  {multipart("alternative", "Content-Type: text/plain\n\n \n", htmlPart), "1 \"\" text/plain \"Request\\n\\nPlease send Ana Quill's images.\" message\n"},
		"quoted history stays":          {crlf(head + "\nYes.\n\n> Do you want a CD?\n"), "1 \"\" text/plain \"Yes.\\n\\n> Do you want a CD?\\n\" message\n"},
		"control characters go":         {crlf(head + "\na\x00b\x1b[31mc\u202ed\n"), "1 \"\" text/plain \"ab[31mcd\\n\" message\n"},
		"two texts":                     {multipart("mixed", plainPart, plainPart), "1 \"\" text/plain \"Please send my images.\\n\\n\\nPlease send my images.\\n\" message\n"},
		"text and PDF":                  {multipart("mixed", plainPart, attached("auth.pdf", "application/pdf", "%PDF-1.4")), "1 \"\" text/plain \"Please send my images.\\n\" message\n2 \"auth.pdf\" application/pdf \"%PDF-1.4\"\n"},
		"winmail.dat stays a part":      {multipart("mixed", plainPart, attached("winmail.dat", "application/ms-tnef", "\x78\x9f\x3e\x22")), "1 \"\" text/plain \"Please send my images.\\n\" message\n2 \"winmail.dat\" application/ms-tnef \"x\\x9f>\\\"\"\n"},
		"encrypted zip stays a part":    {multipart("mixed", plainPart, attached("secret.zip", "application/zip", "PK\x03\x04\x14\x00\x01\x00")), "1 \"\" text/plain \"Please send my images.\\n\" message\n2 \"secret.zip\" application/zip \"PK\\x03\\x04\\x14\\x00\\x01\\x00\"\n"},
		"attached text stays a part":    {multipart("mixed", plainPart, attached("letter.txt", "text/plain", "hello")), "1 \"\" text/plain \"Please send my images.\\n\" message\n2 \"letter.txt\" text/plain \"hello\"\n"},
		"picture within HTML":           {multipart("related", htmlPart, "Content-Type: image/png\nContent-ID: <logo>\nContent-Transfer-Encoding: base64\n\niVBO\n"), "1 \"\" text/plain \"Request\\n\\nPlease send Ana Quill's images.\" message\n2 \"\" image/png \"\\x89PN\"\n"},
		"message that is only a PDF":    {crlf(head + attached("auth.pdf", "application/pdf", "%PDF-1.4")), "1 \"auth.pdf\" application/pdf \"%PDF-1.4\"\n"},
		"attachment in an alternative":  {multipart("alternative", plainPart, attached("auth.pdf", "application/pdf", "%PDF")), "1 \"\" text/plain \"Please send my images.\\n\" message\n2 \"auth.pdf\" application/pdf \"%PDF\"\n"},
		"forwarded message":             {multipart("mixed", plainPart, "Content-Type: message/rfc822\n\n"+strings.ReplaceAll(multipart("mixed", plainPart, attached("auth.pdf", "application/pdf", "%PDF")), "=_bnd", "inner")), "1 \"\" text/plain \"Please send my images.\\n\" message\n2 \"\" text/plain \"From: Ana Quill <ana@Clinic.example>\\nDate: Tue, 14 Jul 2026 09:00:00 -0400\\nTo: images@hospital.example\\nSubject: records\\n\\nPlease send my images.\\n\" message\n3 \"auth.pdf\" application/pdf \"%PDF\"\n"},
		"nothing at all":                {"", "trouble empty in 1\n"},
		"header alone":                  {crlf(head), "trouble empty in 1\n"},
		"empty attachment":              {multipart("mixed", plainPart, attached("auth.pdf", "application/pdf", "")), "1 \"\" text/plain \"Please send my images.\\n\" message\n2 \"auth.pdf\" application/pdf \"\"\n"},
		"bad base64":                    {multipart("mixed", plainPart, "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nJVBER\n"), "1 \"\" text/plain \"Please send my images.\\n\" message\n2 \"\" application/pdf \"\"\ntrouble damaged in 2\n"},
		"unknown encoding":              {multipart("mixed", plainPart, "Content-Type: application/pdf\nContent-Transfer-Encoding: x-own\n\n%PDF\n"), "1 \"\" text/plain \"Please send my images.\\n\" message\n2 \"\" application/pdf \"%PDF\\r\\n\"\ntrouble damaged in 2\n"},
		"no boundary named":             {crlf(head + "Content-Type: multipart/mixed\n\n--b\n\nPlease send.\n--b--\n"), "1 \"\" text/plain \"--b\\n\\nPlease send.\\n--b--\\n\" message\ntrouble damaged in 1\n"},
		"boundary not closed":           {crlf(head + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nPlease send.\n"), "1 \"\" text/plain \"Please send.\\n\" message\ntrouble damaged in 1\n"},
		"two senders":                   {crlf("From: eve@clinic.example\n" + head + "\nPlease send.\n"), "1 \"\" text/plain \"Please send.\\n\" message\ntrouble damaged in 1\n"},
		"header larger than any":        {crlf("X: " + strings.Repeat("x", 70<<10) + "\n" + head + "\nPlease send.\n"), "trouble too-large in 1\n"},
		"fifty thousand parts":          {multipart("mixed", strings.Split(strings.Repeat("\nx|", 50000), "|")...), "trouble too-large in 1\n"},
		"nesting that never ends":       {crlf(head + unclosed(50)), "trouble too-large in 1\n"},
		"nesting that is long and ends": {crlf(head + closed(150)), "trouble too-large in 1\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if got := render(parse(t, tt.raw)); got != tt.want {
				t.Errorf("Parse gives\n%swant\n%s", got, tt.want)
			}
		})
	}

	t.Run("messages too deep within messages", func(t *testing.T) {
		t.Parallel()

		m := parse(t, nested)
		last := m.Parts[len(m.Parts)-1]
		if len(m.Parts) != 5 || last.ContentType != "message/rfc822" || !strings.Contains(render(m), "trouble unsupported in 5") {
			t.Errorf("Parse gives\n%s", render(m))
		}
	})
}

// unclosed is n multiparts, each within the one before, that never end.
func unclosed(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	return b.String()
}

// closed is n multiparts, each within the one before, that all end.
func closed(n int) string {
	s := unclosed(n)
	for i := n - 1; i >= 0; i-- {
		s += fmt.Sprintf("\n--b%d--\n", i)
	}
	return s
}

func TestParseHeader(t *testing.T) {
	t.Parallel()

	m := parse(t, crlf("From: =?iso-8859-1?Q?Ana_M=FCller?= <Ana@CLINIC.example>\nReply-To: desk@clinic.example\n"+
		"To: images@hospital.example,\n \"Desk, Front\" <desk@hospital.example>\nSubject: =?utf-8?B?UmVjb3JkcyDwn5iA?=\n again\n"+
		"Message-ID: <a.1@clinic.example>\nIn-Reply-To: <K7M3.1@hospital.example>\nReferences: <x@y.example> broken <z@y.example>\n"+
		"Date: Tue, 14 Jul 2026 09:00:00 -0400\n\nhello\n"))
	m.Parts = nil
	want := library.MailMessage{
		MessageID: "a.1@clinic.example", From: "Ana@clinic.example", FromName: "Ana Müller", ReplyTo: "desk@clinic.example", Subject: "Records 😀 again",
		Date: time.Date(2026, 7, 14, 13, 0, 0, 0, time.UTC), InReplyTo: []string{"K7M3.1@hospital.example", "x@y.example", "z@y.example"},
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("Parse gives %q, want %q", fields(m), fields(want))
	}
}

// fields shows what a message does not show by itself.
func fields(m library.MailMessage) []string {
	return append([]string{m.MessageID, m.From, m.FromName, m.ReplyTo, m.Subject, m.Date.String(), m.Automatic}, m.InReplyTo...)
}

func TestParseHostileHeaders(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ field, from, subject string }{
		"8-bit subject":          {"From: ana@clinic.example\nSubject: M\xfcller\n", "ana@clinic.example", "Müller"},
		"unquoted comma":         {"From: Ana Quill, MD <ana@clinic.example>\n", "ana@clinic.example", ""},
		"two addresses in From":  {"From: ana@clinic.example, eve@clinic.example\n", "", ""},
		"address in the name":    {"From: ana@clinic.example <eve@evil.example>\n", "", ""},
		"quoted address in name": {"From: \"ana@clinic.example\" <eve@evil.example>\n", "eve@evil.example", ""},
		"line end in an address": {"From: =?utf-8?Q?a=0D=0ABcc:b?=@clinic.example\n", "", ""},
		"line end in a subject":  {"From: ana@clinic.example\nSubject: =?utf-8?Q?a=0D=0ABcc:_b?=\n", "ana@clinic.example", "a Bcc: b"},
		"fields without names":   {": x\n \n: \nFrom: ana@clinic.example\n", "ana@clinic.example", ""},
		"mbox line before":       {"From ana@clinic.example Tue Jul 14\nFrom: ana@clinic.example\n", "ana@clinic.example", ""},
		"space before the colon": {"From : ana@clinic.example\n", "ana@clinic.example", ""},
		"group without members":  {"From: undisclosed:;\n", "", ""},
		"no domain":              {"From: ana\n", "", ""},
		"quoted local part":      {"From: \"ana quill\"@clinic.example\n", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := parse(t, crlf(tt.field+"\nhello\n"))
			if m.From != tt.from || m.Subject != tt.subject || m.ReplyTo != tt.from {
				t.Errorf("From %q, Subject %q, ReplyTo %q, want %q and %q", m.From, m.Subject, m.ReplyTo, tt.from, tt.subject)
			}
		})
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()

	tests := map[string]string{
		"auth.pdf":                        "auth.pdf",
		`..\\..\\windows\\auth.pdf`:       "auth.pdf",
		"../../etc/passwd":                "passwd",
		"a\x1b[31m.pdf":                   "a[31m.pdf",
		"fdp\u202egnp.exe":                "fdpgnp.exe",
		"..":                              "",
		"/":                               "",
		strings.Repeat("ä", 100) + ".pdf": strings.Repeat("ä", 58) + ".pdf",
		"a." + strings.Repeat("x", 300):   "a." + strings.Repeat("x", 118),
		"=?utf-8?Q?M=C3=BCller.pdf?=":     "Müller.pdf",
		"\xfcber.pdf":                     "\ufffdber.pdf",
	}
	for name, want := range tests {
		m := parse(t, multipart("mixed", attached(name, "application/pdf", "x")))
		if len(m.Parts) != 1 {
			t.Fatalf("%q: %d parts", name, len(m.Parts))
		}
		if got := m.Parts[0].Name; got != want {
			t.Errorf("%q is called %q, want %q", name, got, want)
		}
	}
}

// The largest messages, in the child with its limits.
func TestParseInChild(t *testing.T) {
	t.Parallel()

	p := mimemail.New(sandbox.Self("mime"), own)
	large := multipart("mixed", plainPart, attached("scan.tif", "image/tiff", strings.Repeat("x", 20<<20)))
	m, err := p.Parse(t.Context(), strings.NewReader(large))
	if err != nil || len(m.Troubles) > 0 || len(m.Parts) != 2 || len(m.Parts[1].Body) != 20<<20 {
		t.Fatalf("Parse of %d MB = %v, %d parts, troubles %v", len(large)>>20, err, len(m.Parts), m.Troubles)
	}
	huge := multipart("mixed", plainPart, attached("scan.tif", "image/tiff", strings.Repeat("x", 46<<20)))
	m, err = p.Parse(t.Context(), strings.NewReader(huge))
	if err != nil || render(m) != "trouble too-large in 1\n" || m.ReplyTo != "ana@clinic.example" || m.Automatic != "" {
		t.Errorf("Parse of %d MB = %v, %s from %q", len(huge)>>20, err, render(m), m.ReplyTo)
	}
}

// A bomb that the look before parsing does not see through ends at the
// child's limit, and it is still known who sent it.
func TestParseStopsAtItsLimit(t *testing.T) {
	t.Parallel()

	// Each level claims, in a preamble, to have ended already.
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n%s--b%d\n", i, "", i)
		fmt.Fprintf(&b, "X: y\n--c%d--\n", i)
	}
	raw := strings.ReplaceAll(b.String(), "Content-Type: multipart", "Content-Type : multipart")
	p := &mimemail.Parser{Child: sandbox.Child{Command: sandbox.Self("mime"), Timeout: 5 * time.Second, Memory: 3 << 30, MaxOutput: 1 << 20}}
	m, err := p.Parse(t.Context(), strings.NewReader(crlf(head+raw)))
	if err != nil {
		t.Fatal(err)
	}
	if render(m) != "trouble timeout in 1\n" || m.ReplyTo != "ana@clinic.example" {
		t.Errorf("Parse gives %s from %q, want a timeout", render(m), m.ReplyTo)
	}
}

// stub is a child that does as told.
type stub func(io.Reader) ([]byte, error)

func (s stub) Run(_ context.Context, stdin io.Reader) ([]byte, error) { return s(stdin) }

func TestParseFaults(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		child stub
		raw   io.Reader
	}{
		"child cannot be started": {child: func(io.Reader) ([]byte, error) { return nil, errors.New("no such program") }},
		"child writes nonsense":   {child: func(io.Reader) ([]byte, error) { return []byte("nonsense\n"), nil }},
		"child writes half":       {child: func(io.Reader) ([]byte, error) { return []byte("{\"text\":5}\nab"), nil }},
		"child writes too much":   {child: func(io.Reader) ([]byte, error) { return []byte("{\"text\":1}\nab"), nil }},
		"child counts backwards":  {child: func(io.Reader) ([]byte, error) { return []byte("{\"text\":-1}\n"), nil }},
		"raw message breaks off": {
			child: func(r io.Reader) ([]byte, error) { return inProcess{}.Run(context.Background(), r) },
			raw:   io.MultiReader(strings.NewReader(head), iotest.ErrReader(errors.New("vault is down"))),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if tt.raw == nil {
				tt.raw = strings.NewReader(head)
			}
			p := &mimemail.Parser{Child: tt.child}
			if _, err := p.Parse(t.Context(), tt.raw); err == nil || library.KindOf(err) != "" {
				t.Errorf("Parse = %v of kind %q, want a fault", err, library.KindOf(err))
			}
		})
	}
}

func FuzzMain(f *testing.F) {
	f.Add([]byte(crlf(head + "\nPlease send my images.\n")))
	f.Add([]byte(multipart("mixed", plainPart, attached("auth.pdf", "application/pdf", "%PDF"))))
	f.Add([]byte(multipart("alternative", plainPart, htmlPart)))
	f.Add([]byte(multipart("mixed", "Content-Type: message/rfc822\n\n"+multipart("mixed", plainPart))))
	f.Add([]byte(crlf(head + unclosed(5))))
	f.Add([]byte(crlf(head + closed(5))))
	f.Add([]byte("From: \xff\nContent-Type: text/html\n\n<b>\xff"))
	p := &mimemail.Parser{Child: inProcess{}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := p.Parse(t.Context(), bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		texts := append(fields(m), m.Automatic)
		for _, part := range m.Parts {
			texts = append(texts, part.Name, part.ContentType)
			if strings.ContainsAny(part.Name, "/\\\n\r") || len(part.Name) > 120 {
				t.Errorf("file name %q", part.Name)
			}
			if part.Message {
				texts = append(texts, string(part.Body))
			}
		}
		for _, s := range texts {
			if !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\x1b\r") {
				t.Errorf("unclean text %q", s)
			}
		}
		if strings.Contains(m.Subject, "\n") || strings.ContainsAny(m.From+m.ReplyTo, " \n<>") {
			t.Errorf("subject %q, from %q", m.Subject, m.From)
		}
		for _, trouble := range m.Troubles {
			if trouble.Part < 1 || trouble.Part > max(1, len(m.Parts)) {
				t.Errorf("trouble in part %d of %d", trouble.Part, len(m.Parts))
			}
		}
	})
}
