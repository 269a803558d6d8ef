package integration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"fileroom/internal/devstack/faultproxy"
	"fileroom/internal/devstack/studies"
	"fileroom/internal/library"
	"fileroom/internal/vault"
	"fileroom/workflows"
)

const (
	// killedImages is how many images each of the killed cases has: five requests
	// to the receiver.
	killedImages = 100
	// batch is how many images go in one request to the receiver, which is as many as a
	// crash may send twice.
	batch = 20
	// glance is how often the records are looked at for the moment to kill.
	glance = 15 * time.Millisecond
)

// A moment is when a worker is killed: as soon as the records show what it
// says, or a few glances later.
type moment struct {
	name  string
	shows func(ctx context.Context, s *sight) (bool, error)
}

// moments are ten, in the order in which a case comes to them. Where there are
// many like them, r chooses one.
func moments(r *rand.Rand) []moment {
	early, late, proven := 1+r.IntN(killedImages/2), killedImages/2+r.IntN(killedImages/2), 1+r.IntN(killedImages)
	images := func(n int, states ...library.InstanceState) func(context.Context, *sight) (bool, error) {
		return func(ctx context.Context, s *sight) (bool, error) {
			have, err := s.images(ctx, states...)
			return have >= n, err
		}
	}
	return []moment{
		{"the mail is kept", func(ctx context.Context, s *sight) (bool, error) {
			_, err := s.number(ctx, s.mail)
			return err == nil, err
		}},
		{"the acknowledgement is written", func(ctx context.Context, s *sight) (bool, error) { return s.letter(ctx, library.LetterAcknowledgement) }},
		{"the letter is read", func(ctx context.Context, s *sight) (bool, error) { return s.event(ctx, "reading") }},
		{"the patient is found", func(ctx context.Context, s *sight) (bool, error) { return s.event(ctx, "match") }},
		{"the approval is on record", func(ctx context.Context, s *sight) (bool, error) { return s.decided(ctx) }},
		{fmt.Sprintf("%d images are sent", early), images(early, library.InstanceSent, library.InstanceConfirmed)},
		{fmt.Sprintf("%d images are sent already", late), images(late, library.InstanceSent, library.InstanceConfirmed)},
		{fmt.Sprintf("%d images are confirmed", proven), images(proven, library.InstanceConfirmed)},
		{"the disclosure is completed", func(ctx context.Context, s *sight) (bool, error) { return s.disclosed(ctx) }},
		{"the closing letter is written", func(ctx context.Context, s *sight) (bool, error) { return s.letter(ctx, library.LetterReleased) }},
	}
}

// A sight is what can be seen of one letter in the records.
type sight struct {
	*stack
	mail message
	id   library.CaseID
}

// case1 returns the case of the letter, or a [library.NotFound] error.
func (s *sight) case1(ctx context.Context) (library.Case, error) {
	if s.id != "" {
		return s.store.Case(ctx, s.id)
	}
	a, err := s.number(ctx, s.mail)
	if err != nil {
		return library.Case{}, err
	}
	c, err := s.store.CaseOfArrival(ctx, a, 1)
	s.id = c.ID
	return c, err
}

func (s *sight) letter(ctx context.Context, kind library.LetterKind) (bool, error) {
	c, err := s.case1(ctx)
	if err != nil {
		return false, err
	}
	all, err := s.store.Letters(ctx, c.ID)
	for _, l := range all {
		if l.Kind == kind {
			return true, nil
		}
	}
	return false, err
}

// event reports whether the letter was read, or its patient matched.
func (s *sight) event(ctx context.Context, what string) (bool, error) {
	c, err := s.case1(ctx)
	if err != nil || what == "reading" {
		return c.Reading != "", err
	}
	m, err := s.store.Match(ctx, c.ID)
	return len(m.Patients) > 0, err
}

func (s *sight) decided(ctx context.Context) (bool, error) {
	c, err := s.case1(ctx)
	if err != nil {
		return false, err
	}
	all, err := s.store.Decisions(ctx, c.ID)
	return len(all) > 0, err
}

func (s *sight) disclosed(ctx context.Context) (bool, error) {
	c, err := s.case1(ctx)
	if err != nil {
		return false, err
	}
	all, err := s.store.Disclosures(ctx, c.ID)
	return len(all) > 1, err
}

func (s *sight) images(ctx context.Context, states ...library.InstanceState) (int, error) {
	c, err := s.case1(ctx)
	if err != nil {
		return 0, err
	}
	rows, err := s.store.TransferInstances(ctx, c.ID, c.Revision, c.Facility)
	n := 0
	for _, row := range rows {
		for _, state := range states {
			if row.State == state {
				n++
			}
		}
	}
	return n, err
}

// TestKilledAnywhere kills the worker at ten moments in the lives of ten cases,
// each with a worker of its own, and starts it again. Whatever the moment, the
// record is the same in the end.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	s := servers(t)
	ctx := within(t, limit)
	proxy := behind(t, s.dev.Receiver.URL)
	place := s.place(ctx, t, numberKilled, proxy.URL(), known)
	t.Logf("-seed %d", *seed)
	r := rand.New(rand.NewPCG(*seed, 0))
	for n, m := range moments(r) {
		later := r.IntN(4)
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			ctx := within(t, limit)
			p := invent(numberKilled + n)
			ct := p.ct(killedImages)
			s.fill(ctx, t, ct)
			i := s.own(ctx, t, fmt.Sprintf("killed-%d", n), nil)
			k := &killing{i: i, seen: &sight{stack: s, mail: letter{from: p, to: place, asks: []string{askCT}}.message()}, later: later}
			i.deliver(t, k.seen.mail)
			k.run(ctx, t, m)
			k.judge(ctx, t, ct, proxy)
		})
	}
}

