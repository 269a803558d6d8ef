package librarytest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"fileroom/internal/library"
)

var caseTests = map[string]func(*testing.T, library.Records){
	"a case is opened once for a part of an arrival":       testOpenCase,
	"a part opened by many at once is one case":            testOpenCaseConcurrently,
	"an arrival belongs to the first of its cases":         testOpenParts,
	"a number that is taken is a conflict":                 testOpenTaken,
	"a case that no record may hold is invalid":            testOpenInvalid,
	"cases are listed by when they are due":                testCases,
	"a case is moved through every stage":                  testMoveCase,
	"a closed case is moved no more":                       testMoveClosed,
	"an outcome belongs to a closed case":                  testMoveInvalid,
	"the reading of a case is noted":                       testSetReading,
	"same requests are of the same patient and facility":   testSameRequests,
	"what names an unknown case is not found":              testUnknownCase,
	"a context that ended is an error and changes nothing": testContext,
}

func testOpenCase(t *testing.T, s library.Records) {
	c := aCase(arrive(t, s, "m-1"))
	c.Papers, c.Reading, c.Pages = []string{"d1", "d2"}, "r", "p"
	c.Basis, c.Tier, c.Revision, c.Facility = library.BasisTreatment, 1, "rev", "blue-ridge"
	want := see(out(c))
	for range 2 {
		got, err := s.OpenCase(t.Context(), c)
		wantSame(t, "OpenCase", see(must(t, got, err)), want)
		c.ID, c.Requester = library.NewCaseID(), library.Hide(library.Requester{}) // The first is what counts.
	}
	got, err := s.Case(t.Context(), want.ID)
	wantSame(t, "Case", see(must(t, got, err)), want)
	got.Papers[0] = "changed by a caller"
	got, err = s.CaseOfArrival(t.Context(), c.Arrival, 1)
	wantSame(t, "CaseOfArrival", see(must(t, got, err)), want)
	a, err := s.Arrival(t.Context(), c.Arrival)
	if need(t, err); a.State != library.ArrivalPlaced || a.Case != want.ID {
		t.Errorf("arrival is %s in %q, want placed in %q", a.State, a.Case, want.ID)
	}
	wantSame(t, "events", keys(t, s, want.ID), []string{"opened"})
}

func testOpenCaseConcurrently(t *testing.T, s library.Records) {
	a := arrive(t, s, "m-1")
	var group sync.WaitGroup
	numbers := make([]library.CaseID, 8)
	errs := make([]error, len(numbers))
	for i := range numbers {
		group.Go(func() {
			c, err := s.OpenCase(t.Context(), aCase(a))
			numbers[i], errs[i] = c.ID, err
		})
	}
	group.Wait()
	for i := range numbers {
		need(t, errs[i])
		if numbers[i] != numbers[0] {
			t.Fatalf("numbers = %v, want all the same", numbers)
		}
	}
}

func testOpenParts(t *testing.T, s library.Records) {
	first := open(t, s, "m-1")
	second := aCase(library.Arrival{ID: first.Arrival, Channel: first.Channel, ReceivedAt: noon})
	second.Part = 2
	got, err := s.OpenCase(t.Context(), second)
	if must(t, got, err).ID != second.ID {
		t.Errorf("second part is in case %s, want %s", got.ID, second.ID)
	}
	a, err := s.Arrival(t.Context(), first.Arrival)
	if must(t, a, err).Case != first.ID {
		t.Errorf("arrival belongs to %s, want the first, %s", a.Case, first.ID)
	}
}

func testOpenTaken(t *testing.T, s library.Records) {
	c := aCase(arrive(t, s, "m-2"))
	c.ID = open(t, s, "m-1").ID
	_, err := s.OpenCase(t.Context(), c)
	wantKind(t, "OpenCase with a number that is taken", err, library.Conflict)
	a, err := s.Arrival(t.Context(), c.Arrival)
	if must(t, a, err).State != library.ArrivalKept {
		t.Errorf("arrival is %s after a conflict, want kept", a.State)
	}
}

func testOpenInvalid(t *testing.T, s library.Records) {
	a := arrive(t, s, "m-1")
	tests := map[string]func(*library.Case){
		"a number that is none":     func(c *library.Case) { c.ID = "Jane Doe" },
		"part 0":                    func(c *library.Case) { c.Part = 0 },
		"an unknown channel":        func(c *library.Case) { c.Channel = "pigeon" },
		"an unknown stage":          func(c *library.Case) { c.Stage = "" },
		"an unknown waiting":        func(c *library.Case) { c.Waiting = "godot" },
		"an unknown basis":          func(c *library.Case) { c.Basis = "LB-9" },
		"a tier above 3":            func(c *library.Case) { c.Tier = 4 },
		"an outcome while open":     func(c *library.Case) { c.Outcome = library.OutcomeDenied },
		"closed without an outcome": func(c *library.Case) { c.Stage, c.ClosedAt = library.StageClosed, noon },
	}
	for name, spoil := range tests {
		c := aCase(a)
		spoil(&c)
		_, err := s.OpenCase(t.Context(), c)
		wantKind(t, "OpenCase with "+name, err, library.Invalid)
	}
}

