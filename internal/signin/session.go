package signin

import (
	"context"
	"net/http"
	"time"

	"fileroom/internal/library"
)

// seenEvery is how often, at most, it is written down that somebody did
// something.
const seenEvery = 30 * time.Second

// Session returns the session of the browser that makes a request, at the door
// where it arrived. Nobody signed in is a [library.NotFound]; an error without
// a kind is a fault of the records, and says nothing about the person.
//
// It takes note that the person did something, if the request shows it: what a
// browser loads as a page, and whatever may change something. What scripts
// fetch is none: the Temporal UI asks for news for ever, and no session would
// end.
func (k *Keeper) Session(r *http.Request) (library.Session, error) {
	return k.session(r, byPerson(r))
}

// Acted is [Keeper.Session] for a request that shows activity of a person
// although a script made it: they opened another case in the Temporal UI, which
// loads no page for it.
func (k *Keeper) Acted(r *http.Request) (library.Session, error) {
	return k.session(r, true)
}

// Glance is [Keeper.Session] for a request that shows no activity of a person
// although it may look so, such as a script's POST of a query.
func (k *Keeper) Glance(r *http.Request) (library.Session, error) {
	return k.session(r, false)
}

func byPerson(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" || !reads(r)
}

func reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

func (k *Keeper) session(r *http.Request, active bool) (library.Session, error) {
	const op = "find session"
	d, ok := k.door(r)
	t := token(r, sessionCookie)
	if !ok || t == "" {
		return library.Session{}, library.Errorf(library.NotFound, op, "", "nobody is signed in")
	}
	now := k.o.Clock()
	s, err := k.o.Sessions.SessionOf(r.Context(), digest(t), d.name, now, now.Add(-k.o.Limit), now.Add(-k.o.Idle))
	if err != nil {
		return library.Session{}, err
	}
	if active && now.Sub(s.SeenAt) >= seenEvery {
		if err := k.o.Sessions.SeeSession(r.Context(), s.ID, now); err != nil {
			return library.Session{}, err
		}
		s.SeenAt = now
	}
	return s, nil
}

type sessionKey struct{}

// Of returns the session in which a request is made, for handlers behind
// [Keeper.Know]; false when nobody is signed in.
func Of(r *http.Request) (library.Session, bool) {
	s, ok := r.Context().Value(sessionKey{}).(library.Session)
	return s, ok
}

// Know returns a handler that serves with next whoever comes; [Of] says who is
// signed in, and what is shown to nobody is for next to say, by [Keeper.SignIn]
// or otherwise. When the records cannot tell, it answers so itself.
func (k *Keeper) Know(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := k.Session(r)
		switch {
		case err == nil:
			r = r.WithContext(context.WithValue(r.Context(), sessionKey{}, s))
		case !signedOut(err):
			k.Unavailable(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// start starts a session for somebody who just proved who they are. A session
// that this browser had before ends: it may be another person's.
func (k *Keeper) start(w http.ResponseWriter, r *http.Request, actor library.Actor, how string) (library.Session, error) {
	ctx, now := r.Context(), k.o.Clock()
	if before, err := k.Glance(r); err == nil {
		if err := k.end(ctx, before, "replaced"); err != nil {
			return library.Session{}, err
		}
	}
	s := library.Session{ID: newID(), Actor: actor, StartedAt: now, SeenAt: now}
	if err := k.o.Sessions.StartSession(ctx, s); err != nil {
		return library.Session{}, err
	}
	// What cannot be entered must not happen: without a pass, nothing has.
	look := library.Look{At: now, Actor: actor, What: library.LookSignIn, Detail: how, Session: s.ID}
	if err := k.o.Access.AddLooks(ctx, look); err != nil {
		return library.Session{}, err
	}
	if _, err := r.Cookie(againCookie); err == nil {
		http.SetCookie(w, newCookie(againCookie, "", -1))
	}
	return s, k.admit(w, r, s, k.panel)
}

// admit lets the browser into a session at a door.
func (k *Keeper) admit(w http.ResponseWriter, r *http.Request, s library.Session, d door) error {
	t := newToken()
	p := library.Pass{Digest: digest(t), Session: s.ID, Door: d.name, ExpiresAt: s.StartedAt.Add(k.o.Limit)}
	if err := k.o.Sessions.AddPass(r.Context(), p); err != nil {
		return err
	}
	http.SetCookie(w, newCookie(sessionCookie, t, 0)) // The records know when it ends.
	return nil
}

// end ends a session at all doors and enters it in the access log.
func (k *Keeper) end(ctx context.Context, s library.Session, why string) error {
	if err := k.o.Sessions.EndSession(ctx, s.ID); err != nil {
		return err
	}
	return k.o.Access.AddLooks(ctx, library.Look{
		At: k.o.Clock(), Actor: s.Actor, What: library.LookSignOut, Detail: why, Session: s.ID,
	})
}
