package library

import (
	"context"
	"time"
)

// A Look is one look of a member of staff at a case or an arrival: a line of
// the access log (45 CFR 164.312(b)).
type Look struct {
	At      time.Time
	Actor   Actor
	Case    CaseID    // Empty where the look was at no case.
	Arrival ArrivalID // 0 where the look was at no arrival.
	What    LookKind
	Detail  string // Ids and codes alone, such as the name of a refused call.
	Session string // [Session.ID], so that what one person did in one sitting can be told.
}

// A LookKind says by what page somebody looked, or what they tried.
type LookKind string

// The kinds of look.
const (
	LookDesk     LookKind = "desk"     // The case's page on the desk.
	LookPanel    LookKind = "panel"    // The panel inside the Temporal UI.
	LookPage     LookKind = "page"     // The picture of a page.
	LookList     LookKind = "list"     // A worklist that names the patient.
	LookTemporal LookKind = "temporal" // The workflow's page or history in the Temporal UI.
	LookDecoded  LookKind = "decoded"  // Payloads decoded for the Temporal UI, of a workflow that it did not name.
	LookWrite    LookKind = "write"    // A write that passed for an administrator: terminate, cancel, reset, ...
	LookRefused  LookKind = "refused"  // A write that was refused.
	LookSignIn   LookKind = "sign-in"
	LookSignOut  LookKind = "sign-out"
)

// AccessRecords are who looked at what. They are only ever added to.
type AccessRecords interface {
	// AddLooks enters looks, all or none. What cannot be entered must not be shown.
	AddLooks(ctx context.Context, looks ...Look) error
	// Looks returns the looks at a case, or at everything if id is empty, the
	// oldest first; at most limit (0 means 1000) of the newest.
	Looks(ctx context.Context, id CaseID, limit int) ([]Look, error)
}

// A Session is a member of staff who is signed in.
type Session struct {
	ID        string // Random, and no secret: it opens nothing.
	Actor     Actor
	StartedAt time.Time
	SeenAt    time.Time // When the person last did something.
}

// A Pass lets its bearer into a session at one door. Doors are the hosts of
// the staff's pages, each of which has a cookie of its own.
type Pass struct {
	Digest    string // SHA-256 in hexadecimal of the token; the token is kept nowhere.
	Session   string // [Session.ID].
	Door      string // Such as "ui" or "panel".
	Once      bool   // Carries a session from one door to another, and is used up by it.
	Bind      string // With Once, and only then: SHA-256 of what the same browser must show with it.
	ExpiresAt time.Time
}

// SessionRecords are who is signed in. A session has an end whatever its
// keeper forgets: callers say from when on one counts as over.
type SessionRecords interface {
	// StartSession enters s, and sweeps away what ended a day before s started.
	StartSession(ctx context.Context, s Session) error
	// AddPass enters p for a session that is there ([NotFound] otherwise).
	AddPass(ctx context.Context, p Pass) error
	// SessionOf returns the session into which the pass with this digest lets at
	// a door, and not a pass with Once. It is [NotFound] when there is none, it
	// has expired at the time at, the session started before earliest, or its
	// person was last seen before idle.
	SessionOf(ctx context.Context, digest, door string, at, earliest, idle time.Time) (Session, error)
	// TakePass uses up a pass with Once, with the same conditions; of two calls
	// at once only one finds it. One that fails leaves it for the right browser.
	TakePass(ctx context.Context, digest, door, bind string, at, earliest, idle time.Time) (Session, error)
	// SeeSession notes that the person did something. It never goes back.
	SeeSession(ctx context.Context, id string, at time.Time) error
	// EndSession ends a session at all doors. One that is over is ended already.
	EndSession(ctx context.Context, id string) error
}
