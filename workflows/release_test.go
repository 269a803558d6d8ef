package workflows_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"fileroom/internal/devstack/studies"
	"fileroom/internal/library"
	"fileroom/workflows"
)

// images of the plain letter: CT 200, MR 24, plain film 2.
const plainImages = 226

func TestPlainCaseIsReleasedAndProven(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(plainLetter)
	w.after(time.Hour, func() {
		v := w.view()
		if v.Stage != library.StageReview || v.Waiting != library.WaitingStaff || v.Basis != library.BasisTreatment || v.Tier != 1 || len(v.Open) > 0 {
			t.Errorf("before approval: %+v", v)
		}
		if a := w.approve(dana); a.refused() != nil {
			t.Errorf("approve: %v", a.refused())
		}
	})
	got := w.release(id)

	if got.Outcome != library.OutcomeReleased || got.Images != plainImages || got.Proof != library.ProofReadBack {
		t.Errorf("result = %+v, want %d images released and read back", got, plainImages)
	}
	if n := w.receiver.Len(); n != plainImages {
		t.Errorf("the receiver has %d images, want %d", n, plainImages)
	}
	w.wantOnRecord(id, library.OutcomeReleased, library.DisclosureIntended, library.DisclosureCompleted)
	if letters := w.mail.Letters(); len(letters) != 1 || !strings.Contains(letters[0].Text, "226 images") {
		t.Errorf("letters = %v, want the one that says what was sent", letters)
	}
}

