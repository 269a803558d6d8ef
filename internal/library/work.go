package library

import (
	"context"
	"slices"
	"time"
)

// A Worklist is a list of what waits, as staff work through it.
type Worklist string

// The worklists.
const (
	WorkStaff    Worklist = "staff"    // Waits for somebody of the staff.
	WorkSecond   Worklist = "second"   // Waits for a second person.
	WorkOverdue  Worklist = "overdue"  // Past the day by which it must be answered.
	WorkHeld     Worklist = "held"     // On hold, and not closed.
	WorkMine     Worklist = "mine"     // Open cases in which I said something.
	WorkOpen     Worklist = "open"     // Everything that is not closed.
	WorkClosed   Worklist = "closed"   // Closed, the latest first.
	WorkArrivals Worklist = "arrivals" // Arrivals that staff must place; they are no [WorkItem].
)

// Worklists are the lists of cases in the order in which they are shown.
func Worklists() []Worklist {
	return []Worklist{WorkStaff, WorkSecond, WorkOverdue, WorkHeld, WorkMine, WorkOpen, WorkClosed}
}

// A WorkFilter selects a page of a worklist.
type WorkFilter struct {
	List  Worklist
	Actor string    // Subject of who looks, for [WorkMine].
	Now   time.Time // For [WorkOverdue].
	Skip  int
	Limit int // 0 means 50; never more than 200.
}

// A WorkItem is a case as a worklist shows it.
type WorkItem struct {
	Case      Case
	Patient   Private[PatientRecord] // The chosen candidate; empty if none is.
	Facility  string                 // Name of the destination; empty if none is known.
	Studies   []StudyCandidate       // Those chosen, in the match's order.
	Images    int                    // In the manifest.
	Open      []OpenRule             // Findings that hinder an approval.
	Held      bool
	Approvals []Decision // Of the present revision, the oldest first; without payload and header.
	ChosenBy  []string   // Subjects of those who chose or corrected.
}

// Clean reports whether nothing but an approval is wanting: what several of
// can be approved together.
func (i WorkItem) Clean() bool {
	return i.Case.Stage == StageReview && i.Case.Revision != "" && len(i.Open) == 0 && !i.Held
}

// MayApprove reports whether an approval by actor would count now. The workflow
// decides; this only spares people a refusal.
func (i WorkItem) MayApprove(actor Actor) bool {
	if !i.Clean() || !actor.Is(NeededRole(Approve)) {
		return false
	}
	with := append(slices.Clone(i.Approvals), Decision{Message: Approve, Actor: actor, Revision: i.Case.Revision})
	counted, _ := Approved(with, i.Case.Revision, i.Case.Tier, i.ChosenBy)
	return len(counted) == len(with)
}

// WorkRecords are the worklists.
type WorkRecords interface {
	// Worklist returns a page of a list, the most urgent first, and how many
	// cases the whole list has.
	Worklist(ctx context.Context, f WorkFilter) (items []WorkItem, total int, err error)
	// WorkCounts returns how many cases each list has, and how many arrivals wait
	// to be placed.
	WorkCounts(ctx context.Context, actor string, now time.Time) (map[Worklist]int, error)
	// Held reports whether a case is on hold: the last of its hold and resume
	// decisions was a hold.
	Held(ctx context.Context, id CaseID) (bool, error)
	// DecisionsOfArrival returns what staff said to an arrival's intake.
	DecisionsOfArrival(ctx context.Context, id ArrivalID) ([]Decision, error)
}
