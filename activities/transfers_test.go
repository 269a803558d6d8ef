package activities_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"fileroom/activities"
	"fileroom/activities/activitiestest"
	"fileroom/internal/devstack/studies"
	"fileroom/internal/library"
	"fileroom/internal/library/librarytest"
)

const (
	theCase     = library.CaseID("K7MQ-42XD")
	theRevision = library.Revision("0123456789abcdef0123")
	theFacility = library.FacilityID("tidewater")
)

var sending = activities.SendStudiesParams{Case: theCase, Revision: theRevision, Facility: theFacility}

// A shipment is a release with its door open, ready to be sent.
type shipment struct {
	*activities.Transfers
	records        *librarytest.Records
	pacs, receiver *activitiestest.Archive
	study          studies.Study
	revision       library.Revision // The case's present one.
}

// newShipment opens a release of the demonstration's chest CT: 200 images.
func newShipment(t *testing.T, proof library.Proof) *shipment {
	t.Helper()

	s := &shipment{records: &librarytest.Records{}, pacs: &activitiestest.Archive{}, receiver: &activitiestest.Archive{}, study: studies.Demonstration()[0], revision: theRevision}
	s.pacs.AddStudy(s.study, 4)
	s.Transfers = &activities.Transfers{
		Records: s.records, PACS: s.pacs, Destinations: activitiestest.Destinations{Archive: s.receiver}, Now: time.Now,
		Present: func(context.Context, library.CaseID) (library.Revision, error) { return s.revision, nil },
	}
	ctx := t.Context()
	arrival, err := s.records.AddArrival(ctx, library.Arrival{Channel: library.ChannelEmail, Source: "x", Key: "k", Digest: "d", ReceivedAt: time.Now(), State: library.ArrivalKept})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.records.OpenCase(ctx, library.Case{
		ID: theCase, Arrival: arrival.ID, Part: 1, Channel: library.ChannelEmail, Stage: library.StageReading, Waiting: library.WaitingNobody,
		ReceivedAt: time.Now(), DueAt: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.records.SaveFacility(ctx, library.Facility{
		ID: theFacility, Name: "Tidewater", Street: "1 Road", City: "Boone", State: "NC", Zip: "28607", URL: "https://x.example/dicom-web", Proof: proof,
	})
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := s.pacs.Instances(ctx, s.study.UID)
	if err != nil {
		t.Fatal(err)
	}
	m := library.Match{
		Patients: []library.PatientCandidate{{Key: "p1", Record: library.Hide(s.study.Patient), Chosen: true}},
		Studies:  []library.StudyCandidate{{UID: s.study.UID, Chosen: true, Instances: len(manifest)}},
		Manifest: manifest,
	}
	if err := s.records.SetMatch(ctx, theCase, m); err != nil {
		t.Fatal(err)
	}
	if err := s.records.AddDecision(ctx, library.Decision{ID: "n", Case: theCase, Message: library.Approve, Actor: library.Actor{Subject: "dana"}, Payload: library.Hide("{}"), Header: "h", Workflow: "release/" + string(theCase), Revision: theRevision, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	release := library.Release{Case: theCase, Revision: theRevision, Facility: theFacility, Decisions: []string{"n"}, At: time.Now()}
	intended := library.Disclosure{Case: theCase, Revision: theRevision, Facility: theFacility, Kind: library.DisclosureIntended, At: time.Now()}
	if _, err := s.records.OpenRelease(ctx, release, manifest, intended); err != nil {
		t.Fatal(err)
	}
	s.move(t, library.StageReleasing, "")
	return s
}

func (s *shipment) move(t *testing.T, to library.Stage, outcome library.Outcome) {
	t.Helper()
	if err := s.records.MoveCase(t.Context(), theCase, to, library.WaitingNobody, outcome, time.Now()); err != nil {
		t.Fatal(err)
	}
}

// states counts the images of the release by how far they have come.
func (s *shipment) states(t *testing.T) map[library.InstanceState]int {
	t.Helper()
	rows, err := s.records.TransferInstances(t.Context(), theCase, theRevision, theFacility)
	if err != nil {
		t.Fatal(err)
	}
	n := map[library.InstanceState]int{}
	for _, r := range rows {
		n[r.State]++
	}
	return n
}

func TestNothingLeavesWithoutAnOpenRelease(t *testing.T) {
	t.Parallel()

	s := newShipment(t, library.ProofReadBack)
	other := sending
	other.Revision = "another"
	if _, err := s.SendStudies(t.Context(), other); library.KindOf(err) != library.Conflict {
		t.Errorf("SendStudies of another revision: %v, want kind %q", err, library.Conflict)
	}
	if s.receiver.Len() != 0 {
		t.Error("images left")
	}
}

func TestAChangeAfterTheApprovalKeepsTheImagesHere(t *testing.T) {
	t.Parallel()

	s := newShipment(t, library.ProofReadBack)
	s.revision = "another" // Such as for another address of the destination.
	if _, err := s.SendStudies(t.Context(), sending); library.KindOf(err) != library.Conflict || s.receiver.Len() != 0 {
		t.Errorf("SendStudies: %v, want kind %q; %d images left", err, library.Conflict, s.receiver.Len())
	}
}

// TestWhatWasStoppedStays starts a transfer by hand, through a door that was
// opened before staff stopped the case.
func TestWhatWasStoppedStays(t *testing.T) {
	t.Parallel()

	say := func(t *testing.T, s *shipment, id string, m library.Message) {
		t.Helper()
		if err := s.records.AddDecision(t.Context(), library.Decision{
			ID: id, Case: theCase, Message: m, Actor: library.Actor{Subject: "luis"}, Payload: library.Hide(`{"reason":"the patient called"}`),
			Header: "h", Workflow: "release/" + string(theCase), At: time.Now(),
		}); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		stop func(*testing.T, *shipment)
		goes bool
	}{
		"nothing stops it": {stop: func(*testing.T, *shipment) {}, goes: true},
		"withdrawn":        {stop: func(t *testing.T, s *shipment) { say(t, s, "w", library.Withdraw) }},
		"denied":           {stop: func(t *testing.T, s *shipment) { say(t, s, "d", library.Deny) }},
		"held":             {stop: func(t *testing.T, s *shipment) { say(t, s, "h", library.Hold) }},
		"held and resumed": {stop: func(t *testing.T, s *shipment) { say(t, s, "h", library.Hold); say(t, s, "r", library.Resume) }, goes: true},
		"back in review":   {stop: func(t *testing.T, s *shipment) { s.move(t, library.StageReview, "") }},
		"closed":           {stop: func(t *testing.T, s *shipment) { s.move(t, library.StageClosed, library.OutcomeWithdrawn) }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShipment(t, library.ProofReadBack)
			tt.stop(t, s)
			_, err := s.SendStudies(t.Context(), sending)
			switch {
			case tt.goes && (err != nil || s.receiver.Len() == 0):
				t.Errorf("SendStudies: %v; %d images left", err, s.receiver.Len())
			case !tt.goes && (library.KindOf(err) != library.Conflict || s.receiver.Len() != 0):
				t.Errorf("SendStudies: %v, want kind %q; %d images left", err, library.Conflict, s.receiver.Len())
			}
		})
	}
}

func TestSendingTwiceSendsOnce(t *testing.T) {
	t.Parallel()

	s := newShipment(t, library.ProofReadBack)
	for range 2 {
		r, err := s.SendStudies(t.Context(), sending)
		if err != nil || r.Images != 200 || r.Refused+r.Strangers != 0 {
			t.Fatalf("SendStudies = %+v, %v", r, err)
		}
		c, err := s.ConfirmStudies(t.Context(), activities.ConfirmStudiesParams(sending))
		if err != nil || c.Confirmed != 200 || c.Proof != library.ProofReadBack {
			t.Fatalf("ConfirmStudies = %+v, %v", c, err)
		}
	}
	for i := range s.study.Images() {
		if n := s.receiver.Stored(s.study.Instance(i).SOP); n != 1 {
			t.Fatalf("image %d was sent %d times", i, n)
		}
	}
}

// TestACrashCostsWhatWasUnderWay stops the sending at many moments, as a crash
// does, and sends again.
func TestACrashCostsWhatWasUnderWay(t *testing.T) {
	t.Parallel()

	for _, at := range []int{1, 2, 19, 20, 21, 40, 150, 199, 200} {
		s := newShipment(t, library.ProofReadBack)
		ctx, crash := context.WithCancel(t.Context())
		n := 0
		s.receiver.OnStore = func(string) {
			if n++; n == at {
				crash()
			}
		}
		if _, err := s.SendStudies(ctx, sending); err == nil && at < 200 {
			t.Fatalf("crash at %d: SendStudies went on", at)
		}
		had := s.receiver.Len()
		if _, err := s.SendStudies(t.Context(), sending); err != nil {
			t.Fatalf("crash at %d: %v", at, err)
		}
		if n > 200 || had < at-1 || s.receiver.Len() != 200 {
			t.Errorf("crash at %d: %d at the receiver then, %d now, %d sent in all", at, had, s.receiver.Len(), n)
		}
		if c, err := s.ConfirmStudies(t.Context(), activities.ConfirmStudiesParams(sending)); err != nil || c.Confirmed != 200 {
			t.Errorf("crash at %d: ConfirmStudies = %+v, %v", at, c, err)
		}
	}
}

func TestConfirmationSeesAnotherImageUnderTheSameName(t *testing.T) {
	t.Parallel()

	for proof, different := range map[library.Proof]int{library.ProofReadBack: 1, library.ProofListed: 0} {
		s := newShipment(t, proof)
		old := s.study
		old.Size = 8 // The same image with other pixels.
		var object bytes.Buffer
		if _, err := io.Copy(&object, old.Open(5)); err != nil {
			t.Fatal(err)
		}
		s.receiver.Add(object.Bytes())
		if _, err := s.SendStudies(t.Context(), sending); err != nil {
			t.Fatal(err)
		}
		c, err := s.ConfirmStudies(t.Context(), activities.ConfirmStudiesParams(sending))
		if err != nil || c.Different != different || c.Confirmed != 200-different {
			t.Errorf("with %s: ConfirmStudies = %+v, %v; want %d different", proof, c, err, different)
		}
	}
}

func TestWithoutProofNothingIsConfirmed(t *testing.T) {
	t.Parallel()

	s := newShipment(t, library.ProofNone)
	if _, err := s.SendStudies(t.Context(), sending); err != nil {
		t.Fatal(err)
	}
	c, err := s.ConfirmStudies(t.Context(), activities.ConfirmStudiesParams(sending))
	if err != nil || c.Confirmed != 0 || c.Proof != library.ProofNone {
		t.Errorf("ConfirmStudies = %+v, %v", c, err)
	}
}

func TestSendStudiesTellsWhatWentWrong(t *testing.T) {
	t.Parallel()

	sop := studies.Demonstration()[0].Instance(77).SOP
	down := library.Fault("ask", "", errors.New("connection refused"))
	tests := map[string]struct {
		harm func(*shipment)
		kind library.Kind // Of the error; "-" for none at all.
		want map[library.InstanceState]int
	}{
		"a refusal is the image's": {
			harm: func(s *shipment) { s.receiver.Refuse = map[string]string{sop: "C000"} }, kind: "-",
			want: map[library.InstanceState]int{library.InstanceSent: 199, library.InstanceRefused: 1},
		},
		"a full receiver is a fault that passes": {harm: func(s *shipment) { s.receiver.Full = true }},
		"a receiver that is down is too":         {harm: func(s *shipment) { s.receiver.Down = down }},
		"so is a PACS that breaks off":           {harm: func(s *shipment) { s.pacs.CutAt = 30 }},
		"a wrong password is not": {
			harm: func(s *shipment) { s.receiver.Down = library.Errorf(library.Unauthorized, "ask", "", "no") }, kind: library.Unauthorized,
		},
		"a stranger stops it": {
			harm: func(s *shipment) { s.pacs.Swap(s.study.Instance(77), "D1093347", "D9993347") }, kind: "-",
			want: map[library.InstanceState]int{library.InstanceStranger: 1},
		},
		"another sex is a stranger": {
			harm: func(s *shipment) { s.pacs.Swap(s.study.Instance(77), "CS\x02\x00F ", "CS\x02\x00M ") }, kind: "-",
			want: map[library.InstanceState]int{library.InstanceStranger: 1},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := newShipment(t, library.ProofReadBack)
			tt.harm(s)
			_, err := s.SendStudies(t.Context(), sending)
			if (err == nil) != (tt.kind == "-") || err != nil && library.KindOf(err) != tt.kind {
				t.Fatalf("SendStudies error = %v, want kind %q", err, tt.kind)
			}
			got := s.states(t)
			for state, n := range tt.want {
				if got[state] != n {
					t.Errorf("images by state = %v, want %v", got, tt.want)
				}
			}
			if tt.want[library.InstanceStranger] > 0 && s.receiver.Stored(sop) > 0 {
				t.Error("the stranger left")
			}
		})
	}
}

func TestAnImageThatCameLaterIsNotSent(t *testing.T) {
	t.Parallel()

	s := newShipment(t, library.ProofReadBack)
	later := s.study
	later.Series = slices.Clone(later.Series)
	later.Series[0].Images++ // After the approval.
	var object bytes.Buffer
	if _, err := io.Copy(&object, later.Open(later.Series[0].Images-1)); err != nil {
		t.Fatal(err)
	}
	s.pacs.Add(object.Bytes())
	r, err := s.SendStudies(t.Context(), sending)
	if err != nil || r.Images != 200 || s.receiver.Len() != 200 {
		t.Errorf("SendStudies = %+v, %v; the receiver has %d", r, err, s.receiver.Len())
	}
}