// wantOnRecord checks how a case ended and what its account says.
func (w *world) wantOnRecord(id library.CaseID, outcome library.Outcome, kinds ...library.DisclosureKind) {
	w.t.Helper()
	ctx := context.Background()
	c, err := w.records.Case(ctx, id)
	if err != nil || c.Stage != library.StageClosed || c.Outcome != outcome {
		w.t.Errorf("case = %s %s (%v), want closed %s", c.Stage, c.Outcome, err, outcome)
	}
	all, err := w.records.Disclosures(ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	var got []library.DisclosureKind
	for _, d := range all {
		got = append(got, d.Kind)
	}
	if len(got) != len(kinds) {
		w.t.Fatalf("disclosures = %v, want %v", got, kinds)
	}
	for i, k := range kinds {
		if got[i] != k {
			w.t.Errorf("disclosures = %v, want %v", got, kinds)
		}
	}
}

func TestSilenceIsNeverADenial(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(plainLetter)
	w.after(40*24*time.Hour, func() {
		if v := w.view(); v.Stage != library.StageReview || v.Outcome != "" {
			t.Errorf("after forty days: %+v", v)
		}
		w.approve(dana)
	})
	if r := w.release(id); r.Outcome != library.OutcomeReleased {
		t.Errorf("outcome = %s", r.Outcome)
	}
}

func TestTwinsNeedAChoiceAndASecondPerson(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(strings.Replace(plainLetter, "Medical record number: D1093347\n", "", 1))
	var same, chooser, second *answer
	w.after(time.Hour, func() {
		if v := w.view(); v.Images != 0 || len(v.Open) == 0 {
			t.Errorf("the program chose between two patients alike: %+v", v)
		}
		m, err := w.records.Match(context.Background(), id)
		if err != nil || len(m.Patients) != 2 {
			t.Errorf("candidates = %d, %v; want the two", len(m.Patients), err)
		}
		for _, p := range m.Patients {
			if p.Record.Reveal().ID == "D1093347" {
				w.say(dana, library.Choose, library.ChoosePayload{Patient: p.Key})
			}
		}
	})
	w.after(2*time.Hour, func() {
		for _, r := range w.view().Open {
			w.say(luis, library.Acknowledged, library.AcknowledgePayload{Finding: r.Rule, Reason: "compared the address on the telephone"})
		}
	})
	w.after(3*time.Hour, func() {
		if v := w.view(); v.Needed != 2 || len(v.Open) != 0 {
			t.Errorf("after choice and acknowledgement: %+v", v)
		}
		if a := w.approve(luis); a.refused() != nil {
			t.Errorf("first approval: %v", a.refused())
		}
	})
	w.after(4*time.Hour, func() {
		if v := w.view(); v.Stage != library.StageReview || v.Waiting != library.WaitingSecond {
			t.Errorf("after one approval: %+v", v)
		}
		same, chooser = w.approve(luis), w.approve(dana)
	})
	w.after(5*time.Hour, func() { second = w.approve(priya) })
	if r := w.release(id); r.Outcome != library.OutcomeReleased {
		t.Errorf("outcome = %s", r.Outcome)
	}
	if same.refused() == nil || chooser.refused() == nil || second.refused() != nil {
		t.Errorf("second approval: by the same %v, by who chose %v, by another %v", same.refused(), chooser.refused(), second.refused())
	}
	for _, s := range studies.Demonstration() {
		for i := range s.Images() {
			if s.Patient.ID != "D1093347" && w.receiver.Stored(s.Instance(i).SOP) > 0 {
				t.Fatalf("an image of %s was sent", s.Patient.ID)
			}
		}
	}
}

func TestASignalNobodySignedIsTold(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(plainLetter)
	w.after(time.Hour, func() {
		w.SignalWorkflow(string(library.Approve), map[string]string{"revision": string(w.view().Revision)})
	})
	w.after(2*time.Hour, func() {
		if v := w.view(); v.Approvals != 0 || !strings.Contains(v.Refused, "nobody signed") {
			t.Errorf("after an unsigned signal: %+v", v)
		}
		w.SignalWorkflow(string(library.Withdraw), library.ReasonPayload{Reason: "by signal"}) // Signed by the door.
	})
	if r := w.release(id); r.Outcome != library.OutcomeWithdrawn {
		t.Errorf("outcome = %s", r.Outcome)
	}
}

func TestAnAnswerToTheDeficiencyLetterGoesOn(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(strings.Replace(plainLetter, "Date of birth: April 17, 1958\n", "", 1))
	w.after(time.Hour, func() {
		if a := w.say(dana, library.Ask, library.AskPayload{}); a.refused() != nil {
			t.Errorf("ask: %v", a.refused())
		}
	})
	w.after(20*24*time.Hour, func() {
		if v := w.view(); v.Stage != library.StageDeficient || v.Waiting != library.WaitingRequester {
			t.Errorf("after the letter: %+v", v)
		}
		answer := w.arrive(w.message("My date of birth: April 17, 1958\n", "In-Reply-To: <"+string(id)+".2@hospital.example>"))
		w.SignalWorkflow(workflows.ArrivedSignal, workflows.Arrived{Arrival: answer})
	})
	w.after(21*24*time.Hour, func() {
		if v := w.view(); v.Stage != library.StageReview {
			t.Errorf("after the answer: %+v", v)
		}
		w.say(dana, library.Withdraw, library.ReasonPayload{Reason: "seen"})
	})
	w.release(id)
	if n := len(w.mail.Letters()); n != 4 { // Asked, reminded twice, withdrawn.
		t.Errorf("%d letters, want 4", n)
	}
}

func TestSilenceOfTheRequesterAbandons(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(strings.Replace(plainLetter, "Date of birth: April 17, 1958\n", "", 1))
	w.after(time.Hour, func() { w.say(dana, library.Ask, library.AskPayload{}) })
	if r := w.release(id); r.Outcome != library.OutcomeAbandoned {
		t.Errorf("outcome = %s", r.Outcome)
	}
	w.wantOnRecord(id, library.OutcomeAbandoned)
}

func TestWithoutMachineProofAPersonsWordIsNeeded(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(strings.NewReplacer("Dr. Marcus Ellery\n", "", "Tidewater Pulmonary Associates", "Ridgeline Imaging Center",
		"410 Harbor Road, Suite 200", "77 Overlook Drive", "Wilmington, NC 28401", "Boone, NC 28607").Replace(plainLetter))
	w.after(time.Hour, func() { w.approve(dana) })
	w.after(10*24*time.Hour, func() {
		if v := w.view(); v.Stage != library.StageConfirming || v.Outcome != "" {
			t.Errorf("without proof: %+v", v)
		}
		w.say(dana, library.Confirm, library.ConfirmPayload{Destination: "ridgeline-imaging", How: "by telephone", By: "M. Vega"})
	})
	if r := w.release(id); r.Outcome != library.OutcomeReleased || r.Proof != library.ProofWord {
		t.Errorf("result = %+v, want released by word", r)
	}
}

func TestNothingFoundIsToldInALetter(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(strings.NewReplacer("CT chest, 02/12/2026\n", "CT abdomen, 02/13/2019\n", "MRI brain, 01/28/2026\n", "", "X-ray chest, 11/04/2025\n", "").Replace(plainLetter))
	w.after(time.Hour, func() {
		if a := w.say(dana, library.Acknowledged, library.AcknowledgePayload{Finding: library.NothingFoundRule, Reason: "looked in the old archive too"}); a.refused() != nil {
			t.Errorf("acknowledge: %v", a.refused())
		}
	})
	if r := w.release(id); r.Outcome != library.OutcomeNoImages {
		t.Errorf("outcome = %s", r.Outcome)
	}
	if l := w.mail.Letters(); len(l) != 1 || !strings.Contains(l[0].Text, "do not have them") {
		t.Errorf("letters = %v", l)
	}
}

func TestWhatComesInStopsTheSending(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(plainLetter)
	w.receiver.Down = library.Fault("ask", "", context.DeadlineExceeded)
	w.after(time.Hour, func() { w.approve(dana) })
	w.after(90*time.Minute, func() {
		letter := w.arrive(w.message("I take my permission back.\n", "In-Reply-To: <"+string(id)+".1@hospital.example>"))
		w.SignalWorkflow(workflows.ArrivedSignal, workflows.Arrived{Arrival: letter})
	})
	w.after(2*time.Hour, func() {
		if v := w.view(); v.Stage != library.StageReview || !strings.Contains(v.Note, "something has come in") || v.Approvals != 0 {
			t.Errorf("after mail came in: %+v", v)
		}
		w.receiver.Down = nil
	})
	w.after(3*time.Hour, func() { w.say(dana, library.Withdraw, library.ReasonPayload{Reason: "revoked"}) })
	if r := w.release(id); r.Outcome != library.OutcomeWithdrawn || w.receiver.Len() != 0 {
		t.Errorf("outcome = %s with %d images sent, want withdrawn and none", r.Outcome, w.receiver.Len())
	}
}

func TestAHoldStopsTheClocks(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(strings.Replace(plainLetter, "Date of birth: April 17, 1958\n", "", 1))
	w.after(time.Hour, func() { w.say(dana, library.Ask, library.AskPayload{}) })
	w.after(2*time.Hour, func() { w.say(luis, library.Hold, library.ReasonPayload{Reason: "a call from the ward"}) })
	w.after(300*24*time.Hour, func() {
		if v := w.view(); v.Outcome != "" || len(w.mail.Letters()) != 1 {
			t.Errorf("on hold: %+v and %d letters", v, len(w.mail.Letters()))
		}
		w.say(luis, library.Resume, library.ReasonPayload{Reason: "settled"})
	})
	w.after(301*24*time.Hour, func() { w.say(dana, library.Withdraw, library.ReasonPayload{Reason: "seen"}) })
	if r := w.release(id); r.Outcome != library.OutcomeWithdrawn {
		t.Errorf("outcome = %s", r.Outcome)
	}
}

func TestAnAccountNamesWhatLeftWhateverIsChosenLater(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(plainLetter)
	w.receiver.Refuse = map[string]string{studies.Demonstration()[0].Instance(3).SOP: "0122"}
	w.after(time.Hour, func() { w.approve(dana) })
	w.after(2*time.Hour, func() {
		w.say(dana, library.Choose, library.ChoosePayload{Studies: []string{studies.Demonstration()[1].UID}})
	})
	w.after(3*time.Hour, func() { w.say(dana, library.Withdraw, library.ReasonPayload{Reason: "enough"}) })
	w.release(id)
	all, err := w.records.Disclosures(context.Background(), id)
	if err != nil || len(all) != 2 || all[0].Description != all[1].Description || all[1].Images != plainImages { // The refused one had left, too.
		t.Errorf("disclosures = %+v, %v; want the completed one to name what the intended one did", all, err)
	}
}
