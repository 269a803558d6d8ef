package activities

import (
	"time"

	"fileroom/internal/library"
)

// stopped says why nothing may leave, by what staff said in order: the case was
// denied or withdrawn, or is on hold. It is empty where nothing stops it.
func stopped(decisions []library.Decision) string {
	held := false
	for _, d := range decisions {
		switch d.Message {
		case library.Deny:
			return "the case was denied"
		case library.Withdraw:
			return "the case was withdrawn"
		case library.Hold, library.Resume:
			held = d.Message == library.Hold
		case library.Approve, library.Ask, library.Correct, library.Acknowledged, library.Choose, library.Confirm, library.Place, library.Split:
		}
	}
	if held {
		return "the case is on hold"
	}
	return ""
}

// A timeline is when staff said what makes approvals void, by the times of the
// signatures: those of the one clock of the door where they were made.
type timeline struct {
	changed time.Time // The last correction, choice or acknowledgement: before it, something stood in the way.
	holds   []span
}

// A span is a time on hold; its end is zero while it lasts.
type span struct{ from, to time.Time }

// timelineOf reads the decisions of a case, in the order in which they were said.
func timelineOf(v Verifier, decisions []library.Decision) (timeline, error) {
	var t timeline
	for _, d := range decisions {
		switch d.Message {
		case library.Correct, library.Choose, library.Acknowledged, library.Hold, library.Resume:
		case library.Approve, library.Ask, library.Confirm, library.Deny, library.Withdraw, library.Place, library.Split:
			continue
		}
		signed, err := v.Holds(d.Header, d.Workflow, d.Message, []byte(d.Payload.Reveal()))
		if library.KindOf(err) == library.Invalid {
			continue // Nobody said it.
		}
		if err != nil {
			return timeline{}, err
		}
		switch last := len(t.holds) - 1; {
		case d.Message == library.Hold:
			t.holds = append(t.holds, span{from: signed.IssuedAt})
		case d.Message == library.Resume && last >= 0:
			t.holds[last].to = signed.IssuedAt
		case d.Message != library.Resume && signed.IssuedAt.After(t.changed):
			t.changed = signed.IssuedAt
		}
	}
	return t, nil
}

// stale reports whether an approval that was signed at a time is for what is no
// more, or was said during a hold and so refused: it counts for nothing,
// whenever it was put on record.
func (t timeline) stale(signed time.Time) bool {
	for _, h := range t.holds {
		if !signed.Before(h.from) && (h.to.IsZero() || signed.Before(h.to)) {
			return true
		}
	}
	return signed.Before(t.changed)
}