// A killing is one of the ten.
type killing struct {
	i     *installation
	seen  *sight
	later int
}

// run sees a case through, killing the worker at the moment, while another
// goes on as if nothing had happened: whoever approves, approves.
func (k *killing) run(ctx context.Context, t *testing.T, m moment) {
	t.Helper()
	approved := make(chan error, 1)
	go func() { approved <- k.approveWhenever(ctx) }()
	began := time.Now()
	at := &sight{stack: k.seen.stack, mail: k.seen.mail}
	glances := 0
	err := pollEvery(ctx, glance, func() (bool, error) {
		shown, err := m.shows(ctx, at)
		if library.KindOf(err) == library.NotFound {
			return false, nil
		}
		if shown {
			glances++
		}
		return glances > k.later, err
	})
	if err != nil {
		t.Fatalf("waiting for the moment: %v", err)
	}
	k.i.worker.kill()
	killed := time.Now()
	if err := k.i.startWorker(ctx); err != nil {
		t.Fatalf("start the worker again: %v", err)
	}
	if err := <-approved; err != nil {
		t.Fatalf("approve: %v", err)
	}
	c, err := k.seen.case1(ctx)
	if err != nil {
		t.Fatal(err)
	}
	k.i.awaitStage(ctx, t, c.ID, library.StageClosed)
	t.Logf("killed after %.1f s, closed %.1f s later", killed.Sub(began).Seconds(), time.Since(killed).Seconds())
}

// approveWhenever approves the case as soon as it can be approved. The command
// may end in the middle of a crash: then a person would look, and try again.
func (k *killing) approveWhenever(ctx context.Context) error {
	at := &sight{stack: k.seen.stack, mail: k.seen.mail}
	return poll(ctx, func() (bool, error) {
		c, err := at.case1(ctx)
		if library.KindOf(err) == library.NotFound || err == nil && c.Stage != library.StageReview && c.Stage != library.StageReleasing && c.Stage != library.StageClosed {
			return false, nil
		}
		if err != nil || c.Stage != library.StageReview {
			return true, err
		}
		_, err = k.i.run(ctx, "case", "approve", string(c.ID))
		return err == nil, ctx.Err()
	})
}

// judge looks whether the record is what it would be without a crash.
func (k *killing) judge(ctx context.Context, t *testing.T, ct studies.Study, proxy *faultproxy.Proxy) {
	t.Helper()
	c, err := k.seen.case1(ctx)
	if err != nil || c.Outcome != library.OutcomeReleased {
		t.Fatalf("outcome = %s (%v)", c.Outcome, err)
	}
	var cases int
	err = k.i.pool.QueryRow(ctx, `SELECT count(*) FROM fileroom.cases c JOIN fileroom.arrivals a ON a.id = c.arrival_id WHERE a.source = $1`, k.i.name).Scan(&cases)
	if err != nil || cases != 1 {
		t.Errorf("the letter made %d cases (%v), want 1", cases, err)
	}
	letters, err := k.i.letters(c.ID)
	if err != nil {
		t.Fatal(err)
	}
	first := 0
	for _, l := range letters {
		if strings.HasPrefix(l.id, string(c.ID)+".1@") {
			first++
		}
	}
	if distinct(letters) != 2 || first == 0 {
		t.Errorf("the requester has the letters %+v, want one acknowledgement and one closing letter", letters)
	}
	k.i.wantAll(ctx, t, ct)
	k.i.wantDisclosures(ctx, t, c.ID, killedImages, library.DisclosureIntended, library.DisclosureCompleted)
	counts, again := proxy.Counts(), 0
	for _, sop := range instances(ct) {
		// The answer to the request that the crash broke off is never seen, so
		// what the receiver said that it stored may be one time less.
		sent, stored := counts.Sent[sop], counts.Stored[sop]
		if sent == 0 || stored > 1 {
			t.Errorf("an image was sent %d times and stored %d times", sent, stored)
		}
		again += max(sent-1, 0)
	}
	// The receiver, which serves ten transfers at once, may fail now and then as well.
	if tries := k.i.tries(ctx, t, workflows.TransferID(c.ID, 1)); again > batch*(tries-1) {
		t.Errorf("in %d tries %d images were sent again, more than one request's for each interruption", tries, again)
	}
	if lines, _ := k.i.verify(ctx, t, c.ID); lines != 2 {
		t.Errorf("verified %d lines of disclosure, want 2", lines)
	}
	t.Logf("%d of its letters were delivered twice, %d images sent twice", len(letters)-distinct(letters), again)
	if _, err := k.i.nobody.DescribeWorkflowExecution(ctx, workflows.TransferID(c.ID, 2), ""); err == nil {
		t.Error("the crash made a second transfer")
	}
}

// tries returns how often a Transfer began to send, and tells why it began again.
func (i *installation) tries(ctx context.Context, t *testing.T, transfer string) int {
	t.Helper()
	failures, err := vault.FailureConverter(i.ring)
	if err != nil {
		t.Fatal(err)
	}
	sending, tries := map[int64]bool{}, 0
	for _, e := range i.history(ctx, t, transfer).GetEvents() {
		if a := e.GetActivityTaskScheduledEventAttributes(); a.GetActivityType().GetName() == "SendStudies" {
			sending[e.GetEventId()] = true
		}
		a := e.GetActivityTaskStartedEventAttributes()
		if !sending[a.GetScheduledEventId()] {
			continue
		}
		tries += int(a.GetAttempt())
		if f := a.GetLastFailure(); f != nil {
			t.Logf("it began to send %d times: %v", a.GetAttempt(), failures.FailureToError(f))
		}
	}
	return tries
}
