package staff

import (
	"encoding/json"
	"slices"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"

	"fileroom/internal/library"
)

// A Message is a signal from somebody of the staff, as it came. Nothing in it
// is believed, or even decoded: that is for [Verifier.OpenSignal] in an
// activity, so that a worker which lacks a key, and one which has it, replay
// alike. It may be an activity's parameter: what was encrypted still is.
type Message struct {
	Name   string `json:"name"`
	Sealed []byte `json:"sealed"`           // The payloads: a marshalled temporal.api.common.v1.Payloads.
	Header string `json:"header,omitempty"` // The text of [HeaderName], or "".
}

// An Inbox holds a workflow's messages from staff, in the order they came. It
// is for workflow code, which may wait for it:
//
//	err := workflow.Await(ctx, func() bool { return inbox.Len() > 0 })
//
// A workflow that ends or continues as new has to empty it first, as it has to
// drain its signal channels.
type Inbox struct{ messages []Message }

// Len returns how many messages wait.
func (b *Inbox) Len() int { return len(b.messages) }

// Pop takes out the message that waits longest. It returns false if none does.
func (b *Inbox) Pop() (Message, bool) {
	if len(b.messages) == 0 {
		return Message{}, false
	}
	m := b.messages[0]
	b.messages = b.messages[1:]
	return m, true
}

type (
	inboxKey  struct{}
	signedKey struct{}
)

// InboxFrom returns the inbox of the running workflow. Without the [Interceptor]
// there is none, and what it returns stays empty.
func InboxFrom(ctx workflow.Context) *Inbox {
	if b, ok := ctx.Value(inboxKey{}).(*Inbox); ok {
		return b
	}
	return new(Inbox)
}

// ActorFrom returns who sent the update whose validator or handler runs with
// ctx. In a validator it has just been verified. In a handler it was, before
// the update was accepted.
func ActorFrom(ctx workflow.Context) (Signed, bool) {
	s, ok := ctx.Value(signedKey{}).(Signed)
	return s, ok
}

// Interceptor returns the worker interceptor that lets no update reach a
// workflow unless v verifies it, and puts the signals named, the twins of
// updates, into the workflow's [Inbox] instead of their channels. Other signals
// are the program's own and pass.
//
// Every update must take exactly one argument, a [json.RawMessage]: only the
// bytes that came can be verified.
func Interceptor(v *Verifier, signals ...string) interceptor.WorkerInterceptor {
	return &workerInterceptor{verifier: v, signals: slices.Clone(signals)}
}

type workerInterceptor struct {
	interceptor.WorkerInterceptorBase
	verifier *Verifier
	signals  []string
}

// InterceptWorkflow implements [interceptor.WorkerInterceptor]. It is called
// once for every execution that the worker holds.
func (w *workerInterceptor) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	i := &workflowInterceptor{worker: w, inbox: new(Inbox)}
	i.Next = next
	return i
}

type workflowInterceptor struct {
	interceptor.WorkflowInboundInterceptorBase
	worker *workerInterceptor
	inbox  *Inbox
}

// ExecuteWorkflow implements [interceptor.WorkflowInboundInterceptor].
func (i *workflowInterceptor) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	return i.Next.ExecuteWorkflow(workflow.WithValue(ctx, inboxKey{}, i.inbox), in)
}

// HandleSignal implements [interceptor.WorkflowInboundInterceptor].
func (i *workflowInterceptor) HandleSignal(ctx workflow.Context, in *interceptor.HandleSignalInput) error {
	if !slices.Contains(i.worker.signals, in.SignalName) {
		return i.Next.HandleSignal(ctx, in)
	}
	// What cannot be marshalled did not come from Temporal; the activity that
	// opens the message says that it is empty.
	sealed, _ := proto.MarshalOptions{Deterministic: true}.Marshal(in.Arg)
	i.inbox.messages = append(i.inbox.messages, Message{Name: in.SignalName, Sealed: sealed, Header: headerOf(ctx)})
	return nil
}

// ValidateUpdate implements [interceptor.WorkflowInboundInterceptor]. It does
// not run in a replay.
func (i *workflowInterceptor) ValidateUpdate(ctx workflow.Context, in *interceptor.UpdateInput) error {
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	payload, err := argument(id, in)
	if err != nil {
		return err
	}
	signed, err := i.worker.verifier.Verify(headerOf(ctx), id, in.Name, payload)
	if err != nil {
		return err
	}
	return i.Next.ValidateUpdate(workflow.WithValue(ctx, signedKey{}, signed), in)
}

// ExecuteUpdate implements [interceptor.WorkflowInboundInterceptor]. What it
// executes was accepted by ValidateUpdate, now or before a replay.
func (i *workflowInterceptor) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (any, error) {
	text := headerOf(ctx)
	if _, st, ok := parse(text); ok {
		ctx = workflow.WithValue(ctx, signedKey{}, Signed{Statement: st, Header: text})
	}
	return i.Next.ExecuteUpdate(ctx, in)
}

// argument returns the JSON that an update came with.
func argument(id string, in *interceptor.UpdateInput) ([]byte, error) {
	if len(in.Args) == 1 {
		switch arg := in.Args[0].(type) {
		case json.RawMessage:
			return canonical(in.Name, id, arg)
		case converter.RawValue:
			return jsonOf(in.Name, id, arg.Payload())
		}
	}
	return nil, library.Errorf(library.Invalid, in.Name, id, "its handler does not take JSON as it came, so nobody can be trusted to have sent it")
}

// headerOf returns the text of the statement that a signal or update brought.
func headerOf(ctx workflow.Context) string {
	return HeaderText(interceptor.WorkflowHeader(ctx)[HeaderName])
}
