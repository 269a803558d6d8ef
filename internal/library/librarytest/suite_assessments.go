package librarytest

import (
	"testing"

	"fileroom/internal/library"
)

var assessmentTests = map[string]func(*testing.T, library.Records){
	"an assessment replaces the one before":                          testSetAssessment,
	"acknowledgements outlive an assessment":                         testAcknowledgementsKept,
	"an acknowledgement goes when what the finding is about changes": testAcknowledgementOfAnother,
	"an acknowledgement is for every open finding":                   testAcknowledge,
	"an assessment that no record may hold is invalid":               testAssessmentInvalid,
	"a match comes back with its private values":                     testMatch,
	"a match with two chosen patients is invalid":                    testMatchTwoChosen,
	"choices come back and are replaced":                             testChoices,
	"what a caller changes afterwards is not on record":              testCopies,
}

func aFinding(rule, field, why string) library.Finding {
	return library.Finding{
		Rule: rule, Title: "Signed by the patient", Citation: "45 CFR 164.508(c)(1)(vi)", Severity: library.Human,
		Why: why, Ask: "a signature", Field: field, Page: 2, Box: &library.Box{X: 0.1, Y: 0.25, W: 1.0 / 3, H: 1e-7},
		Confidence: 0.1 + 0.2, Pack: "duke 1", Overridable: true, About: "0123456789abcdef",
	}
}

func testSetAssessment(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	got, err := s.Findings(t.Context(), c.ID)
	wantSame(t, "Findings before any", must(t, len(got), err), 0)
	bare := library.Finding{Rule: "DL-01", Severity: library.Block}
	assessments := []library.Assessment{
		{Basis: library.BasisAccess, Tier: 3, Facility: "pine-hill", Revision: "rev-1", Findings: []library.Finding{
			aFinding("DL-05", "signature", "the name \"O'Brien\" \\ is not the patient's"), bare, bare, aFinding("DL-02", "", "none"),
		}},
		{Basis: library.BasisTreatment, Tier: 1, Facility: "blue-ridge", Revision: "rev-2", Findings: []library.Finding{bare}},
		{},
	}
	for _, severity := range severities {
		assessments[0].Findings = append(assessments[0].Findings, library.Finding{Rule: "IN-04", Severity: severity})
	}
	for _, basis := range bases {
		assessments = append(assessments, library.Assessment{Basis: basis})
	}
	for _, a := range assessments {
		twice(t, func() error { return s.SetAssessment(t.Context(), c.ID, a) })
		findings, err := s.Findings(t.Context(), c.ID)
		wantSame(t, "Findings", must(t, findings, err), a.Findings)
		now, err := s.Case(t.Context(), c.ID)
		need(t, err)
		wantSame(t, "Case", see(now), see(func() library.Case {
			want := c
			want.Basis, want.Tier, want.Facility, want.Revision = a.Basis, a.Tier, a.Facility, a.Revision
			return want
		}()))
	}
}

func testAcknowledgementsKept(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	same, changed, moved := aFinding("DL-02", "a", "why"), aFinding("DL-05", "a", "why"), aFinding("DL-06", "a", "why")
	set := func(findings ...library.Finding) {
		t.Helper()
		twice(t, func() error { return s.SetAssessment(t.Context(), c.ID, library.Assessment{Findings: findings}) })
	}
	set(same, changed, moved)
	ack := library.Acknowledge{By: "u-17", Reason: "asked on the telephone"}
	for _, f := range []library.Finding{same, changed, moved} {
		need(t, s.AcknowledgeFinding(t.Context(), c.ID, f.Rule, ack))
	}
	changed.Why, moved.Field = "another reason", "b"
	same.Page, same.Title = 3, "Signed"        // Neither makes it another finding.
	same.Acknowledged = &library.Acknowledge{} // Nobody's word but that of AcknowledgeFinding.
	fresh := aFinding("DL-07", "a", "why")
	fresh.Acknowledged = &ack
	set(fresh, moved, same, changed)

	got, err := s.Findings(t.Context(), c.ID)
	need(t, err)
	fresh.Acknowledged, same.Acknowledged = nil, &ack
	wantSame(t, "Findings", got, []library.Finding{fresh, moved, same, changed})

	set()
	set(same)
	got, err = s.Findings(t.Context(), c.ID)
	if must(t, got, err); got[0].Acknowledged != nil {
		t.Error("a finding that had gone came back acknowledged")
	}
}

