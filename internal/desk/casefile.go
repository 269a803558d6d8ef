package desk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"fileroom/internal/library"
)

// maxDocument is the most bytes of a reading or of pages that are read.
const maxDocument = 64 << 20

// A casefile is all that is known about a case.
type casefile struct {
	library.Case
	findings   []library.Finding
	match      library.Match
	choices    library.Choices
	events     []library.Event
	letters    []library.Letter
	decisions  []library.Decision
	facilities []library.Facility
	images     []library.TransferInstance
	held       bool

	standing Standing
	silent   bool // Temporal did not answer.

	reading library.Reading
	pages   []library.Page
	closed  bool // The vault could not be read: reading and pages are missing.

	names map[string]string // Of people, by subject.
}

// releaseID returns the id of the workflow that sees a case through.
func releaseID(id library.CaseID) string { return "release/" + string(id) }

// file reads a case in full. What the vault or Temporal does not give is
// marked; what the records do not give is an error.
func (d *Desk) file(ctx context.Context, c library.Case) (*casefile, error) {
	f := &casefile{Case: c}
	if err := f.fill(ctx, d.o.Records); err != nil {
		return nil, err
	}
	if c.Stage != library.StageClosed {
		d.ask(ctx, f)
	}
	f.closed = !d.unpack(ctx, f)
	return f, nil
}

// ask asks the case's workflow how it stands.
func (d *Desk) ask(ctx context.Context, f *casefile) {
	s, err := d.o.Standing(ctx, releaseID(f.ID))
	if err != nil {
		f.silent = true
		return
	}
	f.standing, f.held = s, s.Held
}

func (f *casefile) fill(ctx context.Context, r Records) error {
	var errs [9]error
	f.findings, errs[0] = r.Findings(ctx, f.ID)
	f.match, errs[1] = r.Match(ctx, f.ID)
	f.choices, errs[2] = r.Choices(ctx, f.ID)
	f.events, errs[3] = r.Events(ctx, f.ID)
	f.letters, errs[4] = r.Letters(ctx, f.ID)
	f.decisions, errs[5] = r.Decisions(ctx, f.ID)
	f.facilities, errs[6] = r.Facilities(ctx)
	f.held, errs[7] = r.Held(ctx, f.ID)
	if f.Revision != "" && f.Facility != "" {
		f.images, errs[8] = r.TransferInstances(ctx, f.ID, f.Revision, f.Facility)
		if library.KindOf(errs[8]) == library.NotFound { // Nothing was ever released.
			errs[8] = nil
		}
	}
	f.names = map[string]string{"program": "Fileroom"}
	for _, d := range f.decisions {
		f.names[d.Actor.Subject] = d.Actor.Name
	}
	return errors.Join(errs[:]...)
}

// unpack reads the case's reading and pages, and reports whether it could.
func (d *Desk) unpack(ctx context.Context, f *casefile) bool {
	return d.open(ctx, f.Reading, &f.reading) == nil && d.open(ctx, f.Pages, &f.pages) == nil
}

// open reads a document of the vault into v; an empty digest is no document.
func (d *Desk) open(ctx context.Context, digest string, v any) error {
	if digest == "" {
		return nil
	}
	body, err := d.o.Documents.Open(ctx, digest)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // Only read from.
	if err := json.NewDecoder(io.LimitReader(body, maxDocument)).Decode(v); err != nil {
		return library.Fault("read document", digest, errors.New("it is not what was kept")) // The decoder's words may quote it.
	}
	return nil
}

func (f *casefile) name(subject string) string {
	if n, ok := f.names[subject]; ok && n != "" {
		return n
	}
	return subject
}

// approvals returns the approvals that count now. The workflow knows better
// than the records: a transfer that was hindered needs new ones.
func (f *casefile) approvals() []library.Decision {
	if f.Revision == "" {
		return nil
	}
	counted, _ := library.Approved(f.decisions, f.Revision, f.Tier, f.choices.By)
	if !f.silent && f.standing.Approvals < len(counted) && f.Stage != library.StageClosed {
		counted = counted[len(counted)-max(f.standing.Approvals, 0):]
	}
	return counted
}

// item is the case as a worklist would show it.
func (f *casefile) item() library.WorkItem {
	i := library.WorkItem{
		Case: f.Case, Facility: f.facilityName(f.Facility), Studies: f.match.ChosenStudies(), Images: len(f.match.Manifest),
		Open: library.OpenRules(f.findings), Held: f.held, Approvals: f.approvals(), ChosenBy: f.choices.By,
	}
	if p, ok := f.match.ChosenPatient(); ok {
		i.Patient = p.Record
	}
	return i
}

func (f *casefile) facility(id library.FacilityID) (library.Facility, bool) {
	i := slices.IndexFunc(f.facilities, func(x library.Facility) bool { return x.ID == id })
	if i < 0 {
		return library.Facility{}, false
	}
	return f.facilities[i], true
}

func (f *casefile) facilityName(id library.FacilityID) string {
	if x, ok := f.facility(id); ok {
		return x.Name
	}
	return string(id)
}

// A hindrance is one thing that stands between a person and an approval.
type hindrance struct {
	Rule string // The finding that it is; empty for everything else.
	Text string
}

// hinders lists what stands between actor and an approval; nothing when an
// approval would count.
func (f *casefile) hinders(actor library.Actor) []hindrance {
	var all []hindrance
	switch {
	case f.Stage == library.StageClosed:
		return []hindrance{{Text: "The case is closed."}}
	case f.Stage != library.StageReview:
		return []hindrance{{Text: "The case is not in review: " + strings.ToLower(word(stageNames, f.Stage)) + "."}}
	}
	if f.held {
		all = append(all, hindrance{Text: "The case is on hold."})
	}
	for _, r := range library.OpenRules(f.findings) {
		all = append(all, hindrance{r.Rule, strings.ToLower(word(severityNames, r.Severity)) + ": " + sentence(r.Title)})
	}
	if f.Revision == "" && len(all) == 0 {
		all = append(all, hindrance{Text: "There is nothing to approve yet: patient, studies or destination are not known."})
	}
	if !actor.Is(library.NeededRole(library.Approve)) {
		return append(all, hindrance{Text: "Approving takes the role " + neededWords(library.NeededRole(library.Approve)) + "."})
	}
	if len(all) > 0 || f.item().MayApprove(actor) {
		return all
	}
	for _, a := range f.approvals() {
		if a.Actor.Subject == actor.Subject {
			return append(all, hindrance{Text: "You have approved this. A second person must approve as well."})
		}
	}
	return append(all, hindrance{Text: "You corrected or chose in this case, so somebody else must be the second person."})
}
