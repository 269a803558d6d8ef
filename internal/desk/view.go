package desk

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"fileroom/internal/library"
)

// A caseView is a case as its page and the panel show it.
type caseView struct {
	frame
	forms
	ID       string
	State    string
	Closed   bool
	InReview bool
	Channel  string
	Received time.Time
	Due      time.Time
	DueIn    string
	Late     bool
	Basis    string
	Tier     string
	Revision string
	Desk     string // Path of the page in full.
	Temporal string // The workflow in the Temporal UI.

	Held, Note, Trouble, Refused string
	Silent, NoPapers             bool
	Done                         string
	Stray                        string // A refusal whose form is not on the page any more.
	NoRole                       bool   // Looks, and decides nothing.
	Privacy, Lead                bool

	Approve   approveView
	Patient   string
	Birth     string
	Asked     []string
	Papers    []paperView
	More      int // Pages beyond those shown.
	Groups    []fieldGroup
	Troubles  []string
	Findings  []findingView
	Settled   []findingView
	Patients  patientsView
	Studies   studiesView
	Basics    []choice
	Places    []choice
	Place     *library.Facility
	PlaceName string
	Letters   []letterView
	Sending   *sendingView
	History   []historyView
	can       map[library.Message]bool
}

// Can reports whether the person's role and the stage allow a message.
func (v caseView) Can(message string) bool { return v.can[library.Message(message)] }

// Form returns the form of a message; key tells several of one message apart.
func (v caseView) Form(message, key string) formView { return v.form(library.Message(message), key) }

// Decides reports whether there is any button at all.
func (v caseView) Decides() bool { return len(v.can) > 0 }

// An approveView is what an approval would be for, and what hinders it.
type approveView struct {
	Hinders  []hindrance
	Patient  string
	Birth    string
	MRN      string
	Studies  []string
	Place    string
	Images   int
	Given    []string // Who has approved.
	Needed   int
	Revision string
}

// allowed returns what the person may say as the case stands.
func (f *casefile) allowed(actor library.Actor) map[library.Message]bool {
	can := map[library.Message]bool{}
	if f.Stage == library.StageClosed {
		return can
	}
	settle := f.Stage == library.StageReview || f.Stage == library.StageDeficient
	for m, fits := range map[library.Message]bool{
		library.Approve: f.Stage == library.StageReview && len(f.hinders(actor)) == 0,
		library.Ask:     f.Stage == library.StageReview,
		library.Correct: settle, library.Acknowledged: settle, library.Choose: settle, library.Deny: settle,
		library.Hold: !f.held, library.Resume: f.held, library.Withdraw: true,
		library.Confirm: f.Stage == library.StageConfirming && !f.held,
	} {
		if fits && actor.Is(library.NeededRole(m)) {
			can[m] = true
		}
	}
	return can
}

// caseView makes the view of a case for a visit, with the form that was
// refused, if one was.
func (d *Desk) caseView(v visit, f *casefile, a attempt) caseView {
	action := "/desk/" + string(f.ID) + "/say"
	if v.panel {
		action = "/panel/say"
	}
	papers, marks := f.papers()
	if v.panel { // Which shows no papers.
		marks.base = "/desk/" + string(f.ID)
	}
	view := caseView{
		frame: d.frame(v, "Case "+string(f.ID)), forms: forms{action: action, flow: releaseID(f.ID), attempt: a, shown: f.Revision},
		ID: string(f.ID), State: stateWords(f.Case), Closed: f.Stage == library.StageClosed,
		InReview: f.Stage == library.StageReview, Channel: word(channelNames, f.Channel),
		Received: f.ReceivedAt, Due: f.DueAt, DueIn: dueWords(f.DueAt, v.now), Late: v.now.After(f.DueAt) && f.Stage != library.StageClosed,
		Tier: tierWords(f.Tier), Revision: string(f.Revision), Desk: "/desk/" + string(f.ID), Temporal: d.workflowURL(releaseID(f.ID)),
		Note: f.standing.Note, Trouble: f.standing.Trouble, Refused: f.standing.Refused, Silent: f.silent,
		NoPapers: f.closed, NoRole: !v.actor().Is(library.RoleSpecialist), Privacy: v.actor().Is(library.RolePrivacy), Lead: v.actor().Is(library.RoleLead),
		Papers: papers, More: len(f.pages) - len(papers),
		Groups: f.fieldViews(marks, a.field), Patients: f.patientsView(), Studies: f.studiesView(),
		Letters: f.letterViews(), Sending: f.sendingView(), History: f.history(), can: f.allowed(v.actor()),
	}
	view.Flow = releaseID(f.ID)
	if f.Basis != "" {
		view.Basis = word(basisNames, f.Basis)
	}
	if f.held {
		view.Held = f.heldWords()
	}
	for _, t := range f.reading.Troubles {
		view.Troubles = append(view.Troubles, sentence(t.Text))
	}
	for _, s := range f.reading.Request.Studies {
		view.Asked = append(view.Asked, askedWords(s))
	}
	view.Findings, view.Settled = f.findingViews(v.actor(), view.can[library.Acknowledged])
	view.Approve = f.approveView(v.actor())
	view.Patient, view.Birth = view.Approve.Patient, view.Approve.Birth
	view.Basics, view.Places = f.basisChoices(), f.placeChoices()
	if place, ok := f.facility(f.Facility); ok {
		view.Place = &place
	}
	view.PlaceName = f.facilityName(f.Facility)
	view.Stray = view.stray(a)
	return view
}

