package signin_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"fileroom/internal/library"
)

const sessionCookie = "__Host-fileroom"

// TestBothDoors goes from the ui door through the sign-in to the page wanted,
// then to the panel door, and out again at both.
func TestBothDoors(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	b := h.browser(t)

	a := b.visit(uiURL + "/namespaces/default/workflows?query=a%20b")
	expect(t, a, http.StatusOK, "Who are you?", "Dana Okoye", "specialist", "Luis Ferrante")
	a = b.submit(a, url.Values{"person": {"demo-specialist"}})
	expect(t, a, http.StatusOK, "Here is Dana Okoye at /namespaces/default/workflows")
	if got := a.url.String(); got != uiURL+"/namespaces/default/workflows?query=a%20b" {
		t.Errorf("the way back led to %s", got)
	}
	expect(t, b.visit(panelURL+"/desk"), http.StatusOK, "Here is Dana Okoye at /desk")
	if panel, ui := b.cookie(panelURL, sessionCookie), b.cookie(uiURL, sessionCookie); panel == "" || ui == "" || panel == ui {
		t.Errorf("the doors' tokens must be two: %q, %q", panel, ui)
	}

	a = b.visit(panelURL + "/sign-out")
	expect(t, a, http.StatusOK, "Sign out?", "Dana Okoye")
	expect(t, b.submit(a, nil), http.StatusOK, "You are signed out")
	expect(t, b.visit(uiURL+"/"), http.StatusOK, "Who are you?")
	expect(t, b.visit(panelURL+"/desk"), http.StatusOK, "Who are you?")
	sameLines(t, h.looks(t), "sign-in demo-specialist demonstration", "sign-out demo-specialist")
}

// TestSignOutEndsStolenTokens holds that the session itself ends, and not only
// the browser's cookie.
func TestSignOutEndsStolenTokens(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	b, thief := h.browser(t), h.browser(t)
	b.be("demo-lead", uiURL+"/")
	thief.plant(uiURL, sessionCookie, b.cookie(uiURL, sessionCookie))
	thief.plant(panelURL, sessionCookie, b.cookie(panelURL, sessionCookie))
	expect(t, thief.poll(uiURL+"/"), http.StatusOK, "Luis Ferrante")
	b.submit(b.visit(panelURL+"/sign-out"), nil)
	expect(t, thief.poll(uiURL+"/"), http.StatusUnauthorized)
	expect(t, thief.poll(panelURL+"/"), http.StatusUnauthorized)
}

// TestAlreadySignedIn holds that the panel door's session is handed over without
// a question, and that it is the same session.
func TestAlreadySignedIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	b := h.browser(t)
	b.be("demo-lead", panelURL+"/desk")
	expect(t, b.visit(uiURL+"/timeline"), http.StatusOK, "Here is Luis Ferrante at /timeline")
	sameLines(t, h.looks(t), "sign-in demo-lead demonstration")
}

func TestActivity(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		do   func(b *browser)
		want int // Of a fetch after twenty minutes with this in the middle.
	}{
		"nothing at all": {
			do: func(*browser) {}, want: http.StatusUnauthorized,
		},
		"the Temporal UI asks for news": {
			do: func(b *browser) { b.poll(uiURL + "/api/v1/namespaces/default/workflows") }, want: http.StatusUnauthorized,
		},
		"payloads are decoded": {
			do: func(b *browser) { b.post(uiURL + "/codec/decode") }, want: http.StatusUnauthorized,
		},
		"the Temporal UI's own way to its login page": {
			do: func(b *browser) { b.visit(uiURL + "/login?returnUrl=" + url.QueryEscape(uiURL+"/")) }, want: http.StatusUnauthorized,
		},
		"a page is opened": {
			do: func(b *browser) { b.visit(uiURL + "/namespaces") }, want: http.StatusOK,
		},
		"a page is opened at the other door": {
			do: func(b *browser) { b.visit(panelURL + "/desk") }, want: http.StatusOK,
		},
		"a frame is loaded": {
			do: func(b *browser) {
				b.send(http.MethodGet, panelURL+"/panel", nil, map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"})
			}, want: http.StatusOK,
		},
		"a message is sent": {
			do: func(b *browser) { b.post(uiURL + "/api/v1/namespaces/default/workflows/w/update/approve") }, want: http.StatusOK,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			b := h.browser(t)
			b.be("demo-specialist", uiURL+"/")
			h.clock.Add(10 * time.Minute)
			tt.do(b)
			h.clock.Add(10 * time.Minute)
			if a := b.poll(uiURL + "/"); a.status != tt.want {
				t.Errorf("status %d, want %d: %s", a.status, tt.want, a.text)
			}
		})
	}
}