func testCases(t *testing.T, s library.Records) {
	var opened []library.CaseID
	for i := range 4 {
		c := aCase(arrive(t, s, fmt.Sprintf("m-%d", i)))
		c.DueAt = noon.Add(-time.Duration(i) * time.Hour)
		got, err := s.OpenCase(t.Context(), c)
		opened = append(opened, must(t, got, err).ID)
	}
	need(t, s.MoveCase(t.Context(), opened[3], library.StageClosed, library.WaitingNobody, library.OutcomeReleased, noon))
	need(t, s.MoveCase(t.Context(), opened[2], library.StageReview, library.WaitingStaff, "", noon))

	tests := map[string]struct {
		filter library.CaseFilter
		want   []library.CaseID
	}{
		"those not closed":      {library.CaseFilter{}, []library.CaseID{opened[2], opened[1], opened[0]}},
		"all":                   {library.CaseFilter{Closed: true}, []library.CaseID{opened[3], opened[2], opened[1], opened[0]}},
		"the two most urgent":   {library.CaseFilter{Limit: 2}, []library.CaseID{opened[2], opened[1]}},
		"those of a stage":      {library.CaseFilter{Stage: library.StageReading}, []library.CaseID{opened[1], opened[0]}},
		"one of a stage":        {library.CaseFilter{Stage: library.StageReading, Closed: true, Limit: 1}, []library.CaseID{opened[1]}},
		"closed ones, by stage": {library.CaseFilter{Stage: library.StageClosed}, []library.CaseID{opened[3]}},
		"none":                  {library.CaseFilter{Stage: library.StageConfirming}, nil},
	}
	for name, tt := range tests {
		got, err := s.Cases(t.Context(), tt.filter)
		wantSame(t, "Cases: "+name, must(t, ids(got), err), tt.want)
	}
}

func testMoveCase(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	want := []string{"opened"}
	// Every stage with every waiting, and back to where it began: an event each.
	for round := range 2 {
		for _, stage := range stages {
			if stage == library.StageClosed {
				continue
			}
			for _, waiting := range waitings {
				twice(t, func() error { return s.MoveCase(t.Context(), c.ID, stage, waiting, "", noon) })
				if round == 0 && stage == c.Stage && waiting == c.Waiting {
					continue // It began there.
				}
				want = append(want, fmt.Sprintf("stage/%d", len(want)))
			}
		}
	}
	got, err := s.Case(t.Context(), c.ID)
	if need(t, err); got.Stage != library.StageConfirming || got.Waiting != library.WaitingRecipient || !got.ClosedAt.IsZero() {
		t.Errorf("case is %s, waiting for %s, closed at %v", got.Stage, got.Waiting, got.ClosedAt)
	}
	wantSame(t, "events", keys(t, s, c.ID), want)
	events, err := s.Events(t.Context(), c.ID)
	last := must(t, events, err)[len(events)-1]
	wantSame(t, "last event", last, library.Event{
		Case: c.ID, Key: last.Key, What: "stage changed", Detail: "confirming, waiting for recipient", Actor: program, At: instant(noon),
	})
}

func testMoveClosed(t *testing.T, s library.Records) {
	for i, outcome := range outcomes {
		c := open(t, s, fmt.Sprintf("m-%d", i))
		twice(t, func() error {
			return s.MoveCase(t.Context(), c.ID, library.StageClosed, library.WaitingNobody, outcome, noon)
		})
		need(t, s.MoveCase(t.Context(), c.ID, library.StageClosed, library.WaitingStaff, outcome, noon.Add(time.Hour)))
		err := s.MoveCase(t.Context(), c.ID, library.StageReview, library.WaitingStaff, "", noon)
		wantKind(t, "MoveCase out of closed", err, library.Conflict)
		other := outcomes[(i+1)%len(outcomes)]
		err = s.MoveCase(t.Context(), c.ID, library.StageClosed, library.WaitingNobody, other, noon)
		wantKind(t, "MoveCase to another outcome", err, library.Conflict)
		got, err := s.Case(t.Context(), c.ID)
		if need(t, err); got.Outcome != outcome || !got.ClosedAt.Equal(instant(noon)) || got.Waiting != library.WaitingNobody {
			t.Errorf("case = %+v, want closed as %s at noon", got, outcome)
		}
		wantSame(t, "events", keys(t, s, c.ID), []string{"opened", "stage/1"})
	}
}

