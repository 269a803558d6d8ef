package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"fileroom/activities"
	"fileroom/internal/failure"
	"fileroom/internal/library"
)

// How long a case waits for somebody, and what silence means.
const (
	// ReviewReminder: silence of staff is told day by day, and is never a denial.
	ReviewReminder = 24 * time.Hour
	// FirstReminder and SecondReminder, after the letter that asked: the
	// requester is reminded twice.
	FirstReminder  = 7 * 24 * time.Hour
	SecondReminder = 7 * 24 * time.Hour
	// AbandonAfter, after the second reminder, silence of the requester ends the
	// case as abandoned.
	AbandonAfter = 46 * 24 * time.Hour
	// ConfirmReminder: silence of the recipient is told to staff, and is never
	// taken for arrival.
	ConfirmReminder = 3 * 24 * time.Hour
)

// ReleaseParams are the parameters of [Release].
type ReleaseParams struct {
	Case       library.CaseID  `json:"case"`
	Channel    library.Channel `json:"channel"`
	ReceivedAt time.Time       `json:"received_at"`
	Desk       string          `json:"desk,omitempty"` // Address of the staff's pages.
}

// ReleaseResult is the result of [Release].
type ReleaseResult struct {
	Outcome library.Outcome `json:"outcome"`
	Images  int             `json:"images"` // That left.
	Proof   library.Proof   `json:"proof"`
}

// Arrived tells a [Release] that more has come for its case.
type Arrived struct {
	Arrival library.ArrivalID `json:"arrival"`
}

// Release sees one case through, from its first check to its end. The case is
// matched and checked; staff decide; it is checked once more; the images go and
// are confirmed; the account is written, and the requester is told. It ends
// with an outcome and never with an error: what does not work is told to staff
// and tried again.
func Release(ctx workflow.Context, p ReleaseParams) (ReleaseResult, error) {
	w := &release{p: p, desk: p.Desk, stage: library.StageChecking, waiting: library.WaitingNobody, due: p.ReceivedAt.Add(library.AnswerWithin), letters: 1}
	if err := w.listen(ctx); err != nil {
		return ReleaseResult{}, err
	}
	return w.run(ctx)
}

// release is the state of one running Release.
type release struct {
	p       ReleaseParams
	desk    string
	ear     ear
	stage   library.Stage
	waiting library.Waiting
	outcome library.Outcome // Set once it is known how the case ends.
	due     time.Time

	checked   activities.CheckCaseResult
	approvals []library.Decision // Of checked.Revision.
	changed   bool               // Something was corrected, chosen, acknowledged or sent in.
	arrived   []library.ArrivalID
	held      bool

	asked     *library.AskPayload
	confirmed *library.ConfirmPayload
	reason    string // Why it was denied or withdrawn.

	transfers int      // Begun.
	opened    []opened // Releases whose door was opened, each once.
	letters   int      // Written; the acknowledgement was the first.
	moves     int      // Put on record.
	settled   activities.SettleReleaseResult

	note    string // What staff must know about the last try.
	trouble string // What does not work at this moment.
	refused string // The last signal that was refused, and why.
	waited  int    // How often staff were reminded.
}

// opened is a release that images may have left by.
type opened struct {
	revision library.Revision
	facility library.FacilityID
}

func (w *release) run(ctx workflow.Context) (ReleaseResult, error) {
	for w.outcome == "" {
		if err := w.step(ctx); err != nil {
			return ReleaseResult{}, err
		}
	}
	if err := w.finish(ctx); err != nil {
		return ReleaseResult{}, err
	}
	if err := w.ear.finished(ctx); err != nil {
		return ReleaseResult{}, err
	}
	for len(w.arrived) > 0 { // It came while the case was ending: staff must see it.
		late := w.arrived[0]
		w.arrived = w.arrived[1:]
		if err := startLateIntake(ctx, late, w.p.Case, w.desk); err != nil {
			return ReleaseResult{}, err
		}
	}
	return ReleaseResult{Outcome: w.outcome, Images: w.settled.Images, Proof: w.settled.Proof}, nil
}

// step does what the stage asks for. A refusal by an activity stops the step,
// not the case: staff see it in review.
func (w *release) step(ctx workflow.Context) error {
	var err error
	switch w.stage {
	case library.StageReading, library.StageChecking:
		err = w.check(ctx)
	case library.StageReview:
		err = w.review(ctx)
	case library.StageDeficient:
		err = w.deficient(ctx)
	case library.StageReleasing:
		err = w.send(ctx)
	case library.StageConfirming:
		err = w.confirm(ctx)
	case library.StageClosed:
	}
	if kind := failure.KindOf(err); kind != "" {
		return w.stepBack(ctx, kind)
	}
	return err
}

