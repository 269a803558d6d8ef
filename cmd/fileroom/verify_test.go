package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/library/librarytest"
	"fileroom/internal/staff"
	"fileroom/internal/staff/stafftest"
	"fileroom/workflows"
)

const (
	firstCase  = library.CaseID("K7MQ-42XD")
	secondCase = library.CaseID("B3TW-9H5C")
	openCase   = library.CaseID("M2NP-7D4F")
	revision   = library.Revision("9f86d081")
	receiver   = library.FacilityID("blue-ridge")
)

var noon = time.Date(2026, 1, 12, 12, 0, 0, 0, time.UTC)

// tampered are records of which somebody changed what they hold.
type tampered struct {
	*librarytest.Records
	lines     func([]library.Disclosure) []library.Disclosure
	decisions func([]library.Decision) []library.Decision
	release   func(library.Release) (library.Release, error)
}

func (r tampered) Disclosures(ctx context.Context, id library.CaseID) ([]library.Disclosure, error) {
	all, err := r.Records.Disclosures(ctx, id)
	if r.lines != nil {
		all = r.lines(all)
	}
	return all, err
}

func (r tampered) Decisions(ctx context.Context, id library.CaseID) ([]library.Decision, error) {
	all, err := r.Records.Decisions(ctx, id)
	if r.decisions != nil && id == firstCase {
		all = r.decisions(all)
	}
	return all, err
}

func (r tampered) Release(ctx context.Context, id library.CaseID, revision library.Revision, facility library.FacilityID) (library.Release, error) {
	have, err := r.Records.Release(ctx, id, revision, facility)
	if r.release != nil && id == firstCase && err == nil {
		return r.release(have)
	}
	return have, err
}

// A bureau fills records as the workers do, with signatures.
type bureau struct {
	t       *testing.T
	door    *stafftest.Door
	records *librarytest.Records
}

func actor(subject string, role library.Role) staff.Actor {
	return staff.Actor{Subject: subject, Name: "Dana Okoye", Roles: []library.Role{role}}
}

// decided returns a decision with its signature.
func (b *bureau) decided(who staff.Actor, m library.Message, id library.CaseID, workflow, payload string) library.Decision {
	b.t.Helper()
	header, err := b.door.Signer.Sign(who, workflow, string(m), []byte(payload))
	if err != nil {
		b.t.Fatal(err)
	}
	signed, err := b.door.Verifier.Holds(header, workflow, string(m), []byte(payload))
	if err != nil {
		b.t.Fatal(err)
	}
	d := library.Decision{
		ID: signed.Nonce, Case: id, Message: m, Actor: who, Payload: library.Hide(payload), Header: header, Workflow: workflow, At: noon,
	}
	if m == library.Approve {
		d.Revision = revision
	}
	return d
}

func approval(of library.Revision) string { return `{"revision":"` + string(of) + `"}` }

