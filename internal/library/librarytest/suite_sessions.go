package librarytest

import (
	"sync"
	"testing"
	"time"

	"fileroom/internal/library"
)

var sessionTests = map[string]func(*testing.T, staffRoom){
	"a pass lets into its session at its door":             testSessionOf,
	"a session ends whatever its keeper forgets":           testSessionOver,
	"a pass of one use is used up by it":                   testTakePass,
	"of many who take a pass at once one gets it":          testTakePassConcurrently,
	"a person who did something is not idle":               testSeeSession,
	"a session ends at all doors":                          testEndSession,
	"a new session sweeps away what ended a day before":    testSweep,
	"sessions that start at once do not hinder each other": testStartConcurrently,
	"another session or pass under an id is a conflict":    testSessionTaken,
	"a session or pass that no record may hold is invalid": testSessionInvalid,
	"a pass to a session that is not there is not found":   testPassUnknown,
	"what a caller changes afterwards is not in a session": testSessionCopies,
	"a pass that was taken outlives no session":            testTakeAfterEnd,
}

func aSession(id string) library.Session {
	return library.Session{
		ID: id, Actor: library.Actor{Subject: "u-17", Name: "Dana Whitfield", Roles: []library.Role{library.RoleSpecialist, library.RoleLead}},
		StartedAt: noon, SeenAt: noon,
	}
}

// aPass is one to the panel, good for an hour.
func aPass(session string, n int) library.Pass {
	return library.Pass{Digest: digest(n), Session: session, Door: "panel", ExpiresAt: noon.Add(time.Hour)}
}

// oneUse is a pass of one use to the door ui, good for a minute.
func oneUse(session string, n int) library.Pass {
	return library.Pass{Digest: digest(n), Session: session, Door: "ui", Once: true, Bind: "browser", ExpiresAt: noon.Add(time.Minute)}
}

// seenSession is a session as it comes back.
func seenSession(s library.Session) library.Session {
	s.StartedAt, s.SeenAt = instant(s.StartedAt), instant(s.SeenAt)
	return s
}

func testSessionOf(t *testing.T, s staffRoom) {
	want := aSession("s-1")
	twice(t, func() error { return s.StartSession(t.Context(), want) })
	bare := aSession("s-2")
	bare.Actor, bare.SeenAt = library.Actor{Subject: "u-4"}, time.Time{}
	need(t, s.StartSession(t.Context(), bare))
	bare.SeenAt = bare.StartedAt // Not seen yet is seen at the start.
	twice(t, func() error { return s.AddPass(t.Context(), aPass("s-1", 1)) })
	need(t, s.AddPass(t.Context(), aPass("s-2", 2)))
	for range 2 {
		got, err := s.SessionOf(t.Context(), digest(1), "panel", noon, noon, noon)
		wantSame(t, "SessionOf", must(t, got, err), seenSession(want))
	}
	got, err := s.SessionOf(t.Context(), digest(2), "panel", noon, noon, noon)
	wantSame(t, "SessionOf the other", must(t, got, err), seenSession(bare))

	need(t, s.AddPass(t.Context(), oneUse("s-1", 3)))
	for name, try := range map[string][2]string{
		"another door":       {digest(1), "ui"},
		"no door":            {digest(1), ""},
		"a digest of no one": {digest(9), "panel"},
		"no digest":          {"", "panel"},
		"a pass of one use":  {digest(3), "ui"},
	} {
		_, err := s.SessionOf(t.Context(), try[0], try[1], noon, noon, noon)
		wantKind(t, "SessionOf with "+name, err, library.NotFound)
	}
}

// bounds are the times that a caller names.
type bounds struct{ at, earliest, idle time.Duration }

