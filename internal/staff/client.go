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
	return &clientInterceptor{signer: s, actor: actor, signals: slices.Clone(signals)}
}

type clientInterceptor struct {
	interceptor.ClientInterceptorBase
	signer  Signer
	actor   Actor
	signals []string
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

// sign puts a header for arg into the header that ctx carries, and returns arg
// as the JSON that was signed.
func (c *clientInterceptor) sign(ctx context.Context, workflowID, message string, arg any) (json.RawMessage, error) {
	payload, err := json.Marshal(arg)
	if err != nil {
		return nil, library.Errorf(library.Invalid, "sign "+message, workflowID, "the message cannot be written as JSON")
	}
	text, err := c.signer.Sign(c.actor, workflowID, message, payload)
	if err != nil {
		return nil, err
	}
	interceptor.Header(ctx)[HeaderName] = HeaderPayload(text)
	return payload, nil
}