// open opens a case in which staff said something before its approval.
func (b *bureau) open(id library.CaseID) {
	b.t.Helper()
	ctx := b.t.Context()
	a, err := b.records.AddArrival(ctx, library.Arrival{
		Channel: library.ChannelEmail, Source: "requests", Key: string(id), Digest: strings.Repeat("ab", 32), Size: 2048, ReceivedAt: noon,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	_, err = b.records.OpenCase(ctx, library.Case{
		ID: id, Arrival: a.ID, Part: 1, Channel: a.Channel, Stage: library.StageReview, Waiting: library.WaitingStaff,
		ReceivedAt: noon, DueAt: noon.Add(library.AnswerWithin),
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.add(b.decided(actor("u-1", library.RoleSpecialist), library.Acknowledged, id, workflows.ReleaseID(id), `{"rule":"DL-02","reason":"asked by telephone"}`))
}

func (b *bureau) add(d library.Decision) {
	b.t.Helper()
	if err := b.records.AddDecision(b.t.Context(), d); err != nil {
		b.t.Fatal(err)
	}
}

// disclose approves a case by two people, releases it, and completes it.
func (b *bureau) disclose(id library.CaseID) {
	b.t.Helper()
	ctx := b.t.Context()
	var approvals []string
	for _, subject := range []string{"u-1", "u-2"} {
		d := b.decided(actor(subject, library.RoleSpecialist), library.Approve, id, workflows.ReleaseID(id), approval(revision))
		b.add(d)
		approvals = append(approvals, d.ID)
	}
	line := library.Disclosure{
		Case: id, Revision: revision, Facility: receiver, At: noon, Recipient: "Blue Ridge Orthopedics, 12 Ridge Rd",
		Description: "CT of 2026-01-09, 5 images", Basis: library.BasisTreatment, Images: 5, Proof: library.ProofNone,
	}
	_, err := b.records.OpenRelease(ctx, library.Release{Case: id, Revision: revision, Facility: receiver, Decisions: approvals, At: noon}, nil, line)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.records.SetAssessment(ctx, id, library.Assessment{Basis: line.Basis, Tier: 2, Facility: receiver, Revision: revision}); err != nil {
		b.t.Fatal(err)
	}
	line.Proof = library.ProofReadBack
	if err := b.records.CompleteDisclosure(ctx, line); err != nil {
		b.t.Fatal(err)
	}
}

// newBureau returns records of two cases that were disclosed, and of one that
// is open.
func newBureau(t *testing.T) *bureau {
	t.Helper()
	b := &bureau{t: t, door: stafftest.NewDoor(t, nil), records: &librarytest.Records{}}
	for _, id := range []library.CaseID{firstCase, secondCase, openCase} {
		b.open(id)
	}
	b.disclose(firstCase)
	b.disclose(secondCase)
	return b
}

func TestVerify(t *testing.T) {
	t.Parallel()
	change := func(n int, f func(*library.Decision)) func(*bureau, *tampered) {
		return func(_ *bureau, r *tampered) {
			r.decisions = func(all []library.Decision) []library.Decision {
				f(&all[n])
				return all
			}
		}
	}
	// replace puts another decision in the place of the first approval.
	replace := func(by func(*bureau) library.Decision) func(*bureau, *tampered) {
		return func(b *bureau, r *tampered) {
			forged := by(b)
			r.decisions = func(all []library.Decision) []library.Decision {
				all[1] = forged
				return all
			}
			r.release = func(rel library.Release) (library.Release, error) {
				rel.Decisions[0] = forged.ID
				return rel, nil
			}
		}
	}
	bothLines := []string{"line 1 (case K7MQ-42XD): an approval", "line 2 (case K7MQ-42XD): an approval"}
	tooFew := []string{"line 1 (case K7MQ-42XD): the approvals behind it are not enough for risk tier 2", "line 2 (case K7MQ-42XD): the approvals behind it are not enough for risk tier 2"}
	tests := map[string]struct {
		harm        func(*bureau, *tampered)
		only        library.CaseID
		disclosures int
		decisions   int
		want        []string // What is wrong, by its beginning.
	}{
		"what was done as it must be is right":  {disclosures: 4, decisions: 6},
		"one case alone":                        {only: secondCase, disclosures: 2, decisions: 3},
		"one case of which nothing was told":    {only: openCase, decisions: 1},
		"a case that is not asked for may fail": {harm: change(1, func(d *library.Decision) { d.Header = "" }), only: secondCase, disclosures: 2, decisions: 3},
		"a decision's payload was changed": {
			harm:        change(0, func(d *library.Decision) { d.Payload = library.Hide(`{"rule":"DL-07","reason":"asked by telephone"}`) }),
			disclosures: 4, decisions: 6, want: []string{"case K7MQ-42XD: acknowledge by u-1: "},
		},
		"an approval's payload was changed": {
			harm:        change(1, func(d *library.Decision) { d.Payload = library.Hide(approval("5e884898")) }),
			disclosures: 4, decisions: 6, want: append([]string{"case K7MQ-42XD: approve by u-1: "}, bothLines...),
		},
		"an approval was put into another's mouth": {
			harm:        change(1, func(d *library.Decision) { d.Actor.Subject = "u-9" }),
			disclosures: 4, decisions: 6, want: append([]string{"case K7MQ-42XD: approve by u-9: the record names another person"}, bothLines...),
		},
		"an approval was counted twice": {
			harm:        change(2, func(d *library.Decision) { d.ID = "another" }),
			disclosures: 4, decisions: 6, want: append([]string{"case K7MQ-42XD: approve by u-2: the record names another person or another statement"}, bothLines...),
		},
		"an approval is missing": {
			harm: func(_ *bureau, r *tampered) {
				r.decisions = func(all []library.Decision) []library.Decision { return all[:2] }
			},
			disclosures: 4, decisions: 5, want: bothLines,
		},
		"a release rests on nothing": {
			harm: func(_ *bureau, r *tampered) {
				r.release = func(rel library.Release) (library.Release, error) {
					rel.Decisions = nil
					return rel, nil
				}
			},
			disclosures: 4, decisions: 6, want: tooFew,
		},
		"one person approved where two must": {
			harm: func(_ *bureau, r *tampered) {
				r.release = func(rel library.Release) (library.Release, error) {
					rel.Decisions = rel.Decisions[1:]
					return rel, nil
				}
			},
			disclosures: 4, decisions: 6, want: tooFew,
		},
		"the second person had chosen": {
			harm: func(b *bureau, r *tampered) {
				chose := b.decided(actor("u-2", library.RoleSpecialist), library.Choose, firstCase, workflows.ReleaseID(firstCase), `{"patient":"p1"}`)
				r.decisions = func(all []library.Decision) []library.Decision { return append([]library.Decision{chose}, all...) }
			},
			disclosures: 4, decisions: 7, want: tooFew,
		},
		"a release rests on what is no approval": {
			harm: replace(func(b *bureau) library.Decision {
				return b.decided(actor("u-1", library.RoleSpecialist), library.Ask, firstCase, workflows.ReleaseID(firstCase), approval(revision))
			}),
			disclosures: 4, decisions: 6, want: bothLines,
		},
		"a release rests on the approval of another revision": {
			harm: replace(func(b *bureau) library.Decision {
				return b.decided(actor("u-1", library.RoleSpecialist), library.Approve, firstCase, workflows.ReleaseID(firstCase), approval("5e884898"))
			}),
			disclosures: 4, decisions: 6, want: bothLines,
		},
		"a release rests on the approval of another case": {
			harm: replace(func(b *bureau) library.Decision {
				return b.decided(actor("u-1", library.RoleSpecialist), library.Approve, firstCase, workflows.ReleaseID(secondCase), approval(revision))
			}),
			disclosures: 4, decisions: 6, want: bothLines,
		},
		"a release rests on somebody who may not approve": {
			harm: replace(func(b *bureau) library.Decision {
				return b.decided(actor("u-1", library.RoleViewer), library.Approve, firstCase, workflows.ReleaseID(firstCase), approval(revision))
			}),
			disclosures: 4, decisions: 6, want: append([]string{"case K7MQ-42XD: approve by u-1: who signed it may not say that"}, bothLines...),
		},
		"a release is missing": {
			harm: func(_ *bureau, r *tampered) {
				r.release = func(rel library.Release) (library.Release, error) {
					return library.Release{}, library.Errorf(library.NotFound, "read release", string(rel.Case), "is not there")
				}
			},
			disclosures: 4, decisions: 6,
			want: []string{"line 1 (case K7MQ-42XD): no release", "line 2 (case K7MQ-42XD): no release"},
		},
		"a line was changed": {
			harm: func(_ *bureau, r *tampered) {
				r.lines = func(all []library.Disclosure) []library.Disclosure {
					all[2].Images = 4
					return all
				}
			},
			disclosures: 4, decisions: 6, want: []string{"verify disclosures B3TW-9H5C: line 3 was changed"},
		},
		"a line was changed in a case that is not asked for": {
			harm: func(_ *bureau, r *tampered) {
				r.lines = func(all []library.Disclosure) []library.Disclosure {
					all[2].Recipient = "Somebody else"
					return all
				}
			},
			only: firstCase, disclosures: 2, decisions: 3, want: []string{"verify disclosures B3TW-9H5C: line 3 was changed"},
		},
		"a line was removed": {
			harm: func(_ *bureau, r *tampered) {
				r.lines = func(all []library.Disclosure) []library.Disclosure { return slices.Delete(all, 1, 2) }
			},
			disclosures: 3, decisions: 6, want: []string{"verify disclosures B3TW-9H5C: line 2 is missing"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBureau(t)
			records := tampered{Records: b.records}
			if tt.harm != nil {
				tt.harm(b, &records)
			}
			report, err := verify(t.Context(), records, verified{b.door.Verifier}, tt.only)
			if err != nil {
				t.Fatal(err)
			}
			if report.Disclosures != tt.disclosures || report.Decisions != tt.decisions {
				t.Errorf("%d disclosures and %d decisions verified, want %d and %d", report.Disclosures, report.Decisions, tt.disclosures, tt.decisions)
			}
			if !slices.EqualFunc(report.Wrong, tt.want, strings.HasPrefix) {
				t.Errorf("wrong are\n%q, want\n%q", report.Wrong, tt.want)
			}
		})
	}
}

func TestVerifyFails(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"Disclosures", "Decisions", "Release"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			b, down := newBureau(t), errors.New("the database is down")
			b.records.Fail = func(m string) error {
				if m == method {
					return down
				}
				return nil
			}
			if _, err := verify(t.Context(), b.records, verified{b.door.Verifier}, ""); !errors.Is(err, down) {
				t.Errorf("error %v, want %v", err, down)
			}
		})
	}
	t.Run("a case that is not there", func(t *testing.T) {
		t.Parallel()
		b := newBureau(t)
		if _, err := verify(t.Context(), b.records, verified{b.door.Verifier}, "X2YW-3456"); library.KindOf(err) != library.NotFound {
			t.Errorf("error %v, want not found", err)
		}
	})
}

func TestVerifyReport(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		report verifyReport
		json   bool
		out    string
		exit   error
	}{
		"all is right":          {report: verifyReport{Disclosures: 4, Decisions: 6, Wrong: []string{}}, out: "4 lines of disclosure and 6 signed decisions verified, 0 things wrong.\n"},
		"something is wrong":    {report: verifyReport{Disclosures: 1, Wrong: []string{"line 1"}}, out: "WRONG: line 1\n1 lines of disclosure and 0 signed decisions verified, 1 things wrong.\n", exit: exitCode(1)},
		"as JSON":               {report: verifyReport{Disclosures: 4, Decisions: 6, Wrong: []string{}}, json: true, out: `{"disclosures":4,"decisions":6,"wrong":[]}` + "\n"},
		"wrong as JSON as well": {report: verifyReport{Wrong: []string{"line 1"}}, json: true, out: `{"disclosures":0,"decisions":0,"wrong":["line 1"]}` + "\n", exit: exitCode(1)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := tt.report.print(console{out: &out}, tt.json)
			if !errors.Is(err, tt.exit) {
				t.Errorf("error %v, want %v", err, tt.exit)
			}
			if out.String() != tt.out {
				t.Errorf("prints %q, want %q", out.String(), tt.out)
			}
			if tt.json && !json.Valid(out.Bytes()) {
				t.Errorf("prints no JSON: %q", out.String())
			}
		})
	}
}
