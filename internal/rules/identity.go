package rules

import (
	"fmt"
	"strings"

	"fileroom/internal/library"
)

// identityFields are the fields that say who the patient is.
var identityFields = []struct{ name, words string }{
	{"patient.given", "first name"},
	{"patient.family", "family name"},
	{"patient.birth_date", "date of birth"},
	{"patient.mrn", "record number"},
}

const (
	// surelyRead is the confidence below which a person must look at a field.
	surelyRead = 0.90
	// safelyRead is the confidence below which two people must (FIELD.md, table 4.1).
	safelyRead = 0.98
)

// readBelow returns the identity fields that were read with less confidence.
func (f Facts) readBelow(confidence float64) []string {
	var names []string
	for _, id := range identityFields {
		if field, ok := f.evidence(id.name); ok && field.Value != "" && field.Confidence < confidence {
			names = append(names, id.name)
		}
	}
	return names
}

// identityReadSurely is ID-02: a doubtful letter or digit never passes by itself.
func identityReadSurely(f Facts) []fault {
	var found []fault
	for _, name := range f.readBelow(surelyRead) {
		for _, id := range identityFields {
			if id.name == name {
				found = append(found, fault{kind: "unsure", why: "The " + id.words + " was not read surely. Compare it with the page.", field: name})
			}
		}
	}
	return found
}

// twoIdentifiers is PM-01.
func twoIdentifiers(f Facts) []fault {
	chosen, ok := f.Match.ChosenPatient()
	switch {
	case !ok && len(f.Match.Patients) == 0:
		return []fault{{kind: "none", why: "Nobody was found in the PACS.", field: "patient"}}
	case !ok:
		return []fault{{kind: "none", why: "No patient is chosen among those found in the PACS.", field: "patient"}}
	}
	var agree []string
	for _, id := range []struct {
		code  library.ReasonCode
		words string
	}{{library.ReasonMRN, "record number"}, {library.ReasonName, "name"}, {library.ReasonBirthDate, "date of birth"}} {
		if library.Supports(chosen.Reasons, id.code) {
			agree = append(agree, id.words)
		}
	}
	if denies(chosen.Reasons, library.ReasonBirthDate) {
		return []fault{{kind: "birth-date", why: "The date of birth in the papers is not that of the chosen patient.", field: "patient.birth_date"}}
	}
	if len(agree) < 2 {
		return []fault{{kind: "one", why: fmt.Sprintf("Of record number, name and date of birth, fewer than two agree (%s).", strings.Join(append(agree, "no other"), ", ")), field: "patient"}}
	}
	return nil
}

// noPatientAlike is PM-02. The record number in the papers, if it is that of
// one of them and not of the others, is the recorded tie-breaker.
func noPatientAlike(f Facts) []fault {
	var twins []library.PatientCandidate
	for _, c := range f.Match.Patients {
		if alike(c.Reasons) {
			twins = append(twins, c)
		}
	}
	chosen, ok := f.Match.ChosenPatient()
	others, told := 0, ok && library.Supports(chosen.Reasons, library.ReasonMRN) && alike(chosen.Reasons)
	for _, c := range twins {
		if ok && c.Key == chosen.Key {
			continue
		}
		others++
		told = told && denies(c.Reasons, library.ReasonMRN)
	}
	switch {
	case others == 0, !ok && len(twins) < 2:
		return nil
	case told:
		return []fault{{kind: "told-apart", why: fmt.Sprintf("The PACS holds %d more with this name and date of birth; the record number in the papers tells them apart.", others), field: "patient.mrn"}}
	}
	return []fault{{kind: "twins", why: fmt.Sprintf("The PACS holds %d with this name and date of birth, and nothing in the papers tells them apart.", max(len(twins), others+1)), field: "patient"}}
}

// nameAsRecorded is PM-03: a name that is not quite the recorded one.
func nameAsRecorded(f Facts) []fault {
	chosen, ok := f.Match.ChosenPatient()
	switch {
	case !ok:
	case library.Supports(chosen.Reasons, library.ReasonNameAlike):
		return []fault{{kind: "alike", why: "Middle name, suffix or spelling of the name are not those of the chosen patient.", field: "patient.family"}}
	case denies(chosen.Reasons, library.ReasonName):
		return []fault{{kind: "differs", why: "The name in the papers is not that of the chosen patient.", field: "patient.family"}}
	}
	return nil
}

// recordNumberFits is PM-04: the record number leads to the same patient as
// name and date of birth.
func recordNumberFits(f Facts) []fault {
	const field = "patient.mrn"
	if f.Reading.Request.Patient.MRN == "" {
		return nil
	}
	chosen, ok := f.Match.ChosenPatient()
	if ok && library.Supports(chosen.Reasons, library.ReasonMRN) && alike(chosen.Reasons) {
		return nil
	}
	owned, named := false, false // Is there an owner of the number, and another who fits the name and birth date?
	for _, c := range f.Match.Patients {
		switch {
		case library.Supports(c.Reasons, library.ReasonMRN):
			owned = true
			if denies(c.Reasons, library.ReasonBirthDate) || denies(c.Reasons, library.ReasonName) && !library.Supports(c.Reasons, library.ReasonBirthDate) {
				return []fault{{kind: "conflict", why: "The record number in the papers is that of a patient of another name or date of birth.", field: field}}
			}
		case library.Supports(c.Reasons, library.ReasonName) && library.Supports(c.Reasons, library.ReasonBirthDate):
			named = true
		}
	}
	switch {
	case owned && (named || ok && !library.Supports(chosen.Reasons, library.ReasonMRN)):
		return []fault{{kind: "conflict", why: "The record number in the papers is that of one patient, name and date of birth are those of another.", field: field}}
	case !owned:
		return []fault{{kind: "unknown", why: "Nobody found in the PACS has the record number that the papers give.", field: field}}
	}
	return nil
}

func alike(reasons []library.Reason) bool {
	named := library.Supports(reasons, library.ReasonName) || library.Supports(reasons, library.ReasonNameAlike)
	return named && library.Supports(reasons, library.ReasonBirthDate)
}

func denies(reasons []library.Reason, code library.ReasonCode) bool {
	for _, r := range reasons {
		if r.Code == code && r.Against {
			return true
		}
	}
	return false
}
