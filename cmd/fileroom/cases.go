package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"go.temporal.io/sdk/client"

	"fileroom/internal/library"
	"fileroom/internal/postgres"
	"fileroom/internal/staff"
	"fileroom/workers"
	"fileroom/workflows"
)

// caseCommand looks at cases.
type caseCommand struct {
	List    caseList    `cmd:"" help:"List open cases, the most urgent first, and arrivals that wait to be placed."`
	Show    caseShow    `cmd:"" help:"Show one case: where it stands, findings, candidates, letters, history."`
	Approve caseApprove `cmd:"" help:"Approve a case as it stands, over the same update as the Temporal UI."`
	Verify  caseVerify  `cmd:"" help:"Check that the account of disclosures is unbroken, and who signed the decisions."`
}

type caseList struct {
	databaseFlags
	All bool `help:"Closed ones as well."`
}

// Run lists cases.
func (l caseList) Run(ctx context.Context, c console) error {
	pool, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	store := postgres.NewStore(pool)
	cases, err := store.Cases(ctx, library.CaseFilter{Closed: l.All})
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CASE\tSTAGE\tWAITS FOR\tCAME BY\tRECEIVED\tDUE\tOUTCOME")
	for _, one := range cases {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", one.ID, one.Stage, one.Waiting, one.Channel,
			one.ReceivedAt.Format(time.DateOnly), one.DueAt.Format(time.DateOnly), one.Outcome)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	waiting, err := store.WaitingArrivals(ctx)
	for _, a := range waiting {
		c.printf("arrival %d waits to be placed: %s\n", a.ID, a.Reason)
	}
	return err
}

type caseShow struct {
	databaseFlags
	Case string `arg:"" help:"The case's number, such as K7MQ-42XD."`
}

// Run shows a case. It prints patient data, for whoever may read the records.
func (s caseShow) Run(ctx context.Context, c console) error {
	id, err := library.ParseCaseID(s.Case)
	if err != nil {
		return err
	}
	pool, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	return showCase(ctx, c, postgres.NewStore(pool), id)
}

func showCase(ctx context.Context, c console, store library.Records, id library.CaseID) error {
	one, err := store.Case(ctx, id)
	if err != nil {
		return err
	}
	c.printf("Case %s: %s, waits for %s %s\n", one.ID, one.Stage, one.Waiting, one.Outcome)
	c.printf("Received %s by %s, due %s\n", one.ReceivedAt.Format(time.DateOnly), one.Channel, one.DueAt.Format(time.DateOnly))
	c.printf("Legal basis %s, risk tier %d, destination %s\nRevision %s\n", one.Basis, one.Tier, one.Facility, one.Revision)
	if err := showFindings(ctx, c, store, id); err != nil {
		return err
	}
	if err := showMatch(ctx, c, store, id); err != nil {
		return err
	}
	letters, err := store.Letters(ctx, id)
	if err != nil {
		return err
	}
	c.printf("\nLetters\n")
	for _, l := range letters {
		c.printf("  %d. %s: %s %s\n", l.Number, l.Kind, l.State, l.Reason)
	}
	events, err := store.Events(ctx, id)
	c.printf("\nHistory\n")
	for _, e := range events {
		c.printf("  %s  %s %s (%s)\n", e.At.Local().Format(time.DateTime), e.What, e.Detail, e.Actor)
	}
	return err
}

func showFindings(ctx context.Context, c console, store library.Records, id library.CaseID) error {
	findings, err := store.Findings(ctx, id)
	if err != nil {
		return err
	}
	c.printf("\nFindings\n")
	for _, f := range findings {
		state := "open"
		if f.Acknowledged != nil {
			state = "acknowledged by " + f.Acknowledged.By + ": " + f.Acknowledged.Reason
		} else if !f.Open() {
			state = "note"
		}
		c.printf("  %-6s %-5s %s (%s)\n         %s\n", f.Severity, f.Rule, f.Title, state, f.Why)
	}
	return nil
}

