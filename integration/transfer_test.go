package integration_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	tlog "go.temporal.io/sdk/log"

	"fileroom/internal/library"
	"fileroom/workflows"
)

// silent is the log of the tests' own Temporal clients.
var silent = tlog.NewStructuredLogger(slog.New(slog.DiscardHandler))

// mostEvents is how many history events a plain case may take, in all its
// workflows (ARCHITECTURE.md, section 8).
const mostEvents = 120

// TestLetterBecomesConfirmedTransfer is the program's main job.
func TestLetterBecomesConfirmedTransfer(t *testing.T) {
	t.Parallel()
	i := usualInstallation(t)
	ctx := within(t, limit)
	p := invent(numberPlain)
	ct, film := p.ct(60), p.film()
	i.fill(ctx, t, ct, film)
	place := i.place(ctx, t, numberPlain, i.dev.Receiver.URL, known)

	began := time.Now()
	m := i.deliver(t, letter{from: p, to: place}.message())
	id := i.awaitCase(ctx, t, m)
	first := i.awaitLetters(ctx, t, id, 1)
	if len(first) != 1 || !strings.Contains(first[0].subject, "["+string(id)+"]") {
		t.Errorf("the acknowledgement is %+v, want one with the case number", first)
	}
	c := i.awaitStage(ctx, t, id, library.StageReview)
	if open := i.open(ctx, t, id); len(open) > 0 || c.Waiting != library.WaitingStaff || c.Tier != 1 || c.Basis != library.BasisTreatment {
		t.Fatalf("the case waits for %s, basis %s, tier %d, open %v; want staff, LB-3, tier 1, nothing open", c.Waiting, c.Basis, c.Tier, open)
	}
	if have := i.arrived(ctx, t, ct, film); len(have) > 0 {
		t.Fatalf("%d images left before anybody approved", len(have))
	}
	out, err := i.run(ctx, "case", "approve", string(id))
	if err != nil || !strings.Contains(out, "Approved by") {
		t.Fatalf("approve: %v: %s", err, out)
	}
	c = i.awaitStage(ctx, t, id, library.StageClosed)
	took := time.Since(began)
	if c.Outcome != library.OutcomeReleased {
		t.Errorf("outcome = %s", c.Outcome)
	}
	i.wantAll(ctx, t, ct, film)
	i.wantDisclosures(ctx, t, id, 62, library.DisclosureIntended, library.DisclosureCompleted)
	if all, err := i.letters(id); err != nil || len(all) != 2 || distinct(all) != 2 {
		t.Errorf("the requester has the letters %+v (%v), want an acknowledgement and a closing letter", all, err)
	}
	if lines, decisions := i.verify(ctx, t, id); lines != 2 || decisions != 1 {
		t.Errorf("verified %d lines and %d decisions, want 2 and 1", lines, decisions)
	}

	a, err := i.arrival(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	intake, release, transfer := workflows.IntakeID(a.ID), workflows.ReleaseID(id), workflows.TransferID(id, 1)
	events := 0
	for _, workflow := range []string{intake, release, transfer} {
		n := len(i.history(ctx, t, workflow).GetEvents())
		t.Logf("%s: %d events", workflow, n)
		events += n
	}
	t.Logf("from letter to closed case: %.1f s, %d history events", took.Seconds(), events)
	if events > mostEvents {
		t.Errorf("a plain case takes %d history events, at most %d are allowed", events, mostEvents)
	}
	i.record(ctx, t, "mailbox", workflows.MailboxID("imagelibrary"))
	i.record(ctx, t, "intake-request", intake)
	i.record(ctx, t, "release-released", release)
	i.record(ctx, t, "transfer-confirmed", transfer)
}

// TestStrangersAreNotHeard speaks to a case through a Temporal client that has
// the keys of the payloads and signs nothing.
func TestStrangersAreNotHeard(t *testing.T) {
	t.Parallel()
	i := usualInstallation(t)
	ctx := within(t, limit)
	p := invent(numberUnheard)
	film := p.film()
	i.fill(ctx, t, film)
	place := i.place(ctx, t, numberUnheard, i.dev.Receiver.URL, known)
	id := i.awaitCase(ctx, t, i.deliver(t, letter{from: p, to: place, asks: []string{askFilm}}.message()))
	c := i.awaitStage(ctx, t, id, library.StageReview)

	approve := library.ApprovePayload{Revision: c.Revision}
	err := say(ctx, i.nobody, workflows.ReleaseID(id), library.Approve, approve)
	if err == nil || !strings.Contains(err.Error(), "signed") {
		t.Errorf("an unsigned update: %v, want a refusal", err)
	}
	if err := i.nobody.SignalWorkflow(ctx, workflows.ReleaseID(id), "", string(library.Approve), approve); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, "word of an unsigned signal", func(ctx context.Context) (workflows.CaseView, error) { return i.view(ctx, id) },
		func(v workflows.CaseView) bool {
			return strings.Contains(v.Refused, "nobody signed") && v.Approvals == 0
		})
	if now, err := i.store.Case(ctx, id); err != nil || now.Stage != library.StageReview {
		t.Errorf("the case stands at %s (%v)", now.Stage, err)
	}
	insist(ctx, t, i.as(ctx, t, "demo-specialist"), workflows.ReleaseID(id), library.Withdraw, library.ReasonPayload{Reason: "asked by telephone"})
	if c := i.awaitStage(ctx, t, id, library.StageClosed); c.Outcome != library.OutcomeWithdrawn {
		t.Errorf("outcome = %s", c.Outcome)
	}
	i.wantDisclosures(ctx, t, id, 0)
	i.record(ctx, t, "release-stranger-refused-then-withdrawn", workflows.ReleaseID(id))
}

