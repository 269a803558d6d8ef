package desk

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fileroom/internal/library"
)

// dayWords writes a day as 26 May 2026.
func dayWords(t time.Time) string {
	if t.IsZero() {
		return "no date"
	}
	return t.Format("2 January 2006")
}

func momentWords(t time.Time) string { return t.Format("2 January 2006, 15:04 MST") }

// dateWords writes a date that is one in words, and everything else as it is.
func dateWords(d library.Date) string {
	if t, ok := d.Time(); ok {
		return dayWords(t)
	}
	return string(d)
}

// countWords writes a number with its noun, whose plural ends in s.
func countWords(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok && !strings.HasSuffix(noun, "day") {
		noun = stem + "ie"
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// dueWords says how far off a day is, in calendar days.
func dueWords(due, now time.Time) string {
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	switch n := int(day(due.In(now.Location())).Sub(day(now)) / (24 * time.Hour)); {
	case n < 0:
		return countWords(-n, "day") + " overdue"
	case n == 0:
		return "today"
	case n == 1:
		return "tomorrow"
	default:
		return fmt.Sprintf("in %d days", n)
	}
}

// sentence makes a sentence of an error's words.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	r, n := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(r)) + s[n:]
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}

func roleWords(a library.Actor) string {
	for _, r := range []library.Role{library.RolePrivacy, library.RoleLead, library.RoleSpecialist} {
		if a.Is(r) {
			return neededWords(r)
		}
	}
	if slices.Contains(a.Roles, library.RoleAdmin) {
		return "administrator"
	}
	return "viewer"
}

func neededWords(r library.Role) string {
	if r == library.RolePrivacy {
		return "privacy office"
	}
	return string(r)
}

var worklistNames = map[library.Worklist]string{
	library.WorkStaff: "For staff", library.WorkSecond: "Second person", library.WorkOverdue: "Overdue", library.WorkHeld: "On hold",
	library.WorkMine: "Mine", library.WorkOpen: "All open", library.WorkClosed: "Closed", library.WorkArrivals: "Arrivals to place",
}

var emptyLists = map[library.Worklist]string{
	library.WorkStaff:    "Nothing waits for you. Time for a cup of coffee.",
	library.WorkSecond:   "No case waits for a second person.",
	library.WorkOverdue:  "Nothing is overdue.",
	library.WorkHeld:     "Nothing is on hold.",
	library.WorkMine:     "There is no open case in which you decided something.",
	library.WorkOpen:     "There is no open case.",
	library.WorkClosed:   "No case has been closed yet.",
	library.WorkArrivals: "Everything that arrived is in its place.",
}

var stageNames = map[library.Stage]string{
	library.StageReading: "Being read", library.StageChecking: "Being checked", library.StageReview: "In review",
	library.StageDeficient: "Something is missing", library.StageReleasing: "Sending images",
	library.StageConfirming: "Waiting for confirmation", library.StageClosed: "Closed",
}

var waitingNames = map[library.Waiting]string{
	library.WaitingNobody: "works by itself", library.WaitingStaff: "waits for staff", library.WaitingSecond: "waits for a second person",
	library.WaitingRequester: "waits for the requester", library.WaitingRecipient: "waits for the recipient",
}

var outcomeNames = map[library.Outcome]string{
	library.OutcomeReleased: "images released", library.OutcomeDenied: "denied", library.OutcomeWithdrawn: "withdrawn",
	library.OutcomeAbandoned: "abandoned: no answer came", library.OutcomeNoImages: "no images found",
	library.OutcomeDuplicate: "asked for before", library.OutcomeNotRequest: "not a request",
}

// stateWords says where a case stands and for whom it waits.
func stateWords(c library.Case) string {
	if c.Stage == library.StageClosed {
		return "Closed: " + word(outcomeNames, c.Outcome)
	}
	return word(stageNames, c.Stage) + ", " + word(waitingNames, c.Waiting)
}

var channelNames = map[library.Channel]string{
	library.ChannelEmail: "e-mail", library.ChannelFax: "fax", library.ChannelMail: "letter", library.ChannelPortal: "portal",
}

var basisNames = map[library.Basis]string{
	library.BasisAccess:        "Right of access: the patient asks for her or his own images (45 CFR 164.524)",
	library.BasisDirective:     "Patient’s directive: the patient has them sent to somebody named (45 CFR 164.524(c)(3)(ii))",
	library.BasisTreatment:     "Treatment: they go to a provider who treats the patient (45 CFR 164.506(c))",
	library.BasisAuthorization: "Authorization: the patient signed for them to go to somebody else (45 CFR 164.508)",
	library.BasisLegalProcess:  "Legal process: a subpoena or court order (45 CFR 164.512)",
}

func tierWords(t library.Tier) string {
	switch t {
	case 3:
		return "High risk (tier 3): two people approve, the second a lead or the privacy office"
	case 2:
		return "Raised risk (tier 2): two different people approve"
	default:
		return fmt.Sprintf("Usual risk (tier %d): one person approves", t)
	}
}

var letterNames = map[library.LetterKind]string{
	library.LetterAcknowledgement: "Acknowledgement of the request", library.LetterDeficiency: "Asks for what is missing",
	library.LetterDenial: "Denial", library.LetterWithdrawn: "Says that the request was withdrawn",
	library.LetterReleased: "Says that the images were sent", library.LetterNotFound: "Says that images were not found",
}

var letterStates = map[library.LetterState]string{
	library.LetterWritten: "written, not yet sent", library.LetterSent: "sent",
	library.LetterRefused: "refused: the address is bad, find another way", library.LetterUnsent: "not sent: there is nobody to write to by this way",
}

var severityNames = map[library.Severity]string{
	library.Block: "Must be resolved", library.Human: "Needs your word", library.Advise: "Note",
}

var saidNames = map[library.Message]string{
	library.Approve: "approved", library.Deny: "denied the request", library.Ask: "asked the requester for what is missing",
	library.Correct: "corrected what was read", library.Acknowledged: "acknowledged a finding", library.Choose: "chose",
	library.Hold: "put the case on hold", library.Resume: "lifted the hold", library.Confirm: "noted the recipient’s word",
	library.Withdraw: "withdrew the case", library.Place: "placed the arrival", library.Split: "split the arrival",
}

// doneNames are what a person reads after a message was accepted.
var doneNames = map[library.Message]string{
	library.Approve:      "Your approval is on record.",
	library.Deny:         "The request is denied. A letter with the reason follows.",
	library.Ask:          "The requester is asked, in one letter, for what is missing.",
	library.Correct:      "Your correction is on record. The checks run again.",
	library.Acknowledged: "Your word is on record. The checks run again.",
	library.Choose:       "Your choice is on record. The checks run again.",
	library.Hold:         "The case is on hold. Nothing more leaves.",
	library.Resume:       "The hold is lifted. The checks run again.",
	library.Confirm:      "The recipient’s word is on record.",
	library.Withdraw:     "The case is withdrawn.",
	library.Place:        "The arrival is placed.",
	library.Split:        "The arrival is split. Each part becomes a case of its own.",
}

var reasonNames = map[library.ReasonCode]string{
	library.ReasonMRN: "record number", library.ReasonName: "name", library.ReasonNameAlike: "name alike", library.ReasonBirthDate: "birth date",
	library.ReasonModality: "kind", library.ReasonBodyPart: "body part", library.ReasonDate: "date",
}

// word looks a value up, and shows it as it is when there is no word for it.
func word[K ~string](names map[K]string, k K) string {
	if w, ok := names[k]; ok {
		return w
	}
	return string(k)
}
