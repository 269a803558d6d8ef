package workflows

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"fileroom/activities"
	"fileroom/internal/failure"
	"fileroom/internal/library"
)

// placeReminder is how often staff are reminded of an arrival that they must
// place. Silence means that it goes on waiting: it is never sorted away.
const placeReminder = 24 * time.Hour

// IntakeParams are the parameters of [Intake].
type IntakeParams struct {
	Arrival library.ArrivalID `json:"arrival"`
	// Late is the case that the arrival reached when it had ended; empty for the
	// arrival's first Intake.
	Late library.CaseID `json:"late,omitempty"`
	// Desk is the address of the staff's pages, where it is known already.
	Desk string `json:"desk,omitempty"`
}

// IntakeResult is the result of [Intake].
type IntakeResult struct {
	State library.ArrivalState `json:"state"`
	Cases []library.CaseID     `json:"cases,omitempty"`
}

// An ArrivalView is where an arrival stands.
type ArrivalView struct {
	State   library.ArrivalState `json:"state"`
	Waiting library.Waiting      `json:"waiting"`
	Reason  string               `json:"reason,omitempty"`
	Case    library.CaseID       `json:"case,omitempty"`
}

// Intake takes in one arrival: it makes the case, acknowledges it, reads it and
// gives it to its [Release]. What is not a request it sorts away, what answers
// an open case it brings there, and what nobody can tell it keeps until staff
// place it or split it.
func Intake(ctx workflow.Context, p IntakeParams) (IntakeResult, error) {
	w := &intake{id: p.Arrival, late: p.Late, desk: p.Desk, view: ArrivalView{State: library.ArrivalKept, Waiting: library.WaitingNobody}}
	if err := w.listen(ctx); err != nil {
		return IntakeResult{}, err
	}
	return w.run(ctx)
}

// intake is the state of one running Intake.
type intake struct {
	id      library.ArrivalID
	late    library.CaseID
	desk    string // Address of the staff's pages; empty when it is not known.
	ear     ear
	view    ArrivalView
	trouble string
	refused string // The last signal that was refused, and why.

	channel   library.Channel
	received  time.Time
	case1     library.CaseID // The case made for the arrival, if any.
	placement *library.PlacePayload
	parts     []library.CaseID // The cases that it was split into.
}

func (w *intake) listen(ctx workflow.Context) error {
	w.ear = ear{
		messages: []message{
			{library.Place, "Say where an arrival belongs that the program could not place."},
			{library.Split, "Say which pages make which request, when there are several in one."},
		},
		may: w.may, hear: w.hear, told: w.told, tell: w.tell,
	}
	err := workflow.SetQueryHandlerWithOptions(ctx, ArrivalQuery, func() (ArrivalView, error) { return w.view, nil },
		workflow.QueryHandlerOptions{Description: "Where the arrival stands"})
	if err != nil {
		return err
	}
	return w.ear.listen(ctx)
}

func (w *intake) run(ctx workflow.Context) (IntakeResult, error) {
	err := w.begin(ctx)
	for kind := failure.KindOf(err); kind != ""; kind = failure.KindOf(err) { // An arrival never dies of an error.
		if err = pause(ctx, afterTelling, "give the arrival to staff"); err == nil { // Lest it asks without end.
			err = w.await(ctx, "the program cannot take it in ("+string(kind)+"); look at it as it came")
		}
	}
	if err != nil {
		return IntakeResult{}, err
	}
	w.show(ctx)
	r := IntakeResult{State: w.view.State, Cases: w.parts}
	if r.Cases == nil && w.view.Case != "" {
		r.Cases = []library.CaseID{w.view.Case}
	}
	return r, w.ear.finished(ctx)
}

// begin looks at the arrival and does what it turns out to need.
func (w *intake) begin(ctx workflow.Context) error {
	if w.late != "" {
		return w.await(ctx, "it came for case "+string(w.late)+" when that had ended")
	}
	opened, err := call(ctx, reading, "open the arrival", w.tell, arrivals.OpenArrival, activities.OpenArrivalParams{Arrival: w.id})
	if err != nil {
		return err
	}
	w.channel, w.received, w.case1, w.desk = opened.Channel, opened.ReceivedAt, opened.Case, opened.Desk
	w.view.State, w.view.Case = library.ArrivalOpened, opened.Case
	switch opened.Disposition {
	case activities.DispositionSorted:
		w.view.State, w.view.Reason = library.ArrivalSorted, opened.Reason
	case activities.DispositionReply:
		w.case1 = ""
		err = w.join(ctx, opened.Case)
	case activities.DispositionRequest:
		err = w.takeIn(ctx)
	case activities.DispositionWaiting:
		err = w.await(ctx, opened.Reason)
	}
	return err
}

