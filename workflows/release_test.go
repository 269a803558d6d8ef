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

// TestStaff sends one message to a case in review and says what must come of it.
func TestStaffMessages(t *testing.T) {
	t.Parallel()

	withdraw := func(w *world) { w.say(dana, library.Withdraw, library.ReasonPayload{Reason: "enough seen"}) }
	tests := map[string]struct {
		letter  string
		say     func(w *world) *answer
		refused string // Part of the refusal; empty if it is accepted.
		then    func(t *testing.T, w *world)
		outcome library.Outcome
	}{
		"a viewer cannot approve": {
			say: func(w *world) *answer { return w.approve(vera) }, refused: "needs the role specialist", outcome: library.OutcomeWithdrawn,
		},
		"nobody cannot approve": {
			say: func(w *world) *answer {
				return w.say(library.Actor{Subject: "nobody"}, library.Approve, library.ApprovePayload{Revision: w.view().Revision})
			},
			refused: "nobody signed", outcome: library.OutcomeWithdrawn,
		},
		"an approval of another revision is refused": {
			say:     func(w *world) *answer { return w.say(dana, library.Approve, library.ApprovePayload{Revision: "0123"}) },
			refused: "not as you saw it", outcome: library.OutcomeWithdrawn,
		},
		"a misspelt field is refused with an example": {
			say:     func(w *world) *answer { return w.say(dana, library.Approve, map[string]string{"revison": "x"}) },
			refused: `{"revision"`, outcome: library.OutcomeWithdrawn,
		},
		"an open finding hinders": {
			letter:  strings.Replace(plainLetter, "Date of birth: April 17, 1958\n", "", 1),
			say:     func(w *world) *answer { return w.say(dana, library.Approve, library.ApprovePayload{Revision: "0123"}) },
			refused: "DL-02", outcome: library.OutcomeWithdrawn,
		},
		"a specialist cannot deny": {
			say:     func(w *world) *answer { return w.say(dana, library.Deny, library.ReasonPayload{Reason: "no"}) },
			refused: "needs the role privacy", outcome: library.OutcomeWithdrawn,
		},
		"privacy denies, and a letter says why": {
			say: func(w *world) *answer {
				return w.say(priya, library.Deny, library.ReasonPayload{Reason: "the court forbids it"})
			},
			then: func(t *testing.T, w *world) {
				if l := w.mail.Letters(); len(l) != 1 || !strings.Contains(l[0].Text, "the court forbids it") {
					t.Errorf("letters = %v", l)
				}
			},
			outcome: library.OutcomeDenied,
		},
		"a hold hinders, whoever approves": {
			say: func(w *world) *answer {
				w.say(luis, library.Hold, library.ReasonPayload{Reason: "a call from the ward"})
				return w.approve(dana)
			},
			refused: "on hold", outcome: library.OutcomeWithdrawn,
		},
		"a correction is checked": {
			say: func(w *world) *answer {
				return w.say(dana, library.Correct, library.CorrectPayload{"patient.birth_date": "soon"})
			},
			refused: "birth_date", outcome: library.OutcomeWithdrawn,
		},
		"a finding that is not there cannot be acknowledged": {
			say: func(w *world) *answer {
				return w.say(dana, library.Acknowledged, library.AcknowledgePayload{Finding: "DL-99", Reason: "x"})
			},
			refused: "no such finding", outcome: library.OutcomeWithdrawn,
		},
		"a candidate that is not there cannot be chosen": {
			say:     func(w *world) *answer { return w.say(dana, library.Choose, library.ChoosePayload{Patient: "p9"}) },
			refused: "no patient candidate", outcome: library.OutcomeWithdrawn,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			letter := tt.letter
			if letter == "" {
				letter = plainLetter
			}
			id := w.open(letter)
			var got *answer
			w.after(time.Hour, func() { got = tt.say(w) })
			w.after(2*time.Hour, func() {
				if tt.outcome == library.OutcomeWithdrawn {
					withdraw(w)
				}
			})
			r := w.release(id)

			if err := got.refused(); (err != nil) != (tt.refused != "") || err != nil && !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("answer = %v, want a refusal with %q", err, tt.refused)
			}
			if r.Outcome != tt.outcome || w.receiver.Len() != 0 {
				t.Errorf("outcome = %s with %d images sent, want %s and none", r.Outcome, w.receiver.Len(), tt.outcome)
			}
			if tt.then != nil {
				tt.then(t, w)
			}
		})
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

