package integration_test

import (
	"context"
	"strings"
	"testing"

	"fileroom/internal/library"
	"fileroom/workflows"
)

// heard returns the last message of a kind in a case's history, as whoever can
// read the history can send it again.
func (v *victim) heard(ctx context.Context, t *testing.T, m library.Message) raw {
	t.Helper()
	var last *raw
	for _, e := range v.history(ctx, t, v.release).GetEvents() {
		if s := e.GetWorkflowExecutionSignaledEventAttributes(); s.GetSignalName() == string(m) {
			last = &raw{payloads: s.GetInput(), header: s.GetHeader().GetFields()}
		}
		if in := e.GetWorkflowExecutionUpdateAcceptedEventAttributes().GetAcceptedRequest().GetInput(); in.GetName() == string(m) {
			last = &raw{payloads: in.GetArgs(), header: in.GetHeader().GetFields()}
		}
	}
	if last == nil {
		t.Fatalf("no %s is in the history", m)
	}
	last.to, last.message = v.release, m
	return *last
}

// wantUnheard sends a message again, as an update and as a signal.
func (v *victim) wantUnheard(ctx context.Context, t *testing.T, r raw, says string, decisions, approvals int) {
	t.Helper()
	if err := v.update(ctx, t, r); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("%s as an update: %v, want %q", r.message, err, says)
	}
	v.wantUnmoved(ctx, t, decisions, approvals)
	if told := v.signal(ctx, t, v.id, r); !strings.Contains(told, says) {
		t.Errorf("%s as a signal: %q, want %q", r.message, told, says)
	}
	v.wantUnmoved(ctx, t, decisions, approvals)
}

// TestAttackByReplay sends again what real people said, and has one person
// speak for two.
func TestAttackByReplay(t *testing.T) {
	t.Parallel()
	i := usualInstallation(t)
	ctx := within(t, limit)
	v := newVictim(ctx, t, i, numberAttack+2, 3, i.dev.Receiver.URL)
	dana, luis := i.as(ctx, t, "demo-specialist"), i.as(ctx, t, "demo-lead")
	insist(ctx, t, dana, v.release, library.Choose, library.ChoosePayload{Basis: library.BasisDirective})
	v.settled(ctx, t, "a case for two people", func(now workflows.CaseView) bool { return now.Needed == 2 })
	insist(ctx, t, dana, v.release, library.Approve, library.ApprovePayload{Revision: v.revision})
	first := v.heard(ctx, t, library.Approve)
	v.wantUnmoved(ctx, t, 2, 1)

	t.Run("what was said is said again", func(t *testing.T) { //nolint:paralleltest // In this order.
		v.wantUnheard(ctx, t, first, "heard before", 2, 1)
	})
	t.Run("the first person speaks as the second", func(t *testing.T) { //nolint:paralleltest // In this order.
		again := raw{to: v.release, message: library.Approve, payloads: i.sealed(t, v.approval())}
		again.header = header(sign(t, i.signer(t), i.person(t, "demo-specialist"), v.release, library.Approve, v.approval()))
		v.wantUnheard(ctx, t, again, "second person", 2, 1)
	})
	t.Run("a hold that was lifted is said again", func(t *testing.T) { //nolint:paralleltest // In this order.
		insist(ctx, t, luis, v.release, library.Hold, library.ReasonPayload{Reason: "the patient called"})
		hold := v.heard(ctx, t, library.Hold)
		insist(ctx, t, luis, v.release, library.Resume, library.ReasonPayload{Reason: "it was a misunderstanding"})
		v.settled(ctx, t, "a case that goes on", func(now workflows.CaseView) bool { return !now.Held && now.Approvals == 1 })
		v.wantUnheard(ctx, t, hold, "heard before", 4, 1)
		if now, err := v.view(ctx, v.id); err != nil || now.Held {
			t.Errorf("held = %t (%v)", now.Held, err)
		}
	})
	t.Run("an approval of what has changed is said again", func(t *testing.T) { //nolint:paralleltest // In this order.
		was := v.revision
		insist(ctx, t, luis, v.release, library.Choose, library.ChoosePayload{Basis: library.BasisTreatment})
		v.settled(ctx, t, "another revision", func(now workflows.CaseView) bool { return now.Revision != was })
		v.wantUnheard(ctx, t, first, "heard before", 5, 0)
		old := encoded(library.ApprovePayload{Revision: was})
		late := raw{to: v.release, message: library.Approve, payloads: i.sealed(t, old)}
		late.header = header(sign(t, i.signer(t), i.person(t, "demo-privacy"), v.release, library.Approve, old))
		v.wantUnheard(ctx, t, late, "not as you saw it", 5, 0)
	})
	t.Run("who chose speaks as the second", func(t *testing.T) { //nolint:paralleltest // In this order.
		insist(ctx, t, dana, v.release, library.Choose, library.ChoosePayload{Basis: library.BasisDirective})
		v.settled(ctx, t, "a case for two people", func(now workflows.CaseView) bool { return now.Needed == 2 })
		insist(ctx, t, i.as(ctx, t, "demo-privacy"), v.release, library.Approve, library.ApprovePayload{Revision: v.revision})
		err := say(ctx, luis, v.release, library.Approve, library.ApprovePayload{Revision: v.revision})
		if err == nil || !strings.Contains(err.Error(), "second person") {
			t.Errorf("the lead, who chose, approves as the second: %v", err)
		}
		v.wantUnmoved(ctx, t, 7, 1)
	})
	sam := library.Actor{Subject: "sam", Name: "Sam Body", Roles: []library.Role{library.RoleSpecialist}}
	second := raw{to: v.release, message: library.Approve, payloads: i.sealed(t, v.approval())}
	second.header = header(sign(t, i.signer(t), sam, v.release, library.Approve, v.approval()))
	if err := i.update(ctx, t, second); err != nil {
		t.Errorf("a second person who may: %v", err)
	}
	v.wantReleased(ctx, t)
}
