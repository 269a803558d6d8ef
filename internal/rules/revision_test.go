package rules_test

import (
	"regexp"
	"slices"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/rules"
)

// An approval is everything that a revision is made of.
type approval struct {
	patient  library.PatientRecord
	manifest []library.Instance
	facility library.Facility
	papers   []string
	pack     string
	choices  library.Choices
}

func (a approval) revision() library.Revision {
	return rules.Revision(a.patient, a.manifest, a.facility, a.papers, a.pack, a.choices)
}

func plainApproval() approval {
	return approval{
		patient:  library.PatientRecord{ID: "D1093347", Issuer: "HOSP", Name: "WHITCOMBE^ELEANOR^RUTH", BirthDate: "1958-04-17", Sex: "F"},
		manifest: append(images("2.25.1", 3), images("2.25.2", 2)...),
		facility: clinic(), papers: []string{"aa", "bb"}, pack: "base 2026.1 00000000",
		choices: library.Choices{
			Patient: "D1093347", Issuer: "HOSP", Studies: []string{"2.25.1", "2.25.2"}, Facility: "blue-ridge", Basis: "LB-3",
			Corrections: map[string]string{"patient.mrn": "D1093347", "purpose": "continuing-care"}, By: []string{"clerk-1"},
		},
	}
}

func TestRevisionChangesWithEverythingApproved(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*approval){
		"another patient":          func(a *approval) { a.patient.ID = "D2204518" },
		"another issuer":           func(a *approval) { a.patient.Issuer = "OTHER" },
		"another name":             func(a *approval) { a.patient.Name = "WHITCOMBE^ELEANOR" },
		"another birth date":       func(a *approval) { a.patient.BirthDate = "1958-04-18" },
		"another sex":              func(a *approval) { a.patient.Sex = "M" },
		"an image more":            func(a *approval) { a.manifest = append(a.manifest, images("2.25.3", 1)...) },
		"an image less":            func(a *approval) { a.manifest = a.manifest[1:] },
		"an image of another kind": func(a *approval) { a.manifest[0].Class = "1.2.840.10008.5.1.4.1.1.7" },
		"another destination":      func(a *approval) { a.facility.ID = "elsewhere" },
		"another address of it":    func(a *approval) { a.facility.URL = "https://elsewhere.example/dicom-web" },
		"another proof of it":      func(a *approval) { a.facility.Proof = library.ProofNone },
		"a paper more":             func(a *approval) { a.papers = append(a.papers, "cc") },
		"another paper":            func(a *approval) { a.papers[1] = "cc" },
		"another pack":             func(a *approval) { a.pack = "base 2026.2 00000000" },
		"another patient chosen":   func(a *approval) { a.choices.Patient = "D2204518" },
		"another issuer chosen":    func(a *approval) { a.choices.Issuer = "" },
		"another study chosen":     func(a *approval) { a.choices.Studies[0] = "2.25.9" },
		"another facility chosen":  func(a *approval) { a.choices.Facility = "" },
		"another basis":            func(a *approval) { a.choices.Basis = "LB-2" },
		"another correction":       func(a *approval) { a.choices.Corrections["purpose"] = "personal" },
		"a correction more":        func(a *approval) { a.choices.Corrections["delivery"] = "cd" },
		"words moved between two fields": func(a *approval) {
			a.patient.ID, a.patient.Issuer = "D1093347HOSP", ""
		},
	}
	want := plainApproval().revision()
	if !regexp.MustCompile(`^[0-9a-f]{20}$`).MatchString(string(want)) {
		t.Errorf("revision %q, want 20 hexadecimal digits", want)
	}
	seen := map[library.Revision]string{want: "the plain one"}
	for name, change := range tests {
		a := plainApproval()
		change(&a)
		got := a.revision()
		if other, ok := seen[got]; ok {
			t.Errorf("%s has the revision of %s", name, other)
		}
		seen[got] = name
	}
}

func TestRevisionStaysWhereNothingChanged(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*approval){
		"nothing":                   func(*approval) {},
		"the manifest turned round": func(a *approval) { slices.Reverse(a.manifest) },
		"the studies turned round":  func(a *approval) { slices.Reverse(a.choices.Studies) },
		"chosen again by another":   func(a *approval) { a.choices.By = []string{"clerk-1", "lead-1"} },
	}
	want := plainApproval().revision()
	for name, change := range tests {
		a := plainApproval()
		change(&a)
		if got := a.revision(); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if plainApproval().revision() != "d21f151ca423a4564563" {
		t.Errorf("revision %s: the encoding changed, which voids every open approval", want)
	}

	empty, absent := plainApproval(), plainApproval()
	empty.papers, empty.choices = []string{}, library.Choices{Studies: []string{}, Corrections: map[string]string{}}
	absent.papers, absent.choices = nil, library.Choices{}
	if empty.revision() != absent.revision() {
		t.Error("what is empty and what is absent differ, and a database keeps only one of them")
	}
}

func TestRevisionLeavesItsArgumentsAlone(t *testing.T) {
	t.Parallel()
	a := plainApproval()
	slices.Reverse(a.manifest)
	slices.Reverse(a.choices.Studies)
	first, study := a.manifest[0], a.choices.Studies[0]
	a.revision()
	if a.manifest[0] != first || a.choices.Studies[0] != study {
		t.Error("manifest or studies were reordered")
	}
}
