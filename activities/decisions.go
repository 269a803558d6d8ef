package activities

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/rules"
)

// A Verifier knows who signed a message of staff.
type Verifier interface {
	// OpenSignal decodes a signal as it came and says who sent it. A signal that
	// proves nobody is a [library.Invalid] error, with a sentence for staff.
	OpenSignal(ctx context.Context, workflow string, s Signal) (Signed, json.RawMessage, error)
	// Holds says who signed what is on record, whenever that was. What proves
	// nobody is a [library.Invalid] error.
	Holds(header, workflow string, m library.Message, payload []byte) (Signed, error)
}

// A Signal is a message of staff as it came: not decoded, and not believed.
type Signal struct {
	Name   string `json:"name"`
	Sealed []byte `json:"sealed"`
	Header string `json:"header,omitempty"`
}

// Signed is what a signature proves.
type Signed struct {
	Actor  library.Actor `json:"actor"`
	Nonce  string        `json:"nonce"`
	Header string        `json:"header"`

	// IssuedAt is when it was signed. It is taken from the header anew wherever
	// it counts, and so crosses nothing.
	IssuedAt time.Time `json:"-"`
}

// Decisions puts on record what staff say.
type Decisions struct {
	Records  library.Records
	Cases    *Cases // For what a correction or a choice means.
	Verifier Verifier
	Now      func() time.Time
}

// OpenSignalParams are the parameters of [Decisions.OpenSignal].
type OpenSignalParams struct {
	Workflow string `json:"workflow"`
	Signal   Signal `json:"signal"`
}

// OpenSignalResult is the result of [Decisions.OpenSignal].
type OpenSignalResult struct {
	Signed  Signed `json:"signed"`
	Payload []byte `json:"payload,omitempty"` // The JSON as it was signed, byte for byte.
	Refused string `json:"refused,omitempty"` // Why it proves nothing; empty if it does.
}

// OpenSignal finds out who sent a signal, and what it says. One that proves
// nobody is a result, to be told in the case.
func (a *Decisions) OpenSignal(ctx context.Context, p OpenSignalParams) (OpenSignalResult, error) {
	signed, payload, err := a.Verifier.OpenSignal(ctx, p.Workflow, p.Signal)
	if library.KindOf(err) == library.Invalid {
		sum := sha256.New()
		for _, part := range [][]byte{[]byte(p.Signal.Name), p.Signal.Sealed, []byte(p.Signal.Header)} {
			_, _ = fmt.Fprintf(sum, "%d:%s", len(part), part)
		}
		key := hex.EncodeToString(sum.Sum(nil)[:10])
		return OpenSignalResult{Refused: err.Error()}, a.noteRefusal(ctx, p.Workflow, key, "", err.Error())
	}
	return OpenSignalResult{Signed: signed, Payload: payload}, err
}

// NoteRefusalParams are the parameters of [Decisions.NoteRefusal].
type NoteRefusalParams struct {
	Workflow string `json:"workflow"`
	Nonce    string `json:"nonce"` // Of the signal: the same refusal noted twice is one.
	By       string `json:"by"`    // Subject of who sent it.
	Why      string `json:"why"`   // The program's words.
}

// NoteRefusalResult is the result of [Decisions.NoteRefusal].
type NoteRefusalResult struct{}

// NoteRefusal puts on record that a signal of staff was refused, for nobody
// stands by to be told. It is no decision, and changes nothing.
func (a *Decisions) NoteRefusal(ctx context.Context, p NoteRefusalParams) (NoteRefusalResult, error) {
	return NoteRefusalResult{}, a.noteRefusal(ctx, p.Workflow, p.Nonce, p.By, p.Why)
}

// noteRefusal writes a line into the history of the case or arrival that a
// workflow is about. One that is about neither has no history.
func (a *Decisions) noteRefusal(ctx context.Context, workflow, key, by, why string) error {
	e := library.Event{Key: "signal/" + key, What: "signal refused", Detail: why, Actor: cmp.Or(by, "program"), At: a.Now()}
	var err error
	if id, ok := strings.CutPrefix(workflow, ReleaseWorkflow); ok {
		e.Case = library.CaseID(id)
		_, err = a.Records.Case(ctx, e.Case)
	} else {
		number, _ := strings.CutPrefix(strings.TrimSuffix(workflow, "/late"), IntakeWorkflow)
		n, _ := strconv.ParseInt(number, 10, 64) // Of anything else, 0, which is nowhere.
		e.Arrival = library.ArrivalID(n)
		_, err = a.Records.Arrival(ctx, e.Arrival)
	}
	if library.KindOf(err) != "" {
		return nil
	}
	if err != nil {
		return err
	}
	return a.Records.AddEvent(ctx, e)
}

