package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/reading"
)

// documentLimit is the most that a reading or the pages of one arrival may take
// in the vault.
const documentLimit = 64 << 20

// Arrivals opens what the mailroom kept, and reads it.
type Arrivals struct {
	Records library.Records
	Vault   Vault
	Parser  MessageParser
	Opener  Opener
	Domain  string   // Of the Message-IDs of our own letters.
	Desk    string   // Address of the staff's pages, as [Cases] has it.
	Library []string // What letters call the library and its hospital: never the recipient.
	NewID   func() library.CaseID
	Now     func() time.Time
	Heart   Heart
}

// A Disposition says what an arrival turned out to be.
type Disposition string

// What an arrival can turn out to be.
const (
	DispositionRequest Disposition = "request" // A new case.
	DispositionReply   Disposition = "reply"   // More for an open case.
	DispositionSorted  Disposition = "sorted"  // Not a request: a robot's message, or our own.
	DispositionWaiting Disposition = "waiting" // Nobody can tell: staff must.
)

// OpenArrivalParams are the parameters of [Arrivals.OpenArrival].
type OpenArrivalParams struct {
	Arrival library.ArrivalID `json:"arrival"`
	// Placed opens a case whatever the arrival looks like: a person said so.
	Placed bool `json:"placed,omitempty"`
}

// OpenArrivalResult is the result of [Arrivals.OpenArrival].
type OpenArrivalResult struct {
	Disposition Disposition     `json:"disposition"`
	Channel     library.Channel `json:"channel"`
	Case        library.CaseID  `json:"case,omitempty"`
	ReceivedAt  time.Time       `json:"received_at"`
	Reason      string          `json:"reason,omitempty"` // The program's words, for staff.
	Desk        string          `json:"desk,omitempty"`   // Address of the staff's pages.
}

// OpenArrival looks at an arrival for the first time and says what it is. For
// a request it makes the case; opened again, it is the same case.
func (a *Arrivals) OpenArrival(ctx context.Context, p OpenArrivalParams) (OpenArrivalResult, error) {
	arrival, err := a.Records.Arrival(ctx, p.Arrival)
	if err != nil {
		return OpenArrivalResult{}, err
	}
	r := OpenArrivalResult{Channel: arrival.Channel, ReceivedAt: arrival.ReceivedAt, Desk: a.Desk}
	if arrival.State == library.ArrivalSorted {
		r.Disposition, r.Reason = DispositionSorted, arrival.Reason
		return r, nil
	}
	if opened, err := a.Records.CaseOfArrival(ctx, p.Arrival, 1); err == nil {
		r.Disposition, r.Case = DispositionRequest, opened.ID
		return r, nil
	} else if library.KindOf(err) != library.NotFound {
		return OpenArrivalResult{}, err
	}
	stop := a.Heart.during(ctx, func() any { return nil })
	defer stop()
	message, err := a.parse(ctx, arrival)
	switch {
	case library.KindOf(err) == library.Invalid && !p.Placed:
		return a.wait(ctx, r, p.Arrival, "the message cannot be taken apart; it is kept as it came")
	case err != nil && library.KindOf(err) != library.Invalid:
		return OpenArrivalResult{}, err
	case p.Placed:
	case arrival.Truncated:
		return a.wait(ctx, r, p.Arrival, "the message is too large to be fetched; it is still in the mailbox")
	case message.Automatic != "":
		r.Disposition, r.Reason = DispositionSorted, message.Automatic
		return r, a.Records.MoveArrival(ctx, p.Arrival, library.ArrivalSorted, message.Automatic)
	default:
		switch answered, ok := a.answers(ctx, message); {
		case ok && !strings.EqualFold(message.From, answered.Requester.Reveal().Email):
			// A case number is no secret: it stands in the subject of every letter.
			return a.wait(ctx, r, p.Arrival, "it names case "+string(answered.ID)+", and comes from another address than the request")
		case ok:
			r.Disposition, r.Case = DispositionReply, answered.ID
			return r, a.Records.MoveArrival(ctx, p.Arrival, library.ArrivalPlaced, "reply to "+string(answered.ID))
		}
	}
	opened, err := a.openCase(ctx, arrival, 1, message)
	r.Disposition, r.Case = DispositionRequest, opened.ID
	return r, err
}

