package activities_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"fileroom/activities"
	"fileroom/activities/activitiestest"
	"fileroom/internal/library"
	"fileroom/internal/library/librarytest"
	"fileroom/internal/rules"
)

// A register is an archive of two patients whom the letter does not tell apart,
// and of neither of whom there is any image.
type register struct{ *activitiestest.Archive }

func (register) FindPatients(context.Context, library.PatientQuery) ([]library.PatientRecord, error) {
	return []library.PatientRecord{
		{ID: "M1", Name: "WHITCOMBE^ELEANOR^MAE", BirthDate: "1958-04-17"},
		{ID: "M2", Name: "WHITCOMBE^ELEANOR^JANE", BirthDate: "1958-04-17"},
	}, nil
}

// believing takes a header for the nonce of what privacy said.
type believing struct{ activities.Verifier }

func (believing) Holds(header, _ string, _ library.Message, _ []byte) (activities.Signed, error) {
	return activities.Signed{
		Actor: library.Actor{Subject: "priya", Roles: []library.Role{library.RolePrivacy}}, Nonce: header, Header: header, IssuedAt: time.Now(),
	}, nil
}

// A review is a case whose letter was read, before the staff.
type review struct {
	cases     *activities.Cases
	decisions *activities.Decisions
	said      int
}

func newReview(t *testing.T) *review {
	t.Helper()

	pack, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	records, vault := &librarytest.Records{}, &librarytest.Vault{}
	r := &review{cases: &activities.Cases{
		Records: records, Vault: vault, PACS: register{&activitiestest.Archive{}}, Pack: pack, Now: time.Now,
	}}
	r.decisions = &activities.Decisions{Records: records, Cases: r.cases, Verifier: believing{}, Now: time.Now}

	ctx := t.Context()
	arrival, err := records.AddArrival(ctx, library.Arrival{Channel: library.ChannelEmail, Source: "x", Key: "k", Digest: "d", ReceivedAt: time.Now(), State: library.ArrivalKept})
	if err != nil {
		t.Fatal(err)
	}
	_, err = records.OpenCase(ctx, library.Case{
		ID: theCase, Arrival: arrival.ID, Part: 1, Channel: library.ChannelEmail, Stage: library.StageReview, Waiting: library.WaitingStaff,
		ReceivedAt: time.Now(), DueAt: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(library.Reading{Request: library.Request{
		Patient: library.Patient{Given: "Eleanor", Middle: "Ruth", Family: "Whitcombe", BirthDate: "1958-04-17"},
		Studies: []library.StudyRequest{{Modality: "CT", BodyPart: "chest", Date: "2026-02-12"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	digest, _, err := vault.Put(ctx, bytes.NewReader(raw), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := records.SetReading(ctx, theCase, digest, digest, nil); err != nil {
		t.Fatal(err)
	}
	r.check(t)
	return r
}

// say puts a decision on record and checks the case once more, as a release does.
func (r *review) say(t *testing.T, m library.Message, payload any) []string {
	t.Helper()
	raw, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	r.said++
	nonce := fmt.Sprintf("n-%d", r.said)
	p := activities.RecordDecisionParams{
		Case: theCase, Message: m, Payload: raw, Workflow: activities.ReleaseWorkflow + string(theCase), At: time.Now(),
		Signed: activities.Signed{Nonce: nonce, Header: nonce},
	}
	if _, err := r.decisions.RecordDecision(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return r.check(t)
}

// check returns the rules that hinder an approval.
func (r *review) check(t *testing.T) []string {
	t.Helper()
	if _, err := r.cases.MatchCase(t.Context(), activities.MatchCaseParams{Case: theCase}); err != nil {
		t.Fatal(err)
	}
	checked, err := r.cases.CheckCase(t.Context(), activities.CheckCaseParams{Case: theCase})
	if err != nil {
		t.Fatal(err)
	}
	var open []string
	for _, o := range checked.Open {
		open = append(open, o.Rule)
	}
	return open
}

// TestWhatWasSaidOfOnePatientIsNotSaidOfAnother chooses a patient whose name is
// not quite the letter's, sets that aside, and then chooses another of whom the
// very same could be said.
func TestWhatWasSaidOfOnePatientIsNotSaidOfAnother(t *testing.T) {
	t.Parallel()

	r := newReview(t)
	ofPatient := []string{"PM-01", "PM-02", "PM-03", library.NothingFoundRule}
	want := func(when string, open []string, stands bool) {
		t.Helper()
		for _, rule := range ofPatient {
			if slices.Contains(open, rule) != stands {
				t.Errorf("%s: open are %v; want %s among them: %t", when, open, rule, stands)
			}
		}
	}
	want("M1 is chosen", r.say(t, library.Choose, library.ChoosePayload{Patient: "p1"}), true)
	var open []string
	for _, rule := range append([]string{"DL-07"}, ofPatient...) {
		open = r.say(t, library.Acknowledged, library.AcknowledgePayload{Finding: rule, Reason: "asked her on the telephone"})
	}
	want("all is said of M1", open, false)
	want("M1 is chosen again", r.say(t, library.Choose, library.ChoosePayload{Patient: "p1"}), false)

	open = r.say(t, library.Choose, library.ChoosePayload{Patient: "p2"})
	want("M2 is chosen", open, true)
	if slices.Contains(open, "DL-07") {
		t.Errorf("M2 is chosen: open are %v; what was said of the papers is gone", open)
	}
	want("M1 is chosen after M2", r.say(t, library.Choose, library.ChoosePayload{Patient: "p1"}), true)
}
