package signin_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"fileroom/internal/signin"
	"fileroom/internal/signin/signintest"
)

const clientSecret = "known to the tests and nobody else"

// A wire is the way to an identity provider: the real oidc-provider, in a
// process of its own, which knows itself by the wire's address. Tests may break
// the wire, or write on it.
type wire struct {
	issuer string
	down   atomic.Bool
	tokens atomic.Pointer[func([]byte) []byte] // Changes what the token endpoint answers.
}

// newProvider starts a provider with invented people and two clients: fileroom,
// and public, which has no secret.
func newProvider(t *testing.T) *wire {
	t.Helper()
	p := &wire{}
	var upstream atomic.Pointer[httputil.ReverseProxy]
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.down.Load() {
			panic(http.ErrAbortHandler)
		}
		upstream.Load().ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	p.issuer = s.URL
	client := func(id, secret string) map[string]any {
		c := map[string]any{
			"client_id": id, "redirect_uris": []string{panelURL + "/callback"}, "post_logout_redirect_uris": []string{panelURL + "/signed-out"},
		}
		if c["token_endpoint_auth_method"] = "none"; secret != "" {
			c["client_secret"], c["token_endpoint_auth_method"] = secret, "client_secret_basic"
		}
		return c
	}
	started := signintest.Start(t, filepath.Join("..", ".."), map[string]any{
		"issuer":  p.issuer,
		"clients": []any{client("fileroom", clientSecret), client("public", "")},
		"accounts": []map[string]any{
			{"sub": "0a1b", "name": "Dana Okoye", "roles": []any{"specialist", "astronaut", "specialist", 7}},
			{"sub": "2c3d", "preferred_username": "lferrante", "roles": "lead"},
			{"sub": "4e5f", "name": "Priya\n\u202eRaman", "realm_access": map[string]any{"roles": []string{"uma", "FILEROOM_PRIVACY"}}},
			{"sub": "6071", "name": "<script>alert(1)</script>"},
			{"sub": "8293", "name": "Dana Okoye", "roles": "lead", "azp": "public"},
		},
	})
	at, err := url.Parse(started.Address)
	if err != nil {
		t.Fatal(err)
	}
	upstream.Store(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(at)
			r.Out.Host = r.In.Host // It names its addresses after what it is called by.
		},
		ModifyResponse: p.tamper,
	})
	return p
}

func (p *wire) tamper(r *http.Response) error {
	change := p.tokens.Load()
	if r.Request.URL.Path != "/token" || change == nil {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	body = (*change)(body)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// house returns a house whose people sign in with the provider.
func (p *wire) house(t *testing.T, change func(*signin.OpenID)) *house {
	t.Helper()
	return newHouse(t, func(o *signin.Options) {
		o.Demonstration = nil
		o.OpenID = &signin.OpenID{Issuer: p.issuer, ClientID: "fileroom", ClientSecret: clientSecret}
		if change != nil {
			change(o.OpenID)
		}
	})
}

// login signs in at the provider's own form, which the browser was led to.
func (b *browser) login(a answer, sub string) answer {
	b.t.Helper()
	return b.submit(a, url.Values{"login": {sub}, "password": {"fileroom"}, "do": {"login"}})
}
