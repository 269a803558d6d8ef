package rules

import (
	"fmt"
	"slices"
	"time"

	"fileroom/internal/library"
)

// patientNamed is DL-01.
func patientNamed(f Facts) []fault {
	p := f.Reading.Request.Patient
	given, family := fold(p.Given), fold(p.Family)
	switch {
	case len(given) == 0:
		return []fault{{kind: "missing", why: "The papers give no first name of the patient.", field: "patient.given"}}
	case len(family) == 0:
		return []fault{{kind: "missing", why: "The papers give no family name of the patient.", field: "patient.family"}}
	case len(given) == 1 && len([]rune(given[0])) == 1:
		return []fault{{kind: "initial", why: "The papers give the first name as an initial.", field: "patient.given"}}
	}
	return nil
}

// birthDateGiven is DL-02.
func birthDateGiven(f Facts) []fault {
	const field = "patient.birth_date"
	born := f.Reading.Request.Patient.BirthDate
	if _, ok := born.Time(); !ok {
		return []fault{{kind: "missing", why: "The papers give no date of birth.", field: field}}
	}
	if age, ok := ageOn(born, f.received()); ok && (age < 0 || age > 125) {
		return []fault{{kind: "impossible", why: fmt.Sprintf("Nobody born on %s can have asked on %s.", born, f.received()), field: field}}
	}
	return nil
}

// recordNumberGiven is DL-03: a note, never more, and never asked for.
func recordNumberGiven(f Facts) []fault {
	if f.Reading.Request.Patient.MRN != "" {
		return nil
	}
	return []fault{{kind: "missing", why: "The papers give no medical record number.", field: "patient.mrn"}}
}

// recipientNamed is DL-04. A town alone is no address.
func recipientNamed(f Facts) []fault {
	r := f.Reading.Request.Recipient
	if r.Self {
		return nil
	}
	var found []fault
	if r.Person == "" && r.Organization == "" {
		found = append(found, fault{kind: "name", why: "The papers do not say who shall receive the images.", field: "recipient.organization"})
	}
	if r.Street == "" || r.City == "" && r.Zip == "" {
		found = append(found, fault{kind: "address", why: "The papers give no full address of the recipient.", field: "recipient.street"})
	}
	return found
}

// studiesNamed is DL-05: a request without any clue cannot be met, and one
// without dates is met once a person has picked the study.
func studiesNamed(f Facts) []fault {
	studies := f.Reading.Request.Studies
	if !slices.ContainsFunc(studies, func(s library.StudyRequest) bool { return s != library.StudyRequest{} }) {
		return []fault{{kind: "none", why: "The papers do not say which images are asked for.", field: "studies"}}
	}
	var found []fault
	for i, s := range studies {
		dated := s.Date != "" || s.From != "" || s.To != ""
		named := s.Modality != "" || s.BodyPart != ""
		if s.All || dated && named || picked(f.Match, i) {
			continue
		}
		why := fmt.Sprintf("Study %d is asked for without a date. Choose it among the candidates.", i+1)
		if dated {
			why = fmt.Sprintf("Study %d is asked for by its date alone. Choose it among the candidates.", i+1)
		}
		found = append(found, fault{kind: "open", why: why, field: fmt.Sprintf("studies[%d]", i)})
	}
	return found
}

func picked(m library.Match, item int) bool {
	return slices.ContainsFunc(m.ChosenStudies(), func(s library.StudyCandidate) bool { return s.Item == item })
}

// signed is DL-06. In a portal the sign-in stands for a signature, by policy.
func signed(f Facts) []fault {
	if f.Reading.Request.Signature.Present {
		return nil
	}
	return []fault{{kind: "missing", why: "The papers are not signed.", field: "signature.present"}}
}

