package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"fileroom/activities"
	"fileroom/internal/failure"
	"fileroom/internal/library"
)

// A CaseView is where a case stands, without anything about the patient.
type CaseView struct {
	Case      library.CaseID     `json:"case"`
	Stage     library.Stage      `json:"stage"`
	Waiting   library.Waiting    `json:"waiting"`
	Outcome   library.Outcome    `json:"outcome,omitempty"`
	Revision  library.Revision   `json:"revision,omitempty"` // What an approval must name.
	Basis     library.Basis      `json:"basis,omitempty"`
	Tier      library.Tier       `json:"tier,omitempty"`
	Facility  library.FacilityID `json:"facility,omitempty"`
	Images    int                `json:"images"`
	Approvals int                `json:"approvals"`
	Needed    int                `json:"needed"` // Approvals, by different people.
	Open      []library.OpenRule `json:"open,omitempty"`
	Held      bool               `json:"held,omitempty"`
	Due       time.Time          `json:"due"`
	Note      string             `json:"note,omitempty"`
	Trouble   string             `json:"trouble,omitempty"`
	Refused   string             `json:"refused,omitempty"` // The last signal that was refused, and why.
}

func (w *release) view() (CaseView, error) {
	return CaseView{
		Case: w.p.Case, Stage: w.stage, Waiting: w.waiting, Outcome: w.outcome, Revision: w.checked.Revision,
		Basis: w.checked.Basis, Tier: w.checked.Tier, Facility: w.checked.Facility, Images: w.checked.Images,
		Approvals: len(w.approvals), Needed: w.checked.Tier.Approvals(), Open: w.checked.Open, Held: w.held, Due: w.due,
		Note: w.note, Trouble: w.trouble, Refused: w.refused,
	}, nil
}

// listen registers every handler, before the workflow first waits.
func (w *release) listen(ctx workflow.Context) error {
	w.ear = ear{
		messages: []message{
			{library.Approve, "Let the images go, as the revision shows them."},
			{library.Deny, "Refuse the request; a letter with the reason follows."},
			{library.Ask, "Ask the requester, in one letter, for everything that is missing."},
			{library.Correct, "Put right what was read; the checks run again."},
			{library.Acknowledged, "Answer a finding, with the reason."},
			{library.Choose, "Choose among the candidates: patient, studies, facility, legal basis."},
			{library.Hold, "Stop everything until further notice; the requester is not told why."},
			{library.Resume, "Lift the hold."},
			{library.Confirm, "Note that a named person at the receiver's has the images."},
			{library.Withdraw, "End the case; sending stops at the next image."},
		},
		may: w.may, hear: w.hear, told: w.told, tell: w.tell,
	}
	err := workflow.SetQueryHandlerWithOptions(ctx, CaseQuery, w.view, workflow.QueryHandlerOptions{Description: "Where the case stands"})
	if err != nil {
		return err
	}
	arrived := workflow.GetSignalChannelWithOptions(ctx, ArrivedSignal, workflow.SignalChannelOptions{Description: "The program's own: more has come for the case"})
	trouble := workflow.GetSignalChannelWithOptions(ctx, TroubleSignal, workflow.SignalChannelOptions{Description: "The program's own: a transfer does not get on"})
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var a Arrived
			if more := arrived.Receive(ctx, &a); !more {
				return
			}
			w.arrived, w.changed = append(w.arrived, a.Arrival), true
		}
	})
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var t Trouble
			if more := trouble.Receive(ctx, &t); !more {
				return
			}
			w.tell(ctx, t.Text)
		}
	})
	return w.ear.listen(ctx)
}

