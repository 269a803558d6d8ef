package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/library"
)

type caseRow struct {
	ID         string
	ArrivalID  int64
	Part       int
	Channel    string
	Stage      string
	Waiting    string
	Outcome    string
	ReceivedAt time.Time
	DueAt      time.Time
	Reading    string
	Pages      string
	Papers     []string
	Basis      string
	Tier       int
	Revision   string
	Facility   string
	Requester  []byte
	ClosedAt   *time.Time
}

func (r caseRow) record() (library.Case, error) {
	requester, err := read[library.Requester](r.Requester)
	c := library.Case{
		ID: library.CaseID(r.ID), Arrival: library.ArrivalID(r.ArrivalID), Part: r.Part, Channel: library.Channel(r.Channel),
		Stage: library.Stage(r.Stage), Waiting: library.Waiting(r.Waiting), Outcome: library.Outcome(r.Outcome),
		ReceivedAt: r.ReceivedAt.UTC(), DueAt: r.DueAt.UTC(),
		Reading: r.Reading, Pages: r.Pages, Papers: typed[string](r.Papers),
		Basis: library.Basis(r.Basis), Tier: library.Tier(r.Tier), Revision: library.Revision(r.Revision),
		Facility: library.FacilityID(r.Facility), Requester: library.Hide(requester),
	}
	if r.ClosedAt != nil {
		c.ClosedAt = r.ClosedAt.UTC()
	}
	return c, err
}

// OpenCase implements [library.CaseRecords].
func (s *Store) OpenCase(ctx context.Context, c library.Case) (library.Case, error) {
	const op = "open case"
	var opened library.Case
	err := s.within(ctx, op, string(c.ID), func(tx pgx.Tx) error {
		// The lock lets one part of an arrival be opened by one only.
		arrival, err := lockArrival(ctx, tx, c.Arrival)
		if err != nil {
			return err
		}
		opened, err = caseOfArrival(ctx, tx, c.Arrival, c.Part)
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if arrival.State == string(library.ArrivalSorted) {
			return library.Errorf(library.Conflict, op, string(c.ID), "arrival %d is sorted away", c.Arrival)
		}
		if err := insertCase(ctx, tx, c); err != nil {
			return err
		}
		moves, err := value[int64](ctx, tx, placeArrivalSQL, pgx.StrictNamedArgs{"id": c.Arrival, "case_id": c.ID})
		if err != nil {
			return err
		}
		if arrival.State != string(library.ArrivalPlaced) {
			if err := addEvent(ctx, tx, arrivalMoved(c.Arrival, library.ArrivalPlaced, moves)); err != nil {
				return err
			}
		}
		err = addEvent(ctx, tx, library.Event{
			Case: c.ID, Key: "opened", What: "case opened", Detail: fmt.Sprintf("arrival %d part %d", c.Arrival, c.Part),
			Actor: program, At: time.Now(),
		})
		if err != nil {
			return err
		}
		opened, err = caseOfArrival(ctx, tx, c.Arrival, c.Part)
		return err
	})
	return opened, err
}

func insertCase(ctx context.Context, tx pgx.Tx, c library.Case) error {
	requester, err := document(c.Requester.Reveal())
	if err != nil {
		return err
	}
	var closed *time.Time
	if !c.ClosedAt.IsZero() {
		closed = new(instant(c.ClosedAt))
	}
	_, err = exec(ctx, tx, openCaseSQL, pgx.StrictNamedArgs{
		"id": c.ID, "arrival_id": c.Arrival, "part": c.Part, "channel": c.Channel,
		"stage": c.Stage, "waiting": c.Waiting, "outcome": c.Outcome,
		"received_at": instant(c.ReceivedAt), "due_at": instant(c.DueAt),
		"reading": c.Reading, "pages": c.Pages, "papers": c.Papers,
		"basis": c.Basis, "tier": c.Tier, "revision": c.Revision, "facility": c.Facility,
		"requester": requester, "closed_at": closed,
	})
	return err
}

// Case implements [library.CaseRecords].
func (s *Store) Case(ctx context.Context, id library.CaseID) (library.Case, error) {
	c, err := one(ctx, s.pool, caseSQL, pgx.StrictNamedArgs{"id": id}, caseRow.record)
	return c, fault("read case", string(id), err)
}

// CaseOfArrival implements [library.CaseRecords].
func (s *Store) CaseOfArrival(ctx context.Context, id library.ArrivalID, part int) (library.Case, error) {
	c, err := caseOfArrival(ctx, s.pool, id, part)
	return c, fault("read case of arrival", number(id), err)
}

