package activities

import (
	"context"
	"fmt"
	"time"

	"fileroom/internal/letter"
	"fileroom/internal/library"
)

// Letters writes to people about cases.
type Letters struct {
	Records    library.Records
	Mail       Sender
	Domain     string // Of the Message-IDs.
	Letterhead letter.Letterhead
	Now        func() time.Time
}

// SendLetterParams are the parameters of [Letters.SendLetter].
type SendLetterParams struct {
	Case    library.CaseID     `json:"case"`
	Number  int                `json:"number"` // From 1; with the case it is the letter's identity.
	Kind    library.LetterKind `json:"kind"`
	Message string             `json:"message,omitempty"` // What staff add.
	Rules   []string           `json:"rules,omitempty"`   // For a deficiency: what to ask for; empty for everything open.
	Images  int                `json:"images,omitempty"`
}

// SendLetterResult is the result of [Letters.SendLetter].
type SendLetterResult struct {
	State library.LetterState `json:"state"`
}

// SendLetter writes a letter down and then sends it. A letter that was
// accepted is not sent again; one whose sending was cut off may go twice, under
// the same Message-ID. An address that is refused, or that is not there, is a
// result and not an error: staff must find another way.
func (a *Letters) SendLetter(ctx context.Context, p SendLetterParams) (SendLetterResult, error) {
	c, err := a.Records.Case(ctx, p.Case)
	if err != nil {
		return SendLetterResult{}, err
	}
	l, err := a.write(ctx, c, p)
	if err != nil {
		return SendLetterResult{}, err
	}
	if l.State != library.LetterWritten {
		return SendLetterResult{State: l.State}, nil
	}
	state, reason := library.LetterSent, ""
	if to := l.To.Reveal(); to == "" {
		state, reason = library.LetterUnsent, "there is no address to write to"
	} else {
		err := a.Mail.Send(ctx, library.OutgoingMail{
			MessageID: l.MessageID, To: to, Subject: l.Subject, Text: l.Text.Reveal(), InReplyTo: c.Requester.Reveal().InReplyTo,
		})
		switch {
		case library.KindOf(err) == library.Invalid:
			state, reason = library.LetterRefused, "the address was refused"
		case err != nil:
			return SendLetterResult{}, err
		}
	}
	return SendLetterResult{State: state}, a.Records.MoveLetter(ctx, p.Case, p.Number, state, reason, a.Now())
}

// write puts the letter on record, or returns it as it was written first.
func (a *Letters) write(ctx context.Context, c library.Case, p SendLetterParams) (library.Letter, error) {
	facts := letter.Facts{Library: a.Letterhead, Case: p.Case, Message: p.Message, Images: p.Images}
	if c.Facility != "" {
		f, err := a.Records.Facility(ctx, c.Facility)
		if err != nil && library.KindOf(err) != library.NotFound {
			return library.Letter{}, err
		}
		facts.Facility = f.Name
	}
	if p.Kind == library.LetterDeficiency {
		findings, err := a.Records.Findings(ctx, p.Case)
		if err != nil {
			return library.Letter{}, err
		}
		facts.Asks = asks(findings, p.Rules)
	}
	subject, text, err := letter.Write(p.Kind, facts)
	if err != nil {
		return library.Letter{}, err
	}
	return a.Records.AddLetter(ctx, library.Letter{
		Case: p.Case, Number: p.Number, Kind: p.Kind, State: library.LetterWritten, At: a.Now(),
		MessageID: fmt.Sprintf("%s.%d@%s", p.Case, p.Number, a.Domain),
		To:        library.Hide(c.Requester.Reveal().Email), Subject: subject, Text: library.Hide(text),
	})
}

// asks lists what to ask the requester for, each thing once.
func asks(findings []library.Finding, rules []string) []string {
	wanted := map[string]bool{}
	for _, r := range rules {
		wanted[r] = true
	}
	var out []string
	said := map[string]bool{}
	for _, f := range findings {
		if f.Ask == "" || said[f.Ask] || f.Acknowledged != nil || (len(rules) > 0 && !wanted[f.Rule]) {
			continue
		}
		if len(rules) == 0 && f.Severity == library.Advise {
			continue
		}
		said[f.Ask] = true
		out = append(out, f.Ask)
	}
	return out
}
