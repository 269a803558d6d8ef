package staff

import (
	"context"
	"encoding/json"
	"slices"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"

	"fileroom/internal/library"
)

// ClientInterceptor returns the interceptor for a Temporal client through which
// one person speaks, such as the command line's: it signs every update, and the
// signals named, for actor.
func ClientInterceptor(s Signer, actor Actor, signals ...string) interceptor.ClientInterceptor {
	return &clientInterceptor{signer: s, who: func(context.Context) Actor { return actor }, signals: slices.Clone(signals)}
}

// ContextInterceptor returns the interceptor for a Temporal client through which
// many people speak, such as that of their pages: it signs every update, and
// the signals named, for whoever [WithActor] named in the context of the call.
// When it names nobody they are [library.Invalid], and nothing is sent.
//
// What starts a workflow with an update, or with a signal of those named, is
// refused: staff speak to cases that there are.
func ContextInterceptor(s Signer, signals ...string) interceptor.ClientInterceptor {
	return &clientInterceptor{signer: s, who: actorIn, signals: slices.Clone(signals), noStart: true}
}

type actorKey struct{}

// WithActor returns a context in which actor speaks through a client with the
// [ContextInterceptor]. The caller has found out who it is: a page from the
// session, and never from what a browser says.
func WithActor(ctx context.Context, actor Actor) context.Context {
	actor.Roles = slices.Clone(actor.Roles)
	return context.WithValue(ctx, actorKey{}, actor)
}

// actorIn returns whom [WithActor] named, or nobody.
func actorIn(ctx context.Context) Actor {
	actor, _ := ctx.Value(actorKey{}).(Actor)
	return actor
}

type clientInterceptor struct {
	interceptor.ClientInterceptorBase
	signer  Signer
	who     func(context.Context) Actor
	signals []string
	noStart bool
}

// InterceptClient implements [interceptor.ClientInterceptor].
func (c *clientInterceptor) InterceptClient(next interceptor.ClientOutboundInterceptor) interceptor.ClientOutboundInterceptor {
	i := &outbound{signing: c}
	i.Next = next
	return i
}

type outbound struct {
	interceptor.ClientOutboundInterceptorBase
	signing *clientInterceptor
}

// UpdateWorkflow implements [interceptor.ClientOutboundInterceptor].
func (o *outbound) UpdateWorkflow(ctx context.Context, in *interceptor.ClientUpdateWorkflowInput) (client.WorkflowUpdateHandle, error) {
	if len(in.Args) != 1 {
		return nil, library.Errorf(library.Invalid, "sign "+in.UpdateName, in.WorkflowID, "an update takes one argument")
	}
	signed, err := o.signing.sign(ctx, in.WorkflowID, in.UpdateName, in.Args[0])
	if err != nil {
		return nil, err
	}
	out := *in
	out.Args = []any{signed}
	return o.Next.UpdateWorkflow(ctx, &out)
}

// SignalWorkflow implements [interceptor.ClientOutboundInterceptor].
func (o *outbound) SignalWorkflow(ctx context.Context, in *interceptor.ClientSignalWorkflowInput) error {
	if !slices.Contains(o.signing.signals, in.SignalName) {
		return o.Next.SignalWorkflow(ctx, in)
	}
	signed, err := o.signing.sign(ctx, in.WorkflowID, in.SignalName, in.Arg)
	if err != nil {
		return err
	}
	out := *in
	out.Arg = signed
	return o.Next.SignalWorkflow(ctx, &out)
}

// SignalWithStartWorkflow implements [interceptor.ClientOutboundInterceptor].
func (o *outbound) SignalWithStartWorkflow(ctx context.Context, in *interceptor.ClientSignalWithStartWorkflowInput) (client.WorkflowRun, error) {
	if o.signing.noStart && slices.Contains(o.signing.signals, in.SignalName) {
		return nil, library.Errorf(library.Invalid, "sign "+in.SignalName, in.Options.ID, "a message of the staff's starts no workflow")
	}
	return o.Next.SignalWithStartWorkflow(ctx, in)
}

// UpdateWithStartWorkflow implements [interceptor.ClientOutboundInterceptor].
func (o *outbound) UpdateWithStartWorkflow(ctx context.Context, in *interceptor.ClientUpdateWithStartWorkflowInput) (client.WorkflowUpdateHandle, error) {
	if o.signing.noStart {
		return nil, library.Errorf(library.Invalid, "sign "+in.UpdateOptions.UpdateName, in.UpdateOptions.WorkflowID, "a message of the staff's starts no workflow")
	}
	return o.Next.UpdateWithStartWorkflow(ctx, in)
}

// sign puts a header for arg into the header that ctx carries, and returns arg
// as the JSON that was signed.
func (c *clientInterceptor) sign(ctx context.Context, workflowID, message string, arg any) (json.RawMessage, error) {
	payload, err := json.Marshal(arg)
	if err != nil {
		return nil, library.Errorf(library.Invalid, "sign "+message, workflowID, "the message cannot be written as JSON")
	}
	text, err := c.signer.Sign(c.who(ctx), workflowID, message, payload)
	if err != nil {
		return nil, err
	}
	interceptor.Header(ctx)[HeaderName] = HeaderPayload(text)
	return payload, nil
}
