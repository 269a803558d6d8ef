package signin

import (
	"errors"
	"net/http"
	"net/url"

	"fileroom/internal/library"
)

// The most bytes of what browsers send here.
const (
	maxQuery = 8 << 10
	maxForm  = 8 << 10
)

// Panel returns the handler of the paths of this package at the panel door:
// /sign-in, /callback, /sign-out, /signed-in and /signed-out.
func (k *Keeper) Panel() http.Handler { return k.panelMux }

func (k *Keeper) panelHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sign-in", k.signIn)
	if k.provider != nil {
		mux.HandleFunc("GET /callback", k.callback)
	} else {
		mux.HandleFunc("POST /sign-in", k.chosen)
	}
	mux.HandleFunc("GET /sign-out", k.askSignOut)
	mux.HandleFunc("POST /sign-out", k.signOut)
	mux.HandleFunc("GET /signed-in", k.signedIn)
	mux.HandleFunc("GET /signed-out", func(w http.ResponseWriter, r *http.Request) {
		k.tell(w, r, http.StatusOK, k.signedOutNotice())
	})
	return k.guard(k.panel, mux)
}

// guard serves with next what arrives at a door, within bounds, and not from a
// page of another origin if it may change something.
func (k *Keeper) guard(d door, next http.Handler) http.Handler {
	csrf := http.NewCrossOriginProtection()
	csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.tell(w, r, http.StatusForbidden, notice{
			Title: "That came from somewhere else",
			Text:  []string{"Another site's page tried to do this in your name. Nothing was done."},
			Links: []link{{Text: "To Fileroom", URL: k.home().url()}},
		})
	}))
	next = csrf.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch at, ok := k.door(r); {
		case !ok || at != d:
			k.elsewhere(w, r)
		case r.Method == http.MethodHead: // To look at where a page goes must use up nothing.
			w.WriteHeader(http.StatusMethodNotAllowed)
		case len(r.URL.RawQuery) > maxQuery:
			refuse(w, http.StatusRequestURITooLong, "The address is too long.")
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			next.ServeHTTP(w, r)
		}
	})
}

// wayOf reads where somebody wants to go on to. bind is with a way to the ui
// door, if that door sent them.
func (k *Keeper) wayOf(q url.Values) (to way, bind string, ok bool) {
	text, bind := q.Get("to"), q.Get("bind")
	if text == "" {
		return k.home(), "", true
	}
	to, ok = k.parseWay(text)
	return to, bind, ok && (bind == "" || isDigest(bind))
}

func (k *Keeper) signIn(w http.ResponseWriter, r *http.Request) {
	to, bind, ok := k.wayOf(r.URL.Query())
	if !ok {
		k.badWay(w, r)
		return
	}
	if framed(r) {
		k.tell(w, r, http.StatusUnauthorized, k.frameNotice(r))
		return
	}
	s, err := k.Session(r)
	switch {
	case err == nil:
		k.handOver(w, r, s, to, bind)
	case !signedOut(err):
		k.Unavailable(w, r)
	case k.provider != nil:
		k.begin(w, r, to, bind)
	default:
		k.who(w, r, to, bind)
	}
}

// handOver sends somebody who is signed in at the panel door on their way. To
// the ui door they bring a one-time pass.
func (k *Keeper) handOver(w http.ResponseWriter, r *http.Request, s library.Session, to way, bind string) {
	if to.door != k.ui || bind == "" { // Without a bind, the ui door has to see them first.
		redirect(w, to.url())
		return
	}
	pass, err := k.handoff(r.Context(), s, bind)
	switch {
	case errors.Is(err, errHandoffs):
		k.tell(w, r, http.StatusTooManyRequests, notice{
			Title: "One moment, please",
			Text:  []string{"Very many pages asked to be opened in your session within a minute. Wait a minute and try again."},
			Links: []link{{Text: "To the Temporal UI", URL: k.ui.base + "/"}},
		})
	case err != nil:
		k.Unavailable(w, r)
	default:
		redirect(w, k.ui.base+enterPath+"?"+url.Values{"pass": {pass}, "to": {to.path}}.Encode())
	}
}

