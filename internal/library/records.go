package library

import (
	"context"
	"time"
)

// Records keep what must outlive a workflow. Every method may be called twice
// with the same arguments and does the work once; each is one transaction,
// which writes its events with what they tell of. Errors are [NotFound] where
// the thing named does not exist, [Conflict] where it is not in a state that
// allows the change, and without a kind where the store itself fails.
type Records interface {
	ArrivalRecords
	CaseRecords
	DecisionRecords
	ReleaseRecords
	FacilityRecords
}

// StaffRecords are what the staff's pages need beside the [Records] that they
// read. A worker has no use for them, and no rights.
type StaffRecords interface {
	WorkRecords
	AccessRecords
	SessionRecords
}

// ArrivalRecords are the ledger of everything that reached the door.
type ArrivalRecords interface {
	// AddArrival enters a in the ledger, as kept. An arrival of the same
	// channel, source and key is returned as it was entered first.
	AddArrival(ctx context.Context, a Arrival) (Arrival, error)
	Arrival(ctx context.Context, id ArrivalID) (Arrival, error)
	// KeptArrivals returns up to limit arrivals of a source, entered after the
	// one given, that no Intake has opened, in the order in which they were entered.
	KeptArrivals(ctx context.Context, source string, after ArrivalID, limit int) ([]ArrivalID, error)
	// MoveArrival sets the state, with the reason. An arrival that is placed can
	// be taken back, for staff to place it anew; one that is sorted is moved no
	// more ([Conflict]), unless to the state it has.
	MoveArrival(ctx context.Context, id ArrivalID, to ArrivalState, reason string) error
	// WaitingArrivals returns the arrivals that staff must place, oldest first.
	WaitingArrivals(ctx context.Context) ([]Arrival, error)
}

// A CaseFilter selects cases; the zero value selects all that are not closed.
type CaseFilter struct {
	Stage  Stage // Empty for any.
	Closed bool  // Closed ones as well.
	Limit  int   // 0 means 1000.
}

// CaseRecords are the cases and what is known about each.
type CaseRecords interface {
	// OpenCase makes a case for part c.Part of arrival c.Arrival and marks the
	// arrival as placed in it. A case made before for the same part is returned
	// instead. A number that is taken is a [Conflict]: choose another.
	OpenCase(ctx context.Context, c Case) (Case, error)
	Case(ctx context.Context, id CaseID) (Case, error)
	// CaseOfArrival returns the case made for a part of an arrival, or [NotFound].
	CaseOfArrival(ctx context.Context, id ArrivalID, part int) (Case, error)
	// Cases returns cases by when they are due, the most urgent first.
	Cases(ctx context.Context, f CaseFilter) ([]Case, error)
	// MoveCase sets stage, whom the case waits for and, when closing, the
	// outcome. A closed case is moved no more ([Conflict]), unless it is closed
	// again with the same outcome.
	MoveCase(ctx context.Context, id CaseID, stage Stage, waiting Waiting, outcome Outcome, at time.Time) error
	// SetReading notes where the reading and the pages are in the vault.
	SetReading(ctx context.Context, id CaseID, reading, pages string, papers []string) error
	// SetAssessment replaces basis, tier, facility, revision and findings.
	// Acknowledgements of a finding that is the same as before (rule, severity,
	// field, why, about) are kept; what comes as acknowledged in a is not believed.
	SetAssessment(ctx context.Context, id CaseID, a Assessment) error
	Findings(ctx context.Context, id CaseID) ([]Finding, error)
	// AcknowledgeFinding acknowledges every open finding of a rule; [NotFound]
	// if there is none of that rule.
	AcknowledgeFinding(ctx context.Context, id CaseID, rule string, ack Acknowledge) error
	// SetMatch replaces the candidates and the manifest.
	SetMatch(ctx context.Context, id CaseID, m Match) error
	Match(ctx context.Context, id CaseID) (Match, error)
	// SetChoices replaces what staff chose and corrected.
	SetChoices(ctx context.Context, id CaseID, c Choices) error
	Choices(ctx context.Context, id CaseID) (Choices, error)
	// SameRequests returns other cases of the same patient and facility
	// received within a period before, for IN-04.
	SameRequests(ctx context.Context, id CaseID, patient PatientRecord, facility FacilityID, since time.Time) ([]CaseID, error)

	// AddEvent writes a line of history; a line with the same case, arrival and
	// key is written once.
	AddEvent(ctx context.Context, e Event) error
	Events(ctx context.Context, id CaseID) ([]Event, error)

	// AddLetter writes a letter down before it is sent. A letter of the same
	// case and number is returned as it was written first.
	AddLetter(ctx context.Context, l Letter) (Letter, error)
	// MoveLetter sets what became of a letter. A letter that was sent stays sent.
	MoveLetter(ctx context.Context, id CaseID, number int, to LetterState, reason string, at time.Time) error
	Letters(ctx context.Context, id CaseID) ([]Letter, error)
}

// An Assessment is what the checks say about a case at one moment.
type Assessment struct {
	Basis    Basis
	Tier     Tier
	Facility FacilityID
	Revision Revision
	Findings []Finding
}

// DecisionRecords are what staff said.
type DecisionRecords interface {
	// AddDecision records d; the same ID twice is one decision.
	AddDecision(ctx context.Context, d Decision) error
	Decisions(ctx context.Context, id CaseID) ([]Decision, error)
}

// ReleaseRecords are what left, and how far it has come.
type ReleaseRecords interface {
	// OpenRelease opens the last door: it writes the release, its manifest as
	// pending instances and the intended disclosure in one transaction. Its
	// decisions must be on record for the same case and revision ([NotFound]),
	// and there must be one ([Invalid]). The release of the same case, revision
	// and facility is returned as it was first opened, and nothing is written.
	OpenRelease(ctx context.Context, r Release, manifest []Instance, intended Disclosure) (Release, error)
	// Release returns the release, or [NotFound]: then nothing may leave.
	Release(ctx context.Context, id CaseID, revision Revision, facility FacilityID) (Release, error)
	// TransferInstances returns the images of a release by study, series and SOP UID.
	TransferInstances(ctx context.Context, id CaseID, revision Revision, facility FacilityID) ([]TransferInstance, error)
	// MarkInstances sets state, digest, code and proof of images, and adds to
	// how often they were sent. Empty values leave what is there, and what is
	// confirmed stays confirmed: news of an earlier try may come late.
	MarkInstances(ctx context.Context, id CaseID, revision Revision, facility FacilityID, marks []InstanceMark) error
	// CompleteDisclosure writes the completed disclosure of a release, once.
	CompleteDisclosure(ctx context.Context, d Disclosure) error
	// Disclosures returns the lines of a case, or of all cases if id is empty,
	// by their number.
	Disclosures(ctx context.Context, id CaseID) ([]Disclosure, error)
}

// An InstanceMark is news about one image of a release.
type InstanceMark struct {
	SOP    string
	State  InstanceState
	Digest string
	Code   string
	Proof  Proof
	Sends  int // Added to what is there.
}

// FacilityRecords are the directory of where images can go.
type FacilityRecords interface {
	// SaveFacility adds or replaces a facility.
	SaveFacility(ctx context.Context, f Facility) error
	Facility(ctx context.Context, id FacilityID) (Facility, error)
	// Facilities returns the directory by name.
	Facilities(ctx context.Context) ([]Facility, error)
}
