package desk

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"fileroom/internal/library"
)

// maxTogether is the most cases that are approved at once. More than these
// nobody reads.
const maxTogether = pageLength

// A pick is a case as a list showed it.
type pick struct {
	id       library.CaseID
	revision library.Revision
}

func (p pick) String() string { return string(p.id) + " " + string(p.revision) }

// picks reads what was picked, each case once.
func picks(values []string) []pick {
	var all []pick
	for _, s := range values {
		spelt, revision, _ := strings.Cut(s, " ")
		id, err := library.ParseCaseID(spelt)
		if err != nil || revision == "" || len(revision) > maxWord ||
			slices.ContainsFunc(all, func(p pick) bool { return p.id == id }) {
			continue
		}
		all = append(all, pick{id, library.Revision(revision)})
	}
	return all
}

// A togetherView is several cases to be approved together, or what became of
// them.
type togetherView struct {
	frame
	FormID string
	Cases  []togetherCase
	Ready  int // Cases that can be approved.
	Done   int
	Failed int
}

// A togetherCase is one of them in full.
type togetherCase struct {
	ID, Path string
	Pick     string // Empty if it cannot be approved.
	Why      string // Why not.
	Approve  approveView
	Basis    string
	Tier     string
	Refusal  string // What came of it; empty for approved.
	Unsure   bool
}

// picked reads which cases were picked; when it returns false it has answered.
func (d *Desk) picked(w http.ResponseWriter, r *http.Request, v visit) ([]pick, bool) {
	all := picks(r.PostForm["pick"])
	switch {
	case !v.actor().Is(library.NeededRole(library.Approve)):
		workflows := []string{""} // Of no case that could be read.
		for i, p := range all[:min(len(all), maxTogether)] {
			workflows = append(workflows[:i], releaseID(p.id))
		}
		d.refused(r.Context(), v, library.Approve, workflows...)
		d.message(w, v, http.StatusForbidden, "You may look, not approve", "Approving takes the role specialist. Nothing was decided.")
	case len(all) == 0:
		d.message(w, v, http.StatusBadRequest, "Nothing was picked", "Tick the cases that you want to approve together, then try again. Nothing was decided.")
	case len(all) > maxTogether:
		d.message(w, v, http.StatusBadRequest, "That is too many at once", "Please approve at most "+countWords(maxTogether, "case")+" together. Nothing was decided.")
	default:
		return all, true
	}
	return nil, false
}

// fullCases reads the picked cases in full and logs the looks at them.
func (d *Desk) fullCases(w http.ResponseWriter, r *http.Request, v visit, all []pick) ([]togetherCase, bool) {
	looks := make([]library.Look, 0, len(all))
	cases := make([]togetherCase, 0, len(all))
	for _, p := range all {
		c, err := d.o.Records.Case(r.Context(), p.id)
		if library.KindOf(err) == library.NotFound {
			looks = append(looks, missing(v, p.id))
			continue
		}
		var f *casefile
		if err == nil {
			f, err = d.briefFile(r.Context(), c)
		}
		if err != nil {
			d.fault(w, v, err, "case")
			return nil, false
		}
		looks = append(looks, library.Look{Case: c.ID, What: library.LookList, Detail: "approve together"})
		t := togetherCase{
			ID: string(c.ID), Path: "/desk/" + string(c.ID), Approve: f.approveView(v.actor()), Tier: tierWords(c.Tier),
			Basis: word(basisNames, c.Basis),
		}
		switch {
		case len(t.Approve.Hinders) > 0:
			for _, h := range t.Approve.Hinders {
				t.Why = strings.TrimSpace(t.Why + " " + strings.TrimSpace(h.Rule+" "+h.Text))
			}
		case c.Revision != p.revision:
			t.Why = "It has changed since the list was made. Look at it once more."
		default:
			t.Pick = p.String()
		}
		cases = append(cases, t)
	}
	return cases, d.look(w, r, v, looks...)
}

// briefFile is a case without its papers and its workflow.
func (d *Desk) briefFile(ctx context.Context, c library.Case) (*casefile, error) {
	f := &casefile{Case: c, silent: true}
	return f, f.fill(ctx, d.o.Records)
}

// approveTogether lists the picked cases in full, to be confirmed once.
func (d *Desk) approveTogether(w http.ResponseWriter, r *http.Request, v visit) {
	all, ok := d.picked(w, r, v)
	if !ok {
		return
	}
	cases, ok := d.fullCases(w, r, v, all)
	if !ok {
		return
	}
	view := togetherView{frame: d.frame(v, "Approve together"), FormID: newFormID(), Cases: cases}
	for _, c := range cases {
		if c.Pick != "" {
			view.Ready++
		}
	}
	d.show(w, http.StatusOK, "together", view)
}

// confirmTogether approves each case with an update of its own, bound to the
// revision that the confirmation showed, and tells what came of each.
func (d *Desk) confirmTogether(w http.ResponseWriter, r *http.Request, v visit) {
	all, ok := d.picked(w, r, v)
	if !ok {
		return
	}
	view := togetherView{frame: d.frame(v, "Approved together")}
	for _, p := range all {
		form := url.Values{"id": {formID(r.PostForm)}, "revision": {string(p.revision)}, "note": {r.PostForm.Get("note")}}
		a := d.speak(r.Context(), v, releaseID(p.id), library.Approve, form)
		view.Cases = append(view.Cases, togetherCase{ID: string(p.id), Path: "/desk/" + string(p.id), Refusal: a.refusal, Unsure: a.unsure})
		if a.refusal == "" {
			view.Done++
		} else {
			view.Failed++
		}
	}
	d.show(w, http.StatusOK, "results", view)
}