// admitted starts a session for somebody who just proved who they are, and
// sends them on.
func (k *Keeper) admitted(w http.ResponseWriter, r *http.Request, actor library.Actor, how string, to way, bind string) {
	s, err := k.start(w, r, actor, how)
	if err != nil {
		k.o.Log.ErrorContext(r.Context(), "session could not be started", "err", err)
		k.Unavailable(w, r)
		return
	}
	k.handOver(w, r, s, to, bind)
}

func (k *Keeper) badWay(w http.ResponseWriter, r *http.Request) {
	k.tell(w, r, http.StatusBadRequest, notice{
		Title: "This link leads nowhere",
		Text:  []string{"The address says to go on to a page that is none of Fileroom's, so it was not followed."},
		Links: []link{{Text: "To Fileroom", URL: k.home().url()}},
	})
}

func (k *Keeper) signedIn(w http.ResponseWriter, r *http.Request) {
	s, err := k.Session(r)
	switch {
	case signedOut(err):
		k.SignIn(w, r)
	case err != nil:
		k.Unavailable(w, r)
	default:
		k.tell(w, r, http.StatusOK, notice{
			Title: "You are signed in",
			Text:  []string{"You are signed in as " + s.Actor.Name + ". You can close this tab: the page that you came from goes on."},
			Links: []link{{Text: "To the desk", URL: k.home().url()}, {Text: "To the Temporal UI", URL: k.ui.base + "/"}},
		})
	}
}

func (k *Keeper) askSignOut(w http.ResponseWriter, r *http.Request) {
	s, err := k.Session(r)
	switch {
	case signedOut(err):
		k.tell(w, r, http.StatusOK, k.signedOutNotice())
	case err != nil:
		k.Unavailable(w, r)
	default:
		k.tell(w, r, http.StatusOK, notice{
			Title:   "Sign out?",
			Text:    []string{"You are signed in as " + s.Actor.Name + ". Signing out ends this at the desk and in the Temporal UI."},
			SignOut: true,
			Links:   []link{{Text: "Stay signed in", URL: k.home().url()}},
		})
	}
}

func (k *Keeper) signOut(w http.ResponseWriter, r *http.Request) {
	s, err := k.Glance(r)
	if err == nil {
		err = k.end(r.Context(), s, "")
	}
	if err != nil && !signedOut(err) { // The cookie stays: they can try again.
		k.o.Log.ErrorContext(r.Context(), "sign-out failed", "err", err)
		k.Unavailable(w, r)
		return
	}
	http.SetCookie(w, newCookie(sessionCookie, "", -1))
	http.SetCookie(w, newCookie(againCookie, "1", 0)) // Until the browser is closed, or somebody signs in.
	k.tell(w, r, http.StatusOK, k.signedOutNotice())
}

// signedOutNotice says that the session is over. The provider's own is left to
// the person: it may be what they work with elsewhere. And it is a page and not
// a redirect, for browsers hold redirects of a form to the form-action of the
// page it stood on.
func (k *Keeper) signedOutNotice() notice {
	n := notice{
		Title: "You are signed out",
		Text:  []string{"Your session has ended, at the desk and in the Temporal UI."},
	}
	if k.provider != nil {
		if to := k.provider.endSessionURL(); to != "" {
			n.Text = append(n.Text, "Your identity provider may still know you, at other programs. If others use this computer, sign out there too.")
			n.Links = append(n.Links, link{Text: "Sign out at the identity provider", URL: to})
		}
	}
	n.Links = append(n.Links, link{Text: "Sign in again", URL: k.home().url()})
	return n
}

// signedOut reports whether err says that nobody is signed in.
func signedOut(err error) bool { return library.KindOf(err) == library.NotFound }