// may refuses what cannot be done as the case stands.
func (w *release) may(s said) error {
	if w.outcome != "" {
		return fmt.Errorf("the case has ended: %s", w.outcome)
	}
	var err error
	switch s.message {
	case library.Approve:
		err = w.mayApprove(s)
	case library.Ask:
		_, err = library.Decode[library.AskPayload](s.message, s.payload)
		err = errors.Join(err, w.only(library.StageReview))
	case library.Correct:
		_, err = library.Decode[library.CorrectPayload](s.message, s.payload)
		err = errors.Join(err, w.only(library.StageReview, library.StageDeficient))
	case library.Acknowledged:
		_, err = library.Decode[library.AcknowledgePayload](s.message, s.payload)
		err = errors.Join(err, w.only(library.StageReview, library.StageDeficient))
	case library.Choose:
		_, err = library.Decode[library.ChoosePayload](s.message, s.payload)
		err = errors.Join(err, w.only(library.StageReview, library.StageDeficient))
	case library.Confirm:
		err = w.mayConfirm(s)
	case library.Deny:
		_, err = library.Decode[library.ReasonPayload](s.message, s.payload)
		err = errors.Join(err, w.only(library.StageReview, library.StageDeficient))
	case library.Hold, library.Resume, library.Withdraw:
		err = w.mayHold(s)
	case library.Place, library.Split:
		err = errors.New("this is for an arrival, not for a case")
	}
	return err
}

// only refuses what has its time in other stages.
func (w *release) only(stages ...library.Stage) error {
	if slices.Contains(stages, w.stage) {
		return nil
	}
	return fmt.Errorf("the case is in the stage %s; please wait until it is in %s", w.stage, stages[0])
}

func (w *release) mayApprove(s said) error {
	p, err := library.Decode[library.ApprovePayload](s.message, s.payload)
	if err != nil {
		return err
	}
	if err := w.only(library.StageReview); err != nil {
		return err
	}
	switch {
	case w.held:
		return errors.New("the case is on hold")
	case len(w.checked.Open) > 0:
		return fmt.Errorf("still open: %s", rulesText(w.checked.Open))
	case w.changed, len(w.arrived) > 0:
		return errors.New("the case has just changed and is being checked again; please look at it once more")
	case p.Revision != w.checked.Revision:
		return fmt.Errorf("the case is not as you saw it; its revision is now %s", w.checked.Revision)
	}
	with := append(slices.Clone(w.approvals), library.Decision{Message: library.Approve, Actor: s.signed.Actor, Revision: p.Revision})
	if counted, _ := library.Approved(with, p.Revision, w.checked.Tier, w.checked.ChosenBy); len(counted) < len(with) {
		return errors.New("a second person must approve: one who has not approved, corrected or chosen in this case")
	}
	return nil
}

// mayHold is for hold, resume and withdraw, which have their time in any stage.
func (w *release) mayHold(s said) error {
	_, err := library.Decode[library.ReasonPayload](s.message, s.payload)
	switch {
	case err != nil:
		return err
	case s.message == library.Hold && w.held:
		return errors.New("the case is on hold already")
	case s.message == library.Resume && !w.held:
		return errors.New("the case is not on hold")
	}
	return nil
}

func (w *release) mayConfirm(s said) error {
	p, err := library.Decode[library.ConfirmPayload](s.message, s.payload)
	switch {
	case err != nil:
		return err
	case w.held:
		return errors.New("the case is on hold")
	case w.stage != library.StageConfirming:
		return errors.New("the case does not wait for anybody's word")
	case p.Destination != w.checked.Facility:
		return fmt.Errorf("the images went to %s", w.checked.Facility)
	}
	return nil
}

func rulesText(open []library.OpenRule) string {
	var b strings.Builder
	for i, r := range open {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s (%s) %s", r.Rule, r.Severity, r.Title)
	}
	return b.String()
}

// hear puts on record what was said, and lets the case act on it.
func (w *release) hear(ctx workflow.Context, s said) error {
	_, err := call(ctx, quick, "record: "+string(s.message), w.tell, decisions.RecordDecision, activities.RecordDecisionParams{
		Case: w.p.Case, Workflow: workflow.GetInfo(ctx).WorkflowExecution.ID,
		Message: s.message, Payload: s.payload, Signed: s.signed, At: s.at,
	})
	if err != nil {
		return failure.Plain(err)
	}
	w.refused = ""
	switch s.message {
	case library.Approve:
		err = w.heardApprove(s)
	case library.Ask:
		p, err := library.Decode[library.AskPayload](s.message, s.payload)
		if err != nil {
			return err
		}
		w.asked = &p
	case library.Correct, library.Choose:
		w.changed = true
	case library.Acknowledged:
		err = w.heardAcknowledge(s)
	case library.Confirm:
		p, err := library.Decode[library.ConfirmPayload](s.message, s.payload)
		if err != nil {
			return err
		}
		w.confirmed = &p
	case library.Deny:
		err = w.end(s, library.OutcomeDenied)
	case library.Withdraw:
		err = w.end(s, library.OutcomeWithdrawn)
	case library.Hold, library.Resume:
		w.held = s.message == library.Hold
		w.changed = w.changed || s.message == library.Resume // Time has gone by.
	case library.Place, library.Split:
	}
	w.show(ctx)
	return err
}

