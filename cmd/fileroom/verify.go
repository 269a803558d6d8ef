package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"fileroom/internal/library"
	"fileroom/internal/postgres"
	"fileroom/workflows"
)

type caseVerify struct {
	databaseFlags
	keyFlags
	StaffKeys string `env:"FILEROOM_STAFF_KEYS_FILE" required:"" type:"path" placeholder:"FILE" help:"File of the public keys that sign what staff say."`
	Case      string `arg:"" optional:"" help:"The case's number; all cases if not given."`
	JSON      bool   `help:"Print JSON."`
}

// Run verifies the chain of all disclosures, the signature of every decision,
// and that nothing was disclosed without approvals.
func (v caseVerify) Run(ctx context.Context, c console) error {
	var only library.CaseID
	if v.Case != "" {
		var err error
		if only, err = library.ParseCaseID(v.Case); err != nil {
			return err
		}
	}
	pool, err := v.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	ring, err := v.ring()
	if err != nil {
		return err
	}
	verifier, err := newVerifier(ring, v.StaffKeys)
	if err != nil {
		return err
	}
	report, err := verify(ctx, postgres.NewStore(pool), verified{verifier}, only)
	if err != nil {
		return err
	}
	return report.print(c, v.JSON)
}

// A verifyReport says what was verified, and what is wrong.
type verifyReport struct {
	Disclosures int      `json:"disclosures"` // Lines of the account.
	Decisions   int      `json:"decisions"`
	Wrong       []string `json:"wrong"` // Sentences for people; no patient data.
}

// print prints the report. It is an error if something is wrong.
func (r verifyReport) print(c console, asJSON bool) error {
	if asJSON {
		if err := json.NewEncoder(c.out).Encode(r); err != nil {
			return err
		}
	} else {
		for _, w := range r.Wrong {
			c.printf("WRONG: %s\n", w)
		}
		c.printf("%d lines of disclosure and %d signed decisions verified, %d things wrong.\n", r.Disclosures, r.Decisions, len(r.Wrong))
	}
	if len(r.Wrong) > 0 {
		return exitCode(1)
	}
	return nil
}

// verify verifies the chain of all disclosures, and each case that it tells
// of, or one case alone.
func verify(ctx context.Context, store library.Records, v verified, only library.CaseID) (verifyReport, error) {
	a := audit{store: store, v: v, report: verifyReport{Wrong: []string{}}}
	account, err := store.Disclosures(ctx, "") // The chain runs through all cases.
	if err != nil {
		return a.report, err
	}
	if err := library.VerifyChain(account); err != nil {
		a.wrong("%v", err)
	}
	lines := map[library.CaseID][]library.Disclosure{}
	var cases []library.CaseID // In order of their first lines.
	for _, d := range account {
		if lines[d.Case] == nil {
			cases = append(cases, d.Case)
		}
		lines[d.Case] = append(lines[d.Case], d)
	}
	if only != "" {
		cases = []library.CaseID{only}
	}
	for _, id := range cases {
		if err := a.verifyCase(ctx, id, lines[id]); err != nil {
			return a.report, err
		}
	}
	return a.report, nil
}

// An audit verifies records, case by case.
type audit struct {
	store  library.Records
	v      verified
	report verifyReport
}

func (a *audit) wrong(format string, args ...any) {
	a.report.Wrong = append(a.report.Wrong, fmt.Sprintf(format, args...))
}

// verifyCase verifies what was decided in a case, and what was disclosed.
func (a *audit) verifyCase(ctx context.Context, id library.CaseID, lines []library.Disclosure) error {
	decisions, err := a.store.Decisions(ctx, id)
	if err != nil {
		return err
	}
	proven := a.verifyDecisions(decisions)
	for _, line := range lines {
		if err := a.verifyLine(ctx, line, proven); err != nil {
			return err
		}
	}
	return nil
}

// A provenApproval is an approval as it was signed, and who had chosen or
// corrected in the case before it.
type provenApproval struct {
	library.Decision
	chosenBy []string
}

// verifyDecisions verifies who signed each decision of a case, in the order in
// which they were said. It returns the proven approvals by their decisions' IDs.
func (a *audit) verifyDecisions(decisions []library.Decision) map[string]provenApproval {
	approvals := map[string]provenApproval{}
	var chosenBy []string
	for _, d := range decisions {
		a.report.Decisions++
		if err := holds(a.v, d); err != nil {
			a.wrong("case %s: %s by %s: %v", d.Case, d.Message, d.Actor.Subject, err)
			continue
		}
		if d.Message == library.Correct || d.Message == library.Choose {
			chosenBy = append(chosenBy, d.Actor.Subject)
		}
		if d.Message != library.Approve || d.Workflow != workflows.ReleaseID(d.Case) {
			continue
		}
		// What it approves is what was signed, and not what the record says beside it.
		if said, err := library.Decode[library.ApprovePayload](d.Message, []byte(d.Payload.Reveal())); err == nil {
			d.Revision = said.Revision
			approvals[d.ID] = provenApproval{d, slices.Clone(chosenBy)}
		}
	}
	return approvals
}

// verifyLine verifies that a release stands behind a line of the account, and
// behind the release as many proven approvals of that very revision, by as many
// different people, as the case's risk tier asks for.
func (a *audit) verifyLine(ctx context.Context, line library.Disclosure, proven map[string]provenApproval) error {
	a.report.Disclosures++
	release, err := a.store.Release(ctx, line.Case, line.Revision, line.Facility)
	if library.KindOf(err) == library.NotFound {
		a.wrong("line %d (case %s): no release stands behind it", line.Seq, line.Case)
		return nil
	}
	if err != nil {
		return err
	}
	c, err := a.store.Case(ctx, line.Case)
	if err != nil {
		return err
	}
	var given []library.Decision
	var chosenBy []string
	for _, id := range release.Decisions {
		approval, ok := proven[id]
		if !ok || approval.Revision != line.Revision {
			a.wrong("line %d (case %s): an approval behind it is not proven", line.Seq, line.Case)
			return nil
		}
		given, chosenBy = append(given, approval.Decision), append(chosenBy, approval.chosenBy...)
	}
	if _, enough := library.Approved(given, line.Revision, c.Tier, chosenBy); !enough {
		a.wrong("line %d (case %s): the approvals behind it are not enough for risk tier %d", line.Seq, line.Case, c.Tier)
	}
	return nil
}

// holds verifies the signature of a decision against what is on record.
func holds(v verified, d library.Decision) error {
	signed, err := v.Holds(d.Header, d.Workflow, d.Message, []byte(d.Payload.Reveal()))
	if err != nil {
		return err
	}
	switch {
	case signed.Nonce != d.ID || signed.Actor.Subject != d.Actor.Subject:
		return errors.New("the record names another person or another statement")
	case !signed.Actor.Is(library.NeededRole(d.Message)):
		return errors.New("who signed it may not say that")
	}
	return nil
}
