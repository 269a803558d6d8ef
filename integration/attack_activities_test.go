package integration_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"

	"fileroom/activities"
	"fileroom/internal/library"
	"fileroom/workflows"
)

// TestAttackByActivities calls the program's activities from a workflow of the
// attacker's own, with parameters of its own.
func TestAttackByActivities(t *testing.T) {
	t.Parallel()
	i := usualInstallation(t)
	ctx := within(t, limit)
	v := newVictim(ctx, t, i, numberAttack+40, 3, i.dev.Receiver.URL)
	other := newVictim(ctx, t, i, numberAttack+41, 3, i.dev.Receiver.URL)
	door := activities.OpenReleaseParams{Case: v.id, Revision: v.revision, Facility: v.place.ID}
	doors := []tool{
		newTool("OpenRelease", workflows.TaskQueue, door),
		newTool("SendStudies", workflows.ImagingQueue, activities.SendStudiesParams(door)),
	}
	decision := func(header string, by library.Actor, nonce string, said []byte) tool {
		return newTool("RecordDecision", workflows.TaskQueue, activities.RecordDecisionParams{
			Case: v.id, Workflow: v.release, Message: library.Approve, Payload: said, At: time.Now(),
			Signed: activities.Signed{Actor: by, Nonce: nonce, Header: header},
		})
	}
	priya := i.person(t, "demo-privacy")
	viewer := library.Actor{Subject: "viewer", Name: "Vi Ewer", Roles: []library.Role{library.RoleViewer}}
	forged := sign(t, i.forger(t), priya, v.release, library.Approve, v.approval())
	low := sign(t, i.signer(t), viewer, v.release, library.Approve, v.approval())
	elsewhere := sign(t, i.signer(t), priya, other.release, library.Approve, v.approval())
	rogue := i.newRogue(t)
	for name, said := range map[string]tool{
		"nothing is recorded":                  {},
		"nobody's decision is recorded":        decision("", priya, "nonce", v.approval()),
		"a forged decision is recorded":        decision(forged, priya, nonceOf(t, forged), v.approval()),
		"a viewer's decision is recorded":      decision(low, priya, nonceOf(t, low), v.approval()),
		"what was said elsewhere is recorded":  decision(elsewhere, priya, nonceOf(t, elsewhere), v.approval()),
		"another's nonce is recorded with one": decision(elsewhere, priya, "nonce", v.approval()),
	} {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // They are attacks on one case.
			tools := doors
			if said.Name != "" {
				tools = append([]tool{said}, doors...)
			}
			t.Log(rogue.run(ctx, t, tools...))
			v.wantUnmovedOnRecord(ctx, t)
		})
	}
	v.wantReleasable(ctx, t)
	other.wantUnmoved(ctx, t, 0, 0)
}

// TestAttackByRefusedApprovals takes real approvals out of the history, which
// were refused, and puts them on record as if they had been heard, once the
// reason is gone: somebody says one thing, and another is made of it.
func TestAttackByRefusedApprovals(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		n       int
		letter  variant
		before  func(ctx context.Context, t *testing.T, v *victim) // What hinders the approval.
		says    string
		after   func(ctx context.Context, t *testing.T, v *victim) // What takes it away.
		decided int                                                // Decisions by then.
	}{
		"on hold": {n: 42, letter: plain, says: "on hold", decided: 2, before: func(ctx context.Context, t *testing.T, v *victim) {
			insist(ctx, t, v.as(ctx, t, "demo-lead"), v.release, library.Hold, library.ReasonPayload{Reason: "the patient called"})
		}, after: func(ctx context.Context, t *testing.T, v *victim) {
			insist(ctx, t, v.as(ctx, t, "demo-lead"), v.release, library.Resume, library.ReasonPayload{Reason: "it was a misunderstanding"})
		}},
		"with a finding open": {n: 43, letter: withZip, says: "still open", decided: 1, before: func(context.Context, *testing.T, *victim) {}, after: func(ctx context.Context, t *testing.T, v *victim) {
			insist(ctx, t, v.as(ctx, t, "demo-privacy"), v.release, library.Acknowledged, library.AcknowledgePayload{Finding: "IN-06", Reason: "seen"})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := usualInstallation(t)
			ctx := within(t, limit)
			v := bringIntoReview(ctx, t, i, invent(numberAttack+tt.n), tt.letter).victim
			tt.before(ctx, t, v)
			dana := v.person(t, "demo-specialist")
			text := sign(t, v.signer(t), dana, v.release, library.Approve, v.approval())
			r := raw{to: v.release, message: library.Approve, payloads: v.sealed(t, v.approval()), header: header(text)}
			if told := v.signal(ctx, t, v.id, r); !strings.Contains(told, tt.says) {
				t.Errorf("of the approval it tells %q, want %q", told, tt.says)
			}
			was := v.revision
			tt.after(ctx, t, v)
			v.settled(ctx, t, "a case that goes on", func(now workflows.CaseView) bool { return !now.Held })
			if v.revision != was {
				t.Fatal("the case has changed, so that the approval is worth nothing anyway")
			}
			door := activities.OpenReleaseParams{Case: v.id, Revision: v.revision, Facility: v.place.ID}
			t.Log(i.newRogue(t).run(ctx, t,
				newTool("RecordDecision", workflows.TaskQueue, activities.RecordDecisionParams{
					Case: v.id, Workflow: v.release, Message: library.Approve, Payload: v.approval(), At: time.Now(),
					Signed: activities.Signed{Actor: dana, Nonce: nonceOf(t, text), Header: text},
				}),
				newTool("OpenRelease", workflows.TaskQueue, door), newTool("SendStudies", workflows.ImagingQueue, activities.SendStudiesParams(door)),
			))
			v.wantUnmoved(ctx, t, tt.decided, 0)
			v.wantReleasable(ctx, t)
		})
	}
}

