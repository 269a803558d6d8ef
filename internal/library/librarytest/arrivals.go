package librarytest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"fileroom/internal/library"
)

// AddArrival implements [library.ArrivalRecords].
func (r *Records) AddArrival(ctx context.Context, a library.Arrival) (library.Arrival, error) {
	const op = "add arrival"
	leave, err := r.enter(ctx, "AddArrival")
	if err != nil {
		return library.Arrival{}, err
	}
	defer leave()

	for _, have := range r.arrivals {
		if have.Channel == a.Channel && have.Source == a.Source && have.Key == a.Key {
			return have.Arrival, nil
		}
	}
	switch {
	case !slices.Contains(channels, a.Channel):
		return library.Arrival{}, invalid(op, "", "unknown channel")
	case a.Key == "":
		return library.Arrival{}, invalid(op, "", "no key")
	case a.Size < 0:
		return library.Arrival{}, invalid(op, "", "negative size")
	}
	a.ID, a.State, a.Case = library.ArrivalID(len(r.arrivals)+1), library.ArrivalKept, ""
	a.ReceivedAt = instant(a.ReceivedAt)
	r.arrivals = append(r.arrivals, &arrival{Arrival: a})
	return a, nil
}

func (r *Records) arrival(op string, id library.ArrivalID) (*arrival, error) {
	if id < 1 || int(id) > len(r.arrivals) {
		return nil, missing(op, number(id))
	}
	return r.arrivals[id-1], nil
}

func number(id library.ArrivalID) string { return strconv.FormatInt(int64(id), 10) }

// Arrival implements [library.ArrivalRecords].
func (r *Records) Arrival(ctx context.Context, id library.ArrivalID) (library.Arrival, error) {
	leave, err := r.enter(ctx, "Arrival")
	if err != nil {
		return library.Arrival{}, err
	}
	defer leave()

	a, err := r.arrival("read arrival", id)
	if err != nil {
		return library.Arrival{}, err
	}
	return a.Arrival, nil
}

// inState returns the arrivals of a state, oldest first.
func (r *Records) inState(state library.ArrivalState) []library.Arrival {
	var all []library.Arrival
	for _, a := range r.arrivals {
		if a.State == state {
			all = append(all, a.Arrival)
		}
	}
	slices.SortStableFunc(all, func(a, b library.Arrival) int { return a.ReceivedAt.Compare(b.ReceivedAt) })
	return all
}

// KeptArrivals implements [library.ArrivalRecords].
func (r *Records) KeptArrivals(ctx context.Context, source string, after library.ArrivalID, limit int) ([]library.ArrivalID, error) {
	leave, err := r.enter(ctx, "KeptArrivals")
	if err != nil {
		return nil, err
	}
	defer leave()

	var ids []library.ArrivalID
	for _, a := range r.inState(library.ArrivalKept) {
		if a.Source == source && a.ID > after {
			ids = append(ids, a.ID)
		}
	}
	slices.Sort(ids)
	return ids[:min(len(ids), max(limit, 0))], nil
}

// WaitingArrivals implements [library.ArrivalRecords].
func (r *Records) WaitingArrivals(ctx context.Context) ([]library.Arrival, error) {
	leave, err := r.enter(ctx, "WaitingArrivals")
	if err != nil {
		return nil, err
	}
	defer leave()

	return r.inState(library.ArrivalWaiting), nil
}

// final reports whether the arrival is moved no more.
func (a *arrival) final() bool {
	return a.State == library.ArrivalSorted
}

// MoveArrival implements [library.ArrivalRecords].
func (r *Records) MoveArrival(ctx context.Context, id library.ArrivalID, to library.ArrivalState, reason string) error {
	const op = "move arrival"
	leave, err := r.enter(ctx, "MoveArrival")
	if err != nil {
		return err
	}
	defer leave()

	a, err := r.arrival(op, id)
	switch {
	case err != nil:
		return err
	case a.State == to && (a.final() || a.Reason == reason):
		return nil
	case a.final():
		return library.Errorf(library.Conflict, op, number(id), "is %s", a.State)
	case !slices.Contains(arrivalStates, to):
		return invalid(op, number(id), "unknown state")
	}
	a.State, a.Reason = to, reason
	r.moved(a)
	return nil
}

// moved counts and tells a move of a.
func (r *Records) moved(a *arrival) {
	a.moves++
	r.add(library.Event{
		Arrival: a.ID, Key: fmt.Sprintf("state/%d", a.moves), What: "arrival " + string(a.State), Actor: program, At: time.Now(),
	})
}

// SaveFacility implements [library.FacilityRecords]. A facility that is not
// valid is not saved.
func (r *Records) SaveFacility(ctx context.Context, f library.Facility) error {
	leave, err := r.enter(ctx, "SaveFacility")
	if err != nil {
		return err
	}
	defer leave()

	if err := f.Validate(); err != nil {
		return err
	}
	if r.facilities == nil {
		r.facilities = map[library.FacilityID]library.Facility{}
	}
	f.Aliases = copied(f.Aliases)
	r.facilities[f.ID] = f
	return nil
}

// Facility implements [library.FacilityRecords].
func (r *Records) Facility(ctx context.Context, id library.FacilityID) (library.Facility, error) {
	leave, err := r.enter(ctx, "Facility")
	if err != nil {
		return library.Facility{}, err
	}
	defer leave()

	f, ok := r.facilities[id]
	if !ok {
		return library.Facility{}, missing("read facility", string(id))
	}
	f.Aliases = copied(f.Aliases)
	return f, nil
}

// Facilities implements [library.FacilityRecords].
func (r *Records) Facilities(ctx context.Context) ([]library.Facility, error) {
	leave, err := r.enter(ctx, "Facilities")
	if err != nil {
		return nil, err
	}
	defer leave()

	all := slices.SortedFunc(maps.Values(r.facilities), func(a, b library.Facility) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	for i := range all {
		all[i].Aliases = copied(all[i].Aliases)
	}
	return all, nil
}
