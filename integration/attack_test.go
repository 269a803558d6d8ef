package integration_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"

	"fileroom/internal/devstack/studies"
	"fileroom/internal/library"
	"fileroom/internal/staff"
	"fileroom/internal/vault"
	"fileroom/workflows"
)

// A victim is a case in review that somebody tries to get released without
// having the right.
type victim struct {
	*installation
	id       library.CaseID
	release  string // ID of its workflow.
	ct       studies.Study
	place    library.Facility
	revision library.Revision
}

// newVictim brings a case into review that nothing hinders but the want of an
// approval. Its receiver is at url.
func newVictim(ctx context.Context, t *testing.T, i *installation, n, images int, url string) *victim {
	t.Helper()
	p := invent(n)
	v := &victim{installation: i, ct: p.ct(images), place: i.place(ctx, t, n, url, known)}
	i.fill(ctx, t, v.ct)
	v.id = i.awaitCase(ctx, t, i.deliver(t, letter{from: p, to: v.place, asks: []string{askCT}}.message()))
	v.release = workflows.ReleaseID(v.id)
	v.revision = i.awaitStage(ctx, t, v.id, library.StageReview).Revision
	if open := i.open(ctx, t, v.id); len(open) > 0 || v.revision == "" {
		t.Fatalf("open = %v, revision %q", open, v.revision)
	}
	return v
}

// approval is what a person would say to approve the case.
func (v *victim) approval() []byte {
	return encoded(library.ApprovePayload{Revision: v.revision})
}

func encoded(payload any) []byte {
	b, err := json.Marshal(payload)
	if err != nil {
		panic(err) // What is said here can be written.
	}
	return b
}

// wantUnmoved fails the test unless an attack left nothing behind: so many
// decisions are on record, so many approvals count, the case waits in review,
// and no image is at the receiver.
func (v *victim) wantUnmoved(ctx context.Context, t *testing.T, decisions, approvals int) {
	t.Helper()
	on, err := v.store.Decisions(ctx, v.id)
	if err != nil {
		t.Fatal(err)
	}
	if len(on) != decisions {
		t.Errorf("%d decisions are on record, want %d: %s", len(on), decisions, names(on))
	}
	now, err := v.view(ctx, v.id)
	if err != nil {
		t.Fatal(err)
	}
	if now.Stage != library.StageReview || now.Outcome != "" || now.Approvals != approvals {
		t.Errorf("the case is in %s (outcome %q) with %d approvals, want review with %d", now.Stage, now.Outcome, now.Approvals, approvals)
	}
	v.wantNothingSent(ctx, t)
}

func (v *victim) wantNothingSent(ctx context.Context, t *testing.T) {
	t.Helper()
	if have := v.arrived(ctx, t, v.ct); len(have) > 0 {
		t.Errorf("%d images are at the receiver", len(have))
	}
}

// names lists decisions by what was said and by whom.
func names(all []library.Decision) string {
	var said []string
	for _, d := range all {
		said = append(said, string(d.Message)+" by "+d.Actor.Subject)
	}
	return strings.Join(said, ", ")
}

// wantReleasable approves the case rightly and looks that it is released, once,
// with a record that verifies.
func (v *victim) wantReleasable(ctx context.Context, t *testing.T) {
	t.Helper()
	v.approve(ctx, t, v.id)
	v.wantReleased(ctx, t)
}

// wantReleased waits for the good end, and looks that the account is right.
func (v *victim) wantReleased(ctx context.Context, t *testing.T) {
	t.Helper()
	if c := v.awaitStage(ctx, t, v.id, library.StageClosed); c.Outcome != library.OutcomeReleased {
		t.Errorf("outcome = %s", c.Outcome)
	}
	v.wantAll(ctx, t, v.ct)
	v.wantDisclosures(ctx, t, v.id, len(instances(v.ct)), library.DisclosureIntended, library.DisclosureCompleted)
	v.verify(ctx, t, v.id)
}

// person returns somebody of the demonstration.
func (s *stack) person(t *testing.T, subject string) library.Actor {
	t.Helper()
	at := slices.IndexFunc(s.dev.Staff, func(a library.Actor) bool { return a.Subject == subject })
	if at < 0 {
		t.Fatalf("%s is not on the staff", subject)
	}
	return s.dev.Staff[at]
}

// signer is the door's own, as good as any.
func (i *installation) signer(t *testing.T) staff.Signer {
	t.Helper()
	key, err := staff.ReadSigningKey(i.dev.Pages["FILEROOM_SIGNING_KEY_FILE"])
	if err != nil {
		t.Fatal(err)
	}
	return staff.Signer{Key: key, Digests: i.ring.Digests(staff.DigestPurpose)}
}

// forger is a signer with a key of its own.
func (i *installation) forger(t *testing.T) staff.Signer {
	t.Helper()
	s := i.signer(t)
	var err error
	if s.Key, err = staff.NewSigningKey(); err != nil {
		t.Fatal(err)
	}
	return s
}

