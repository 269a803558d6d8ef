package staff_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"fileroom/internal/library"
	"fileroom/internal/staff"
	"fileroom/internal/staff/stafftest"
)

// A log is what desk, a workflow that listens to staff, was told.
type log []string

// desk takes the update "approve" and its signal twin, the update "typed" whose
// argument cannot be verified, and the program's own signal "arrived". It ends
// with "end".
func desk(ctx workflow.Context) (log, error) {
	var told log
	may := func(ctx workflow.Context, _ json.RawMessage) error {
		who, ok := staff.ActorFrom(ctx)
		if !ok || !who.Actor.Is(staff.Specialist) {
			return errors.New("not by your role")
		}
		return nil
	}
	approve := func(ctx workflow.Context, said json.RawMessage) error {
		who, ok := staff.ActorFrom(ctx)
		told = append(told, fmt.Sprintf("update by %s %t: %s", who.Actor.Subject, ok && who.Header != "", said))
		return nil
	}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, "approve", approve, workflow.UpdateHandlerOptions{Validator: may}); err != nil {
		return nil, err
	}
	typed := func(workflow.Context, struct{ Note string }) error { return nil }
	if err := workflow.SetUpdateHandler(ctx, "typed", typed); err != nil {
		return nil, err
	}
	arrived, end := workflow.GetSignalChannel(ctx, "arrived"), workflow.GetSignalChannel(ctx, "end")
	inbox := staff.InboxFrom(ctx)
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
	})
	for {
		err := workflow.Await(ctx, func() bool { return inbox.Len()+arrived.Len()+end.Len() > 0 })
		if err != nil {
			return told, err
		}
		if m, ok := inbox.Pop(); ok {
			var line string
			if err := workflow.ExecuteActivity(ctx, "OpenMessage", m).Get(ctx, &line); err != nil {
				return told, err
			}
			told = append(told, line)
			continue
		}
		var said json.RawMessage
		if arrived.ReceiveAsync(&said) {
			told = append(told, "arrived: "+string(said))
			continue
		}
		return told, nil
	}
}

// opener opens signals as an activity does.
type opener struct{ verifier *staff.Verifier }

func (o *opener) OpenMessage(ctx context.Context, m staff.Message) (string, error) {
	signed, said, err := o.verifier.OpenSignal(ctx, activity.GetInfo(ctx).WorkflowExecution.ID, m)
	if library.KindOf(err) == library.Invalid {
		return "refused: " + err.Error(), nil
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("signal by %s: %s", signed.Actor.Subject, said), nil
}

func newDesk(tb testing.TB, door *stafftest.Door) *testsuite.TestWorkflowEnvironment {
	tb.Helper()
	env := new(testsuite.WorkflowTestSuite).NewTestWorkflowEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{
		door.Interceptor(), staff.Interceptor(door.Verifier, "approve"),
	}})
	env.RegisterWorkflow(desk)
	env.RegisterActivity(&opener{door.Verifier})
	return env
}

// outcome records what became of an update.
type outcome struct{ rejected, done error }

func (o *outcome) callback() *testsuite.TestUpdateCallback {
	return &testsuite.TestUpdateCallback{
		OnAccept:   func() {},
		OnReject:   func(err error) { o.rejected = err },
		OnComplete: func(_ any, err error) { o.done = err },
	}
}

func TestInterceptor(t *testing.T) {
	t.Parallel()

	viewer := staff.Actor{Subject: "vera@library.example", Roles: []staff.Role{staff.Viewer}}
	door := stafftest.NewDoor(t, map[string]staff.Actor{"u-alice": alice, "u-viewer": viewer, "u-typed": alice, "u-empty": alice})
	env := newDesk(t, door)
	results := map[string]*outcome{}
	update := func(id, name string, args ...any) {
		results[id] = new(outcome)
		env.UpdateWorkflow(name, id, results[id].callback(), args...)
	}
	env.RegisterDelayedCallback(func() {
		update("u-alice", "approve", json.RawMessage(`{"revision":"9f2c"}`))
		update("u-viewer", "approve", json.RawMessage(`{}`))
		update("u-nobody", "approve", json.RawMessage(`{}`))
		update("u-empty", "approve")
		update("u-typed", "typed", struct{ Note string }{"x"})
		env.SignalWorkflow("arrived", json.RawMessage(`"fax"`))
		env.SignalWorkflow("approve", json.RawMessage(`{}`))
		env.SignalWorkflow("approve", []byte("yes")) // Not JSON.
	}, time.Minute)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow("end", nil) }, time.Hour)
	env.ExecuteWorkflow(desk)

	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"u-alice":  "",
		"u-viewer": "not by your role",
		"u-nobody": "nobody signed",
		"u-empty":  "empty",
		"u-typed":  "does not take JSON",
	} {
		if err := results[id].rejected; (want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("update %s: rejected with %v, want %q", id, err, want)
		}
	}
	var told log
	if err := env.GetWorkflowResult(&told); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(told, "\n")
	for _, want := range []string{
		`update by alice@library.example true: {"revision":"9f2c"}`,
		`arrived: "fax"`,
		"refused: approve default-test-workflow-id: nobody signed",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the case was not told %q, but\n%s", want, text)
		}
	}
	if len(told) != 4 {
		t.Errorf("the case was told %d things, want 4:\n%s", len(told), text)
	}
}

func TestSignedSignalReachesTheInbox(t *testing.T) {
	t.Parallel()

	door := stafftest.NewDoor(t, map[string]staff.Actor{"approve": bob})
	env := newDesk(t, door)
	env.RegisterDelayedCallback(func() {
		env.SignalWorkflow("approve", json.RawMessage(`{"revision":"9f2c"}`))
	}, 0) // Before the workflow's first task.
	env.RegisterDelayedCallback(func() { env.SignalWorkflow("end", nil) }, time.Hour)
	env.ExecuteWorkflow(desk)

	var told log
	if err := errors.Join(env.GetWorkflowError(), env.GetWorkflowResult(&told)); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0] != `signal by bob@library.example: {"revision":"9f2c"}` {
		t.Errorf("the case was told %q", told)
	}
}

func TestInboxWithoutInterceptor(t *testing.T) {
	t.Parallel()

	env := new(testsuite.WorkflowTestSuite).NewTestWorkflowEnvironment()
	env.ExecuteWorkflow(func(ctx workflow.Context) (int, error) {
		_, who := staff.ActorFrom(ctx)
		_, some := staff.InboxFrom(ctx).Pop()
		if who || some {
			return 0, errors.New("somebody spoke")
		}
		return staff.InboxFrom(ctx).Len(), nil
	})
	if err := env.GetWorkflowError(); err != nil {
		t.Error(err)
	}
}
