package desk

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"fileroom/internal/library"
)

const (
	pageLength = 25
	maxSkip    = 1_000_000
)

// A listView is a worklist.
type listView struct {
	frame
	Tabs     []tabView
	Heading  string
	List     string
	Total    int
	Rows     []rowView
	Arrivals []arrivalRow
	Empty    string
	From, To int
	Previous string // Path; empty on the first page.
	Next     string
	Together bool // Some rows can be approved together.
	Find     string
	Lost     string // Why the number that was looked for is none.
}

// A tabView is a worklist's tab.
type tabView struct {
	Name, Path string
	Count      int
	Here       bool
}

// A rowView is a case on a worklist.
type rowView struct {
	ID, Path       string
	Patient, Birth string
	Studies        []string
	Images         int
	Place          string
	State          string
	Open           []library.OpenRule
	Held           bool
	Due            time.Time
	DueIn          string
	Late           bool
	Given          []string
	Needed         int
	Pick           string // Case and revision, if the person may approve it from here.
	Closed         bool
}

// An arrivalRow is an arrival that staff must place.
type arrivalRow struct {
	ID       library.ArrivalID
	Path     string
	Channel  string
	Source   string
	Received time.Time
	Size     string
	Reason   string
	Case     string
}

func (d *Desk) list(w http.ResponseWriter, r *http.Request, v visit) {
	q := r.URL.Query()
	list := library.Worklist(q.Get("list"))
	if _, ok := worklistNames[list]; !ok {
		list = library.WorkStaff
	}
	skip, err := strconv.Atoi(q.Get("skip"))
	if err != nil || skip < 0 || skip > maxSkip {
		skip = 0
	}
	d.showList(w, r, v, listView{}, list, skip)
}

// find goes to a case by its number, as people write it. It comes as a form,
// for what people type there may be a name, which must not get into addresses
// and so into histories and logs.
func (d *Desk) find(w http.ResponseWriter, r *http.Request, v visit) {
	spelt := r.PostForm.Get("find")
	id, err := library.ParseCaseID(spelt)
	if err == nil {
		var c library.Case
		c, err = d.o.Records.Case(r.Context(), id)
		if err == nil {
			http.Redirect(w, r, "/desk/"+string(c.ID), http.StatusSeeOther)
			return
		}
	}
	lost := listView{Find: spelt}
	switch library.KindOf(err) {
	case library.Invalid:
		lost.Lost = "That is no case number: " + sentence(reasonOf(err))
	case library.NotFound:
		if !d.look(w, r, v, missing(v, id)) {
			return
		}
		lost.Lost = "There is no case " + string(id) + "."
	default:
		d.fault(w, v, err, "case")
		return
	}
	d.showList(w, r, v, lost, library.WorkStaff, 0)
}

// backToList is for those who load the address of the find box again.
func (d *Desk) backToList(w http.ResponseWriter, r *http.Request, _ visit) {
	http.Redirect(w, r, "/desk", http.StatusSeeOther)
}

func (d *Desk) showList(w http.ResponseWriter, r *http.Request, v visit, view listView, list library.Worklist, skip int) {
	view.frame = d.frame(v, "Desk")
	view.Heading, view.List = worklistNames[list], string(list)
	var err error
	if view.Tabs, err = d.tabs(r.Context(), v, list); err != nil {
		d.fault(w, v, err, "list")
		return
	}
	if list == library.WorkArrivals {
		waiting, err := d.o.Records.WaitingArrivals(r.Context())
		if err != nil {
			d.fault(w, v, err, "list")
			return
		}
		view.arrivals(waiting, skip)
	} else if !d.cases(w, r, v, &view, list, skip) {
		return
	}
	if view.Total == 0 {
		view.Empty = emptyLists[list]
	}
	path := func(skip int) string {
		return "/desk?" + url.Values{"list": {string(list)}, "skip": {strconv.Itoa(skip)}}.Encode()
	}
	if skip > 0 {
		view.Previous = path(max(skip-pageLength, 0))
	}
	if view.To < view.Total && view.To > 0 {
		view.Next = path(skip + pageLength)
	}
	status := http.StatusOK
	if view.Lost != "" {
		status = http.StatusNotFound
	}
	d.show(w, status, "list", view)
}

func (d *Desk) tabs(ctx context.Context, v visit, here library.Worklist) ([]tabView, error) {
	counts, err := d.o.Records.WorkCounts(ctx, v.actor().Subject, v.now)
	if err != nil {
		return nil, err
	}
	var tabs []tabView
	for _, l := range append(library.Worklists(), library.WorkArrivals) {
		tabs = append(tabs, tabView{Name: worklistNames[l], Path: "/desk?list=" + string(l), Count: counts[l], Here: l == here})
	}
	return tabs, nil
}

// cases fills a list of cases. It names patients, so each case on it is a look
// of its own: who asks later whom a patient's name was shown to asks by case.
func (d *Desk) cases(w http.ResponseWriter, r *http.Request, v visit, view *listView, list library.Worklist, skip int) bool {
	items, total, err := d.o.Records.Worklist(r.Context(), library.WorkFilter{
		List: list, Actor: v.actor().Subject, Now: v.now, Skip: skip, Limit: pageLength,
	})
	if err != nil {
		d.fault(w, v, err, "list")
		return false
	}
	looks := make([]library.Look, 0, len(items))
	for _, i := range items {
		looks = append(looks, library.Look{Case: i.Case.ID, What: library.LookList, Detail: string(list)})
		row := rowOf(i, v)
		view.Together = view.Together || row.Pick != ""
		view.Rows = append(view.Rows, row)
	}
	view.Total, view.From, view.To = total, skip+1, skip+len(items)
	return d.look(w, r, v, looks...)
}

func rowOf(i library.WorkItem, v visit) rowView {
	p := i.Patient.Reveal()
	c := i.Case
	row := rowView{
		ID: string(c.ID), Path: "/desk/" + string(c.ID), Patient: spokenName(p.Name), Birth: dateWords(p.BirthDate), Images: i.Images,
		Place: i.Facility, State: stateWords(c), Open: i.Open, Held: i.Held, Due: c.DueAt, DueIn: dueWords(c.DueAt, v.now),
		Late: v.now.After(c.DueAt), Needed: c.Tier.Approvals(), Closed: c.Stage == library.StageClosed,
	}
	if row.Closed {
		row.Due, row.DueIn, row.Late = c.ClosedAt, "", false
	}
	for _, s := range i.Studies {
		row.Studies = append(row.Studies, studyName(s)+", "+dateWords(s.Date))
	}
	for _, a := range i.Approvals {
		row.Given = append(row.Given, a.Actor.Name)
	}
	if i.MayApprove(v.actor()) {
		row.Pick = pick{c.ID, c.Revision}.String()
	}
	return row
}

// arrivals fills the list of what staff must place. It says nothing about
// anybody, so looking at it is no look at a case.
func (view *listView) arrivals(all []library.Arrival, skip int) {
	view.Total = len(all)
	from := min(skip, len(all))
	to := min(from+pageLength, len(all))
	view.From, view.To = from+1, to
	for _, a := range all[from:to] {
		view.Arrivals = append(view.Arrivals, arrivalRow{
			ID: a.ID, Path: fmt.Sprintf("/desk/arrivals/%d", a.ID), Channel: word(channelNames, a.Channel), Source: a.Source,
			Received: a.ReceivedAt, Size: sizeWords(a.Size), Reason: sentence(a.Reason), Case: string(a.Case),
		})
	}
}

func sizeWords(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%d KB", n>>10)
	}
	return countWords(int(n), "byte")
}
