package librarytest

import (
	"fmt"
	"testing"
	"time"

	"fileroom/internal/library"
)

var workTests = map[string]func(*testing.T, staffRoom){
	"each list has the cases that belong on it":           testWorklists,
	"a worklist is the most urgent first":                 testWorkOrder,
	"pages of a worklist have every case once":            testWorkPages,
	"a list of something else than cases is invalid":      testWorkInvalid,
	"a case that was held and resumed is not held":        testHeld,
	"a worklist shows what is known about a case":         testWorkItem,
	"a worklist shows a case about which little is known": testWorkItemBare,
	"an approval of an older revision is not shown":       testWorkApprovals,
	"a case of somebody else is not mine":                 testWorkMine,
	"what staff said to an arrival comes back":            testDecisionsOfArrival,
}

// desk opens cases as a test wants them and says things to them.
type desk struct {
	staffRoom
	t    *testing.T
	said int
}

// open opens a case that waits for somebody and is due some hours after noon.
func (d *desk) open(waiting library.Waiting, due int) library.Case {
	d.t.Helper()
	d.said++
	c := aCase(arrive(d.t, d.worker, fmt.Sprintf("desk-%d", d.said)))
	c.Stage, c.Waiting, c.DueAt = library.StageReview, waiting, noon.Add(time.Duration(due)*time.Hour)
	got, err := d.worker.OpenCase(d.t.Context(), c)
	return must(d.t, got, err)
}

// close closes a case some hours after noon.
func (d *desk) close(c library.Case, hours int) {
	d.t.Helper()
	at := noon.Add(time.Duration(hours) * time.Hour)
	need(d.t, d.worker.MoveCase(d.t.Context(), c.ID, library.StageClosed, library.WaitingNobody, library.OutcomeReleased, at))
}

// say records a decision and returns it as a worklist shows it.
func (d *desk) say(c library.Case, subject string, message library.Message, revision library.Revision) library.Decision {
	d.t.Helper()
	d.said++
	said := approval(c, fmt.Sprintf("n-%d", d.said), revision)
	said.Message, said.Actor.Subject = message, subject
	need(d.t, d.worker.AddDecision(d.t.Context(), said))
	said.Payload, said.Header, said.At = library.Private[string]{}, "", instant(said.At)
	return said
}

// list returns the numbers on a page, and how many the list has.
func (d *desk) list(f library.WorkFilter) ([]library.CaseID, int) {
	d.t.Helper()
	items, total, err := d.Worklist(d.t.Context(), f)
	need(d.t, err)
	var all []library.CaseID
	for _, item := range items {
		all = append(all, item.Case.ID)
	}
	return all, total
}

func testWorklists(t *testing.T, s staffRoom) {
	d := desk{staffRoom: s, t: t}
	staff, late := d.open(library.WaitingStaff, 20), d.open(library.WaitingStaff, -1)
	second, heldSecond := d.open(library.WaitingSecond, 3), d.open(library.WaitingSecond, -2)
	requester, held := d.open(library.WaitingRequester, 0), d.open(library.WaitingStaff, 5)
	closed, closedHeld := d.open(library.WaitingStaff, -9), d.open(library.WaitingSecond, -9)
	for _, c := range []library.Case{heldSecond, held, closedHeld} {
		d.say(c, "u-9", library.Hold, "")
	}
	d.say(second, "u-17", library.Approve, "rev")
	d.say(late, "u-17", library.Acknowledged, "")
	d.say(closed, "u-17", library.Approve, "rev")
	d.close(closed, 2)
	// Closed, and by mistake still said to wait for somebody.
	need(t, s.worker.MoveCase(t.Context(), closedHeld.ID, library.StageClosed, library.WaitingSecond, library.OutcomeWithdrawn, noon))
	waiting := arrive(t, s.worker, "waits")
	need(t, s.worker.MoveArrival(t.Context(), waiting.ID, library.ArrivalWaiting, "two requests"))

	want := map[library.Worklist][]library.CaseID{
		library.WorkStaff:   {late.ID, staff.ID},
		library.WorkSecond:  {second.ID},
		library.WorkOverdue: {heldSecond.ID, late.ID}, // Not what is due this very moment.
		library.WorkHeld:    {heldSecond.ID, held.ID},
		library.WorkMine:    {late.ID, second.ID},
		library.WorkOpen:    {heldSecond.ID, late.ID, requester.ID, second.ID, held.ID, staff.ID},
		library.WorkClosed:  {closed.ID, closedHeld.ID},
	}
	counts, err := s.WorkCounts(t.Context(), "u-17", noon)
	need(t, err)
	for _, name := range library.Worklists() {
		got, total := d.list(library.WorkFilter{List: name, Actor: "u-17", Now: noon})
		wantSame(t, string(name), got, want[name])
		wantSame(t, "total of "+string(name), total, len(want[name]))
		wantSame(t, "count of "+string(name), counts[name], len(want[name]))
	}
	wantSame(t, "count of arrivals", counts[library.WorkArrivals], 1)
	wantSame(t, "number of counts", len(counts), len(want)+1)
}

