package matching_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/matching"
)

var (
	eleanor = library.Patient{Given: "Eleanor", Middle: "Ruth", Family: "Whitcombe", BirthDate: "1958-04-17", MRN: "D1093347"}

	record = library.PatientRecord{ID: "D1093347", Issuer: "HOSP", Name: "WHITCOMBE^ELEANOR^RUTH", BirthDate: "1958-04-17", Sex: "F"}
	twin   = library.PatientRecord{ID: "D2204518", Issuer: "HOSP", Name: "WHITCOMBE^ELEANOR^RUTH", BirthDate: "1958-04-17", Sex: "F"}
)

func but[T any](v T, change func(*T)) T {
	change(&v)
	return v
}

// spell writes reasons as "mrn name -birth-date".
func spell(reasons []library.Reason) string {
	var words []string
	for _, r := range reasons {
		w := string(r.Code)
		if r.Against {
			w = "-" + w
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func TestRankPatientsChoosesOnlyWhereNothingIsLeftToChoose(t *testing.T) {
	t.Parallel()
	type wanted = library.Patient
	type found = library.PatientRecord
	noMRN := but(eleanor, func(p *wanted) { p.MRN = "" })
	tests := map[string]struct {
		wanted  wanted
		found   []found
		choices library.Choices
		chosen  string // Patient ID and who chose.
		reasons []string
	}{
		"all three agree": {
			wanted: eleanor, found: []found{record}, chosen: "D1093347 program",
			reasons: []string{"mrn name birth-date"},
		},
		"name and birth date, and nobody else": {
			wanted: noMRN, found: []found{record}, chosen: "D1093347 program",
			reasons: []string{"name birth-date"},
		},
		"the record number tells twins apart": {
			wanted: eleanor, found: []found{twin, record}, chosen: "D1093347 program",
			reasons: []string{"mrn name birth-date", "-mrn name birth-date"},
		},
		"twins without a record number": {
			wanted: noMRN, found: []found{twin, record},
			reasons: []string{"name birth-date", "name birth-date"},
		},
		"twins by middle name": {
			wanted: noMRN, found: []found{record, but(twin, func(r *found) { r.Name = "WHITCOMBE^ELEANOR^ROSE" })},
			reasons: []string{"name birth-date", "name-alike birth-date"},
		},
		"record number of one, spelling of the other": {
			wanted: eleanor, found: []found{but(record, func(r *found) { r.Name = "WHITCOMBE^ELEANOR^MAY" }), twin},
			reasons: []string{"mrn name-alike birth-date", "-mrn name birth-date"},
		},
		"record number and birth date, name misspelt": {
			wanted: eleanor, found: []found{but(record, func(r *found) { r.Name = "WHITCOMB^ELEANOR" })}, chosen: "D1093347 program",
			reasons: []string{"mrn name-alike birth-date"},
		},
		"record number alone": {
			wanted: wanted{MRN: "D1093347"}, found: []found{record},
			reasons: []string{"mrn"},
		},
		"name alone": {
			wanted: wanted{Given: "Eleanor", Family: "Whitcombe"}, found: []found{record},
			reasons: []string{"name"},
		},
		"alike name and birth date are one strong identifier": {
			wanted: but(noMRN, func(p *wanted) { p.Family = "Whitcomb" }), found: []found{record},
			reasons: []string{"name-alike birth-date"},
		},
		"birth date contradicts": {
			wanted: but(eleanor, func(p *wanted) { p.BirthDate = "1985-04-17" }), found: []found{record},
			reasons: []string{"mrn name -birth-date"},
		},
		"record number contradicts": {
			wanted: but(eleanor, func(p *wanted) { p.MRN = "D5550000" }), found: []found{record},
			reasons: []string{"-mrn name birth-date"},
		},
		"name contradicts": {
			wanted: but(eleanor, func(p *wanted) { p.Family = "Hargrove" }), found: []found{record},
			reasons: []string{"mrn -name birth-date"},
		},
		"record number as people write it": {
			wanted: but(eleanor, func(p *wanted) { p.MRN = "d 109-3347" }), found: []found{record}, chosen: "D1093347 program",
			reasons: []string{"mrn name birth-date"},
		},
		"leading zeros count": {
			wanted: but(eleanor, func(p *wanted) { p.MRN = "1093347" }), found: []found{but(record, func(r *found) { r.ID = "01093347" })},
			reasons: []string{"-mrn name birth-date"},
		},
		"the same record found twice": {
			wanted: noMRN, found: []found{record, record}, chosen: "D1093347 program",
			reasons: []string{"name birth-date"},
		},
		"the same number of two issuers": {
			wanted: eleanor, found: []found{record, but(record, func(r *found) { r.Issuer = "OTHER" })},
			reasons: []string{"mrn name birth-date", "mrn name birth-date"},
		},
		"staff chose the twin": {
			wanted: eleanor, found: []found{record, twin}, chosen: "D2204518 lead-1",
			choices: library.Choices{Patient: "D2204518", Issuer: "HOSP", By: []string{"clerk-1", "lead-1"}},
			reasons: []string{"mrn name birth-date", "-mrn name birth-date"},
		},
		"staff chose one of two alike": {
			wanted: noMRN, found: []found{record, twin}, chosen: "D1093347 clerk-1",
			choices: library.Choices{Patient: "D1093347", Issuer: "HOSP", By: []string{"clerk-1"}},
			reasons: []string{"name birth-date", "name birth-date"},
		},
		"staff chose one of another issuer": {
			wanted: noMRN, found: []found{record},
			choices: library.Choices{Patient: "D1093347", Issuer: "OTHER", By: []string{"clerk-1"}},
			reasons: []string{"name birth-date"},
		},
		"staff chose somebody who is gone": {
			wanted: eleanor, found: []found{record},
			choices: library.Choices{Patient: "D7777777", Issuer: "HOSP", By: []string{"clerk-1"}},
			reasons: []string{"mrn name birth-date"},
		},
		"nobody found": {wanted: eleanor},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := matching.RankPatients(tt.wanted, tt.found, tt.choices)
			chosen := ""
			var reasons []string
			for i, c := range got {
				if want := fmt.Sprintf("p%d", i+1); c.Key != want {
					t.Errorf("key %q, want %q", c.Key, want)
				}
				if c.Chosen {
					chosen += c.Record.Reveal().ID + " " + c.By
				} else if c.By != "" {
					t.Errorf("%s is not chosen, and by %q", c.Key, c.By)
				}
				reasons = append(reasons, spell(c.Reasons))
			}
			if chosen != tt.chosen {
				t.Errorf("chosen %q, want %q", chosen, tt.chosen)
			}
			if !reflect.DeepEqual(reasons, tt.reasons) {
				t.Errorf("reasons %q, want %q", reasons, tt.reasons)
			}
		})
	}
}

func TestRankPatientsIsStableWhateverTheOrder(t *testing.T) {
	t.Parallel()
	found := []library.PatientRecord{record, twin, {ID: "D3000001", Name: "HARGROVE^ANNA"}, {ID: "D3000002", Name: "WHITCOMBE^JOHN"}}
	keys := func(found []library.PatientRecord) string {
		var s []string
		for _, c := range matching.RankPatients(eleanor, found, library.Choices{}) {
			s = append(s, c.Key+"="+c.Record.Reveal().ID)
		}
		return strings.Join(s, " ")
	}
	want := keys(found)
	backwards := slices.Clone(found)
	slices.Reverse(backwards)
	if got := keys(backwards); got != want {
		t.Errorf("keys %s, and in another order %s", want, got)
	}
	if backwards[0].ID != "D3000002" {
		t.Error("the slice found was reordered")
	}
}