// TestPollingForEver holds that a tab which is left open does not keep its
// person signed in, and that the end is told in a sentence.
func TestPollingForEver(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	b := h.browser(t)
	b.be("demo-specialist", uiURL+"/")
	for minute := range 14 {
		h.clock.Add(time.Minute)
		if a := b.poll(uiURL + "/"); a.status != http.StatusOK {
			t.Fatalf("signed out after %d minutes", minute+1)
		}
	}
	h.clock.Add(time.Minute + time.Second)
	a := b.poll(uiURL + "/")
	if a.status != http.StatusUnauthorized || !strings.Contains(a.text, `"message":"You are not signed in, or your session ended after 15 minutes without use: reload the page."`) {
		t.Errorf("status %d: %s", a.status, a.text)
	}
}

// TestLimit holds that no session lasts longer than twelve hours, however busy
// its person is.
func TestLimit(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	b := h.browser(t)
	b.be("demo-specialist", uiURL+"/")
	for range 71 {
		h.clock.Add(10 * time.Minute)
		if a := b.visit(uiURL + "/"); !strings.Contains(a.text, "Dana") {
			t.Fatal("signed out too early")
		}
	}
	h.clock.Add(10*time.Minute + time.Second)
	expect(t, b.visit(uiURL+"/"), http.StatusOK, "Who are you?")
}

// TestFixation holds that a token known beforehand never becomes anybody's, and
// that every sign-in has a session of its own.
func TestFixation(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	b := h.browser(t)
	planted := strings.Repeat("A", 43)
	b.plant(panelURL, sessionCookie, planted)
	b.plant(uiURL, sessionCookie, planted)
	b.be("demo-specialist", uiURL+"/")
	first := b.cookie(panelURL, sessionCookie)
	if first == planted || b.cookie(uiURL, sessionCookie) == planted {
		t.Error("a planted token was let in")
	}

	// Whoever signs in at this browser next, the one before is gone at both doors.
	b2 := h.browser(t)
	b2.plant(panelURL, sessionCookie, first)
	next := b2.send(http.MethodPost, panelURL+"/sign-in", url.Values{"person": {"demo-lead"}, "to": {"panel:/desk"}}, map[string]string{"Sec-Fetch-Site": "same-origin"})
	expect(t, next, http.StatusOK, "Luis Ferrante")
	if b2.cookie(panelURL, sessionCookie) == first {
		t.Error("a second sign-in kept the token")
	}
	expect(t, b.poll(uiURL+"/"), http.StatusUnauthorized)
	sameLines(t, h.looks(t), "sign-in demo-specialist demonstration", "sign-out demo-specialist replaced", "sign-in demo-lead demonstration")
}

