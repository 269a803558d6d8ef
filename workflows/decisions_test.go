package workflows_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"

	"fileroom/internal/devstack/studies"
	"fileroom/internal/library"
)

// ofTier makes a case of a risk tier that waits for its first approval. Nobody
// has chosen or corrected in it.
func (w *world) ofTier(tier library.Tier) library.CaseID {
	w.t.Helper()
	ctx := context.Background()
	text := plainLetter
	switch tier {
	case 2: // No provider: the patient sends the images where she likes.
		f, err := w.records.Facility(ctx, "tidewater-pulmonary")
		if err != nil {
			w.t.Fatal(err)
		}
		f.Provider = false
		if err := w.records.SaveFacility(ctx, f); err != nil {
			w.t.Fatal(err)
		}
		w.after(time.Minute, func() {
			if a := w.say(priya, library.Acknowledged, library.AcknowledgePayload{Finding: "LB-0", Reason: "asked her"}); a.refused() != nil {
				w.t.Errorf("acknowledge: %v", a.refused())
			}
		})
	case 3: // More than twenty studies.
		var asked strings.Builder
		for i := range 21 {
			s := studies.Demonstration()[2]
			s.UID, s.Accession, s.Date = fmt.Sprintf("2.25.77%02d", i), fmt.Sprintf("A240901%02d", i), library.Date(fmt.Sprintf("2024-09-%02d", i+1))
			s.Series = []studies.Series{{UID: fmt.Sprintf("2.25.78%02d", i), Number: 1, Images: 1}}
			w.pacs.AddStudy(s, 4)
			fmt.Fprintf(&asked, "X-ray chest, 09/%02d/2024\n", i+1)
		}
		text = strings.Replace(text, "CT chest, 02/12/2026\nMRI brain, 01/28/2026\nX-ray chest, 11/04/2025\n", asked.String(), 1)
	}
	return w.open(text)
}

// A saying is one thing that somebody says to a case in review, and what must come of it.
type saying struct {
	who     library.Actor
	message library.Message
	payload any    // Nil for an approval: of the revision that is shown at that moment.
	refused string // Part of the refusal; empty if it must be heard.
	atOnce  bool   // In one workflow task with the saying before, so that the case cannot have acted on that.
}

func approval(who library.Actor) saying { return saying{who: who, message: library.Approve} }

func (s saying) no(why string) saying { s.refused = why; return s }

func (s saying) together() saying { s.atOnce = true; return s }

func because(who library.Actor, m library.Message) saying {
	return saying{who: who, message: m, payload: library.ReasonPayload{Reason: "a reason"}}
}

