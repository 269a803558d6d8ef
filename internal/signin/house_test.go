package signin_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"fileroom/internal/library"
	"fileroom/internal/library/librarytest"
	"fileroom/internal/signin"
)

// The doors of the tests. Browsers reach them by names that nobody resolves.
const (
	panelURL = "https://panel.fileroom.localhost:7702"
	uiURL    = "https://ui.fileroom.localhost:7702"
)

var people = []library.Actor{
	{Subject: "demo-specialist", Name: "Dana Okoye", Roles: []library.Role{library.RoleSpecialist}},
	{Subject: "demo-lead", Name: "Luis Ferrante", Roles: []library.Role{library.RoleLead}},
}

// A clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A lines is a log that tests read.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A house is both doors, served over TLS.
type house struct {
	keeper  *signin.Keeper
	records *librarytest.Records
	clock   *clock
	log     *lines
	hosts   map[string]string // Where the doors really listen.
	roots   *x509.CertPool
	down    sync.Map // Methods of the records that fail.
}

// newKeeper returns a house with the demonstration's people, or as change wants
// it, that is not served.
func newKeeper(tb testing.TB, change func(*signin.Options)) *house {
	tb.Helper()
	h := &house{clock: &clock{now: time.Now()}, log: &lines{}, hosts: make(map[string]string), roots: x509.NewCertPool()}
	h.records = &librarytest.Records{Fail: func(method string) error {
		if _, down := h.down.Load(method); down {
			return library.Errorf("", "reach records", "", "connection refused")
		}
		return nil
	}}
	o := signin.Options{
		Sessions: h.records, Access: h.records, Panel: panelURL, UI: uiURL,
		Clock: h.clock.Now, Demonstration: people,
		Log: slog.New(slog.NewTextHandler(h.log, nil)),
	}
	if change != nil {
		change(&o)
	}
	var err error
	if h.keeper, err = signin.New(o); err != nil {
		tb.Fatalf("New: %v", err)
	}
	return h
}

// newHouse is [newKeeper] with both doors served.
func newHouse(t *testing.T, change func(*signin.Options)) *house {
	t.Helper()
	h := newKeeper(t, change)
	here := func(w http.ResponseWriter, r *http.Request, s library.Session, ok bool) {
		if !ok {
			h.keeper.SignIn(w, r)
			return
		}
		_, _ = io.WriteString(w, "Here is "+s.Actor.Name+" at "+r.URL.Path)
	}
	known := h.keeper.Know(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, ok := signin.Of(r)
		here(w, r, s, ok)
	}))
	kept := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/codec/") {
			known.ServeHTTP(w, r)
			return
		}
		s, err := h.keeper.Glance(r)
		here(w, r, s, err == nil)
	})
	h.serve(t, panelURL, h.keeper.Panel(), kept, "/sign-in", "/callback", "/sign-out", "/signed-in", "/signed-out")
	h.serve(t, uiURL, h.keeper.UI(), kept, "/-/", "/login")
	return h
}

// serve listens for a door, as cmd mounts it.
func (h *house) serve(t *testing.T, base string, own, kept http.Handler, paths ...string) {
	t.Helper()
	mux := http.NewServeMux()
	for _, p := range paths {
		mux.Handle(p, own)
	}
	mux.Handle("/", kept)
	s := httptest.NewTLSServer(mux)
	t.Cleanup(s.Close)
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	h.hosts[u.Hostname()] = s.Listener.Addr().String()
	h.roots.AddCert(s.Certificate())
}

// looks returns what is in the access log, as "what detail".
func (h *house) looks(t *testing.T) []string {
	t.Helper()
	all, err := h.records.Looks(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, l := range all {
		out = append(out, strings.TrimSpace(string(l.What)+" "+l.Actor.Subject+" "+l.Detail))
	}
	return out
}

// A browser keeps cookies, follows redirects, and says how it fetches.
type browser struct {
	t      *testing.T
	client *http.Client

	redirected func(*http.Request) error // Sees every redirect, and may change or stop it.
}

func (h *house) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: h.roots, ServerName: "example.com", MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			if at, ok := h.hosts[host]; ok {
				address = at
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	b := &browser{t: t}
	b.client = &http.Client{
		Jar:       jar,
		Timeout:   time.Minute,
		Transport: careful{t: t, next: transport, doors: h.hosts},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > 15 {
				t.Errorf("the browser goes in circles, now to %s", r.URL)
				return http.ErrUseLastResponse
			}
			if b.redirected != nil {
				return b.redirected(r)
			}
			return nil
		},
	}
	return b
}

// careful holds every answer of the doors to what the package promises.
type careful struct {
	t     *testing.T
	next  http.RoundTripper
	doors map[string]string
}

