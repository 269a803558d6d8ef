package librarytest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"fileroom/internal/library"
)

var releaseTests = map[string]func(*testing.T, library.Records){
	"a release is opened once":                        testOpenRelease,
	"a release opened by many at once is one":         testOpenReleaseConcurrently,
	"a release rests on approvals of its revision":    testReleaseDecisions,
	"nothing is released from a closed case":          testReleaseClosed,
	"a release that no record may hold is invalid":    testReleaseInvalid,
	"images of a release are marked":                  testMarkInstances,
	"a mark for a stranger's image marks none":        testMarkUnknown,
	"a disclosure is completed once":                  testCompleteDisclosure,
	"disclosures of interleaved cases are one chain":  testChain,
	"disclosures written by many at once are a chain": testChainConcurrently,
}

const (
	revision = library.Revision("9f86d081")
	facility = library.FacilityID("blue-ridge")
)

// decided opens a case with an approval of revision, whose ID it returns.
func decided(t *testing.T, s library.Records, key string) (library.Case, string) {
	t.Helper()
	c := open(t, s, key)
	id := "n-" + string(c.ID)
	need(t, s.AddDecision(t.Context(), approval(c, id, revision)))
	return c, id
}

func aRelease(c library.Case, decisions ...string) library.Release {
	return library.Release{Case: c.ID, Revision: revision, Facility: facility, Decisions: decisions, At: noon.Add(2 * time.Hour)}
}

func aDisclosure(c library.Case) library.Disclosure {
	return library.Disclosure{
		Case: c.ID, Revision: revision, Facility: facility, At: noon.Add(2 * time.Hour),
		Patient: library.Hide(library.Patient{
			Given: "Júne", Family: "O'Kafor <&> \u2028", BirthDate: "1961-05-04", MRN: "M1", Address: "1 \"Main\" \\u0000 St\r\n",
		}),
		Recipient: "Blue Ridge Orthopedics, 12 Ridge Rd", Description: "CT of 2026-01-09, 5 images", Purpose: "continuing care",
		Basis: library.BasisTreatment, Accountable: true, Images: 5, Proof: library.ProofNone,
	}
}

func testOpenRelease(t *testing.T, s library.Records) {
	c, approved := decided(t, s, "m-1")
	need(t, s.AddDecision(t.Context(), approval(c, "n-0", revision)))
	_, err := s.Release(t.Context(), c.ID, revision, facility)
	wantKind(t, "Release before it was opened", err, library.NotFound)

	want := aRelease(c, approved, "n-0") // In their order, which is not that of their names.
	want.At = instant(want.At)
	manifest := uids(5)
	for range 2 {
		got, err := s.OpenRelease(t.Context(), aRelease(c, approved, "n-0"), manifest, aDisclosure(c))
		wantSame(t, "OpenRelease", must(t, got, err), want)
	}
	later := aRelease(c, approved)
	later.At = noon.Add(9 * time.Hour)
	got, err := s.OpenRelease(t.Context(), later, uids(9), library.Disclosure{}) // The first is what counts.
	wantSame(t, "OpenRelease again", must(t, got, err), want)
	got, err = s.Release(t.Context(), c.ID, revision, facility)
	wantSame(t, "Release", must(t, got, err), want)
	for name, unopened := range map[string]func() error{
		"another revision": func() error { _, err := s.Release(t.Context(), c.ID, "other", facility); return err },
		"another facility": func() error { _, err := s.Release(t.Context(), c.ID, revision, "other"); return err },
	} {
		wantKind(t, "Release of "+name, unopened(), library.NotFound)
	}

	images, err := s.TransferInstances(t.Context(), c.ID, revision, facility)
	need(t, err)
	var sops []string
	for _, in := range images {
		sops = append(sops, in.SOP)
		wantSame(t, "image", in, library.TransferInstance{Instance: in.Instance, State: library.InstancePending})
	}
	wantSame(t, "images by study, series and SOP UID", sops,
		[]string{"2.25.1.1.2", "2.25.1.1.4", "2.25.1.2.1", "2.25.1.2.3", "2.25.1.2.5"})

	lines, err := s.Disclosures(t.Context(), c.ID)
	if must(t, lines, err); len(lines) != 1 || lines[0].Kind != library.DisclosureIntended {
		t.Fatalf("Disclosures = %+v, want one that is intended", lines)
	}
	wantSame(t, "patient of the disclosure", lines[0].Patient.Reveal(), aDisclosure(c).Patient.Reveal())
	wantSame(t, "events", keys(t, s, c.ID), []string{
		"opened", "decision/" + approved, "decision/n-0", "release/9f86d081/blue-ridge",
	})
}

func testOpenReleaseConcurrently(t *testing.T, s library.Records) {
	c, approved := decided(t, s, "m-1")
	var group sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		group.Go(func() {
			_, errs[i] = s.OpenRelease(t.Context(), aRelease(c, approved), uids(5), aDisclosure(c))
		})
	}
	group.Wait()
	for _, err := range errs {
		need(t, err)
	}
	lines, err := s.Disclosures(t.Context(), "")
	wantSame(t, "number of disclosures", must(t, len(lines), err), 1)
}

