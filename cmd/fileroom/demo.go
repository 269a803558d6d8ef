package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"net/url"
	"text/template"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"fileroom/internal/devstack"
	"fileroom/internal/dicomweb"
	"fileroom/internal/library"
	"fileroom/internal/postgres"
	"fileroom/internal/staff"
	"fileroom/internal/vault"
	"fileroom/workers"
	"fileroom/workflows"
)

// demoCommand shows the main job from end to end.
type demoCommand struct {
	Auto     bool          `help:"Approve by itself, over the same update as the Temporal UI."`
	Dir      string        `default:".fileroom/demo" type:"path" help:"Folder of the servers' data."`
	PortBase int           `default:"7740" help:"First of twenty ports."`
	Patience time.Duration `default:"5m" help:"With --auto: how long the whole may take once the letter is in the mailbox."`
}

//go:embed sample.eml
var sampleLetter string

// Run runs the demonstration.
func (d demoCommand) Run(ctx context.Context, c console) error {
	c.printf("Starting the servers: Temporal with its UI, PostgreSQL, a mailbox, a PACS and a receiving archive.\n")
	i, err := startInstallation(ctx, devCommand{Dir: d.Dir, PortBase: d.PortBase}, c.err)
	if err != nil {
		return err
	}
	defer i.stop(context.WithoutCancel(ctx))
	if d.Auto {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.Patience)
		defer cancel()
	}
	show, err := newShow(ctx, i, c, d.Auto)
	if err != nil {
		return err
	}
	defer show.close()
	err = show.run(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("it is not done after %s; %s", d.Patience, show.where())
	}
	return err
}

// A show follows one case and tells what it does.
type show struct {
	i        *installation
	verifier *staff.Verifier
	c        console
	auto     bool
	began    time.Time
	closeDB  func()
	store    *postgres.Store
	temporal client.Client
	id       library.CaseID
	told     map[string]bool // Events told already.
	stage    string
}

func newShow(ctx context.Context, i *installation, c console, auto bool) (*show, error) {
	ring, err := vault.ReadKeyring(i.dev.Worker["FILEROOM_KEYRING_FILE"])
	if err != nil {
		return nil, err
	}
	signer, err := signingFlags{SigningKey: i.dev.Pages["FILEROOM_SIGNING_KEY_FILE"]}.signer(ring)
	if err != nil {
		return nil, err
	}
	pool, err := databaseFlags{DatabaseURL: i.dev.Worker["FILEROOM_DATABASE_URL"]}.open(ctx)
	if err != nil {
		return nil, err
	}
	verifier, err := newVerifier(ring, i.dev.Worker["FILEROOM_STAFF_KEYS_FILE"])
	if err != nil {
		return nil, err
	}
	speaks := staff.ClientInterceptor(signer, i.dev.Staff[0], workers.StaffMessages...)
	temporal, _, err := temporalFlags{TemporalAddress: i.dev.Temporal.Address}.dial(ctx, ring, i.log, speaking(speaks))
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &show{i: i, verifier: verifier, c: c, auto: auto, store: postgres.NewStore(pool), closeDB: pool.Close, temporal: temporal, told: map[string]bool{}}, nil
}

func (s *show) close() {
	s.temporal.Close()
	s.closeDB()
}