var strictPolicy = regexp.MustCompile(`^default-src 'none'; base-uri 'none'; style-src 'nonce-[\w-]{43}'(; script-src 'nonce-[\w-]{43}')?; form-action [^;*]+; frame-ancestors [^;*]+$`)

func (c careful) RoundTrip(r *http.Request) (*http.Response, error) {
	if text := r.URL.String(); strings.Contains(text, "Dana") || strings.Contains(text, "demo-") {
		c.t.Errorf("an address names a person: %s", text)
	}
	a, err := c.next.RoundTrip(r)
	if err != nil || c.doors[r.URL.Hostname()] == "" {
		return a, err
	}
	for _, k := range a.Cookies() {
		if !strings.HasPrefix(k.Name, "__Host-") || !k.Secure || !k.HttpOnly || k.Path != "/" || k.Domain != "" || k.SameSite != http.SameSiteLaxMode {
			c.t.Errorf("%s sets an open cookie: %s", r.URL.Path, k)
		}
	}
	if strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		if p := a.Header.Get("Content-Security-Policy"); !strictPolicy.MatchString(p) {
			c.t.Errorf("%s has the policy %q", r.URL.Path, p)
		}
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Referrer-Policy") == "" {
			c.t.Errorf("%s lacks a header: %v", r.URL.Path, a.Header)
		}
	}
	return a, nil
}

// An answer is what a browser has in the end.
type answer struct {
	status int
	url    *url.URL // Where it ended.
	header http.Header
	text   string
}

// words returns what a reader sees.
func (a answer) words() string {
	n, err := html.Parse(strings.NewReader(a.text))
	if err != nil {
		return a.text
	}
	var b strings.Builder
	for e := range n.Descendants() {
		if e.Type == html.TextNode && (e.Parent == nil || (e.Parent.Data != "style" && e.Parent.Data != "script")) {
			b.WriteString(e.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func (b *browser) send(method, address string, body url.Values, header map[string]string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(body.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	got, err := b.client.Do(r)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, address, err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{status: got.StatusCode, url: got.Request.URL, header: got.Header, text: string(text)}
}

// visit loads a page.
func (b *browser) visit(address string) answer {
	b.t.Helper()
	return b.send(http.MethodGet, address, nil, map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Accept": "text/html"})
}

// poll fetches as a script does.
func (b *browser) poll(address string) answer {
	b.t.Helper()
	return b.send(http.MethodGet, address, nil, map[string]string{"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"})
}

// post sends a script's POST.
func (b *browser) post(address string) answer {
	b.t.Helper()
	return b.send(http.MethodPost, address, url.Values{}, map[string]string{"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"})
}

// submit sends the first form of a page, with more values.
func (b *browser) submit(a answer, more url.Values) answer {
	b.t.Helper()
	root, err := html.Parse(strings.NewReader(a.text))
	if err != nil {
		b.t.Fatal(err)
	}
	action, values, found := "", url.Values{}, false
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch {
		case n.Data == "form" && !found:
			action, found = attr(n, "action"), true
		case n.Data == "input" && attr(n, "type") == "hidden":
			values.Set(attr(n, "name"), attr(n, "value"))
		}
	}
	if !found {
		b.t.Fatalf("%s (%d) has no form: %s", a.url, a.status, a.words())
	}
	for name := range more {
		values[name] = more[name]
	}
	to, err := a.url.Parse(action)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.send(http.MethodPost, to.String(), values, map[string]string{
		"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin", "Origin": a.url.Scheme + "://" + a.url.Host,
	})
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// be signs in as one of the demonstration's people, on the way to a page.
func (b *browser) be(subject, address string) answer {
	b.t.Helper()
	return b.submit(b.visit(address), url.Values{"person": {subject}})
}

// cookie returns the value of a cookie that the browser has for an address.
func (b *browser) cookie(address, name string) string {
	b.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// plant sets a cookie.
func (b *browser) plant(address, name, value string) {
	b.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/", Secure: true}})
}

// stopAt has the browser stop before it follows a redirect to a path, and
// returns where that is kept.
func (b *browser) stopAt(path string) *string {
	at := new(string)
	b.redirected = func(r *http.Request) error {
		if r.URL.Path == path {
			*at = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	return at
}

// expect fails unless an answer has a status and says all the words.
func expect(t *testing.T, a answer, status int, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(a.words(), w) {
			t.Errorf("%s (%d) does not say %q: %s", a.url, a.status, w, a.words())
		}
	}
	if a.status != status {
		t.Errorf("%s has status %d, want %d: %s", a.url, a.status, status, a.words())
	}
}

func sameLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("access log:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
