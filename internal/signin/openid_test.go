package signin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/signin"
)

// TestOpenID signs people in with a real provider.
func TestOpenID(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	scope := strings.TrimPrefix(p.issuer, "http://")

	tests := map[string]struct {
		change func(*signin.OpenID)
		sub    string
		want   library.Actor
	}{
		"roles as an array": {
			sub:  "0a1b",
			want: library.Actor{Subject: scope + "#0a1b", Name: "Dana Okoye", Roles: []library.Role{library.RoleSpecialist}},
		},
		"a role as a text, no name": {
			sub:  "2c3d",
			want: library.Actor{Subject: scope + "#2c3d", Name: "lferrante", Roles: []library.Role{library.RoleLead}},
		},
		"nested roles, by a table; a name that plays tricks": {
			change: func(o *signin.OpenID) {
				o.RolesClaim, o.Roles = "realm_access.roles", map[string]library.Role{"FILEROOM_PRIVACY": library.RolePrivacy}
			},
			sub:  "4e5f",
			want: library.Actor{Subject: scope + "#4e5f", Name: "Priya Raman", Roles: []library.Role{library.RolePrivacy}},
		},
		"a client without a secret": {
			change: func(o *signin.OpenID) { o.ClientID, o.ClientSecret = "public", "" },
			sub:    "2c3d",
			want:   library.Actor{Subject: scope + "#2c3d", Name: "lferrante", Roles: []library.Role{library.RoleLead}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := p.house(t, tt.change)
			b := h.browser(t)
			a := b.visit(uiURL + "/namespaces?a=b")
			expect(t, a, http.StatusOK, "Identity provider", "Please sign in")
			a = b.login(a, tt.sub)
			expect(t, a, http.StatusOK, "Here is "+tt.want.Name+" at /namespaces")
			looks, err := h.records.Looks(t.Context(), "", 0)
			if err != nil || len(looks) != 1 {
				t.Fatalf("looks: %v, %v", looks, err)
			}
			got := looks[0].Actor
			if got.Subject != tt.want.Subject || got.Name != tt.want.Name || len(got.Roles) != 1 || got.Roles[0] != tt.want.Roles[0] {
				t.Errorf("signed in %+v, want %+v", got, tt.want)
			}
			if h.log.String() != "" {
				t.Errorf("log: %s", h.log)
			}
		})
	}

	t.Run("signed out there too", func(t *testing.T) {
		t.Parallel()
		h := p.house(t, nil)
		b := h.browser(t)
		b.login(b.visit(panelURL+"/desk"), "0a1b")
		a := b.submit(b.visit(panelURL+"/sign-out"), nil)
		expect(t, a, http.StatusOK, "You are signed out", "Sign out at the identity provider")
		end := p.issuer + "/session/end?" + url.Values{"client_id": {"fileroom"}, "post_logout_redirect_uri": {panelURL + "/signed-out"}}.Encode()
		if !strings.Contains(a.text, strings.ReplaceAll(end, "&", "&amp;")) {
			t.Fatalf("no %s in %s", end, a.text)
		}
		// The provider still knows the person, but is asked to have them prove it.
		a = b.visit(panelURL + "/desk")
		expect(t, a, http.StatusOK, "Identity provider", "Please sign in")
		expect(t, b.login(a, "0a1b"), http.StatusOK, "Dana Okoye")
		if b.cookie(panelURL, againCookie) != "" {
			t.Error("who signed in must prove it for ever")
		}
		b.submit(b.visit(panelURL+"/sign-out"), nil)
		expect(t, b.submit(b.visit(end), url.Values{"logout": {"yes"}}), http.StatusOK, "You are signed out")
		expect(t, b.visit(panelURL+"/desk"), http.StatusOK, "Identity provider")
	})

	t.Run("several tabs at once", func(t *testing.T) {
		t.Parallel()
		h := p.house(t, nil)
		b := h.browser(t)
		one, two := b.visit(uiURL+"/one"), b.visit(uiURL+"/two")
		expect(t, b.login(one, "0a1b"), http.StatusOK, "Here is Dana Okoye at /one")
		expect(t, b.login(two, "0a1b"), http.StatusOK, "Here is Dana Okoye at /two")
		expect(t, b.poll(uiURL+"/"), http.StatusOK, "Dana Okoye")
	})

	t.Run("nobody without a role", func(t *testing.T) {
		t.Parallel()
		h := p.house(t, nil)
		b := h.browser(t)
		a := b.login(b.visit(uiURL+"/"), "6071")
		expect(t, a, http.StatusForbidden, "You have no role at Fileroom", "ask its lead", "viewer, specialist, lead, privacy or admin", "<script>alert(1)</script>")
		if strings.Contains(a.text, "<script") {
			t.Errorf("the name came unescaped: %s", a.text)
		}
		if b.cookie(panelURL, sessionCookie) != "" {
			t.Error("there is a session")
		}
		sameLines(t, h.looks(t), "refused "+scope+"#6071 sign-in without a role")
	})

	t.Run("a token that was given to somebody else", func(t *testing.T) {
		t.Parallel()
		h := p.house(t, nil)
		b := h.browser(t)
		expect(t, b.login(b.visit(panelURL+"/desk"), "8293"), http.StatusForbidden, "could not be verified")
		if !strings.Contains(h.log.String(), "given to somebody else") {
			t.Errorf("log: %s", h.log)
		}
	})

	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		h := p.house(t, nil)
		b := h.browser(t)
		a := b.submit(b.visit(panelURL+"/desk"), url.Values{"do": {"cancel"}})
		expect(t, a, http.StatusForbidden, "You were not signed in", "cancelled")
		if strings.Contains(a.text, "<b>") {
			t.Errorf("the provider's text is on the page: %s", a.text)
		}
	})

	t.Run("the provider refuses this client", func(t *testing.T) {
		t.Parallel()
		h := p.house(t, func(o *signin.OpenID) { o.ClientSecret = "wrong" })
		b := h.browser(t)
		expect(t, b.login(b.visit(panelURL+"/desk"), "0a1b"), http.StatusBadGateway, "refuses Fileroom")
		if !strings.Contains(h.log.String(), "invalid_client") {
			t.Errorf("log: %s", h.log)
		}
	})

	t.Run("an ID token that ran out", func(t *testing.T) {
		t.Parallel()
		h := p.house(t, nil)
		b := h.browser(t)
		a := b.visit(panelURL + "/desk")
		h.clock.Add(11 * time.Minute)
		expect(t, b.login(a, "0a1b"), http.StatusForbidden, "could not be verified")
		if !strings.Contains(h.log.String(), "the ID token cannot be verified") {
			t.Errorf("log: %s", h.log)
		}
	})
}

