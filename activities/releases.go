package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fileroom/internal/library"
)

// Releases opens the last door, and closes the account of what went through.
type Releases struct {
	Records  library.Records
	Cases    *Cases // Checks again, just before.
	Verifier Verifier
	Now      func() time.Time
}

// OpenReleaseParams are the parameters of [Releases.OpenRelease].
type OpenReleaseParams struct {
	Case     library.CaseID     `json:"case"`
	Revision library.Revision   `json:"revision"`
	Facility library.FacilityID `json:"facility"`
}

// OpenReleaseResult is the result of [Releases.OpenRelease].
type OpenReleaseResult struct {
	Refused string `json:"refused,omitempty"` // Why the door stays shut; empty when it is open.
}

// OpenRelease opens the last door: without its row in the releases ledger no
// image leaves. It trusts nothing that it is told. It runs the checks again,
// verifies the signature of every approval on record, and counts them; then it
// writes the release with its manifest and the intended disclosure. Opened
// again, for what was left over, it is the same release, and all is looked at
// as the first time.
func (a *Releases) OpenRelease(ctx context.Context, p OpenReleaseParams) (OpenReleaseResult, error) {
	checked, err := a.Cases.CheckCase(ctx, CheckCaseParams{Case: p.Case})
	if err != nil {
		return OpenReleaseResult{}, err
	}
	switch {
	case p.Revision == "" || checked.Revision != p.Revision || checked.Facility != p.Facility:
		return OpenReleaseResult{Refused: "the case has changed since it was approved"}, nil
	case len(checked.Open) > 0:
		return OpenReleaseResult{Refused: "a check that passed before does not pass now: " + checked.Open[0].Rule}, nil
	}
	approvals, err := a.approvals(ctx, p, checked)
	if err != nil {
		return OpenReleaseResult{}, err
	}
	if approvals == nil {
		return OpenReleaseResult{Refused: "there are not enough valid approvals on record"}, nil
	}
	m, err := a.Records.Match(ctx, p.Case)
	if err != nil {
		return OpenReleaseResult{}, err
	}
	intended, err := a.disclosure(ctx, p, m)
	if err != nil {
		return OpenReleaseResult{}, err
	}
	intended.Images, intended.Proof = len(m.Manifest), library.ProofNone
	release := library.Release{Case: p.Case, Revision: p.Revision, Facility: p.Facility, Decisions: approvals, At: a.Now()}
	if _, err = a.Records.OpenRelease(ctx, release, m.Manifest, intended); err != nil {
		return OpenReleaseResult{}, err
	}
	return OpenReleaseResult{}, a.Records.MoveCase(ctx, p.Case, library.StageReleasing, library.WaitingNobody, "", a.Now())
}

// ReleaseWorkflow begins the ID of the workflow that sees a case through; the
// number of the case follows. An approval said to any other counts for nothing.
const ReleaseWorkflow = "release/"

// IntakeWorkflow begins the ID of the workflow that takes in an arrival; the
// number of the arrival follows.
const IntakeWorkflow = "intake/"

// approvals returns the IDs of the approvals that count, or nil when they are
// not enough. A decision counts when its own signature says what the record says.
func (a *Releases) approvals(ctx context.Context, p OpenReleaseParams, checked CheckCaseResult) ([]string, error) {
	all, err := a.Records.Decisions(ctx, p.Case)
	if err != nil {
		return nil, err
	}
	if stopped(all) != "" {
		return nil, nil
	}
	said, err := timelineOf(a.Verifier, all)
	if err != nil {
		return nil, err
	}
	var proven []library.Decision
	for _, d := range all {
		if d.Message == library.Correct || d.Message == library.Choose {
			proven = nil // What was approved before is not what stands now.
		}
		if d.Message != library.Approve || d.Workflow != ReleaseWorkflow+string(p.Case) {
			continue
		}
		payload := []byte(d.Payload.Reveal())
		signed, err := a.Verifier.Holds(d.Header, d.Workflow, d.Message, payload)
		if library.KindOf(err) == library.Invalid {
			continue
		}
		if err != nil {
			return nil, err
		}
		approval, err := library.Decode[library.ApprovePayload](d.Message, payload)
		if err != nil || approval.Revision != p.Revision || signed.Nonce != d.ID || said.stale(signed.IssuedAt) || !library.Holds(signed.Actor.Roles, library.NeededRole(library.Approve)) {
			continue
		}
		d.Actor, d.Revision = signed.Actor, approval.Revision
		proven = append(proven, d)
	}
	counted, enough := library.Approved(proven, p.Revision, checked.Tier, checked.ChosenBy)
	if !enough {
		return nil, nil
	}
	ids := make([]string, len(counted))
	for i, d := range counted {
		ids[i] = d.ID
	}
	return ids, nil
}

