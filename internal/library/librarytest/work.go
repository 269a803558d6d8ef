package librarytest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"fileroom/internal/library"
)

// How many cases a page of a worklist has.
const (
	usualPage   = 50
	largestPage = 200
)

// Worklist implements [library.WorkRecords]. A list of something else than
// cases is [library.Invalid]. Payload and header of approvals are empty.
func (r *Records) Worklist(ctx context.Context, f library.WorkFilter) ([]library.WorkItem, int, error) {
	leave, err := r.enter(ctx, "Worklist")
	if err != nil {
		return nil, 0, err
	}
	defer leave()

	if !slices.Contains(library.Worklists(), f.List) {
		return nil, 0, invalid("read worklist", "", "there is no such list of cases")
	}
	all := r.worklist(f.List, f.Actor, f.Now)
	total := len(all)
	limit := f.Limit
	if limit <= 0 {
		limit = usualPage
	}
	all = all[min(max(f.Skip, 0), total):]
	var items []library.WorkItem
	for _, file := range all[:min(limit, largestPage, len(all))] {
		items = append(items, r.item(file))
	}
	return items, total, nil
}

// worklist returns the cases of a list, the most urgent first.
func (r *Records) worklist(name library.Worklist, actor string, now time.Time) []*caseFile {
	var all []*caseFile
	for _, f := range r.cases {
		if r.listed(f, name, actor, now) {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *caseFile) int {
		first := a.record.DueAt.Compare(b.record.DueAt)
		if name == library.WorkClosed {
			first = b.record.ClosedAt.Compare(a.record.ClosedAt)
		}
		return cmp.Or(first, strings.Compare(string(a.record.ID), string(b.record.ID)))
	})
	return all
}

// listed reports whether a case is on a list.
func (r *Records) listed(f *caseFile, name library.Worklist, actor string, now time.Time) bool {
	c := f.record
	open := c.Stage != library.StageClosed
	switch name {
	case library.WorkStaff:
		return open && c.Waiting == library.WaitingStaff && !r.held(c.ID)
	case library.WorkSecond:
		return open && c.Waiting == library.WaitingSecond && !r.held(c.ID)
	case library.WorkOverdue:
		return open && c.DueAt.Before(instant(now))
	case library.WorkHeld:
		return open && r.held(c.ID)
	case library.WorkMine:
		return open && slices.ContainsFunc(r.decisions, func(d library.Decision) bool {
			return d.Case == c.ID && d.Actor.Subject == actor
		})
	case library.WorkOpen:
		return open
	case library.WorkClosed:
		return !open
	case library.WorkArrivals:
	}
	return false
}

// held reports whether the last of the hold and resume decisions was a hold.
func (r *Records) held(id library.CaseID) bool {
	held := false
	for _, d := range r.decisions {
		if d.Case == id && (d.Message == library.Hold || d.Message == library.Resume) {
			held = d.Message == library.Hold
		}
	}
	return held
}

// item returns a case as a worklist shows it.
func (r *Records) item(f *caseFile) library.WorkItem {
	match := copiedMatch(f.match)
	item := library.WorkItem{
		Case: out(f.record), Facility: r.facilities[f.record.Facility].Name, Studies: match.ChosenStudies(),
		Images: len(match.Manifest), Open: library.OpenRules(f.findings), Held: r.held(f.record.ID),
		ChosenBy: copied(f.choices.By),
	}
	if p, ok := match.ChosenPatient(); ok {
		item.Patient = p.Record
	}
	for _, d := range r.decisions {
		if d.Case == f.record.ID && d.Message == library.Approve && d.Revision != "" && d.Revision == f.record.Revision {
			d.Payload, d.Header, d.Actor.Roles = library.Private[string]{}, "", copied(d.Actor.Roles)
			item.Approvals = append(item.Approvals, d)
		}
	}
	return item
}

// WorkCounts implements [library.WorkRecords]. It counts the arrivals that
// wait as well.
func (r *Records) WorkCounts(ctx context.Context, actor string, now time.Time) (map[library.Worklist]int, error) {
	leave, err := r.enter(ctx, "WorkCounts")
	if err != nil {
		return nil, err
	}
	defer leave()

	counts := map[library.Worklist]int{library.WorkArrivals: len(r.inState(library.ArrivalWaiting))}
	for _, name := range library.Worklists() {
		counts[name] = len(r.worklist(name, actor, now))
	}
	return counts, nil
}

// Held implements [library.WorkRecords].
func (r *Records) Held(ctx context.Context, id library.CaseID) (bool, error) {
	leave, err := r.enter(ctx, "Held")
	if err != nil {
		return false, err
	}
	defer leave()

	if _, err := r.find("read hold of case", id); err != nil {
		return false, err
	}
	return r.held(id), nil
}

// DecisionsOfArrival implements [library.WorkRecords], in the order in which
// they were recorded.
func (r *Records) DecisionsOfArrival(ctx context.Context, id library.ArrivalID) ([]library.Decision, error) {
	leave, err := r.enter(ctx, "DecisionsOfArrival")
	if err != nil {
		return nil, err
	}
	defer leave()

	if _, err := r.arrival("list decisions of arrival", id); err != nil {
		return nil, err
	}
	var all []library.Decision
	for _, d := range r.decisions {
		if d.Arrival == id {
			d.Actor.Roles = copied(d.Actor.Roles)
			all = append(all, d)
		}
	}
	return all, nil
}
