package librarytest

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"fileroom/internal/library"
)

// TestRecords checks that what open returns keeps the promises of
// [library.Records]. Each subtest opens records of its own, which are empty.
func TestRecords(t *testing.T, open func(testing.TB) library.Records) {
	tests := map[string]func(*testing.T, library.Records){}
	for _, group := range []map[string]func(*testing.T, library.Records){
		arrivalTests, caseTests, assessmentTests, historyTests, releaseTests,
	} {
		maps.Copy(tests, group)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// noon is the time at which the tests begin; finer than records keep, and in a
// zone that is not theirs.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 123456789, time.FixedZone("EST", -5*60*60))

// need stops the test at an error.
func need(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must returns v, or stops the test at an error.
func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	need(t, err)
	return v
}

// wantKind checks the kind of an error.
func wantKind(t *testing.T, what string, err error, want library.Kind) {
	t.Helper()
	if err == nil || library.KindOf(err) != want {
		t.Errorf("%s: error %v, want kind %q", what, err, want)
	}
}

// wantSame checks that two values are deeply equal.
func wantSame(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s = %+v, want %+v", what, got, want)
	}
}

// twice calls f two times, for everything may run twice.
func twice(t *testing.T, f func() error) {
	t.Helper()
	for range 2 {
		need(t, f())
	}
}

// arrive enters an arrival that is told from others by its key.
func arrive(t *testing.T, s library.Records, key string) library.Arrival {
	t.Helper()
	a, err := s.AddArrival(t.Context(), anArrival(key))
	return must(t, a, err)
}

func anArrival(key string) library.Arrival {
	return library.Arrival{
		Channel: library.ChannelEmail, Source: "requests", Key: key, Digest: strings.Repeat("ab", 32), Size: 2048, ReceivedAt: noon,
	}
}

// aCase is a case for the first part of an arrival.
func aCase(a library.Arrival) library.Case {
	return library.Case{
		ID: library.NewCaseID(), Arrival: a.ID, Part: 1, Channel: a.Channel,
		Stage: library.StageReading, Waiting: library.WaitingNobody,
		ReceivedAt: a.ReceivedAt, DueAt: a.ReceivedAt.Add(library.AnswerWithin),
		Requester: library.Hide(library.Requester{
			Email: "june.okafor@mail.example", InReplyTo: "<1@mail.example>", Subject: "Röntgenbilder \"please\" <b>\\u0000",
		}),
	}
}

// open opens a case for an arrival of its own.
func open(t *testing.T, s library.Records, key string) library.Case {
	t.Helper()
	c, err := s.OpenCase(t.Context(), aCase(arrive(t, s, key)))
	return must(t, c, err)
}

// seen is a case with nothing hidden, so that it can be compared.
type seen struct {
	library.Case
	Requester library.Requester
}

func see(c library.Case) seen {
	s := seen{Case: c, Requester: c.Requester.Reveal()}
	s.Case.Requester = library.Private[library.Requester]{}
	return s
}

// ids returns the numbers of cases.
func ids(cases []library.Case) []library.CaseID {
	var all []library.CaseID
	for _, c := range cases {
		all = append(all, c.ID)
	}
	return all
}

// keys returns the keys of the events of a case.
func keys(t *testing.T, s library.Records, id library.CaseID) []string {
	t.Helper()
	events, err := s.Events(t.Context(), id)
	need(t, err)
	var all []string
	for _, e := range events {
		all = append(all, e.Key)
	}
	return all
}

// approval is a decision of a case, told from others by its ID.
func approval(c library.Case, id string, revision library.Revision) library.Decision {
	return library.Decision{
		ID: id, Case: c.ID, Message: library.Approve,
		Actor:    library.Actor{Subject: "u-17", Name: "Dana Whitfield", Roles: []library.Role{library.RoleSpecialist}},
		Payload:  library.Hide(`{"revision":"` + string(revision) + `",  "note":"\u0000 as signed"}`),
		Revision: revision, Header: "v4.public." + id, Workflow: "release/" + string(c.ID), At: noon.Add(time.Hour),
	}
}

// everyUnknown calls each method that names a case with one that is not there.
func everyUnknown(ctx context.Context, s library.Records, id library.CaseID) map[string]error {
	errs := map[string]error{}
	_, errs["Case"] = s.Case(ctx, id)
	_, errs["CaseOfArrival"] = s.CaseOfArrival(ctx, 99, 1)
	errs["MoveCase"] = s.MoveCase(ctx, id, library.StageReview, library.WaitingStaff, "", noon)
	errs["SetReading"] = s.SetReading(ctx, id, "d", "d", nil)
	errs["SetAssessment"] = s.SetAssessment(ctx, id, library.Assessment{})
	_, errs["Findings"] = s.Findings(ctx, id)
	errs["AcknowledgeFinding"] = s.AcknowledgeFinding(ctx, id, "DL-02", library.Acknowledge{By: "u-17"})
	errs["SetMatch"] = s.SetMatch(ctx, id, library.Match{})
	_, errs["Match"] = s.Match(ctx, id)
	errs["SetChoices"] = s.SetChoices(ctx, id, library.Choices{})
	_, errs["Choices"] = s.Choices(ctx, id)
	_, errs["SameRequests"] = s.SameRequests(ctx, id, library.PatientRecord{ID: "M1"}, "blue-ridge", noon)
	_, errs["SameRequests of nobody"] = s.SameRequests(ctx, id, library.PatientRecord{}, "blue-ridge", noon)
	errs["AddEvent"] = s.AddEvent(ctx, library.Event{Case: id, Key: "k", At: noon})
	_, errs["Events"] = s.Events(ctx, id)
	_, errs["AddLetter"] = s.AddLetter(ctx, library.Letter{Case: id, Number: 1, Kind: library.LetterDenial, State: library.LetterWritten})
	errs["MoveLetter"] = s.MoveLetter(ctx, id, 1, library.LetterSent, "", noon)
	_, errs["Letters"] = s.Letters(ctx, id)
	errs["AddDecision"] = s.AddDecision(ctx, approval(library.Case{ID: id}, "n-1", "r"))
	_, errs["Decisions"] = s.Decisions(ctx, id)
	_, errs["OpenRelease"] = s.OpenRelease(ctx, library.Release{Case: id, Revision: "r", Facility: "f", Decisions: []string{"n-1"}}, nil, library.Disclosure{})
	_, errs["Release"] = s.Release(ctx, id, "r", "f")
	_, errs["TransferInstances"] = s.TransferInstances(ctx, id, "r", "f")
	errs["MarkInstances"] = s.MarkInstances(ctx, id, "r", "f", nil)
	errs["CompleteDisclosure"] = s.CompleteDisclosure(ctx, library.Disclosure{Case: id, Revision: "r", Facility: "f"})
	_, errs["Disclosures"] = s.Disclosures(ctx, id)
	return errs
}

// uids returns a manifest of n images in two series, and not in order.
func uids(n int) []library.Instance {
	var all []library.Instance
	for i := n; i > 0; i-- {
		all = append(all, library.Instance{
			Study: "2.25.1", Series: fmt.Sprintf("2.25.1.%d", 1+i%2), SOP: fmt.Sprintf("2.25.1.%d.%d", 1+i%2, i), Class: "1.2.840.10008.5.1.4.1.1.2",
		})
	}
	return all
}
