package library

import (
	"fmt"
	"slices"
	"time"
)

// A Role is what a member of staff may do. Each holds the ones before it,
// but for admin, who runs the machine, looks, and decides no case.
type Role string

// The roles of staff.
const (
	RoleViewer     Role = "viewer"
	RoleSpecialist Role = "specialist"
	RoleLead       Role = "lead"
	RolePrivacy    Role = "privacy"
	RoleAdmin      Role = "admin"
)

// Holds reports whether somebody with the given roles has at least role want.
func Holds(roles []Role, want Role) bool {
	order := []Role{RoleViewer, RoleSpecialist, RoleLead, RolePrivacy}
	need := slices.Index(order, want)
	for _, r := range roles {
		if have := slices.Index(order, r); need >= 0 && have >= need {
			return true
		}
	}
	return (want == RoleAdmin || want == RoleViewer) && slices.Contains(roles, RoleAdmin)
}

// An Actor is a member of staff who said something, as a verified signature
// names one.
type Actor struct {
	Subject string `json:"subject"` // Stable identifier.
	Name    string `json:"name"`    // For people.
	Roles   []Role `json:"roles"`
}

// Is reports whether the actor has the role, or one that includes it.
func (a Actor) Is(role Role) bool { return Holds(a.Roles, role) }

// A Message is something that staff can say to a case or an intake.
type Message string

// What staff can say (ARCHITECTURE.md, section 4). Each is an update, and has
// a signal twin of the same name and payload.
const (
	Approve      Message = "approve"
	Deny         Message = "deny"
	Ask          Message = "ask"
	Correct      Message = "correct"
	Acknowledged Message = "acknowledge"
	Choose       Message = "choose"
	Hold         Message = "hold"
	Resume       Message = "resume"
	Confirm      Message = "confirm"
	Withdraw     Message = "withdraw"
	Place        Message = "place" // To an Intake.
	Split        Message = "split" // To an Intake.
)

// NeededRole returns the least role that may say m.
func NeededRole(m Message) Role {
	switch m {
	case Deny:
		return RolePrivacy
	case Hold, Resume:
		return RoleLead
	case Approve, Ask, Correct, Acknowledged, Choose, Confirm, Withdraw, Place, Split:
		return RoleSpecialist
	}
	return RoleAdmin
}

// MaySay returns why the actor's roles do not let them say m, in a sentence for
// them, or nil.
func (a Actor) MaySay(m Message) error {
	if need := NeededRole(m); !a.Is(need) {
		return fmt.Errorf("%s needs the role %s, which %s does not have", m, need, a.Name)
	}
	return nil
}

// A Decision is something that a member of staff said and that was accepted,
// with the proof of who said it.
type Decision struct {
	ID       string // Nonce of the signed statement: the same decision recorded twice is one.
	Case     CaseID // Empty for a decision about an arrival that is in no case.
	Arrival  ArrivalID
	Message  Message
	Actor    Actor
	Payload  Private[string] // The JSON exactly as it was signed.
	Revision Revision        // What an approval was for; empty otherwise.
	Header   string          // The signed statement, to be verified again at any time.
	Workflow string          // The workflow it was said to.
	At       time.Time
}

// Approved reports whether the decisions hold enough approvals of revision for
// tier: by different people, none of them among those who chose or corrected
// beyond the first, and for tier 3 all beyond the first by lead or privacy. It
// returns the approvals that count.
func Approved(decisions []Decision, revision Revision, tier Tier, chosenBy []string) ([]Decision, bool) {
	var counted []Decision
	seen := map[string]bool{}
	for _, d := range decisions {
		if d.Message != Approve || d.Revision != revision || seen[d.Actor.Subject] {
			continue
		}
		second := len(counted) > 0
		if second && (slices.Contains(chosenBy, d.Actor.Subject) || tier >= 3 && !d.Actor.Is(RoleLead)) {
			continue
		}
		seen[d.Actor.Subject] = true
		counted = append(counted, d)
	}
	return counted, len(counted) >= tier.Approvals()
}