// testAcknowledgementOfAnother says of the patient first chosen what must not be
// taken for a word about the second: in all that is shown the findings are one.
func testAcknowledgementOfAnother(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	ack := library.Acknowledge{By: "u-17", Reason: "asked on the telephone"}
	first, papers := aFinding("PM-01", "patient", "why"), aFinding("DL-08", "signature.name", "why")
	first.Severity, papers.About = library.Block, ""
	second, unsaid := first, first
	second.About, unsaid.About = "fedcba9876543210", ""

	set := func(now library.Finding) []library.Finding {
		t.Helper()
		twice(t, func() error {
			return s.SetAssessment(t.Context(), c.ID, library.Assessment{Findings: []library.Finding{now, papers}})
		})
		got, err := s.Findings(t.Context(), c.ID)
		return must(t, got, err)
	}
	kept := papers
	kept.Acknowledged = &ack
	for name, other := range map[string]library.Finding{"another": second, "nothing": unsaid} {
		set(first)
		for _, f := range []library.Finding{first, papers} {
			need(t, s.AcknowledgeFinding(t.Context(), c.ID, f.Rule, ack))
		}
		same := first
		same.Acknowledged = &ack
		wantSame(t, "Findings about the same", set(first), []library.Finding{same, kept})
		wantSame(t, "Findings about "+name, set(other), []library.Finding{other, kept})
		wantSame(t, "Findings about the first again", set(first), []library.Finding{first, kept})
	}
}

func testAcknowledge(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	note := aFinding("DL-02", "c", "why")
	note.Severity = library.Advise
	need(t, s.SetAssessment(t.Context(), c.ID, library.Assessment{Findings: []library.Finding{
		aFinding("DL-02", "a", "why"), aFinding("DL-02", "b", "why"), note, aFinding("DL-05", "a", "why"),
	}}))
	first := library.Acknowledge{By: "u-17", Reason: "asked on the telephone"}
	twice(t, func() error { return s.AcknowledgeFinding(t.Context(), c.ID, "DL-02", first) })
	need(t, s.AcknowledgeFinding(t.Context(), c.ID, "DL-02", library.Acknowledge{By: "u-99", Reason: "too late"}))
	wantKind(t, "AcknowledgeFinding of no finding", s.AcknowledgeFinding(t.Context(), c.ID, "DL-09", first), library.NotFound)

	got, err := s.Findings(t.Context(), c.ID)
	need(t, err)
	for i, want := range []*library.Acknowledge{&first, &first, nil, nil} {
		wantSame(t, "acknowledgement of "+got[i].Rule+" "+got[i].Field, got[i].Acknowledged, want)
	}
}

func testAssessmentInvalid(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	good := library.Assessment{Revision: "rev-1", Findings: []library.Finding{aFinding("DL-02", "a", "why")}}
	need(t, s.SetAssessment(t.Context(), c.ID, good))
	mild := aFinding("DL-02", "a", "why")
	mild.Severity = "MILD"
	for name, a := range map[string]library.Assessment{
		"an unknown basis":    {Basis: "LB-9"},
		"a tier above 3":      {Tier: 4},
		"an unknown severity": {Findings: []library.Finding{mild}},
		"no rule":             {Findings: []library.Finding{aFinding("", "a", "why")}},
	} {
		wantKind(t, "SetAssessment with "+name, s.SetAssessment(t.Context(), c.ID, a), library.Invalid)
	}
	got, err := s.Findings(t.Context(), c.ID)
	wantSame(t, "Findings after", must(t, got, err), good.Findings)
}

func aMatch() library.Match {
	reasons := []library.Reason{{Code: library.ReasonMRN}, {Code: library.ReasonName, Against: true}}
	return library.Match{
		Patients: []library.PatientCandidate{
			{
				Key: "p1", Reasons: reasons, Chosen: true, By: "program",
				Record: library.Hide(library.PatientRecord{ID: "M1", Issuer: "GENERAL", Name: "OKAFOR^JUNE", BirthDate: "1961-05-04", Sex: "F"}),
			},
			{Key: "p2", Record: library.Hide(library.PatientRecord{ID: "M2", Name: "OKAFOR^JÚNE"})},
		},
		Studies: []library.StudyCandidate{
			{
				UID: "2.25.1", Item: 0, Date: "2026-01-09", Modalities: []string{"CT", "SR"}, Description: library.Hide("CT CHEST W/ \"CONTRAST\""),
				Accession: library.Hide("A-001"), Instances: 200, Reasons: reasons, Chosen: true, By: "u-17",
			},
			{UID: "2.25.2", Item: -1},
		},
		Manifest: uids(5),
	}
}

// seenMatch is a match with nothing hidden.
type seenMatch struct {
	Match   library.Match
	Records []library.PatientRecord
	Studies [][2]string
}

