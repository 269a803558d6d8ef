package rules

import (
	"slices"
	"strings"

	"fileroom/internal/library"
)

// SuggestBasis suggests the legal basis of a request (FIELD.md, table 1.1) with
// the reason for it, for a person to confirm. It is certain where the papers say
// so plainly. Treatment (LB-3) is never suggested for a recipient who is not a
// provider of the directory.
func SuggestBasis(reading library.Reading, facility *library.Facility) (basis library.Basis, certain bool, why string) {
	r := reading.Request
	provider := facility != nil && facility.Provider
	switch {
	case legalProcess(reading):
		return library.BasisLegalProcess, true, "The papers come from a court, the police or an authority."
	case r.Recipient.Self:
		return library.BasisAccess, true, "The images go to the patient or signer."
	case holdsPhrase(r.Recipient.Organization, outsiderOrganizations), holdsPhrase(r.Recipient.Person, outsiderPersons):
		return library.BasisAuthorization, !provider, "The recipient is a lawyer, insurer, employer or another who does not treat the patient."
	case slices.Contains([]string{"legal", "insurance", "disability", "research"}, r.Purpose):
		return library.BasisAuthorization, !provider, "The purpose is " + r.Purpose + ", and not treatment."
	case provider && r.Purpose == "continuing-care":
		return library.BasisTreatment, true, "The recipient is a provider of the directory, and the purpose is treatment."
	case provider && r.Purpose == "":
		return library.BasisTreatment, false, "The recipient is a provider of the directory; the papers give no purpose."
	}
	plain := facility == nil && r.Recipient != library.Recipient{}
	return library.BasisDirective, plain, "The patient names a recipient who is not known to treat the patient."
}

// The words by which recipients who do not treat patients are known, folded, in
// English and Spanish. A street or a surname, such as Law, is not looked at.
var (
	outsiderOrganizations = []string{
		"law", "law office", "lawyer", "lawyers", "attorney", "attorneys", "legal", "esq", "abogado", "abogada", "abogados", "bufete",
		"insurance", "insurer", "assurance", "claims", "underwriting", "seguros", "aseguradora", "disability determination", "disability determinations",
		"employer", "human resources", "school district", "public schools", "recursos humanos",
	}
	outsiderPersons = []string{
		"esq", "esquire", "attorney", "attorney at law", "lawyer", "paralegal", "adjuster", "claims adjuster", "abogado", "abogada", "lic",
	}
	processWords = []string{
		"subpoena", "subpoenas", "court order", "superior court", "district court", "circuit court", "county court", "family court", "federal court",
		"clerk of court", "clerk of superior court", "supreme court", "court of appeals", "juzgado", "tribunal",
		"district attorney", "sheriff", "sheriffs office", "police", "police department", "law enforcement", "highway patrol",
		"industrial commission", "workers compensation", "medical examiner",
	}
)

func legalProcess(reading library.Reading) bool {
	r := reading.Request.Recipient
	if holdsPhrase(r.Organization, processWords) || holdsPhrase(r.Person, processWords) {
		return true
	}
	return slices.ContainsFunc(reading.Documents, func(d library.Document) bool {
		return holdsPhrase(d.Kind, processWords)
	})
}

// basisKnown is LB-0: the basis is one of the table, and if it is not the one
// that the papers suggest, a person says why.
func basisKnown(f Facts) []fault {
	known := []library.Basis{
		library.BasisAccess, library.BasisDirective, library.BasisTreatment, library.BasisAuthorization, library.BasisLegalProcess,
	}
	if !slices.Contains(known, f.Basis) {
		return []fault{{kind: "unknown", why: "No legal basis is chosen."}}
	}
	suggested, certain, why := SuggestBasis(f.Reading, f.Facility)
	stricter := suggested == library.BasisAuthorization || suggested == library.BasisLegalProcess
	switch {
	case stricter && f.Basis != suggested && f.Basis != library.BasisLegalProcess:
		return []fault{{kind: "unlike", why: "The papers suggest " + string(suggested) + ", and " + string(f.Basis) + " was chosen. " + why}}
	case !certain && f.Basis == suggested:
		return []fault{{kind: "unsure", why: why}}
	}
	return nil
}

// basisAccess is LB-1: under the right of access the images go to the patient.
func basisAccess(f Facts) []fault {
	if f.Reading.Request.Recipient.Self {
		return nil
	}
	return []fault{{kind: "not-self", why: "The papers name a recipient other than the patient.", field: "recipient"}}
}

// basisTreatment is LB-3: nobody treats a patient but a provider whom the
// hospital knows as one.
func basisTreatment(f Facts) []fault {
	if f.Facility != nil && f.Facility.Provider {
		return nil
	}
	return []fault{{kind: "no-provider", why: "The recipient is not matched to a provider of the directory.", field: "recipient"}}
}

// basisJudgedByLaw is LB-4 and LB-5, whose own checks this version does not
// have: it passes none of them.
func basisJudgedByLaw(f Facts) []fault {
	return []fault{{kind: "always", why: "The program does not judge requests on " + strings.TrimSpace(string(f.Basis)) + " yet."}}
}
