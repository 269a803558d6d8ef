package activities

import (
	"context"
	"slices"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/matching"
	"fileroom/internal/rules"
)

// duplicateWithin is how far back IN-04 looks for the same request.
const duplicateWithin = 30 * 24 * time.Hour

// Cases finds out what a case is about and whether it may go.
type Cases struct {
	Records library.Records
	Vault   Vault
	PACS    Archive
	Pack    *rules.Pack
	Site    rules.Site
	Desk    string // Address of the staff's pages, such as https://panel.hospital.example; empty for none.
	Now     func() time.Time
}

// MatchCaseParams are the parameters of [Cases.MatchCase].
type MatchCaseParams struct {
	Case library.CaseID `json:"case"`
}

// MatchCaseResult is the result of [Cases.MatchCase].
type MatchCaseResult struct {
	Patients int `json:"patients"` // Candidates.
	Studies  int `json:"studies"`  // Chosen.
	Images   int `json:"images"`   // Of the chosen studies.
}

// MatchCase looks in the PACS for the patient and the studies that a case
// asks for, and lists every image of those that are chosen. It chooses only
// where there is nothing to choose between; what staff chose stands.
func (a *Cases) MatchCase(ctx context.Context, p MatchCaseParams) (MatchCaseResult, error) {
	c, err := a.Records.Case(ctx, p.Case)
	if err != nil {
		return MatchCaseResult{}, err
	}
	read, choices, err := a.reading(ctx, c)
	if err != nil {
		return MatchCaseResult{}, err
	}
	found, err := a.findPatients(ctx, read.Request.Patient, choices)
	if err != nil {
		return MatchCaseResult{}, err
	}
	m := library.Match{Patients: matching.RankPatients(read.Request.Patient, found, choices)}
	if chosen, ok := m.ChosenPatient(); ok {
		record := chosen.Record.Reveal()
		studies, err := a.PACS.FindStudies(ctx, record.ID, record.Issuer)
		if err != nil {
			return MatchCaseResult{}, err
		}
		m.Studies = matching.RankStudies(read.Request.Studies, studies, choices)
		for _, s := range m.ChosenStudies() {
			instances, err := a.PACS.Instances(ctx, s.UID)
			if err != nil {
				return MatchCaseResult{}, err
			}
			m.Manifest = append(m.Manifest, instances...)
		}
	}
	if err := a.Records.SetMatch(ctx, p.Case, m); err != nil {
		return MatchCaseResult{}, err
	}
	return MatchCaseResult{Patients: len(m.Patients), Studies: len(m.ChosenStudies()), Images: len(m.Manifest)}, nil
}