const againCookie = "__Host-fileroom-again"

// TestWhoeverComesLater holds that a session which is over stays over, although
// the provider remembers who was there.
func TestWhoeverComesLater(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	const idle = 16 * time.Minute
	over := func(h *house, _ *browser) { h.clock.Add(idle) }
	tests := map[string]struct {
		then    func(*house, *browser) // After somebody was signed in.
		page    string
		request func(url.Values) // Changes what is asked of the provider.
		asked   bool             // The provider asks for the password.
		words   string           // In the end.
		log     string
	}{
		"after the idle end":                     {then: over, page: panelURL + "/desk", asked: true, words: "Here is Dana Okoye at /desk"},
		"after the idle end, at the Temporal UI": {then: over, page: uiURL + "/timeline", asked: true, words: "Here is Dana Okoye at /timeline"},
		"after the sign-out":                     {then: signOut, page: panelURL + "/desk", asked: true, words: "Here is Dana Okoye at /desk"},
		"after the sign-out, an hour later":      {then: func(h *house, b *browser) { signOut(h, b); h.clock.Add(idle) }, page: uiURL + "/", asked: true, words: "Here is Dana Okoye at /"},
		"a first sign-in is a single sign-on":    {then: forget, page: panelURL + "/desk", words: "Here is Dana Okoye at /desk"},
		"a first one, at the Temporal UI":        {then: forget, page: uiURL + "/timeline", words: "Here is Dana Okoye at /timeline"},
		"a browser that asks for less":           {then: over, page: panelURL + "/desk", request: func(q url.Values) { q.Del("prompt"); q.Del("max_age") }, words: "could not be verified", log: "did not ask again"},
		"a browser that asks for what was long ago": {
			then: func(h *house, _ *browser) { h.clock.Add(idle + 2*time.Minute) }, page: panelURL + "/desk",
			request: func(q url.Values) { q.Del("prompt"); q.Set("max_age", "3600") }, words: "could not be verified", log: "did not ask again",
		},
		"a browser that does not ask for a prompt": {then: over, page: panelURL + "/desk", request: func(q url.Values) { q.Del("prompt") }, asked: true, words: "Here is Dana Okoye at /desk"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := p.house(t, nil)
			h.clock.Add(-idle) // The provider's clock stands still meanwhile.
			b := h.browser(t)
			expect(t, b.login(b.visit(panelURL+"/desk"), "0a1b"), http.StatusOK, "Dana Okoye")
			tt.then(h, b)
			b.redirected = func(r *http.Request) error {
				if r.URL.Path == "/auth" && tt.request != nil {
					q := r.URL.Query()
					tt.request(q)
					r.URL.RawQuery = q.Encode()
				}
				return nil
			}
			a := b.visit(tt.page)
			if asked := strings.HasPrefix(a.url.Path, "/interaction/"); asked != tt.asked {
				t.Fatalf("the provider asked for the password: %t, want %t: %s", asked, tt.asked, a.words())
			}
			if tt.asked {
				a = b.login(a, "0a1b")
			}
			if !strings.Contains(a.words(), tt.words) || !strings.Contains(h.log.String(), tt.log) {
				t.Errorf("%s says %q; log %q", a.url, a.words(), h.log)
			}
		})
	}
}

