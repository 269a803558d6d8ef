package workflows_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"fileroom/internal/library"
)

// TestStaffMessages sends one message to a case in review and says what must come of it.
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

// TestBoundToWhatWasShown chooses and acknowledges in a case that is, or is not,
// as it was shown.
func TestBoundToWhatWasShown(t *testing.T) {
	t.Parallel()

	const stale = "not as you saw it"
	shown := func(w *world) library.Revision { return w.view().Revision }
	always := func(r library.Revision) func(*world) library.Revision {
		return func(*world) library.Revision { return r }
	}
	place := func(r library.Revision) (library.Message, any) {
		return library.Choose, library.ChoosePayload{Facility: "tidewater-pulmonary", Revision: r}
	}
	patient := func(r library.Revision) (library.Message, any) {
		return library.Choose, library.ChoosePayload{Patient: "p1", Revision: r}
	}
	settle := func(r library.Revision) (library.Message, any) {
		return library.Acknowledged, library.AcknowledgePayload{Finding: "LB-0", Reason: "asked her", Revision: r}
	}
	tests := map[string]struct {
		say     func(library.Revision) (library.Message, any)
		names   func(*world) library.Revision
		twins   bool   // The case has no revision, for nobody has said which patient it is.
		changed bool   // A colleague's correction is heard just before.
		refused string // Part of the refusal; empty if it must be heard.
	}{
		"choose: as shown":                                        {say: place, names: shown},
		"choose: as another revision was shown":                   {say: place, names: always("0123456789abcdef0123"), refused: stale},
		"choose: as it was shown without a revision":              {say: place, names: always(library.NoRevision), refused: stale},
		"choose: as people write it by hand":                      {say: place, names: always("")},
		"choose: by hand, while it changes":                       {say: place, names: always(""), changed: true},
		"choose: as shown, while it changes":                      {say: place, names: shown, changed: true, refused: "just changed"},
		"choose: a patient, by hand":                              {say: patient, names: always("")},
		"choose: a patient, as shown":                             {say: patient, names: shown},
		"choose: a patient by hand, while it changes":             {say: patient, names: always(""), changed: true, refused: "just changed"},
		"choose: without a revision, as shown":                    {say: patient, names: always(library.NoRevision), twins: true},
		"choose: without a revision, shown with one":              {say: patient, names: always("0123456789abcdef0123"), twins: true, refused: stale},
		"choose: without a revision, by hand":                     {say: patient, names: always(""), twins: true},
		"acknowledge: as shown":                                   {say: settle, names: shown},
		"acknowledge: as another revision was shown":              {say: settle, names: always("0123456789abcdef0123"), refused: stale},
		"acknowledge: as it was shown without a revision":         {say: settle, names: always(library.NoRevision), refused: stale},
		"acknowledge: as people write it by hand":                 {say: settle, names: always("")},
		"acknowledge: by hand, while it changes":                  {say: settle, names: always(""), changed: true},
		"acknowledge: as shown, while it changes":                 {say: settle, names: shown, changed: true, refused: "just changed"},
		"acknowledge: without a revision, shown with one":         {say: settle, names: always("0123456789abcdef0123"), twins: true, refused: stale},
		"acknowledge: without a revision, but of no such finding": {say: settle, names: always(library.NoRevision), twins: true, refused: "no such finding"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			var id library.CaseID
			if tt.twins {
				id = w.open(strings.Replace(plainLetter, "Medical record number: D1093347\n", "", 1))
			} else {
				id = w.ofTier(2)
			}
			var got, before *answer
			w.after(time.Hour, func() {
				if v := w.view(); (v.Revision == "") != tt.twins {
					t.Fatalf("the revision is %q", v.Revision)
				}
				m, payload := tt.say(tt.names(w))
				if tt.changed {
					w.batch.size, w.batch.come = 2, 0
				}
				got = w.say(priya, m, payload)
				if tt.changed {
					before = w.say(dana, library.Correct, library.CorrectPayload{"patient.mrn": "D1093347"})
				}
			})
			w.after(2*time.Hour, func() {
				w.batch.size = 0
				w.say(dana, library.Withdraw, library.ReasonPayload{Reason: "enough seen"})
			})
			w.release(id)

			if err := got.refused(); (err != nil) != (tt.refused != "") || err != nil && !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("answer = %v, want a refusal with %q", err, tt.refused)
			}
			if before != nil && before.refused() != nil {
				t.Errorf("the correction: %v", before.refused())
			}
		})
	}
}

// A key that another match has given to somebody else chooses nobody for whoever
// says which candidates were shown.
func TestChosenAmongThoseShown(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(strings.Replace(plainLetter, "Medical record number: D1093347\n", "", 1))
	var stale, right *answer
	var want library.PatientRecord
	w.after(time.Hour, func() {
		ctx := context.Background()
		shown, err := w.records.Match(ctx, id)
		if err != nil || len(shown.Patients) != 2 {
			t.Fatalf("candidates = %d, %v; want two", len(shown.Patients), err)
		}
		now := shown
		now.Patients = []library.PatientCandidate{shown.Patients[1], shown.Patients[0]}
		now.Patients[0].Key, now.Patients[1].Key = "p1", "p2"
		if err := w.records.SetMatch(ctx, id, now); err != nil {
			t.Fatal(err)
		}
		want = now.Patients[0].Record.Reveal()
		choose := func(among string) *answer {
			return w.say(dana, library.Choose, library.ChoosePayload{Patient: "p1", Among: among, Revision: library.NoRevision})
		}
		stale, right = choose(shown.Among()), choose(now.Among())
	})
	w.after(2*time.Hour, func() { w.say(dana, library.Withdraw, library.ReasonPayload{Reason: "enough seen"}) })
	w.release(id)

	if err := stale.refused(); err == nil || !strings.Contains(err.Error(), "not as you saw them") {
		t.Errorf("the choice among others = %v, want it refused", err)
	}
	chosen, err := w.records.Choices(context.Background(), id)
	if err != nil || right.refused() != nil || chosen.Patient != want.ID {
		t.Errorf("the choice among those of now = %v, %v; chosen rightly: %v", right.refused(), err, chosen.Patient == want.ID)
	}
}