func testReleaseDecisions(t *testing.T, s library.Records) {
	c, approved := decided(t, s, "m-1")
	_, elsewhere := decided(t, s, "m-2")
	need(t, s.AddDecision(t.Context(), approval(c, "n-old", "an older revision")))
	for name, ids := range map[string][]string{
		"that nobody took":    {approved, "n-none"},
		"of another case":     {elsewhere},
		"of another revision": {"n-old"},
	} {
		_, err := s.OpenRelease(t.Context(), aRelease(c, ids...), uids(5), aDisclosure(c))
		wantKind(t, "OpenRelease on a decision "+name, err, library.NotFound)
	}
	_, err := s.OpenRelease(t.Context(), aRelease(c), uids(5), aDisclosure(c))
	wantKind(t, "OpenRelease on no decision", err, library.Invalid)
	_, err = s.Release(t.Context(), c.ID, revision, facility)
	wantKind(t, "Release", err, library.NotFound)
	lines, err := s.Disclosures(t.Context(), "")
	wantSame(t, "number of disclosures", must(t, len(lines), err), 0)
}

func testReleaseClosed(t *testing.T, s library.Records) {
	c, approved := decided(t, s, "m-1")
	need(t, s.MoveCase(t.Context(), c.ID, library.StageClosed, library.WaitingNobody, library.OutcomeWithdrawn, noon))
	_, err := s.OpenRelease(t.Context(), aRelease(c, approved), uids(5), aDisclosure(c))
	wantKind(t, "OpenRelease", err, library.Conflict)
	lines, err := s.Disclosures(t.Context(), c.ID)
	wantSame(t, "number of disclosures", must(t, len(lines), err), 0)
}

func testReleaseInvalid(t *testing.T, s library.Records) {
	c, approved := decided(t, s, "m-1")
	twin := append(uids(2), uids(1)...)
	_, err := s.OpenRelease(t.Context(), aRelease(c, approved), twin, aDisclosure(c))
	wantKind(t, "OpenRelease with an image twice", err, library.Invalid)
	nowhere := aRelease(c, approved)
	nowhere.Facility = ""
	_, err = s.OpenRelease(t.Context(), nowhere, uids(2), aDisclosure(c))
	wantKind(t, "OpenRelease to nowhere", err, library.Invalid)
	baseless := aDisclosure(c)
	baseless.Basis = "LB-9"
	_, err = s.OpenRelease(t.Context(), aRelease(c, approved), uids(2), baseless)
	wantKind(t, "OpenRelease with an unknown basis", err, library.Invalid)
	_, err = s.Release(t.Context(), c.ID, revision, facility)
	wantKind(t, "Release", err, library.NotFound)
}

// released opens a release of n images.
func released(t *testing.T, s library.Records, key string, n int) library.Case {
	t.Helper()
	c, approved := decided(t, s, key)
	_, err := s.OpenRelease(t.Context(), aRelease(c, approved), uids(n), aDisclosure(c))
	need(t, err)
	return c
}

func testMarkInstances(t *testing.T, s library.Records) {
	c := released(t, s, "m-1", len(instanceStates))
	images, err := s.TransferInstances(t.Context(), c.ID, revision, facility)
	need(t, err)
	var marks []library.InstanceMark
	for i, state := range instanceStates { // Every state, and as many proofs.
		in := &images[i]
		in.State, in.Digest, in.Code, in.Proof, in.Sends = state, fmt.Sprintf("d%d", i), "A700", proofs[i%len(proofs)], 2
		marks = append(marks,
			library.InstanceMark{SOP: in.SOP, State: library.InstanceSent, Digest: "first", Sends: 1},
			library.InstanceMark{SOP: in.SOP, State: in.State, Digest: in.Digest, Code: in.Code, Proof: in.Proof, Sends: 1})
	}
	need(t, s.MarkInstances(t.Context(), c.ID, revision, facility, marks))
	got, err := s.TransferInstances(t.Context(), c.ID, revision, facility)
	wantSame(t, "TransferInstances", must(t, got, err), images)

	// Empty values leave what is there.
	twice(t, func() error {
		return s.MarkInstances(t.Context(), c.ID, revision, facility, []library.InstanceMark{{SOP: images[0].SOP}})
	})
	twice(t, func() error { return s.MarkInstances(t.Context(), c.ID, revision, facility, nil) })
	need(t, s.MarkInstances(t.Context(), c.ID, revision, facility, []library.InstanceMark{{SOP: images[1].SOP, Sends: 3}}))
	images[1].Sends += 3
	got, err = s.TransferInstances(t.Context(), c.ID, revision, facility)
	wantSame(t, "TransferInstances", must(t, got, err), images)
}