func testSessionOver(t *testing.T, s staffRoom) {
	session := aSession("s-1")
	session.SeenAt = noon.Add(10 * time.Minute)
	need(t, s.StartSession(t.Context(), session))
	pass, carry := aPass("s-1", 1), oneUse("s-1", 2)
	carry.ExpiresAt = pass.ExpiresAt
	need(t, s.AddPass(t.Context(), pass))
	need(t, s.AddPass(t.Context(), carry))
	tick := time.Microsecond
	over := map[string]bounds{
		"a pass that has expired":       {time.Hour, 0, 0},
		"a session started too early":   {0, tick, 0},
		"a person not seen for so long": {0, 0, 10*time.Minute + tick},
	}
	for name, b := range over {
		_, err := s.SessionOf(t.Context(), pass.Digest, "panel", noon.Add(b.at), noon.Add(b.earliest), noon.Add(b.idle))
		wantKind(t, "SessionOf with "+name, err, library.NotFound)
		_, err = s.TakePass(t.Context(), carry.Digest, "ui", "browser", noon.Add(b.at), noon.Add(b.earliest), noon.Add(b.idle))
		wantKind(t, "TakePass with "+name, err, library.NotFound)
	}
	at, idle := noon.Add(time.Hour-tick), noon.Add(10*time.Minute)
	got, err := s.SessionOf(t.Context(), pass.Digest, "panel", at, noon, idle)
	wantSame(t, "SessionOf in the last moment", must(t, got, err), seenSession(session))
	got, err = s.TakePass(t.Context(), carry.Digest, "ui", "browser", at, noon, idle)
	wantSame(t, "TakePass in the last moment", must(t, got, err), seenSession(session))
}

func testTakePass(t *testing.T, s staffRoom) {
	need(t, s.StartSession(t.Context(), aSession("s-1")))
	need(t, s.AddPass(t.Context(), aPass("s-1", 1)))
	need(t, s.AddPass(t.Context(), oneUse("s-1", 2)))
	for name, try := range map[string][3]string{
		"another door":         {digest(2), "panel", "browser"},
		"another browser":      {digest(2), "ui", "thief"},
		"nothing to bind it":   {digest(2), "ui", ""},
		"a pass of many uses":  {digest(1), "panel", ""},
		"a digest of no one":   {digest(9), "ui", "browser"},
		"nothing but the door": {"", "ui", ""},
	} {
		_, err := s.TakePass(t.Context(), try[0], try[1], try[2], noon, noon, noon)
		wantKind(t, "TakePass with "+name, err, library.NotFound)
	}
	got, err := s.TakePass(t.Context(), digest(2), "ui", "browser", noon, noon, noon) // None of that used it up.
	wantSame(t, "TakePass", must(t, got, err), seenSession(aSession("s-1")))
	_, err = s.TakePass(t.Context(), digest(2), "ui", "browser", noon, noon, noon)
	wantKind(t, "TakePass once more", err, library.NotFound)
	_, err = s.SessionOf(t.Context(), digest(1), "panel", noon, noon, noon)
	need(t, err)
}

func testTakePassConcurrently(t *testing.T, s staffRoom) {
	need(t, s.StartSession(t.Context(), aSession("s-1")))
	for round := range 5 {
		need(t, s.AddPass(t.Context(), oneUse("s-1", round)))
		errs := make([]error, 8)
		var group sync.WaitGroup
		for i := range errs {
			group.Go(func() {
				_, errs[i] = s.TakePass(t.Context(), digest(round), "ui", "browser", noon, noon, noon)
			})
		}
		group.Wait()
		taken := 0
		for _, err := range errs {
			if err == nil {
				taken++
				continue
			}
			wantKind(t, "TakePass by a loser", err, library.NotFound)
		}
		wantSame(t, "how many took the pass", taken, 1)
	}
}

func testSeeSession(t *testing.T, s staffRoom) {
	need(t, s.StartSession(t.Context(), aSession("s-1")))
	need(t, s.AddPass(t.Context(), aPass("s-1", 1)))
	later := noon.Add(14 * time.Minute)
	twice(t, func() error { return s.SeeSession(t.Context(), "s-1", later) })
	need(t, s.SeeSession(t.Context(), "s-1", noon.Add(time.Minute))) // It never goes back.
	got, err := s.SessionOf(t.Context(), digest(1), "panel", noon, noon, later)
	if must(t, got, err); !got.SeenAt.Equal(instant(later)) || !got.StartedAt.Equal(instant(noon)) {
		t.Errorf("session = %+v, want seen at %v", got, instant(later))
	}
	wantKind(t, "SeeSession of none", s.SeeSession(t.Context(), "s-9", noon), library.NotFound)
}

