package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/library"
)

// sweptAfter is how long a session may be on record: longer than any may last.
const sweptAfter = 24 * time.Hour

type sessionRow struct {
	ID        string
	Subject   string
	Name      string
	Roles     []string
	StartedAt time.Time
	SeenAt    time.Time
}

func (r sessionRow) session() (library.Session, error) {
	return library.Session{
		ID: r.ID, Actor: library.Actor{Subject: r.Subject, Name: r.Name, Roles: typed[library.Role](r.Roles)},
		StartedAt: r.StartedAt.UTC(), SeenAt: r.SeenAt.UTC(),
	}, nil
}

// StartSession implements [library.SessionRecords]. A person who was not seen
// yet was seen at the start. Another session under an ID that is taken is a
// [library.Conflict]. What is swept away started, or was seen last, more than a
// day before; passes of one use go as soon as they have expired.
func (s *Store) StartSession(ctx context.Context, session library.Session) error {
	const op = "start session"
	return s.within(ctx, op, session.ID, func(tx pgx.Tx) error {
		started := instant(session.StartedAt)
		if _, err := exec(ctx, tx, sweepSessionsSQL, pgx.StrictNamedArgs{"before": started.Add(-sweptAfter)}); err != nil {
			return err
		}
		if _, err := exec(ctx, tx, sweepPassesSQL, pgx.StrictNamedArgs{"at": started}); err != nil {
			return err
		}
		n, err := exec(ctx, tx, startSessionSQL, pgx.StrictNamedArgs{
			"id": session.ID, "subject": session.Actor.Subject, "name": session.Actor.Name, "roles": session.Actor.Roles,
			"started_at": started, "seen_at": instant(session.SeenAt),
		})
		if err != nil || n == 1 {
			return err
		}
		have, err := one(ctx, tx, sessionSQL, pgx.StrictNamedArgs{"id": session.ID}, sessionRow.session)
		if err != nil {
			return err
		}
		if have.Actor.Subject != text(session.Actor.Subject) || !slices.Equal(have.Actor.Roles, session.Actor.Roles) || !have.StartedAt.Equal(started) {
			return library.Errorf(library.Conflict, op, session.ID, "another session has this id")
		}
		return nil
	})
}

type passRow struct {
	Digest    string
	SessionID string
	Door      string
	Once      bool
	Bind      string
	ExpiresAt time.Time
}

func (r passRow) pass() (library.Pass, error) {
	return library.Pass{
		Digest: r.Digest, Session: r.SessionID, Door: r.Door, Once: r.Once, Bind: r.Bind, ExpiresAt: r.ExpiresAt.UTC(),
	}, nil
}

// AddPass implements [library.SessionRecords]. Another pass under a digest that
// is taken is a [library.Conflict]; one of one use without Bind, or the
// reverse, or a digest that is none, is [library.Invalid].
func (s *Store) AddPass(ctx context.Context, p library.Pass) error {
	const op = "add pass to session"
	return s.within(ctx, op, p.Session, func(tx pgx.Tx) error {
		p.ExpiresAt = instant(p.ExpiresAt)
		n, err := exec(ctx, tx, addPassSQL, pgx.StrictNamedArgs{
			"digest": p.Digest, "session_id": p.Session, "door": p.Door, "once": p.Once, "bind": p.Bind, "expires_at": p.ExpiresAt,
		})
		if err != nil || n == 1 {
			return err
		}
		have, err := one(ctx, tx, passSQL, pgx.StrictNamedArgs{"digest": p.Digest}, passRow.pass)
		if err == nil && have != p {
			err = library.Errorf(library.Conflict, op, p.Session, "another pass has this digest")
		}
		return err
	})
}

// SessionOf implements [library.SessionRecords].
func (s *Store) SessionOf(ctx context.Context, digest, door string, at, earliest, idle time.Time) (library.Session, error) {
	session, err := one(ctx, s.pool, sessionOfSQL, pgx.StrictNamedArgs{
		"digest": digest, "door": door, "at": instant(at), "earliest": instant(earliest), "idle": instant(idle),
	}, sessionRow.session)
	return session, fault("read session of pass", "", err)
}

// TakePass implements [library.SessionRecords]. What is not taken is left.
func (s *Store) TakePass(ctx context.Context, digest, door, bind string, at, earliest, idle time.Time) (library.Session, error) {
	session, err := one(ctx, s.pool, takePassSQL, pgx.StrictNamedArgs{
		"digest": digest, "door": door, "bind": bind, "at": instant(at), "earliest": instant(earliest), "idle": instant(idle),
	}, sessionRow.session)
	return session, fault("take pass", "", err)
}

// SeeSession implements [library.SessionRecords]. A session that is over is
// [library.NotFound].
func (s *Store) SeeSession(ctx context.Context, id string, at time.Time) error {
	n, err := exec(ctx, s.pool, seeSessionSQL, pgx.StrictNamedArgs{"id": id, "at": instant(at)})
	return fault("see session", id, needOne(n, err))
}

// EndSession implements [library.SessionRecords].
func (s *Store) EndSession(ctx context.Context, id string) error {
	_, err := exec(ctx, s.pool, endSessionSQL, pgx.StrictNamedArgs{"id": id})
	return fault("end session", id, err)
}
