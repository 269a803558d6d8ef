package rules

import (
	"slices"
	"strings"

	"fileroom/internal/library"
)

// adult is the age from which a person signs alone (N.C. Gen. Stat. 48A-2).
const adult = 18

// signerPatient is the signer who is the patient.
const signerPatient = "patient"

// papersOf holds which documents make somebody what they sign as (FIELD.md,
// section 1.5). Whether a paper is good is for a person to say.
var papersOf = map[string][]string{
	"guardian":             {"guardianship-order"},
	"health-care-agent":    {"health-care-power-of-attorney"},
	"attorney-in-fact":     {"power-of-attorney", "health-care-power-of-attorney"},
	"executor":             {"letters-testamentary"},
	"administrator":        {"letters-of-administration"},
	"parent":               {"birth-certificate", "guardianship-order"},
	"spouse":               legalPapers,
	"other-representative": legalPapers,
}

var legalPapers = []string{
	"health-care-power-of-attorney", "power-of-attorney", "guardianship-order", "letters-testamentary",
	"letters-of-administration", "small-estate-affidavit", "death-certificate",
}

// represented reports whether somebody signs for the patient.
func represented(s library.Signature) bool { return s.Signer != "" && s.Signer != signerPatient }

func signerWords(signer string) string { return strings.ReplaceAll(signer, "-", " ") }

// lacksPaper reports whether somebody signs for the patient without a paper. A
// parent of a minor needs none (N.C. Gen. Stat. 50-13.2(b)); a parent of a grown
// child is nobody's representative, birth certificate or not.
func lacksPaper(reading library.Reading, on library.Date) bool {
	s := reading.Request.Signature
	if !represented(s) {
		return false
	}
	needed := papersOf[s.Signer]
	if s.Signer == "parent" {
		age, known := ageOn(reading.Request.Patient.BirthDate, on)
		if known && age < adult {
			return false
		}
		needed = []string{"guardianship-order", "health-care-power-of-attorney", "power-of-attorney"}
	}
	return !attached(reading, needed...)
}

func attached(reading library.Reading, kinds ...string) bool {
	return slices.ContainsFunc(reading.Documents, func(d library.Document) bool { return slices.Contains(kinds, d.Kind) })
}

// paperJudged is RC-00: a representative's paper is there, and the program does
// not yet read whether it is in force, executed, and of this patient.
func paperJudged(f Facts) []fault {
	s := f.Reading.Request.Signature
	if !represented(s) || lacksPaper(f.Reading, f.received()) {
		return nil
	}
	why := "The signer is the " + signerWords(s.Signer) + ": compare patient, signer, dates, signatures and seal of the paper."
	if s.Signer == "parent" && !attached(f.Reading, legalPapers...) {
		why = "The signer is the parent of a minor: see that no order forbids it and that the care is none the minor alone decides on."
	}
	return []fault{{kind: "paper", why: why, field: "signature.signer"}}
}

// healthCarePower is RC-08: a power of attorney over property alone gives no
// right to medical records (N.C. Gen. Stat. 32C-1-103).
func healthCarePower(f Facts) []fault {
	others := slices.DeleteFunc(slices.Clone(legalPapers), func(k string) bool { return k == "power-of-attorney" || k == "death-certificate" })
	if !represented(f.Reading.Request.Signature) || !attached(f.Reading, "power-of-attorney") || attached(f.Reading, others...) {
		return nil
	}
	if age, ok := ageOn(f.Reading.Request.Patient.BirthDate, f.received()); ok && age < adult && f.Reading.Request.Signature.Signer == "parent" {
		return nil
	}
	return []fault{{kind: "general", why: "The only paper is a power of attorney that does not call itself one for health care.", field: "signature.signer"}}
}