func testEndSession(t *testing.T, s staffRoom) {
	for _, id := range []string{"s-1", "s-2"} {
		need(t, s.StartSession(t.Context(), aSession(id)))
	}
	ui := aPass("s-1", 2)
	ui.Door = "ui"
	for _, p := range []library.Pass{aPass("s-1", 1), ui, oneUse("s-1", 3), aPass("s-2", 4)} {
		need(t, s.AddPass(t.Context(), p))
	}
	twice(t, func() error { return s.EndSession(t.Context(), "s-1") })
	for n, door := range map[int]string{1: "panel", 2: "ui"} {
		_, err := s.SessionOf(t.Context(), digest(n), door, noon, noon, noon)
		wantKind(t, "SessionOf at the door "+door, err, library.NotFound)
	}
	_, err := s.TakePass(t.Context(), digest(3), "ui", "browser", noon, noon, noon)
	wantKind(t, "TakePass", err, library.NotFound)
	wantKind(t, "SeeSession", s.SeeSession(t.Context(), "s-1", noon), library.NotFound)
	wantKind(t, "AddPass", s.AddPass(t.Context(), aPass("s-1", 5)), library.NotFound)
	_, err = s.SessionOf(t.Context(), digest(4), "panel", noon, noon, noon)
	need(t, err) // The other goes on.
}

func testTakeAfterEnd(t *testing.T, s staffRoom) {
	need(t, s.StartSession(t.Context(), aSession("s-1")))
	need(t, s.AddPass(t.Context(), oneUse("s-1", 1)))
	_, err := s.TakePass(t.Context(), digest(1), "ui", "browser", noon, noon, noon)
	need(t, err)
	need(t, s.EndSession(t.Context(), "s-1"))
	need(t, s.StartSession(t.Context(), aSession("s-1")))
	_, err = s.TakePass(t.Context(), digest(1), "ui", "browser", noon, noon, noon)
	wantKind(t, "TakePass", err, library.NotFound)
}

func testSweep(t *testing.T, s staffRoom) {
	day := 24 * time.Hour
	old, recent := aSession("s-1"), aSession("s-2")
	recent.StartedAt = noon.Add(time.Microsecond)
	for i, session := range []library.Session{old, recent} {
		need(t, s.StartSession(t.Context(), session))
		p := aPass(session.ID, i+1)
		p.ExpiresAt = noon.Add(9 * day)
		need(t, s.AddPass(t.Context(), p))
	}
	need(t, s.SeeSession(t.Context(), "s-1", noon.Add(day))) // Busy, and yet too long ago.
	spent, fresh := oneUse("s-2", 3), oneUse("s-2", 4)
	spent.ExpiresAt, fresh.ExpiresAt = noon.Add(day), noon.Add(day+time.Minute)
	need(t, s.AddPass(t.Context(), spent))
	need(t, s.AddPass(t.Context(), fresh))
	next := aSession("s-3")
	next.StartedAt = noon.Add(day + time.Microsecond)
	next.SeenAt = next.StartedAt
	need(t, s.StartSession(t.Context(), next))

	// Asked as if no time had gone by, so that only what is swept is missing.
	early := noon.Add(-day)
	_, err := s.SessionOf(t.Context(), digest(1), "panel", noon, early, early)
	wantKind(t, "SessionOf what was swept", err, library.NotFound)
	wantKind(t, "SeeSession of what was swept", s.SeeSession(t.Context(), "s-1", noon), library.NotFound)
	_, err = s.TakePass(t.Context(), spent.Digest, "ui", "browser", noon, early, early)
	wantKind(t, "TakePass that was swept", err, library.NotFound)
	_, err = s.SessionOf(t.Context(), digest(2), "panel", noon, early, early)
	need(t, err)
	_, err = s.TakePass(t.Context(), fresh.Digest, "ui", "browser", noon, early, early)
	need(t, err)
}