func seeMatch(m library.Match) seenMatch {
	seen := seenMatch{Match: copiedMatch(m)}
	for i, p := range seen.Match.Patients {
		seen.Records = append(seen.Records, p.Record.Reveal())
		seen.Match.Patients[i].Record = library.Private[library.PatientRecord]{}
	}
	for i, st := range seen.Match.Studies {
		seen.Studies = append(seen.Studies, [2]string{st.Description.Reveal(), st.Accession.Reveal()})
		seen.Match.Studies[i].Description, seen.Match.Studies[i].Accession = library.Private[string]{}, library.Private[string]{}
	}
	return seen
}

func testMatch(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	got, err := s.Match(t.Context(), c.ID)
	wantSame(t, "Match before any", must(t, got, err), library.Match{})
	smaller := aMatch()
	smaller.Patients, smaller.Studies, smaller.Manifest = smaller.Patients[:1], nil, smaller.Manifest[2:3]
	for _, m := range []library.Match{aMatch(), smaller, {Manifest: uids(3000)}, {}} {
		twice(t, func() error { return s.SetMatch(t.Context(), c.ID, m) })
		got, err := s.Match(t.Context(), c.ID)
		wantSame(t, "Match", seeMatch(must(t, got, err)), seeMatch(m))
	}
}

func testMatchTwoChosen(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	need(t, s.SetMatch(t.Context(), c.ID, aMatch()))
	m := aMatch()
	m.Patients[1].Chosen = true
	wantKind(t, "SetMatch", s.SetMatch(t.Context(), c.ID, m), library.Invalid)
	got, err := s.Match(t.Context(), c.ID)
	wantSame(t, "Match after", seeMatch(must(t, got, err)), seeMatch(aMatch()))
}

func testChoices(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	got, err := s.Choices(t.Context(), c.ID)
	wantSame(t, "Choices before any", must(t, got, err), library.Choices{})
	all := library.Choices{
		Patient: "M1", Issuer: "GENERAL", Studies: []string{"2.25.2", "2.25.1"}, Facility: "blue-ridge", Basis: library.BasisTreatment,
		Corrections: map[string]string{"patient.birth_date": "1961-05-04", "patient.family": "O'Brien \"\\\""}, By: []string{"u-17", "u-4"},
	}
	for _, want := range []library.Choices{all, {Patient: "M2"}, {}} {
		twice(t, func() error { return s.SetChoices(t.Context(), c.ID, want) })
		got, err := s.Choices(t.Context(), c.ID)
		wantSame(t, "Choices", must(t, got, err), want)
	}
	wantKind(t, "SetChoices with an unknown basis", s.SetChoices(t.Context(), c.ID, library.Choices{Basis: "LB-9"}), library.Invalid)
	// They outlive a new match.
	need(t, s.SetChoices(t.Context(), c.ID, all))
	need(t, s.SetMatch(t.Context(), c.ID, aMatch()))
	got, err = s.Choices(t.Context(), c.ID)
	wantSame(t, "Choices after a new match", must(t, got, err), all)
}

func testCopies(t *testing.T, s library.Records) {
	c := open(t, s, "m-1")
	m, want := aMatch(), seeMatch(aMatch())
	need(t, s.SetMatch(t.Context(), c.ID, m))
	spoil := func(m library.Match) {
		m.Patients[0].Reasons[0].Against = true
		m.Patients[1].Key = "changed"
		m.Studies[0].Modalities[0] = "XX"
		m.Manifest[0].SOP = "0"
	}
	spoil(m)
	for range 2 {
		got, err := s.Match(t.Context(), c.ID)
		wantSame(t, "Match", seeMatch(must(t, got, err)), want)
		spoil(got)
	}

	f := aFinding("DL-02", "a", "why")
	findings := []library.Finding{f}
	findings[0].Box = &library.Box{X: 0.5}
	need(t, s.SetAssessment(t.Context(), c.ID, library.Assessment{Findings: findings}))
	findings[0].Box.X, findings[0].Rule = 0.9, "changed"
	for range 2 {
		got, err := s.Findings(t.Context(), c.ID)
		if must(t, got, err); got[0].Box.X != 0.5 || got[0].Rule != "DL-02" {
			t.Errorf("Findings = %+v, want what was set", got)
		}
		got[0].Box.X = 0.9
	}

	choices := library.Choices{Studies: []string{"1"}, Corrections: map[string]string{"a": "b"}}
	need(t, s.SetChoices(t.Context(), c.ID, choices))
	choices.Studies[0], choices.Corrections["a"] = "2", "c"
	got, err := s.Choices(t.Context(), c.ID)
	wantSame(t, "Choices", must(t, got, err), library.Choices{Studies: []string{"1"}, Corrections: map[string]string{"a": "b"}})
}
