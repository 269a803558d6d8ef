package signin

import (
	"bytes"
	_ "embed" // The pages' template.
	"html/template"
	"net/http"

	"fileroom/internal/library"
)

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("page").Parse(pageHTML))

// A notice is what a page says, and what can be done about it.
type notice struct {
	Title  string
	Text   []string
	Links  []link // The first is the one to take.
	Framed bool   // It may stand in the ui door's frame.
	Reload bool   // It loads anew when it is looked at again.

	SignOut bool            // With the button that signs out.
	People  []library.Actor // The demonstration's, with a button each.
	To      string          // With People: where they go on to, as a [way].
	Bind    string

	Nonce string // Of the content security policy; set by tell.
}

// A link leads on. One without a URL loads the page again.
type link struct {
	Text   string
	URL    string
	NewTab bool
}

// tell answers with a page. It has no Cross-Origin-Opener-Policy: the sign-in
// that a frame opens in a new tab inherits the frame's sandbox, and browsers
// refuse to show a page with that policy there.
func (k *Keeper) tell(w http.ResponseWriter, _ *http.Request, status int, n notice) {
	n.Nonce = newToken()
	var b bytes.Buffer
	if err := page.Execute(&b, n); err != nil { // Never, with what is above.
		refuse(w, http.StatusInternalServerError, "The page could not be made.")
		return
	}
	private(w)
	h := w.Header()
	// Forms here need their origin to be told, to themselves alone (Fetch section 3.2).
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", k.policy(n))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // Whoever asked is gone.
}

// policy returns the content security policy of a page (CSP Level 3). Browsers
// hold to form-action where a form's answer redirects to, so the ui door is in it.
func (k *Keeper) policy(n notice) string {
	p := "default-src 'none'; base-uri 'none'; style-src 'nonce-" + n.Nonce + "'"
	if n.Reload {
		p += "; script-src 'nonce-" + n.Nonce + "'"
	}
	switch {
	case n.People != nil:
		p += "; form-action 'self' " + k.ui.base
	case n.SignOut:
		p += "; form-action 'self'"
	default:
		p += "; form-action 'none'"
	}
	if n.Framed {
		return p + "; frame-ancestors 'self' " + k.ui.base
	}
	return p + "; frame-ancestors 'none'"
}
