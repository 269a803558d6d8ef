package librarytest

import (
	"fmt"
	"testing"
	"time"

	"fileroom/internal/library"
)

var historyTests = map[string]func(*testing.T, library.Records){
	"an event is written once for its key":          testEvents,
	"an event of nothing is invalid":                testEventInvalid,
	"a letter is written down once":                 testLetters,
	"a letter is moved until it is sent":            testMoveLetter,
	"a letter that no record may hold is invalid":   testLetterInvalid,
	"a decision is recorded once, as it was signed": testDecisions,
	"another statement under an id is a conflict":   testDecisionTaken,
	"every message can be decided":                  testDecisionMessages,
	"a decision without a person is invalid":        testDecisionInvalid,
}

func testEvents(t *testing.T, s library.Records) {
	c, other := open(t, s, "m-1"), open(t, s, "m-2")
	e := library.Event{Case: c.ID, Key: "transfer/1", What: "transfer interrupted", Detail: "12 of 200", Actor: program, At: noon}
	twice(t, func() error { return s.AddEvent(t.Context(), e) })
	changed := e
	changed.Detail = "another"
	need(t, s.AddEvent(t.Context(), changed)) // The first is what counts.
	elsewhere := e
	elsewhere.Case = other.ID
	need(t, s.AddEvent(t.Context(), elsewhere))
	both := e
	both.Arrival, both.At = c.Arrival, noon.Add(-time.Hour) // Another key, for the arrival is part of it.
	twice(t, func() error { return s.AddEvent(t.Context(), both) })
	need(t, s.AddEvent(t.Context(), library.Event{Arrival: c.Arrival, Key: "transfer/1", At: noon}))

	got, err := s.Events(t.Context(), c.ID)
	need(t, err)
	e.At, both.At = instant(e.At), instant(both.At)
	wantSame(t, "Events, as written", got[1:], []library.Event{e, both})
	wantSame(t, "events of the other case", keys(t, s, other.ID), []string{"opened", "transfer/1"})
}

func testEventInvalid(t *testing.T, s library.Records) {
	wantKind(t, "AddEvent of nothing", s.AddEvent(t.Context(), library.Event{Key: "k"}), library.Invalid)
	wantKind(t, "AddEvent without a key", s.AddEvent(t.Context(), library.Event{Case: open(t, s, "m-1").ID}), library.Invalid)
}

func aLetter(c library.Case, number int, kind library.LetterKind) library.Letter {
	return library.Letter{
		Case: c.ID, Number: number, Kind: kind, MessageID: fmt.Sprintf("<%s.%d@library.example>", c.ID, number),
		To: library.Hide("june.okafor@mail.example"), Subject: "Your request " + string(c.ID),
		Text: library.Hide("Dear June Okafor,\r\n\r\n  \u00a0we have it.\n"), State: library.LetterWritten, At: noon,
	}
}

// seenLetter is a letter with nothing hidden.
type seenLetter struct {
	Letter   library.Letter
	To, Text string
}

func seeLetter(l library.Letter) seenLetter {
	seen := seenLetter{Letter: l, To: l.To.Reveal(), Text: l.Text.Reveal()}
	seen.Letter.To, seen.Letter.Text = library.Private[string]{}, library.Private[string]{}
	seen.Letter.At = instant(l.At)
	return seen
}

func testLetters(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	var want []seenLetter
	for i, kind := range letterKinds {
		want = append(want, seeLetter(aLetter(c, i+1, kind)))
	}
	for i := len(letterKinds); i > 0; i-- {
		l := aLetter(c, i, letterKinds[i-1])
		for range 2 {
			got, err := s.AddLetter(t.Context(), l)
			wantSame(t, "AddLetter", seeLetter(must(t, got, err)), want[i-1])
			l.Text, l.At = library.Hide("changed"), noon.Add(time.Hour) // The first is what counts.
		}
	}
	got, err := s.Letters(t.Context(), c.ID)
	need(t, err)
	var seen []seenLetter
	for _, l := range got {
		seen = append(seen, seeLetter(l))
	}
	wantSame(t, "Letters, by number", seen, want)
	wantSame(t, "number of events", len(keys(t, s, c.ID)), 1+len(letterKinds))
}

func testMoveLetter(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	_, err := s.AddLetter(t.Context(), aLetter(c, 1, library.LetterAcknowledgement))
	need(t, err)
	move := func(to library.LetterState, reason string, hours int) library.Letter {
		t.Helper()
		at := noon.Add(time.Duration(hours) * time.Hour)
		twice(t, func() error { return s.MoveLetter(t.Context(), c.ID, 1, to, reason, at) })
		letters, err := s.Letters(t.Context(), c.ID)
		return must(t, letters, err)[0]
	}
	for i, state := range []library.LetterState{library.LetterRefused, library.LetterUnsent, library.LetterSent} {
		got := move(state, "5.1.1", i+1)
		if got.State != state || got.Reason != "5.1.1" || !got.At.Equal(instant(noon.Add(time.Duration(i+1)*time.Hour))) {
			t.Errorf("letter = %+v, want %s with reason and time", got, state)
		}
	}
	for _, state := range letterStates {
		got := move(state, "too late", 9)
		if got.State != library.LetterSent || got.Reason != "5.1.1" || !got.At.Equal(instant(noon.Add(3*time.Hour))) {
			t.Errorf("letter moved to %s = %+v, want it to stay sent", state, got)
		}
	}
	wantSame(t, "events", keys(t, s, c.ID), []string{"opened", "letter/1/written", "letter/1/refused", "letter/1/unsent", "letter/1/sent"})
	wantKind(t, "MoveLetter of no letter", s.MoveLetter(t.Context(), c.ID, 2, library.LetterSent, "", noon), library.NotFound)
}

