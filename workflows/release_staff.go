package workflows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/converter"
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
	Approvers []string           `json:"approvers,omitempty"` // Subjects of those whose approval counts now.
	Needed    int                `json:"needed"`              // Approvals, by different people.
	Open      []library.OpenRule `json:"open,omitempty"`
	Held      bool               `json:"held,omitempty"`
	Due       time.Time          `json:"due"`
	Note      string             `json:"note,omitempty"`
	Trouble   string             `json:"trouble,omitempty"`
	Refused   string             `json:"refused,omitempty"` // The last signal that was refused, and why.
}

func (w *release) view() (CaseView, error) {
	var approvers []string
	for _, d := range w.approvals {
		approvers = append(approvers, d.Actor.Subject)
	}
	return CaseView{
		Case: w.p.Case, Stage: w.stage, Waiting: w.waiting, Outcome: w.outcome, Revision: w.checked.Revision,
		Basis: w.checked.Basis, Tier: w.checked.Tier, Facility: w.checked.Facility, Images: w.checked.Images,
		Approvals: len(w.approvals), Approvers: approvers, Needed: w.checked.Tier.Approvals(), Open: w.checked.Open, Held: w.held, Due: w.due,
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
			var raw converter.RawValue // For the SDK drops what it cannot decode, and nobody would know.
			if more := arrived.Receive(ctx, &raw); !more {
				return
			}
			var a Arrived
			if err := unpack(raw, &a); err != nil || a.Arrival <= 0 {
				w.told(ctx, ArrivedSignal+": it does not say what has come; look among the arrivals that wait")
				continue
			}
			w.arrived, w.changed = append(w.arrived, a.Arrival), true
		}
	})
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var raw converter.RawValue
			if more := trouble.Receive(ctx, &raw); !more {
				return
			}
			var t Trouble
			if err := unpack(raw, &t); err != nil {
				w.told(ctx, TroubleSignal+": it does not say what the trouble is; look at the transfer")
				continue
			}
			w.tell(ctx, t.Text)
		}
	})
	return w.ear.listen(ctx)
}

// unpack reads the payload of a signal of the program's own.
func unpack(raw converter.RawValue, into any) error {
	if raw.Payload() == nil {
		return errors.New("it is empty")
	}
	return json.NewDecoder(bytes.NewReader(raw.Payload().GetData())).Decode(into)
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
		err = errors.Join(err, w.only(library.StageReview), w.mayAsk())
	case library.Correct:
		_, err = library.Decode[library.CorrectPayload](s.message, s.payload)
		err = errors.Join(err, w.only(library.StageReview, library.StageDeficient))
	case library.Acknowledged:
		err = errors.Join(w.mayAcknowledge(s), w.only(library.StageReview, library.StageDeficient))
	case library.Choose:
		err = errors.Join(w.mayChoose(s), w.only(library.StageReview, library.StageDeficient))
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
	case w.changing():
		return errChanging
	case p.Revision != w.checked.Revision:
		return fmt.Errorf("the case is not as you saw it; its revision is now %s", w.checked.Revision)
	case w.strict() && w.asked != nil:
		return errors.New("the requester is being asked about this case; it can be approved when the answer is there")
	}
	if w.strict() && w.checked.Tier >= 3 && len(w.approvals) > 0 && !s.signed.Actor.Is(library.RoleLead) {
		return errors.New("the second person must be a lead or of the privacy office: the case is of risk tier 3")
	}
	with := append(slices.Clone(w.approvals), library.Decision{Message: library.Approve, Actor: s.signed.Actor, Revision: p.Revision})
	if counted, _ := library.Approved(with, p.Revision, w.checked.Tier, w.checked.ChosenBy); len(counted) < len(with) {
		return errors.New("a second person must approve: one who has not approved, corrected or chosen in this case")
	}
	return nil
}

// strict reports whether the case began when [stricterRules] held.
func (w *release) strict() bool { return w.ear.since >= stricterRules }

// mayAsk refuses a letter that would cross a hold, an approval or another letter.
func (w *release) mayAsk() error {
	switch {
	case !w.strict():
		return nil
	case w.held:
		return errors.New("the case is on hold; the requester is not written to")
	case w.asked != nil:
		return errors.New("the requester is being asked already")
	case w.checked.Revision != "" && !w.changed && w.approved():
		return errors.New("the case has been approved; withdraw it, or hold it, if it must not go")
	}
	return nil
}

var errChanging = errors.New("the case has just changed and is being checked again; please look at it once more")

// changing reports whether what the last check found is out of date.
func (w *release) changing() bool { return w.changed || len(w.arrived) > 0 }

// asSeen refuses what was said to another state of the case than that of now.
// Whoever named no revision, as people who write JSON by hand, is not asked. It
// needs no version: no history from before it has a message with a revision.
func (w *release) asSeen(shown library.Revision) error {
	switch {
	case shown == "":
		return nil
	case w.changing():
		return errChanging
	case w.checked.Revision == "" && len(w.checked.Open) == 0: // The last check was refused: there is nothing to compare with.
		return nil
	case shown != w.checked.Revision.Shown():
		return errors.New("the case is not as you saw it; please look at it once more")
	}
	return nil
}

// mayAcknowledge refuses an answer to findings that are not those that were
// shown, and to end a case as without images for candidates that are not those
// of now.
func (w *release) mayAcknowledge(s said) error {
	p, err := library.Decode[library.AcknowledgePayload](s.message, s.payload)
	switch {
	case err != nil:
		return err
	case w.strict() && w.changed && w.endsCase(p):
		return errChanging
	}
	return w.asSeen(p.Revision)
}

// mayChoose refuses a choice among candidates that are not those that were
// shown. The key of a patient is a place in the list of now, which another match
// gives to somebody else.
func (w *release) mayChoose(s said) error {
	p, err := library.Decode[library.ChoosePayload](s.message, s.payload)
	switch {
	case err != nil:
		return err
	case w.strict() && p.Patient != "" && w.changing():
		return errChanging
	}
	return w.asSeen(p.Revision)
}

// endsCase reports whether an answer says that there are no images at all.
func (w *release) endsCase(p library.AcknowledgePayload) bool {
	return p.Finding == library.NothingFoundRule && w.checked.Images == 0
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
		if w.strict() { // What was approved before is not what stands now, even if it comes to the same.
			w.approvals = nil
		}
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
	if w.endsCase(p) {
		w.outcome, w.reason = library.OutcomeNoImages, p.Reason
		return nil
	}
	if w.strict() { // Whoever approved before did not know of it.
		w.approvals = nil
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