func (w *release) heardApprove(s said) error {
	p, err := library.Decode[library.ApprovePayload](s.message, s.payload)
	w.approvals = append(w.approvals, library.Decision{
		ID: s.signed.Nonce, Message: library.Approve, Actor: s.signed.Actor, Revision: p.Revision,
	})
	return err
}

// heardAcknowledge ends a case for which there are no images, once a person
// has said that there are none.
func (w *release) heardAcknowledge(s said) error {
	p, err := library.Decode[library.AcknowledgePayload](s.message, s.payload)
	if err != nil {
		return err
	}
	if p.Finding == library.NothingFoundRule && w.checked.Images == 0 {
		w.outcome, w.reason = library.OutcomeNoImages, p.Reason
		return nil
	}
	w.changed = true
	return nil
}

func (w *release) end(s said, o library.Outcome) error {
	p, err := library.Decode[library.ReasonPayload](s.message, s.payload)
	w.outcome, w.reason = o, p.Reason
	return err
}

func (w *release) told(ctx workflow.Context, refusal string) {
	w.refused = refusal
	w.show(ctx)
}

func (w *release) tell(ctx workflow.Context, trouble string) {
	w.trouble = trouble
	w.show(ctx)
}

// show tells the Temporal UI how the case stands. The UI fetches this text
// through a URL, so there is nothing about the patient in it, nor anything that
// the requester wrote.
func (w *release) show(ctx workflow.Context) {
	var b strings.Builder
	fmt.Fprintf(&b, "## Case %s: %s\n\n", w.p.Case, w.stage)
	fmt.Fprintf(&b, "| | |\n|---|---|\n| waits for | **%s** |\n| due | %s |\n", w.waiting, w.due.UTC().Format("2 January 2006"))
	if w.checked.Basis != "" {
		fmt.Fprintf(&b, "| legal basis | %s, risk tier %d |\n", w.checked.Basis, w.checked.Tier)
		fmt.Fprintf(&b, "| images | %d |\n| destination | %s |\n", w.checked.Images, orNone(string(w.checked.Facility)))
		fmt.Fprintf(&b, "| approvals | %d of %d |\n", len(w.approvals), w.checked.Tier.Approvals())
	}
	b.WriteString("\n")
	if w.outcome != "" {
		fmt.Fprintf(&b, "**Outcome: %s**\n\n", w.outcome)
	}
	if w.held {
		b.WriteString("**On hold.**\n\n")
	}
	if w.note != "" {
		fmt.Fprintf(&b, "**Note:** %s\n\n", w.note)
	}
	if w.waited > 0 {
		fmt.Fprintf(&b, "**Reminder:** it has been waiting; reminded %d times.\n\n", w.waited)
	}
	notes(&b, w.trouble, w.refused)
	if w.stage == library.StageReview && w.outcome == "" {
		w.showReview(&b)
	}
	workflow.SetCurrentDetails(ctx, b.String())
}

// showReview says what hinders an approval, or how to approve.
func (w *release) showReview(b *strings.Builder) {
	if len(w.checked.Open) > 0 {
		b.WriteString("Open findings:\n\n")
		for _, r := range w.checked.Open {
			fmt.Fprintf(b, "- **%s** (%s) %s\n", r.Rule, r.Severity, r.Title)
		}
		b.WriteString("\nPut them right with `correct` or `choose`, answer them with `acknowledge`, or send `ask` to write to the requester.\n")
		return
	}
	if w.checked.Revision == "" {
		b.WriteString("The case could not be checked. Put it right with `correct` or `choose`, or end it with `withdraw`.\n")
		return
	}
	fmt.Fprintf(b, "Nothing hinders an approval. Send the update `approve` with\n\n```\n{\"revision\": \"%s\"}\n```\n", w.checked.Revision)
}

func orNone(s string) string {
	if s == "" {
		return "none yet"
	}
	return s
}
