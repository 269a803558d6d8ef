package desk

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"fileroom/internal/library"
)

// A flow is what a workflow of the Temporal UI is about.
type flow struct {
	id      string
	caseID  library.CaseID    // Of a release or a transfer.
	arrival library.ArrivalID // Of an intake.
}

// parseFlow reads a workflow id: release/<case>, transfer/<case>/<n>,
// intake/<arrival> or intake/<arrival>/late.
func parseFlow(id string) (flow, bool) {
	parts := strings.Split(id, "/")
	if len(id) > 100 || len(parts) < 2 {
		return flow{}, false
	}
	switch {
	case parts[0] == "release" && len(parts) == 2, parts[0] == "transfer" && len(parts) == 3:
		c, err := library.ParseCaseID(parts[1])
		return flow{id: id, caseID: c}, err == nil && string(c) == parts[1]
	case parts[0] == "intake" && (len(parts) == 2 || len(parts) == 3 && parts[2] == "late"):
		n, err := strconv.ParseInt(parts[1], 10, 64)
		return flow{id: id, arrival: library.ArrivalID(n)}, err == nil && n > 0 && strconv.FormatInt(n, 10) == parts[1]
	}
	return flow{}, false
}

// panelSignIn tells somebody inside the frame to sign in outside of it.
func (d *Desk) panelSignIn(w http.ResponseWriter, r *http.Request) {
	view := struct {
		frame
		Again  string
		Posted bool
	}{frame: frame{Title: "Sign in", Panel: true, Origin: d.origin, Ext: d.o.Extension}, Again: "/panel", Posted: r.Method == http.MethodPost}
	if f, ok := parseFlow(r.URL.Query().Get("workflow")); ok {
		view.Flow = f.id
		view.Again = panelPath(f.id, "")
	}
	d.show(w, http.StatusUnauthorized, "panel-sign-in", view)
}

func panelPath(workflow string, said library.Message) string {
	q := url.Values{"workflow": {workflow}}
	if said != "" {
		q.Set("said", string(said))
	}
	return "/panel?" + q.Encode()
}

// panel shows what the workflow, whose page in the Temporal UI frames it, is
// about. Without one its script asks the Temporal UI which it is.
func (d *Desk) panel(w http.ResponseWriter, r *http.Request, v visit) {
	d.showFlow(w, r, v, r.URL.Query().Get("workflow"), attempt{}, library.Message(r.URL.Query().Get("said")))
}

func (d *Desk) showFlow(w http.ResponseWriter, r *http.Request, v visit, workflow string, a attempt, said library.Message) {
	f, ok := parseFlow(workflow)
	switch {
	case ok && f.arrival != 0:
		d.showArrival(w, r, v, f.arrival, f.id, a, said)
		return
	case ok:
		if c, ok := d.read(w, r, v, string(f.caseID)); ok {
			d.showCase(w, r, v, c, a, said)
		}
		return
	}
	view := struct {
		frame
		Asking bool
	}{d.frame(v, "Panel"), workflow == ""}
	if len(workflow) <= 1000 {
		view.Flow = workflow
	}
	d.show(w, http.StatusOK, "panel-none", view)
}

// panelSay hears a form of the panel.
func (d *Desk) panelSay(w http.ResponseWriter, r *http.Request, v visit) {
	m := library.Message(r.PostForm.Get("message"))
	f, ok := parseFlow(r.PostForm.Get("workflow"))
	known := ok && (f.arrival == 0 && slices.Contains(sayable, m) || f.arrival != 0 && slices.Contains(placeable, m))
	if !known {
		d.message(w, v, http.StatusBadRequest, "That cannot be said", "The form names nothing that can be said here. Nothing was decided.")
		return
	}
	to := f.id
	if f.arrival == 0 {
		to = releaseID(f.caseID)
	}
	a := d.speak(r.Context(), v, to, m, r.PostForm)
	if a.refusal == "" {
		http.Redirect(w, r, panelPath(f.id, m), http.StatusSeeOther)
		return
	}
	d.showFlow(w, r, v, f.id, a, "")
}
