package desk

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"fileroom/internal/library"
)

// An arrivalView is an arrival, and the forms that place or split it.
type arrivalView struct {
	frame
	forms
	ID       library.ArrivalID
	State    string
	Reason   string
	Channel  string
	Source   string
	Received time.Time
	Size     string
	Cut      bool // Too large: only its header was kept.
	Case     string
	Desk     string
	Temporal string

	Trouble, Refused string
	Silent, NoPapers bool
	Done, Stray      string
	NoRole           bool
	Waits            bool
	MaySplit         bool
	Papers           []paperView
	More             int
	Named            []string // Patients named in it.
}

// Form returns the form of a message.
func (v arrivalView) Form(message string) formView { return v.form(library.Message(message), "") }

var arrivalStates = map[library.ArrivalState]string{
	library.ArrivalKept: "Kept, not yet opened", library.ArrivalOpened: "Being taken in", library.ArrivalWaiting: "Waits for staff to place it",
	library.ArrivalPlaced: "In a case", library.ArrivalSorted: "Not a request",
}

func arrivalPath(n library.ArrivalID) string { return fmt.Sprintf("/desk/arrivals/%d", n) }

// arrivalOf reads the number in the path; when it returns false it has
// answered.
func (d *Desk) arrivalOf(w http.ResponseWriter, v visit, spelt string) (library.ArrivalID, bool) {
	n, err := strconv.ParseInt(spelt, 10, 64)
	if err != nil || n < 1 {
		d.message(w, v, http.StatusNotFound, "There is no such arrival", "Arrivals are numbered from 1.")
		return 0, false
	}
	return library.ArrivalID(n), true
}

func (d *Desk) arrivalPage(w http.ResponseWriter, r *http.Request, v visit) {
	if n, ok := d.arrivalOf(w, v, r.PathValue("n")); ok {
		d.showArrival(w, r, v, n, "", attempt{}, library.Message(r.URL.Query().Get("said")))
	}
}

// backToArrival is for those who load the address of a form again.
func (d *Desk) backToArrival(w http.ResponseWriter, r *http.Request, v visit) {
	if n, ok := d.arrivalOf(w, v, r.PathValue("rest")); ok {
		http.Redirect(w, r, arrivalPath(n), http.StatusSeeOther)
	}
}

func (d *Desk) arrivalSay(w http.ResponseWriter, r *http.Request, v visit) {
	n, ok := d.arrivalOf(w, v, r.PathValue("n"))
	if !ok {
		return
	}
	m := library.Message(r.PostForm.Get("message"))
	f, ok := parseFlow(r.PostForm.Get("workflow"))
	if !ok || f.arrival != n || !slices.Contains(placeable, m) {
		d.message(w, v, http.StatusBadRequest, "That cannot be said", "The form names nothing that can be said to an arrival. Nothing was decided.")
		return
	}
	if a := d.speak(r.Context(), v, f.id, m, r.PostForm); a.refusal != "" {
		d.showArrival(w, r, v, n, f.id, a, "")
		return
	}
	http.Redirect(w, r, arrivalPath(n)+"?said="+url.QueryEscape(string(m)), http.StatusSeeOther)
}

// showArrival logs the look and shows an arrival. Without a workflow it finds
// out which of the arrival's intakes is the one that waits.
func (d *Desk) showArrival(w http.ResponseWriter, r *http.Request, v visit, n library.ArrivalID, workflow string, a attempt, said library.Message) {
	arrival, err := d.o.Records.Arrival(r.Context(), n)
	if err != nil {
		d.fault(w, v, err, "arrival")
		return
	}
	if !d.look(w, r, v, library.Look{Case: arrival.Case, Arrival: n, What: v.page()}) {
		return
	}
	view := d.arrivalView(v, arrival, a)
	if err := d.fillArrival(r, arrival, workflow, &view); err != nil {
		d.fault(w, v, err, "arrival")
		return
	}
	if said != "" {
		decisions, err := d.o.Records.DecisionsOfArrival(r.Context(), n)
		if err != nil {
			d.fault(w, v, err, "arrival")
			return
		}
		if justSaid(decisions, v, said) {
			view.Done, view.Waits = doneNames[said], false // The intake needs a moment to act on it.
		}
	}
	if a.refusal != "" && (!view.Waits || view.NoRole || a.message == library.Split && !view.MaySplit) {
		view.Stray = a.refusal
	}
	name := "arrival"
	if v.panel {
		name = "panel-arrival"
	}
	d.show(w, a.status(), name, view)
}

func (d *Desk) arrivalView(v visit, a library.Arrival, refused attempt) arrivalView {
	action := arrivalPath(a.ID) + "/say"
	if v.panel {
		action = "/panel/say"
	}
	return arrivalView{
		frame: d.frame(v, fmt.Sprintf("Arrival %d", a.ID)), forms: forms{action: action, attempt: refused},
		ID: a.ID, State: word(arrivalStates, a.State), Reason: sentence(a.Reason), Channel: word(channelNames, a.Channel), Source: a.Source,
		Received: a.ReceivedAt, Size: sizeWords(a.Size), Cut: a.Truncated, Case: string(a.Case), Desk: arrivalPath(a.ID),
		NoRole: !v.actor().Is(library.RoleSpecialist), Waits: a.State == library.ArrivalWaiting,
	}
}

func (d *Desk) fillArrival(r *http.Request, a library.Arrival, workflow string, view *arrivalView) error {
	if workflow == "" {
		workflow = fmt.Sprintf("intake/%d", a.ID)
		if _, err := d.o.Standing(r.Context(), workflow+"/late"); err == nil { // The later one is the one that waits.
			workflow += "/late"
		}
	}
	view.flow, view.Flow, view.Temporal = workflow, workflow, d.workflowURL(workflow)
	s, err := d.o.Standing(r.Context(), workflow)
	view.Silent = err != nil && view.Waits
	view.Trouble, view.Refused = s.Trouble, s.Refused

	c, err := d.o.Records.CaseOfArrival(r.Context(), a.ID, 1)
	if library.KindOf(err) == library.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	f := &casefile{Case: c}
	view.NoPapers = !d.unpack(r.Context(), f)
	f.reading.Fields = nil // Which field is whose is not known before it is split.
	view.Papers, _ = f.papers()
	view.More = len(f.pages) - len(view.Papers)
	view.MaySplit = len(f.pages) > 1
	if name := f.reading.Request.Patient.Name(); name != "" {
		view.Named = append(view.Named, name)
	}
	for _, p := range f.reading.Others {
		view.Named = append(view.Named, p.Name())
	}
	return nil
}