// stepBack gives a case to staff whose step was refused. It is checked anew,
// unless it was the check that was refused: then there is nothing to approve.
func (w *release) stepBack(ctx workflow.Context, kind library.Kind) error {
	was := w.stage
	w.note = fmt.Sprintf("the step %s could not be done (%s)", was, kind)
	w.approvals = nil
	err := w.back(ctx, "a step could not be done")
	if was == library.StageReading || was == library.StageChecking {
		w.checked = activities.CheckCaseResult{Basis: w.checked.Basis, Tier: w.checked.Tier}
		w.stage = library.StageReview
	}
	if failure.KindOf(err) != "" {
		return nil
	}
	return err
}

// check reads what has come in addition, looks in the PACS and runs the rules.
func (w *release) check(ctx workflow.Context) error {
	w.stage, w.waiting = library.StageChecking, library.WaitingNobody
	if err := w.settleEar(ctx); err != nil { // A choice that is being recorded means the candidates of now.
		return err
	}
	w.changed = false
	if err := w.attributes(ctx); err != nil {
		return err
	}
	for len(w.arrived) > 0 {
		_, err := call(ctx, reading, "read what has arrived", w.tell, arrivals.ReadArrival, activities.ReadArrivalParams{
			Arrival: w.arrived[0], Case: w.p.Case, Joined: true,
		})
		switch {
		case failure.KindOf(err) == library.NotFound && w.ear.since >= stricterRules: // Nobody could approve while it is waited for.
			w.note = fmt.Sprintf("it was told that arrival %d had come for the case, and there is none", w.arrived[0])
		case err != nil:
			return err
		}
		w.arrived = w.arrived[1:]
	}
	_, err := call(ctx, asking, "look in the PACS", w.tell, cases.MatchCase, activities.MatchCaseParams{Case: w.p.Case})
	if err != nil {
		return err
	}
	before := w.checked.Revision
	w.checked, err = call(ctx, quick, "run the checks", w.tell, cases.CheckCase, activities.CheckCaseParams{
		Case: w.p.Case, Stage: library.StageReview, Waiting: library.WaitingStaff,
	})
	if err != nil {
		return err
	}
	if w.checked.Desk != "" {
		w.desk = w.checked.Desk
	}
	if w.checked.Revision != before {
		w.approvals = nil // They were for something else.
	}
	w.stage = library.StageReview
	return nil
}

// review waits until staff have decided, or something has changed.
func (w *release) review(ctx workflow.Context) error {
	for w.outcome == "" && !w.changed && w.asked == nil && (w.held || !w.approved()) {
		heard := len(w.ear.seen)
		if err := w.waitForStaff(ctx); err != nil {
			return err
		}
		decided, err := within(ctx, ReviewReminder, "remind staff", func() bool { return len(w.ear.seen) > heard || w.news() })
		if err != nil {
			return err
		}
		if !decided {
			w.waited++
		}
		if err := w.settleEar(ctx); err != nil {
			return err
		}
	}
	w.waited = 0
	switch {
	case w.outcome != "":
	case w.changed:
		w.stage = library.StageChecking
	case w.asked != nil:
		w.stage = library.StageDeficient
	default:
		w.stage = library.StageReleasing
	}
	return nil
}

// waitForStaff shows whether the case waits for a first or a second person.
func (w *release) waitForStaff(ctx workflow.Context) error {
	if len(w.approvals) == 0 {
		w.waiting = library.WaitingStaff
		return w.attributes(ctx) // The check has put it on record.
	}
	if w.waiting == library.WaitingSecond {
		return nil
	}
	w.waiting = library.WaitingSecond
	return w.move(ctx, "waiting for a second person")
}

// settleEar waits until what is being heard at the moment has been heard.
func (w *release) settleEar(ctx workflow.Context) error {
	if err := w.ear.lock.Lock(ctx); err != nil {
		return err
	}
	w.ear.lock.Unlock()
	return nil
}

func (w *release) approved() bool {
	_, enough := library.Approved(w.approvals, w.checked.Revision, w.checked.Tier, w.checked.ChosenBy)
	return enough
}

