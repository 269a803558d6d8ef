package library

import (
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"time"
)

// A CaseID is the number of a case as people say it on the telephone, such as
// K7MQ-42XD: random, and so silent about the patient.
type CaseID string

// caseAlphabet is Crockford's base 32: no I, L, O or U to be misheard.
const caseAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// NewCaseID returns a random case number: seven characters and a check
// character, which catches any single wrong character and most swaps.
func NewCaseID() CaseID {
	var raw [7]byte
	_, _ = io.ReadFull(rand.Reader, raw[:]) // crypto/rand does not fail.
	body := make([]byte, 7)
	for i, b := range raw {
		body[i] = caseAlphabet[b&31]
	}
	return spell(string(body) + string(checkCharacter(string(body))))
}

// ParseCaseID reads a case number as people write it: in either case, with or
// without the dash, with O for 0 and I or L for 1. It returns an [Invalid]
// error when the check character does not fit.
func ParseCaseID(s string) (CaseID, error) {
	fold := strings.NewReplacer("O", "0", "I", "1", "L", "1", "-", "", " ", "")
	body := fold.Replace(strings.ToUpper(strings.TrimSpace(s)))
	if len(body) != 8 {
		return "", &Error{Kind: Invalid, Op: "read case number", Err: errors.New("want eight characters, such as K7MQ-42XD")}
	}
	for _, r := range body {
		if !strings.ContainsRune(caseAlphabet, r) {
			return "", &Error{Kind: Invalid, Op: "read case number", Err: errors.New("holds a character that no case number has")}
		}
	}
	if body[7] != checkCharacter(body[:7]) {
		return "", &Error{Kind: Invalid, Op: "read case number", Err: errors.New("check character does not fit: please compare it with the letter")}
	}
	return spell(body), nil
}

func spell(body string) CaseID { return CaseID(body[:4] + "-" + body[4:]) }

// checkCharacter is a Luhn sum mod 32 over the body.
func checkCharacter(body string) byte {
	sum, factor := 0, 2
	for i := len(body) - 1; i >= 0; i-- {
		addend := factor * strings.IndexByte(caseAlphabet, body[i])
		sum += addend/32 + addend%32
		factor = 3 - factor
	}
	return caseAlphabet[(32-sum%32)%32]
}

// A Stage is where a case stands.
type Stage string

// The stages of a case, in the order in which a plain one passes them.
const (
	StageReading    Stage = "reading"
	StageChecking   Stage = "checking"
	StageReview     Stage = "review"
	StageDeficient  Stage = "deficient"
	StageReleasing  Stage = "releasing"
	StageConfirming Stage = "confirming"
	StageClosed     Stage = "closed"
)

// A Waiting says for whom a case waits.
type Waiting string

// For whom a case can wait.
const (
	WaitingNobody    Waiting = "nobody"
	WaitingStaff     Waiting = "staff"
	WaitingSecond    Waiting = "second-reviewer"
	WaitingRequester Waiting = "requester"
	WaitingRecipient Waiting = "recipient"
)

// An Outcome is how a case ended.
type Outcome string

// How a case can end.
const (
	OutcomeReleased   Outcome = "released"
	OutcomeDenied     Outcome = "denied"
	OutcomeWithdrawn  Outcome = "withdrawn"
	OutcomeAbandoned  Outcome = "abandoned"
	OutcomeNoImages   Outcome = "no-images"
	OutcomeDuplicate  Outcome = "duplicate"
	OutcomeNotRequest Outcome = "not-a-request"
)

// A Channel is the way by which something arrived.
type Channel string

// The ways in.
const (
	ChannelEmail  Channel = "email"
	ChannelFax    Channel = "fax"
	ChannelMail   Channel = "mail"
	ChannelPortal Channel = "portal"
)

// A Basis is the legal ground on which images may go (FIELD.md, table 1.1).
type Basis string

// The legal bases of 45 CFR 164.
const (
	BasisAccess        Basis = "LB-1" // The patient to herself: right of access, 164.524.
	BasisDirective     Basis = "LB-2" // The patient to somebody she names: 164.524(c)(3)(ii).
	BasisTreatment     Basis = "LB-3" // To a treating provider: 164.506(c).
	BasisAuthorization Basis = "LB-4" // To anybody else: authorization, 164.508.
	BasisLegalProcess  Basis = "LB-5" // Subpoena, court order: 164.512.
)

// A Case is one request and where it stands.
type Case struct {
	ID         CaseID
	Arrival    ArrivalID // The envelope it began with.
	Part       int       // Which request of that envelope, from 1.
	Channel    Channel
	Stage      Stage
	Waiting    Waiting
	Outcome    Outcome // Empty until closed.
	ReceivedAt time.Time
	DueAt      time.Time // When it must be answered; 45 CFR 164.524(b)(2).
	Reading    string    // Digest of the [Reading] in the vault; empty until read.
	Pages      string    // Digest of the pages ([]Page) in the vault.
	Papers     []string  // Digests of what arrived for this case, in order.
	Basis      Basis     // Empty until suggested.
	Tier       Tier
	Revision   Revision // What an approval must name; empty until there is something to approve.
	Facility   FacilityID
	Requester  Private[Requester]
	ClosedAt   time.Time // Zero until closed.
}

// A Requester is whom letters about a case go to.
type Requester struct {
	Email     string `json:"email,omitempty"`
	InReplyTo string `json:"in_reply_to,omitempty"` // Message-ID of the request.
	Subject   string `json:"subject,omitempty"`     // Never quoted: it may hold anything.
}

// A Tier is a risk tier: how many people must agree (FIELD.md, table 4.1).
type Tier int

// Approvals returns how many different people must approve.
func (t Tier) Approvals() int {
	if t >= 2 {
		return 2
	}
	return 1
}

// A Revision is a digest over everything that an approval is for: patient,
// studies with their instances, destination, documents, and the version of the
// rules. Any change to one of them makes another revision, and voids approvals.
type Revision string

// AnswerWithin is how long the law gives to answer a request for access
// (45 CFR 164.524(b)(2)(i)).
const AnswerWithin = 30 * 24 * time.Hour