// signOut signs out at Fileroom alone.
func signOut(_ *house, b *browser) {
	b.t.Helper()
	expect(b.t, b.submit(b.visit(panelURL+"/sign-out"), nil), http.StatusOK, "You are signed out")
}

// forget has the browser forget Fileroom, as one that was closed does, or one
// that was never there, and not the provider.
func forget(_ *house, b *browser) {
	for _, address := range []string{panelURL, uiURL} {
		u, err := url.Parse(address)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, c := range b.client.Jar.Cookies(u) {
			b.client.Jar.SetCookies(u, []*http.Cookie{{Name: c.Name, Path: "/", Secure: true, MaxAge: -1}})
		}
	}
}

// TestRedirectsTampered changes, one at a time, what the browser carries between
// Fileroom and the provider.
func TestRedirectsTampered(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	tests := map[string]struct {
		path, name, value string
		status            int
		words, log        string
	}{
		"nothing":                  {path: "/auth", name: "display", value: "page", status: http.StatusOK, words: "Here is Dana Okoye"},
		"the PKCE challenge":       {path: "/auth", name: "code_challenge", value: strings.Repeat("A", 43), status: http.StatusForbidden, words: "could not be verified", log: "invalid_grant"},
		"the nonce":                {path: "/auth", name: "nonce", value: strings.Repeat("A", 43), status: http.StatusForbidden, words: "could not be verified", log: "of another sign-in"},
		"the state asked":          {path: "/auth", name: "state", value: strings.Repeat("A", 43), status: http.StatusBadRequest, words: "sign in once more"},
		"the state answered":       {path: "/callback", name: "state", value: "x", status: http.StatusBadRequest, words: "sign in once more"},
		"the code":                 {path: "/callback", name: "code", value: strings.Repeat("A", 43), status: http.StatusForbidden, words: "could not be verified", log: "invalid_grant"},
		"who answers":              {path: "/callback", name: "iss", value: "https://evil.example", status: http.StatusForbidden, words: "could not be verified"},
		"that it names itself":     {path: "/callback", name: "iss", status: http.StatusForbidden, words: "could not be verified"},
		"an error added":           {path: "/callback", name: "error", value: "server_error", status: http.StatusForbidden, words: "It says: server_error."},
		"a text added as error":    {path: "/callback", name: "error", value: "Call 555-0142 now", status: http.StatusForbidden, words: "could not sign you in"},
		"the redirect address":     {path: "/auth", name: "redirect_uri", value: "https://evil.example/", status: http.StatusBadRequest, words: "redirect_uri"},
		"that PKCE is used":        {path: "/auth", name: "code_challenge", status: http.StatusForbidden, words: "could not sign you in"},
		"the PKCE method, to none": {path: "/auth", name: "code_challenge_method", value: "plain", status: http.StatusForbidden, words: "could not sign you in"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := p.house(t, nil)
			b := h.browser(t)
			b.redirected = func(r *http.Request) error {
				if r.URL.Path == tt.path {
					q := r.URL.Query()
					if q.Set(tt.name, tt.value); tt.value == "" {
						q.Del(tt.name)
					}
					r.URL.RawQuery = q.Encode()
				}
				return nil
			}
			a := b.visit(panelURL + "/desk")
			if strings.HasPrefix(a.url.Path, "/interaction/") {
				a = b.login(a, "0a1b")
			}
			expect(t, a, tt.status, tt.words)
			if strings.Contains(a.text, "555-0142") {
				t.Errorf("foreign words are on the page: %s", a.text)
			}
			if !strings.Contains(h.log.String(), tt.log) {
				t.Errorf("log %q, want %q", h.log, tt.log)
			}
			if (b.cookie(panelURL, sessionCookie) != "") != (tt.status == http.StatusOK) {
				t.Error("a session was started, or none")
			}
		})
	}
}

