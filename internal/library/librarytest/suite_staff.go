package librarytest

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"fileroom/internal/library"
)

// staffRoom is what the tests of the staff's records work on: the records as a
// worker fills them, and as the staff's pages see them.
type staffRoom struct {
	library.StaffRecords
	worker library.Records
}

// TestStaffRecords checks that the second of what open returns keeps the
// promises of [library.StaffRecords]. Both are of the same, empty records; the
// first is what a worker writes to. Each subtest opens records of its own.
func TestStaffRecords(t *testing.T, open func(testing.TB) (library.Records, library.StaffRecords)) {
	tests := map[string]func(*testing.T, staffRoom){}
	for _, group := range []map[string]func(*testing.T, staffRoom){workTests, lookTests, sessionTests} {
		maps.Copy(tests, group)
	}
	tests["a context that ended is an error of the staff's records"] = testStaffContext
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			worker, staff := open(t)
			test(t, staffRoom{staff, worker})
		})
	}
}

func testStaffContext(t *testing.T, s staffRoom) {
	c := open(t, s.worker, "m-1")
	need(t, s.StartSession(t.Context(), aSession("s-1")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	errs := map[string]error{
		"AddLooks":     s.AddLooks(ctx, aLook(c.ID, 0)),
		"StartSession": s.StartSession(ctx, aSession("s-2")),
		"AddPass":      s.AddPass(ctx, aPass("s-1", 1)),
		"SeeSession":   s.SeeSession(ctx, "s-1", noon.Add(time.Hour)),
		"EndSession":   s.EndSession(ctx, "s-1"),
	}
	_, _, errs["Worklist"] = s.Worklist(ctx, library.WorkFilter{List: library.WorkOpen})
	_, errs["WorkCounts"] = s.WorkCounts(ctx, "u-17", noon)
	_, errs["Held"] = s.Held(ctx, c.ID)
	_, errs["DecisionsOfArrival"] = s.DecisionsOfArrival(ctx, c.Arrival)
	_, errs["Looks"] = s.Looks(ctx, "", 0)
	_, errs["SessionOf"] = s.SessionOf(ctx, digest(1), "panel", noon, noon, noon)
	_, errs["TakePass"] = s.TakePass(ctx, digest(1), "panel", "b", noon, noon, noon)
	for method, err := range errs {
		if err == nil || library.KindOf(err) != "" {
			t.Errorf("%s: error %v, want one without a kind", method, err)
		}
	}
	looks, err := s.Looks(t.Context(), "", 0)
	wantSame(t, "looks", must(t, len(looks), err), 0)
	need(t, s.SeeSession(t.Context(), "s-1", noon)) // It goes on.
}

// digest is one of 64 hexadecimal digits, told from others by its number.
func digest(n int) string { return fmt.Sprintf("%064x", n) }
