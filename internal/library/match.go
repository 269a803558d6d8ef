package library

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// A PatientRecord is a patient as the PACS knows one.
type PatientRecord struct {
	ID        string `json:"id"`               // Patient ID (0010,0020), the hospital's MRN.
	Issuer    string `json:"issuer,omitempty"` // Issuer of Patient ID (0010,0021).
	Name      string `json:"name"`             // Patient's Name (0010,0010) as DICOM writes it: FAMILY^GIVEN^MIDDLE^PREFIX^SUFFIX.
	BirthDate Date   `json:"birth_date,omitempty"`
	Sex       string `json:"sex,omitempty"`
}

// A Match is what the PACS holds that may be meant by a request.
type Match struct {
	Patients []PatientCandidate
	Studies  []StudyCandidate // Of the chosen patient alone.
	Manifest []Instance       // Every instance of the chosen studies, by study, series and instance UID.
}

// A PatientCandidate is a patient of the PACS who may be the one meant.
type PatientCandidate struct {
	Key     string // p1, p2, ...: how staff name it.
	Record  Private[PatientRecord]
	Reasons []Reason
	Chosen  bool
	By      string // "program" or the subject of who chose; empty if not chosen.
}

// A Reason is one thing that speaks for or against a candidate.
type Reason struct {
	Code    ReasonCode `json:"code"`
	Against bool       `json:"against,omitempty"`
}

// A ReasonCode names a thing that was compared.
type ReasonCode string

// What is compared between a request and a candidate.
const (
	ReasonMRN       ReasonCode = "mrn"
	ReasonName      ReasonCode = "name"       // Family and given name are the same.
	ReasonNameAlike ReasonCode = "name-alike" // Middle name, suffix, initials or spelling differ.
	ReasonBirthDate ReasonCode = "birth-date"
	ReasonModality  ReasonCode = "modality"
	ReasonBodyPart  ReasonCode = "body-part"
	ReasonDate      ReasonCode = "date"
)

// Supports reports whether the reasons hold code as speaking for the candidate.
func Supports(reasons []Reason, code ReasonCode) bool {
	for _, r := range reasons {
		if r.Code == code && !r.Against {
			return true
		}
	}
	return false
}

// A StudyCandidate is a study of the PACS that may be one asked for.
type StudyCandidate struct {
	UID         string // Study Instance UID.
	Item        int    // Index into the request's studies; -1 if nothing asked for fits it.
	Date        Date
	Modalities  []string
	Description Private[string]
	Accession   Private[string]
	Instances   int // As the PACS counts them.
	Reasons     []Reason
	Chosen      bool
	By          string // "program" or the subject of who chose.
}

// An Instance is one image of a manifest.
type Instance struct {
	Study  string `json:"study"`  // Study Instance UID.
	Series string `json:"series"` // Series Instance UID.
	SOP    string `json:"sop"`    // SOP Instance UID.
	Class  string `json:"class"`  // SOP Class UID.
}

// Among returns a digest of the candidates and of their keys: whoever chooses one
// by its key says which they were. It is empty when there are none.
func (m Match) Among() string {
	if len(m.Patients) == 0 {
		return ""
	}
	h := sha256.New()
	for _, p := range m.Patients {
		r := p.Record.Reveal()
		for _, s := range []string{p.Key, r.ID, r.Issuer, r.Name, string(r.BirthDate), r.Sex} {
			_, _ = fmt.Fprintf(h, "%d:%s", len(s), s) // A hash's Write does not fail.
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:20]
}

// ChosenPatient returns the chosen patient, and false while there is none.
func (m Match) ChosenPatient() (PatientCandidate, bool) {
	for _, p := range m.Patients {
		if p.Chosen {
			return p, true
		}
	}
	return PatientCandidate{}, false
}

// ChosenStudies returns the chosen studies in their order.
func (m Match) ChosenStudies() []StudyCandidate {
	var chosen []StudyCandidate
	for _, s := range m.Studies {
		if s.Chosen {
			chosen = append(chosen, s)
		}
	}
	return chosen
}

// Choices are what staff chose among the candidates, and what they corrected.
// They outlive a new match.
type Choices struct {
	Patient     string            // Patient ID (0010,0020) chosen; empty for none.
	Issuer      string            // Its issuer.
	Studies     []string          // Study Instance UIDs chosen; empty for none.
	Facility    FacilityID        // Empty for none.
	Basis       Basis             // Empty for none.
	Corrections map[string]string // Field name to value, as in [Field].
	By          []string          // Subjects of those who chose or corrected; none of them is the second person.
}