func (a *Arrivals) wait(ctx context.Context, r OpenArrivalResult, id library.ArrivalID, reason string) (OpenArrivalResult, error) {
	r.Disposition, r.Reason = DispositionWaiting, reason
	return r, a.Records.MoveArrival(ctx, id, library.ArrivalWaiting, reason)
}

// openCase makes the case for a part of an arrival, under a number that is free.
func (a *Arrivals) openCase(ctx context.Context, arrival library.Arrival, part int, m library.MailMessage) (library.Case, error) {
	c := library.Case{
		Arrival: arrival.ID, Part: part, Channel: arrival.Channel, Stage: library.StageReading, Waiting: library.WaitingNobody,
		ReceivedAt: arrival.ReceivedAt, DueAt: arrival.ReceivedAt.Add(library.AnswerWithin), Papers: []string{arrival.Digest},
		Requester: library.Hide(library.Requester{Email: m.ReplyTo, InReplyTo: m.MessageID, Subject: m.Subject}),
	}
	var err error
	for range 5 { // Of 34 thousand million numbers, five taken in a row are a fault.
		c.ID = a.NewID()
		var opened library.Case
		if opened, err = a.Records.OpenCase(ctx, c); library.KindOf(err) != library.Conflict {
			return opened, err
		}
	}
	return library.Case{}, library.Fault("open case", "", errors.New("no free case number"))
}

// answers finds the open case that a message is a reply to: by the Message-ID
// of our letter, or by a case number in the subject.
func (a *Arrivals) answers(ctx context.Context, m library.MailMessage) (library.Case, bool) {
	var named []string
	for _, id := range m.InReplyTo {
		if local, domain, ok := strings.Cut(id, "@"); ok && domain == a.Domain {
			number, _, _ := strings.Cut(local, ".")
			named = append(named, number)
		}
	}
	if _, after, ok := strings.Cut(m.Subject, "["); ok {
		if number, _, ok := strings.Cut(after, "]"); ok {
			named = append(named, number)
		}
	}
	for _, n := range named {
		id, err := library.ParseCaseID(n)
		if err != nil {
			continue
		}
		if c, err := a.Records.Case(ctx, id); err == nil && c.Stage != library.StageClosed {
			return c, true
		}
	}
	return library.Case{}, false
}

// ReadArrivalParams are the parameters of [Arrivals.ReadArrival].
type ReadArrivalParams struct {
	Arrival library.ArrivalID `json:"arrival"`
	Case    library.CaseID    `json:"case"`
	// Joined adds the pages to those that the case has already.
	Joined bool `json:"joined,omitempty"`
}

// ReadArrivalResult is the result of [Arrivals.ReadArrival].
type ReadArrivalResult struct {
	Pages    int `json:"pages"`
	Words    int `json:"words"`
	Patients int `json:"patients"` // More than one means that staff must split it.
	Troubles int `json:"troubles"` // Parts that could not be read.
}

