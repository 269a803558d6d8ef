package desk

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"fileroom/internal/library"
)

// undelivered is said when nobody knows what became of a message.
const undelivered = "This could not be delivered, and as far as Fileroom can tell nothing was decided. Please try again: sent twice, it counts once."

// logWait is how long the line of a refusal may take to be written.
const logWait = 10 * time.Second

// speak says what a form holds. It returns the refusal, if there was one, and
// enters it in the access log: a decision that somebody tried to make, and may
// not, is on record wherever they tried.
func (d *Desk) speak(ctx context.Context, v visit, workflow string, m library.Message, form url.Values) attempt {
	a := attempt{message: m, key: form.Get("key"), typed: form}
	if err := v.actor().MaySay(m); err != nil { // The workflow would say the same.
		a.refusal = sentence(err.Error())
		d.refused(ctx, v, m, workflow)
		return a
	}
	payload, err := payloadOf(m, form)
	if err == nil {
		err = d.o.Speaker.Say(ctx, v.actor(), workflow, updateID(v.actor(), formID(form), workflow, m, payload), m, payload)
		if library.KindOf(err) != "" {
			d.refused(ctx, v, m, workflow)
		}
	}
	switch library.KindOf(err) {
	case library.Invalid, library.Conflict, library.Unauthorized, library.NotFound:
		a.refusal = sentence(reasonOf(err))
	default:
		if err != nil {
			a.refusal, a.unsure = undelivered, true
		}
	}
	return a
}

// refused enters, for each of the workflows, that somebody was refused m. When
// that fails nothing follows from it: nothing was decided that should not have
// been, and what was answered is true. It outlives the request, which its sender
// could end.
func (d *Desk) refused(ctx context.Context, v visit, m library.Message, workflows ...string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logWait)
	defer cancel()
	looks := make([]library.Look, 0, len(workflows))
	for _, id := range workflows {
		f, _ := parseFlow(id)
		looks = append(looks, library.Look{
			At: v.now, Actor: v.actor(), Session: v.session.ID, Case: f.caseID, Arrival: f.arrival, What: library.LookRefused, Detail: string(m),
		})
	}
	_ = d.o.Records.AddLooks(ctx, looks...)
}

// read returns the case that a path names; when it returns false it has
// answered. That somebody looked for a case that does not exist is logged too.
func (d *Desk) read(w http.ResponseWriter, r *http.Request, v visit, spelt string) (library.Case, bool) {
	id, err := library.ParseCaseID(spelt)
	if err != nil {
		d.message(w, v, http.StatusNotFound, "That is no case number", sentence(reasonOf(err)))
		return library.Case{}, false
	}
	c, err := d.o.Records.Case(r.Context(), id)
	if library.KindOf(err) == library.NotFound && !d.look(w, r, v, missing(v, id)) {
		return library.Case{}, false
	}
	if err != nil {
		d.fault(w, v, err, "case")
		return library.Case{}, false
	}
	return c, true
}

// missing is a look at a case that does not exist, or no more.
func missing(v visit, id library.CaseID) library.Look {
	return library.Look{Case: id, What: v.page(), Detail: "no such case"}
}

// showCase logs the look and shows the case, on the desk or in the panel.
func (d *Desk) showCase(w http.ResponseWriter, r *http.Request, v visit, c library.Case, a attempt, done library.Message) {
	if !d.look(w, r, v, library.Look{Case: c.ID, What: v.page()}) {
		return
	}
	f, err := d.file(r.Context(), c)
	if err != nil {
		d.fault(w, v, err, "case")
		return
	}
	view := d.caseView(v, f, a)
	if justSaid(f.decisions, v, done) {
		view.Done = doneNames[done]
	}
	name := "case"
	if v.panel {
		name = "panel"
	}
	d.show(w, a.status(), name, view)
}

// justSaid reports whether the person said m in the last minutes: a link that
// somebody else made does not make a page claim what did not happen.
func justSaid(decisions []library.Decision, v visit, m library.Message) bool {
	return m != "" && slices.ContainsFunc(decisions, func(d library.Decision) bool {
		return d.Message == m && d.Actor.Subject == v.actor().Subject && v.now.Sub(d.At).Abs() < 10*time.Minute
	})
}

func (d *Desk) casePage(w http.ResponseWriter, r *http.Request, v visit) {
	c, ok := d.read(w, r, v, r.PathValue("case"))
	if !ok {
		return
	}
	if path := "/desk/" + string(c.ID); r.URL.Path != path { // Spelt another way.
		http.Redirect(w, r, path, http.StatusSeeOther)
		return
	}
	d.showCase(w, r, v, c, attempt{}, library.Message(r.URL.Query().Get("said")))
}

// backToCase is for those who load the address of a form again.
func (d *Desk) backToCase(w http.ResponseWriter, r *http.Request, v visit) {
	id, err := library.ParseCaseID(r.PathValue("case"))
	if err != nil || r.PathValue("rest") != "say" {
		d.message(w, v, http.StatusNotFound, "There is no such page", "Please go back to the desk.")
		return
	}
	http.Redirect(w, r, "/desk/"+string(id), http.StatusSeeOther)
}

// say hears a form of the case's page.
func (d *Desk) say(w http.ResponseWriter, r *http.Request, v visit) {
	c, ok := d.read(w, r, v, r.PathValue("case"))
	if !ok {
		return
	}
	m := library.Message(r.PostForm.Get("message"))
	if !slices.Contains(sayable, m) {
		d.message(w, v, http.StatusBadRequest, "That cannot be said", "The form names nothing that can be said to a case. Nothing was decided.")
		return
	}
	a := d.speak(r.Context(), v, releaseID(c.ID), m, r.PostForm)
	if a.refusal == "" {
		http.Redirect(w, r, "/desk/"+string(c.ID)+"?said="+url.QueryEscape(string(m)), http.StatusSeeOther)
		return
	}
	// The case may have moved on since it was read.
	if c, ok = d.read(w, r, v, string(c.ID)); ok {
		d.showCase(w, r, v, c, a, "")
	}
}