func testWorkOrder(t *testing.T, s staffRoom) {
	d := desk{staffRoom: s, t: t}
	var byDue, byClosing []library.CaseID
	var all []library.Case
	for i := range 12 {
		all = append(all, d.open(library.WaitingStaff, -(i/3)))
	}
	for i := 9; i >= 0; i -= 3 { // Threes are due at once: then by number.
		byDue = append(byDue, sortedIDs(all[i:i+3])...)
	}
	got, _ := d.list(library.WorkFilter{List: library.WorkStaff})
	wantSame(t, "open cases", got, byDue)
	for i, c := range all {
		d.close(c, i/3)
	}
	for i := 9; i >= 0; i -= 3 {
		byClosing = append(byClosing, sortedIDs(all[i:i+3])...)
	}
	got, _ = d.list(library.WorkFilter{List: library.WorkClosed})
	wantSame(t, "closed cases, the latest first", got, byClosing)
}

func testWorkPages(t *testing.T, s staffRoom) {
	d := desk{staffRoom: s, t: t}
	const n = 53
	for range n {
		d.open(library.WaitingStaff, 1) // All due at once.
	}
	first, total := d.list(library.WorkFilter{List: library.WorkStaff})
	wantSame(t, "length and total of a page", []int{len(first), total}, []int{usualPage, n})
	whole, _ := d.list(library.WorkFilter{List: library.WorkStaff, Limit: 100_000, Skip: -1})
	wantSame(t, "length of a large page", len(whole), n)
	var paged []library.CaseID
	for skip := 0; skip < n; skip += 10 {
		page, total := d.list(library.WorkFilter{List: library.WorkStaff, Limit: 10, Skip: skip})
		wantSame(t, "total", total, n)
		paged = append(paged, page...)
	}
	wantSame(t, "all pages", paged, whole)
	beyond, total := d.list(library.WorkFilter{List: library.WorkStaff, Skip: n})
	wantSame(t, "page beyond the end and total", []int{len(beyond), total}, []int{0, n})
}

func testWorkInvalid(t *testing.T, s staffRoom) {
	for _, name := range []library.Worklist{"", "lost", library.WorkArrivals} {
		_, _, err := s.Worklist(t.Context(), library.WorkFilter{List: name})
		wantKind(t, fmt.Sprintf("Worklist %q", name), err, library.Invalid)
	}
}