// ReadArrival turns an arrival into pages and the pages into a reading, and
// puts both into the vault.
func (a *Arrivals) ReadArrival(ctx context.Context, p ReadArrivalParams) (ReadArrivalResult, error) {
	arrival, err := a.Records.Arrival(ctx, p.Arrival)
	if err != nil {
		return ReadArrivalResult{}, err
	}
	c, err := a.Records.Case(ctx, p.Case)
	if err != nil {
		return ReadArrivalResult{}, err
	}
	stop := a.Heart.during(ctx, func() any { return nil })
	defer stop()

	message, err := a.parse(ctx, arrival)
	if err != nil && library.KindOf(err) != library.Invalid {
		return ReadArrivalResult{}, err
	}
	var pages []library.Page
	troubles := message.Troubles
	if err != nil {
		troubles = append(troubles, library.Trouble{Code: library.TroubleDamaged, Part: 1, Text: "The message cannot be taken apart. Look at it as it came."})
	} else {
		opened, more, err := a.Opener.Open(ctx, message.Parts)
		if err != nil {
			return ReadArrivalResult{}, err
		}
		pages, troubles = opened, append(troubles, more...)
	}
	papers := []string{arrival.Digest}
	if p.Joined && c.Reading != "" { // What could not be read before still cannot.
		before, err := openJSON[library.Reading](ctx, a.Vault, c.Reading)
		if err != nil {
			return ReadArrivalResult{}, err
		}
		troubles = mergeTroubles(before.Troubles, troubles)
	}
	if p.Joined { // The case's sender stays who wrote first, whoever adds to it.
		message.From, message.FromName = c.Requester.Reveal().Email, ""
	}
	if p.Joined && !slices.Contains(c.Papers, arrival.Digest) {
		before, err := a.pages(ctx, c.Pages)
		if err != nil {
			return ReadArrivalResult{}, err
		}
		for i := range pages {
			pages[i].Number += len(before)
		}
		pages, papers = append(before, pages...), append(slices.Clone(c.Papers), arrival.Digest)
	} else if p.Joined {
		papers = c.Papers
		if pages, err = a.pages(ctx, c.Pages); err != nil {
			return ReadArrivalResult{}, err
		}
	}
	return a.save(ctx, c, pages, troubles, papers, message)
}

// SplitArrivalParams are the parameters of [Arrivals.SplitArrival].
type SplitArrivalParams struct {
	Arrival library.ArrivalID `json:"arrival"`
	Case    library.CaseID    `json:"case"` // The case that holds all pages, and will hold the first group.
	Pages   [][]int           `json:"pages"`
}

// SplitArrivalResult is the result of [Arrivals.SplitArrival].
type SplitArrivalResult struct {
	Cases []library.CaseID `json:"cases"` // One for each group, in order.
}

// SplitArrival gives each group of pages a case of its own and reads it. A
// page that is in no group is an [library.Invalid] error: no page gets lost.
func (a *Arrivals) SplitArrival(ctx context.Context, p SplitArrivalParams) (SplitArrivalResult, error) {
	arrival, err := a.Records.Arrival(ctx, p.Arrival)
	if err != nil {
		return SplitArrivalResult{}, err
	}
	first, err := a.Records.Case(ctx, p.Case)
	if err != nil {
		return SplitArrivalResult{}, err
	}
	stop := a.Heart.during(ctx, func() any { return nil })
	defer stop()
	message, err := a.parse(ctx, arrival)
	if err != nil {
		return SplitArrivalResult{}, err
	}
	all, troubles, err := a.Opener.Open(ctx, message.Parts)
	if err != nil {
		return SplitArrivalResult{}, err
	}
	troubles = append(slices.Clone(message.Troubles), troubles...)
	groups, err := split(all, p.Pages)
	if err != nil {
		return SplitArrivalResult{}, err
	}
	var r SplitArrivalResult
	for i, pages := range groups {
		c := first
		if i > 0 {
			if c, err = a.openCase(ctx, arrival, i+1, message); err != nil {
				return SplitArrivalResult{}, err
			}
		}
		if _, err := a.save(ctx, c, pages, troubles, []string{arrival.Digest}, message); err != nil {
			return SplitArrivalResult{}, err
		}
		r.Cases = append(r.Cases, c.ID)
	}
	return r, nil
}