func testMoveInvalid(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	tests := map[string]struct {
		stage   library.Stage
		waiting library.Waiting
		outcome library.Outcome
	}{
		"no stage":                  {"", library.WaitingStaff, ""},
		"no waiting":                {library.StageReview, "", ""},
		"an outcome while open":     {library.StageReview, library.WaitingStaff, library.OutcomeDenied},
		"closed without an outcome": {library.StageClosed, library.WaitingNobody, ""},
		"an unknown outcome":        {library.StageClosed, library.WaitingNobody, "lost"},
	}
	for name, tt := range tests {
		wantKind(t, "MoveCase with "+name, s.MoveCase(t.Context(), c.ID, tt.stage, tt.waiting, tt.outcome, noon), library.Invalid)
	}
	wantSame(t, "events", keys(t, s, c.ID), []string{"opened"})
}

func testSetReading(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	papers := []string{"d2", "d1"}
	twice(t, func() error { return s.SetReading(t.Context(), c.ID, "r", "p", papers) })
	papers[0] = "changed by a caller"
	got, err := s.Case(t.Context(), c.ID)
	if need(t, err); got.Reading != "r" || got.Pages != "p" || !slices.Equal(got.Papers, []string{"d2", "d1"}) {
		t.Errorf("case = %+v, want reading r, pages p, papers d2 and d1", got)
	}
	need(t, s.SetReading(t.Context(), c.ID, "r2", "p2", nil))
	got, err = s.Case(t.Context(), c.ID)
	if need(t, err); got.Reading != "r2" || got.Papers != nil {
		t.Errorf("case = %+v, want reading r2 and no papers", got)
	}
}

func testSameRequests(t *testing.T, s library.Records) {
	june := library.PatientRecord{ID: "M1", Issuer: "GENERAL", Name: "OKAFOR^JUNE", BirthDate: "1961-05-04"}
	twin := library.PatientRecord{ID: "M1", Issuer: "ELSEWHERE", Name: "OKAFOR^JUNE", BirthDate: "1961-05-04"}
	day := 24 * time.Hour
	request := func(key string, patient library.PatientRecord, chosen bool, facility library.FacilityID, received time.Time) library.CaseID {
		a := anArrival(key)
		a.ReceivedAt = received
		entered, err := s.AddArrival(t.Context(), a)
		need(t, err)
		c, err := s.OpenCase(t.Context(), aCase(entered))
		need(t, err)
		need(t, s.SetAssessment(t.Context(), c.ID, library.Assessment{Facility: facility}))
		need(t, s.SetMatch(t.Context(), c.ID, library.Match{
			Patients: []library.PatientCandidate{{Key: "p1", Record: library.Hide(patient), Chosen: chosen}},
		}))
		return c.ID
	}
	this := request("this", june, true, "blue-ridge", noon)
	later := request("later", june, true, "blue-ridge", noon.Add(-day))
	earlier := request("earlier", june, true, "blue-ridge", noon.Add(-2*day))
	request("too long ago", june, true, "blue-ridge", noon.Add(-31*day))
	request("after it", june, true, "blue-ridge", noon.Add(day))
	request("another facility", june, true, "pine-hill", noon.Add(-day))
	request("another hospital's number", twin, true, "blue-ridge", noon.Add(-day))
	request("only a candidate", june, false, "blue-ridge", noon.Add(-day))
	need(t, s.MoveCase(t.Context(), earlier, library.StageClosed, library.WaitingNobody, library.OutcomeReleased, noon))

	got, err := s.SameRequests(t.Context(), this, june, "blue-ridge", noon.Add(-30*day))
	wantSame(t, "SameRequests", must(t, got, err), []library.CaseID{earlier, later})
	got, err = s.SameRequests(t.Context(), this, june, "nowhere", noon.Add(-30*day))
	wantSame(t, "SameRequests to nowhere", must(t, got, err), []library.CaseID(nil))
	got, err = s.SameRequests(t.Context(), this, library.PatientRecord{}, "blue-ridge", noon.Add(-30*day))
	wantSame(t, "SameRequests of nobody", must(t, got, err), []library.CaseID(nil))
}

func testUnknownCase(t *testing.T, s library.Records) {
	for method, err := range everyUnknown(t.Context(), s, "K7MQ-42XD") {
		wantKind(t, method, err, library.NotFound)
	}
	for method, err := range everyUnknown(t.Context(), s, "") {
		if method == "Disclosures" { // Of all cases.
			need(t, err)
			continue
		}
		if err == nil {
			t.Errorf("%s without a case: no error", method)
		}
	}
}

func testContext(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for method, err := range everyUnknown(ctx, s, c.ID) {
		if err == nil || library.KindOf(err) != "" {
			t.Errorf("%s: error %v, want one without a kind", method, err)
		}
	}
	_, err := s.AddArrival(ctx, anArrival("m-2"))
	wantKind(t, "AddArrival", err, "")
	wantSame(t, "events", keys(t, s, c.ID), []string{"opened"})
}
