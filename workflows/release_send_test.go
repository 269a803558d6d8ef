package workflows_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"fileroom/internal/devstack/studies"
	"fileroom/internal/library"
)

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
