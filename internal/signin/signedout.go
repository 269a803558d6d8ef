package signin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// SignIn answers a request of somebody who is not signed in. A page that was
// asked for is kept in mind while they are sent to sign in; inside a frame,
// where identity providers refuse to be, and after a form was sent, a page says
// what happened and opens the sign-in in a tab of its own. All else gets status
// 401 and a sentence in JSON, as Temporal's API would say it.
func (k *Keeper) SignIn(w http.ResponseWriter, r *http.Request) {
	d, ok := k.door(r)
	switch {
	case !ok:
		k.elsewhere(w, r)
	case framed(r):
		k.tell(w, r, http.StatusUnauthorized, k.frameNotice(r))
	case !navigation(r):
		refuse(w, http.StatusUnauthorized, "You are not signed in, or your session ended after "+k.idleWords()+" without use: reload the page.")
	case !reads(r):
		k.tell(w, r, http.StatusUnauthorized, k.formNotice())
	case d.name == UIDoor:
		k.toPanel(w, r, k.back(d, r))
	default:
		redirect(w, k.signInURL(k.back(d, r), ""))
	}
}

// Unavailable says that the records of who is signed in cannot be reached now,
// which says nothing about the person.
func (k *Keeper) Unavailable(w http.ResponseWriter, r *http.Request) {
	const sentence = "Fileroom cannot reach its records at the moment, so it cannot tell whether you are signed in. Nothing is lost: try again in a minute."
	w.Header().Set("Retry-After", "30")
	if !navigation(r) {
		refuse(w, http.StatusServiceUnavailable, sentence)
		return
	}
	k.tell(w, r, http.StatusServiceUnavailable, notice{Title: "One moment, please", Text: []string{sentence}, Links: []link{{Text: "Try again"}}})
}

// toPanel sends a browser from the ui door to sign in. What the pass that it
// brings back must be bound to is kept in a cookie; tabs share it, else only
// the last of several could come back.
func (k *Keeper) toPanel(w http.ResponseWriter, r *http.Request, to way) {
	t := token(r, bindCookie)
	if t == "" {
		t = newToken()
	}
	http.SetCookie(w, newCookie(bindCookie, t, attemptLife))
	redirect(w, k.signInURL(to, digest(t)))
}

// signInURL returns the address at which somebody signs in and goes on to a way.
func (k *Keeper) signInURL(to way, bind string) string {
	q := url.Values{"to": {to.String()}}
	if bind != "" {
		q.Set("bind", bind)
	}
	return k.panel.base + "/sign-in?" + q.Encode()
}

// frameNotice is what stands in a frame whose person is not signed in. When the
// tab is looked at again, it asks anew.
func (k *Keeper) frameNotice(r *http.Request) notice {
	n := notice{
		Title: "Please sign in",
		Text: []string{
			"You are not signed in here, or your session ended after " + k.idleWords() + " without use.",
			"Sign in opens a new tab. When you come back to this one, it goes on by itself; if it does not, reload the whole page.",
		},
		Links:  []link{{Text: "Sign in", URL: k.newTabURL(), NewTab: true}},
		Framed: true,
		Reload: true,
	}
	if !reads(r) { // To ask anew would be to send it again.
		n.Text[1] = "What you just sent was not done. Sign in opens a new tab; then come back and load this page again, and your browser offers to send it once more."
		n.Reload = false
	}
	return n
}

// formNotice is what somebody sees who sent a form and is not signed in.
func (k *Keeper) formNotice() notice {
	return notice{
		Title: "Please sign in, and send it again",
		Text: []string{
			"You are not signed in, or your session ended after " + k.idleWords() + " without use. What you just sent was not done.",
			"Sign in opens a new tab. Then come back to this one and reload it: your browser offers to send it once more.",
		},
		Links: []link{{Text: "Sign in", URL: k.newTabURL(), NewTab: true}},
	}
}

// newTabURL is where to sign in in a tab that has nothing else to show.
func (k *Keeper) newTabURL() string {
	return k.signInURL(way{door: k.panel, path: "/signed-in"}, "")
}

// login stands where the Temporal UI has a page of its own, to which its script
// sends the browser whenever a call is refused. It waits for a person: to send
// the browser on by itself would let it sign in again, unattended, for as long
// as the identity provider remembers the person.
func (k *Keeper) login(w http.ResponseWriter, r *http.Request) {
	to := k.back(k.ui, r)
	s, err := k.Glance(r)
	switch {
	case signedOut(err):
		k.tell(w, r, http.StatusUnauthorized, notice{
			Title: "Please sign in",
			Text:  []string{"You are not signed in, or your session ended after " + k.idleWords() + " without use."},
			Links: []link{{Text: "Sign in", URL: to.url()}},
		})
	case err != nil:
		k.Unavailable(w, r)
	default:
		k.tell(w, r, http.StatusOK, notice{
			Title: "You are signed in",
			Text: []string{
				"You are signed in as " + s.Actor.Name + ".",
				"The Temporal UI sent you here because it was refused something. It may be that you may not do what you just tried: ask your lead.",
			},
			Links: []link{{Text: "Go back", URL: to.url()}, {Text: "Sign out", URL: k.panel.base + "/sign-out"}},
		})
	}
}

func (k *Keeper) idleWords() string {
	if k.o.Idle%time.Minute != 0 {
		return k.o.Idle.String()
	}
	if k.o.Idle == time.Minute {
		return "one minute"
	}
	return fmt.Sprintf("%d minutes", k.o.Idle/time.Minute)
}

// navigation reports whether a browser wants to show the answer as a page. One
// that does not say how it fetches is asked what it accepts.
func navigation(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// framed reports whether the answer is to be shown inside another page.
func framed(r *http.Request) bool {
	return slices.Contains([]string{"iframe", "frame", "embed", "object"}, r.Header.Get("Sec-Fetch-Dest"))
}

// elsewhere refuses a request for a host that is no door: its page had its name
// point here (DNS rebinding).
func (k *Keeper) elsewhere(w http.ResponseWriter, _ *http.Request) {
	refuse(w, http.StatusMisdirectedRequest, "This address is not known here: use "+k.panel.base+" or "+k.ui.base+".")
}

// refuse answers as Temporal's API does, so that its UI shows the sentence.
func refuse(w http.ResponseWriter, status int, sentence string) {
	code := 7 // PERMISSION_DENIED, of google.rpc.Code.
	switch status {
	case http.StatusUnauthorized:
		code = 16 // UNAUTHENTICATED.
	case http.StatusServiceUnavailable:
		code = 14 // UNAVAILABLE.
	}
	private(w)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "message": sentence, "details": []any{}}) // Whoever asked is gone.
}

// redirect sends a browser on with a GET. The address is one of ours, or of the
// identity provider's description.
func redirect(w http.ResponseWriter, to string) {
	private(w)
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// private has an answer kept by nobody, and its address told to nobody.
func private(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}
