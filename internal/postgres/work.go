package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/library"
)

// How many cases a page of a worklist has.
const (
	usualPage   = 50
	largestPage = 200
)

// Worklist implements [library.WorkRecords]. A list of something else than
// cases is [library.Invalid]. Payload and header of approvals are empty.
func (s *Store) Worklist(ctx context.Context, f library.WorkFilter) ([]library.WorkItem, int, error) {
	const op = "read worklist"
	sql, args := pageOf(f)
	if sql == "" {
		return nil, 0, library.Errorf(library.Invalid, op, "", "there is no such list of cases")
	}
	var items []library.WorkItem
	var counts map[library.Worklist]int
	err := s.lookOver(ctx, func(tx pgx.Tx) error {
		type row struct{ ID string }
		page, err := list(ctx, tx, sql, args, func(r row) (string, error) { return r.ID, nil })
		if err != nil {
			return err
		}
		if items, err = workItems(ctx, tx, page); err != nil {
			return err
		}
		counts, err = workCounts(ctx, tx, f.List, f.Actor, f.Now)
		return err
	})
	return items, counts[f.List], fault(op, "", err)
}

// lookOver runs f in one snapshot, so that no case is of two minds and a page
// fits its count, and without helping processes: they would save one reader
// little, and take from all others.
func (s *Store) lookOver(ctx context.Context, f func(tx pgx.Tx) error) error {
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return pgx.BeginTxFunc(ctx, s.pool, snapshot, func(tx pgx.Tx) error {
		if _, err := exec(ctx, tx, withoutHelpSQL, nil); err != nil {
			return err
		}
		return f(tx)
	})
}

// pageOf returns the statement that selects the numbers of a page, or "".
func pageOf(f library.WorkFilter) (string, pgx.StrictNamedArgs) {
	limit := f.Limit
	if limit <= 0 {
		limit = usualPage
	}
	args := pgx.StrictNamedArgs{"skip": max(f.Skip, 0), "limit": min(limit, largestPage)}
	switch f.List {
	case library.WorkStaff:
		args["waiting"] = library.WaitingStaff
		return waitingWorkSQL, args
	case library.WorkSecond:
		args["waiting"] = library.WaitingSecond
		return waitingWorkSQL, args
	case library.WorkOverdue:
		args["now"] = instant(f.Now)
		return overdueWorkSQL, args
	case library.WorkHeld:
		return heldWorkSQL, args
	case library.WorkMine:
		args["actor"] = f.Actor
		return mineWorkSQL, args
	case library.WorkOpen:
		return openWorkSQL, args
	case library.WorkClosed:
		return closedWorkSQL, args
	case library.WorkArrivals:
	}
	return "", nil
}

type workRow struct {
	caseRow
	Patient     []byte
	Destination string
	ChosenBy    []string
	Images      int
	Held        bool
}

func (r workRow) item() (library.WorkItem, error) {
	c, err := r.record()
	if err != nil {
		return library.WorkItem{}, err
	}
	item := library.WorkItem{
		Case: c, Facility: r.Destination, Images: r.Images, Held: r.Held, ChosenBy: typed[string](r.ChosenBy),
	}
	if r.Patient == nil {
		return item, nil
	}
	patient, err := read[library.PatientRecord](r.Patient)
	item.Patient = library.Hide(patient)
	return item, err
}

// of is something and the case it belongs to.
type of[T any] struct {
	id   string
	what T
}

type workStudyRow struct {
	CaseID string
	studyRow
}

func (r workStudyRow) study() (of[library.StudyCandidate], error) {
	study, err := r.candidate()
	return of[library.StudyCandidate]{r.CaseID, study}, err
}

// workFindingRow is what tells whether a finding is open, and nothing of the
// case.
type workFindingRow struct {
	CaseID      string
	Rule        string
	Title       string
	Severity    string
	Overridable bool
	AckBy       *string
	AckReason   *string
}

