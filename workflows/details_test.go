package workflows_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"

	"fileroom/internal/library"
	"fileroom/workflows"
)

// details returns what the Temporal UI shows of the workflow under test.
func (w *world) details() string {
	w.t.Helper()
	value, err := w.QueryWorkflow("__temporal_workflow_metadata")
	var m sdkpb.WorkflowMetadata
	if err == nil {
		err = value.Get(&m)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return m.GetCurrentDetails()
}

// TestDetailsSayWhereACaseStands reads what the Temporal UI shows at each stage, and that
// nothing of the patient is in it.
func TestDetailsSayWhereACaseStands(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(strings.Replace(plainLetter, "Date of birth: April 17, 1958\n", "", 1))
	want := func(parts ...string) {
		t.Helper()
		got := w.details()
		parts = append(parts, string(id), "[Open case "+string(id)+" on the desk](https://panel.hospital.example/desk/"+string(id)+")",
			"| due | "+w.view().Due.UTC().Format("2 January 2006"))
		for _, p := range parts {
			if !strings.Contains(got, p) {
				t.Errorf("details %q, want %q in them", got, p)
			}
		}
		for _, private := range []string{"Whitcombe", "WHITCOMBE", "Eleanor", "D1093347", "1958", "Ellery", "chest", "home.example"} {
			if strings.Contains(got, private) {
				t.Errorf("details %q hold %q", got, private)
			}
		}
	}
	w.after(time.Hour, func() {
		want("review", "waits for | **staff**", "**DL-02** (", w.view().Open[0].Title, "`correct`")
		w.say(dana, library.Ask, library.AskPayload{})
	})
	w.after(2*time.Hour, func() {
		want("deficient", "waits for | **requester**", "**DL-02** (")
		w.say(luis, library.Hold, library.ReasonPayload{Reason: "Whitcombe called"})
	})
	w.after(3*time.Hour, func() {
		want("**On hold.**")
		w.say(luis, library.Resume, library.ReasonPayload{Reason: "settled"})
	})
	w.after(4*time.Hour, func() {
		w.say(dana, library.Correct, library.CorrectPayload{"patient.birth_date": "1958-04-17"})
	})
	w.after(5*time.Hour, func() {
		want("review", "Nothing hinders an approval", string(w.view().Revision), "approvals | 0 of ")
		w.approve(dana)
	})
	w.after(6*time.Hour, func() { w.approve(luis) })
	w.release(id)
	want("closed", "**Outcome: released**")
}

// TestMalformedSignalsAreTold sends signals that no person of the staff could mean; each is told in the
// case, put on record once, and changes nothing.
func TestMalformedSignalsAreTold(t *testing.T) {
	t.Parallel()

	payload := func(encoding, data string) *commonpb.Payload {
		return &commonpb.Payload{Metadata: map[string][]byte{converter.MetadataEncoding: []byte(encoding)}, Data: []byte(data)}
	}
	raw := func(encoding, data string) converter.RawValue { return converter.NewRawValue(payload(encoding, data)) }
	tests := map[string]struct {
		signal  string // Approve, if empty.
		payload any
		want    string // In what is told.
		silent  bool   // Not of the staff, so not put on record.
	}{
		"bytes":                               {payload: []byte{0xff, 0}, want: "not JSON"},
		"JSON that is none":                   {payload: raw("json/plain", `{"revision": `), want: "JSON"},
		"JSON in another encoding":            {payload: raw("binary/encrypted", `{"revision": "x"}`), want: "not JSON"},
		"an encoding that nobody knows":       {payload: raw("text/martian", `{}`), want: "not JSON"},
		"no encoding":                         {payload: raw("", `{}`), want: "not JSON"},
		"nothing":                             {payload: nil, want: "JSON"},
		"no payload":                          {payload: payloads{}, want: "JSON"},
		"two payloads":                        {payload: payloads{payload("json/plain", `{}`), payload("json/plain", `{}`)}, want: "one JSON value"},
		"JSON of the wrong shape":             {signal: "withdraw", payload: []string{"x"}, want: "not the JSON that is meant"},
		"a misspelt field":                    {signal: "withdraw", payload: map[string]string{"raeson": "x"}, want: `{"reason"`},
		"two objects":                         {signal: "withdraw", payload: raw("json/plain", `{"reason": "x"}{"reason": "y"}`), want: "JSON"},
		"what the role may not":               {signal: "deny", payload: library.ReasonPayload{Reason: "no"}, want: "needs the role privacy"},
		"what nobody signed":                  {payload: library.ApprovePayload{Revision: "x"}, want: "nobody signed"},
		"the program's own, that is bytes":    {signal: workflows.ArrivedSignal, payload: []byte{1}, want: "does not say what has come", silent: true},
		"the program's own, that is empty":    {signal: workflows.ArrivedSignal, payload: payloads{}, want: "does not say what has come", silent: true},
		"the program's own, of no arrival":    {signal: workflows.ArrivedSignal, payload: workflows.Arrived{}, want: "does not say what has come", silent: true},
		"the program's own, of the wrong one": {signal: workflows.TroubleSignal, payload: []int{1}, want: "does not say what the trouble is", silent: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			id := w.open(plainLetter)
			signal := tt.signal
			if signal == "" {
				signal = string(library.Approve)
			}
			w.after(time.Hour, func() { w.SignalWorkflow(signal, tt.payload) })
			w.after(2*time.Hour, func() {
				v := w.view()
				if !strings.Contains(v.Refused, tt.want) || !strings.Contains(v.Refused, signal) || v.Approvals != 0 || v.Stage != library.StageReview {
					t.Errorf("case = %+v, want a refusal of %s with %q and nothing else", v, signal, tt.want)
				}
				if d := w.details(); !strings.Contains(d, "A signal was refused") || strings.Contains(d, "<") {
					t.Errorf("details = %q", d)
				}
				if a := w.approve(dana); a.refused() != nil {
					t.Errorf("approve after it: %v", a.refused())
				}
			})
			if r := w.release(id); r.Outcome != library.OutcomeReleased {
				t.Errorf("outcome = %s, want the case to go on", r.Outcome)
			}
			w.wantDecisions(id, []string{"approve by dana"})
			w.wantRefusals(id, signal, tt.want, !tt.silent)
		})
	}
}

