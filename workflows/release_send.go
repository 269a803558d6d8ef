package workflows

import (
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"fileroom/activities"
	"fileroom/internal/failure"
	"fileroom/internal/library"
)

// send opens the last door and lets the images go. Staff can stop it at any
// image, and so does whatever comes in meanwhile; what had gone by then is put
// on record.
func (w *release) send(ctx workflow.Context) error {
	w.waiting, w.note = library.WaitingNobody, ""
	door, err := call(ctx, quick, "check again and open the release", w.tell, releases.OpenRelease, activities.OpenReleaseParams{
		Case: w.p.Case, Revision: w.checked.Revision, Facility: w.checked.Facility,
	})
	if err != nil {
		return err
	}
	if door.Refused != "" {
		w.note = "not released: " + door.Refused
		w.stage, w.approvals = library.StageChecking, nil
		return nil
	}
	if this := w.present(); !slices.Contains(w.opened, this) {
		w.opened = append(w.opened, this)
	}
	var result TransferResult
	if !w.stopped() {
		if err := w.attributes(ctx); err != nil {
			return err
		}
		result, err = w.transfer(ctx)
	}
	w.approvals = nil                        // They were for this try.
	if err := w.settleEar(ctx); err != nil { // A withdrawal may be on its way into the records.
		return err
	}
	switch {
	case w.outcome != "": // Withdrawn on the way.
		return nil
	case w.held:
		w.note = "stopped by the hold; some images may have gone"
		return w.back(ctx, "transfer stopped by a hold")
	case w.changed:
		w.note = "something has come in while images were being sent; some may have gone"
		return w.back(ctx, "transfer stopped by what has come in")
	case err != nil:
		return err
	case result.Hindered != "":
		w.note = result.Hindered + "; approve again to send the rest"
		return w.back(ctx, "transfer hindered")
	case result.Proof == library.ProofNone:
		w.stage = library.StageConfirming
		return nil
	}
	w.outcome = library.OutcomeReleased
	return nil
}

// present is the release that the case would be, as it is checked now.
func (w *release) present() opened { return opened{w.checked.Revision, w.checked.Facility} }

// stopped reports whether nothing more may leave until staff have looked.
func (w *release) stopped() bool { return w.held || w.news() }

// back takes a case whose transfer did not come to its end back to staff. It is
// checked again first: days may go by until they approve the rest.
func (w *release) back(ctx workflow.Context, event string) error {
	w.stage, w.waiting = library.StageReview, library.WaitingStaff
	err := w.move(ctx, event)
	w.stage = library.StageChecking
	return err
}

// transfer runs the transfer as a child, and stops it when it must not go on.
// However the child ends, the case does not end with it.
func (w *release) transfer(ctx workflow.Context) (TransferResult, error) {
	w.transfers++
	child, stop := workflow.WithCancel(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:          TransferID(w.p.Case, w.transfers),
		TaskQueue:           TaskQueue,
		WaitForCancellation: true,
		StaticSummary:       "Sends the images of one case",
	}))
	defer stop()
	f := workflow.ExecuteChildWorkflow(child, Transfer, TransferParams{
		Case: w.p.Case, Number: w.transfers, Revision: w.checked.Revision, Facility: w.checked.Facility, Images: w.checked.Images, Desk: w.desk,
	})
	if err := workflow.Await(ctx, func() bool { return f.IsReady() || w.stopped() }); err != nil {
		return TransferResult{}, err
	}
	stop()
	var r TransferResult
	err := f.Get(ctx, &r)
	w.trouble = ""
	switch {
	case err == nil, failure.KindOf(err) != "", ctx.Err() != nil:
		return r, err
	case temporal.IsCanceledError(err):
		return r, nil
	}
	r.Hindered = "the transfer ended unexpectedly"
	return r, nil
}

// confirm waits for a person's word that the images arrived, where the receiver
// allows no proof. What comes in meanwhile goes to staff first.
func (w *release) confirm(ctx workflow.Context) error {
	w.waiting = library.WaitingRecipient
	if err := w.move(ctx, "waiting for the recipient's word"); err != nil {
		return err
	}
	for w.confirmed == nil && !w.news() {
		w.show(ctx)
		heard, err := within(ctx, ConfirmReminder, "remind of the recipient's word", func() bool { return w.confirmed != nil || w.news() })
		if err != nil {
			return err
		}
		if !heard {
			w.waited++
		}
	}
	if err := w.settleEar(ctx); err != nil {
		return err
	}
	switch {
	case w.outcome != "":
	case w.confirmed != nil:
		w.outcome = library.OutcomeReleased
	default:
		w.note = "something has come in while the recipient's word was waited for"
		return w.back(ctx, "something has come in")
	}
	return nil
}

// settle writes into the account what really left, of everything that the case
// ever let go. The result of the last release is the case's; a person's word is
// for that one alone.
func (w *release) settle(ctx workflow.Context) error {
	for _, o := range w.opened {
		settled, err := call(ctx, quick, "write the account of disclosures", w.tell, releases.SettleRelease, activities.SettleReleaseParams{
			Case: w.p.Case, Revision: o.revision, Facility: o.facility, Word: w.confirmed != nil && o == w.present(),
		})
		if err != nil {
			return err
		}
		w.settled = settled
	}
	return nil
}
