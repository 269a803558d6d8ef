package librarytest

import (
	"slices"
	"strings"
	"testing"

	"fileroom/internal/library"
)

// sortedIDs returns the numbers of cases in the order of numbers.
func sortedIDs(cases []library.Case) []library.CaseID {
	all := ids(cases)
	slices.SortFunc(all, func(a, b library.CaseID) int { return strings.Compare(string(a), string(b)) })
	return all
}

// seenItem is a work item with nothing hidden.
type seenItem struct {
	Case      seen
	Patient   library.PatientRecord
	Facility  string
	Studies   []seenStudy
	Images    int
	Open      []library.OpenRule
	Held      bool
	Approvals []seenDecision
	ChosenBy  []string
}

// seenStudy is a study with nothing hidden.
type seenStudy struct {
	Study                  library.StudyCandidate
	Description, Accession string
}

func seeItem(i library.WorkItem) seenItem {
	item := seenItem{
		Case: see(i.Case), Patient: i.Patient.Reveal(), Facility: i.Facility, Images: i.Images,
		Open: i.Open, Held: i.Held, ChosenBy: i.ChosenBy,
	}
	for _, st := range i.Studies {
		shown := seenStudy{Study: st, Description: st.Description.Reveal(), Accession: st.Accession.Reveal()}
		shown.Study.Description, shown.Study.Accession = library.Private[string]{}, library.Private[string]{}
		item.Studies = append(item.Studies, shown)
	}
	for _, d := range i.Approvals {
		item.Approvals = append(item.Approvals, seeDecision(d))
	}
	return item
}

// known fills in all that a worklist can show about a case, and returns it.
func (d *desk) known(c library.Case) library.WorkItem {
	d.t.Helper()
	ctx := d.t.Context()
	note, open, again := aFinding("DL-09", "a", "why"), aFinding("DL-05", "a", "why"), aFinding("DL-02", "b", "why")
	note.Severity, open.Severity = library.Advise, library.Block
	need(d.t, d.worker.SetAssessment(ctx, c.ID, library.Assessment{
		Basis: library.BasisTreatment, Tier: 2, Facility: "blue-ridge", Revision: "rev-2",
		Findings: []library.Finding{open, note, again, aFinding("DL-07", "a", "why"), again},
	}))
	need(d.t, d.worker.AcknowledgeFinding(ctx, c.ID, "DL-07", library.Acknowledge{By: "u-4", Reason: "asked"}))
	match := aMatch()
	match.Manifest = uids(7)
	match.Studies = append(match.Studies, library.StudyCandidate{UID: "2.25.0", Chosen: true, By: "program"}) // In the match's order, not by UID.
	need(d.t, d.worker.SetMatch(ctx, c.ID, match))
	need(d.t, d.worker.SetChoices(ctx, c.ID, library.Choices{By: []string{"u-4", "u-17"}}))
	first := d.say(c, "u-17", library.Approve, "rev-2")
	second := d.say(c, "u-4", library.Approve, "rev-2")
	now, err := d.worker.Case(ctx, c.ID)
	need(d.t, err)
	patient, _ := match.ChosenPatient()
	return library.WorkItem{
		Case: now, Patient: patient.Record, Facility: "Blue Ridge Orthopedics", Studies: match.ChosenStudies(), Images: 7,
		Open:      library.OpenRules([]library.Finding{open, again, again}),
		Approvals: []library.Decision{first, second}, ChosenBy: []string{"u-4", "u-17"},
	}
}

func testWorkItem(t *testing.T, s staffRoom) {
	d := desk{staffRoom: s, t: t}
	need(t, s.worker.SaveFacility(t.Context(), library.Facility{
		ID: "blue-ridge", Name: "Blue Ridge Orthopedics", Street: "1 Main Street", City: "Asheville", State: "NC", Zip: "28801",
		URL: "https://dicom.blue-ridge.example/", Proof: library.ProofListed,
	}))
	// Several, so that what belongs to one is not shown with another.
	var want []seenItem
	for i := range 3 {
		c := d.open(library.WaitingStaff, i)
		if i == 1 {
			want = append(want, seeItem(library.WorkItem{Case: c}))
			continue
		}
		want = append(want, seeItem(d.known(c)))
	}
	items, total, err := s.Worklist(t.Context(), library.WorkFilter{List: library.WorkOpen})
	if must(t, items, err); len(items) != 3 || total != 3 {
		t.Fatalf("%d items of %d, want 3", len(items), total)
	}
	for i := range want {
		wantSame(t, "item", seeItem(items[i]), want[i])
	}
	if len(want[0].Studies) == 0 || len(want[0].Open) != 3 {
		t.Fatal("the case has no chosen study or not three open rules, so this test shows little")
	}
	d.close(items[0].Case, 1)
	items, _, err = s.Worklist(t.Context(), library.WorkFilter{List: library.WorkClosed})
	must(t, items, err)
	want[0].Case.Stage, want[0].Case.Waiting, want[0].Case.Outcome = library.StageClosed, library.WaitingNobody, library.OutcomeReleased
	want[0].Case.ClosedAt = items[0].Case.ClosedAt
	wantSame(t, "closed item", seeItem(items[0]), want[0])
}

func testWorkItemBare(t *testing.T, s staffRoom) {
	d := desk{staffRoom: s, t: t}
	c := d.open(library.WaitingStaff, 1)
	need(t, s.worker.SetAssessment(t.Context(), c.ID, library.Assessment{Facility: "not-in-the-directory"}))
	match := aMatch()
	for i := range match.Patients {
		match.Patients[i].Chosen = false
	}
	for i := range match.Studies {
		match.Studies[i].Chosen = false
	}
	match.Manifest = nil
	need(t, s.worker.SetMatch(t.Context(), c.ID, match))
	d.say(c, "u-17", library.Approve, "") // Of no revision, as the case has none.
	items, _, err := s.Worklist(t.Context(), library.WorkFilter{List: library.WorkStaff})
	need(t, err)
	c.Facility = "not-in-the-directory"
	wantSame(t, "item", seeItem(items[0]), seeItem(library.WorkItem{Case: c}))
}

func testWorkApprovals(t *testing.T, s staffRoom) {
	d := desk{staffRoom: s, t: t}
	c, other := d.open(library.WaitingStaff, 1), d.open(library.WaitingStaff, 2)
	assess := func(revision library.Revision) {
		t.Helper()
		need(t, s.worker.SetAssessment(t.Context(), c.ID, library.Assessment{Tier: 2, Revision: revision}))
	}
	check := func(want ...library.Decision) {
		t.Helper()
		items, _, err := s.Worklist(t.Context(), library.WorkFilter{List: library.WorkStaff})
		need(t, err)
		wantSame(t, "Approvals", seeItem(items[0]).Approvals, seeItem(library.WorkItem{Approvals: want}).Approvals)
	}
	assess("rev-1")
	first := d.say(c, "u-17", library.Approve, "rev-1")
	d.say(other, "u-4", library.Approve, "rev-1") // Another case's.
	d.say(c, "u-4", library.Deny, "rev-1")        // No approval.
	check(first)
	assess("rev-2")
	check()
	second := d.say(c, "u-4", library.Approve, "rev-2")
	check(second)
	assess("rev-1")
	check(first)
}
