package library

// A PatientQuery says whom to look for in the PACS: by MRN, or by birth date
// with a name.
type PatientQuery struct {
	MRN       string
	BirthDate Date
	Family    string
	Given     string
}

// A StudyRecord is a study as the PACS knows it.
type StudyRecord struct {
	UID         string
	Date        Date
	Modalities  []string
	Description string
	BodyParts   []string
	Accession   string
	Instances   int
}

// A StoreResult is what a receiver says about one instance it was sent.
type StoreResult struct {
	SOP    string
	Stored bool
	Code   string // Failure or warning reason as four hexadecimal digits (PS3.18 section 10.5.3); empty for none.
}
