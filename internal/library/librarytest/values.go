package librarytest

import (
	"regexp"
	"slices"

	"fileroom/internal/library"
)

// The values that records may hold. The suite writes every one of them, so
// that the CHECK of a column which lacks one is found.
var (
	channels = []library.Channel{library.ChannelEmail, library.ChannelFax, library.ChannelMail, library.ChannelPortal}

	arrivalStates = []library.ArrivalState{
		library.ArrivalKept, library.ArrivalOpened, library.ArrivalWaiting, library.ArrivalPlaced, library.ArrivalSorted,
	}

	stages = []library.Stage{
		library.StageReading, library.StageChecking, library.StageReview, library.StageDeficient,
		library.StageReleasing, library.StageConfirming, library.StageClosed,
	}

	waitings = []library.Waiting{
		library.WaitingNobody, library.WaitingStaff, library.WaitingSecond, library.WaitingRequester, library.WaitingRecipient,
	}

	outcomes = []library.Outcome{
		library.OutcomeReleased, library.OutcomeDenied, library.OutcomeWithdrawn, library.OutcomeAbandoned,
		library.OutcomeNoImages, library.OutcomeDuplicate, library.OutcomeNotRequest,
	}

	bases = []library.Basis{
		"", library.BasisAccess, library.BasisDirective, library.BasisTreatment, library.BasisAuthorization, library.BasisLegalProcess,
	}

	severities = []library.Severity{library.Block, library.Human, library.Advise}

	messages = []library.Message{
		library.Approve, library.Deny, library.Ask, library.Correct, library.Acknowledged, library.Choose,
		library.Hold, library.Resume, library.Confirm, library.Withdraw, library.Place, library.Split,
	}

	lookKinds = []library.LookKind{
		library.LookDesk, library.LookPanel, library.LookPage, library.LookList, library.LookTemporal,
		library.LookDecoded, library.LookWrite, library.LookRefused, library.LookSignIn, library.LookSignOut,
	}

	letterKinds = []library.LetterKind{
		library.LetterAcknowledgement, library.LetterDeficiency, library.LetterDenial,
		library.LetterWithdrawn, library.LetterReleased, library.LetterNotFound,
	}

	letterStates = []library.LetterState{library.LetterWritten, library.LetterSent, library.LetterRefused, library.LetterUnsent}

	instanceStates = []library.InstanceState{
		library.InstancePending, library.InstanceSent, library.InstanceConfirmed,
		library.InstanceRefused, library.InstanceStranger, library.InstanceDifferent,
	}

	proofs = []library.Proof{"", library.ProofReadBack, library.ProofListed, library.ProofWord, library.ProofNone}
)

var caseNumber = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$`)

// checkCase returns an [library.Invalid] error for a case that no record may
// hold.
func checkCase(op string, c library.Case) error {
	id := string(c.ID)
	switch {
	case !caseNumber.MatchString(id):
		return invalid(op, "", "not a case number")
	case c.Part < 1:
		return invalid(op, id, "part is not from 1")
	case !slices.Contains(channels, c.Channel):
		return invalid(op, id, "unknown channel")
	case !slices.Contains(bases, c.Basis):
		return invalid(op, id, "unknown basis")
	case c.Tier < 0 || c.Tier > 3:
		return invalid(op, id, "tier is not from 0 to 3")
	case (c.Stage == library.StageClosed) == c.ClosedAt.IsZero():
		return invalid(op, id, "a time of closing without being closed, or the reverse")
	}
	return checkStage(op, id, c.Stage, c.Waiting, c.Outcome)
}

func checkStage(op, id string, stage library.Stage, waiting library.Waiting, outcome library.Outcome) error {
	switch {
	case !slices.Contains(stages, stage):
		return invalid(op, id, "unknown stage")
	case !slices.Contains(waitings, waiting):
		return invalid(op, id, "unknown waiting")
	case stage != library.StageClosed && outcome != "":
		return invalid(op, id, "an outcome without being closed")
	case stage == library.StageClosed && !slices.Contains(outcomes, outcome):
		return invalid(op, id, "closed without a known outcome")
	}
	return nil
}
