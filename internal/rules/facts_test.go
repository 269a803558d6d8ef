package rules_test

import (
	"fmt"

	"fileroom/internal/library"
	"fileroom/internal/rules"
)

// clinic is a provider of the directory.
func clinic() library.Facility {
	return library.Facility{
		ID: "blue-ridge", Name: "Blue Ridge Neurosurgical Associates", Aliases: []string{"Dr. Anita Rao"},
		Street: "218 Vance Street, Suite 300", City: "Asheville", State: "NC", Zip: "28801",
		Provider: true, URL: "https://blue-ridge.example/dicom-web", Proof: library.ProofReadBack,
	}
}

// letter is a patient's plain letter to her treating doctor, well read.
func letter() library.Reading {
	r := library.Reading{
		Documents: []library.Document{{Kind: "letter", Pages: []int{1}}},
		Request: library.Request{
			Patient: library.Patient{
				Given: "Eleanor", Middle: "Ruth", Family: "Whitcombe", BirthDate: "1958-04-17", MRN: "D1093347", Phone: "919-555-0118",
			},
			Recipient: library.Recipient{
				Person: "Dr. Anita Rao", Organization: "Blue Ridge Neurosurgical Associates",
				Street: "218 Vance Street, Suite 300", City: "Asheville", State: "NC", Zip: "28801",
			},
			Studies: []library.StudyRequest{
				{Modality: "CT", BodyPart: "chest", Date: "2026-02-12"},
				{Modality: "MR", BodyPart: "brain", Date: "2026-01-28"},
			},
			Delivery: "electronic", Purpose: "continuing-care",
			Signature: library.Signature{Present: true, Name: "Eleanor R. Whitcombe", Date: "2026-04-06", Signer: "patient"},
		},
	}
	for name, value := range map[string]string{
		"patient.given": "Eleanor", "patient.family": "Whitcombe", "patient.birth_date": "1958-04-17", "patient.mrn": "D1093347",
	} {
		r.Fields = append(r.Fields, library.Field{Name: name, Value: value, Confidence: 0.99, Page: 1, Box: &library.Box{X: 0.1, Y: 0.2, W: 0.3, H: 0.02}})
	}
	return r
}

func candidate(key, id string, reasons ...library.Reason) library.PatientCandidate {
	return library.PatientCandidate{
		Key: key, Reasons: reasons,
		Record: library.Hide(library.PatientRecord{ID: id, Name: "WHITCOMBE^ELEANOR^RUTH", BirthDate: "1958-04-17"}),
	}
}

func chosen(c library.PatientCandidate, by string) library.PatientCandidate {
	c.Chosen, c.By = true, by
	return c
}

// facts are those of the plain letter: nothing is wrong with them.
func facts() rules.Facts {
	f := rules.Facts{
		Reading: letter(), Channel: library.ChannelEmail, Received: "2026-04-08", Today: "2026-04-09",
		Basis: library.BasisTreatment, Bound: []library.CaseID{"K7MQ-42XD"},
		Site: rules.Site{RequireSignatureDate: true},
	}
	f.Match = library.Match{
		Patients: []library.PatientCandidate{chosen(candidate("p1", "D1093347", yes("mrn"), yes("name"), yes("birth-date")), "program")},
		Studies:  []library.StudyCandidate{study("2.25.1", 0, "2026-02-12", 3), study("2.25.2", 1, "2026-01-28", 2)},
	}
	for _, s := range f.Match.Studies {
		f.Match.Manifest = append(f.Match.Manifest, images(s.UID, s.Instances)...)
	}
	withDirectory(&f, clinic())
	return f
}

func study(uid string, item int, date library.Date, instances int) library.StudyCandidate {
	return library.StudyCandidate{
		UID: uid, Item: item, Date: date, Instances: instances, Chosen: true, By: "program",
		Reasons: []library.Reason{yes("modality"), yes("body-part"), yes("date")},
	}
}

func images(study string, n int) []library.Instance {
	var list []library.Instance
	for i := range n {
		list = append(list, library.Instance{Study: study, Series: study + ".1", SOP: fmt.Sprintf("%s.1.%d", study, i+1)})
	}
	return list
}

// withDirectory sets the destination as an activity would.
func withDirectory(f *rules.Facts, directory ...library.Facility) {
	f.Facilities = rules.MatchFacility(f.Reading.Request.Recipient, directory)
	f.Facility = rules.PickFacility(f.Facilities, directory, "")
}

func yes(code library.ReasonCode) library.Reason { return library.Reason{Code: code} }
func no(code library.ReasonCode) library.Reason  { return library.Reason{Code: code, Against: true} }
