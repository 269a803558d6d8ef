package library

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// A Release is the last door: the row without which no image leaves. It is
// unique by case, revision and facility.
type Release struct {
	Case      CaseID
	Revision  Revision
	Facility  FacilityID
	Decisions []string // IDs of the approvals it rests on.
	At        time.Time
}

// An InstanceState says how far one image of a release has come.
type InstanceState string

// How far one image of a release can come.
const (
	InstancePending   InstanceState = "pending"
	InstanceSent      InstanceState = "sent"      // The receiver said it has stored it.
	InstanceConfirmed InstanceState = "confirmed" // The receiver proved that it has it.
	InstanceRefused   InstanceState = "refused"   // The receiver will not have it.
	InstanceStranger  InstanceState = "stranger"  // Its header names another patient: it did not leave.
	InstanceDifferent InstanceState = "different" // The receiver holds another image under its UID.
)

// A TransferInstance is one image of a release on its way.
type TransferInstance struct {
	Instance
	State  InstanceState
	Digest string // SHA-256 of the data set as the PACS handed it over; empty until then.
	Code   string // Why it was refused, as DICOM's four hexadecimal digits.
	Proof  Proof
	Sends  int // How often it was sent.
}

// A Disclosure is a line in the account of what left the hospital (45 CFR
// 164.528). It is never changed; each is chained to the one before by digest.
type Disclosure struct {
	Seq         int64            `json:"seq"` // From 1, without gaps.
	Case        CaseID           `json:"case"`
	Revision    Revision         `json:"revision"`
	Facility    FacilityID       `json:"facility"`
	Kind        DisclosureKind   `json:"kind"`
	At          time.Time        `json:"at"`
	Patient     Private[Patient] `json:"-"`           // Name, birth date and MRN.
	Recipient   string           `json:"recipient"`   // Name and address of who received it.
	Description string           `json:"description"` // What was disclosed: modalities, dates, counts.
	Purpose     string           `json:"purpose"`
	Basis       Basis            `json:"basis"`
	Accountable bool             `json:"accountable"` // Must be told to the patient who asks for an accounting.
	Images      int              `json:"images"`
	Proof       Proof            `json:"proof"`
	Prev        string           `json:"prev"` // Hash of the line before; empty for the first.
	Hash        string           `json:"hash"`
}

// A DisclosureKind says whether a disclosure was about to happen or is proven.
type DisclosureKind string

// The kinds of disclosure lines.
const (
	DisclosureIntended  DisclosureKind = "intended"
	DisclosureCompleted DisclosureKind = "completed"
)

// Seal returns d with the hash that chains it to prev.
func (d Disclosure) Seal(seq int64, prev string) Disclosure {
	d.Seq, d.Prev, d.At = seq, prev, d.At.UTC().Truncate(time.Microsecond)
	d.Hash = d.digest()
	return d
}

// Sealed reports whether d carries the hash of its own content.
func (d Disclosure) Sealed() bool { return d.Hash == d.digest() }

func (d Disclosure) digest() string {
	d.Hash = ""
	d.At = d.At.UTC().Truncate(time.Microsecond) // What PostgreSQL keeps.
	line, _ := json.Marshal(struct {             // Cannot fail: strings, numbers and a time.
		Disclosure
		Patient Patient `json:"patient"`
	}{d, d.Patient.Reveal()})
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// VerifyChain returns an [Invalid] error for the first disclosure, in order of
// Seq, that was changed, removed or put in.
func VerifyChain(disclosures []Disclosure) error {
	prev := ""
	for i, d := range disclosures {
		switch {
		case d.Seq != int64(i+1):
			return Errorf(Invalid, "verify disclosures", string(d.Case), "line %d is missing", i+1)
		case d.Prev != prev:
			return Errorf(Invalid, "verify disclosures", string(d.Case), "line %d does not follow the line before it", d.Seq)
		case !d.Sealed():
			return Errorf(Invalid, "verify disclosures", string(d.Case), "line %d was changed", d.Seq)
		}
		prev = d.Hash
	}
	return nil
}

// A Letter is something the library wrote to somebody about a case.
type Letter struct {
	Case      CaseID
	Number    int // From 1, given by the workflow; with the case it is the letter's identity.
	Kind      LetterKind
	MessageID string
	To        Private[string]
	Subject   string // No patient data.
	Text      Private[string]
	State     LetterState
	Reason    string // Why it was not sent.
	At        time.Time
}

// A LetterKind says what a letter is about.
type LetterKind string

// The kinds of letters.
const (
	LetterAcknowledgement LetterKind = "acknowledgement"
	LetterDeficiency      LetterKind = "deficiency"
	LetterDenial          LetterKind = "denial"
	LetterWithdrawn       LetterKind = "withdrawn"
	LetterReleased        LetterKind = "released"
	LetterNotFound        LetterKind = "not-found"
)

// A LetterState says what became of a letter.
type LetterState string

// What can become of a letter.
const (
	LetterWritten LetterState = "written"
	LetterSent    LetterState = "sent"
	LetterRefused LetterState = "refused" // The address is bad; staff must find another way.
	LetterUnsent  LetterState = "unsent"  // There is nobody to write to by this way.
)

// An Event is a line of a case's history for people. It is never changed.
type Event struct {
	Case    CaseID
	Arrival ArrivalID
	Key     string // Makes the same event, written twice, one.
	What    string // Constant words, such as "transfer interrupted".
	Detail  string // Ids, counts, codes, and the program's own words; nothing about a patient.
	Actor   string // Subject, or "program".
	At      time.Time
}
