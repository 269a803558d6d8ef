package staff_test

import (
	"context"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"

	"fileroom/internal/library"
	"fileroom/internal/staff"
	"fileroom/internal/staff/stafftest"
)

// wire counts what a client would send. What is signed, and how it arrives, is
// tested with a real server, in internal/web.
type wire struct {
	interceptor.ClientOutboundInterceptorBase
	sent []string
}

func (w *wire) UpdateWorkflow(_ context.Context, in *interceptor.ClientUpdateWorkflowInput) (client.WorkflowUpdateHandle, error) {
	w.sent = append(w.sent, in.UpdateName)
	return nil, nil
}

func (w *wire) SignalWorkflow(_ context.Context, in *interceptor.ClientSignalWorkflowInput) error {
	w.sent = append(w.sent, in.SignalName)
	return nil
}

func (w *wire) SignalWithStartWorkflow(_ context.Context, in *interceptor.ClientSignalWithStartWorkflowInput) (client.WorkflowRun, error) {
	w.sent = append(w.sent, in.SignalName)
	return nil, nil
}

func (w *wire) UpdateWithStartWorkflow(_ context.Context, in *interceptor.ClientUpdateWithStartWorkflowInput) (client.WorkflowUpdateHandle, error) {
	w.sent = append(w.sent, in.UpdateOptions.UpdateName)
	return nil, nil
}

// TestNobodySpeaks has a client that speaks for whoever a context names send
// what it must not.
func TestNobodySpeaks(t *testing.T) {
	t.Parallel()

	signer := stafftest.NewDoor(t, nil).Signer
	start := &client.StartWorkflowOptions{ID: workflowID}
	update := func(args ...any) func(context.Context, interceptor.ClientOutboundInterceptor) error {
		return func(ctx context.Context, out interceptor.ClientOutboundInterceptor) error {
			_, err := out.UpdateWorkflow(ctx, &interceptor.ClientUpdateWorkflowInput{WorkflowID: workflowID, UpdateName: "approve", Args: args})
			return err
		}
	}
	signal := func(name string) func(context.Context, interceptor.ClientOutboundInterceptor) error {
		return func(ctx context.Context, out interceptor.ClientOutboundInterceptor) error {
			return out.SignalWorkflow(ctx, &interceptor.ClientSignalWorkflowInput{WorkflowID: workflowID, SignalName: name, Arg: map[string]string{}})
		}
	}
	signalWithStart := func(name string) func(context.Context, interceptor.ClientOutboundInterceptor) error {
		return func(ctx context.Context, out interceptor.ClientOutboundInterceptor) error {
			_, err := out.SignalWithStartWorkflow(ctx, &interceptor.ClientSignalWithStartWorkflowInput{SignalName: name, Options: start})
			return err
		}
	}
	tests := map[string]struct {
		ctx  context.Context
		send func(context.Context, interceptor.ClientOutboundInterceptor) error
		want string // In the refusal; "" if it is sent.
	}{
		"an update by nobody":              {t.Context(), update(map[string]string{}), "nobody is signed in"},
		"an update by an actor of no name": {staff.WithActor(t.Context(), staff.Actor{Name: "Alice Ng"}), update(map[string]string{}), "nobody is signed in"},
		"an update without an argument":    {staff.WithActor(t.Context(), alice), update(), "one argument"},
		"an update that starts": {staff.WithActor(t.Context(), alice), func(ctx context.Context, out interceptor.ClientOutboundInterceptor) error {
			_, err := out.UpdateWithStartWorkflow(ctx, &interceptor.ClientUpdateWithStartWorkflowInput{UpdateOptions: &client.UpdateWorkflowOptions{UpdateName: "approve"}})
			return err
		}, "starts no workflow"},
		"a signal of the staff's by nobody":   {t.Context(), signal("approve"), "nobody is signed in"},
		"a signal of the program's by nobody": {t.Context(), signal("arrived"), ""},
		"a signal of the staff's that starts": {staff.WithActor(t.Context(), alice), signalWithStart("approve"), "starts no workflow"},
		"one of the program's that starts":    {t.Context(), signalWithStart("arrived"), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			next := new(wire)
			err := tt.send(tt.ctx, staff.ContextInterceptor(signer, "approve").InterceptClient(next))
			switch {
			case tt.want == "" && (err != nil || len(next.sent) != 1 || next.sent[0] != "arrived"):
				t.Errorf("sent %q with error %v", next.sent, err)
			case tt.want != "" && (library.KindOf(err) != library.Invalid || !strings.Contains(err.Error(), tt.want) || len(next.sent) != 0):
				t.Errorf("error %v, want %q; sent %q", err, tt.want, next.sent)
			}
		})
	}
}