// takeIn acknowledges a request, reads it and hands it on.
func (w *intake) takeIn(ctx workflow.Context) error {
	if err := w.acknowledge(ctx, w.case1); err != nil {
		return err
	}
	read, err := w.read(ctx)
	switch {
	case err != nil:
		return err
	case read.Words == 0 && read.Troubles > 0:
		return w.await(ctx, fmt.Sprintf("there is nothing to read in it: %d parts are too large, locked or damaged; look at it as it came", read.Troubles))
	case read.Words == 0:
		return w.await(ctx, "there is nothing to read in it; look at it as it came")
	case read.Patients > 1:
		return w.await(ctx, fmt.Sprintf("%d patients are named in it; split it, or place it if they are one (IN-05)", read.Patients))
	}
	return w.release(ctx, w.case1)
}

// acknowledge sends the first letter of a case: its number.
func (w *intake) acknowledge(ctx workflow.Context, id library.CaseID) error {
	sent, err := call(ctx, asking, "acknowledge the request", w.tell, letters.SendLetter, activities.SendLetterParams{
		Case: id, Number: 1, Kind: library.LetterAcknowledgement,
	})
	if err == nil && sent.State != library.LetterSent {
		w.trouble = fmt.Sprintf("the acknowledgement could not be sent (%s): reach the requester another way", sent.State)
	}
	return err
}

func (w *intake) read(ctx workflow.Context) (activities.ReadArrivalResult, error) {
	return call(ctx, reading, "read the arrival", w.tell, arrivals.ReadArrival, activities.ReadArrivalParams{Arrival: w.id, Case: w.case1})
}

// release starts the Release of a case.
func (w *intake) release(ctx workflow.Context, id library.CaseID) error {
	if err := startRelease(ctx, id, w.channel, w.received, w.desk); err != nil {
		return err
	}
	return w.placed(ctx, id)
}

// placed notes that the arrival is in a case. The ledger knows it already,
// unless staff had to say so.
func (w *intake) placed(ctx workflow.Context, id library.CaseID) error {
	byStaff := w.view.State == library.ArrivalWaiting
	w.view.State, w.view.Case = library.ArrivalPlaced, id
	if !byStaff {
		return nil
	}
	return w.move(ctx, library.ArrivalPlaced, "placed by staff in "+string(id))
}

// join brings the arrival to an open case. A case that has ended meanwhile
// cannot take it: then staff place it.
func (w *intake) join(ctx workflow.Context, id library.CaseID) error {
	err := workflow.SignalExternalWorkflow(ctx, ReleaseID(id), "", ArrivedSignal, Arrived{Arrival: w.id}).Get(ctx, nil)
	if err != nil {
		return w.await(ctx, "there is no open case "+string(id))
	}
	return w.placed(ctx, id)
}

// await waits until staff have said where the arrival belongs, and does it.
func (w *intake) await(ctx workflow.Context, reason string) error {
	if err := w.move(ctx, library.ArrivalWaiting, reason); err != nil {
		return err
	}
	w.view.Waiting = library.WaitingStaff
	w.placement = nil
	if err := w.attributes(ctx); err != nil {
		return err
	}
	for days := 0; w.placement == nil && w.parts == nil; days++ {
		if days > 0 {
			w.view.Reason = fmt.Sprintf("%s (waiting for %d days)", reason, days)
		}
		w.show(ctx)
		_, err := within(ctx, placeReminder, "remind staff to place it", func() bool { return w.placement != nil || w.parts != nil })
		if err != nil {
			return err
		}
	}
	w.view.Waiting, w.view.Reason = library.WaitingNobody, ""
	if err := w.attributes(ctx); err != nil {
		return err
	}
	if w.parts != nil {
		for _, id := range w.parts {
			if err := w.acknowledge(ctx, id); err != nil { // The first has its letter, and gets no second.
				return err
			}
			if err := w.release(ctx, id); err != nil {
				return err
			}
		}
		return nil
	}
	return w.place(ctx, *w.placement)
}

