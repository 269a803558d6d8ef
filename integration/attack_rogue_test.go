package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"fileroom/activities"
	"fileroom/internal/library"
	"fileroom/internal/staff"
	"fileroom/workers"
	"fileroom/workflows"
)

// A rogue has got into the network, and into the keys of the payloads, and has
// workflows of its own.
type rogue struct {
	*installation
	queue string
}

// A tool is an activity that an attacker calls for its effect.
type tool struct {
	Name   string          `json:"name"`
	Queue  string          `json:"queue"`
	Params json.RawMessage `json:"params"`
}

func newTool(name, queue string, params any) tool {
	return tool{Name: name, Queue: queue, Params: encoded(params)}
}

// callTools is a workflow of the attacker's own, which calls the activities of
// the program, one after the other, and returns what each of them says.
func callTools(ctx workflow.Context, tools []tool) ([]string, error) {
	var said []string
	for _, one := range tools {
		ctx := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			TaskQueue: one.Queue, StartToCloseTimeout: time.Minute, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
		})
		var result json.RawMessage
		err := workflow.ExecuteActivity(ctx, one.Name, one.Params).Get(ctx, &result)
		said = append(said, fmt.Sprintf("%s: %s %v", one.Name, result, err))
	}
	return said, nil
}

// newRogue starts a worker for the attacker's own workflow.
func (i *installation) newRogue(t *testing.T) *rogue {
	t.Helper()
	r := &rogue{installation: i, queue: "rogue of " + t.Name()}
	w := worker.New(i.nobody, r.queue, worker.Options{})
	w.RegisterWorkflowWithOptions(callTools, workflow.RegisterOptions{Name: "CallTools"})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	return r
}

// run calls activities and returns what they said.
func (r *rogue) run(ctx context.Context, t *testing.T, tools ...tool) []string {
	t.Helper()
	run, err := r.nobody.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: r.queue}, "CallTools", tools)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	if err := run.Get(ctx, &said); err != nil {
		t.Fatal(err)
	}
	return said
}

// A liar is a worker of the attacker's, which polls the queue of the true one:
// it runs the program's workflows, believes signatures of its own, and claims
// that activities were done which were not.
type liar struct {
	worker worker.Worker
	signer staff.Signer
	// honest are the cases whose last door it leaves to the true worker.
	honest map[library.CaseID]bool
	came   chan library.CaseID // That such a case has come to its last door.
}

// errLater makes Temporal try again, with whatever worker there is then.
var errLater = errors.New("later")

// newLiar starts it. The true worker must have stopped.
func (i *installation) newLiar(t *testing.T, honest ...library.CaseID) *liar {
	t.Helper()
	l := &liar{signer: i.forger(t), honest: map[library.CaseID]bool{}, came: make(chan library.CaseID, 16)}
	for _, id := range honest {
		l.honest[id] = true
	}
	v := &staff.Verifier{Keys: staff.PublicKeys{l.signer.Key.Public()}, Digests: l.signer.Digests}
	l.worker = worker.New(i.nobody, workflows.TaskQueue, worker.Options{Interceptors: workers.Interceptors(v)})
	l.worker.RegisterWorkflow(workflows.Release)
	l.worker.RegisterWorkflow(workflows.Transfer)
	say := func(name string, f any) {
		l.worker.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
	say("RecordDecision", func(context.Context, activities.RecordDecisionParams) (activities.RecordDecisionResult, error) {
		return activities.RecordDecisionResult{}, nil
	})
	say("MoveCase", func(context.Context, activities.MoveCaseParams) (activities.MoveCaseResult, error) {
		return activities.MoveCaseResult{}, nil
	})
	say("OpenRelease", func(_ context.Context, p activities.OpenReleaseParams) (activities.OpenReleaseResult, error) {
		if !l.honest[p.Case] {
			return activities.OpenReleaseResult{}, nil
		}
		select {
		case l.came <- p.Case:
		default: // It has said so.
		}
		return activities.OpenReleaseResult{}, errLater
	})
	if err := l.worker.Start(); err != nil {
		t.Fatal(err)
	}
	return l
}

// TestAttackByWorker lets an attacker's worker answer in the place of the true
// one: it hears approvals that nobody gave, and claims that they are on record
// and that the last door is open. Then the true worker goes on with what it
// finds.
func TestAttackByWorker(t *testing.T) {
	t.Parallel()
	s := servers(t)
	ctx := within(t, limit)
	i := s.own(ctx, t, "liar", nil)
	sent := newVictim(ctx, t, i, numberAttack+60, 3, i.dev.Receiver.URL)
	door := newVictim(ctx, t, i, numberAttack+61, 3, i.dev.Receiver.URL)
	if err := i.worker.stop(ctx); err != nil {
		t.Fatalf("stop the worker: %v", err)
	}
	l := i.newLiar(t, door.id)
	for _, v := range []*victim{sent, door} {
		said := v.approval()
		r := raw{to: v.release, message: library.Approve, payloads: i.sealed(t, said)}
		r.header = header(sign(t, l.signer, i.person(t, "demo-privacy"), v.release, library.Approve, said))
		if err := i.update(ctx, t, r); err != nil {
			t.Fatalf("the attacker's worker does not hear the attacker: %v", err)
		}
	}
	i.awaitPending(ctx, t, i.awaitChild(ctx, t, sent.id), "SendStudies")
	select {
	case <-l.came:
	case <-ctx.Done():
		t.Fatal("the case did not come to its last door")
	}
	l.worker.Stop()
	if err := i.startWorker(ctx); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]*victim{"the door was said to be open": sent, "the approval was said to be on record": door} {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // It is soon done.
			v.settled(ctx, t, "a case in review", func(now workflows.CaseView) bool { return now.Approvals == 0 && now.Note != "" })
			v.wantUnmoved(ctx, t, 0, 0)
			v.wantReleasable(ctx, t)
		})
	}
}

// nonceOf returns the nonce in a header.
func nonceOf(t *testing.T, text string) string {
	t.Helper()
	var h struct {
		Statement []byte `json:"statement"`
	}
	var st struct {
		Nonce string `json:"nonce"`
	}
	if err := errors.Join(json.Unmarshal([]byte(text), &h), json.Unmarshal(h.Statement, &st)); err != nil {
		t.Fatal(err)
	}
	return st.Nonce
}
