package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/library"
)

type arrivalRow struct {
	ID         int64
	Channel    string
	Source     string
	Key        string
	Digest     string
	Size       int64
	Truncated  bool
	ReceivedAt time.Time
	State      string
	Reason     string
	CaseID     string
}

func (r arrivalRow) arrival() (library.Arrival, error) {
	return library.Arrival{
		ID: library.ArrivalID(r.ID), Channel: library.Channel(r.Channel), Source: r.Source, Key: r.Key,
		Digest: r.Digest, Size: r.Size, Truncated: r.Truncated, ReceivedAt: r.ReceivedAt.UTC(),
		State: library.ArrivalState(r.State), Reason: r.Reason, Case: library.CaseID(r.CaseID),
	}, nil
}

// number returns an arrival's number as errors write it.
func number(id library.ArrivalID) string { return strconv.FormatInt(int64(id), 10) }

// AddArrival implements [library.ArrivalRecords].
func (s *Store) AddArrival(ctx context.Context, a library.Arrival) (library.Arrival, error) {
	const op = "add arrival"
	same := func() (library.Arrival, error) {
		return one(ctx, s.pool, sameArrivalSQL, pgx.StrictNamedArgs{
			"channel": a.Channel, "source": a.Source, "key": a.Key,
		}, arrivalRow.arrival)
	}
	// Looked for first, for an insert that comes to nothing uses up a number.
	kept, err := same()
	if err == nil || library.KindOf(fault(op, "", err)) != library.NotFound {
		return kept, fault(op, "", err)
	}
	_, err = exec(ctx, s.pool, addArrivalSQL, pgx.StrictNamedArgs{
		"channel": a.Channel, "source": a.Source, "key": a.Key, "digest": a.Digest, "size": a.Size,
		"truncated": a.Truncated, "received_at": instant(a.ReceivedAt), "reason": a.Reason,
	})
	if err != nil {
		return library.Arrival{}, fault(op, "", err)
	}
	kept, err = same()
	return kept, fault(op, "", err)
}

// Arrival implements [library.ArrivalRecords].
func (s *Store) Arrival(ctx context.Context, id library.ArrivalID) (library.Arrival, error) {
	a, err := one(ctx, s.pool, arrivalSQL, pgx.StrictNamedArgs{"id": id}, arrivalRow.arrival)
	return a, fault("read arrival", number(id), err)
}

// KeptArrivals implements [library.ArrivalRecords].
func (s *Store) KeptArrivals(ctx context.Context, source string, after library.ArrivalID, limit int) ([]library.ArrivalID, error) {
	type row struct{ ID int64 }
	ids, err := list(ctx, s.pool, keptArrivalsSQL, pgx.StrictNamedArgs{"source": source, "after": int64(after), "limit": max(limit, 0)},
		func(r row) (library.ArrivalID, error) { return library.ArrivalID(r.ID), nil })
	return ids, fault("list kept arrivals", "", err)
}

// WaitingArrivals implements [library.ArrivalRecords].
func (s *Store) WaitingArrivals(ctx context.Context) ([]library.Arrival, error) {
	all, err := list(ctx, s.pool, waitingArrivalsSQL, nil, arrivalRow.arrival)
	return all, fault("list waiting arrivals", "", err)
}

// arrivalStanding is what decides whether an arrival may be moved.
type arrivalStanding struct {
	State  string
	Reason string
	CaseID string
}

// final reports whether the arrival is moved no more.
func (r arrivalStanding) final() bool {
	return library.ArrivalState(r.State) == library.ArrivalSorted
}

func lockArrival(ctx context.Context, tx pgx.Tx, id library.ArrivalID) (arrivalStanding, error) {
	return one(ctx, tx, lockArrivalSQL, pgx.StrictNamedArgs{"id": id},
		func(r arrivalStanding) (arrivalStanding, error) { return r, nil })
}

// MoveArrival implements [library.ArrivalRecords].
func (s *Store) MoveArrival(ctx context.Context, id library.ArrivalID, to library.ArrivalState, reason string) error {
	const op = "move arrival"
	return s.within(ctx, op, number(id), func(tx pgx.Tx) error {
		now, err := lockArrival(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case now.State == string(to) && (now.final() || now.Reason == text(reason)):
			return nil
		case now.final():
			return library.Errorf(library.Conflict, op, number(id), "is %s", now.State)
		}
		moves, err := value[int64](ctx, tx, moveArrivalSQL, pgx.StrictNamedArgs{"id": id, "state": to, "reason": reason})
		if err != nil {
			return err
		}
		return addEvent(ctx, tx, arrivalMoved(id, to, moves))
	})
}

func arrivalMoved(id library.ArrivalID, to library.ArrivalState, moves int64) library.Event {
	return library.Event{
		Arrival: id, Key: fmt.Sprintf("state/%d", moves), What: "arrival " + string(to), Actor: program, At: time.Now(),
	}
}
