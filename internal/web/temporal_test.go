package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"fileroom/internal/library"
	"fileroom/internal/staff"
	"fileroom/internal/vault"
	"fileroom/internal/web"
)

// desk is a workflow that takes the update "approve" and its signal twin, and
// returns what it was told when "end" comes.
func desk(ctx workflow.Context) ([]string, error) {
	var told []string
	approve := func(ctx workflow.Context, said json.RawMessage) (int, error) {
		who, _ := staff.ActorFrom(ctx)
		told = append(told, fmt.Sprintf("update by %s: %s", who.Actor.Subject, said))
		return len(told), nil
	}
	current := func(_ workflow.Context, said json.RawMessage) error {
		if strings.Contains(string(said), "old") {
			return library.Errorf(library.Conflict, "approve", workflowID, "the case has changed since: look again")
		}
		return nil
	}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, "approve", approve, workflow.UpdateHandlerOptions{Validator: current}); err != nil {
		return nil, err
	}
	inbox, end := staff.InboxFrom(ctx), workflow.GetSignalChannel(ctx, "end")
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	for {
		if err := workflow.Await(ctx, func() bool { return inbox.Len()+end.Len() > 0 }); err != nil {
			return told, err
		}
		m, ok := inbox.Pop()
		if !ok {
			return told, nil
		}
		var line string
		if err := workflow.ExecuteActivity(ctx, "OpenMessage", m).Get(ctx, &line); err != nil {
			return told, err
		}
		told = append(told, line)
	}
}

type opener struct{ verifier *staff.Verifier }

// OpenMessage opens a signal, as an activity.
func (o *opener) OpenMessage(ctx context.Context, m staff.Message) (string, error) {
	signed, text, err := o.verifier.OpenSignal(ctx, activity.GetInfo(ctx).WorkflowExecution.ID, m)
	switch {
	case library.KindOf(err) == library.Invalid:
		return "refused: " + err.Error(), nil
	case err != nil:
		return "", err
	}
	return fmt.Sprintf("signal by %s: %s", signed.Actor.Subject, text), nil
}

// office is a Temporal server with its UI, a worker, and the gateway.
type office struct {
	client  client.Client // Whoever reaches Temporal itself, and signs nothing.
	signing client.Client // The command line's.
	pages   client.Client // That of the staff's pages, which speaks for many.
	ring    *vault.Keyring
	worker  worker.Options
	run     client.WorkflowRun

	ui, gateway string // URLs.
	browser     *http.Client
	who         sessions
	access      accessLog
}

