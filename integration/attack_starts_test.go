package integration_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"fileroom/internal/devstack/faultproxy"
	"fileroom/internal/library"
	"fileroom/workflows"
)

// begin starts one of the program's own workflows, as anybody can who reaches
// Temporal.
func (i *installation) begin(ctx context.Context, t *testing.T, id string, workflow, params any, more ...func(*client.StartWorkflowOptions)) client.WorkflowRun {
	t.Helper()
	o := client.StartWorkflowOptions{ID: id, TaskQueue: workflows.TaskQueue}
	for _, change := range more {
		change(&o)
	}
	run, err := i.nobody.ExecuteWorkflow(ctx, o, workflow, params)
	if err != nil {
		t.Fatalf("start %s: %v", id, err)
	}
	return run
}

// terminate ends what an attacker started.
func (i *installation) terminate(ctx context.Context, t *testing.T, id string) {
	t.Helper()
	if err := i.nobody.TerminateWorkflow(ctx, id, "", "an attack"); err != nil {
		t.Errorf("terminate %s: %v", id, err)
	}
}

// transferOf are the parameters of a transfer of a case.
func (v *victim) transferOf(n int) workflows.TransferParams {
	return workflows.TransferParams{Case: v.id, Number: n, Revision: v.revision, Facility: v.place.ID, Images: len(instances(v.ct))}
}

// releaseOf are the parameters of the workflow of a case.
func (v *victim) releaseOf() workflows.ReleaseParams {
	return workflows.ReleaseParams{Case: v.id, Channel: library.ChannelMail, ReceivedAt: time.Now()}
}

// TestAttackByStart starts the program's workflows for a case that nobody has
// approved.
func TestAttackByStart(t *testing.T) {
	t.Parallel()
	i := usualInstallation(t)
	ctx := within(t, limit)
	v := newVictim(ctx, t, i, numberAttack+20, 3, i.dev.Receiver.URL)

	t.Run("a transfer out of nothing", func(t *testing.T) { //nolint:paralleltest // They are attacks on one case.
		for _, id := range []string{workflows.TransferID(v.id, 1), "transfer/of-mine"} {
			err := i.begin(ctx, t, id, workflows.Transfer, v.transferOf(1)).Get(ctx, nil)
			if err == nil {
				t.Errorf("%s ends well", id)
			}
			v.wantUnmoved(ctx, t, 0, 0)
		}
	})
	t.Run("a case of another name, spoken to by somebody who may", func(t *testing.T) { //nolint:paralleltest // They are attacks on one case.
		const forged = "release/forged"
		i.begin(ctx, t, forged, workflows.Release, v.releaseOf())
		defer i.terminate(ctx, t, forged)
		await(ctx, t, "the forged case", func(ctx context.Context) (workflows.CaseView, error) { return i.viewOf(ctx, forged) },
			func(now workflows.CaseView) bool { return now.Stage == library.StageReview })
		r := raw{to: forged, message: library.Approve, payloads: i.sealed(t, v.approval())}
		r.header = header(sign(t, i.signer(t), i.person(t, "demo-specialist"), forged, library.Approve, v.approval()))
		if err := i.update(ctx, t, r); err == nil {
			t.Error("what was said to another workflow is heard")
		}
		v.wantUnmoved(ctx, t, 0, 0)
	})
	t.Run("a signal with the start", func(t *testing.T) { //nolint:paralleltest // They are attacks on one case.
		const forged = "release/forged-with-signal"
		for _, id := range []string{forged, v.release} {
			_, err := i.nobody.SignalWithStartWorkflow(ctx, id, string(library.Approve), library.ApprovePayload{Revision: v.revision},
				client.StartWorkflowOptions{TaskQueue: workflows.TaskQueue}, workflows.Release, v.releaseOf())
			if err != nil {
				t.Fatal(err)
			}
			i.awaitSignals(ctx, t, id)
			if told, err := i.viewOf(ctx, id); err != nil || !strings.Contains(told.Refused, "nobody signed") {
				t.Errorf("%s tells %q (%v)", id, told.Refused, err)
			}
		}
		i.terminate(ctx, t, forged)
		v.wantUnmoved(ctx, t, 0, 0)
	})
	t.Run("an update with the start", func(t *testing.T) { //nolint:paralleltest // They are attacks on one case.
		const forged = "release/forged-with-update"
		for _, id := range []string{forged, v.release} {
			start := i.nobody.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
				ID: id, TaskQueue: workflows.TaskQueue, WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
			}, workflows.Release, v.releaseOf())
			handle, err := i.nobody.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
				StartWorkflowOperation: start,
				UpdateOptions: client.UpdateWorkflowOptions{
					WorkflowID: id, UpdateName: string(library.Approve), WaitForStage: client.WorkflowUpdateStageCompleted,
					Args: []any{library.ApprovePayload{Revision: v.revision}},
				},
			})
			if err == nil {
				err = handle.Get(ctx, nil)
			}
			if err == nil || !strings.Contains(err.Error(), "nobody signed") {
				t.Errorf("%s: %v", id, err)
			}
		}
		i.terminate(ctx, t, forged)
		v.wantUnmoved(ctx, t, 0, 0)
	})
	t.Run("the case ended, and begun again", func(t *testing.T) { //nolint:paralleltest // They are attacks on one case.
		old := i.runOf(ctx, t, v.release)
		i.begin(ctx, t, v.release, workflows.Release, v.releaseOf(), func(o *client.StartWorkflowOptions) {
			o.WorkflowIDConflictPolicy = enums.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
		})
		if i.runOf(ctx, t, v.release) == old {
			t.Fatal("it was not begun again")
		}
		v.settled(ctx, t, "the case anew", func(workflows.CaseView) bool { return true })
		if err := i.update(ctx, t, raw{to: v.release, message: library.Approve, payloads: i.sealed(t, v.approval())}); err == nil {
			t.Error("nobody's approval is heard")
		}
		v.wantUnmoved(ctx, t, 0, 0)
	})
	v.wantReleasable(ctx, t)
}