func testMarkUnknown(t *testing.T, s library.Records) {
	c, other := released(t, s, "m-1", 2), released(t, s, "m-2", 3)
	images, err := s.TransferInstances(t.Context(), c.ID, revision, facility)
	need(t, err)
	sent := library.InstanceMark{SOP: images[0].SOP, State: library.InstanceSent, Sends: 1}
	strange := library.InstanceMark{SOP: "2.25.1.2.3", State: library.InstanceSent} // Of the other release alone.
	wantKind(t, "MarkInstances", s.MarkInstances(t.Context(), c.ID, revision, facility, []library.InstanceMark{sent, strange}), library.NotFound)
	sent.State = "lost"
	wantKind(t, "MarkInstances with an unknown state", s.MarkInstances(t.Context(), c.ID, revision, facility, []library.InstanceMark{sent}), library.Invalid)
	got, err := s.TransferInstances(t.Context(), c.ID, revision, facility)
	wantSame(t, "TransferInstances", must(t, got, err), images)
	_, err = s.TransferInstances(t.Context(), other.ID, "other", facility)
	wantKind(t, "TransferInstances of no release", err, library.NotFound)
	wantKind(t, "MarkInstances of no release", s.MarkInstances(t.Context(), other.ID, "other", facility, nil), library.NotFound)
}

func testCompleteDisclosure(t *testing.T, s library.Records) {
	c := open(t, s, "m-0")
	wantKind(t, "CompleteDisclosure of what was never released", s.CompleteDisclosure(t.Context(), aDisclosure(c)), library.NotFound)

	c = released(t, s, "m-1", 5)
	d := aDisclosure(c)
	d.Proof = library.ProofReadBack
	twice(t, func() error { return s.CompleteDisclosure(t.Context(), d) })
	d.Images = 99
	need(t, s.CompleteDisclosure(t.Context(), d)) // The first is what counts.
	lines, err := s.Disclosures(t.Context(), c.ID)
	if must(t, lines, err); len(lines) != 2 {
		t.Fatalf("%d disclosures, want 2", len(lines))
	}
	got := lines[1]
	wantSame(t, "patient", got.Patient.Reveal(), d.Patient.Reveal())
	want := d
	want.Seq, want.Kind, want.Images, want.At, want.Prev, want.Hash = 2, library.DisclosureCompleted, 5, instant(d.At), lines[0].Hash, got.Hash
	want.Patient, got.Patient = library.Private[library.Patient]{}, library.Private[library.Patient]{}
	wantSame(t, "completed disclosure", got, want)
	events := keys(t, s, c.ID)
	wantSame(t, "last event", events[len(events)-1], "disclosure/9f86d081/blue-ridge")
	wantSame(t, "number of events", len(events), 4)
}

// wantChain checks that the lines of all cases are a chain of n.
func wantChain(t *testing.T, s library.Records, n int) []library.Disclosure {
	t.Helper()
	lines, err := s.Disclosures(t.Context(), "")
	if must(t, lines, err); len(lines) != n {
		t.Fatalf("%d disclosures, want %d", len(lines), n)
	}
	need(t, library.VerifyChain(lines))
	return lines
}

func testChain(t *testing.T, s library.Records) {
	first, second := released(t, s, "m-1", 5), released(t, s, "m-2", 5)
	need(t, s.CompleteDisclosure(t.Context(), aDisclosure(second)))
	third := released(t, s, "m-3", 5)
	need(t, s.CompleteDisclosure(t.Context(), aDisclosure(first)))
	need(t, s.CompleteDisclosure(t.Context(), aDisclosure(third)))

	lines := wantChain(t, s, 6)
	var order []library.CaseID
	for _, d := range lines {
		order = append(order, d.Case)
	}
	wantSame(t, "order", order, []library.CaseID{first.ID, second.ID, second.ID, third.ID, first.ID, third.ID})
	own, err := s.Disclosures(t.Context(), first.ID)
	if must(t, own, err); len(own) != 2 || own[0].Seq != 1 || own[1].Seq != 5 {
		t.Errorf("Disclosures of one case = %+v, want lines 1 and 5", own)
	}
	// The chain can be found broken at all.
	lines[2].Images++
	wantKind(t, "VerifyChain of a changed line", library.VerifyChain(lines), library.Invalid)
}

func testChainConcurrently(t *testing.T, s library.Records) {
	const n = 12
	cases, approvals := make([]library.Case, n), make([]string, n)
	for i := range cases {
		cases[i], approvals[i] = decided(t, s, fmt.Sprintf("m-%d", i))
	}
	var group sync.WaitGroup
	errs := make([]error, n)
	for i, c := range cases {
		group.Go(func() {
			if _, errs[i] = s.OpenRelease(t.Context(), aRelease(c, approvals[i]), uids(5), aDisclosure(c)); errs[i] == nil {
				errs[i] = s.CompleteDisclosure(t.Context(), aDisclosure(c))
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		need(t, err)
	}
	wantChain(t, s, 2*n)
}