func openOffice(t *testing.T) *office {
	t.Helper()
	server, ui := startTemporal(t)
	o := &office{ring: vault.NewKeyring(), ui: ui}
	key, err := staff.NewSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	codec, err := vault.NewCodec(o.ring)
	if err != nil {
		t.Fatal(err)
	}
	dc, err := vault.DataConverter(o.ring)
	if err != nil {
		t.Fatal(err)
	}
	fc, err := vault.FailureConverter(o.ring)
	if err != nil {
		t.Fatal(err)
	}
	digests := o.ring.Digests(staff.DigestPurpose)
	signer := staff.Signer{Key: key, Digests: digests}
	verifier := &staff.Verifier{Keys: staff.PublicKeys{key.Public()}, Digests: digests, Converter: dc}

	dial := func(interceptors ...interceptor.ClientInterceptor) client.Client {
		c, err := client.DialContext(t.Context(), client.Options{
			HostPort: server, DataConverter: dc, FailureConverter: fc, Interceptors: interceptors, Logger: silent{},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	o.client, o.signing = dial(), dial(staff.ClientInterceptor(signer, alice, "approve"))
	o.pages = dial(staff.ContextInterceptor(signer, "approve"))
	o.worker = worker.Options{Interceptors: []interceptor.WorkerInterceptor{staff.Interceptor(verifier, "approve")}}
	w := worker.New(o.client, "desk", o.worker)
	w.RegisterWorkflow(desk)
	w.RegisterActivity(&opener{verifier})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)

	// The gateway has to know its own address.
	gateway := httptest.NewUnstartedServer(nil)
	target, err := url.Parse(ui)
	if err != nil {
		t.Fatal(err)
	}
	gateway.Config.Handler, err = web.NewGateway(web.Options{
		Upstream: target, Hosts: []string{gateway.Listener.Addr().String()}, Namespace: "default",
		Messages: []string{"approve"},
		Session:  o.who.Session, Glance: o.who.Glance, SignIn: http.NotFound, Access: &o.access,
		Signer: signer, Codec: codec,
	})
	if err != nil {
		t.Fatal(err)
	}
	gateway.EnableHTTP2 = true
	gateway.StartTLS()
	t.Cleanup(gateway.Close)
	o.gateway, o.browser = gateway.URL, gateway.Client()

	o.run, err = o.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: workflowID, TaskQueue: "desk"}, desk)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// silent keeps the SDK's log out of the test's.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

// post sends what a browser sends from a page at base.
func (o *office) post(t *testing.T, base, path, body string) (int, string) {
	t.Helper()
	return o.send(t, http.MethodPost, base, path, body, alice)
}

func (o *office) send(t *testing.T, method, base, path, body string, actor staff.Actor) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(as, actor.Subject)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", base)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := o.browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// encoded returns a payload as the UI gets it from the codec endpoint.
func (o *office) encoded(t *testing.T, text string) *commonpb.Payload {
	t.Helper()
	status, body := o.post(t, o.gateway, "/codec/encode", toJSON(t, &commonpb.Payloads{Payloads: []*commonpb.Payload{jsonPayload(text)}}))
	var out commonpb.Payloads
	if err := protojson.Unmarshal([]byte(body), &out); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	return out.Payloads[0]
}

// failure returns the text with which an update was refused, or "".
func failure(t *testing.T, body string) string {
	t.Helper()
	var answer workflowservice.UpdateWorkflowExecutionResponse
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return answer.GetOutcome().GetFailure().GetMessage()
}

// update and signal are the bodies that the UI sends.
func update(t *testing.T, p *commonpb.Payload, id string) string {
	t.Helper()
	return fmt.Sprintf(`{"workflowExecution":{},"request":{"meta":{"updateId":%q},"input":{"args":{"payloads":[%s]}}}}`, id, toJSON(t, p))
}

func signal(t *testing.T, p *commonpb.Payload) string {
	t.Helper()
	return fmt.Sprintf(`{"signalName":"approve","input":{"payloads":[%s]},"workflowExecution":{"workflowId":%q}}`, toJSON(t, p), workflowID)
}

// TestTemporalUI speaks to a case by every way there is, through a real
// Temporal server and its UI.
func TestTemporalUI(t *testing.T) {
	t.Parallel()

	o := openOffice(t)
	const forged = `{"revision":"0000"}`

	// Through the gateway it is signed; at the UI itself nobody is believed.
	if status, body := o.post(t, o.gateway, casePath+"/update/approve", update(t, o.encoded(t, said), "u-1")); status != http.StatusOK || failure(t, body) != "" {
		t.Errorf("update through the gateway: %d %s", status, body)
	}
	if status, body := o.post(t, o.ui, casePath+"/update/approve", update(t, o.encoded(t, forged), "u-2")); status != http.StatusOK || failure(t, body) == "" {
		t.Errorf("update at the UI: %d %s", status, body)
	}
	if status, body := o.post(t, o.gateway, casePath+"/signal/approve", signal(t, o.encoded(t, said))); status != http.StatusOK {
		t.Errorf("signal through the gateway: %d %s", status, body)
	}
	if status, body := o.post(t, o.ui, casePath+"/signal/approve", signal(t, o.encoded(t, forged))); status != http.StatusOK {
		t.Errorf("signal at the UI: %d %s", status, body)
	}
	// A payload that is not what it must be, past the gateway.
	if err := o.client.SignalWorkflow(t.Context(), workflowID, "", "approve", []byte{1, 2}); err != nil {
		t.Error(err)
	}
	// What is wrong reaches whoever sent it, in words.
	if status, body := o.post(t, o.gateway, casePath+"/update/approve", update(t, o.encoded(t, `{"revision":"old"}`), "u-4")); status != http.StatusOK || !strings.Contains(failure(t, body), "look again") {
		t.Errorf("refused update through the gateway: %d %s", status, body)
	}
	if status, body := o.post(t, o.gateway, casePath+"/update/refuse", update(t, o.encoded(t, said), "u-3")); status != http.StatusForbidden {
		t.Errorf("unknown update: %d %s", status, body)
	}
	if status, body := o.post(t, o.gateway, casePath+"/reset", `{}`); status != http.StatusForbidden {
		t.Errorf("reset: %d %s", status, body)
	}

	// The command line signs; a client that does not is refused.
	options := client.UpdateWorkflowOptions{
		WorkflowID: workflowID, UpdateName: "approve", WaitForStage: client.WorkflowUpdateStageCompleted,
		Args: []any{map[string]string{"by": "command <line>"}},
	}
	handle, err := o.signing.UpdateWorkflow(t.Context(), options)
	if err == nil {
		err = handle.Get(t.Context(), nil)
	}
	if err != nil {
		t.Errorf("update by the command line: %v", err)
	}
	if err := o.signing.SignalWorkflow(t.Context(), workflowID, "", "approve", map[string]string{"by": "command line"}); err != nil {
		t.Error(err)
	}
	// One client speaks for whom the context names.
	options.Args = []any{map[string]string{"by": "page"}}
	for _, who := range []staff.Actor{both, alice} {
		ctx := staff.WithActor(t.Context(), who)
		if handle, err = o.pages.UpdateWorkflow(ctx, options); err == nil {
			err = handle.Get(t.Context(), nil)
		}
		if err != nil {
			t.Errorf("update by %s's page: %v", who.Name, err)
		}
		if err := o.pages.SignalWorkflow(ctx, workflowID, "", "approve", map[string]string{"by": "page"}); err != nil {
			t.Error(err)
		}
	}
	if _, err := o.pages.UpdateWorkflow(t.Context(), options); library.KindOf(err) != library.Invalid {
		t.Errorf("update by nobody's page: %v", err)
	}
	if handle, err = o.client.UpdateWorkflow(t.Context(), options); err == nil {
		err = handle.Get(t.Context(), nil)
	}
	if err == nil || !strings.Contains(err.Error(), "nobody signed") {
		t.Errorf("unsigned update by a client: %v", err)
	}
	if err := o.client.SignalWorkflow(t.Context(), workflowID, "", "end", nil); err != nil {
		t.Fatal(err)
	}

	var told []string
	if err := o.run.Get(t.Context(), &told); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"update by " + alice.Subject + ": " + said,
		"signal by " + alice.Subject + ": " + said,
		"refused: approve " + workflowID + ": nobody signed",
		"refused: approve " + workflowID + ": the message is not JSON",
		"update by " + alice.Subject + `: {"by":"command \u003cline\u003e"}`,
		"signal by " + alice.Subject + `: {"by":"command line"}`,
		"update by " + both.Subject + `: {"by":"page"}`,
		"signal by " + both.Subject + `: {"by":"page"}`,
		"update by " + alice.Subject + `: {"by":"page"}`,
		"signal by " + alice.Subject + `: {"by":"page"}`,
	}
	if len(told) != len(want) {
		t.Fatalf("the case was told\n%s", strings.Join(told, "\n"))
	}
	for i := range want {
		if !containsPrefix(told, want[i]) {
			t.Errorf("the case was not told %q, but\n%s", want[i], strings.Join(told, "\n"))
		}
	}
	o.checkHistory(t)
}