func (r workFindingRow) finding() (of[library.Finding], error) {
	f, err := findingRow{
		Rule: r.Rule, Title: r.Title, Severity: r.Severity, Overridable: r.Overridable, AckBy: r.AckBy, AckReason: r.AckReason,
	}.finding()
	return of[library.Finding]{r.CaseID, f}, err
}

// workItems returns the cases of a page in its order: four statements, however
// many they are.
func workItems(ctx context.Context, q querier, page []string) ([]library.WorkItem, error) {
	if len(page) == 0 {
		return nil, nil
	}
	args := pgx.StrictNamedArgs{"ids": page}
	items, err := list(ctx, q, workItemsSQL, args, workRow.item)
	if err != nil {
		return nil, err
	}
	studies, err := list(ctx, q, workStudiesSQL, args, workStudyRow.study)
	if err != nil {
		return nil, err
	}
	findings, err := list(ctx, q, workFindingsSQL, args, workFindingRow.finding)
	if err != nil {
		return nil, err
	}
	approvals, err := list(ctx, q, workApprovalsSQL, args, decisionRow.decision)
	if err != nil {
		return nil, err
	}
	at := make(map[string]*library.WorkItem, len(items))
	for i := range items {
		at[string(items[i].Case.ID)] = &items[i]
	}
	for _, s := range studies {
		at[s.id].Studies = append(at[s.id].Studies, s.what)
	}
	for _, f := range findings {
		at[f.id].Open = append(at[f.id].Open, library.OpenRules([]library.Finding{f.what})...)
	}
	for _, d := range approvals {
		at[string(d.Case)].Approvals = append(at[string(d.Case)].Approvals, d)
	}
	return items, nil
}

// WorkCounts implements [library.WorkRecords]. It counts the arrivals that
// wait as well.
func (s *Store) WorkCounts(ctx context.Context, actor string, now time.Time) (map[library.Worklist]int, error) {
	var counts map[library.Worklist]int
	err := s.lookOver(ctx, func(tx pgx.Tx) (err error) {
		counts, err = workCounts(ctx, tx, "", actor, now)
		return err
	})
	return counts, fault("count worklists", "", err)
}

// workCounts counts one list, or all if it has no name; the others are then 0.
func workCounts(ctx context.Context, q querier, one library.Worklist, actor string, now time.Time) (map[library.Worklist]int, error) {
	type row struct {
		List  string
		Cases int
	}
	rows, err := list(ctx, q, workCountsSQL, pgx.StrictNamedArgs{"list": one, "actor": actor, "now": instant(now)},
		func(r row) (row, error) { return r, nil })
	if err != nil {
		return nil, err
	}
	counts := make(map[library.Worklist]int, len(rows))
	for _, r := range rows {
		counts[library.Worklist(r.List)] = r.Cases
	}
	return counts, nil
}

// Held implements [library.WorkRecords].
func (s *Store) Held(ctx context.Context, id library.CaseID) (bool, error) {
	type row struct{ Held bool }
	held, err := one(ctx, s.pool, heldSQL, pgx.StrictNamedArgs{"case_id": id}, func(r row) (bool, error) { return r.Held, nil })
	return held, fault("read hold of case", string(id), err)
}

// DecisionsOfArrival implements [library.WorkRecords], in the order in which
// they were recorded.
func (s *Store) DecisionsOfArrival(ctx context.Context, id library.ArrivalID) ([]library.Decision, error) {
	const op = "list decisions of arrival"
	args := pgx.StrictNamedArgs{"arrival_id": id}
	all, err := list(ctx, s.pool, decisionsOfArrivalSQL, args, decisionRow.decision)
	if err != nil || len(all) > 0 {
		return all, fault(op, number(id), err)
	}
	exists, err := value[bool](ctx, s.pool, arrivalExistsSQL, args)
	if err == nil && !exists {
		err = pgx.ErrNoRows
	}
	return nil, fault(op, number(id), err)
}
