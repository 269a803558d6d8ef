package workflows_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	tlog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"fileroom/activities"
	"fileroom/activities/activitiestest"
	"fileroom/internal/devstack/studies"
	"fileroom/internal/failure"
	"fileroom/internal/letter"
	"fileroom/internal/library"
	"fileroom/internal/library/librarytest"
	"fileroom/internal/rules"
	"fileroom/internal/staff"
	"fileroom/internal/staff/stafftest"
	"fileroom/workers"
	"fileroom/workflows"
)

// The staff of the tests.
var (
	dana  = library.Actor{Subject: "dana", Name: "Dana", Roles: []library.Role{library.RoleSpecialist}}
	omar  = library.Actor{Subject: "omar", Name: "Omar", Roles: []library.Role{library.RoleSpecialist}}
	luis  = library.Actor{Subject: "luis", Name: "Luis", Roles: []library.Role{library.RoleLead}}
	priya = library.Actor{Subject: "priya", Name: "Priya", Roles: []library.Role{library.RolePrivacy}}
	vera  = library.Actor{Subject: "vera", Name: "Vera", Roles: []library.Role{library.RoleViewer}}
	adam  = library.Actor{Subject: "adam", Name: "Adam", Roles: []library.Role{library.RoleAdmin}}
)

// desk is the address of the staff's pages.
const desk = "https://panel.hospital.example"

// A world is a test environment with the real activities on memory.
type world struct {
	*testsuite.TestWorkflowEnvironment
	t        *testing.T
	records  *librarytest.Records
	vault    *librarytest.Vault
	mail     *activitiestest.Sender
	pacs     *activitiestest.Archive
	receiver *activitiestest.Archive
	all      workers.Activities
	said     int
	batch    *batch
}

// newWorld returns an environment that runs the real activities, under the
// interceptors that production uses. Updates are signed by the person that
// their id names.
func newWorld(t *testing.T) *world {
	t.Helper()

	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(tlog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	w := &world{
		TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), t: t,
		records: &librarytest.Records{}, vault: &librarytest.Vault{}, mail: &activitiestest.Sender{},
		pacs: &activitiestest.Archive{}, receiver: &activitiestest.Archive{}, batch: &batch{},
	}
	speakers := map[string]library.Actor{}
	for _, a := range []library.Actor{dana, omar, luis, priya, vera, adam} {
		for n := range 20 {
			speakers[fmt.Sprintf("%s-%d", a.Subject, n)] = a
		}
	}
	speakers[string(library.Withdraw)], speakers[string(library.Deny)] = dana, dana // For signals.
	door := stafftest.NewDoor(t, speakers)
	pack, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	cases := &activities.Cases{Desk: desk, Records: w.records, Vault: w.vault, PACS: w.pacs, Pack: pack, Site: rules.Site{RequireSignatureDate: true}, Now: w.Now}
	trusted := trusted{door.Verifier}
	w.all = workers.Activities{
		Mailroom: &activities.Mailroom{Vault: w.vault, Records: w.records, Now: w.Now},
		Arrivals: &activities.Arrivals{
			Records: w.records, Vault: w.vault, Parser: activitiestest.Parser{}, Opener: activitiestest.Opener{},
			Desk: desk, Domain: "hospital.example", NewID: library.NewCaseID, Now: w.Now,
		},
		Letters: &activities.Letters{
			Records: w.records, Mail: w.mail, Domain: "hospital.example", Now: w.Now,
			Letterhead: letter.Letterhead{Name: "Radiology Image Library", Phone: "(919) 555-0100"},
		},
		Cases:     cases,
		Decisions: &activities.Decisions{Records: w.records, Cases: cases, Verifier: trusted, Now: w.Now},
		Releases:  &activities.Releases{Records: w.records, Cases: cases, Verifier: trusted, Now: w.Now},
		Transfers: &activities.Transfers{Records: w.records, PACS: w.pacs, Destinations: activitiestest.Destinations{Archive: w.receiver}, Present: activities.PresentRevision(cases), Now: w.Now},
	}
	w.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{
		failure.Interceptor(), &summaries{t: t}, w.batch, door.Interceptor(), staff.Interceptor(door.Verifier, workers.StaffMessages...),
	}})
	workers.Register(w.TestWorkflowEnvironment, w.all)
	w.SetDataConverter(twice{converter.GetDefaultDataConverter()})
	w.SetTestTimeout(time.Minute)
	w.SetStartTime(time.Now())
	w.furnish()
	return w
}

// trusted is the verifier as activities want it.
type trusted struct{ v *staff.Verifier }

func (s trusted) OpenSignal(ctx context.Context, id string, m activities.Signal) (activities.Signed, json.RawMessage, error) {
	signed, payload, err := s.v.OpenSignal(ctx, id, staff.Message{Name: m.Name, Sealed: m.Sealed, Header: m.Header})
	return activities.Signed{Actor: signed.Actor, Nonce: signed.Nonce, Header: signed.Header}, payload, err
}

func (s trusted) Holds(header, id string, m library.Message, payload []byte) (activities.Signed, error) {
	signed, err := s.v.Holds(header, id, string(m), payload)
	return activities.Signed{Actor: signed.Actor, Nonce: signed.Nonce, Header: signed.Header, IssuedAt: signed.IssuedAt}, err
}

