package workflows_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/workflow"

	"fileroom/internal/library"
	"fileroom/workflows"
)

// takeIn runs an Intake to its end. The Releases that it starts end at once:
// they are tested by themselves.
func (w *world) takeIn(id library.ArrivalID) workflows.IntakeResult {
	w.t.Helper()
	w.OnWorkflow(workflows.Release, anything, anything).Return(func(workflow.Context, workflows.ReleaseParams) (workflows.ReleaseResult, error) {
		return workflows.ReleaseResult{}, nil
	}).Maybe()
	w.OnSignalExternalWorkflow(anything, anything, anything, anything, anything).Return(errors.New("no such workflow")).Maybe()
	w.SetStartWorkflowOptions(workflowOptions(workflows.IntakeID(id)))
	w.ExecuteWorkflow(workflows.Intake, workflows.IntakeParams{Arrival: id})
	var r workflows.IntakeResult
	if err := w.GetWorkflowResult(&r); err != nil {
		w.t.Fatalf("Intake: %v", err)
	}
	return r
}

// anything matches every argument of a workflow.
const anything = "mock.Anything"

func (w *world) arrivalView() workflows.ArrivalView {
	w.t.Helper()
	var v workflows.ArrivalView
	value, err := w.QueryWorkflow(workflows.ArrivalQuery)
	if err == nil {
		err = value.Get(&v)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func TestIntake(t *testing.T) {
	t.Parallel()

	twoPatients := plainLetter + "\f" + strings.NewReplacer("Eleanor Ruth Whitcombe", "Zoe Niamh O'Brien", "April 17, 1958", "September 30, 1991",
		"D1093347", "D3317702", "/s/ Eleanor R. Whitcombe", "/s/ Zoe N. O'Brien").Replace(plainLetter)
	place := func(p library.PlacePayload) func(*world) *answer {
		return func(w *world) *answer { return w.say(dana, library.Place, p) }
	}
	tests := map[string]struct {
		text    string
		header  []string
		raw     string // Instead of text.
		waits   string // What staff are told while it waits; empty if it does not.
		say     func(w *world) *answer
		refused string
		want    library.ArrivalState
		cases   int
		letters int
	}{
		"a letter becomes a case and is acknowledged": {text: plainLetter, want: library.ArrivalPlaced, cases: 1, letters: 1},
		"a robot is never answered":                   {text: plainLetter, header: []string{"Auto-Submitted: auto-replied"}, want: library.ArrivalSorted},
		"an empty message waits for staff": {
			text: "", waits: "nothing to read", say: place(library.PlacePayload{Sort: true, Reason: "empty"}), want: library.ArrivalSorted, letters: 1,
		},
		"what is no message waits, and can become a case": {
			raw: "\x00\x01", waits: "cannot be taken apart", say: place(library.PlacePayload{New: true, Reason: "a scan without a header"}), want: library.ArrivalPlaced, cases: 1,
		},
		"two patients wait until they are split": {
			text: twoPatients, waits: "IN-05", say: func(w *world) *answer {
				return w.say(dana, library.Split, library.SplitPayload{Pages: [][]int{{1}, {2}}})
			},
			want: library.ArrivalPlaced, cases: 2, letters: 2,
		},
		"a page that is in no group is refused": {
			text: twoPatients, waits: "IN-05", say: func(w *world) *answer {
				a := w.say(dana, library.Split, library.SplitPayload{Pages: [][]int{{1}, {1}}})
				w.after(time.Hour, func() { w.say(dana, library.Place, library.PlacePayload{Sort: true, Reason: "test"}) })
				return a
			},
			refused: "page 2 is in no group", want: library.ArrivalSorted, letters: 1,
		},
		"a case that does not exist keeps the request": {
			text: twoPatients, waits: "IN-05", say: func(w *world) *answer {
				a := w.say(dana, library.Place, library.PlacePayload{Case: "0000-0000", Reason: "mistyped"})
				w.after(time.Hour, func() {
					if v := w.arrivalView(); v.Waiting != library.WaitingStaff || !strings.Contains(v.Reason, "no open case") {
						w.t.Errorf("after a mistyped case: %+v", v)
					}
					w.say(dana, library.Place, library.PlacePayload{New: true, Reason: "one patient after all"})
				})
				return a
			},
			want: library.ArrivalPlaced, cases: 1, letters: 1,
		},
		"a viewer cannot place": {
			text: "", waits: "nothing to read", say: func(w *world) *answer {
				a := w.say(vera, library.Place, library.PlacePayload{New: true, Reason: "x"})
				w.after(time.Hour, func() { w.say(dana, library.Place, library.PlacePayload{Sort: true, Reason: "test"}) })
				return a
			},
			refused: "needs the role specialist", want: library.ArrivalSorted, letters: 1,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			raw := w.message(tt.text, tt.header...)
			if tt.raw != "" {
				raw = []byte(tt.raw)
			}
			id := w.arrive(raw)
			var got *answer
			if tt.say != nil {
				w.after(50*time.Hour, func() {
					if v := w.arrivalView(); v.Waiting != library.WaitingStaff || !strings.Contains(v.Reason, tt.waits) {
						t.Errorf("staff are told %+v, want %q", v, tt.waits)
					}
					got = tt.say(w)
				})
			}
			r := w.takeIn(id)
			if got != nil {
				if err := got.refused(); (err != nil) != (tt.refused != "") || err != nil && !strings.Contains(err.Error(), tt.refused) {
					t.Errorf("answer = %v, want a refusal with %q", err, tt.refused)
				}
			}
			a, err := w.records.Arrival(context.Background(), id)
			if err != nil || a.State != tt.want || r.State != tt.want {
				t.Errorf("arrival = %s, result %s (%v), want %s", a.State, r.State, err, tt.want)
			}
			if r.State == library.ArrivalPlaced && len(r.Cases) != tt.cases {
				t.Errorf("cases = %v, want %d", r.Cases, tt.cases)
			}
			if n := len(w.mail.Letters()); n != tt.letters {
				t.Errorf("%d letters, want %d", n, tt.letters)
			}
		})
	}
}
