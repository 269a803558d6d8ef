package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/library"
)

type eventRow struct {
	CaseID    string
	ArrivalID int64
	Key       string
	What      string
	Detail    string
	Actor     string
	At        time.Time
}

func (r eventRow) event() (library.Event, error) {
	return library.Event{
		Case: library.CaseID(r.CaseID), Arrival: library.ArrivalID(r.ArrivalID), Key: r.Key,
		What: r.What, Detail: r.Detail, Actor: r.Actor, At: r.At.UTC(),
	}, nil
}

// AddEvent implements [library.CaseRecords].
func (s *Store) AddEvent(ctx context.Context, e library.Event) error {
	return fault("add event", string(e.Case), addEvent(ctx, s.pool, e))
}

func addEvent(ctx context.Context, q querier, e library.Event) error {
	_, err := exec(ctx, q, addEventSQL, pgx.StrictNamedArgs{
		"case_id": e.Case, "arrival_id": e.Arrival, "key": e.Key, "what": e.What, "detail": e.Detail,
		"actor": e.Actor, "at": instant(e.At),
	})
	return err
}

// Events implements [library.CaseRecords], in the order in which they were
// written.
func (s *Store) Events(ctx context.Context, id library.CaseID) ([]library.Event, error) {
	all, err := ofCase(ctx, s.pool, id, eventsSQL, eventRow.event)
	return all, fault("list events of case", string(id), err)
}

type letterRow struct {
	CaseID    string
	Number    int
	Kind      string
	MessageID string
	Recipient string
	Subject   string
	Body      string
	State     string
	Reason    string
	At        time.Time
}

func (r letterRow) letter() (library.Letter, error) {
	return library.Letter{
		Case: library.CaseID(r.CaseID), Number: r.Number, Kind: library.LetterKind(r.Kind), MessageID: r.MessageID,
		To: library.Hide(r.Recipient), Subject: r.Subject, Text: library.Hide(r.Body),
		State: library.LetterState(r.State), Reason: r.Reason, At: r.At.UTC(),
	}, nil
}

// AddLetter implements [library.CaseRecords].
func (s *Store) AddLetter(ctx context.Context, l library.Letter) (library.Letter, error) {
	var written library.Letter
	err := s.within(ctx, "add letter of case", string(l.Case), func(tx pgx.Tx) error {
		n, err := exec(ctx, tx, addLetterSQL, pgx.StrictNamedArgs{
			"case_id": l.Case, "number": l.Number, "kind": l.Kind, "message_id": l.MessageID, "recipient": l.To.Reveal(),
			"subject": l.Subject, "body": l.Text.Reveal(), "state": l.State, "reason": l.Reason, "at": instant(l.At),
		})
		if err != nil {
			return err
		}
		if n == 1 {
			if err := addEvent(ctx, tx, letterMoved(l)); err != nil {
				return err
			}
		}
		written, err = one(ctx, tx, letterSQL, pgx.StrictNamedArgs{"case_id": l.Case, "number": l.Number}, letterRow.letter)
		return err
	})
	return written, err
}

// letterMoved tells what has become of l.
func letterMoved(l library.Letter) library.Event {
	return library.Event{
		Case: l.Case, Key: fmt.Sprintf("letter/%d/%s", l.Number, l.State), What: "letter " + string(l.State),
		Detail: fmt.Sprintf("%d, %s", l.Number, l.Kind), Actor: program, At: l.At,
	}
}

// MoveLetter implements [library.CaseRecords]. Moving a letter that was sent
// changes nothing and is no error.
func (s *Store) MoveLetter(ctx context.Context, id library.CaseID, number int, to library.LetterState, reason string, at time.Time) error {
	return s.within(ctx, "move letter of case", string(id), func(tx pgx.Tx) error {
		key := pgx.StrictNamedArgs{"case_id": id, "number": number}
		moved, err := one(ctx, tx, moveLetterSQL, pgx.StrictNamedArgs{
			"case_id": id, "number": number, "state": to, "reason": reason, "at": instant(at),
		}, letterRow.letter)
		if errors.Is(err, pgx.ErrNoRows) { // It was sent, or there is none.
			_, err = one(ctx, tx, letterSQL, key, letterRow.letter)
			return err
		}
		if err != nil {
			return err
		}
		return addEvent(ctx, tx, letterMoved(moved))
	})
}

// Letters implements [library.CaseRecords], by their number.
func (s *Store) Letters(ctx context.Context, id library.CaseID) ([]library.Letter, error) {
	all, err := ofCase(ctx, s.pool, id, lettersSQL, letterRow.letter)
	return all, fault("list letters of case", string(id), err)
}

type decisionRow struct {
	ID        string
	CaseID    string
	ArrivalID int64
	Message   string
	Subject   string
	Name      string
	Roles     []string
	Payload   string
	Revision  string
	Header    string
	Workflow  string
	At        time.Time
}

func (r decisionRow) decision() (library.Decision, error) {
	return library.Decision{
		ID: r.ID, Case: library.CaseID(r.CaseID), Arrival: library.ArrivalID(r.ArrivalID), Message: library.Message(r.Message),
		Actor:   library.Actor{Subject: r.Subject, Name: r.Name, Roles: typed[library.Role](r.Roles)},
		Payload: library.Hide(r.Payload), Revision: library.Revision(r.Revision),
		Header: r.Header, Workflow: r.Workflow, At: r.At.UTC(),
	}, nil
}

// AddDecision implements [library.DecisionRecords]. Another statement under an
// ID that is taken is a [library.Conflict].
func (s *Store) AddDecision(ctx context.Context, d library.Decision) error {
	const op = "add decision"
	return s.within(ctx, op, d.ID, func(tx pgx.Tx) error {
		n, err := exec(ctx, tx, addDecisionSQL, pgx.StrictNamedArgs{
			"id": d.ID, "case_id": d.Case, "arrival_id": d.Arrival, "message": d.Message,
			"subject": d.Actor.Subject, "name": d.Actor.Name, "roles": d.Actor.Roles,
			"payload": d.Payload.Reveal(), "revision": d.Revision, "header": d.Header, "workflow": d.Workflow, "at": instant(d.At),
		})
		if err != nil {
			return err
		}
		if n == 0 {
			have, err := one(ctx, tx, decisionSQL, pgx.StrictNamedArgs{"id": d.ID}, decisionRow.decision)
			if err != nil {
				return err
			}
			if have.Case != d.Case || have.Arrival != d.Arrival || have.Message != d.Message ||
				have.Header != text(d.Header) || have.Payload.Reveal() != text(d.Payload.Reveal()) {
				return library.Errorf(library.Conflict, op, d.ID, "another statement has this id")
			}
			return nil
		}
		return addEvent(ctx, tx, library.Event{
			Case: d.Case, Arrival: d.Arrival, Key: "decision/" + d.ID, What: "staff said " + string(d.Message),
			Detail: string(d.Revision), Actor: d.Actor.Subject, At: d.At,
		})
	})
}

// Decisions implements [library.DecisionRecords], in the order in which they
// were recorded.
func (s *Store) Decisions(ctx context.Context, id library.CaseID) ([]library.Decision, error) {
	all, err := ofCase(ctx, s.pool, id, decisionsSQL, decisionRow.decision)
	return all, fault("list decisions of case", string(id), err)
}