// TestHandoff holds that a one-time pass is good in one browser, once, for a
// minute.
func TestHandoff(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		use  func(t *testing.T, h *house, b *browser, pass string) answer
		want string
	}{
		"by its own browser": {
			use:  func(_ *testing.T, _ *house, b *browser, pass string) answer { return b.visit(pass) },
			want: "Here is Dana Okoye at /page",
		},
		"by another browser": {
			use:  func(t *testing.T, h *house, _ *browser, pass string) answer { return h.browser(t).visit(pass) },
			want: "This did not work",
		},
		"by another browser that asked to sign in too": { // Login CSRF.
			use: func(t *testing.T, h *house, _ *browser, pass string) answer {
				victim := h.browser(t)
				victim.visit(uiURL + "/")
				return victim.visit(pass)
			},
			want: "This did not work",
		},
		"twice": {
			use: func(t *testing.T, _ *house, b *browser, pass string) answer {
				bind := b.cookie(uiURL, "__Host-fileroom-bind")
				b.visit(pass)
				b.plant(uiURL, "__Host-fileroom-bind", bind)
				b.plant(uiURL, sessionCookie, "")
				return b.visit(pass)
			},
			want: "This did not work",
		},
		"once more by a browser that is in": {
			use: func(_ *testing.T, _ *house, b *browser, pass string) answer {
				b.visit(pass)
				return b.visit(pass)
			},
			want: "Here is Dana Okoye at /page",
		},
		"too late": {
			use: func(_ *testing.T, h *house, b *browser, pass string) answer {
				h.clock.Add(61 * time.Second)
				return b.visit(pass)
			},
			want: "This did not work",
		},
		"as if it were a session's": {
			use: func(t *testing.T, h *house, b *browser, pass string) answer {
				u, err := url.Parse(pass)
				if err != nil {
					t.Fatal(err)
				}
				b.plant(uiURL, sessionCookie, u.Query().Get("pass"))
				b.redirected = nil
				return b.poll(uiURL + "/page")
			},
			want: "You are not signed in",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			b := h.browser(t)
			pass := b.stopAt("/-/enter")
			b.be("demo-specialist", uiURL+"/page")
			if *pass == "" {
				t.Fatal("there was no pass")
			}
			b.redirected = nil
			if got := tt.use(t, h, b, *pass).words(); !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestHandoffsBounded holds that a page which opens the sign-in again and again
// in somebody's browser does not fill the records.
func TestHandoffsBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	b := h.browser(t)
	b.be("demo-specialist", panelURL+"/desk")
	ask := func() answer {
		b.stopAt("/-/enter")
		return b.visit(panelURL + "/sign-in?to=ui:/&bind=" + strings.Repeat("ab", 32))
	}
	for i := range 20 {
		if a := ask(); a.status != http.StatusSeeOther {
			t.Fatalf("handoff %d: status %d", i, a.status)
		}
	}
	expect(t, ask(), http.StatusTooManyRequests, "One moment")
	h.clock.Add(time.Minute)
	if a := ask(); a.status != http.StatusSeeOther {
		t.Errorf("a minute later: status %d", a.status)
	}
}

// TestRecordsDown holds that a fault of the records is never taken for somebody
// who is signed out, nor lets anybody in.
func TestRecordsDown(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	b := h.browser(t)
	b.be("demo-specialist", uiURL+"/")

	h.down.Store("SessionOf", true)
	expect(t, b.visit(uiURL+"/"), http.StatusServiceUnavailable, "cannot reach its records")
	expect(t, b.poll(uiURL+"/"), http.StatusServiceUnavailable, "cannot reach its records")
	expect(t, b.visit(panelURL+"/sign-in"), http.StatusServiceUnavailable, "cannot reach its records")
	r := httptest.NewRequest(http.MethodGet, uiURL+"/", nil)
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: b.cookie(uiURL, sessionCookie)})
	if _, err := h.keeper.Session(r); err == nil || library.KindOf(err) != "" {
		t.Errorf("Session: %v, want a fault without a kind", err)
	}
	h.down.Delete("SessionOf")
	expect(t, b.poll(uiURL+"/"), http.StatusOK, "Dana")

	h.down.Store("AddLooks", true)
	expect(t, b.submit(b.visit(panelURL+"/sign-out"), nil), http.StatusServiceUnavailable)
	other := h.browser(t)
	expect(t, other.be("demo-lead", panelURL+"/desk"), http.StatusServiceUnavailable)
	if other.cookie(panelURL, sessionCookie) != "" {
		t.Error("somebody was signed in whom the access log does not know")
	}
}