// say prints a line with the seconds since the letter was sent.
func (s *show) say(format string, args ...any) {
	s.c.printf("%6.1f s  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

func (s *show) run(ctx context.Context) error {
	s.began = time.Now()
	if err := s.post(); err != nil {
		return err
	}
	s.say("a letter from a patient is in the mailbox: please send my images to my lung doctor")
	if err := s.findCase(ctx); err != nil {
		return err
	}
	s.say("it is case %s", s.id)
	if err := s.follow(ctx); err != nil {
		return err
	}
	return s.account(ctx)
}

// post puts the sample letter into the library's mailbox.
func (s *show) post() error {
	t, err := template.New("letter").Parse(sampleLetter)
	if err != nil {
		return err
	}
	now := time.Now()
	var raw bytes.Buffer
	err = t.Execute(&raw, map[string]string{
		"From": s.i.dev.IMAP.Account(devstack.Requester).Email, "To": s.i.dev.IMAP.Account(devstack.Library).Email,
		"Date": now.Format(time.RFC1123Z), "Day": now.Format("January 2, 2006"), "ID": fmt.Sprint(now.UnixNano()),
	})
	if err != nil {
		return err
	}
	return s.i.stack.Deliver(devstack.Library, s.i.dev.IMAP.Account(devstack.Requester).Email, &raw)
}

// look is how often the show looks at the records.
const look = 200 * time.Millisecond

// each calls f until it is done, or ctx ends.
func each(ctx context.Context, f func() (done bool, err error)) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		if done, err := f(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// findCase waits until the letter has become a case.
func (s *show) findCase(ctx context.Context) error {
	known := map[library.CaseID]bool{}
	return each(ctx, func() (bool, error) {
		cases, err := s.store.Cases(ctx, library.CaseFilter{})
		for _, one := range cases {
			if one.ReceivedAt.After(s.began.Add(-2*time.Second)) && !known[one.ID] {
				s.id = one.ID
				return true, nil
			}
		}
		return false, err
	})
}

// follow tells what happens until the case is closed.
func (s *show) follow(ctx context.Context) error {
	return each(ctx, func() (bool, error) {
		if err := s.tellEvents(ctx); err != nil {
			return false, err
		}
		one, err := s.store.Case(ctx, s.id)
		if err != nil {
			return false, err
		}
		if stage := string(one.Stage) + "/" + string(one.Waiting); stage != s.stage {
			s.stage = stage
			if one.Stage == library.StageReview {
				return false, s.review(ctx)
			}
		}
		return one.Stage == library.StageClosed, nil
	})
}

// busy reports whether Temporal has only no time at the moment.
func busy(err error) bool {
	_, late := errors.AsType[*serviceerror.DeadlineExceeded](err)
	_, unavailable := errors.AsType[*serviceerror.Unavailable](err)
	_, notReady := errors.AsType[*serviceerror.WorkflowNotReady](err)
	return late || unavailable || notReady
}

func (s *show) tellEvents(ctx context.Context) error {
	events, err := s.store.Events(ctx, s.id)
	for _, e := range events {
		if key := e.Key + e.What + e.Detail; !s.told[key] {
			s.told[key] = true
			s.say("%s %s", e.What, e.Detail)
		}
	}
	return err
}

// review tells what staff see, and approves if it is to.
func (s *show) review(ctx context.Context) error {
	var view workflows.CaseView
	err := each(ctx, func() (done bool, err error) { // The query may come a moment before the workflow has heard.
		view, err = viewCase(ctx, s.temporal, s.id)
		if busy(err) {
			return false, nil
		}
		return view.Stage != library.StageChecking, err
	})
	if err != nil {
		return err
	}
	s.say("staff must decide: basis %s, risk tier %d, %d images to %s, %d findings open", view.Basis, view.Tier, view.Images, view.Facility, len(view.Open))
	for _, r := range view.Open {
		s.say("  %s %s %s", r.Severity, r.Rule, r.Title)
	}
	if !s.auto {
		first := ""
		if len(view.Open) > 0 {
			first = ", answer what is open"
		}
		s.c.printf("\n  In the Temporal UI   %s\n  at the desk          %s\n\nOpen one of them%s and approve. %s\n",
			s.i.dev.Gateway.URL+"/namespaces/"+s.i.dev.Temporal.Namespace+"/workflows/"+url.PathEscape(workflows.ReleaseID(s.id)),
			s.i.dev.Gateway.PanelURL+"/desk/"+string(s.id), first, certificateWords)
		return nil
	}
	receipt, err := approve(ctx, s.temporal, s.id, view.Revision, "demonstration")
	if err == nil {
		s.say("approved by %s", receipt.By)
	}
	return err
}

// account looks whether everything is where it must be, and says so.
func (s *show) account(ctx context.Context) error {
	if err := s.tellEvents(ctx); err != nil {
		return err
	}
	one, err := s.store.Case(ctx, s.id)
	if err != nil {
		return err
	}
	if one.Outcome != library.OutcomeReleased {
		return fmt.Errorf("case %s ended as %s, not as released", s.id, one.Outcome)
	}
	want, have, err := s.count(ctx, one)
	if err != nil {
		return err
	}
	answers, err := s.answers()
	if err != nil {
		return err
	}
	s.say("the requester has %d letters about it", answers)
	if err := s.proveDecision(ctx); err != nil {
		return err
	}
	took := time.Since(s.began).Seconds()
	s.c.printf("case %s released: %d of %d images confirmed at the receiver in %.1f s\n", s.id, have, want, took)
	switch {
	case have != want || want == 0:
		return fmt.Errorf("%d images are missing at the receiver", want-have)
	case answers != 2:
		return fmt.Errorf("the requester has %d letters and not 2", answers)
	}
	return nil
}

// proveDecision says who approved, and that the records prove it.
func (s *show) proveDecision(ctx context.Context) error {
	decisions, err := s.store.Decisions(ctx, s.id)
	if err != nil {
		return err
	}
	report, err := verify(ctx, s.store, verified{s.verifier}, s.id)
	if err != nil {
		return err
	}
	for _, w := range report.Wrong {
		s.say("WRONG: %s", w)
	}
	if len(report.Wrong) > 0 {
		return fmt.Errorf("%d things on record do not hold", len(report.Wrong))
	}
	for _, d := range decisions {
		s.say("on record: %s by %s; the signature holds", d.Message, d.Actor.Name)
	}
	return nil
}

// count asks the receiver itself how many of the images it has.
func (s *show) count(ctx context.Context, one library.Case) (want, have int, err error) {
	receiver, err := dicomweb.New(dicomweb.Config{URL: s.i.dev.Receiver.URL, Username: s.i.dev.Receiver.User, Password: s.i.dev.Receiver.Password})
	if err != nil {
		return 0, 0, err
	}
	rows, err := s.store.TransferInstances(ctx, one.ID, one.Revision, one.Facility)
	if err != nil {
		return 0, 0, err
	}
	there := map[string]bool{}
	for _, row := range rows {
		if _, asked := there[row.Study]; asked {
			continue
		}
		there[row.Study] = true
		list, err := receiver.Instances(ctx, row.Study)
		if err != nil {
			return 0, 0, err
		}
		for _, instance := range list {
			there[instance.SOP] = true
		}
	}
	for _, row := range rows {
		if there[row.SOP] && row.State == library.InstanceConfirmed {
			have++
		}
	}
	return len(rows), have, nil
}

// answers counts the letters about the case in the requester's own mailbox.
func (s *show) answers() (int, error) {
	found := map[string]bool{}
	err := s.i.stack.Messages(devstack.Requester, func(raw io.Reader) error {
		m, err := mail.ReadMessage(raw)
		if err != nil {
			return nil //nolint:nilerr // Not a letter of ours.
		}
		if bytes.Contains([]byte(m.Header.Get("Subject")), []byte("["+string(s.id)+"]")) {
			found[m.Header.Get("Message-ID")] = true
		}
		return nil
	})
	return len(found), err
}

// where says how far the case has come, for when it does not get on.
func (s *show) where() string {
	if s.id == "" {
		return "no case was made of the letter; see " + s.i.dev.Logs
	}
	return fmt.Sprintf("case %s stands at %s; see %s", s.id, s.stage, s.i.dev.Logs)
}
