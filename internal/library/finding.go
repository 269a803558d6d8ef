package library

// NothingFoundRule is the check that everything asked for was found. A person
// who acknowledges it where there is nothing at all ends the case.
const NothingFoundRule = "SM-01"

// A Severity says what a finding does to a case (FIELD.md, section 2).
type Severity string

// The severities of findings.
const (
	Block  Severity = "BLOCK"  // The case cannot be approved.
	Human  Severity = "HUMAN"  // A person must acknowledge it, with a reason.
	Advise Severity = "ADVISE" // A note.
)

// A Finding is what one check found wrong with a case. A check that found
// nothing leaves none.
type Finding struct {
	Rule         string       `json:"rule"`     // Such as DL-02.
	Title        string       `json:"title"`    // What the rule asks, without anything of the case.
	Citation     string       `json:"citation"` // The law or policy it rests on.
	Severity     Severity     `json:"severity"`
	Why          string       `json:"why"` // The program's words; may quote the request, so it stays in the records.
	Ask          string       `json:"ask"` // What the requester is asked for; empty if nothing.
	Field        string       `json:"field,omitempty"`
	Page         int          `json:"page,omitempty"`
	Box          *Box         `json:"box,omitempty"`
	Confidence   float64      `json:"confidence,omitempty"`
	Pack         string       `json:"pack"`        // Name and version of the rule pack.
	Overridable  bool         `json:"overridable"` // A BLOCK that privacy may acknowledge.
	Acknowledged *Acknowledge `json:"-"`           // By whom and why; nil while open.
	// About is a digest of what was chosen and the finding is about: patient,
	// studies or facility; empty for a finding about the papers alone. Why may
	// be the same words for another patient, and whoever acknowledged the
	// finding of one said nothing of the other. It is not shown to people.
	About string `json:"about,omitempty"`
}

// An Acknowledge is a person's answer to a finding.
type Acknowledge struct {
	By     string // Subject of the actor.
	Reason string
}

// Open reports whether f still hinders an approval.
func (f Finding) Open() bool { return f.Severity != Advise && f.Acknowledged == nil }

// An OpenRule is a finding without anything of the case: it may be shown where
// patient data must not be.
type OpenRule struct {
	Rule        string   `json:"rule"`
	Title       string   `json:"title"`
	Severity    Severity `json:"severity"`
	Overridable bool     `json:"overridable,omitempty"`
}

// OpenRules returns those findings that still hinder an approval.
func OpenRules(findings []Finding) []OpenRule {
	var open []OpenRule
	for _, f := range findings {
		if f.Open() {
			open = append(open, OpenRule{Rule: f.Rule, Title: f.Title, Severity: f.Severity, Overridable: f.Overridable})
		}
	}
	return open
}
