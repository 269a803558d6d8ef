package integration_test

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/library"
)

// A ledger knows which arrival which message is: it looks into the vault, as
// the records say nothing of what is in a message.
type ledger struct {
	mu    sync.Mutex
	known map[string]library.ArrivalID // By Message-ID.
	seen  []int64
}

// arrival returns the arrival of a message, or a [library.NotFound] error.
func (s *stack) arrival(ctx context.Context, m message) (library.Arrival, error) {
	id, err := s.number(ctx, m)
	if err != nil {
		return library.Arrival{}, err
	}
	return s.store.Arrival(ctx, id)
}

func (s *stack) number(ctx context.Context, m message) (library.ArrivalID, error) {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	if id, ok := s.ledger.known[m.id]; ok {
		return id, nil
	}
	rows, err := s.pool.Query(ctx, `SELECT id, digest FROM fileroom.arrivals WHERE NOT id = ANY ($1)`, append([]int64{}, s.ledger.seen...))
	if err != nil {
		return 0, err
	}
	type row struct {
		ID     int64
		Digest string
	}
	fresh, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return 0, err
	}
	for _, r := range fresh {
		id, err := s.messageID(ctx, r.Digest)
		if err != nil {
			return 0, err
		}
		if s.ledger.known == nil {
			s.ledger.known = map[string]library.ArrivalID{}
		}
		s.ledger.known[id] = library.ArrivalID(r.ID)
		s.ledger.seen = append(s.ledger.seen, r.ID)
	}
	if id, ok := s.ledger.known[m.id]; ok {
		return id, nil
	}
	return 0, library.Errorf(library.NotFound, "find arrival", "", "not in the ledger")
}

// madeHere are the Message-IDs of [envelope].
var madeHere = regexp.MustCompile(`letter\.[0-9]+\.[0-9]+@home\.example`)

// messageID returns the Message-ID of a message of ours, however broken, or "".
func (s *stack) messageID(ctx context.Context, digest string) (string, error) {
	r, err := s.papers.Open(ctx, digest)
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }()
	head, err := io.ReadAll(io.LimitReader(r, 4<<10))
	return madeHere.FindString(string(head)), err
}

// keeps reports whether the vault has all of a message.
func (s *stack) keeps(ctx context.Context, a library.Arrival, m message) (bool, error) {
	r, err := s.papers.Open(ctx, a.Digest)
	if err != nil {
		return false, err
	}
	defer func() { _ = r.Close() }()
	raw, err := io.ReadAll(r)
	return bytes.HasSuffix(raw, m.raw), err
}

// awaitCase waits until a message has become a case.
func (s *stack) awaitCase(ctx context.Context, t *testing.T, m message) library.CaseID {
	t.Helper()
	c := await(ctx, t, "the case of a letter", func(ctx context.Context) (library.Case, error) {
		id, err := s.number(ctx, m)
		if err != nil {
			return library.Case{}, err
		}
		return s.store.CaseOfArrival(ctx, id, 1)
	}, func(library.Case) bool { return true })
	return c.ID
}

// awaitStage waits until a case stands at a stage, on record and in its
// workflow.
func (i *installation) awaitStage(ctx context.Context, t *testing.T, id library.CaseID, want library.Stage) library.Case {
	t.Helper()
	c := await(ctx, t, "the stage "+string(want)+" of case "+string(id), func(ctx context.Context) (library.Case, error) { return i.store.Case(ctx, id) },
		func(c library.Case) bool { return c.Stage == want })
	if want == library.StageReview { // The record is written a moment before the workflow hears of it.
		err := poll(ctx, func() (bool, error) {
			v, err := i.view(ctx, id)
			return v.Stage == want, err
		})
		if err != nil {
			t.Fatalf("waiting for the workflow of case %s: %v", id, err)
		}
	}
	return c
}

// open returns the rules that hinder an approval, sorted.
func (s *stack) open(ctx context.Context, t *testing.T, id library.CaseID) []string {
	t.Helper()
	findings, err := s.store.Findings(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	rules := []string{}
	for _, r := range library.OpenRules(findings) {
		if !slices.Contains(rules, r.Rule) {
			rules = append(rules, r.Rule)
		}
	}
	slices.Sort(rules)
	return rules
}

// wantDisclosures fails the test unless the account of a case has exactly
// these lines.
func (s *stack) wantDisclosures(ctx context.Context, t *testing.T, id library.CaseID, images int, kinds ...library.DisclosureKind) {
	t.Helper()
	lines, err := s.store.Disclosures(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	var have []library.DisclosureKind
	for _, d := range lines {
		have = append(have, d.Kind)
		if d.Kind == library.DisclosureCompleted && d.Images != images {
			t.Errorf("the completed disclosure tells of %d images, want %d", d.Images, images)
		}
	}
	if !slices.Equal(have, kinds) {
		t.Errorf("disclosures = %v, want %v", have, kinds)
	}
}