// RecordDecisionParams are the parameters of [Decisions.RecordDecision].
type RecordDecisionParams struct {
	Case     library.CaseID    `json:"case,omitempty"`
	Arrival  library.ArrivalID `json:"arrival,omitempty"`
	Workflow string            `json:"workflow"`
	Message  library.Message   `json:"message"`
	// Payload is the JSON as it was signed, byte for byte: as bytes, for JSON
	// within JSON is written anew on its way, and the signature is lost.
	Payload []byte    `json:"payload"`
	Signed  Signed    `json:"signed"`
	At      time.Time `json:"at"`
}

// RecordDecisionResult is the result of [Decisions.RecordDecision].
type RecordDecisionResult struct{}

// RecordDecision puts a decision on record and does what it says to what is
// known about the case: corrects, chooses, acknowledges. It is an
// [library.Invalid] error when it cannot be done, and then nothing changes.
func (a *Decisions) RecordDecision(ctx context.Context, p RecordDecisionParams) (RecordDecisionResult, error) {
	if err := a.believe(&p); err != nil {
		return RecordDecisionResult{}, err
	}
	d := library.Decision{
		ID: p.Signed.Nonce, Case: p.Case, Arrival: p.Arrival, Message: p.Message, Actor: p.Signed.Actor,
		Payload: library.Hide(string(p.Payload)), Header: p.Signed.Header, Workflow: p.Workflow, At: p.At,
	}
	var err error
	switch p.Message {
	case library.Approve:
		var approve library.ApprovePayload
		approve, err = library.Decode[library.ApprovePayload](p.Message, p.Payload)
		d.Revision = approve.Revision
		if err == nil {
			err = a.mayApprove(ctx, p)
		}
	case library.Correct:
		err = a.correct(ctx, p)
	case library.Choose:
		err = a.choose(ctx, p)
	case library.Acknowledged:
		err = a.acknowledge(ctx, p)
	case library.Deny, library.Ask, library.Hold, library.Resume, library.Confirm, library.Withdraw, library.Place, library.Split:
		// What is known of the case stays: the workflow does what they say.
	}
	if err != nil {
		return RecordDecisionResult{}, err
	}
	return RecordDecisionResult{}, a.Records.AddDecision(ctx, d)
}

// believe takes who said it from the signature, and from nothing else: that a
// workflow asks is no proof, for whoever can reach Temporal can be a worker.
func (a *Decisions) believe(p *RecordDecisionParams) error {
	signed, err := a.Verifier.Holds(p.Signed.Header, p.Workflow, p.Message, p.Payload)
	switch {
	case err != nil:
		return err
	case signed.Nonce != p.Signed.Nonce:
		return library.Errorf(library.Invalid, string(p.Message), p.Workflow, "the signature is another message's")
	case !library.Holds(signed.Actor.Roles, library.NeededRole(p.Message)):
		return library.Errorf(library.Invalid, string(p.Message), p.Workflow, "whoever signed it does not have the role")
	case p.Arrival == 0 && p.Workflow != ReleaseWorkflow+string(p.Case), p.Arrival != 0 && strings.TrimSuffix(p.Workflow, "/late") != IntakeWorkflow+strconv.FormatInt(int64(p.Arrival), 10):
		return library.Errorf(library.Invalid, string(p.Message), p.Workflow, "it was said to another case")
	}
	p.Signed = signed
	return nil
}

// mayApprove refuses to put an approval on record that was refused when it was
// said, or is for what is no more. The workflow judged it; but whoever can reach
// Temporal can ask for this activity too.
func (a *Decisions) mayApprove(ctx context.Context, p RecordDecisionParams) error {
	all, err := a.Records.Decisions(ctx, p.Case)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(d library.Decision) bool { return d.ID == p.Signed.Nonce }) {
		return nil // It is on record.
	}
	if why := stopped(all); why != "" {
		return library.Errorf(library.Invalid, "approve", string(p.Case), "%s", why)
	}
	said, err := timelineOf(a.Verifier, all)
	if err != nil {
		return err
	}
	if said.stale(p.Signed.IssuedAt) {
		return library.Errorf(library.Invalid, "approve", string(p.Case), "the case has changed since this was signed; please look at it once more")
	}
	return nil
}