// furnish fills the PACS and the directory.
func (w *world) furnish() {
	for _, s := range studies.Demonstration() {
		w.pacs.AddStudy(s, 4)
	}
	for _, f := range []library.Facility{
		{
			ID: "tidewater-pulmonary", Name: "Tidewater Pulmonary Associates", Aliases: []string{"Dr. Marcus Ellery"},
			Street: "410 Harbor Road, Suite 200", City: "Wilmington", State: "NC", Zip: "28401", Provider: true, URL: "https://tidewater.example/dicom-web", Proof: library.ProofReadBack,
		},
		{
			ID: "ridgeline-imaging", Name: "Ridgeline Imaging Center", Street: "77 Overlook Drive", City: "Boone", State: "NC", Zip: "28607",
			Provider: true, URL: "https://ridgeline.example/dicom-web", Proof: library.ProofNone,
		},
	} {
		if err := w.records.SaveFacility(context.Background(), f); err != nil {
			w.t.Fatal(err)
		}
	}
}

// plainLetter is the letter of the demonstration; a table changes its lines.
const plainLetter = `Patient: Eleanor Ruth Whitcombe
Date of birth: April 17, 1958
Medical record number: D1093347

Please send the following studies by electronic image transfer to my lung
doctor, for my continuing care:

CT chest, 02/12/2026
MRI brain, 01/28/2026
X-ray chest, 11/04/2025

Send to:
Dr. Marcus Ellery
Tidewater Pulmonary Associates
410 Harbor Road, Suite 200
Wilmington, NC 28401
Phone (910) 555-0133

If you have questions, please call me at (919) 555-0171.

/s/ Eleanor R. Whitcombe
DAY
`

// message wraps a letter as an e-mail. Extra header lines may come first.
func (w *world) message(text string, header ...string) []byte {
	text = strings.ReplaceAll(text, "DAY", w.Now().Format("January 2, 2006"))
	head := append(header, "From: Eleanor Whitcombe <eleanor@home.example>", "To: imagelibrary@hospital.example",
		"Subject: images", "Message-ID: <letter@home.example>")
	return []byte(strings.ReplaceAll(strings.Join(head, "\n")+"\n\n"+text, "\n", "\r\n"))
}

// arrive keeps a message, as the mailroom does.
func (w *world) arrive(raw []byte) library.ArrivalID {
	w.t.Helper()
	ctx := context.Background()
	digest, size, err := w.vault.Put(ctx, strings.NewReader(string(raw)), 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := w.records.AddArrival(ctx, library.Arrival{
		Channel: library.ChannelEmail, Source: "imagelibrary", Key: digest, Digest: digest, Size: size, ReceivedAt: w.Now(), State: library.ArrivalKept,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return a.ID
}

// open makes a case of a letter, as an Intake does, and returns its number.
func (w *world) open(text string) library.CaseID {
	w.t.Helper()
	ctx := context.Background()
	id := w.arrive(w.message(text))
	opened, err := w.all.Arrivals.OpenArrival(ctx, activities.OpenArrivalParams{Arrival: id})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.all.Arrivals.ReadArrival(ctx, activities.ReadArrivalParams{Arrival: id, Case: opened.Case}); err != nil {
		w.t.Fatal(err)
	}
	return opened.Case
}

// after lets something happen when so much time has gone by.
func (w *world) after(d time.Duration, f func()) { w.RegisterDelayedCallback(f, d) }

// answer is what came of an update.
type answer struct {
	rejected error
	err      error
	done     bool
}

// say sends an update in somebody's name to the workflow under test.
func (w *world) say(who library.Actor, m library.Message, payload any) *answer {
	a := &answer{}
	w.said++
	w.UpdateWorkflow(string(m), fmt.Sprintf("%s-%d", who.Subject, w.said), &testsuite.TestUpdateCallback{
		OnAccept:   func() {},
		OnReject:   func(err error) { a.rejected = err },
		OnComplete: func(_ any, err error) { a.err, a.done = err, true },
	}, payload)
	return a
}

func (a *answer) refused() error {
	if a.rejected != nil {
		return a.rejected
	}
	return a.err
}

// view returns where the case under test stands.
func (w *world) view() workflows.CaseView {
	w.t.Helper()
	var v workflows.CaseView
	value, err := w.QueryWorkflow(workflows.CaseQuery)
	if err == nil {
		err = value.Get(&v)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// approve approves the case as it stands.
func (w *world) approve(who library.Actor) *answer {
	return w.say(who, library.Approve, library.ApprovePayload{Revision: w.view().Revision})
}

// release runs a Release to its end.
func (w *world) release(id library.CaseID) workflows.ReleaseResult {
	w.t.Helper()
	w.SetStartWorkflowOptions(workflowOptions(workflows.ReleaseID(id)))
	w.ExecuteWorkflow(workflows.Release, workflows.ReleaseParams{Case: id, Channel: library.ChannelEmail, ReceivedAt: w.Now()})
	var r workflows.ReleaseResult
	if err := w.GetWorkflowResult(&r); err != nil {
		w.t.Fatalf("Release: %v", err)
	}
	return r
}

func workflowOptions(id string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{ID: id, TaskQueue: workflows.TaskQueue}
}