// TestCallbackReplayed holds that the answer to a sign-in is good once, and in
// the browser that asked.
func TestCallbackReplayed(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	h := p.house(t, nil)
	b := h.browser(t)
	callback := b.stopAt("/callback")
	b.login(b.visit(uiURL+"/page"), "0a1b")
	if *callback == "" {
		t.Fatal("the provider did not answer")
	}
	other := h.browser(t)
	expect(t, other.visit(*callback), http.StatusBadRequest, "began in another browser")
	other.visit(uiURL + "/") // With a sign-in of its own under way.
	expect(t, other.visit(*callback), http.StatusBadRequest, "began in another browser")

	u, err := url.Parse(*callback)
	if err != nil {
		t.Fatal(err)
	}
	name := "__Host-fileroom-try-" + u.Query().Get("state")[:8]
	attempt := b.cookie(panelURL, name)
	b.redirected = nil
	expect(t, b.visit(*callback), http.StatusOK, "Here is Dana Okoye at /page")
	expect(t, b.visit(*callback), http.StatusBadRequest, "You are signed in", "To the desk")

	// Even a browser that kept the cookie: the code was used.
	kept := h.browser(t)
	kept.plant(panelURL, name, attempt)
	expect(t, kept.visit(*callback), http.StatusForbidden, "could not be verified")
	if kept.cookie(panelURL, sessionCookie) != "" {
		t.Error("a replayed answer was let in")
	}
}

// TestProviderDown holds that Fileroom starts without its provider, says so, and
// goes on when it is back.
func TestProviderDown(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.down.Store(true)
	h := p.house(t, nil)
	if err := h.keeper.Discover(t.Context()); err == nil || library.KindOf(err) != "" {
		t.Errorf("Discover: %v, want a fault", err)
	}
	b := h.browser(t)
	expect(t, b.visit(uiURL+"/page"), http.StatusServiceUnavailable, "does not answer", "Try again")
	p.down.Store(false)
	h.clock.Add(6 * time.Second)
	a := b.visit(uiURL + "/page")
	expect(t, b.login(a, "0a1b"), http.StatusOK, "Here is Dana Okoye at /page")

	// And while a code is redeemed.
	b = h.browser(t)
	callback := b.stopAt("/callback")
	b.login(b.visit(uiURL+"/page"), "0a1b")
	p.down.Store(true)
	expect(t, b.visit(*callback), http.StatusServiceUnavailable, "does not answer")
	// Who is signed in already needs no provider.
	if err := h.keeper.Discover(t.Context()); err != nil {
		t.Errorf("Discover, once found: %v", err)
	}
}
