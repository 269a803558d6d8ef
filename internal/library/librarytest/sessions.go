package librarytest

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"time"

	"fileroom/internal/library"
)

// sweptAfter is how long a session may be on record: longer than any may last.
const sweptAfter = 24 * time.Hour

var digestForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// StartSession implements [library.SessionRecords]. A person who was not seen
// yet was seen at the start. Another session under an ID that is taken is a
// [library.Conflict]. What is swept away started, or was seen last, more than a
// day before; passes of one use go as soon as they have expired.
func (r *Records) StartSession(ctx context.Context, s library.Session) error {
	const op = "start session"
	leave, err := r.enter(ctx, "StartSession")
	if err != nil {
		return err
	}
	defer leave()

	if s.ID == "" || s.Actor.Subject == "" {
		return invalid(op, s.ID, "no id, or nobody's")
	}
	s.StartedAt, s.SeenAt, s.Actor.Roles = instant(s.StartedAt), instant(s.SeenAt), copied(s.Actor.Roles)
	if s.SeenAt.Before(s.StartedAt) {
		s.SeenAt = s.StartedAt
	}
	for id, old := range r.sessions {
		if before := s.StartedAt.Add(-sweptAfter); old.StartedAt.Before(before) || old.SeenAt.Before(before) {
			r.end(id)
		}
	}
	maps.DeleteFunc(r.passes, func(_ string, p library.Pass) bool { return p.Once && !p.ExpiresAt.After(s.StartedAt) })
	if have, taken := r.sessions[s.ID]; taken {
		if have.Actor.Subject != s.Actor.Subject || !slices.Equal(have.Actor.Roles, s.Actor.Roles) || !have.StartedAt.Equal(s.StartedAt) {
			return library.Errorf(library.Conflict, op, s.ID, "another session has this id")
		}
		return nil
	}
	if r.sessions == nil {
		r.sessions, r.passes = map[string]library.Session{}, map[string]library.Pass{}
	}
	r.sessions[s.ID] = s
	return nil
}

// end ends a session and its passes.
func (r *Records) end(id string) {
	delete(r.sessions, id)
	maps.DeleteFunc(r.passes, func(_ string, p library.Pass) bool { return p.Session == id })
}

// AddPass implements [library.SessionRecords]. Another pass under a digest that
// is taken is a [library.Conflict]; one of one use without Bind, or the
// reverse, or a digest that is none, is [library.Invalid].
func (r *Records) AddPass(ctx context.Context, p library.Pass) error {
	const op = "add pass to session"
	leave, err := r.enter(ctx, "AddPass")
	if err != nil {
		return err
	}
	defer leave()

	if !digestForm.MatchString(p.Digest) || p.Door == "" || p.Once != (p.Bind != "") {
		return invalid(op, p.Session, "no digest, no door, or one use without what binds it")
	}
	p.ExpiresAt = instant(p.ExpiresAt)
	if have, taken := r.passes[p.Digest]; taken {
		if have != p {
			return library.Errorf(library.Conflict, op, p.Session, "another pass has this digest")
		}
		return nil
	}
	if _, ok := r.sessions[p.Session]; !ok {
		return missing(op, p.Session)
	}
	r.passes[p.Digest] = p
	return nil
}

// admit returns the session of a pass, if both still hold.
func (r *Records) admit(op, digest, door string, once bool, at, earliest, idle time.Time) (library.Session, error) {
	p, known := r.passes[digest]
	s := r.sessions[p.Session]
	if !known || p.Door != door || p.Once != once || !p.ExpiresAt.After(instant(at)) ||
		s.StartedAt.Before(instant(earliest)) || s.SeenAt.Before(instant(idle)) {
		return library.Session{}, missing(op, "")
	}
	s.Actor.Roles = copied(s.Actor.Roles)
	return s, nil
}

// SessionOf implements [library.SessionRecords].
func (r *Records) SessionOf(ctx context.Context, digest, door string, at, earliest, idle time.Time) (library.Session, error) {
	leave, err := r.enter(ctx, "SessionOf")
	if err != nil {
		return library.Session{}, err
	}
	defer leave()

	return r.admit("read session of pass", digest, door, false, at, earliest, idle)
}

// TakePass implements [library.SessionRecords]. What is not taken is left.
func (r *Records) TakePass(ctx context.Context, digest, door, bind string, at, earliest, idle time.Time) (library.Session, error) {
	const op = "take pass"
	leave, err := r.enter(ctx, "TakePass")
	if err != nil {
		return library.Session{}, err
	}
	defer leave()

	if r.passes[digest].Bind != bind {
		return library.Session{}, missing(op, "")
	}
	s, err := r.admit(op, digest, door, true, at, earliest, idle)
	if err == nil {
		delete(r.passes, digest)
	}
	return s, err
}

// SeeSession implements [library.SessionRecords]. A session that is over is
// [library.NotFound].
func (r *Records) SeeSession(ctx context.Context, id string, at time.Time) error {
	leave, err := r.enter(ctx, "SeeSession")
	if err != nil {
		return err
	}
	defer leave()

	s, ok := r.sessions[id]
	if !ok {
		return missing("see session", id)
	}
	if at = instant(at); at.After(s.SeenAt) {
		s.SeenAt = at
		r.sessions[id] = s
	}
	return nil
}

// EndSession implements [library.SessionRecords].
func (r *Records) EndSession(ctx context.Context, id string) error {
	leave, err := r.enter(ctx, "EndSession")
	if err != nil {
		return err
	}
	defer leave()

	r.end(id)
	return nil
}
