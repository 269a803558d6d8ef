package library

import "time"

// An ArrivalID is the number of an arrival in the ledger, from 1.
type ArrivalID int64

// An Arrival is one envelope as it came in, whatever the way. Nothing that
// reached the door is outside the ledger, and nothing is in it twice.
type Arrival struct {
	ID         ArrivalID
	Channel    Channel
	Source     string // Name of the mailbox, queue or folder.
	Key        string // What makes it the same arrival when seen again; for e-mail the digest of the raw message.
	Digest     string // Of what was kept, in the vault.
	Size       int64  // Bytes as it arrived.
	Truncated  bool   // Too large: only its header was kept.
	ReceivedAt time.Time
	State      ArrivalState
	Reason     string // Why it was sorted away, or waits for staff. Never anything from the message.
	Case       CaseID // The first case it belongs to; empty until placed.
}

// An ArrivalState says what has become of an arrival.
type ArrivalState string

// What can become of an arrival.
const (
	ArrivalKept    ArrivalState = "kept"    // Safe, and not yet looked at.
	ArrivalOpened  ArrivalState = "opened"  // Its Intake is at work on it.
	ArrivalWaiting ArrivalState = "waiting" // Staff must place it.
	ArrivalPlaced  ArrivalState = "placed"  // In a case.
	ArrivalSorted  ArrivalState = "sorted"  // Not a request: sorted away by a rule or a person.
)
