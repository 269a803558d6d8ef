package web_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"

	"fileroom/internal/library"
)

// lines are the looks entered since, as kind, case, arrival and detail.
func (h *house) lines() []string {
	var out []string
	for _, l := range h.access.take() {
		out = append(out, fmt.Sprintf("%s %s %d %s", l.What, l.Case, l.Arrival, l.Detail))
	}
	return out
}

func TestLooksAtWorkflows(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	const release = "temporal K7M4-2QXF 0 release/K7M4-2QXF"
	tests := map[string]struct {
		method, target, want string
	}{
		"a workflow":              {target: casePath, want: release},
		"its history":             {target: casePath + "/history?waitNewEvent=true", want: release},
		"backwards":               {target: casePath + "/history-reverse", want: release},
		"to download":             {target: casePath + "/run/r-1/history.json", want: release},
		"the head alone":          {method: "HEAD", target: casePath, want: release},
		"a query":                 {method: "POST", target: casePath + "/query/case", want: release},
		"literals escaped":        {target: strings.Replace(casePath, "workflows", "%77orkflows", 1), want: release},
		"a transfer":              {target: space + "/workflows/transfer%2FK7M4-2QXF%2F3", want: "temporal K7M4-2QXF 0 transfer/K7M4-2QXF/3"},
		"an intake":               {target: space + "/workflows/intake%2F17", want: "temporal  17 intake/17"},
		"a late intake":           {target: space + "/workflows/intake%2F17%2Flate", want: "temporal  17 intake/17/late"},
		"the list":                {target: space + "/workflows?query=x"},
		"the UI's page":           {target: "/namespaces/default/workflows/release%2FK7M4-2QXF/r/history"},
		"a mailbox":               {target: space + "/workflows/mailbox%2Frequests"},
		"another namespace":       {target: "/api/v1/namespaces/other/workflows/release%2FK7M4-2QXF"},
		"a number mistyped":       {target: space + "/workflows/release%2FK7M4-2QXG"},
		"a name typed for number": {target: space + "/workflows/release%2FORSOLYA-QUIST"},
		"nobody's arrival":        {target: space + "/workflows/intake%2F0"},
		"an arrival, written odd": {target: space + "/workflows/intake%2F+017"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.method == "" {
				tt.method = "GET"
			}
			h.now = h.now.Add(time.Hour)
			if w := h.ask(t, tt.method, tt.target, "{}"); w.Code != 200 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if got := strings.Join(h.lines(), "\n"); got != tt.want {
				t.Errorf("entered %q, want %q", got, tt.want)
			}
		})
	}
}

// TestPollsAreEnteredOnceAMinute has two people look for five minutes, twice a
// second one of them.
func TestPollsAreEnteredOnceAMinute(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	for range 600 {
		h.ask(t, "GET", casePath+"/history", "")
		h.now = h.now.Add(500 * time.Millisecond)
	}
	h.ask(t, "GET", casePath, "", as, vera.Subject)
	h.ask(t, "GET", space+"/workflows/intake%2F17", "")
	looks := h.access.take()
	if len(looks) != 7 {
		t.Fatalf("%d lines, want 7", len(looks))
	}
	first, last := looks[0], looks[4]
	if !first.At.Equal(noon) || !last.At.Equal(noon.Add(4*time.Minute)) || first.Actor.Subject != alice.Subject || first.Session != "s-"+alice.Name || looks[5].Actor.Subject != vera.Subject {
		t.Errorf("entered %+v", looks)
	}
}