// TestAnswerCompletesADeficientCase asks the requester for what is missing.
func TestAnswerCompletesADeficientCase(t *testing.T) {
	t.Parallel()
	i := usualInstallation(t)
	ctx := within(t, limit)
	p := invent(numberAsked)
	film := p.film()
	i.fill(ctx, t, film)
	place := i.place(ctx, t, numberAsked, i.dev.Receiver.URL, known)
	id := i.awaitCase(ctx, t, i.deliver(t, letter{
		from: p, to: place, asks: []string{askFilm},
		change: func(text string) string { return strings.Replace(text, "Date of birth: "+p.born()+"\n", "", 1) },
	}.message()))
	i.awaitStage(ctx, t, id, library.StageReview)
	if open := i.open(ctx, t, id); !strings.Contains(strings.Join(open, " "), "DL-02") {
		t.Fatalf("open = %v, want DL-02", open)
	}
	insist(ctx, t, i.as(ctx, t, "demo-specialist"), workflows.ReleaseID(id), library.Ask, library.AskPayload{})
	i.awaitStage(ctx, t, id, library.StageDeficient)
	asked := i.awaitLetters(ctx, t, id, 2)
	last := asked[len(asked)-1]

	answer := i.deliver(t, envelope(p.name(), []string{"Subject: Re: " + last.subject, "In-Reply-To: <" + last.id + ">"},
		"text/plain", "My date of birth: "+p.born()+"\n"))
	i.awaitStage(ctx, t, id, library.StageReview)
	a := await(ctx, t, "the arrival of the answer", func(ctx context.Context) (library.Arrival, error) { return i.arrival(ctx, answer) },
		func(a library.Arrival) bool { return a.State == library.ArrivalPlaced })
	for _, rule := range i.open(ctx, t, id) {
		t.Logf("after the answer %s is open", rule)
		if rule == "DL-02" {
			t.Error("the answer gives the date of birth, and DL-02 is still open")
		}
		i.acknowledge(ctx, t, id, rule, "seen")
	}
	i.approve(ctx, t, id)
	if c := i.awaitStage(ctx, t, id, library.StageClosed); c.Outcome != library.OutcomeReleased {
		t.Errorf("outcome = %s", c.Outcome)
	}
	i.wantAll(ctx, t, film)
	i.record(ctx, t, "release-deficient-answered", workflows.ReleaseID(id))
	i.record(ctx, t, "intake-reply", workflows.IntakeID(a.ID))
}

// acknowledge answers a finding, and waits until the case is checked anew.
func (i *installation) acknowledge(ctx context.Context, t *testing.T, id library.CaseID, rule, reason string) {
	t.Helper()
	p := library.AcknowledgePayload{Finding: rule, Reason: reason}
	insist(ctx, t, i.as(ctx, t, "demo-privacy"), workflows.ReleaseID(id), library.Acknowledged, p)
	await(ctx, t, "an acknowledged finding", func(ctx context.Context) (workflows.CaseView, error) { return i.view(ctx, id) },
		func(v workflows.CaseView) bool {
			return v.Stage == library.StageReview && !slices.ContainsFunc(v.Open, func(r library.OpenRule) bool { return r.Rule == rule })
		})
}

// history returns the history of a workflow.
func (i *installation) history(ctx context.Context, t *testing.T, workflow string) *history.History {
	t.Helper()
	h := &history.History{}
	for events := i.nobody.GetWorkflowHistory(ctx, workflow, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		e, err := events.Next()
		if err != nil {
			t.Fatalf("history of %s: %v", workflow, err)
		}
		h.Events = append(h.Events, e)
	}
	return h
}
