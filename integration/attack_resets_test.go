package integration_test

import (
	"context"
	"testing"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"

	"fileroom/internal/devstack/faultproxy"
	"fileroom/internal/library"
	"fileroom/workflows"
)

// A reset runs a case once more from a point of its history.
type reset struct {
	n      int
	before bool // The approval; else at the end of the history.
	// forget makes Temporal drop what was said after that point. It says it
	// again otherwise.
	forget bool
}

// resets are all of them.
var resets = map[string]reset{
	"to after the approval":                         {n: 0},
	"to before the approval, which is said again":   {n: 1, before: true},
	"to before the approval, which is not kept":     {n: 2, before: true, forget: true},
	"to after the approval, with nothing said kept": {n: 3, forget: true},
}

// run does it, as mallory, and returns when the workflow rests.
func (r reset) run(ctx context.Context, t *testing.T, v *victim) {
	t.Helper()
	request := &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: v.name, WorkflowExecution: &common.WorkflowExecution{WorkflowId: v.release, RunId: v.runOf(ctx, t, v.release)},
		Identity: "mallory", Reason: "because", RequestId: "of-mallory", WorkflowTaskFinishEventId: turn(v.history(ctx, t, v.release), r.before),
	}
	if r.forget {
		request.ResetReapplyExcludeTypes = []enums.ResetReapplyExcludeType{enums.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL, enums.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE}
	}
	if _, err := v.nobody.WorkflowService().ResetWorkflowExecution(ctx, request); err != nil {
		t.Fatalf("reset: %v", err)
	}
}

// turn returns the end of a workflow task: the last, or the one before that in
// which the first update was accepted.
func turn(h *history.History, before bool) int64 {
	var last int64
	for _, e := range h.GetEvents() {
		switch {
		case e.GetEventType() == enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			last = e.GetEventId()
		case before && e.GetWorkflowExecutionUpdateAcceptedEventAttributes() != nil:
			return last // It was accepted in the task that ended here, which is done anew.
		}
	}
	return last
}

// TestAttackByReset runs cases once more that are released already. Nothing is
// sent again, nothing is said by anybody who did not say it, and the requester
// hears nothing new.
func TestAttackByReset(t *testing.T) {
	t.Parallel()
	for name, tt := range resets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := usualInstallation(t)
			ctx := within(t, limit)
			proxy := behind(t, i.dev.Receiver.URL)
			v := newVictim(ctx, t, i, numberAttack+10+tt.n, 3, proxy.URL())
			insist(ctx, t, i.as(ctx, t, "demo-specialist"), v.release, library.Approve, library.ApprovePayload{Revision: v.revision})
			v.wantReleased(ctx, t)
			i.awaitRest(ctx, t, v.release)
			letters := distinct(i.awaitLetters(ctx, t, v.id, 2))
			tt.run(ctx, t, v)
			i.awaitRest(ctx, t, v.release)
			v.wantReleased(ctx, t)
			v.wantSaidBy(ctx, t, "approve by demo-specialist")
			v.wantSentOnce(t, proxy)
			if all, err := i.letters(v.id); err != nil || distinct(all) != letters {
				t.Errorf("the requester has %d letters (%v), want %d", distinct(all), err, letters)
			}
		})
	}
}

// TestAttackByResetOnTheWay runs cases once more whose images are on their way.
func TestAttackByResetOnTheWay(t *testing.T) {
	t.Parallel()
	for name, tt := range resets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := usualInstallation(t)
			ctx := within(t, limit)
			proxy := behind(t, i.dev.Receiver.URL)
			proxy.Set(faultproxy.Faults{Down: true})
			v := newVictim(ctx, t, i, numberAttack+14+tt.n, 3, proxy.URL())
			insist(ctx, t, i.as(ctx, t, "demo-specialist"), v.release, library.Approve, library.ApprovePayload{Revision: v.revision})
			if err := poll(ctx, func() (bool, error) { return proxy.Counts().Retrieves > 0, nil }); err != nil {
				t.Fatalf("waiting for a try: %v", err)
			}
			tt.run(ctx, t, v)
			said := "approve by demo-specialist"
			if tt.before && tt.forget { // It has to be approved anew.
				i.awaitRest(ctx, t, v.release)
				if now, err := i.view(ctx, v.id); err != nil || now.Stage != library.StageReview || now.Approvals != 0 {
					t.Errorf("the case is in %s with %d approvals (%v)", now.Stage, now.Approvals, err)
				}
				proxy.Set(healthy)
				v.wantNothingSent(ctx, t)
				insist(ctx, t, i.as(ctx, t, "demo-lead"), v.release, library.Approve, library.ApprovePayload{Revision: v.revision})
				said += ", approve by demo-lead"
			}
			proxy.Set(healthy)
			// The transfer of the run that was ended may have ended with it, or after the
			// new one was to begin: then staff are told, and must approve again.
			now := await(ctx, t, "an end of the case or of its transfer", func(ctx context.Context) (workflows.CaseView, error) { return i.view(ctx, v.id) },
				func(now workflows.CaseView) bool {
					return now.Outcome != "" || now.Stage == library.StageReview && now.Note != ""
				})
			if now.Outcome == "" {
				t.Log(now.Note)
				insist(ctx, t, i.as(ctx, t, "demo-privacy"), v.release, library.Approve, library.ApprovePayload{Revision: v.revision})
				said += ", approve by demo-privacy"
			}
			v.wantReleased(ctx, t)
			v.wantSaidBy(ctx, t, said)
			v.wantSentOnce(t, proxy)
		})
	}
}

// wantSaidBy fails the test unless exactly these decisions are on record.
func (v *victim) wantSaidBy(ctx context.Context, t *testing.T, want string) {
	t.Helper()
	if on, err := v.store.Decisions(ctx, v.id); err != nil || names(on) != want {
		t.Errorf("on record is %s (%v), want %s", names(on), err, want)
	}
}

func (v *victim) wantSentOnce(t *testing.T, proxy *faultproxy.Proxy) {
	t.Helper()
	for _, sop := range instances(v.ct) {
		if n := proxy.Counts().Sent[sop]; n != 1 {
			t.Errorf("an image was sent %d times", n)
		}
	}
}

// awaitRest waits until a workflow has nothing to do but to wait, or has ended.
func (i *installation) awaitRest(ctx context.Context, t *testing.T, workflow string) {
	t.Helper()
	if err := poll(ctx, func() (bool, error) { return i.rests(ctx, workflow) }); err != nil {
		t.Fatalf("waiting for rest of %s: %v", workflow, err)
	}
}

func (i *installation) rests(ctx context.Context, workflow string) (bool, error) {
	d, err := i.nobody.DescribeWorkflowExecution(ctx, workflow, "")
	if busy(err) {
		return false, nil
	}
	return err == nil && len(d.GetPendingActivities()) == 0 && len(d.GetPendingChildren()) == 0 && d.GetPendingWorkflowTask() == nil, err
}

func (i *installation) runOf(ctx context.Context, t *testing.T, workflow string) string {
	t.Helper()
	d, err := i.nobody.DescribeWorkflowExecution(ctx, workflow, "")
	if err != nil {
		t.Fatal(err)
	}
	return d.GetWorkflowExecutionInfo().GetExecution().GetRunId()
}