// deficient asks the requester, once, for everything that is missing, reminds
// twice, and ends the case when there is no answer.
func (w *release) deficient(ctx workflow.Context) error {
	ask := *w.asked
	w.asked = nil
	w.waiting = library.WaitingRequester
	if err := w.move(ctx, "asked the requester for what is missing"); err != nil {
		return err
	}
	for _, patience := range []time.Duration{FirstReminder, SecondReminder, AbandonAfter} {
		if err := w.write(ctx, library.LetterDeficiency, ask.Message, ask.Items); err != nil {
			return err
		}
		w.show(ctx)
		if _, err := within(ctx, patience, "remind the requester, or give up", w.news); err != nil {
			return err
		}
		// A hold stops the clock: nothing is sent, and nothing is given up.
		if err := workflow.Await(ctx, func() bool { return !w.held || w.news() }); err != nil {
			return err
		}
		if err := w.settleEar(ctx); err != nil {
			return err
		}
		if w.news() {
			w.stage = library.StageChecking
			return nil
		}
	}
	w.outcome = library.OutcomeAbandoned
	return nil
}

// news reports whether there is something that the step under way did not know.
func (w *release) news() bool { return w.changed || w.outcome != "" }

// finish writes the account, tells the requester how the case ended, and closes
// it.
func (w *release) finish(ctx workflow.Context) error {
	w.waiting = library.WaitingNobody
	err := w.settle(ctx)
	for failure.KindOf(err) != "" { // A case does not close without its account.
		w.tell(ctx, "the account of disclosures cannot be written; an operator must look")
		if err := pause(ctx, ReviewReminder, "try again: write the account of disclosures"); err != nil {
			return err
		}
		err = w.settle(ctx)
	}
	if err != nil {
		return err
	}
	switch w.outcome {
	case library.OutcomeReleased:
		err = w.write(ctx, library.LetterReleased, "", nil)
		if err == nil && w.checked.Unresolved > 0 { // A case never ends half told.
			err = w.write(ctx, library.LetterNotFound, "The other images that you asked for are on their way or have arrived.", nil)
		}
	case library.OutcomeDenied:
		err = w.write(ctx, library.LetterDenial, w.reason, nil)
	case library.OutcomeNoImages:
		err = w.write(ctx, library.LetterNotFound, "", nil)
	case library.OutcomeWithdrawn:
		err = w.write(ctx, library.LetterWithdrawn, "", nil)
	case library.OutcomeAbandoned, library.OutcomeDuplicate, library.OutcomeNotRequest:
	}
	if err != nil && failure.KindOf(err) == "" {
		return err
	}
	w.stage = library.StageClosed
	return w.move(ctx, "closed: "+string(w.outcome))
}

// write sends the case's next letter.
func (w *release) write(ctx workflow.Context, kind library.LetterKind, message string, items []string) error {
	w.letters++
	sent, err := call(ctx, asking, "send the letter", w.tell, letters.SendLetter, activities.SendLetterParams{
		Case: w.p.Case, Number: w.letters, Kind: kind, Message: message, Rules: items, Images: w.settled.Images,
	})
	if err == nil && sent.State != library.LetterSent {
		w.note = fmt.Sprintf("the letter about %s could not be sent (%s): reach the requester another way", kind, sent.State)
	}
	return err
}

// move puts on record where the case stands, and what has happened.
func (w *release) move(ctx workflow.Context, event string) error {
	if err := w.attributes(ctx); err != nil {
		return err
	}
	outcome := library.Outcome("")
	if w.stage == library.StageClosed {
		outcome = w.outcome
	}
	w.moves++
	_, err := call(ctx, quick, "note where the case stands", w.tell, cases.MoveCase, activities.MoveCaseParams{
		Case: w.p.Case, Stage: w.stage, Waiting: w.waiting, Outcome: outcome,
		Event: event, Detail: w.note, Key: fmt.Sprintf("move/%d", w.moves),
	})
	return err
}

func (w *release) attributes(ctx workflow.Context) error {
	w.show(ctx)
	return workflow.UpsertTypedSearchAttributes(ctx, StageAttribute.ValueSet(string(w.stage)), WaitingAttribute.ValueSet(string(w.waiting)))
}

// startRelease starts the Release of a case and lets it go its own way.
func startRelease(ctx workflow.Context, id library.CaseID, channel library.Channel, received time.Time, desk string) error {
	return startApart(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:    ReleaseID(id),
		StaticSummary: "Sees one case through",
		TypedSearchAttributes: temporal.NewSearchAttributes(
			StageAttribute.ValueSet(string(library.StageChecking)),
			WaitingAttribute.ValueSet(string(library.WaitingNobody)),
			ChannelAttribute.ValueSet(string(channel)),
			DueAttribute.ValueSet(received.Add(library.AnswerWithin)),
		),
	}, Release, ReleaseParams{Case: id, Channel: channel, ReceivedAt: received, Desk: desk})
}