// signatureDated is DL-07. A portal message bears the date of its receipt.
func signatureDated(f Facts) []fault {
	const field = "signature.date"
	s := f.Reading.Request.Signature
	at, dated := s.Date.Time()
	received, known := f.received().Time()
	var found []fault
	switch {
	case !dated && f.Channel != library.ChannelPortal:
		found = append(found, fault{kind: "missing", why: "The signature bears no date.", field: field})
	case dated && known && at.After(received):
		found = append(found, fault{kind: "future", why: fmt.Sprintf("The signature is dated %s, after the day of receipt, %s.", s.Date, f.received()), field: field})
	case dated && known && at.AddDate(1, 0, 0).Before(received):
		found = append(found, fault{kind: "old", why: fmt.Sprintf("The signature is dated %s, more than twelve months before receipt on %s.", s.Date, f.received()), field: field})
	}
	signedOn := s.Date
	if !dated {
		signedOn = f.received()
	}
	if age, ok := ageOn(f.Reading.Request.Patient.BirthDate, signedOn); ok && age >= 0 && age < adult && !represented(s) && (s.Present || s.Name != "") {
		found = append(found, fault{kind: "minor", why: fmt.Sprintf("The patient was %d on %s, and no parent or representative signed.", age, signedOn), field: field})
	}
	return found
}

// signedByPatient is DL-08. Somebody who signs for the patient is DL-09's.
func signedByPatient(f Facts) []fault {
	const field = "signature.name"
	s := f.Reading.Request.Signature
	switch {
	case represented(s):
	case s.Name != "" && compareSigner(s.Name, f.Reading.Request.Patient) != signerSame:
		return []fault{{kind: "differs", why: "The name at the signature, " + s.Name + ", is not the patient's as the papers give it.", field: field}}
	case s.Present && s.Name == "" && s.Signer == "":
		return []fault{{kind: "unknown", why: "The papers do not say whose signature it is.", field: "signature.present"}}
	}
	return nil
}

// signerAuthorized is DL-09: whoever signs for the patient says as what, and
// the paper that makes them so is there.
func signerAuthorized(f Facts) []fault {
	const field = "signature.signer"
	r := f.Reading.Request
	if r.Signature.Signer == "" && compareSigner(r.Signature.Name, r.Patient) == signerOther {
		return []fault{{kind: "unstated", why: "Somebody other than the patient signed, and does not say as what.", field: field}}
	}
	if lacksPaper(f.Reading, f.received()) || slices.Contains(f.Reading.Missing, missingLegalDocument) {
		return []fault{{kind: "no-paper", why: "The signer is the " + signerWords(r.Signature.Signer) + ", and no paper that says so is there.", field: field}}
	}
	return nil
}

// deliveryNamed is DL-10.
func deliveryNamed(f Facts) []fault {
	if f.Reading.Request.Delivery != "" {
		return nil
	}
	return []fault{{kind: "missing", why: "The papers name no way of delivery: electronic transfer is meant.", field: "delivery"}}
}

// authorIsPatient is DL-11: in a portal the signer is whoever wrote.
func authorIsPatient(f Facts) []fault {
	if f.Channel != library.ChannelPortal || !represented(f.Reading.Request.Signature) {
		return nil
	}
	return []fault{{kind: "proxy", why: "The message was written by the " + signerWords(f.Reading.Request.Signature.Signer) + ".", field: "signature.signer"}}
}

// contactGiven is DL-12. Whoever writes by e-mail or portal can be answered.
func contactGiven(f Facts) []fault {
	p := f.Reading.Request.Patient
	if p.Phone != "" || p.Email != "" || p.Address != "" || f.Channel == library.ChannelEmail || f.Channel == library.ChannelPortal {
		return nil
	}
	return []fault{{kind: "missing", why: "The papers give no way to reach the patient with questions.", field: "patient.phone"}}
}

// ageOn returns the full years of age on a day, negative before birth.
func ageOn(born, day library.Date) (int, bool) {
	b, ok := born.Time()
	d, ok2 := day.Time()
	if !ok || !ok2 {
		return 0, false
	}
	if d.Before(b) {
		return -1, true
	}
	years := d.Year() - b.Year()
	if d.Before(time.Date(b.Year()+years, b.Month(), b.Day(), 0, 0, 0, 0, time.UTC)) {
		years--
	}
	return years, true
}
