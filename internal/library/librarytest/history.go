package librarytest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fileroom/internal/library"
)

// AddEvent implements [library.CaseRecords].
func (r *Records) AddEvent(ctx context.Context, e library.Event) error {
	const op = "add event"
	leave, err := r.enter(ctx, "AddEvent")
	if err != nil {
		return err
	}
	defer leave()

	if err := r.about(op, e.Case, e.Arrival); err != nil {
		return err
	}
	if e.Key == "" {
		return invalid(op, string(e.Case), "no key")
	}
	r.add(e)
	return nil
}

// about returns an error unless what something is about exists: a case, an
// arrival, or both.
func (r *Records) about(op string, id library.CaseID, number library.ArrivalID) error {
	if id == "" && number == 0 {
		return invalid(op, "", "about neither a case nor an arrival")
	}
	if id != "" {
		if _, err := r.find(op, id); err != nil {
			return err
		}
	}
	if number != 0 {
		if _, err := r.arrival(op, number); err != nil {
			return err
		}
	}
	return nil
}

// Events implements [library.CaseRecords], in the order in which they were
// written.
func (r *Records) Events(ctx context.Context, id library.CaseID) ([]library.Event, error) {
	leave, err := r.enter(ctx, "Events")
	if err != nil {
		return nil, err
	}
	defer leave()

	if _, err := r.find("list events of case", id); err != nil {
		return nil, err
	}
	var all []library.Event
	for _, e := range r.events {
		if e.Case == id {
			all = append(all, e)
		}
	}
	return all, nil
}

func (f *caseFile) letter(number int) *library.Letter {
	for i := range f.letters {
		if f.letters[i].Number == number {
			return &f.letters[i]
		}
	}
	return nil
}

// AddLetter implements [library.CaseRecords].
func (r *Records) AddLetter(ctx context.Context, l library.Letter) (library.Letter, error) {
	const op = "add letter of case"
	leave, err := r.enter(ctx, "AddLetter")
	if err != nil {
		return library.Letter{}, err
	}
	defer leave()

	f, err := r.find(op, l.Case)
	if err != nil {
		return library.Letter{}, err
	}
	if have := f.letter(l.Number); have != nil {
		return *have, nil
	}
	if l.Number < 1 || !slices.Contains(letterKinds, l.Kind) || !slices.Contains(letterStates, l.State) {
		return library.Letter{}, invalid(op, string(l.Case), "a number that is not from 1, or an unknown kind or state")
	}
	l.At = instant(l.At)
	f.letters = append(f.letters, l)
	slices.SortFunc(f.letters, func(a, b library.Letter) int { return a.Number - b.Number })
	r.letterMoved(l)
	return l, nil
}

// letterMoved tells what has become of l.
func (r *Records) letterMoved(l library.Letter) {
	r.add(library.Event{
		Case: l.Case, Key: fmt.Sprintf("letter/%d/%s", l.Number, l.State), What: "letter " + string(l.State),
		Detail: fmt.Sprintf("%d, %s", l.Number, l.Kind), Actor: program, At: l.At,
	})
}

// MoveLetter implements [library.CaseRecords]. Moving a letter that was sent
// changes nothing and is no error.
func (r *Records) MoveLetter(ctx context.Context, id library.CaseID, number int, to library.LetterState, reason string, at time.Time) error {
	const op = "move letter of case"
	leave, err := r.enter(ctx, "MoveLetter")
	if err != nil {
		return err
	}
	defer leave()

	f, err := r.find(op, id)
	if err != nil {
		return err
	}
	l := f.letter(number)
	switch {
	case l == nil:
		return missing(op, string(id))
	case l.State == library.LetterSent:
		return nil
	case !slices.Contains(letterStates, to):
		return invalid(op, string(id), "unknown state")
	}
	l.State, l.Reason, l.At = to, reason, instant(at)
	r.letterMoved(*l)
	return nil
}

// Letters implements [library.CaseRecords], by their number.
func (r *Records) Letters(ctx context.Context, id library.CaseID) ([]library.Letter, error) {
	leave, err := r.enter(ctx, "Letters")
	if err != nil {
		return nil, err
	}
	defer leave()

	f, err := r.find("list letters of case", id)
	if err != nil {
		return nil, err
	}
	return copied(f.letters), nil
}

// AddDecision implements [library.DecisionRecords]. Another statement under an
// ID that is taken is a [library.Conflict].
func (r *Records) AddDecision(ctx context.Context, d library.Decision) error {
	const op = "add decision"
	leave, err := r.enter(ctx, "AddDecision")
	if err != nil {
		return err
	}
	defer leave()

	for _, have := range r.decisions {
		if have.ID != d.ID {
			continue
		}
		if have.Case != d.Case || have.Arrival != d.Arrival || have.Message != d.Message ||
			have.Header != d.Header || have.Payload.Reveal() != d.Payload.Reveal() {
			return library.Errorf(library.Conflict, op, d.ID, "another statement has this id")
		}
		return nil
	}
	if err := r.about(op, d.Case, d.Arrival); err != nil {
		return err
	}
	if d.ID == "" || d.Actor.Subject == "" || !slices.Contains(messages, d.Message) {
		return invalid(op, d.ID, "no id, no subject or an unknown message")
	}
	d.At = instant(d.At)
	d.Actor.Roles = copied(d.Actor.Roles)
	r.decisions = append(r.decisions, d)
	r.add(library.Event{
		Case: d.Case, Arrival: d.Arrival, Key: "decision/" + d.ID, What: "staff said " + string(d.Message),
		Detail: string(d.Revision), Actor: d.Actor.Subject, At: d.At,
	})
	return nil
}

// Decisions implements [library.DecisionRecords], in the order in which they
// were recorded.
func (r *Records) Decisions(ctx context.Context, id library.CaseID) ([]library.Decision, error) {
	leave, err := r.enter(ctx, "Decisions")
	if err != nil {
		return nil, err
	}
	defer leave()

	if _, err := r.find("list decisions of case", id); err != nil {
		return nil, err
	}
	var all []library.Decision
	for _, d := range r.decisions {
		if d.Case == id {
			d.Actor.Roles = copied(d.Actor.Roles)
			all = append(all, d)
		}
	}
	return all, nil
}
