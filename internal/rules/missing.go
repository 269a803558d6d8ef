package rules

import (
	"slices"
	"strings"

	"fileroom/internal/library"
)

// The names of required elements that a request may lack, as in [library.Reading].
const (
	missingPatientName      = "patient-name"
	missingBirthDate        = "birth-date"
	missingRecipientName    = "recipient-name"
	missingRecipientAddress = "recipient-address"
	missingStudies          = "studies"
	missingStudyDates       = "study-dates"
	missingSignature        = "signature"
	missingSignatureDate    = "signature-date"
	missingLegalDocument    = "legal-document"
)

// missingAfter returns what is missing from a corrected reading. Whether a legal
// paper is missing is the reader's word, who saw the paper, unless staff said
// something about signer, age or papers.
func missingAfter(r library.Reading, corrections map[string]string) []string {
	judged := false
	for name := range corrections {
		judged = judged || name == "signature.signer" || name == "patient.birth_date" || strings.HasPrefix(name, "documents[")
	}
	legal := slices.Contains(r.Missing, missingLegalDocument)
	if judged { // Of a parent who signed without a date, DL-09 judges by the day of receipt.
		s := r.Request.Signature
		legal = lacksPaper(r, s.Date) && (s.Signer != "parent" || s.Date != "")
	}

	q := r.Request
	undated := func(s library.StudyRequest) bool { return !s.All && s.Date == "" && s.From == "" && s.To == "" }
	asked := func(s library.StudyRequest) bool { return s != library.StudyRequest{} }
	var missing []string
	for _, m := range []struct {
		name    string
		missing bool
	}{
		{missingPatientName, q.Patient.Family == "" || q.Patient.Given == ""},
		{missingBirthDate, q.Patient.BirthDate == ""},
		{missingRecipientName, !q.Recipient.Self && q.Recipient.Person == "" && q.Recipient.Organization == ""},
		{missingRecipientAddress, !q.Recipient.Self && q.Recipient.Street == ""},
		{missingStudies, !slices.ContainsFunc(q.Studies, asked)},
		{missingStudyDates, len(q.Studies) == 0 || slices.ContainsFunc(q.Studies, undated)},
		{missingSignature, !q.Signature.Present},
		{missingSignatureDate, q.Signature.Date == ""},
		{missingLegalDocument, legal},
	} {
		if m.missing {
			missing = append(missing, m.name)
		}
	}
	return missing
}