func testStartConcurrently(t *testing.T, s staffRoom) {
	for n, id := range []string{"old-1", "old-2", "old-3", "old-4"} {
		need(t, s.StartSession(t.Context(), aSession(id)))
		need(t, s.AddPass(t.Context(), aPass(id, n)))
		need(t, s.AddPass(t.Context(), oneUse(id, 100+n)))
	}
	errs := make([]error, 8)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() {
			next := aSession("s-" + digest(i))
			next.StartedAt = noon.Add(25 * time.Hour)
			errs[i] = s.StartSession(t.Context(), next)
		})
	}
	group.Wait()
	for _, err := range errs {
		need(t, err)
	}
	for i := range errs {
		need(t, s.SeeSession(t.Context(), "s-"+digest(i), noon))
	}
}

func testSessionTaken(t *testing.T, s staffRoom) {
	for _, id := range []string{"s-1", "s-2"} {
		need(t, s.StartSession(t.Context(), aSession(id)))
	}
	for name, spoil := range map[string]func(*library.Session){
		"person": func(s *library.Session) { s.Actor.Subject = "u-4" },
		"roles":  func(s *library.Session) { s.Actor.Roles = []library.Role{library.RolePrivacy} },
		"start":  func(s *library.Session) { s.StartedAt = noon.Add(time.Second) },
	} {
		session := aSession("s-1")
		spoil(&session)
		wantKind(t, "StartSession with another "+name, s.StartSession(t.Context(), session), library.Conflict)
	}
	need(t, s.AddPass(t.Context(), aPass("s-1", 1)))
	for name, spoil := range map[string]func(*library.Pass){
		"session": func(p *library.Pass) { p.Session = "s-2" },
		"door":    func(p *library.Pass) { p.Door = "ui" },
		"use":     func(p *library.Pass) { p.Once, p.Bind = true, "browser" },
		"end":     func(p *library.Pass) { p.ExpiresAt = noon.Add(9 * time.Hour) },
	} {
		p := aPass("s-1", 1)
		spoil(&p)
		wantKind(t, "AddPass with another "+name, s.AddPass(t.Context(), p), library.Conflict)
	}
	got, err := s.SessionOf(t.Context(), digest(1), "panel", noon, noon, noon)
	wantSame(t, "SessionOf", must(t, got, err), seenSession(aSession("s-1")))
}

func testSessionInvalid(t *testing.T, s staffRoom) {
	wantKind(t, "StartSession without an id", s.StartSession(t.Context(), aSession("")), library.Invalid)
	nobody := aSession("s-1")
	nobody.Actor.Subject = ""
	wantKind(t, "StartSession of nobody", s.StartSession(t.Context(), nobody), library.Invalid)
	need(t, s.StartSession(t.Context(), aSession("s-1")))
	for name, spoil := range map[string]func(*library.Pass){
		"no digest":                  func(p *library.Pass) { p.Digest = "the token itself" },
		"no door":                    func(p *library.Pass) { p.Door = "" },
		"one use by any browser":     func(p *library.Pass) { p.Once = true },
		"many uses bound to browser": func(p *library.Pass) { p.Bind = "browser" },
	} {
		p := aPass("s-1", 1)
		spoil(&p)
		wantKind(t, "AddPass with "+name, s.AddPass(t.Context(), p), library.Invalid)
	}
}

func testPassUnknown(t *testing.T, s staffRoom) {
	wantKind(t, "AddPass", s.AddPass(t.Context(), aPass("s-1", 1)), library.NotFound)
	wantKind(t, "AddPass of one use", s.AddPass(t.Context(), oneUse("s-1", 1)), library.NotFound)
	need(t, s.EndSession(t.Context(), "s-1"))
}

func testSessionCopies(t *testing.T, s staffRoom) {
	session := aSession("s-1")
	need(t, s.StartSession(t.Context(), session))
	need(t, s.AddPass(t.Context(), aPass("s-1", 1)))
	session.Actor.Roles[0] = library.RolePrivacy
	for range 2 {
		got, err := s.SessionOf(t.Context(), digest(1), "panel", noon, noon, noon)
		wantSame(t, "SessionOf", must(t, got, err), seenSession(aSession("s-1")))
		got.Actor.Roles[0] = library.RolePrivacy
	}
}