// wantRefusals checks that a refusal is on record, once.
func (w *world) wantRefusals(id library.CaseID, signal, why string, some bool) {
	w.t.Helper()
	events, err := w.records.Events(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	n := 0
	for _, e := range events {
		if e.What != "signal refused" {
			continue
		}
		n++
		if !strings.Contains(e.Detail, signal) || !strings.Contains(e.Detail, why) || e.Actor == "" {
			w.t.Errorf("event %+v, want %s and %q", e, signal, why)
		}
	}
	if n > 1 || (n == 1) != some {
		w.t.Errorf("%d refusals on record, want some: %v", n, some)
	}
}

// An arrival that is told of and is not there hinders nobody for ever.
func TestAnArrivalThatIsNotThereIsPassedOver(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.open(plainLetter)
	w.after(time.Hour, func() { w.SignalWorkflow(workflows.ArrivedSignal, workflows.Arrived{Arrival: 4711}) })
	w.after(2*time.Hour, func() {
		if v := w.view(); v.Stage != library.StageReview || !strings.Contains(v.Note, "arrival 4711") {
			t.Errorf("case = %+v, want it in review with a note", v)
		}
		if a := w.approve(dana); a.refused() != nil {
			t.Errorf("approve: %v", a.refused())
		}
	})
	if r := w.release(id); r.Outcome != library.OutcomeReleased {
		t.Errorf("outcome = %s", r.Outcome)
	}
}

// A malformed signal to an arrival that waits is told as well.
func TestMalformedSignalsToAnIntakeAreTold(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	id := w.arrive(w.message("\n"))
	w.after(time.Hour, func() {
		if d := w.details(); !strings.Contains(d, "Waits for staff") || !strings.Contains(d, "](https://panel.hospital.example/desk") {
			t.Errorf("details = %q, want what it waits for and where", d)
		}
		w.SignalWorkflow(string(library.Place), []byte{0xff})
	})
	w.after(2*time.Hour, func() {
		if d := w.details(); !strings.Contains(d, "A signal was refused") || !strings.Contains(d, "not JSON") {
			t.Errorf("details = %q, want the refusal", d)
		}
		w.say(dana, library.Place, library.PlacePayload{Sort: true, Reason: "empty"})
	})
	w.SetStartWorkflowOptions(workflowOptions(workflows.IntakeID(id)))
	w.ExecuteWorkflow(workflows.Intake, workflows.IntakeParams{Arrival: id})
	if err := w.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
}

// payloads are sent as they are, however many.
type payloads []*commonpb.Payload

// twice is a data converter by which a test can send any number of payloads.
type twice struct{ converter.DataConverter }

// ToPayloads implements [converter.DataConverter].
func (c twice) ToPayloads(values ...any) (*commonpb.Payloads, error) {
	if len(values) == 1 {
		if ps, ok := values[0].(payloads); ok {
			return &commonpb.Payloads{Payloads: ps}, nil
		}
	}
	return c.DataConverter.ToPayloads(values...)
}

// summaries fails a test in which anything is scheduled without a summary of its own, or with one that
// says anything of the case: the Temporal UI shows them to everybody, through a URL.
type summaries struct {
	interceptor.WorkerInterceptorBase
	t *testing.T
}

// InterceptWorkflow implements [interceptor.WorkerInterceptor].
func (s *summaries) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	i := &summaryInbound{t: s.t}
	i.Next = next
	return i
}