// viewOf is [installation.view] for a workflow of any name.
func (i *installation) viewOf(ctx context.Context, workflow string) (workflows.CaseView, error) {
	var v workflows.CaseView
	answer, err := i.nobody.QueryWorkflow(ctx, workflow, "", workflows.CaseQuery)
	if err != nil {
		return v, err
	}
	return v, answer.Get(&v)
}

// TestAttackOnWhatWasStopped starts a transfer of a case whose images were
// approved, and then stopped by staff before the first had left.
func TestAttackOnWhatWasStopped(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		n    int
		stop library.Message
		by   string
		then library.Stage
	}{
		"withdrawn": {31, library.Withdraw, "demo-specialist", library.StageClosed},
		"held":      {32, library.Hold, "demo-lead", library.StageReview},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := usualInstallation(t)
			ctx := within(t, limit)
			proxy := behind(t, i.dev.Receiver.URL)
			v := newVictim(ctx, t, i, numberAttack+tt.n, 3, proxy.URL())
			proxy.Set(faultproxy.Faults{Down: true})
			i.approve(ctx, t, v.id)
			err := poll(ctx, func() (bool, error) { return proxy.Counts().Retrieves > 0, nil })
			if err != nil {
				t.Fatalf("waiting for a try: %v", err)
			}
			insist(ctx, t, i.as(ctx, t, tt.by), v.release, tt.stop, library.ReasonPayload{Reason: "the patient called"})
			i.awaitStage(ctx, t, v.id, tt.then)
			proxy.Set(healthy)
			_ = i.begin(ctx, t, workflows.TransferID(v.id, 2), workflows.Transfer, v.transferOf(2)).Get(ctx, nil)
			v.wantNothingSent(ctx, t)
			if tt.stop == library.Hold {
				insist(ctx, t, i.as(ctx, t, tt.by), v.release, library.Resume, library.ReasonPayload{Reason: "all is well"})
				v.settled(ctx, t, "a case that goes on", func(now workflows.CaseView) bool { return !now.Held })
				v.wantReleasable(ctx, t)
			}
		})
	}
}