func showMatch(ctx context.Context, c console, store library.Records, id library.CaseID) error {
	m, err := store.Match(ctx, id)
	if err != nil {
		return err
	}
	mark := map[bool]string{true: "*", false: " "}
	c.printf("\nPatients in the PACS (* chosen)\n")
	for _, p := range m.Patients {
		r := p.Record.Reveal()
		c.printf("%s %s  %s, born %s, MRN %s  %s\n", mark[p.Chosen], p.Key, r.Name, r.BirthDate, r.ID, reasons(p.Reasons))
	}
	c.printf("\nStudies (* chosen)\n")
	for _, s := range m.Studies {
		c.printf("%s %s  %s %s, %d images  %s\n    %s\n", mark[s.Chosen], s.Date, strings.Join(s.Modalities, "/"), s.Description.Reveal(), s.Instances, reasons(s.Reasons), s.UID)
	}
	return nil
}

func reasons(all []library.Reason) string {
	var words []string
	for _, r := range all {
		sign := "+"
		if r.Against {
			sign = "-"
		}
		words = append(words, sign+string(r.Code))
	}
	return strings.Join(words, " ")
}

// signFlags say who speaks, and with which key that is signed.
type signFlags struct {
	signingFlags
	As string `default:"demo-specialist" help:"Who approves: one of the demonstration's people."`
}

// actor finds who speaks among the people of the demonstration. There alone may
// the command line sign: whoever types a name proves nothing.
func (f signFlags) actor() (staff.Actor, error) {
	if !f.Demonstration {
		return staff.Actor{}, errors.New("the command line approves in the demonstration alone (fileroom --dev .fileroom case approve ...): a typed name proves nobody")
	}
	var names []string
	for _, a := range demonstrationStaff() {
		if a.Subject == f.As {
			return a, nil
		}
		names = append(names, a.Subject)
	}
	return staff.Actor{}, fmt.Errorf("--as: %q is none of %s", f.As, strings.Join(names, ", "))
}

type caseApprove struct {
	keyFlags
	temporalFlags
	signFlags
	Revision string `help:"The revision you looked at; the present one if not given."`
	Note     string `help:"A note for the record."`
	Case     string `arg:"" help:"The case's number."`
}

// Run approves a case.
func (a caseApprove) Run(ctx context.Context, c console) error {
	id, err := library.ParseCaseID(a.Case)
	if err != nil {
		return err
	}
	ring, err := a.ring()
	if err != nil {
		return err
	}
	signer, err := a.signer(ring)
	if err != nil {
		return err
	}
	who, err := a.actor()
	if err != nil {
		return err
	}
	speaks := staff.ClientInterceptor(signer, who, workers.StaffMessages...)
	temporal, _, err := a.dial(ctx, ring, newLog(c, slog.LevelError), speaking(speaks))
	if err != nil {
		return err
	}
	defer temporal.Close()
	receipt, err := approve(ctx, temporal, id, library.Revision(a.Revision), a.Note)
	if err != nil {
		return err
	}
	c.printf("Approved by %s.\n", receipt.By)
	return nil
}

// approve approves a case at a revision, or at the present one if it is empty.
func approve(ctx context.Context, temporal client.Client, id library.CaseID, revision library.Revision, note string) (workflows.Receipt, error) {
	var receipt workflows.Receipt
	if revision == "" {
		view, err := viewCase(ctx, temporal, id)
		if err != nil {
			return receipt, err
		}
		if view.Revision == "" {
			return receipt, fmt.Errorf("case %s cannot be approved as it stands: see fileroom case show %s", id, id)
		}
		revision = view.Revision
	}
	update, err := temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflows.ReleaseID(id), UpdateName: string(library.Approve), WaitForStage: client.WorkflowUpdateStageCompleted,
		Args: []any{library.ApprovePayload{Revision: revision, Note: note}},
	})
	if err != nil {
		return receipt, err
	}
	return receipt, update.Get(ctx, &receipt)
}

func viewCase(ctx context.Context, temporal client.Client, id library.CaseID) (workflows.CaseView, error) {
	var view workflows.CaseView
	answer, err := temporal.QueryWorkflow(ctx, workflows.ReleaseID(id), "", workflows.CaseQuery)
	if err != nil {
		return view, err
	}
	return view, answer.Get(&view)
}