// TestAdministratorOfTemporal runs the machine through a real Temporal server and
// its UI, and tries to speak to a case by what an administrator may.
func TestAdministratorOfTemporal(t *testing.T) {
	t.Parallel()

	o := openOffice(t)
	const (
		space  = "/api/v1/namespaces/default"
		second = "release/K7MQ-42XD"
		secret = space + "/workflows/release%2FK7MQ-42XD"
	)
	admin := func(method, path, body string) (int, string) {
		t.Helper()
		return o.send(t, method, o.gateway, path, body, adam)
	}
	message := toJSON(t, o.encoded(t, said))
	forged := fmt.Sprintf(`"header":{"fields":{%q:%s}}`, staff.HeaderName, toJSON(t, staff.HeaderPayload(`{}`)))

	const start = `"workflowType":{"name":"desk"},"taskQueue":{"name":"desk"},"requestId":"r-1"`
	for name, try := range map[string]struct{ path, body string }{
		"start with a statement": {secret, "{" + start + "," + forged + "}"},
		"signal with start":      {secret + "/signal-with-start/approve", "{" + start + `,"input":{"payloads":[` + message + `]}}`},
		"batch of signals": {space + "/batch-operations/b-1", fmt.Sprintf(
			`{"reason":"x","executions":[{"workflowId":%q}],"signalOperation":{"signal":"approve","input":{"payloads":[%s]}}}`, workflowID, message)},
		"reset, then signal": {casePath + "/reset", fmt.Sprintf(
			`{"reason":"x","workflowTaskFinishEventId":"4","requestId":"r-2","postResetOperations":[{"signalWorkflow":{"signalName":"approve","input":{"payloads":[%s]}}}]}`, message)},
		"activity's result": {casePath + "/activities/5/complete", `{"result":{"payloads":[` + message + `]}}`},
		"signal":            {casePath + "/signal/approve", `{"input":{"payloads":[` + message + `]}}`},
		"update":            {casePath + "/update/approve", update(t, o.encoded(t, said), "u-9")},
	} {
		if status, body := admin("POST", try.path, try.body); status != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if looks := o.access.take(); len(looks) != 7 || slices.ContainsFunc(looks, func(l library.Look) bool { return l.What != library.LookRefused }) {
		t.Errorf("entered %+v", looks)
	}

	// What runs the machine passes, in the administrator's name.
	if status, body := admin("POST", secret, "{"+start+`,"identity":"mallory"}`); status != http.StatusOK {
		t.Fatalf("start: %d %s", status, body)
	}
	if status, body := admin("POST", secret+"/terminate", `{"reason":"started by mistake","identity":"mallory"}`); status != http.StatusOK {
		t.Errorf("terminate: %d %s", status, body)
	}
	const schedule = space + "/schedules/night"
	if status, body := admin("POST", schedule, `{"schedule":{"spec":{},"action":{"startWorkflow":{"workflowId":"nightly",`+start[:len(start)-len(`,"requestId":"r-1"`)]+`}},"state":{"paused":true}},"requestId":"r-3"}`); status != http.StatusOK {
		t.Errorf("schedule: %d %s", status, body)
	}
	if status, body := admin("DELETE", schedule, ""); status != http.StatusOK {
		t.Errorf("delete schedule: %d %s", status, body)
	}
	if status, body := o.send(t, "GET", o.gateway, secret+"/history", "", adam); status != http.StatusOK || !strings.Contains(body, "Terminated") ||
		strings.Contains(body, "mallory") || strings.Count(body, adam.Subject) < 2 {
		t.Errorf("history: %d %s", status, body)
	}
	var entered []string
	for _, l := range o.access.take() {
		entered = append(entered, fmt.Sprintf("%s %s %s", l.What, l.Case, strings.ReplaceAll(l.Detail, "/api/v1/namespaces/{namespace}", "")))
	}
	want := []string{
		"write K7MQ-42XD POST /workflows/{workflow} " + second,
		"write K7MQ-42XD POST /workflows/{workflow}/terminate " + second,
		"write  POST /schedules/{schedule}",
		"write  DELETE /schedules/{schedule}",
		"temporal K7MQ-42XD " + second,
	}
	if !slices.Equal(entered, want) {
		t.Errorf("entered\n%s\nwant\n%s", strings.Join(entered, "\n"), strings.Join(want, "\n"))
	}

	// Nobody said anything to the first case.
	if err := o.client.SignalWorkflow(t.Context(), workflowID, "", "end", nil); err != nil {
		t.Fatal(err)
	}
	var told []string
	if err := o.run.Get(t.Context(), &told); err != nil || len(told) != 0 {
		t.Errorf("the case was told %q (error %v)", told, err)
	}
}

func containsPrefix(lines []string, prefix string) bool {
	for _, l := range lines {
		if strings.HasPrefix(l, prefix) {
			return true
		}
	}
	return false
}

// checkHistory looks for what was said, in clear, in the history, and replays
// it with a verifier that would refuse everything.
func (o *office) checkHistory(t *testing.T) {
	t.Helper()
	var history historypb.History
	events := o.client.GetWorkflowHistory(t.Context(), workflowID, o.run.GetRunID(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		history.Events = append(history.Events, e)
	}
	wire, err := proto.Marshal(&history)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"Orsolya", "9f2c", "0000", "command line", "nobody signed"} {
		if bytes.Contains(wire, []byte(secret)) {
			t.Errorf("the history shows %q", secret)
		}
	}
	if !bytes.Contains(wire, []byte(staff.HeaderName)) {
		t.Error("the history holds no header")
	}

	dc, err := vault.DataConverter(o.ring)
	if err != nil {
		t.Fatal(err)
	}
	deaf := &staff.Verifier{Digests: o.ring.Digests(staff.DigestPurpose)}
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
		DataConverter: dc, Interceptors: []interceptor.WorkerInterceptor{staff.Interceptor(deaf, "approve")},
	})
	if err != nil {
		t.Fatal(err)
	}
	replayer.RegisterWorkflow(desk)
	if err := replayer.ReplayWorkflowHistory(silent{}, &history); err != nil {
		t.Errorf("replay judged again: %v", err)
	}
}
