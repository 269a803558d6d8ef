package matching

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fileroom/internal/library"
)

// Program is who chose a candidate when no person did.
const Program = "program"

// RankPatients returns a candidate for every patient found, the likeliest first,
// with the keys p1, p2, ... in that order, whatever the order of found.
//
// A patient chosen by staff is the chosen one, or nobody is if that patient is
// no longer found. Otherwise the program chooses the one candidate of whom at
// least two of record number, name and birth date agree and none contradicts
// (FIELD.md, PM-01), unless another has the same birth date and a name the same
// or alike (PM-02); then it chooses only if record number, name and birth date
// all agree, for then the request itself tells them apart.
func RankPatients(wanted library.Patient, found []library.PatientRecord, chosen library.Choices) []library.PatientCandidate {
	found = slices.Clone(found)
	slices.SortFunc(found, func(a, b library.PatientRecord) int {
		return cmp.Or(
			cmp.Compare(strength(wanted, b), strength(wanted, a)),
			strings.Compare(a.ID, b.ID), strings.Compare(a.Issuer, b.Issuer),
			strings.Compare(a.Name, b.Name), strings.Compare(string(a.BirthDate), string(b.BirthDate)),
			strings.Compare(a.Sex, b.Sex),
		)
	})
	found = slices.Compact(found)

	candidates := make([]library.PatientCandidate, len(found))
	for i, record := range found {
		candidates[i] = library.PatientCandidate{
			Key:     fmt.Sprintf("p%d", i+1),
			Record:  library.Hide(record),
			Reasons: patientReasons(wanted, record),
		}
	}
	if chosen.Patient != "" {
		choosePatient(candidates, chosen)
		return candidates
	}
	if i := soleCandidate(candidates); i >= 0 {
		candidates[i].Chosen, candidates[i].By = true, Program
	}
	return candidates
}

func choosePatient(candidates []library.PatientCandidate, chosen library.Choices) {
	for i := range candidates {
		record := candidates[i].Record.Reveal()
		if record.ID == chosen.Patient && record.Issuer == chosen.Issuer {
			candidates[i].Chosen, candidates[i].By = true, chooser(chosen)
			return
		}
	}
}

// soleCandidate returns the index of the candidate that the program may choose,
// or -1.
func soleCandidate(candidates []library.PatientCandidate) int {
	sole := -1
	for i, c := range candidates {
		if Strong(c.Reasons) < 2 || contradicted(c.Reasons) {
			continue
		}
		if sole >= 0 {
			return -1
		}
		sole = i
	}
	if sole < 0 || Strong(candidates[sole].Reasons) == 3 {
		return sole
	}
	for i, c := range candidates {
		if i != sole && twin(c.Reasons) {
			return -1
		}
	}
	return sole
}

// Strong returns how many of the strong identifiers, record number, name and
// birth date, speak for a candidate. A name that is only alike is none.
func Strong(reasons []library.Reason) int {
	n := 0
	for _, code := range []library.ReasonCode{library.ReasonMRN, library.ReasonName, library.ReasonBirthDate} {
		if library.Supports(reasons, code) {
			n++
		}
	}
	return n
}

func twin(reasons []library.Reason) bool {
	named := library.Supports(reasons, library.ReasonName) || library.Supports(reasons, library.ReasonNameAlike)
	return named && library.Supports(reasons, library.ReasonBirthDate)
}

func contradicted(reasons []library.Reason) bool {
	return slices.ContainsFunc(reasons, func(r library.Reason) bool { return r.Against })
}

func patientReasons(wanted library.Patient, record library.PatientRecord) []library.Reason {
	var reasons []library.Reason
	if a, b := number(wanted.MRN), number(record.ID); a != "" && b != "" {
		reasons = append(reasons, library.Reason{Code: library.ReasonMRN, Against: a != b})
	}
	switch CompareName(wanted, record.Name) {
	case Same:
		reasons = append(reasons, library.Reason{Code: library.ReasonName})
	case Alike:
		reasons = append(reasons, library.Reason{Code: library.ReasonNameAlike})
	case Different:
		reasons = append(reasons, library.Reason{Code: library.ReasonName, Against: true})
	case Unknown:
	}
	if wanted.BirthDate != "" && record.BirthDate != "" {
		reasons = append(reasons, library.Reason{Code: library.ReasonBirthDate, Against: wanted.BirthDate != record.BirthDate})
	}
	return reasons
}

// number folds a record number. Leading zeros stay: 0123 may be another
// patient than 123.
func number(s string) string { return strings.ToUpper(strings.Join(fold(s), "")) }

// strength orders candidates for the eye; it decides nothing.
func strength(wanted library.Patient, record library.PatientRecord) int {
	weight := map[library.ReasonCode]int{
		library.ReasonMRN: 4, library.ReasonName: 3, library.ReasonBirthDate: 3, library.ReasonNameAlike: 1,
	}
	sum := 0
	for _, r := range patientReasons(wanted, record) {
		if r.Against {
			sum -= weight[r.Code]
		} else {
			sum += weight[r.Code]
		}
	}
	return sum
}

// chooser returns who chose last.
func chooser(chosen library.Choices) string {
	if len(chosen.By) == 0 {
		return "staff"
	}
	return chosen.By[len(chosen.By)-1]
}