// split deals pages into groups by their numbers.
func split(pages []library.Page, groups [][]int) ([][]library.Page, error) {
	const op = "split arrival"
	dealt := map[int]bool{}
	var out [][]library.Page
	for _, numbers := range groups {
		var group []library.Page
		for _, n := range numbers {
			i := slices.IndexFunc(pages, func(p library.Page) bool { return p.Number == n })
			if i < 0 {
				return nil, library.Errorf(library.Invalid, op, "", "there is no page %d", n)
			}
			dealt[n] = true
			group = append(group, pages[i])
		}
		if len(group) == 0 {
			return nil, library.Errorf(library.Invalid, op, "", "a group has no pages")
		}
		out = append(out, group)
	}
	for _, p := range pages {
		if !dealt[p.Number] {
			return nil, library.Errorf(library.Invalid, op, "", "page %d is in no group", p.Number)
		}
	}
	return out, nil
}

// PlaceArrivalParams are the parameters of [Arrivals.PlaceArrival].
type PlaceArrivalParams struct {
	Arrival library.ArrivalID    `json:"arrival"`
	State   library.ArrivalState `json:"state"`
	Reason  string               `json:"reason"`
}

// PlaceArrivalResult is the result of [Arrivals.PlaceArrival].
type PlaceArrivalResult struct{}

// PlaceArrival notes what has become of an arrival.
func (a *Arrivals) PlaceArrival(ctx context.Context, p PlaceArrivalParams) (PlaceArrivalResult, error) {
	return PlaceArrivalResult{}, a.Records.MoveArrival(ctx, p.Arrival, p.State, p.Reason)
}

func (a *Arrivals) parse(ctx context.Context, arrival library.Arrival) (library.MailMessage, error) {
	raw, err := a.Vault.Open(ctx, arrival.Digest)
	if err != nil {
		return library.MailMessage{}, err
	}
	defer func() { _ = raw.Close() }()
	return a.Parser.Parse(ctx, raw)
}

// save reads pages, puts pages and reading into the vault and notes them in
// the case.
func (a *Arrivals) save(ctx context.Context, c library.Case, pages []library.Page, troubles []library.Trouble, papers []string, m library.MailMessage) (ReadArrivalResult, error) {
	read := reading.Read(pages, reading.Options{Received: library.DateOf(c.ReceivedAt), Sender: m.From, SenderName: m.FromName, Library: a.Library})
	read.Troubles = mergeTroubles(read.Troubles, troubles)
	readDigest, err := putJSON(ctx, a.Vault, read)
	if err != nil {
		return ReadArrivalResult{}, err
	}
	pagesDigest, err := putJSON(ctx, a.Vault, pages)
	if err != nil {
		return ReadArrivalResult{}, err
	}
	if err := a.Records.SetReading(ctx, c.ID, readDigest, pagesDigest, papers); err != nil {
		return ReadArrivalResult{}, err
	}
	r := ReadArrivalResult{Pages: len(pages), Patients: 1 + len(read.Others), Troubles: len(read.Troubles)}
	for _, p := range pages {
		for _, l := range p.Lines {
			r.Words += len(l.Words)
		}
	}
	return r, nil
}

// mergeTroubles adds the troubles that are new to those that were there.
func mergeTroubles(before, more []library.Trouble) []library.Trouble {
	all := slices.Clone(before)
	for _, t := range more {
		if !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	return all
}

func (a *Arrivals) pages(ctx context.Context, digest string) ([]library.Page, error) {
	if digest == "" {
		return nil, nil
	}
	return openJSON[[]library.Page](ctx, a.Vault, digest)
}

// putJSON puts v into the vault and returns its digest.
func putJSON(ctx context.Context, vault Vault, v any) (string, error) {
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(json.NewEncoder(w).Encode(v)) }()
	digest, _, err := vault.Put(ctx, r, documentLimit)
	_ = r.CloseWithError(err)
	return digest, err
}

// openJSON reads what [putJSON] put.
func openJSON[T any](ctx context.Context, vault Vault, digest string) (T, error) {
	var v T
	r, err := vault.Open(ctx, digest)
	if err != nil {
		return v, err
	}
	defer func() { _ = r.Close() }()
	if err := json.NewDecoder(r).Decode(&v); err != nil {
		return v, library.Fault("read document", digest, fmt.Errorf("not what was put there"))
	}
	return v, nil
}