// findPatients asks the PACS by record number and by birth date with name,
// each where the request has it, and by what staff chose.
func (a *Cases) findPatients(ctx context.Context, wanted library.Patient, choices library.Choices) ([]library.PatientRecord, error) {
	var queries []library.PatientQuery
	for _, mrn := range []string{wanted.MRN, choices.Patient} {
		if mrn != "" {
			queries = append(queries, library.PatientQuery{MRN: mrn})
		}
	}
	if wanted.BirthDate != "" && wanted.Family != "" {
		queries = append(queries, library.PatientQuery{BirthDate: wanted.BirthDate, Family: wanted.Family, Given: wanted.Given})
	}
	var all []library.PatientRecord
	for _, q := range queries {
		found, err := a.PACS.FindPatients(ctx, q)
		if library.KindOf(err) == library.Invalid {
			continue // What stands in the letter is no record number or date; the checks say so.
		}
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			if !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	return all, nil
}

// CheckCaseParams are the parameters of [Cases.CheckCase].
type CheckCaseParams struct {
	Case library.CaseID `json:"case"`
	// Where the case stands once it is checked; empty to leave that.
	Stage   library.Stage   `json:"stage,omitempty"`
	Waiting library.Waiting `json:"waiting,omitempty"`
}

// CheckCaseResult is the result of [Cases.CheckCase].
type CheckCaseResult struct {
	Basis    library.Basis      `json:"basis"`
	Tier     library.Tier       `json:"tier"`
	Facility library.FacilityID `json:"facility,omitempty"`
	Revision library.Revision   `json:"revision"`
	Open     []library.OpenRule `json:"open,omitempty"` // What hinders an approval.
	Images   int                `json:"images"`
	// Unresolved is how many of the studies asked for are not among the chosen.
	Unresolved int      `json:"unresolved,omitempty"`
	ChosenBy   []string `json:"chosen_by,omitempty"` // Subjects: none of them can be the second person.
	Desk       string   `json:"desk,omitempty"`      // Address of the staff's pages: a history keeps it, so that a replay shows the same.
}

// CheckCase decides on which legal basis a case stands and runs every rule of
// the pack over what is known. Its revision changes when anything that an
// approval is for has changed.
func (a *Cases) CheckCase(ctx context.Context, p CheckCaseParams) (CheckCaseResult, error) {
	c, err := a.Records.Case(ctx, p.Case)
	if err != nil {
		return CheckCaseResult{}, err
	}
	facts, choices, err := a.facts(ctx, c)
	if err != nil {
		return CheckCaseResult{}, err
	}
	assessment := library.Assessment{Basis: facts.Basis, Findings: a.Pack.Check(facts)}
	assessment.Tier = rules.TierOf(facts, assessment.Findings)
	if facts.Facility != nil {
		assessment.Facility = facts.Facility.ID
	}
	assessment.Revision = a.revision(c, facts, choices)
	if err := a.Records.SetAssessment(ctx, p.Case, assessment); err != nil {
		return CheckCaseResult{}, err
	}
	if p.Stage != "" {
		if err := a.Records.MoveCase(ctx, p.Case, p.Stage, p.Waiting, "", a.Now()); err != nil {
			return CheckCaseResult{}, err
		}
	}
	findings, err := a.Records.Findings(ctx, p.Case) // With what was acknowledged.
	if err != nil {
		return CheckCaseResult{}, err
	}
	return CheckCaseResult{
		Basis: assessment.Basis, Tier: assessment.Tier, Facility: assessment.Facility, Revision: assessment.Revision,
		Open: library.OpenRules(findings), Images: len(facts.Match.Manifest), ChosenBy: choices.By,
		Unresolved: unresolved(facts), Desk: a.Desk,
	}, nil
}

func unresolved(f rules.Facts) int {
	n := 0
	for i := range f.Reading.Request.Studies {
		if !slices.ContainsFunc(f.Match.Studies, func(s library.StudyCandidate) bool { return s.Chosen && s.Item == i }) {
			n++
		}
	}
	return n
}

// facts gathers what the rules may look at.
func (a *Cases) facts(ctx context.Context, c library.Case) (rules.Facts, library.Choices, error) {
	read, choices, err := a.reading(ctx, c)
	if err != nil {
		return rules.Facts{}, choices, err
	}
	f := rules.Facts{
		Reading: read, Bound: []library.CaseID{c.ID}, Site: a.Site, Channel: c.Channel,
		Received: library.DateOf(c.ReceivedAt), Today: library.DateOf(a.Now()),
	}
	if f.Match, err = a.Records.Match(ctx, c.ID); err != nil {
		return f, choices, err
	}
	directory, err := a.Records.Facilities(ctx)
	if err != nil {
		return f, choices, err
	}
	f.Facilities = rules.MatchFacility(read.Request.Recipient, directory)
	f.Facility = rules.PickFacility(f.Facilities, directory, choices.Facility)
	f.Basis, _, _ = rules.SuggestBasis(read, f.Facility)
	if choices.Basis != "" {
		f.Basis = choices.Basis
	}
	if chosen, ok := f.Match.ChosenPatient(); ok && f.Facility != nil {
		f.Duplicates, err = a.Records.SameRequests(ctx, c.ID, chosen.Record.Reveal(), f.Facility.ID, c.ReceivedAt.Add(-duplicateWithin))
	}
	return f, choices, err
}

// PresentRevision returns what tells the revision that a case has now. It is
// no method, for every exported method is an activity.
func PresentRevision(a *Cases) func(context.Context, library.CaseID) (library.Revision, error) {
	return func(ctx context.Context, id library.CaseID) (library.Revision, error) {
		c, err := a.Records.Case(ctx, id)
		if err != nil {
			return "", err
		}
		facts, choices, err := a.facts(ctx, c)
		if err != nil {
			return "", err
		}
		return a.revision(c, facts, choices), nil
	}
}

func (a *Cases) revision(c library.Case, f rules.Facts, choices library.Choices) library.Revision {
	chosen, ok := f.Match.ChosenPatient()
	if !ok || f.Facility == nil || len(f.Match.Manifest) == 0 {
		return ""
	}
	return rules.Revision(chosen.Record.Reveal(), f.Match.Manifest, *f.Facility, c.Papers, a.Pack.Version, choices)
}

// reading returns what was read, with what staff corrected.
func (a *Cases) reading(ctx context.Context, c library.Case) (library.Reading, library.Choices, error) {
	choices, err := a.Records.Choices(ctx, c.ID)
	if err != nil {
		return library.Reading{}, choices, err
	}
	read, err := openJSON[library.Reading](ctx, a.Vault, c.Reading)
	if err != nil {
		return read, choices, err
	}
	read, err = rules.Apply(read, choices.Corrections)
	return read, choices, err
}

// MoveCaseParams are the parameters of [Cases.MoveCase].
type MoveCaseParams struct {
	Case    library.CaseID  `json:"case"`
	Stage   library.Stage   `json:"stage"`
	Waiting library.Waiting `json:"waiting"`
	Outcome library.Outcome `json:"outcome,omitempty"`
	// What happened, and its key, for the case's history; empty for nothing new.
	Event  string `json:"event,omitempty"`
	Detail string `json:"detail,omitempty"`
	Key    string `json:"key,omitempty"`
}

// MoveCaseResult is the result of [Cases.MoveCase].
type MoveCaseResult struct{}

// MoveCase puts on record where a case stands, for the worklists.
func (a *Cases) MoveCase(ctx context.Context, p MoveCaseParams) (MoveCaseResult, error) {
	if p.Event != "" {
		e := library.Event{Case: p.Case, Key: p.Key, What: p.Event, Detail: p.Detail, Actor: "program", At: a.Now()}
		if err := a.Records.AddEvent(ctx, e); err != nil {
			return MoveCaseResult{}, err
		}
	}
	return MoveCaseResult{}, a.Records.MoveCase(ctx, p.Case, p.Stage, p.Waiting, p.Outcome, a.Now())
}
