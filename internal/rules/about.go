package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"fileroom/internal/library"
)

// An about is what among the choices the findings of a check are about. The
// words of a finding often name none of it, such as that a name is not that of
// the chosen patient, whoever that is.
type about uint

const (
	patientChosen about = 1 << iota
	studiesChosen
	facilityChosen

	papersAlone about = 0 // Field and words say it all.
)

// digest returns the first 32 hexadecimal digits of a SHA-256 over the choices
// of f that a is about, and what the papers say there, or nothing if it is about
// none. It is one where nothing
// is chosen, for that is no choice of anybody's. Studies come with their patient:
// that there are none is said of one patient, and not of the next.
func (f Facts) digest(a about) string {
	if a == papersAlone {
		return ""
	}
	var on struct {
		Form     string             `json:"form"`
		Patient  string             `json:"patient,omitempty"`
		Issuer   string             `json:"issuer,omitempty"`
		Studies  []string           `json:"studies,omitempty"`
		Facility library.FacilityID `json:"facility,omitempty"`

		// What the papers say of it, which staff may correct.
		Person    library.Patient        `json:"person,omitzero"`
		Asked     []library.StudyRequest `json:"asked,omitempty"`
		Recipient library.Recipient      `json:"recipient,omitzero"`
	}
	on.Form = "fileroom about 1"
	asked := f.Reading.Request
	if a&patientChosen != 0 {
		on.Person = asked.Patient
	}
	if a&facilityChosen != 0 {
		on.Recipient = asked.Recipient
	}
	if p, ok := f.Match.ChosenPatient(); ok && a&patientChosen != 0 {
		record := p.Record.Reveal()
		on.Patient, on.Issuer = record.ID, record.Issuer
	}
	if a&studiesChosen != 0 {
		on.Asked = asked.Studies
		for _, s := range f.Match.ChosenStudies() {
			on.Studies = append(on.Studies, s.UID)
		}
		slices.Sort(on.Studies)
	}
	if f.Facility != nil && a&facilityChosen != 0 {
		on.Facility = f.Facility.ID
	}
	line, _ := json.Marshal(on) // Cannot fail: strings. Absent and empty are one.
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])[:32]
}