func (a *Decisions) correct(ctx context.Context, p RecordDecisionParams) error {
	fields, err := library.Decode[library.CorrectPayload](p.Message, p.Payload)
	if err != nil {
		return err
	}
	c, err := a.Records.Case(ctx, p.Case)
	if err != nil {
		return err
	}
	read, choices, err := a.Cases.reading(ctx, c)
	if err != nil {
		return err
	}
	if _, err := rules.Apply(read, fields); err != nil {
		return err
	}
	corrections := maps.Clone(choices.Corrections)
	if corrections == nil {
		corrections = map[string]string{}
	}
	maps.Copy(corrections, fields)
	choices.Corrections = corrections
	return a.Records.SetChoices(ctx, p.Case, by(choices, p.Signed.Actor))
}

func (a *Decisions) choose(ctx context.Context, p RecordDecisionParams) error {
	chosen, err := library.Decode[library.ChoosePayload](p.Message, p.Payload)
	if err != nil {
		return err
	}
	choices, err := a.Records.Choices(ctx, p.Case)
	if err != nil {
		return err
	}
	m, err := a.Records.Match(ctx, p.Case)
	if err != nil {
		return err
	}
	if chosen.Patient != "" {
		if chosen.Among != "" && chosen.Among != m.Among() {
			return library.Errorf(library.Invalid, "choose", string(p.Case), "the candidates are not as you saw them; please look at them once more")
		}
		i := slices.IndexFunc(m.Patients, func(c library.PatientCandidate) bool { return c.Key == chosen.Patient })
		if i < 0 {
			return library.Errorf(library.Invalid, "choose", string(p.Case), "there is no patient candidate of this key")
		}
		record := m.Patients[i].Record.Reveal()
		if record.ID != choices.Patient || record.Issuer != choices.Issuer {
			choices.Studies = nil // They were another patient's.
		}
		choices.Patient, choices.Issuer = record.ID, record.Issuer
	}
	for _, uid := range chosen.Studies {
		if !slices.ContainsFunc(m.Studies, func(s library.StudyCandidate) bool { return s.UID == uid }) {
			return library.Errorf(library.Invalid, "choose", string(p.Case), "one of the studies is not among the candidates")
		}
	}
	if chosen.Studies != nil {
		choices.Studies = chosen.Studies
	}
	if chosen.Facility != "" {
		if _, err := a.Records.Facility(ctx, chosen.Facility); err != nil {
			if library.KindOf(err) == library.NotFound {
				return library.Errorf(library.Invalid, "choose", string(p.Case), "there is no facility of this id in the directory")
			}
			return err
		}
		choices.Facility = chosen.Facility
	}
	if chosen.Basis != "" {
		choices.Basis = chosen.Basis
	}
	return a.Records.SetChoices(ctx, p.Case, by(choices, p.Signed.Actor))
}

func (a *Decisions) acknowledge(ctx context.Context, p RecordDecisionParams) error {
	ack, err := library.Decode[library.AcknowledgePayload](p.Message, p.Payload)
	if err != nil {
		return err
	}
	findings, err := a.Records.Findings(ctx, p.Case)
	if err != nil {
		return err
	}
	m, err := a.Records.Match(ctx, p.Case)
	if err != nil {
		return err
	}
	found := false
	for _, f := range findings {
		if f.Rule != ack.Finding {
			continue
		}
		found = true
		if f.Severity != library.Block || f.Rule == library.NothingFoundRule && len(m.ChosenStudies()) == 0 {
			continue // That there is nothing to send is for whoever looked to say.
		}
		if !f.Overridable {
			return library.Errorf(library.Invalid, "acknowledge", string(p.Case), "finding %s cannot be set aside: it must be put right", f.Rule)
		}
		if !library.Holds(p.Signed.Actor.Roles, library.RolePrivacy) {
			return library.Errorf(library.Invalid, "acknowledge", string(p.Case), "finding %s can be set aside by the privacy office alone", f.Rule)
		}
	}
	if !found {
		return library.Errorf(library.Invalid, "acknowledge", string(p.Case), "the case has no such finding")
	}
	return a.Records.AcknowledgeFinding(ctx, p.Case, ack.Finding, library.Acknowledge{By: p.Signed.Actor.Subject, Reason: ack.Reason})
}

// by adds who chose.
func by(c library.Choices, actor library.Actor) library.Choices {
	if !slices.Contains(c.By, actor.Subject) {
		c.By = append(slices.Clone(c.By), actor.Subject)
	}
	return c
}