func TestNothingIsShownThatIsNotEntered(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	sealed := toJSON(t, &commonpb.Payloads{Payloads: []*commonpb.Payload{h.seal(t, jsonPayload(said))}})
	h.access.err = errors.New("the database is away: Orsolya")
	for name, try := range map[string]struct {
		method, target, body, who string
		want                      int
	}{
		"a look":        {"GET", casePath, "", alice.Subject, 503},
		"a query":       {"POST", casePath + "/query/case", "{}", alice.Subject, 503},
		"a write":       {"POST", casePath + "/terminate", "{}", adam.Subject, 503},
		"decoding":      {"POST", "/codec/decode", sealed, alice.Subject, 503},
		"a refusal":     {"POST", casePath + "/terminate", "{}", alice.Subject, 403},
		"a wrong role":  {"POST", casePath + "/update/approve", "{}", vera.Subject, 403},
		"the same look": {"GET", casePath, "", alice.Subject, 503},
	} {
		w := h.ask(t, try.method, try.target, try.body, as, try.who)
		if w.Code != try.want || !strings.Contains(w.Body.String(), "access log") || strings.Contains(w.Body.String(), "Orsolya") || len(h.seen) != 0 {
			t.Errorf("%s: %d %s, and %d passed", name, w.Code, w.Body, len(h.seen))
		}
	}
	for _, target := range []string{"/", space + "/workflows"} {
		if w := h.ask(t, "GET", target, ""); w.Code != 200 {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	h.access.err = nil
	if w := h.ask(t, "GET", casePath, ""); w.Code != 200 || len(h.access.take()) != 1 {
		t.Errorf("when it is back: %d %s", w.Code, w.Body)
	}
}

// TestOneLookAtATime has many windows ask at once. Nobody is answered before the
// line is written, and there is one line.
func TestOneLookAtATime(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	entered, release := make(chan struct{}, 100), make(chan struct{})
	h.access.each = func() { entered <- struct{}{}; <-release }
	var wg sync.WaitGroup
	answered := make(chan int, 20)
	for range 20 {
		wg.Go(func() { answered <- h.ask(t, "HEAD", casePath, "").Code })
	}
	<-entered
	select {
	case code := <-answered:
		t.Errorf("answered %d before it was entered", code)
	default:
	}
	close(release)
	wg.Wait()
	for range 20 {
		if code := <-answered; code != 200 {
			t.Errorf("answered %d", code)
		}
	}
	if got := h.lines(); len(got) != 1 {
		t.Errorf("entered %q", got)
	}
}

// TestDecodedIsEntered decodes as the UI does, in many calls. The lines of a
// minute allow at least what was decoded.
func TestDecodedIsEntered(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	one := h.seal(t, jsonPayload(said))
	decode := func(n int, path string) {
		t.Helper()
		if w := h.ask(t, "POST", path, toJSON(t, &commonpb.Payloads{Payloads: slices.Repeat([]*commonpb.Payload{one}, n)})); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	steps := []struct {
		n    int
		want string
	}{
		{1, "decoded  0 up to 100 payloads"}, {99, ""}, {1, "decoded  0 up to 1000 payloads"}, {500, ""}, {3000, "decoded  0 up to 10000 payloads"},
	}
	for _, s := range steps {
		decode(s.n, "/codec/decode")
		if got := strings.Join(h.lines(), "\n"); got != s.want {
			t.Errorf("%d more: entered %q, want %q", s.n, got, s.want)
		}
	}
	h.now = h.now.Add(time.Minute)
	decode(2000, "/codec/decode")
	if got := h.lines(); len(got) != 1 || got[0] != "decoded  0 up to 10000 payloads" {
		t.Errorf("a minute later: entered %q", got)
	}
	h.now = h.now.Add(time.Minute)
	decode(50, "/codec/encode")
	if got := h.lines(); len(got) != 0 {
		t.Errorf("encoding: entered %q", got)
	}
}

// TestRefusedMessagesAreEntered is the table of messages that are refused
// because of who sends them or what they are called.
func TestRefusedMessagesAreEntered(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	for name, tt := range map[string]struct{ who, path, sentence, want string }{
		"a viewer approves": {vera.Subject, "/update/approve", "approve needs the role specialist, which Vera Lund does not have", "refused K7M4-2QXF 0 POST /api/v1/namespaces/{namespace}/workflows/{workflow}/update/approve"},
		"an admin denies":   {adam.Subject, "/signal/deny", "deny needs the role privacy, which Adam Roy does not have", "refused K7M4-2QXF 0 POST /api/v1/namespaces/{namespace}/workflows/{workflow}/signal/deny"},
		"anybody arrives":   {alice.Subject, "/signal/Orsolya", "only spoken to by its own updates and signals", "refused K7M4-2QXF 0 POST /api/v1/namespaces/{namespace}/workflows/{workflow}/signal/{name}"},
		"admin unheard-of":  {adam.Subject, "/Orsolya", "does not know the call", "refused  0 POST to no known call"},
	} {
		w := h.ask(t, "POST", casePath+tt.path, updateBody(t, jsonPayload(said)), as, tt.who)
		if w.Code != 403 || !strings.Contains(w.Body.String(), tt.sentence) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if got := strings.Join(h.lines(), "\n"); got != tt.want {
			t.Errorf("%s: entered %q, want %q", name, got, tt.want)
		}
	}
}

// TestWhatKeepsASession is the table of what a person did, and what the UI does
// by itself.
func TestWhatKeepsASession(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	window := []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	tests := []struct {
		name, method, target string
		headers              []string
		session              bool
	}{
		{"a page", "GET", "/namespaces/default/workflows", window, true},
		{"a page, old browser", "GET", "/", []string{"Accept", "text/html,*/*"}, true},
		{"a frame", "GET", "/render?content=x", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, false},
		{"a script", "GET", "/_app/version.json", []string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, false},
		{"the list", "GET", space + "/workflows", nil, false},
		{"a case is opened", "GET", casePath, nil, true},
		{"... and followed", "GET", casePath + "/history", nil, false},
		{"... and queried", "POST", casePath + "/query/case", nil, false},
		{"another is opened", "GET", space + "/workflows/intake%2F17", nil, true},
		{"... and the first goes on", "GET", casePath + "/history", nil, false},
		{"decoding", "POST", "/codec/decode", nil, false},
		{"a message", "POST", casePath + "/update/approve", nil, true},
		{"a write that is refused", "POST", casePath + "/terminate", nil, true},
		{"from another page", "POST", casePath + "/update/approve", []string{"Origin", "https://evil.example"}, false},
	}
	for _, tt := range tests {
		h.now = h.now.Add(10 * time.Second)
		before := h.who.sessions
		h.ask(t, tt.method, tt.target, "{}", tt.headers...)
		if got := h.who.sessions > before; got != tt.session {
			t.Errorf("%s: kept alive %t, want %t", tt.name, got, tt.session)
		}
	}
}

func TestNobodyIsSignedIn(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	window := []string{as, "nobody", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	tests := map[string]struct {
		method, target string
		headers        []string
		want           int
		location       string
	}{
		"a page":                   {target: "/namespaces/default/workflows?query=x", headers: window, want: 303, location: "/-/sign-in?for=%2Fnamespaces%2Fdefault%2Fworkflows%3Fquery%3Dx"},
		"the API in a window":      {target: space + "/workflows", headers: window, want: 401},
		"the API":                  {target: space + "/workflows", headers: []string{as, "nobody"}, want: 401},
		"a picture":                {target: "/favicon.ico", headers: []string{as, "nobody", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, want: 401},
		"a frame":                  {target: "/render", headers: []string{as, "nobody", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, want: 401},
		"our own":                  {target: "/-/sign-in", headers: window, want: 200},
		"our own, posted":          {method: "POST", target: "/-/sign-in", headers: append([]string{"Origin", "null"}, window...), want: 200},
		"our own, on another host": {target: "/-/sign-in", headers: append([]string{"Host", "evil.example"}, window...), want: 421},
		"the store is away":        {target: "/", headers: append(slices.Clone(window), as, "broken"), want: 503},
		"the UI's login page":      {target: "/login?returnUrl=https%3A%2F%2Fui.library.example%3A8443%2Fnamespaces", headers: window, want: 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.method == "" {
				tt.method = "GET"
			}
			w := h.ask(t, tt.method, tt.target, "", tt.headers...)
			if w.Code != tt.want || w.Header().Get("Location") != tt.location {
				t.Errorf("%d to %q (%s), want %d to %q", w.Code, w.Header().Get("Location"), w.Body, tt.want, tt.location)
			}
			if len(h.seen) != 0 {
				t.Errorf("the UI saw %s", h.seen[0].URL)
			}
		})
	}
}

func TestCookiesOfTheUI(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	h.cookies = []string{"_csrf=token; Path=/; SameSite=Strict", "__Host-fileroom=planted; Path=/; Secure", "user0=x"}
	w := h.ask(t, "GET", "/", "")
	if got := w.Header().Values("Set-Cookie"); len(got) != 1 || !strings.HasPrefix(got[0], "_csrf=token") || !strings.Contains(got[0], "SameSite=Strict") {
		t.Errorf("the UI sets %q", got)
	}
	if got := w.Header().Get("Strict-Transport-Security"); got != "" {
		t.Errorf("Strict-Transport-Security is %q", got)
	}
}

var _ library.AccessRecords = (*accessLog)(nil)