// stray returns the refusal of a form that the page has no more, because the
// case has moved on.
func (v caseView) stray(a attempt) string {
	if a.refusal == "" {
		return ""
	}
	if a.message == library.Acknowledged {
		if slices.ContainsFunc(v.Findings, func(f findingView) bool { return f.Rule == a.key && f.May }) {
			return ""
		}
		return a.refusal
	}
	if v.can[a.message] {
		return ""
	}
	return a.refusal
}

// field returns what was typed for a field in a correction that was refused.
func (a attempt) field(name string) (string, bool) {
	if a.refusal == "" || a.message != library.Correct || !a.typed.Has("field:"+name) {
		return "", false
	}
	return a.typed.Get("field:" + name), true
}

func (d *Desk) workflowURL(id string) string {
	return d.origin + "/namespaces/" + url.PathEscape(d.o.Namespace) + "/workflows/" + url.PathEscape(id)
}

// heldWords says who put the case on hold, when and why.
func (f *casefile) heldWords() string {
	for _, d := range slices.Backward(f.decisions) {
		if d.Message != library.Hold {
			continue
		}
		p, err := library.Decode[library.ReasonPayload](d.Message, []byte(d.Payload.Reveal()))
		if err != nil {
			break
		}
		return fmt.Sprintf("%s put it on hold on %s: %s", f.name(d.Actor.Subject), dayWords(d.At), sentence(p.Reason))
	}
	return "Nothing leaves until the hold is lifted."
}

func (f *casefile) approveView(actor library.Actor) approveView {
	i := f.item()
	v := approveView{
		Hinders: f.hinders(actor), Place: i.Facility, Images: i.Images, Needed: f.Tier.Approvals(), Revision: string(f.Revision),
	}
	p := i.Patient.Reveal()
	v.Patient, v.Birth, v.MRN = spokenName(p.Name), dateWords(p.BirthDate), p.ID
	for _, s := range i.Studies {
		v.Studies = append(v.Studies, studyWords(s))
	}
	for _, a := range i.Approvals {
		v.Given = append(v.Given, fmt.Sprintf("%s, %s", a.Actor.Name, momentWords(a.At)))
	}
	return v
}

func studyWords(s library.StudyCandidate) string {
	return fmt.Sprintf("%s, %s, %s", studyName(s), dateWords(s.Date), countWords(s.Instances, "image"))
}

// studyName is what a study is called: its description, after the kinds of
// image unless the description begins with them, as in CT CHEST.
func studyName(s library.StudyCandidate) string {
	kinds, description := strings.Join(s.Modalities, "/"), strings.TrimSpace(s.Description.Reveal())
	if first, _, _ := strings.Cut(description, " "); strings.EqualFold(first, kinds) {
		return description
	}
	return strings.TrimSpace(kinds + " " + description)
}

func askedWords(s library.StudyRequest) string {
	w := strings.TrimSpace(s.Modality + " " + s.BodyPart)
	if s.All {
		w = strings.TrimSpace("everything " + w)
	}
	if w == "" {
		w = "images"
	}
	switch {
	case s.Date != "":
		w += ", " + dateWords(s.Date)
	case s.From != "" && s.To != "":
		w += ", " + dateWords(s.From) + " to " + dateWords(s.To)
	case s.From != "":
		w += ", since " + dateWords(s.From)
	case s.To != "":
		w += ", until " + dateWords(s.To)
	}
	return w
}

func (f *casefile) basisChoices() []choice {
	var all []choice
	for _, b := range []library.Basis{
		library.BasisAccess, library.BasisDirective, library.BasisTreatment, library.BasisAuthorization, library.BasisLegalProcess,
	} {
		all = append(all, choice{Value: string(b), Words: string(b) + " · " + basisNames[b], Chosen: b == f.Basis})
	}
	return all
}

func (f *casefile) placeChoices() []choice {
	var all []choice
	for _, x := range f.facilities {
		all = append(all, choice{Value: string(x.ID), Words: x.Name + ", " + x.City + " " + x.State, Chosen: x.ID == f.Facility})
	}
	return all
}
