package rules

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"fileroom/internal/library"
)

// Revision returns the digest of everything that an approval is for: the first
// 20 hexadecimal digits of a SHA-256 over a canonical encoding. The order of the
// manifest and of the studies chosen makes no difference; who chose makes none,
// for that changes nothing that leaves.
func Revision(
	patient library.PatientRecord, manifest []library.Instance, facility library.Facility,
	papers []string, pack string, choices library.Choices,
) library.Revision {
	manifest = slices.Clone(manifest)
	slices.SortFunc(manifest, func(a, b library.Instance) int {
		return cmp.Or(strings.Compare(a.Study, b.Study), strings.Compare(a.Series, b.Series),
			strings.Compare(a.SOP, b.SOP), strings.Compare(a.Class, b.Class))
	})
	studies := slices.Clone(choices.Studies)
	slices.Sort(studies)
	line, _ := json.Marshal(struct { // Cannot fail: strings, and a map of them, whose keys are sorted. Empty and absent are one.
		Form        string                `json:"form"`
		Patient     library.PatientRecord `json:"patient"`
		Manifest    []library.Instance    `json:"manifest,omitempty"`
		Facility    library.Facility      `json:"facility"`
		Papers      []string              `json:"papers,omitempty"`
		Pack        string                `json:"pack"`
		ChosenID    string                `json:"chosen_id,omitempty"`
		Issuer      string                `json:"issuer,omitempty"`
		Studies     []string              `json:"studies,omitempty"`
		FacilityID  library.FacilityID    `json:"facility_id,omitempty"`
		Basis       library.Basis         `json:"basis,omitempty"`
		Corrections map[string]string     `json:"corrections,omitempty"`
	}{
		"fileroom revision 1", patient, manifest, facility, papers, pack,
		choices.Patient, choices.Issuer, studies, choices.Facility, choices.Basis, choices.Corrections,
	})
	sum := sha256.Sum256(line)
	return library.Revision(hex.EncodeToString(sum[:])[:20])
}