type summaryInbound struct {
	interceptor.WorkflowInboundInterceptorBase
	t *testing.T
}

// Init implements [interceptor.WorkflowInboundInterceptor].
func (i *summaryInbound) Init(next interceptor.WorkflowOutboundInterceptor) error {
	o := &summaryOutbound{t: i.t}
	o.Next = next
	return i.Next.Init(o)
}

type summaryOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	t *testing.T
}

// words are what a summary may be made of.
var words = regexp.MustCompile(`^[A-Za-z][A-Za-z':, -]{7,100}$`)

// check is a test's own, and decides nothing.
//
//workflowcheck:ignore
func (o *summaryOutbound) check(what, summary string) {
	if !words.MatchString(summary) || summary == "AwaitWithTimeout" {
		o.t.Errorf("%s has the summary %q, want plain words", what, summary)
	}
}

// ExecuteActivity implements [interceptor.WorkflowOutboundInterceptor].
func (o *summaryOutbound) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	o.check("activity "+name, workflow.GetActivityOptions(ctx).Summary)
	return o.Next.ExecuteActivity(ctx, name, args...)
}

// ExecuteChildWorkflow implements [interceptor.WorkflowOutboundInterceptor].
func (o *summaryOutbound) ExecuteChildWorkflow(ctx workflow.Context, name string, args ...any) workflow.ChildWorkflowFuture {
	o.check("child "+name, workflow.GetChildWorkflowOptions(ctx).StaticSummary)
	return o.Next.ExecuteChildWorkflow(ctx, name, args...)
}

// NewTimerWithOptions implements [interceptor.WorkflowOutboundInterceptor].
func (o *summaryOutbound) NewTimerWithOptions(ctx workflow.Context, d time.Duration, options workflow.TimerOptions) workflow.Future {
	o.check("a timer of "+d.String(), options.Summary)
	return o.Next.NewTimerWithOptions(ctx, d, options)
}
