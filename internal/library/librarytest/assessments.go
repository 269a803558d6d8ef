package librarytest

import (
	"context"
	"maps"
	"slices"

	"fileroom/internal/library"
)

// copiedFinding returns a copy of f that shares nothing with it.
func copiedFinding(f library.Finding) library.Finding {
	if f.Box != nil {
		f.Box = new(*f.Box)
	}
	if f.Acknowledged != nil {
		f.Acknowledged = new(*f.Acknowledged)
	}
	return f
}

// sameness is what makes a finding the same in two assessments.
type sameness struct {
	rule              string
	severity          library.Severity
	field, why, about string
}

func samenessOf(f library.Finding) sameness {
	return sameness{f.Rule, f.Severity, f.Field, f.Why, f.About}
}

// SetAssessment implements [library.CaseRecords]. Acknowledgements come from
// [Records.AcknowledgeFinding] alone: those in a are not looked at.
func (r *Records) SetAssessment(ctx context.Context, id library.CaseID, a library.Assessment) error {
	const op = "set assessment of case"
	leave, err := r.enter(ctx, "SetAssessment")
	if err != nil {
		return err
	}
	defer leave()

	f, err := r.find(op, id)
	if err != nil {
		return err
	}
	assessed := f.record
	assessed.Basis, assessed.Tier, assessed.Facility, assessed.Revision = a.Basis, a.Tier, a.Facility, a.Revision
	if err := checkCase(op, assessed); err != nil {
		return err
	}
	var findings []library.Finding
	for _, now := range a.Findings {
		if now.Rule == "" || !slices.Contains(severities, now.Severity) {
			return invalid(op, string(id), "a finding without a rule or a known severity")
		}
		now = copiedFinding(now)
		now.Acknowledged = nil
		for _, before := range f.findings {
			if before.Acknowledged != nil && samenessOf(before) == samenessOf(now) {
				now.Acknowledged = new(*before.Acknowledged)
			}
		}
		findings = append(findings, now)
	}
	f.record, f.findings = assessed, findings
	return nil
}

// Findings implements [library.CaseRecords].
func (r *Records) Findings(ctx context.Context, id library.CaseID) ([]library.Finding, error) {
	leave, err := r.enter(ctx, "Findings")
	if err != nil {
		return nil, err
	}
	defer leave()

	f, err := r.find("list findings of case", id)
	if err != nil {
		return nil, err
	}
	var all []library.Finding
	for _, finding := range f.findings {
		all = append(all, copiedFinding(finding))
	}
	return all, nil
}

// AcknowledgeFinding implements [library.CaseRecords].
func (r *Records) AcknowledgeFinding(ctx context.Context, id library.CaseID, rule string, ack library.Acknowledge) error {
	const op = "acknowledge finding of case"
	leave, err := r.enter(ctx, "AcknowledgeFinding")
	if err != nil {
		return err
	}
	defer leave()

	f, err := r.find(op, id)
	if err != nil {
		return err
	}
	known := false
	for i := range f.findings {
		if f.findings[i].Rule != rule {
			continue
		}
		known = true
		if f.findings[i].Open() {
			f.findings[i].Acknowledged = new(ack)
		}
	}
	if !known {
		return missing(op, string(id))
	}
	return nil
}

// copiedMatch returns a copy of m that shares nothing with it.
func copiedMatch(m library.Match) library.Match {
	m.Patients, m.Studies, m.Manifest = copied(m.Patients), copied(m.Studies), copied(m.Manifest)
	for i := range m.Patients {
		m.Patients[i].Reasons = copied(m.Patients[i].Reasons)
	}
	for i := range m.Studies {
		m.Studies[i].Reasons = copied(m.Studies[i].Reasons)
		m.Studies[i].Modalities = copied(m.Studies[i].Modalities)
	}
	return m
}

// SetMatch implements [library.CaseRecords]. A match with two chosen patients
// is [library.Invalid].
func (r *Records) SetMatch(ctx context.Context, id library.CaseID, m library.Match) error {
	const op = "set match of case"
	leave, err := r.enter(ctx, "SetMatch")
	if err != nil {
		return err
	}
	defer leave()

	chosen := 0
	for _, p := range m.Patients {
		if p.Chosen {
			chosen++
		}
	}
	if chosen > 1 {
		return invalid(op, string(id), "more than one patient is chosen")
	}
	f, err := r.find(op, id)
	if err != nil {
		return err
	}
	f.match = copiedMatch(m)
	return nil
}

// Match implements [library.CaseRecords]. A case without one has an empty
// match.
func (r *Records) Match(ctx context.Context, id library.CaseID) (library.Match, error) {
	leave, err := r.enter(ctx, "Match")
	if err != nil {
		return library.Match{}, err
	}
	defer leave()

	f, err := r.find("read match of case", id)
	if err != nil {
		return library.Match{}, err
	}
	return copiedMatch(f.match), nil
}

func copiedChoices(c library.Choices) library.Choices {
	c.Studies, c.By = copied(c.Studies), copied(c.By)
	c.Corrections = maps.Clone(c.Corrections)
	if len(c.Corrections) == 0 {
		c.Corrections = nil
	}
	return c
}

// SetChoices implements [library.CaseRecords].
func (r *Records) SetChoices(ctx context.Context, id library.CaseID, c library.Choices) error {
	const op = "set choices of case"
	leave, err := r.enter(ctx, "SetChoices")
	if err != nil {
		return err
	}
	defer leave()

	f, err := r.find(op, id)
	if err != nil {
		return err
	}
	if !slices.Contains(bases, c.Basis) {
		return invalid(op, string(id), "unknown basis")
	}
	f.choices = copiedChoices(c)
	return nil
}

// Choices implements [library.CaseRecords]. A case about which nothing was
// chosen has empty choices.
func (r *Records) Choices(ctx context.Context, id library.CaseID) (library.Choices, error) {
	leave, err := r.enter(ctx, "Choices")
	if err != nil {
		return library.Choices{}, err
	}
	defer leave()

	f, err := r.find("read choices of case", id)
	if err != nil {
		return library.Choices{}, err
	}
	return copiedChoices(f.choices), nil
}