// sign returns the header of a message.
func sign(t *testing.T, s staff.Signer, by library.Actor, workflow string, m library.Message, payload []byte) string {
	t.Helper()
	text, err := s.Sign(by, workflow, string(m), payload)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A raw is a message to a workflow as only somebody who speaks Temporal's own
// protocol can send it.
type raw struct {
	to       string
	message  library.Message
	payloads *common.Payloads
	header   map[string]*common.Payload
	identity string
}

// sealed encrypts payloads as everybody does who has the keys.
func (i *installation) sealed(t *testing.T, values ...[]byte) *common.Payloads {
	t.Helper()
	dc, err := vault.DataConverter(i.ring)
	if err != nil {
		t.Fatal(err)
	}
	all := &common.Payloads{}
	for _, v := range values {
		p, err := dc.ToPayload(json.RawMessage(v))
		if err != nil {
			t.Fatal(err)
		}
		all.Payloads = append(all.Payloads, p)
	}
	return all
}

// header is a header's field with a statement, or no field for "".
func header(text string) map[string]*common.Payload {
	if text == "" {
		return nil
	}
	return map[string]*common.Payload{staff.HeaderName: staff.HeaderPayload(text)}
}

func (i *installation) updateRequest(r raw) *workflowservice.UpdateWorkflowExecutionRequest {
	return &workflowservice.UpdateWorkflowExecutionRequest{
		Namespace: i.name, WorkflowExecution: &common.WorkflowExecution{WorkflowId: r.to},
		WaitPolicy: &update.WaitPolicy{LifecycleStage: enums.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED},
		Request: &update.Request{
			Meta:  &update.Meta{Identity: r.identity},
			Input: &update.Input{Name: string(r.message), Args: r.payloads, Header: &common.Header{Fields: maps.Clone(r.header)}},
		},
	}
}

// update sends a message as an update, and returns the refusal.
func (i *installation) update(ctx context.Context, t *testing.T, r raw) error {
	t.Helper()
	var refusal error
	err := poll(ctx, func() (bool, error) {
		answer, err := i.nobody.WorkflowService().UpdateWorkflowExecution(ctx, i.updateRequest(r))
		if busy(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if answer.GetOutcome() == nil { // The server waits only so long.
			return false, nil
		}
		if f := answer.GetOutcome().GetFailure(); f != nil {
			converted, err := vault.FailureConverter(i.ring)
			if err != nil {
				return false, err
			}
			refusal = converted.FailureToError(f)
		}
		return true, nil
	})
	if err != nil {
		t.Fatalf("send an update: %v", err)
	}
	return refusal
}

// signal sends a message as a signal, waits until it has been opened, and
// returns what the case tells about it.
func (i *installation) signal(ctx context.Context, t *testing.T, id library.CaseID, r raw) string {
	t.Helper()
	_, err := i.nobody.WorkflowService().SignalWorkflowExecution(ctx, &workflowservice.SignalWorkflowExecutionRequest{
		Namespace: i.name, WorkflowExecution: &common.WorkflowExecution{WorkflowId: r.to}, SignalName: string(r.message),
		Input: r.payloads, Identity: r.identity, Header: &common.Header{Fields: maps.Clone(r.header)},
	})
	if err != nil {
		t.Fatalf("send a signal: %v", err)
	}
	i.awaitSignals(ctx, t, r.to)
	v, err := i.view(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return v.Refused
}

// awaitSignals waits until every signal of staff in a workflow's history has
// been opened, and what it says was done or refused.
func (i *installation) awaitSignals(ctx context.Context, t *testing.T, workflow string) {
	t.Helper()
	err := poll(ctx, func() (bool, error) {
		signals, opened, under := 0, 0, map[int64]bool{}
		done := map[int64]bool{}
		for _, e := range i.history(ctx, t, workflow).GetEvents() {
			if s := e.GetWorkflowExecutionSignaledEventAttributes(); s != nil && library.Example(library.Message(s.GetSignalName())) != "{}" {
				signals++
			}
			if a := e.GetActivityTaskScheduledEventAttributes(); a.GetActivityType().GetName() == "OpenSignal" || a.GetActivityType().GetName() == "RecordDecision" {
				under[e.GetEventId()] = true
				if a.GetActivityType().GetName() == "OpenSignal" {
					opened++
				}
			}
			for _, at := range []int64{e.GetActivityTaskCompletedEventAttributes().GetScheduledEventId(), e.GetActivityTaskFailedEventAttributes().GetScheduledEventId()} {
				done[at] = true
			}
		}
		for at := range under {
			if !done[at] {
				return false, nil
			}
		}
		return opened >= signals, nil
	})
	if err != nil {
		t.Fatalf("waiting for the signals of %s: %v", workflow, err)
	}
}

// settled waits until a case has been checked and waits in review.
func (v *victim) settled(ctx context.Context, t *testing.T, what string, wanted func(workflows.CaseView) bool) {
	t.Helper()
	now := await(ctx, t, what, func(ctx context.Context) (workflows.CaseView, error) {
		if rests, err := v.rests(ctx, v.release); err != nil || !rests {
			return workflows.CaseView{}, err
		}
		return v.view(ctx, v.id)
	}, func(now workflows.CaseView) bool {
		return now.Stage == library.StageReview && len(now.Open) == 0 && wanted(now)
	})
	v.revision = now.Revision
}