func caseOfArrival(ctx context.Context, q querier, id library.ArrivalID, part int) (library.Case, error) {
	return one(ctx, q, caseOfArrivalSQL, pgx.StrictNamedArgs{"arrival_id": id, "part": part}, caseRow.record)
}

// Cases implements [library.CaseRecords]. A filter that names
// [library.StageClosed] selects closed cases.
func (s *Store) Cases(ctx context.Context, f library.CaseFilter) ([]library.Case, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 1000
	}
	sql, args := casesSQL, pgx.StrictNamedArgs{"limit": limit}
	switch {
	case f.Stage != "":
		sql = casesOfStageSQL
		args["stage"] = f.Stage
	case f.Closed:
		sql = casesWithClosedSQL
	}
	all, err := list(ctx, s.pool, sql, args, caseRow.record)
	return all, fault("list cases", "", err)
}

// caseStanding is what decides whether a case may be moved.
type caseStanding struct {
	Stage   string
	Waiting string
	Outcome string
}

func lockCase(ctx context.Context, tx pgx.Tx, id library.CaseID) (caseStanding, error) {
	return one(ctx, tx, lockCaseSQL, pgx.StrictNamedArgs{"id": id},
		func(r caseStanding) (caseStanding, error) { return r, nil })
}

// MoveCase implements [library.CaseRecords].
func (s *Store) MoveCase(ctx context.Context, id library.CaseID, stage library.Stage, waiting library.Waiting, outcome library.Outcome, at time.Time) error {
	const op = "move case"
	return s.within(ctx, op, string(id), func(tx pgx.Tx) error {
		now, err := lockCase(ctx, tx, id)
		closing := stage == library.StageClosed
		switch {
		case err != nil:
			return err
		case now.Stage == string(library.StageClosed) && closing && now.Outcome == string(outcome):
			return nil
		case now.Stage == string(library.StageClosed):
			return library.Errorf(library.Conflict, op, string(id), "is closed as %s", now.Outcome)
		case now == caseStanding{string(stage), string(waiting), string(outcome)}:
			return nil
		}
		var closed *time.Time
		if closing {
			closed = new(instant(at))
		}
		moves, err := value[int64](ctx, tx, moveCaseSQL, pgx.StrictNamedArgs{
			"id": id, "stage": stage, "waiting": waiting, "outcome": outcome, "closed_at": closed,
		})
		if err != nil {
			return err
		}
		detail := fmt.Sprintf("%s, waiting for %s", stage, waiting)
		if closing {
			detail = fmt.Sprintf("%s, %s", stage, outcome)
		}
		return addEvent(ctx, tx, library.Event{
			Case: id, Key: fmt.Sprintf("stage/%d", moves), What: "stage changed", Detail: detail, Actor: program, At: at,
		})
	})
}

// SetReading implements [library.CaseRecords].
func (s *Store) SetReading(ctx context.Context, id library.CaseID, reading, pages string, papers []string) error {
	n, err := exec(ctx, s.pool, setReadingSQL, pgx.StrictNamedArgs{"id": id, "reading": reading, "pages": pages, "papers": papers})
	return fault("set reading of case", string(id), needOne(n, err))
}

// needOne returns [pgx.ErrNoRows] when an update touched no row.
func needOne(n int64, err error) error {
	if err == nil && n == 0 {
		return pgx.ErrNoRows
	}
	return err
}

// SameRequests implements [library.CaseRecords]. A patient without an ID is
// the same as nobody.
func (s *Store) SameRequests(ctx context.Context, id library.CaseID, patient library.PatientRecord, facility library.FacilityID, since time.Time) ([]library.CaseID, error) {
	const op = "find same requests"
	if patient.ID == "" || facility == "" {
		return nil, fault(op, string(id), mustExist(ctx, s.pool, id))
	}
	type row struct{ ID string }
	same, err := list(ctx, s.pool, sameRequestsSQL, pgx.StrictNamedArgs{
		"case_id": id, "patient": patient.ID, "issuer": patient.Issuer, "facility": facility, "since": instant(since),
	}, func(r row) (library.CaseID, error) { return library.CaseID(r.ID), nil })
	if err == nil && len(same) == 0 {
		err = mustExist(ctx, s.pool, id)
	}
	return same, fault(op, string(id), err)
}