// TestWhoMayDecide holds the rules of decision (ARCHITECTURE.md, section 4; RL-01
// and RL-02): each case is a talk with a workflow on real activities, and each
// thing said is heard or refused, and on record or not, as it must be.
func TestWhoMayDecide(t *testing.T) {
	t.Parallel()

	const second = "a second person must approve"
	fix := func(who library.Actor) saying { // Something that is as it was read.
		return saying{who: who, message: library.Correct, payload: library.CorrectPayload{"patient.mrn": "D1093347"}}
	}
	choose := func(who library.Actor) saying { // What is chosen already.
		return saying{who: who, message: library.Choose, payload: library.ChoosePayload{Facility: "tidewater-pulmonary"}}
	}
	ask := func(who library.Actor) saying {
		return saying{who: who, message: library.Ask, payload: library.AskPayload{Message: "Which eye?"}}
	}
	stale := saying{who: dana, message: library.Approve, payload: library.ApprovePayload{Revision: "0123456789abcdef0123"}}

	tests := map[string]struct {
		tier  library.Tier
		said  []saying
		leave bool // Images leave in the end.
	}{
		"tier 1: one specialist is enough":                {tier: 1, said: []saying{approval(dana)}, leave: true},
		"tier 1: whoever chose may be the one":            {tier: 1, said: []saying{choose(dana), approval(dana)}, leave: true},
		"tier 1: a viewer is not":                         {tier: 1, said: []saying{approval(vera).no("needs the role specialist")}},
		"tier 1: an admin runs the machine, no case":      {tier: 1, said: []saying{approval(adam).no("needs the role specialist")}},
		"tier 1: an approval of what was not shown":       {tier: 1, said: []saying{stale.no("not as you saw it")}},
		"tier 2: one is not enough":                       {tier: 2, said: []saying{approval(dana)}},
		"tier 2: the same person twice is one":            {tier: 2, said: []saying{approval(dana), approval(dana).no(second)}},
		"tier 2: two specialists are enough":              {tier: 2, said: []saying{approval(dana), approval(omar)}, leave: true},
		"tier 2: who chose is not the second":             {tier: 2, said: []saying{choose(omar), approval(dana), approval(omar).no(second)}},
		"tier 2: who corrected is not the second":         {tier: 2, said: []saying{fix(omar), approval(dana), approval(omar).no(second)}},
		"tier 2: neither of two who prepared is":          {tier: 2, said: []saying{choose(dana), fix(omar), approval(dana), approval(omar).no(second)}},
		"tier 2: a lead who chose is not, either":         {tier: 2, said: []saying{choose(luis), approval(dana), approval(luis).no(second)}},
		"tier 2: a third makes good for who chose":        {tier: 2, said: []saying{choose(omar), approval(dana), approval(omar).no(second), approval(luis)}, leave: true},
		"tier 2: who chose may be the first":              {tier: 2, said: []saying{choose(omar), approval(omar), approval(dana)}, leave: true},
		"tier 3: a specialist is not the second":          {tier: 3, said: []saying{approval(dana), approval(omar).no("must be a lead")}},
		"tier 3: a lead is":                               {tier: 3, said: []saying{approval(dana), approval(luis)}, leave: true},
		"tier 3: the privacy office is":                   {tier: 3, said: []saying{approval(dana), approval(priya)}, leave: true},
		"tier 3: a lead who was first is not the second":  {tier: 3, said: []saying{approval(luis), approval(dana).no("must be a lead"), approval(luis).no(second)}},
		"tier 3: a lead who corrected is not the second":  {tier: 3, said: []saying{fix(luis), approval(dana), approval(luis).no(second)}},
		"a choice voids an approval":                      {tier: 2, said: []saying{approval(dana), choose(luis), approval(omar)}},
		"a correction to the same voids it as well":       {tier: 2, said: []saying{fix(luis), approval(dana), fix(luis), approval(omar)}},
		"who approved before a choice may approve again":  {tier: 2, said: []saying{approval(dana), choose(luis), approval(omar), approval(dana)}, leave: true},
		"a case that has just changed is looked at again": {tier: 1, said: []saying{choose(luis), approval(dana).together().no("just changed")}},
		"a specialist cannot deny":                        {tier: 1, said: []saying{because(dana, library.Deny).no("needs the role privacy")}},
		"a lead cannot deny":                              {tier: 1, said: []saying{because(luis, library.Deny).no("needs the role privacy")}},
		"an admin cannot deny":                            {tier: 1, said: []saying{because(adam, library.Deny).no("needs the role privacy")}},
		"the privacy office denies":                       {tier: 1, said: []saying{because(priya, library.Deny), approval(dana).together().no("has ended")}},
		"a denial needs a reason":                         {tier: 1, said: []saying{{who: priya, message: library.Deny, payload: library.ReasonPayload{Reason: " "}, refused: "a reason is needed"}}},
		"a specialist cannot hold":                        {tier: 1, said: []saying{because(dana, library.Hold).no("needs the role lead")}},
		"a specialist cannot lift a hold":                 {tier: 1, said: []saying{because(luis, library.Hold), because(dana, library.Resume).no("needs the role lead"), approval(dana).no("on hold")}},
		"a hold that is lifted lets an approval stand":    {tier: 2, said: []saying{approval(dana), because(luis, library.Hold), approval(omar).no("on hold"), because(priya, library.Resume), approval(omar)}, leave: true},
		"what is not on hold cannot be lifted":            {tier: 1, said: []saying{because(luis, library.Resume).no("not on hold")}},
		"nobody is written to while a case is on hold":    {tier: 1, said: []saying{because(luis, library.Hold), ask(dana).no("on hold")}},
		"what is being asked about cannot be approved":    {tier: 1, said: []saying{ask(dana), approval(omar).together().no("being asked")}},
		"what is approved is not asked about":             {tier: 1, said: []saying{approval(dana), ask(omar).together().no("has been approved")}, leave: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			id := w.ofTier(tt.tier)
			answers := make([]*answer, len(tt.said))
			at := time.Hour
			for i := 0; i < len(tt.said); {
				first := i
				for i++; i < len(tt.said) && tt.said[i].atOnce; i++ {
				}
				together := tt.said[first:i]
				w.after(at, func() {
					if first == 0 && w.view().Tier != tt.tier || len(w.view().Open) > 0 {
						t.Fatalf("the case is %+v, want one of tier %d with nothing open", w.view(), tt.tier)
					}
					w.batch.size, w.batch.come = len(together), 0
					for j, s := range slices.Backward(together) {
						if s.payload == nil {
							s.payload = library.ApprovePayload{Revision: w.view().Revision}
						}
						answers[first+j] = w.say(s.who, s.message, s.payload)
					}
				})
				at += time.Hour
			}
			w.after(at, func() {
				w.batch.size = 0
				w.say(dana, library.Withdraw, library.ReasonPayload{Reason: "enough seen"})
			})
			w.release(id)
			if slices.Contains(answers, nil) {
				t.Fatalf("answers %v, for the case ended too early", answers)
			}

			if left := w.receiver.Len() > 0; left != tt.leave {
				t.Errorf("%d images left, want some: %v", w.receiver.Len(), tt.leave)
			}
			var heard []string
			for i, s := range tt.said {
				err := answers[i].refused()
				if (err != nil) != (s.refused != "") || err != nil && !strings.Contains(err.Error(), s.refused) {
					t.Errorf("%s by %s = %v, want a refusal with %q", s.message, s.who.Name, err, s.refused)
				}
				if s.refused == "" {
					heard = append(heard, string(s.message)+" by "+s.who.Subject)
				}
			}
			w.wantDecisions(id, heard)
		})
	}
}

