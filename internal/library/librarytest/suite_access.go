package librarytest

import (
	"strings"
	"testing"
	"time"

	"fileroom/internal/library"
)

var lookTests = map[string]func(*testing.T, staffRoom){
	"looks come back as they were entered":    testLooks,
	"looks are the newest, oldest first":      testLooksNewest,
	"a look that no log may hold enters none": testLookInvalid,
}

func aLook(id library.CaseID, minutes int) library.Look {
	return library.Look{
		At:    noon.Add(time.Duration(minutes) * time.Minute),
		Actor: library.Actor{Subject: "u-17", Name: "Dana Whitfield", Roles: []library.Role{library.RoleSpecialist, library.RoleAdmin}},
		Case:  id, What: library.LookDesk, Detail: "\"a\"\\u0000", Session: "s-1",
	}
}

func testLooks(t *testing.T, s staffRoom) {
	c := open(t, s.worker, "m-1")
	need(t, s.AddLooks(t.Context())) // Nothing is nothing.
	var want []library.Look
	for i, what := range lookKinds {
		l := aLook(c.ID, i)
		l.What = what
		want = append(want, l)
	}
	want[1].Case, want[1].Arrival = "", c.Arrival
	want[2].Case, want[2].Actor = "", library.Actor{Subject: "u-4"}
	want[3].Case = "K7MQ-42XD" // Nobody opened it, and somebody asked for it.
	want[4].Arrival = 99
	need(t, s.AddLooks(t.Context(), want[:6]...))
	for _, l := range want[6:] {
		need(t, s.AddLooks(t.Context(), l))
	}
	for i := range want {
		want[i].At = instant(want[i].At)
	}
	got, err := s.Looks(t.Context(), "", 0)
	wantSame(t, "Looks at everything", must(t, got, err), want)
	got[0].Actor.Roles[0] = "changed by a caller"
	got, err = s.Looks(t.Context(), c.ID, 0)
	wantSame(t, "Looks at the case", must(t, got, err), append([]library.Look{want[0]}, want[4:]...))
	got, err = s.Looks(t.Context(), want[3].Case, 0)
	wantSame(t, "Looks at a case that is not there", must(t, got, err), want[3:4])
	got, err = s.Looks(t.Context(), "ZZZZ-ZZZZ", 0)
	wantSame(t, "Looks at a case nobody asked for", must(t, len(got), err), 0)

	need(t, s.AddLooks(t.Context(), want[0])) // A second look is another line.
	got, err = s.Looks(t.Context(), "", 0)
	wantSame(t, "number of looks", must(t, len(got), err), len(want)+1)
}

func testLooksNewest(t *testing.T, s staffRoom) {
	c := open(t, s.worker, "m-1")
	order := []int{3, 1, 2, 2, 0} // As they are entered; the server that wrote the last was late.
	for i, minutes := range order {
		l := aLook(c.ID, minutes)
		l.Detail = strings.Repeat("i", i)
		need(t, s.AddLooks(t.Context(), l))
	}
	for _, id := range []library.CaseID{"", c.ID} {
		for limit, want := range map[int][]string{0: {"iiii", "i", "ii", "iii", ""}, 5: {"iiii", "i", "ii", "iii", ""}, 2: {"iii", ""}} {
			got, err := s.Looks(t.Context(), id, limit)
			var details []string
			for _, l := range must(t, got, err) {
				details = append(details, l.Detail)
			}
			wantSame(t, "Looks by time, then as entered", details, want)
		}
	}
}

func testLookInvalid(t *testing.T, s staffRoom) {
	good := aLook("", 0)
	good.Detail = strings.Repeat("ü", 1000)
	for name, spoil := range map[string]func(*library.Look){
		"nobody":              func(l *library.Look) { l.Actor.Subject = "" },
		"an unknown kind":     func(l *library.Look) { l.What = "glance" },
		"no case number":      func(l *library.Look) { l.Case = "Jane Doe" },
		"a negative arrival":  func(l *library.Look) { l.Arrival = -1 },
		"a detail too long":   func(l *library.Look) { l.Detail += "x" },
		"no kind of its page": func(l *library.Look) { l.What = "" },
	} {
		bad := good
		spoil(&bad)
		wantKind(t, "AddLooks with "+name, s.AddLooks(t.Context(), good, bad), library.Invalid)
	}
	got, err := s.Looks(t.Context(), "", 0)
	wantSame(t, "looks after", must(t, len(got), err), 0)
	need(t, s.AddLooks(t.Context(), good, good))
}
