package signin_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fileroom/internal/signin"
)

// TestDescriptions holds what descriptions of a provider are believed.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(text string, d map[string]any) string
		want   string // Of the error; "" is none.
	}{
		"as it should be":        {change: func(s string, _ map[string]any) string { return s }},
		"too long":               {change: func(s string, _ map[string]any) string { return strings.Repeat(" ", 1<<20) + s }, want: "cannot be read"},
		"no JSON":                {change: func(string, map[string]any) string { return "<html>" }, want: "cannot be read"},
		"of another issuer":      {change: with("issuer", "https://evil.example"), want: `calls itself "https://evil.example"`},
		"tokens in clear":        {change: with("token_endpoint", "http://id.example/token"), want: "lacks an https address"},
		"sign-in by a script":    {change: with("authorization_endpoint", "javascript:alert(1)"), want: "lacks an https address"},
		"keys of nobody":         {change: with("jwks_uri", ""), want: "lacks an https address"},
		"methods that are a map": {change: with("token_endpoint_auth_methods_supported", map[string]any{}), want: "cannot be read"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s *httptest.Server
			s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				d := map[string]any{
					"issuer": s.URL, "authorization_endpoint": s.URL + "/auth", "token_endpoint": s.URL + "/token", "jwks_uri": s.URL + "/jwks",
				}
				text, err := json.Marshal(d)
				if err != nil {
					t.Error(err)
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, tt.change(string(text), d))
			}))
			t.Cleanup(s.Close)
			h := newKeeper(t, func(o *signin.Options) {
				o.Demonstration, o.OpenID = nil, &signin.OpenID{Issuer: s.URL, ClientID: "fileroom"}
			})
			err := h.keeper.Discover(t.Context())
			if (err == nil) != (tt.want == "") || (err != nil && !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("Discover: %v, want %q", err, tt.want)
			}
		})
	}
}

// with returns a change of one field of a description.
func with(name string, value any) func(string, map[string]any) string {
	return func(_ string, d map[string]any) string {
		d[name] = value
		text, _ := json.Marshal(d) // Texts and maps alone.
		return string(text)
	}
}

// TestTokensForged changes what the token endpoint answers. Its tests share a
// wire, and run one after the other.
func TestTokensForged(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	// privacy gives somebody a role more.
	privacy := func(claims map[string]any) { claims["roles"] = []string{"privacy"} }
	var elsewhere string // An ID token that the provider made for another client.

	tests := []struct {
		name   string
		forge  func(t *testing.T, token string) string
		client string
		status int
		words  string
		log    string
	}{
		{name: "as it was", forge: func(_ *testing.T, s string) string { elsewhere = s; return s }, client: "public", status: http.StatusOK, words: "Here is Dana Okoye"},
		{name: "of another client", forge: func(*testing.T, string) string { return elsewhere }},
		{name: "none", forge: func(*testing.T, string) string { return "" }},
		{name: "no JWT", forge: func(*testing.T, string) string { return "a.b.c" }},
		{name: "claims changed", forge: func(t *testing.T, s string) string { return resign(t, s, nil, privacy, nil) }},
		{name: "alg none", forge: func(t *testing.T, s string) string {
			return resign(t, s, map[string]any{"alg": "none"}, privacy, func([]byte) []byte { return nil })
		}},
		{name: "alg None", forge: func(t *testing.T, s string) string {
			return resign(t, s, map[string]any{"alg": "None"}, privacy, func([]byte) []byte { return nil })
		}},
		{name: "signed with the client's secret", forge: func(t *testing.T, s string) string {
			return resign(t, s, map[string]any{"alg": "HS256"}, privacy, func(b []byte) []byte {
				mac := hmac.New(sha256.New, []byte(clientSecret))
				mac.Write(b)
				return mac.Sum(nil)
			})
		}},
		{name: "signed with a stranger's key", forge: func(t *testing.T, s string) string {
			return resign(t, s, nil, privacy, func(b []byte) []byte {
				sum := sha256.Sum256(b)
				signature, err := rsa.SignPKCS1v15(rand.Reader, stranger, crypto.SHA256, sum[:])
				if err != nil {
					t.Fatal(err)
				}
				return signature
			})
		}},
		{name: "signature cut off", forge: func(_ *testing.T, s string) string { return s[:strings.LastIndex(s, ".")+1] }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			change := func(body []byte) []byte {
				var answer map[string]any
				if err := json.Unmarshal(body, &answer); err != nil {
					t.Errorf("token endpoint: %v: %s", err, body)
					return body
				}
				token, _ := answer["id_token"].(string)
				if token == "" {
					t.Errorf("the provider gave no ID token: %s", body)
					return body
				}
				answer["id_token"] = tt.forge(t, token)
				out, err := json.Marshal(answer)
				if err != nil {
					t.Error(err)
				}
				return out
			}
			p.tokens.Store(&change)
			h := p.house(t, func(o *signin.OpenID) {
				if tt.client != "" {
					o.ClientID, o.ClientSecret = tt.client, ""
				}
			})
			b := h.browser(t)
			a := b.login(b.visit(panelURL+"/desk"), "0a1b")
			if tt.status == http.StatusOK {
				expect(t, a, tt.status, tt.words)
				return
			}
			expect(t, a, http.StatusForbidden, "could not be verified")
			if b.cookie(panelURL, sessionCookie) != "" || !strings.Contains(h.log.String(), "the ID token cannot be verified") {
				t.Errorf("log: %s", h.log)
			}
		})
	}

	t.Run("an answer without end", func(t *testing.T) {
		change := func([]byte) []byte { return []byte(`{"access_token":"` + strings.Repeat("a", 2<<20) + `"}`) }
		p.tokens.Store(&change)
		b := p.house(t, nil).browser(t)
		expect(t, b.login(b.visit(panelURL+"/desk"), "0a1b"), http.StatusServiceUnavailable, "does not answer")
	})
}

// resign returns an ID token with other header fields and claims, and a
// signature by sign, or the old one.
func resign(t *testing.T, token string, header map[string]any, change func(map[string]any), sign func([]byte) []byte) string {
	t.Helper()
	parts := strings.Split(token, ".")
	decoded := make([]map[string]any, 2)
	for i := range decoded {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &decoded[i]); err != nil {
			t.Fatal(err)
		}
	}
	maps.Copy(decoded[0], header)
	change(decoded[1])
	for i := range decoded {
		text, err := json.Marshal(decoded[i])
		if err != nil {
			t.Fatal(err)
		}
		parts[i] = base64.RawURLEncoding.EncodeToString(text)
	}
	if sign != nil {
		parts[2] = base64.RawURLEncoding.EncodeToString(sign([]byte(parts[0] + "." + parts[1])))
	}
	return strings.Join(parts, ".")
}