// place does what staff said.
func (w *intake) place(ctx workflow.Context, p library.PlacePayload) error {
	switch {
	case p.Sort:
		if err := w.closeOwn(ctx, library.OutcomeNotRequest); err != nil {
			return err
		}
		return w.move(ctx, library.ArrivalSorted, "sorted away by staff")
	case p.Case != "":
		own := w.case1
		if err := w.join(ctx, p.Case); err != nil || w.view.Case != p.Case {
			return err // There is no such case, and staff have placed it anew.
		}
		w.case1 = own
		return w.closeOwn(ctx, library.OutcomeDuplicate)
	}
	if w.case1 == "" {
		opened, err := call(ctx, reading, "open a case", w.tell, arrivals.OpenArrival, activities.OpenArrivalParams{Arrival: w.id, Placed: true})
		if err != nil {
			return err
		}
		w.case1, w.channel, w.received, w.desk = opened.Case, opened.Channel, opened.ReceivedAt, opened.Desk
		if err := w.acknowledge(ctx, w.case1); err != nil {
			return err
		}
		if _, err := w.read(ctx); err != nil {
			return err
		}
	}
	return w.release(ctx, w.case1)
}

// closeOwn closes the case that was made for the arrival, if one was.
func (w *intake) closeOwn(ctx workflow.Context, o library.Outcome) error {
	if w.case1 == "" {
		return nil
	}
	_, err := call(ctx, quick, "close the case", w.tell, cases.MoveCase, activities.MoveCaseParams{
		Case: w.case1, Stage: library.StageClosed, Waiting: library.WaitingNobody, Outcome: o,
	})
	w.case1 = ""
	return err
}

func (w *intake) move(ctx workflow.Context, to library.ArrivalState, reason string) error {
	w.view.State, w.view.Reason = to, reason
	_, err := call(ctx, quick, "note where the arrival stands", w.tell, arrivals.PlaceArrival, activities.PlaceArrivalParams{
		Arrival: w.id, State: to, Reason: reason,
	})
	return err
}

func (w *intake) may(s said) error {
	if w.view.Waiting != library.WaitingStaff || w.placement != nil || w.parts != nil {
		return errors.New("the arrival is not waiting to be placed")
	}
	if s.message == library.Split {
		if w.case1 == "" {
			return errors.New("the arrival could not be read, so it cannot be split")
		}
		_, err := library.Decode[library.SplitPayload](s.message, s.payload)
		return err
	}
	_, err := library.Decode[library.PlacePayload](s.message, s.payload)
	return err
}

// hear puts a placement on record and lets the Intake go on.
func (w *intake) hear(ctx workflow.Context, s said) error {
	var parts []library.CaseID
	if s.message == library.Split {
		p, err := library.Decode[library.SplitPayload](s.message, s.payload)
		if err != nil {
			return err
		}
		split, err := call(ctx, reading, "split the arrival", w.tell, arrivals.SplitArrival, activities.SplitArrivalParams{
			Arrival: w.id, Case: w.case1, Pages: p.Pages,
		})
		if err != nil {
			return failure.Plain(err)
		}
		parts = split.Cases
	}
	_, err := call(ctx, quick, "record the placement", w.tell, decisions.RecordDecision, activities.RecordDecisionParams{
		Case: w.case1, Arrival: w.id, Workflow: workflow.GetInfo(ctx).WorkflowExecution.ID,
		Message: s.message, Payload: s.payload, Signed: s.signed, At: s.at,
	})
	if err != nil {
		return failure.Plain(err)
	}
	w.refused = ""
	if parts != nil {
		w.parts = parts
		return nil
	}
	p, err := library.Decode[library.PlacePayload](s.message, s.payload)
	w.placement = &p
	return err
}

func (w *intake) told(ctx workflow.Context, refusal string) {
	w.refused = refusal
	w.show(ctx)
}

func (w *intake) tell(ctx workflow.Context, trouble string) {
	w.trouble = trouble
	w.show(ctx)
}

func (w *intake) attributes(ctx workflow.Context) error {
	return workflow.UpsertTypedSearchAttributes(ctx,
		WaitingAttribute.ValueSet(string(w.view.Waiting)), ChannelAttribute.ValueSet(string(w.channel)))
}

// show tells the Temporal UI how it stands: nothing of what arrived.
func (w *intake) show(ctx workflow.Context) {
	var b strings.Builder
	fmt.Fprintf(&b, "**Arrival %d: %s**", w.id, w.view.State)
	if w.view.Case != "" {
		fmt.Fprintf(&b, " (case %s)", w.view.Case)
	}
	b.WriteString("\n\n")
	deskLink(&b, w.desk, w.view.Case, w.id)
	if w.view.Waiting == library.WaitingStaff {
		fmt.Fprintf(&b, "**Waits for staff:** %s\n\n", plain(w.view.Reason))
		fmt.Fprintf(&b, "Send the update `place`, such as `%s`, or `split`, such as `%s`.\n\n",
			library.Example(library.Place), library.Example(library.Split))
	}
	notes(&b, w.trouble, w.refused)
	workflow.SetCurrentDetails(ctx, b.String())
}