func testHeld(t *testing.T, s staffRoom) {
	d := desk{staffRoom: s, t: t}
	c, other := d.open(library.WaitingStaff, 1), d.open(library.WaitingStaff, 2)
	check := func(want bool) {
		t.Helper()
		got, err := s.Held(t.Context(), c.ID)
		wantSame(t, "Held", must(t, got, err), want)
		counts, err := s.WorkCounts(t.Context(), "", noon)
		need(t, err)
		lists := map[bool]library.Worklist{true: library.WorkHeld, false: library.WorkStaff}
		wantSame(t, "counts of held and of staff", []int{counts[library.WorkHeld], counts[library.WorkStaff]}, map[bool][]int{true: {1, 1}, false: {0, 2}}[want])
		items, _, err := s.Worklist(t.Context(), library.WorkFilter{List: lists[want]})
		if must(t, items, err); items[0].Case.ID != c.ID || items[0].Held != want {
			t.Errorf("first of %s is %s, held: %t; want %s, %t", lists[want], items[0].Case.ID, items[0].Held, c.ID, want)
		}
	}
	check(false)
	d.say(c, "u-9", library.Hold, "")
	check(true)
	d.say(c, "u-9", library.Ask, "") // Says nothing about the hold.
	d.say(other, "u-9", library.Resume, "")
	check(true)
	d.say(c, "u-9", library.Resume, "")
	check(false)
	d.say(c, "u-9", library.Hold, "")
	early := approval(c, "n-early", "")
	early.Message, early.At = library.Resume, noon.Add(-time.Hour) // Recorded last, whatever its clock says.
	need(t, s.worker.AddDecision(t.Context(), early))
	check(false)
	_, err := s.Held(t.Context(), "K7MQ-42XD")
	wantKind(t, "Held of no case", err, library.NotFound)
}

func testWorkMine(t *testing.T, s staffRoom) {
	d := desk{staffRoom: s, t: t}
	mine, theirs := d.open(library.WaitingStaff, 1), d.open(library.WaitingStaff, 2)
	d.open(library.WaitingStaff, 3)
	for range 2 {
		d.say(mine, "u-17", library.Correct, "") // Twice, and yet one case.
	}
	d.say(mine, "u-4", library.Correct, "")
	d.say(theirs, "u-4", library.Correct, "")
	about := approval(library.Case{}, "n-arrival", "")
	about.Arrival, about.Message = theirs.Arrival, library.Place // About the arrival, and not the case.
	need(t, s.worker.AddDecision(t.Context(), about))
	for actor, want := range map[string][]library.CaseID{
		"u-17": {mine.ID}, "u-4": {mine.ID, theirs.ID}, "u-1": nil, "": nil,
	} {
		got, total := d.list(library.WorkFilter{List: library.WorkMine, Actor: actor})
		wantSame(t, "cases of "+actor, got, want)
		wantSame(t, "number of cases of "+actor, total, len(want))
	}
}

func testDecisionsOfArrival(t *testing.T, s staffRoom) {
	c, other := open(t, s.worker, "m-1"), open(t, s.worker, "m-2")
	first, second := approval(library.Case{}, "n-2", ""), approval(c, "n-1", "")
	first.Arrival, first.Message = c.Arrival, library.Split
	second.Arrival, second.Message = c.Arrival, library.Place
	elsewhere := approval(library.Case{}, "n-3", "")
	elsewhere.Arrival, elsewhere.Message = other.Arrival, library.Place
	for _, d := range []library.Decision{first, second, elsewhere, approval(c, "n-4", "rev")} {
		need(t, s.worker.AddDecision(t.Context(), d))
	}
	got, err := s.DecisionsOfArrival(t.Context(), c.Arrival)
	if must(t, got, err); len(got) != 2 {
		t.Fatalf("%d decisions, want 2", len(got))
	}
	wantSame(t, "first decision", seeDecision(got[0]), seeDecision(first))
	wantSame(t, "second decision", seeDecision(got[1]), seeDecision(second))
	got, err = s.DecisionsOfArrival(t.Context(), arrive(t, s.worker, "m-3").ID)
	wantSame(t, "decisions of an arrival to which nobody said anything", must(t, len(got), err), 0)
	_, err = s.DecisionsOfArrival(t.Context(), 99)
	wantKind(t, "DecisionsOfArrival of none", err, library.NotFound)
}