// wantDecisions checks that what was heard is on record, and nothing that was refused.
func (w *world) wantDecisions(id library.CaseID, want []string) {
	w.t.Helper()
	all, err := w.records.Decisions(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	var got []string
	for _, d := range all {
		if d.Message == library.Withdraw || d.Message == library.Acknowledged { // The test's own.
			continue
		}
		got = append(got, string(d.Message)+" by "+d.Actor.Subject)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		w.t.Errorf("on record: %q, want %q", got, want)
	}
}

// What was approved is void as soon as somebody corrects, even to what it was: the case itself does not count it.
func TestACorrectionVoidsAnApproval(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.ofTier(2)
	same := library.CorrectPayload{"patient.mrn": "D1093347"}
	w.after(time.Hour, func() { w.say(luis, library.Correct, same) })
	var before library.Revision
	w.after(2*time.Hour, func() { before = w.view().Revision; w.approve(dana) })
	w.after(3*time.Hour, func() {
		if v := w.view(); v.Approvals != 1 || len(v.Approvers) != 1 || v.Approvers[0] != "dana" || v.Waiting != library.WaitingSecond {
			t.Errorf("after one approval: %+v", v)
		}
		w.say(luis, library.Correct, same)
	})
	w.after(4*time.Hour, func() {
		if v := w.view(); v.Approvals != 0 || v.Revision != before || v.Waiting != library.WaitingStaff {
			t.Errorf("after a correction to the same: %+v, want no approval of revision %s", v, before)
		}
		w.say(dana, library.Withdraw, library.ReasonPayload{Reason: "seen"})
	})
	w.release(id)
}

// A case does not end as without images while somebody is choosing some.
func TestWhatIsBeingChosenIsNotNothing(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(strings.NewReplacer("CT chest, 02/12/2026\n", "CT abdomen, 02/13/2019\n", "MRI brain, 01/28/2026\n", "", "X-ray chest, 11/04/2025\n", "").Replace(plainLetter))
	var chosen, nothing *answer
	w.after(time.Hour, func() {
		w.batch.size = 2
		nothing = w.say(luis, library.Acknowledged, library.AcknowledgePayload{Finding: library.NothingFoundRule, Reason: "there are none"})
		chosen = w.say(dana, library.Choose, library.ChoosePayload{Studies: []string{studies.Demonstration()[0].UID}})
	})
	w.after(2*time.Hour, func() {
		if v := w.view(); v.Outcome != "" || v.Images == 0 {
			t.Errorf("case = %+v, want it open, with images", v)
		}
		w.batch.size = 0
		w.say(dana, library.Withdraw, library.ReasonPayload{Reason: "seen"})
	})
	if r := w.release(id); r.Outcome != library.OutcomeWithdrawn || chosen.refused() != nil || nothing.refused() == nil {
		t.Errorf("outcome = %s; choice %v, acknowledgement %v", r.Outcome, chosen.refused(), nothing.refused())
	}
}

// A batch holds updates back until so many have come, so that they are heard in
// one workflow task, as a server may hand them over: the last first, and the others
// before the case acts on it. The test environment gives each a task of its own.
type batch struct {
	interceptor.WorkerInterceptorBase
	size, come int
}

// InterceptWorkflow implements [interceptor.WorkerInterceptor].
func (b *batch) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	i := &batchInbound{batch: b}
	i.Next = next
	return i
}

type batchInbound struct {
	interceptor.WorkflowInboundInterceptorBase
	batch *batch
}

// ExecuteUpdate implements [interceptor.WorkflowInboundInterceptor].
func (i *batchInbound) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (any, error) {
	i.batch.come++
	if err := workflow.Await(ctx, func() bool { return i.batch.come >= i.batch.size }); err != nil {
		return nil, err
	}
	return i.Next.ExecuteUpdate(ctx, in)
}