// TestSignedOut holds what each kind of request is answered whose browser is not
// signed in.
func TestSignedOut(t *testing.T) {
	t.Parallel()
	frame := map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
	form := map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin"}
	h := newHouse(t, nil)
	tests := map[string]struct {
		get    func(b *browser) answer
		status int
		words  []string
		html   string // A part of the page's source.
	}{
		"a frame": {
			get:    func(b *browser) answer { return b.send(http.MethodGet, panelURL+"/panel", nil, frame) },
			status: http.StatusUnauthorized, words: []string{"Please sign in", "15 minutes", "(in a new tab)"},
			html: `target="_blank" rel="noopener"`,
		},
		"a frame, when it is looked at again": {
			get:    func(b *browser) answer { return b.send(http.MethodGet, uiURL+"/x", nil, frame) },
			status: http.StatusUnauthorized, html: "location.reload()",
		},
		"a form": {
			get:    func(b *browser) answer { return b.send(http.MethodPost, panelURL+"/desk", url.Values{}, form) },
			status: http.StatusUnauthorized, words: []string{"was not done", "reload"},
			html: `href="https://panel.fileroom.localhost:7702/sign-in?to=panel%3A%2Fsigned-in"`,
		},
		"a script": {
			get:    func(b *browser) answer { return b.poll(uiURL + "/api") },
			status: http.StatusUnauthorized, words: []string{"reload the page"},
		},
		"the Temporal UI's login page": { // No redirect: nobody may have asked for it.
			get:    func(b *browser) answer { return b.visit(uiURL + "/login?returnUrl=" + url.QueryEscape(uiURL+"/a?b=c")) },
			status: http.StatusUnauthorized, words: []string{"Please sign in"}, html: `href="` + uiURL + `/a?b=c"`,
		},
		"the login page, with somebody else's return": {
			get:    func(b *browser) answer { return b.visit(uiURL + "/login?returnUrl=https%3A%2F%2Fevil.example%2Fa") },
			status: http.StatusUnauthorized, html: `href="` + uiURL + `/"`,
		},
		"a client that does not say how it fetches": {
			get:    func(b *browser) answer { return b.send(http.MethodGet, panelURL+"/sign-in", nil, nil) },
			status: http.StatusOK, words: []string{"Who are you?"},
		},
		"the page after signing in": {
			get:    func(b *browser) answer { return b.be("demo-lead", panelURL+"/signed-in") },
			status: http.StatusOK, words: []string{"Luis Ferrante", "close this tab"},
		},
		"a head": {
			get: func(b *browser) answer { return b.send(http.MethodHead, panelURL+"/sign-in", nil, nil) }, status: http.StatusMethodNotAllowed,
		},
		"a long address": {
			get:    func(b *browser) answer { return b.visit(panelURL + "/sign-in?to=panel:/" + strings.Repeat("a", 9000)) },
			status: http.StatusRequestURITooLong,
		},
		"a form from another site": {
			get: func(b *browser) answer {
				return b.send(http.MethodPost, panelURL+"/sign-in", url.Values{"person": {"demo-lead"}}, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"})
			},
			status: http.StatusForbidden, words: []string{"Nothing was done"},
		},
		"a form from the ui door": {
			get: func(b *browser) answer {
				return b.send(http.MethodPost, panelURL+"/sign-out", url.Values{}, map[string]string{"Sec-Fetch-Site": "same-site", "Origin": uiURL})
			},
			status: http.StatusForbidden,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := tt.get(h.browser(t))
			expect(t, a, tt.status, tt.words...)
			if !strings.Contains(a.text, tt.html) {
				t.Errorf("no %q in %s", tt.html, a.text)
			}
		})
	}
}