// disclosure gathers the four things that an accounting must tell (45 CFR
// 164.528(b)(2)): when, to whom, what and why.
func (a *Releases) disclosure(ctx context.Context, p OpenReleaseParams, m library.Match) (library.Disclosure, error) {
	c, err := a.Records.Case(ctx, p.Case)
	if err != nil {
		return library.Disclosure{}, err
	}
	f, err := a.Records.Facility(ctx, p.Facility)
	if err != nil {
		return library.Disclosure{}, err
	}
	read, _, err := a.Cases.reading(ctx, c)
	if err != nil {
		return library.Disclosure{}, err
	}
	patient := read.Request.Patient
	if chosen, ok := m.ChosenPatient(); ok { // The record's words, not the letter's.
		patient = library.Patient{
			Family: chosen.Record.Reveal().Name, BirthDate: chosen.Record.Reveal().BirthDate, MRN: chosen.Record.Reveal().ID,
		}
	}
	var what []string
	for _, s := range m.ChosenStudies() {
		what = append(what, fmt.Sprintf("%s of %s, %d images", strings.Join(s.Modalities, "/"), s.Date, s.Instances))
	}
	slices.Sort(what)
	return library.Disclosure{
		Case: p.Case, Revision: p.Revision, Facility: p.Facility, Kind: library.DisclosureIntended, At: a.Now(),
		Patient:     library.Hide(patient),
		Recipient:   fmt.Sprintf("%s, %s, %s, %s %s", f.Name, f.Street, f.City, f.State, f.Zip),
		Description: strings.Join(what, "; "),
		Purpose:     read.Request.Purpose,
		Basis:       c.Basis,
		Accountable: c.Basis == library.BasisLegalProcess,
	}, nil
}

// SettleReleaseParams are the parameters of [Releases.SettleRelease].
type SettleReleaseParams struct {
	Case     library.CaseID     `json:"case"`
	Revision library.Revision   `json:"revision"`
	Facility library.FacilityID `json:"facility"`
	// Word is set when a named person at the receiver's said that the images
	// arrived, and there can be no machine proof.
	Word bool `json:"word,omitempty"`
}

// SettleReleaseResult is the result of [Releases.SettleRelease].
type SettleReleaseResult struct {
	Images int           `json:"images"` // That left, whether or not they are proven to be there.
	Proof  library.Proof `json:"proof"`  // The least that holds for all of them.
}

// SettleRelease writes the completed disclosure: what really left, and how
// surely it is known to have arrived. A release that was stopped before its
// first image leaves no completed disclosure.
func (a *Releases) SettleRelease(ctx context.Context, p SettleReleaseParams) (SettleReleaseResult, error) {
	if _, err := a.Records.Release(ctx, p.Case, p.Revision, p.Facility); library.KindOf(err) == library.NotFound {
		return SettleReleaseResult{Proof: library.ProofNone}, nil // The door was never opened.
	} else if err != nil {
		return SettleReleaseResult{}, err
	}
	rows, err := a.Records.TransferInstances(ctx, p.Case, p.Revision, p.Facility)
	if err != nil {
		return SettleReleaseResult{}, err
	}
	r := SettleReleaseResult{Proof: library.ProofReadBack}
	for _, row := range rows {
		if left(row) {
			r.Images++
			r.Proof = weaker(r.Proof, row.Proof)
		}
	}
	if r.Images == 0 {
		return SettleReleaseResult{Proof: library.ProofNone}, nil
	}
	if p.Word && r.Proof == library.ProofNone {
		r.Proof = library.ProofWord
	}
	completed, err := a.intended(ctx, p)
	if err != nil {
		return SettleReleaseResult{}, err
	}
	completed.Kind, completed.At, completed.Images, completed.Proof = library.DisclosureCompleted, a.Now(), r.Images, r.Proof
	return r, a.Records.CompleteDisclosure(ctx, completed)
}

// intended returns the disclosure that was written when the door was opened. It
// says what left: by now staff may have chosen other studies, or another patient.
func (a *Releases) intended(ctx context.Context, p SettleReleaseParams) (library.Disclosure, error) {
	all, err := a.Records.Disclosures(ctx, p.Case)
	if err != nil {
		return library.Disclosure{}, err
	}
	for _, d := range all {
		if d.Kind == library.DisclosureIntended && d.Revision == p.Revision && d.Facility == p.Facility {
			return d, nil
		}
	}
	return library.Disclosure{}, library.Errorf(library.Conflict, "settle release", string(p.Case), "a release stands without its intended disclosure")
}

// left reports whether an image may have left the hospital. One that was
// handed to a connection and never answered for counts: the account must not
// say less than what happened.
func left(row library.TransferInstance) bool {
	return row.State == library.InstanceSent || row.State == library.InstanceConfirmed ||
		row.State == library.InstanceDifferent || (row.State != library.InstanceStranger && row.Sends > 0)
}

// weaker returns the lesser of two proofs.
func weaker(a, b library.Proof) library.Proof {
	order := []library.Proof{library.ProofNone, library.ProofWord, library.ProofListed, library.ProofReadBack}
	return order[min(max(slices.Index(order, a), 0), max(slices.Index(order, b), 0))]
}
