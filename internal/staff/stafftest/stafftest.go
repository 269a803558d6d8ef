// Package stafftest signs messages in tests of workflows. Temporal's test
// environment sends no headers, so [Door.Interceptor] puts them in on the
// worker's side, right before the production interceptor, which then verifies
// them as ever:
//
//	door := stafftest.NewDoor(t, map[string]staff.Actor{"u-1": alice, "": bob})
//	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{
//		door.Interceptor(), staff.Interceptor(door.Verifier, "approve"),
//	}})
//
// It is for tests alone: its keys are no secret.
package stafftest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"testing"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"

	"fileroom/internal/library"
	"fileroom/internal/staff"
)

// A Door signs for people, and has the verifier that believes it.
type Door struct {
	Signer   staff.Signer
	Verifier *staff.Verifier

	speakers map[string]staff.Actor
}

// NewDoor returns a door with a new key. Speakers says who sends a message, by
// the id of the update, else by the message's name, else by "". A message that
// nobody sends stays unsigned.
func NewDoor(tb testing.TB, speakers map[string]staff.Actor) *Door {
	tb.Helper()
	key, err := staff.NewSigningKey()
	if err != nil {
		tb.Fatal(err)
	}
	return &Door{
		Signer:   staff.Signer{Key: key, Digests: Digests("test")},
		Verifier: &staff.Verifier{Keys: staff.PublicKeys{key.Public()}, Digests: Digests("test")},
		speakers: speakers,
	}
}

// Interceptor signs what reaches the worker. It goes before [staff.Interceptor]
// in the worker's options.
func (d *Door) Interceptor() interceptor.WorkerInterceptor { return &signing{door: d} }

type signing struct {
	interceptor.WorkerInterceptorBase
	door *Door
}

// InterceptWorkflow implements [interceptor.WorkerInterceptor].
func (s *signing) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	i := &inbound{door: s.door}
	i.Next = next
	return i
}

type inbound struct {
	interceptor.WorkflowInboundInterceptorBase
	door *Door
}

// HandleSignal implements [interceptor.WorkflowInboundInterceptor].
func (i *inbound) HandleSignal(ctx workflow.Context, in *interceptor.HandleSignalInput) error {
	dc := i.door.Verifier.Converter
	if dc == nil {
		dc = converter.GetDefaultDataConverter()
	}
	var payload json.RawMessage
	if err := dc.FromPayloads(in.Arg, &payload); err == nil {
		if err := i.door.sign(ctx, "", in.SignalName, payload); err != nil {
			return err
		}
	}
	return i.Next.HandleSignal(ctx, in)
}

// ValidateUpdate implements [interceptor.WorkflowInboundInterceptor].
func (i *inbound) ValidateUpdate(ctx workflow.Context, in *interceptor.UpdateInput) error {
	if len(in.Args) == 1 {
		if payload, ok := in.Args[0].(json.RawMessage); ok {
			if err := i.door.sign(ctx, workflow.GetCurrentUpdateInfo(ctx).ID, in.Name, payload); err != nil {
				return err
			}
		}
	}
	return i.Next.ValidateUpdate(ctx, in)
}

// sign puts a statement into the header, which validator and handler share.
func (d *Door) sign(ctx workflow.Context, id, message string, payload []byte) error {
	actor, ok := d.speakers[id]
	if !ok || id == "" {
		if actor, ok = d.speakers[message]; !ok {
			actor, ok = d.speakers[""]
		}
	}
	if !ok {
		return nil
	}
	text, err := d.Signer.Sign(actor, workflow.GetInfo(ctx).WorkflowExecution.ID, message, payload)
	if err != nil {
		return err
	}
	interceptor.WorkflowHeader(ctx)[staff.HeaderName] = staff.HeaderPayload(text)
	return nil
}

// Digests is a [staff.Digester] whose key is the text.
type Digests string

// Sum implements [staff.Digester].
func (d Digests) Sum(parts ...[]byte) (string, error) {
	mac := hmac.New(sha256.New, []byte(d))
	for _, p := range parts {
		_, _ = mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		_, _ = mac.Write(p)
	}
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// Check implements [staff.Digester].
func (d Digests) Check(sum string, parts ...[]byte) error {
	if want, err := d.Sum(parts...); err != nil || want != sum {
		return library.Errorf(library.Invalid, "check digest", "", "does not match")
	}
	return nil
}