// TestBadDays lets something go wrong on the way out.
func TestBadDays(t *testing.T) {
	t.Parallel()

	sop := studies.Demonstration()[0].Instance(77).SOP
	tests := map[string]struct {
		harm func(w *world)
		note string         // What staff read afterwards.
		mend func(w *world) // Two hours later.
		then func(w *world) // What staff do about it.
		want library.Outcome
		sent int // At the receiver in the end.
	}{
		"one image of 200 refused": {
			harm: func(w *world) { w.receiver.Refuse = map[string]string{sop: "0122"} }, note: "refuses 1 of 226 images (reason 0122)",
			mend: func(w *world) { w.receiver.Refuse = nil }, then: func(w *world) { w.approve(dana) }, want: library.OutcomeReleased, sent: plainImages,
		},
		"refused for good, and withdrawn": {
			harm: func(w *world) { w.receiver.Refuse = map[string]string{sop: "0122"} }, note: "refuses 1",
			then: func(w *world) { w.say(dana, library.Withdraw, library.ReasonPayload{Reason: "they cannot take it"}) }, want: library.OutcomeWithdrawn, sent: plainImages - 1,
		},
		"the receiver is full for a while": {
			harm: func(w *world) { w.receiver.Full = true }, mend: func(w *world) { w.receiver.Full = false }, want: library.OutcomeReleased, sent: plainImages,
		},
		"the receiver is down for a while": {
			harm: func(w *world) { w.receiver.Down = library.Fault("ask", "", context.DeadlineExceeded) },
			mend: func(w *world) { w.receiver.Down = nil }, want: library.OutcomeReleased, sent: plainImages,
		},
		"the receiver refuses our password until an operator acts": {
			harm: func(w *world) { w.receiver.Down = library.Errorf(library.Unauthorized, "ask", "", "password") },
			mend: func(w *world) { w.receiver.Down = nil }, want: library.OutcomeReleased, sent: plainImages,
		},
		"the receiver says yes and keeps nothing": {
			harm: func(w *world) { w.receiver.Forget = map[string]bool{sop: true} }, note: "has lost 1 of 226",
			mend: func(w *world) { w.receiver.Forget = nil }, then: func(w *world) { w.approve(dana) }, want: library.OutcomeReleased, sent: plainImages,
		},
		"the PACS breaks off for a while": {
			harm: func(w *world) { w.pacs.CutAt = 50 }, mend: func(w *world) { w.pacs.CutAt = 0 }, want: library.OutcomeReleased, sent: plainImages,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			id := w.open(plainLetter)
			w.after(time.Hour, func() { tt.harm(w); w.approve(dana) })
			w.after(3*time.Hour, func() {
				v := w.view()
				if !strings.Contains(v.Note, tt.note) || tt.note == "" && v.Trouble == "" {
					t.Errorf("staff are told %q, trouble %q; want %q", v.Note, v.Trouble, tt.note)
				}
				if tt.mend != nil {
					tt.mend(w)
				}
				if tt.then != nil {
					tt.then(w)
				}
			})
			r := w.release(id)
			if r.Outcome != tt.want || w.receiver.Len() != tt.sent {
				t.Errorf("outcome = %s with %d images at the receiver, want %s and %d", r.Outcome, w.receiver.Len(), tt.want, tt.sent)
			}
			w.wantOnRecord(id, tt.want, library.DisclosureIntended, library.DisclosureCompleted)
		})
	}
}

func TestAStrangerStopsTheTransfer(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(plainLetter)
	w.after(time.Hour, func() { w.approve(dana) })
	// While it is sent, an image of the study turns out to carry another name.
	w.receiver.OnStore = func(string) {
		w.pacs.Swap(studies.Demonstration()[0].Instance(150), "WHITCOMBE^ELEANOR^RUTH", "WHITCOMBE^ELEANOR^ROSE")
	}
	w.after(2*time.Hour, func() {
		if v := w.view(); !strings.Contains(v.Note, "SM-03") {
			t.Errorf("staff are told %q, want SM-03", v.Note)
		}
		w.say(dana, library.Withdraw, library.ReasonPayload{Reason: "the PACS must be mended first"})
	})
	if r := w.release(id); r.Outcome != library.OutcomeWithdrawn {
		t.Errorf("outcome = %s", r.Outcome)
	}
	if w.receiver.Stored(studies.Demonstration()[0].Instance(150).SOP) != 0 {
		t.Error("the stranger's image left")
	}
}

func TestWithdrawStopsAtTheNextImage(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(plainLetter)
	w.receiver.Down = library.Fault("ask", "", context.DeadlineExceeded)
	w.after(time.Hour, func() { w.approve(dana) })
	w.after(90*time.Minute, func() { w.say(dana, library.Withdraw, library.ReasonPayload{Reason: "the patient called"}) })
	if r := w.release(id); r.Outcome != library.OutcomeWithdrawn || r.Images != 0 {
		t.Errorf("result = %+v, want withdrawn and nothing sent", r)
	}
	w.wantOnRecord(id, library.OutcomeWithdrawn, library.DisclosureIntended)
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
