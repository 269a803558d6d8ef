package rules_test

import (
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/matching"
	"fileroom/internal/rules"
)

// demonstrate takes a letter through matching and checks as an activity does,
// with what the demonstration's PACS holds: two patients of one name and birth
// date, and three studies of the first.
func demonstrate(t *testing.T, reading library.Reading, choices library.Choices) (rules.Facts, []library.Finding) {
	t.Helper()
	found := []library.PatientRecord{
		{ID: "D2204518", Issuer: "HOSP", Name: "WHITCOMBE^ELEANOR^RUTH", BirthDate: "1958-04-17", Sex: "F"},
		{ID: "D1093347", Issuer: "HOSP", Name: "WHITCOMBE^ELEANOR^RUTH", BirthDate: "1958-04-17", Sex: "F"},
	}
	held := []library.StudyRecord{
		{UID: "2.25.1", Date: "2026-02-12", Modalities: []string{"CT"}, Description: "CT CHEST W CONTRAST", Instances: 200},
		{UID: "2.25.2", Date: "2026-01-28", Modalities: []string{"MR"}, Description: "MR BRAIN WO CONTRAST", Instances: 20},
		{UID: "2.25.3", Date: "2025-11-04", Modalities: []string{"DX"}, Description: "XR CHEST 2 VIEWS", Instances: 2},
	}
	f := facts()
	f.Reading = reading
	withDirectory(&f, clinic())
	f.Basis, _, _ = rules.SuggestBasis(reading, f.Facility)

	match := library.Match{Patients: matching.RankPatients(reading.Request.Patient, found, choices)}
	if _, ok := match.ChosenPatient(); ok {
		match.Studies = matching.RankStudies(reading.Request.Studies, held, choices)
	}
	var listed []library.Instance
	for _, s := range match.ChosenStudies() {
		listed = append(listed, images(s.UID, s.Instances)...)
	}
	f.Match = matching.Assemble(match.Patients, match.Studies, listed)
	return f, load(t).Check(f)
}

func severityOf(findings []library.Finding, rule string) library.Severity {
	for _, f := range findings {
		if f.Rule == rule {
			return f.Severity
		}
	}
	return pass
}

func TestTheSampleLetterNeedsOneApproval(t *testing.T) {
	t.Parallel()
	reading := letter()
	reading.Request.Studies = append(reading.Request.Studies, library.StudyRequest{Modality: "DX", BodyPart: "chest", Date: "2025-11-04"})
	f, findings := demonstrate(t, reading, library.Choices{})
	if f.Basis != library.BasisTreatment {
		t.Errorf("basis %s, want LB-3", f.Basis)
	}
	if open := library.OpenRules(findings); len(open) > 0 {
		t.Errorf("open rules %+v, want none", open)
	}
	if got := severityOf(findings, "PM-02"); got != advise {
		t.Errorf("PM-02 %q: the record number is the recorded tie-breaker, want ADVISE", got)
	}
	if tier := rules.TierOf(f, findings); tier != 1 || tier.Approvals() != 1 {
		t.Errorf("tier %d, want 1", tier)
	}
	if p, _ := f.Match.ChosenPatient(); p.Record.Reveal().ID != "D1093347" {
		t.Error("the patient chosen is not the one of the letter's record number")
	}
	if n := len(f.Match.Manifest); n != 222 {
		t.Errorf("%d images in the manifest, want 222", n)
	}
}

func TestTheSampleLetterWithoutItsNumberNeedsTwoPeople(t *testing.T) {
	t.Parallel()
	reading := letter()
	reading.Request.Patient.MRN = ""
	f, findings := demonstrate(t, reading, library.Choices{})
	if _, ok := f.Match.ChosenPatient(); ok {
		t.Error("the program chose between two patients alike")
	}
	if severityOf(findings, "PM-01") != block || severityOf(findings, "PM-02") != human || severityOf(findings, "DL-03") != advise {
		t.Errorf("findings %+v, want PM-01 BLOCK, PM-02 HUMAN and DL-03 no more than ADVISE", findings)
	}
	if tier := rules.TierOf(f, findings); tier != 2 {
		t.Errorf("tier %d, want 2", tier)
	}

	// Staff choose: nothing blocks any more, and it still takes two.
	f, findings = demonstrate(t, reading, library.Choices{Patient: "D1093347", Issuer: "HOSP", By: []string{"clerk-1"}})
	if severityOf(findings, "PM-01") != pass || severityOf(findings, "PM-02") != human {
		t.Errorf("findings %+v, want no PM-01, and PM-02 HUMAN", findings)
	}
	if tier := rules.TierOf(f, findings); tier != 2 {
		t.Errorf("tier %d once staff chose, want 2", tier)
	}
}