func testLetterInvalid(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	_, err := s.AddLetter(t.Context(), aLetter(c, 0, library.LetterDenial))
	wantKind(t, "AddLetter with number 0", err, library.Invalid)
	_, err = s.AddLetter(t.Context(), aLetter(c, 1, "love"))
	wantKind(t, "AddLetter of an unknown kind", err, library.Invalid)
	_, err = s.AddLetter(t.Context(), aLetter(c, 1, library.LetterDenial))
	need(t, err)
	wantKind(t, "MoveLetter to an unknown state", s.MoveLetter(t.Context(), c.ID, 1, "lost", "", noon), library.Invalid)
}

// seenDecision is a decision with nothing hidden.
type seenDecision struct {
	Decision library.Decision
	Payload  string
}

func seeDecision(d library.Decision) seenDecision {
	seen := seenDecision{Decision: d, Payload: d.Payload.Reveal()}
	seen.Decision.Payload = library.Private[string]{}
	seen.Decision.At = instant(d.At)
	return seen
}

func testDecisions(t *testing.T, s library.Records) {
	c, other := open(t, s, "m-1"), open(t, s, "m-2")
	second := approval(c, "n-1", "rev-1")
	second.At = noon // Said before the first, and recorded after it.
	second.Actor = library.Actor{Subject: "u-4", Name: "", Roles: nil}
	want := []library.Decision{approval(c, "n-2", "rev-1"), second}
	for _, d := range append(want, approval(other, "n-3", "rev-1")) {
		twice(t, func() error { return s.AddDecision(t.Context(), d) })
	}
	got, err := s.Decisions(t.Context(), c.ID)
	if must(t, got, err); len(got) != len(want) {
		t.Fatalf("%d decisions, want %d", len(got), len(want))
	}
	for i := range want {
		wantSame(t, "decision", seeDecision(got[i]), seeDecision(want[i]))
	}
	events, err := s.Events(t.Context(), c.ID)
	wantSame(t, "event of a decision", must(t, events, err)[1], library.Event{
		Case: c.ID, Key: "decision/n-2", What: "staff said approve", Detail: "rev-1", Actor: "u-17", At: instant(noon.Add(time.Hour)),
	})
	wantSame(t, "events", keys(t, s, c.ID), []string{"opened", "decision/n-2", "decision/n-1"})
}

func testDecisionTaken(t *testing.T, s library.Records) {
	c, other := open(t, s, "m-1"), open(t, s, "m-2")
	need(t, s.AddDecision(t.Context(), approval(c, "n-1", "rev-1")))
	for name, spoil := range map[string]func(*library.Decision){
		"case":    func(d *library.Decision) { d.Case = other.ID },
		"message": func(d *library.Decision) { d.Message = library.Deny },
		"payload": func(d *library.Decision) { d.Payload = library.Hide("{}") },
		"header":  func(d *library.Decision) { d.Header = "another" },
	} {
		d := approval(c, "n-1", "rev-1")
		spoil(&d)
		wantKind(t, "AddDecision with another "+name, s.AddDecision(t.Context(), d), library.Conflict)
	}
	later := approval(c, "n-1", "rev-1")
	later.At = noon.Add(9 * time.Hour)
	need(t, s.AddDecision(t.Context(), later)) // The same statement.
	got, err := s.Decisions(t.Context(), other.ID)
	wantSame(t, "decisions of the other case", must(t, len(got), err), 0)
}

func testDecisionMessages(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	for i, message := range messages {
		d := approval(c, fmt.Sprintf("n-%d", i), "")
		d.Message = message
		need(t, s.AddDecision(t.Context(), d))
	}
	placing := approval(library.Case{}, "n-99", "")
	placing.Arrival, placing.Message = c.Arrival, library.Place // About an arrival that is in no case.
	twice(t, func() error { return s.AddDecision(t.Context(), placing) })
	got, err := s.Decisions(t.Context(), c.ID)
	wantSame(t, "number of decisions", must(t, len(got), err), len(messages))
}

func testDecisionInvalid(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	for name, spoil := range map[string]func(*library.Decision){
		"no id":              func(d *library.Decision) { d.ID = "" },
		"no subject":         func(d *library.Decision) { d.Actor.Subject = "" },
		"an unknown message": func(d *library.Decision) { d.Message = "shrug" },
		"nothing it is for":  func(d *library.Decision) { d.Case = "" },
	} {
		d := approval(c, "n-1", "rev-1")
		spoil(&d)
		wantKind(t, "AddDecision with "+name, s.AddDecision(t.Context(), d), library.Invalid)
	}
	wantSame(t, "events", keys(t, s, c.ID), []string{"opened"})
}
