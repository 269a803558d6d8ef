package signin

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// The cookies. The prefix makes browsers keep a cookie from other hosts of the
// site: none of them can plant one here (RFC 6265bis section 4.1.3.2).
const (
	sessionCookie = "__Host-fileroom"       // The token of a session's pass.
	bindCookie    = "__Host-fileroom-bind"  // At the ui door: what a one-time pass is bound to.
	againCookie   = "__Host-fileroom-again" // At the panel door: somebody signed out, so the next one must prove who they are.
	attemptCookie = "__Host-fileroom-try-"  // At the panel door: a sign-in under way; a part of its state follows.
)

const (
	attemptLife = 10 * time.Minute // For a password, and a second factor.
	maxAttempts = 4                // Sign-ins under way in one browser: tabs that found their session over.
)

// newCookie returns a cookie of a door.
//
// SameSite is Lax and not Strict: with Strict, somebody who follows a link from
// a letter or a chat, or comes back from the identity provider, would seem to
// be signed out. Lax sends cookies from other sites with top-level GETs alone,
// and those change nothing. The panel is framed by the ui door, which is of the
// same site, so its cookie is sent there too; framed by anybody else it has none.
func newCookie(name, value string, life time.Duration) *http.Cookie {
	c := &http.Cookie{Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	switch {
	case life > 0:
		c.MaxAge = int(life / time.Second)
	case life < 0:
		c.MaxAge = -1
	}
	return c
}

// token returns the token in a cookie of a request, or "".
func token(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil || !isToken(c.Value) {
		return ""
	}
	return c.Value
}

// An attempt is a sign-in that waits for the identity provider. It is kept in a
// cookie, in clear: only its own browser has it, and can cheat only itself.
type attempt struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // Of PKCE (RFC 7636).
	To       string `json:"to"`
	Bind     string `json:"bind,omitempty"`
	Since    int64  `json:"since,omitempty"` // If not 0: the person must have proved who they are after this second (Unix time).
}

// proveAgain reports whether a browser, in which nobody is signed in, had a
// session before: one that is over, or one that was signed out of. Who sits
// there now may be another person, whom the provider would take for the last.
func proveAgain(r *http.Request) bool {
	_, err := r.Cookie(againCookie)
	return err == nil || token(r, sessionCookie) != ""
}

// keepAttempt puts a into a cookie, and drops those of too many others.
func keepAttempt(w http.ResponseWriter, r *http.Request, a attempt) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	kept := 1
	for _, c := range r.Cookies() {
		if !strings.HasPrefix(c.Name, attemptCookie) {
			continue
		}
		if kept++; kept > maxAttempts {
			http.SetCookie(w, newCookie(c.Name, "", -1))
		}
	}
	http.SetCookie(w, newCookie(attemptName(a.State), base64.RawURLEncoding.EncodeToString(text), attemptLife))
	return nil
}

func attemptName(state string) string { return attemptCookie + state[:8] }

// takeAttempt returns the attempt that a state belongs to, and has the browser
// forget it.
func takeAttempt(w http.ResponseWriter, r *http.Request, state string) (attempt, bool) {
	if !isToken(state) {
		return attempt{}, false
	}
	c, err := r.Cookie(attemptName(state))
	if err != nil {
		return attempt{}, false
	}
	http.SetCookie(w, newCookie(c.Name, "", -1))
	text, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || len(text) > 2*maxWay {
		return attempt{}, false
	}
	var a attempt
	if json.Unmarshal(text, &a) != nil || subtle.ConstantTimeCompare([]byte(a.State), []byte(state)) != 1 {
		return attempt{}, false
	}
	return a, isToken(a.Nonce) && isToken(a.Verifier)
}
