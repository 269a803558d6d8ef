package librarytest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fileroom/internal/library"
)

// out returns a copy of c for a caller, or for keeping.
func out(c library.Case) library.Case {
	c.ReceivedAt, c.DueAt, c.ClosedAt = instant(c.ReceivedAt), instant(c.DueAt), instant(c.ClosedAt)
	c.Papers = copied(c.Papers)
	c.Requester = library.Hide(c.Requester.Reveal())
	return c
}

// OpenCase implements [library.CaseRecords].
func (r *Records) OpenCase(ctx context.Context, c library.Case) (library.Case, error) {
	const op = "open case"
	leave, err := r.enter(ctx, "OpenCase")
	if err != nil {
		return library.Case{}, err
	}
	defer leave()

	a, err := r.arrival(op, c.Arrival)
	if err != nil {
		return library.Case{}, err
	}
	if f := r.ofArrival(c.Arrival, c.Part); f != nil {
		return out(f.record), nil
	}
	if a.State == library.ArrivalSorted {
		return library.Case{}, library.Errorf(library.Conflict, op, string(c.ID), "arrival %d is sorted away", c.Arrival)
	}
	if err := checkCase(op, c); err != nil {
		return library.Case{}, err
	}
	if _, taken := r.cases[c.ID]; taken {
		return library.Case{}, library.Errorf(library.Conflict, op, string(c.ID), "number is taken")
	}
	if r.cases == nil {
		r.cases = map[library.CaseID]*caseFile{}
	}
	r.cases[c.ID] = &caseFile{record: out(c)}
	a.Case = cmp.Or(a.Case, c.ID)
	if a.State != library.ArrivalPlaced {
		a.State = library.ArrivalPlaced
		r.moved(a)
	}
	r.add(library.Event{
		Case: c.ID, Key: "opened", What: "case opened", Detail: fmt.Sprintf("arrival %d part %d", c.Arrival, c.Part),
		Actor: program, At: time.Now(),
	})
	return out(c), nil
}

func (r *Records) ofArrival(id library.ArrivalID, part int) *caseFile {
	for _, f := range r.cases {
		if f.record.Arrival == id && f.record.Part == part {
			return f
		}
	}
	return nil
}

// Case implements [library.CaseRecords].
func (r *Records) Case(ctx context.Context, id library.CaseID) (library.Case, error) {
	leave, err := r.enter(ctx, "Case")
	if err != nil {
		return library.Case{}, err
	}
	defer leave()

	f, err := r.find("read case", id)
	if err != nil {
		return library.Case{}, err
	}
	return out(f.record), nil
}

// CaseOfArrival implements [library.CaseRecords].
func (r *Records) CaseOfArrival(ctx context.Context, id library.ArrivalID, part int) (library.Case, error) {
	leave, err := r.enter(ctx, "CaseOfArrival")
	if err != nil {
		return library.Case{}, err
	}
	defer leave()

	f := r.ofArrival(id, part)
	if f == nil {
		return library.Case{}, missing("read case of arrival", number(id))
	}
	return out(f.record), nil
}

// Cases implements [library.CaseRecords]. A filter that names
// [library.StageClosed] selects closed cases.
func (r *Records) Cases(ctx context.Context, f library.CaseFilter) ([]library.Case, error) {
	leave, err := r.enter(ctx, "Cases")
	if err != nil {
		return nil, err
	}
	defer leave()

	var all []library.Case
	for _, file := range r.cases {
		closed := file.record.Stage == library.StageClosed
		if f.Stage == "" && (f.Closed || !closed) || f.Stage != "" && f.Stage == file.record.Stage {
			all = append(all, out(file.record))
		}
	}
	slices.SortFunc(all, func(a, b library.Case) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), strings.Compare(string(a.ID), string(b.ID)))
	})
	limit := f.Limit
	if limit <= 0 {
		limit = 1000
	}
	return all[:min(limit, len(all))], nil
}

// MoveCase implements [library.CaseRecords].
func (r *Records) MoveCase(ctx context.Context, id library.CaseID, stage library.Stage, waiting library.Waiting, outcome library.Outcome, at time.Time) error {
	const op = "move case"
	leave, err := r.enter(ctx, "MoveCase")
	if err != nil {
		return err
	}
	defer leave()

	f, err := r.find(op, id)
	if err != nil {
		return err
	}
	c := &f.record
	closing := stage == library.StageClosed
	switch {
	case c.Stage == library.StageClosed && closing && c.Outcome == outcome:
		return nil
	case c.Stage == library.StageClosed:
		return library.Errorf(library.Conflict, op, string(id), "is closed as %s", c.Outcome)
	case c.Stage == stage && c.Waiting == waiting && c.Outcome == outcome:
		return nil
	}
	if err := checkStage(op, string(id), stage, waiting, outcome); err != nil {
		return err
	}
	c.Stage, c.Waiting, c.Outcome = stage, waiting, outcome
	f.moves++
	detail := fmt.Sprintf("%s, waiting for %s", stage, waiting)
	if closing {
		c.ClosedAt = instant(at)
		detail = fmt.Sprintf("%s, %s", stage, outcome)
	}
	r.add(library.Event{
		Case: id, Key: fmt.Sprintf("stage/%d", f.moves), What: "stage changed", Detail: detail, Actor: program, At: at,
	})
	return nil
}

// SetReading implements [library.CaseRecords].
func (r *Records) SetReading(ctx context.Context, id library.CaseID, reading, pages string, papers []string) error {
	leave, err := r.enter(ctx, "SetReading")
	if err != nil {
		return err
	}
	defer leave()

	f, err := r.find("set reading of case", id)
	if err != nil {
		return err
	}
	f.record.Reading, f.record.Pages, f.record.Papers = reading, pages, copied(papers)
	return nil
}

// SameRequests implements [library.CaseRecords]. A patient without an ID is
// the same as nobody.
func (r *Records) SameRequests(ctx context.Context, id library.CaseID, patient library.PatientRecord, facility library.FacilityID, since time.Time) ([]library.CaseID, error) {
	leave, err := r.enter(ctx, "SameRequests")
	if err != nil {
		return nil, err
	}
	defer leave()

	this, err := r.find("find same requests", id)
	if err != nil || patient.ID == "" || facility == "" {
		return nil, err
	}
	var same []library.Case
	for _, f := range r.cases {
		c := f.record
		chosen, ok := f.match.ChosenPatient()
		record := chosen.Record.Reveal()
		if ok && c.ID != id && c.Facility == facility && record.ID == patient.ID && record.Issuer == patient.Issuer &&
			!c.ReceivedAt.Before(instant(since)) && !c.ReceivedAt.After(this.record.ReceivedAt) {
			same = append(same, c)
		}
	}
	slices.SortFunc(same, func(a, b library.Case) int {
		return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), strings.Compare(string(a.ID), string(b.ID)))
	})
	var ids []library.CaseID
	for _, c := range same {
		ids = append(ids, c.ID)
	}
	return ids, nil
}
