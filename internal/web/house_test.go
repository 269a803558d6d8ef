package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"fileroom/internal/library"
	"fileroom/internal/staff"
	"fileroom/internal/vault"
	"fileroom/internal/web"
)

var noon = time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)

const (
	caseID     = library.CaseID("K7M4-2QXF")
	workflowID = "release/K7M4-2QXF"
	casePath   = "/api/v1/namespaces/default/workflows/release%2FK7M4-2QXF"
	said       = `{"revision":"9f2c","note":"as discussed with Orsolya Quist"}`
)

// The library's staff, by their subject. Nemo is signed in and has no role.
var (
	alice  = staff.Actor{Subject: "alice@library.example", Name: "Alice Ng", Roles: []staff.Role{staff.Specialist}}
	vera   = staff.Actor{Subject: "vera@library.example", Name: "Vera Lund", Roles: []staff.Role{staff.Viewer}}
	adam   = staff.Actor{Subject: "adam@library.example", Name: "Adam Roy", Roles: []staff.Role{staff.Admin}}
	both   = staff.Actor{Subject: "both@library.example", Name: "Bo Thon", Roles: []staff.Role{staff.Admin, staff.Specialist}}
	nemo   = staff.Actor{Subject: "nemo@library.example", Name: "Nemo"}
	people = []staff.Actor{alice, vera, adam, both, nemo}
)

// as is the header by which a test says who asks; alice, if it says nothing.
const as = "X-Test-Subject"

// sessions are who is signed in: whom the header says. It counts what it was
// asked.
type sessions struct {
	mu               sync.Mutex
	sessions, glance int
	more             []staff.Actor // Beside people.
}

func (s *sessions) find(r *http.Request, count *int) (library.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*count++
	subject := r.Header.Get(as)
	switch subject {
	case "":
		subject = alice.Subject
	case "nobody":
		return library.Session{}, library.Errorf(library.NotFound, "find session", "", "nobody is signed in")
	case "broken":
		return library.Session{}, library.Errorf("", "find session", "", "the database is away")
	}
	for _, p := range append(s.more, people...) {
		if p.Subject == subject {
			return library.Session{ID: "s-" + p.Name, Actor: p}, nil
		}
	}
	return library.Session{}, library.Errorf(library.NotFound, "find session", "", "nobody is signed in")
}

func (s *sessions) Session(r *http.Request) (library.Session, error) { return s.find(r, &s.sessions) }
func (s *sessions) Glance(r *http.Request) (library.Session, error)  { return s.find(r, &s.glance) }

// accessLog is an access log, which can be out of order.
type accessLog struct {
	mu    sync.Mutex
	looks []library.Look
	err   error
	each  func() // Called for every entry, if not nil.
}

func (l *accessLog) AddLooks(_ context.Context, looks ...library.Look) error {
	if l.each != nil {
		l.each()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.looks = append(l.looks, looks...)
	}
	return l.err
}

func (l *accessLog) Looks(context.Context, library.CaseID, int) ([]library.Look, error) {
	return l.take(), nil
}

// take returns what was entered since it was last called.
func (l *accessLog) take() []library.Look {
	l.mu.Lock()
	defer l.mu.Unlock()
	looks := l.looks
	l.looks = nil
	return looks
}

// house is a gateway before a UI that records what reaches it.
type house struct {
	ring     *vault.Keyring
	codec    *vault.Codec
	verifier *staff.Verifier
	gateway  *web.Gateway
	host     string
	who      sessions
	access   accessLog
	now      time.Time

	options web.Options

	mu      sync.Mutex
	cookies []string        // What the UI sets.
	seen    []*http.Request // What reached the UI, its body read into bodies.
	bodies  [][]byte
	answer  []byte // What the UI answers; "{}" if nil.
}

func newHouse(tb testing.TB) *house {
	tb.Helper()
	h := &house{ring: vault.NewKeyring(), host: "ui.library.example:8443", now: noon}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			tb.Errorf("the UI: %v", err)
		}
		h.mu.Lock()
		h.seen, h.bodies = append(h.seen, r), append(h.bodies, body)
		h.mu.Unlock()
		w.Header().Set("Content-Security-Policy", "frame-src 'self'")
		for _, c := range h.cookies {
			w.Header().Add("Set-Cookie", c)
		}
		w.Header().Set("Content-Type", "application/json")
		if h.answer == nil {
			h.answer = []byte("{}")
		}
		_, _ = w.Write(h.answer)
	}))
	tb.Cleanup(upstream.Close)
	target, err := url.Parse(upstream.URL)
	if err != nil {
		tb.Fatal(err)
	}
	key, err := staff.NewSigningKey()
	if err != nil {
		tb.Fatal(err)
	}
	if h.codec, err = vault.NewCodec(h.ring); err != nil {
		tb.Fatal(err)
	}
	digests := h.ring.Digests(staff.DigestPurpose)
	h.verifier = &staff.Verifier{Keys: staff.PublicKeys{key.Public()}, Digests: digests}
	h.options = web.Options{
		Upstream:  target,
		Hosts:     []string{h.host, "ui.fileroom.localhost"},
		Namespace: "default",
		Messages:  []string{"approve", "deny"},
		Session:   h.who.Session,
		Glance:    h.who.Glance,
		SignIn: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/-/sign-in?for="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		},
		Access: &h.access,
		Own: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "own "+r.Method+" "+r.URL.Path)
		}),
		Now:    func() time.Time { return h.now },
		Signer: staff.Signer{Key: key, Digests: digests},
		Codec:  h.codec,
	}
	if h.gateway, err = web.NewGateway(h.options); err != nil {
		tb.Fatal(err)
	}
	return h
}

// ask sends a request as a browser on the gateway's own page does, with the
// headers given as name, value, ... set over it.
func (h *house) ask(tb testing.TB, method, target string, body string, headers ...string) *httptest.ResponseRecorder {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), method, target, strings.NewReader(body))
	r.Host = h.host
	if method != http.MethodGet {
		r.Header.Set("Origin", "https://"+h.host)
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		switch headers[i] {
		case "Host":
			r.Host = headers[i+1]
		default:
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.gateway.ServeHTTP(w, r)
	return w
}

func jsonPayload(text string) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(text)}
}

// seal encrypts a payload as the UI has it done by the codec endpoint.
func (h *house) seal(tb testing.TB, p *commonpb.Payload) *commonpb.Payload {
	tb.Helper()
	out, err := h.codec.Encode([]*commonpb.Payload{p})
	if err != nil {
		tb.Fatal(err)
	}
	return out[0]
}

func toJSON(tb testing.TB, m proto.Message) string {
	tb.Helper()
	b, err := protojson.Marshal(m)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}
