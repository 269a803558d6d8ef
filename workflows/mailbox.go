package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"fileroom/activities"
	"fileroom/internal/failure"
	"fileroom/internal/library"
)

// MailboxParams are the parameters of [Mailbox].
type MailboxParams struct {
	Mailbox string `json:"mailbox"`
}

// MailboxResult is the result of [Mailbox], which has none: it goes on for ever.
type MailboxResult struct{}

// mailroom, arrivals, letters, cases, decisions, releases and transfers name
// activities; they are never called through, so nil will do.
var (
	mailroom  *activities.Mailroom
	arrivals  *activities.Arrivals
	letters   *activities.Letters
	cases     *activities.Cases
	decisions *activities.Decisions
	releases  *activities.Releases
	transfers *activities.Transfers
)

// watches is after how many watches a Mailbox continues as new, should the
// server not ask for it before.
const watches = 200

// Mailbox watches one mailbox for ever, and starts an [Intake] for everything
// that arrives there. Nothing depends on its memory: what is kept and not yet
// opened stands in the ledger, and an Intake is started once however often it
// is asked for.
func Mailbox(ctx workflow.Context, p MailboxParams) (MailboxResult, error) {
	show := func(ctx workflow.Context, trouble string) {
		var b strings.Builder
		fmt.Fprintf(&b, "Watching the mailbox **%s**.\n\n", plain(p.Mailbox))
		notes(&b, trouble, "")
		workflow.SetCurrentDetails(ctx, b.String())
	}
	show(ctx, "")
	after := library.ArrivalID(0) // From the beginning in each run: an Intake that was started is not started again.
	for range watches {
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			break
		}
		r, err := call(ctx, watching, "watch the mailbox", show, mailroom.WatchMailbox, activities.WatchMailboxParams{Mailbox: p.Mailbox, After: after})
		if kind := failure.KindOf(err); kind != "" { // Mail goes on, whatever is wrong with one message.
			show(ctx, "the mailbox cannot be watched ("+string(kind)+"); an operator must look")
			err = pause(ctx, afterTelling, "watch the mailbox again")
		}
		if err != nil {
			return MailboxResult{}, err
		}
		for _, id := range r.Arrivals {
			if err := startIntake(ctx, id); err != nil {
				return MailboxResult{}, err
			}
			after = id
		}
	}
	return MailboxResult{}, workflow.NewContinueAsNewError(ctx, Mailbox, p)
}

// startLateIntake starts an Intake for what reached a case when it had ended.
func startLateIntake(ctx workflow.Context, id library.ArrivalID, late library.CaseID, desk string) error {
	return startApart(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:    LateIntakeID(id),
		StaticSummary: "Takes in what came too late for its case",
	}, Intake, IntakeParams{Arrival: id, Late: late, Desk: desk})
}

// startIntake starts the Intake of an arrival and lets it go its own way.
func startIntake(ctx workflow.Context, id library.ArrivalID) error {
	return startApart(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:    IntakeID(id),
		StaticSummary: "Takes in one arrival",
	}, Intake, IntakeParams{Arrival: id})
}

// startApart starts a workflow that outlives its parent. One that was started
// before, whether it runs or has ended, is not started again.
func startApart(ctx workflow.Context, o workflow.ChildWorkflowOptions, child, params any) error {
	o.TaskQueue = TaskQueue
	o.ParentClosePolicy = enums.PARENT_CLOSE_POLICY_ABANDON
	o.WorkflowIDReusePolicy = enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
	err := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, o), child, params).GetChildWorkflowExecution().Get(ctx, nil)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	return err
}