// wantUnmovedOnRecord is [victim.wantUnmoved] where nothing was said at all.
func (v *victim) wantUnmovedOnRecord(ctx context.Context, t *testing.T) {
	t.Helper()
	v.wantUnmoved(ctx, t, 0, 0)
	if _, err := v.store.Release(ctx, v.id, v.revision, v.place.ID); library.KindOf(err) != library.NotFound {
		t.Errorf("a release is open (%v)", err)
	}
	v.wantDisclosures(ctx, t, v.id, 0)
}

// TestAttackByResult answers for the activity that opens the last door, while it
// is at work, that the door is open.
func TestAttackByResult(t *testing.T) {
	t.Parallel()
	i := usualInstallation(t)
	ctx := within(t, limit)
	v := newVictim(ctx, t, i, numberAttack+50, 3, i.dev.Receiver.URL)
	// The directory changes, so that what is approved next is not what would go.
	moved := v.place
	moved.Aliases = []string{"Elsewhere"}
	if err := i.store.SaveFacility(ctx, moved); err != nil {
		t.Fatal(err)
	}
	release := i.lock(ctx, t, v.id)
	insist(ctx, t, i.as(ctx, t, "demo-specialist"), v.release, library.Approve, library.ApprovePayload{Revision: v.revision})
	pending := i.awaitPending(ctx, t, v.release, "OpenRelease")
	_, err := i.nobody.WorkflowService().RespondActivityTaskCompletedById(ctx, &workflowservice.RespondActivityTaskCompletedByIdRequest{
		Namespace: i.name, WorkflowId: v.release, RunId: i.runOf(ctx, t, v.release), ActivityId: pending, Result: i.sealed(t, []byte("{}")), Identity: "mallory",
	})
	if err != nil {
		t.Fatal(err)
	}
	err = i.nobody.GetWorkflow(ctx, i.awaitChild(ctx, t, v.id), "").Get(ctx, nil)
	if err == nil {
		t.Error("the transfer ends well")
	}
	v.wantNothingSent(ctx, t)
	release()
	v.settled(ctx, t, "a case in review", func(now workflows.CaseView) bool { return now.Revision != v.revision })
	v.wantUnmoved(ctx, t, 1, 0)
	v.wantReleasable(ctx, t)
}

// lock keeps the program from writing where a case stands, until it is called.
func (i *installation) lock(ctx context.Context, t *testing.T, id library.CaseID) (release func()) {
	t.Helper()
	tx, err := i.pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	end := func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }
	t.Cleanup(end)
	if _, err := tx.Exec(ctx, `SELECT FROM fileroom.cases WHERE id = $1 FOR NO KEY UPDATE`, id); err != nil {
		t.Fatal(err)
	}
	return end
}

// awaitPending waits until a workflow waits for an activity, and returns its id.
func (i *installation) awaitPending(ctx context.Context, t *testing.T, workflow, activity string) string {
	t.Helper()
	return await(ctx, t, "the activity "+activity, func(ctx context.Context) (string, error) {
		d, err := i.nobody.DescribeWorkflowExecution(ctx, workflow, "")
		if err != nil {
			return "", err
		}
		for _, a := range d.GetPendingActivities() {
			if a.GetActivityType().GetName() == activity {
				return a.GetActivityId(), nil
			}
		}
		return "", nil
	}, func(id string) bool { return id != "" })
}

// awaitChild waits until a case's first transfer has begun, and returns its id.
func (i *installation) awaitChild(ctx context.Context, t *testing.T, id library.CaseID) string {
	t.Helper()
	child := workflows.TransferID(id, 1)
	err := poll(ctx, func() (bool, error) {
		_, err := i.nobody.DescribeWorkflowExecution(ctx, child, "")
		return err == nil, ctx.Err()
	})
	if err != nil {
		t.Fatalf("waiting for %s: %v", child, err)
	}
	return child
}
