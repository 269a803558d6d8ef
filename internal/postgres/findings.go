package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/library"
)

type findingRow struct {
	Rule        string
	Title       string
	Citation    string
	Severity    string
	Why         string
	Ask         string
	Field       string
	Page        int
	Box         []byte
	Confidence  float64
	Pack        string
	Overridable bool
	About       string
	AckBy       *string
	AckReason   *string
}

func (r findingRow) finding() (library.Finding, error) {
	f := library.Finding{
		Rule: r.Rule, Title: r.Title, Citation: r.Citation, Severity: library.Severity(r.Severity),
		Why: r.Why, Ask: r.Ask, Field: r.Field, Page: r.Page, Confidence: r.Confidence,
		Pack: r.Pack, Overridable: r.Overridable, About: r.About,
	}
	if r.AckBy != nil && r.AckReason != nil {
		f.Acknowledged = &library.Acknowledge{By: *r.AckBy, Reason: *r.AckReason}
	}
	if r.Box == nil {
		return f, nil
	}
	box, err := read[library.Box](r.Box)
	f.Box = &box
	return f, err
}

// sameness is what makes a finding the same in two assessments.
type sameness struct{ rule, severity, field, why, about string }

func samenessOf(f library.Finding) sameness {
	return sameness{text(f.Rule), string(f.Severity), text(f.Field), text(f.Why), text(f.About)}
}

// SetAssessment implements [library.CaseRecords]. Acknowledgements come from
// [Store.AcknowledgeFinding] alone: those in a are not looked at.
func (s *Store) SetAssessment(ctx context.Context, id library.CaseID, a library.Assessment) error {
	return s.within(ctx, "set assessment of case", string(id), func(tx pgx.Tx) error {
		n, err := exec(ctx, tx, setAssessmentSQL, pgx.StrictNamedArgs{ // Locks the case as well.
			"id": id, "basis": a.Basis, "tier": a.Tier, "revision": a.Revision, "facility": a.Facility,
		})
		if err := needOne(n, err); err != nil {
			return err
		}
		before, err := list(ctx, tx, findingsSQL, pgx.StrictNamedArgs{"case_id": id}, findingRow.finding)
		if err != nil {
			return err
		}
		kept := map[sameness]*library.Acknowledge{}
		for _, f := range before {
			if f.Acknowledged != nil {
				kept[samenessOf(f)] = f.Acknowledged
			}
		}
		if _, err := exec(ctx, tx, dropFindingsSQL, pgx.StrictNamedArgs{"case_id": id}); err != nil {
			return err
		}
		for i, f := range a.Findings {
			f.Acknowledged = kept[samenessOf(f)]
			if err := addFinding(ctx, tx, id, i, f); err != nil {
				return err
			}
		}
		return nil
	})
}

func addFinding(ctx context.Context, tx pgx.Tx, id library.CaseID, position int, f library.Finding) error {
	args := pgx.StrictNamedArgs{
		"case_id": id, "position": position, "rule": f.Rule, "title": f.Title, "citation": f.Citation,
		"severity": f.Severity, "why": f.Why, "ask": f.Ask, "field": f.Field, "page": f.Page, "box": nil,
		"confidence": f.Confidence, "pack": f.Pack, "overridable": f.Overridable, "about": f.About, "ack_by": nil, "ack_reason": nil,
	}
	if f.Box != nil {
		box, err := document(f.Box)
		if err != nil {
			return err
		}
		args["box"] = box
	}
	if f.Acknowledged != nil {
		args["ack_by"], args["ack_reason"] = f.Acknowledged.By, f.Acknowledged.Reason
	}
	_, err := exec(ctx, tx, addFindingSQL, args)
	return err
}

// Findings implements [library.CaseRecords].
func (s *Store) Findings(ctx context.Context, id library.CaseID) ([]library.Finding, error) {
	all, err := ofCase(ctx, s.pool, id, findingsSQL, findingRow.finding)
	return all, fault("list findings of case", string(id), err)
}

// AcknowledgeFinding implements [library.CaseRecords].
func (s *Store) AcknowledgeFinding(ctx context.Context, id library.CaseID, rule string, ack library.Acknowledge) error {
	return s.within(ctx, "acknowledge finding of case", string(id), func(tx pgx.Tx) error {
		if _, err := lockCase(ctx, tx, id); err != nil {
			return err
		}
		n, err := exec(ctx, tx, acknowledgeFindingSQL, pgx.StrictNamedArgs{
			"case_id": id, "rule": rule, "ack_by": ack.By, "ack_reason": ack.Reason,
		})
		if err != nil || n > 0 {
			return err
		}
		exists, err := value[bool](ctx, tx, findingExistsSQL, pgx.StrictNamedArgs{"case_id": id, "rule": rule})
		if err == nil && !exists {
			err = pgx.ErrNoRows
		}
		return err
	})
}
