package signin

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"fileroom/internal/library"
)

const (
	enterPath   = "/-/enter"
	passLife    = time.Minute // From the panel door to the ui door: one redirect.
	maxHandoffs = 20          // Passes of one session within passLife: tabs that all come back at once.
)

// UI returns the handler of the paths of this package at the ui door: those
// beneath /-/, and /login.
func (k *Keeper) UI() http.Handler { return k.uiMux }

func (k *Keeper) uiHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+enterPath, k.enter)
	mux.HandleFunc("GET "+loginPath, k.login)
	return k.guard(k.ui, mux)
}

var errHandoffs = errors.New("too many one-time passes of one session")

// handoffs counts the one-time passes that are out, so that a page which opens
// the sign-in again and again in somebody's browser cannot fill the records.
type handoffs struct {
	mu  sync.Mutex
	out map[string][]time.Time // By session, when each was given.
}

// allow notes one more at a time, unless there are too many.
func (h *handoffs) allow(session string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, given := range h.out {
		for len(given) > 0 && now.Sub(given[0]) >= passLife {
			given = given[1:]
		}
		if h.out[id] = given; len(given) == 0 {
			delete(h.out, id)
		}
	}
	if len(h.out[session]) >= maxHandoffs {
		return false
	}
	if h.out == nil {
		h.out = make(map[string][]time.Time)
	}
	h.out[session] = append(h.out[session], now)
	return true
}

// handoff returns the token of a one-time pass into s at the ui door, for the
// browser that holds there what bind is the digest of.
func (k *Keeper) handoff(ctx context.Context, s library.Session, bind string) (string, error) {
	now := k.o.Clock()
	if !k.handoffs.allow(s.ID, now) {
		return "", errHandoffs
	}
	t := newToken()
	return t, k.o.Sessions.AddPass(ctx, library.Pass{
		Digest: digest(t), Session: s.ID, Door: k.ui.name, Once: true, Bind: bind, ExpiresAt: now.Add(passLife),
	})
}

// enter lets a browser with a one-time pass into its session at the ui door.
func (k *Keeper) enter(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	to := way{door: k.ui, path: q.Get("to")}
	if !localPath(to.path) {
		k.badWay(w, r)
		return
	}
	s, err := k.take(r, q.Get("pass"))
	if signedOut(err) {
		k.notTaken(w, r, to)
		return
	}
	if err == nil {
		// Somebody else may have been signed in here before.
		if before, old := k.Glance(r); old == nil && before.ID != s.ID {
			err = k.end(r.Context(), before, "replaced")
		}
	}
	if err == nil {
		err = k.admit(w, r, s, k.ui)
	}
	if err != nil {
		k.Unavailable(w, r)
		return
	}
	redirect(w, to.url()) // The bind stays for its time: other tabs may be on their way.
}

// take uses up a pass.
func (k *Keeper) take(r *http.Request, pass string) (library.Session, error) {
	bind := token(r, bindCookie)
	if bind == "" || !isToken(pass) {
		return library.Session{}, library.Errorf(library.NotFound, "take pass", "", "there is none")
	}
	now := k.o.Clock()
	return k.o.Sessions.TakePass(r.Context(), digest(pass), k.ui.name, digest(bind), now, now.Add(-k.o.Limit), now.Add(-k.o.Idle))
}

// notTaken answers a browser whose pass is not good. Another tab may have come
// back first; else the person decides whether to try again, for a browser that
// keeps no cookies would go in circles.
func (k *Keeper) notTaken(w http.ResponseWriter, r *http.Request, to way) {
	switch _, err := k.Session(r); {
	case err == nil:
		redirect(w, to.url())
	case signedOut(err):
		k.tell(w, r, http.StatusForbidden, notice{
			Title: "This did not work",
			Text: []string{
				"The way from the sign-in to this page was already used, took longer than a minute, or began in another browser.",
				"If it happens again, see that your browser keeps cookies for this site.",
			},
			Links: []link{{Text: "Try again", URL: to.url()}},
		})
	default:
		k.Unavailable(w, r)
	}
}
