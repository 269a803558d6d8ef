package workflows_test

import (
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
