package matching

import (
	"cmp"
	"slices"
	"strings"

	"fileroom/internal/library"
)

// Assemble returns the match made of candidates and the instances that the PACS
// lists for the chosen studies. The manifest holds each instance of a chosen
// study once, by study, series and instance UID; what belongs to no chosen study
// is left out.
func Assemble(patients []library.PatientCandidate, studies []library.StudyCandidate, listed []library.Instance) library.Match {
	m := library.Match{Patients: patients, Studies: studies}
	chosen := map[string]bool{}
	for _, s := range m.ChosenStudies() {
		chosen[s.UID] = true
	}
	for _, i := range listed {
		if chosen[i.Study] {
			m.Manifest = append(m.Manifest, i)
		}
	}
	slices.SortFunc(m.Manifest, func(a, b library.Instance) int {
		return cmp.Or(strings.Compare(a.Study, b.Study), strings.Compare(a.Series, b.Series),
			strings.Compare(a.SOP, b.SOP), strings.Compare(a.Class, b.Class))
	})
	m.Manifest = slices.Compact(m.Manifest)
	return m
}
