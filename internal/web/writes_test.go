package web_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"fileroom/internal/library"
	"fileroom/internal/staff"
)

const space = "/api/v1/namespaces/default"

// TestAdministratorWrites is the table of what an administrator may write. Each
// passes for one, in the access log, and is refused to everybody else.
func TestAdministratorWrites(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	const deployment, version = "/worker-deployments/d", "/worker-deployment-versions/d"
	for _, call := range []string{
		"POST /update", "POST /workflows/w", "POST /workflows/w/terminate", "POST /workflows/w/cancel", "POST /workflows/w/reset",
		"POST /workflows/w/pause", "POST /workflows/w/unpause", "POST /workflows/w/update-options", "POST /workflows/w/trigger-rule",
		"POST /activities-deprecated/pause", "POST /activities-deprecated/unpause", "POST /activities-deprecated/reset", "POST /activities-deprecated/update-options",
		"POST /activities/a/cancel", "POST /activities/a/terminate", "POST /activities/a/pause", "POST /activities/a/unpause", "POST /activities/a/reset", "POST /activities/a/update-options",
		"POST /workflows/w/activities/a/pause", "POST /workflows/w/activities/a/unpause", "POST /workflows/w/activities/a/reset", "POST /workflows/w/activities/a/update-options",
		"POST /batch-operations/b", "POST /batch-operations/b/stop",
		"POST /schedules/s", "POST /schedules/s/update", "POST /schedules/s/patch", "DELETE /schedules/s",
		"POST /workflow-rules", "DELETE /workflow-rules/r",
		"POST /task-queues/q/update-config", "POST /workers/fetch-config", "POST /workers/update-config", "POST /current-deployment/x",
		"POST " + deployment, "DELETE " + deployment, "POST " + deployment + "/set-current-version", "POST " + deployment + "/set-ramping-version", "POST " + deployment + "/set-manager",
		"POST " + version, "DELETE " + version + "/b", "POST " + version + "/b/update-metadata", "POST " + version + "/b/update-compute-config", "POST " + version + "/b/validate-compute-config",
		"POST /nexus-operations/n/cancel", "POST /nexus-operations/n/terminate",
	} {
		t.Run(call, func(t *testing.T) {
			method, path, _ := strings.Cut(call, " ")
			for _, who := range []staff.Actor{alice, vera} {
				if w := h.ask(t, method, space+path, "{}", as, who.Subject); w.Code != 403 || !strings.Contains(w.Body.String(), "only an administrator") {
					t.Errorf("%s: %d %s", who.Name, w.Code, w.Body)
				}
			}
			refused := h.access.take()
			before := len(h.seen)
			w := h.ask(t, method, space+path+"?identity=mallory", "", as, adam.Subject)
			if w.Code != 200 || len(h.seen) != before+1 || h.seen[before].Method != method || h.seen[before].URL.EscapedPath() != space+path {
				t.Fatalf("%d %s, %d requests", w.Code, w.Body, len(h.seen)-before)
			}
			if got := h.seen[before].URL.RawQuery + string(h.bodies[before]); strings.Contains(got, "mallory") || (strings.Contains(got, "identity") && !strings.Contains(got, "adam")) {
				t.Errorf("passed as %s", got)
			}
			passed := h.access.take()
			if len(refused) != 2 || len(passed) != 1 {
				t.Fatalf("entered %+v and %+v", refused, passed)
			}
			what := passed[0].Detail
			if refused[0].What != library.LookRefused || refused[0].Actor.Subject != alice.Subject || refused[0].Detail != what ||
				passed[0].What != library.LookWrite || passed[0].Actor.Subject != adam.Subject || !strings.HasPrefix(what, method+" /api/v1/namespaces/{namespace}/") {
				t.Errorf("entered %+v and %+v", refused, passed)
			}
		})
	}
}

// TestNotEvenAdministrators is the table of what passes for nobody, though they
// be administrator and specialist at once.
func TestNotEvenAdministrators(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	text, err := protojson.Marshal(staff.HeaderPayload(`{"forged":true}`))
	if err != nil {
		t.Fatal(err)
	}
	header := fmt.Sprintf(`"header":{"fields":{"x-fileroom-actor":%s}}`, text)
	tests := map[string]struct{ method, path, body string }{
		"signal with start":          {path: "/workflows/w/signal-with-start/approve"},
		"a standalone activity":      {path: "/activities/RecordDecision"},
		"a Nexus operation":          {path: "/nexus-operations/n"},
		"an activity's result":       {path: "/activity-complete"},
		"an activity's failure":      {path: "/activity-fail"},
		"a heartbeat":                {path: "/activity-heartbeat"},
		"an activity's cancellation": {path: "/activity-resolve-as-canceled"},
		"a result by id":             {path: "/activities/a/complete"},
		"a failure by id":            {path: "/activities/a/fail"},
		"a result by workflow":       {path: "/workflows/w/activities/a/complete"},
		"a heartbeat by workflow":    {path: "/workflows/w/activities/a/heartbeat"},
		"a worker's heartbeat":       {path: "/workers/heartbeat"},
		"several in one":             {path: "/workflows/w/execute-multi-operation"},
		"another API":                {path: "/../../../api/v2/namespaces/default/workflows/w/terminate"},
		"a method for another":       {method: "PUT", path: "/workflows/w/terminate"},
		"delete by DELETE":           {method: "DELETE", path: "/workflows/w"},
		"a custom verb":              {path: "/schedules/s:update"},
		"a literal escaped":          {path: "/workflows/w/%74erminate"},
		"a slash at the end":         {path: "/workflows/w/terminate/"},

		"start with a statement":     {path: "/workflows/w", body: "{" + header + "}"},
		"... its name written apart": {path: "/workflows/w", body: strings.Replace("{"+header+"}", "x-file", `X-\u0066ile`, 1)},
		"... in a schedule":          {path: "/schedules/s", body: `{"schedule":{"action":{"startWorkflow":{` + header + `}}}}`},
		"... in a schedule, changed": {path: "/schedules/s/update", body: `{"schedule":{"action":{"start_workflow":{` + header + `}}}}`},
		"start a transfer":           {path: "/workflows/transfer%2FK7M4-2QXF%2F9", body: `{"workflowType":{"name":"Transfer"}}`},
		"start a release":            {path: "/workflows/w", body: `{"workflow_type":{"name":"Release"}}`},
		"start an intake":            {path: "/workflows/w", body: `{"workflowType":{"name":"\u0049ntake"}}`},
		"schedule a transfer":        {path: "/schedules/s", body: `{"schedule":{"action":{"startWorkflow":{"workflowType":{"name":"Transfer"}}}}}`},
		"schedule one, changed":      {path: "/schedules/s/update", body: `{"schedule":{"action":{"start_workflow":{"workflow_type":{"name":"Release"}}}}}`},
		"batch of signals":           {path: "/batch-operations/b", body: `{"signalOperation":{"signal":"approve"}}`},
		"batch of signals, snake":    {path: "/batch-operations/b", body: `{"signal_operation":{"signal":"approve"}}`},
		"batch of empty signals":     {path: "/batch-operations/b", body: `{"signalOperation":{}}`},
		"batch of signals to come":   {path: "/batch-operations/b", body: `{"resetOperation":{"postResetOperations":[{"signalWorkflow":{"signalName":"approve"}}]}}`},
		"reset, then signal":         {path: "/workflows/w/reset", body: `{"postResetOperations":[{"updateWorkflowOptions":{}},{"signalWorkflow":{}}]}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.method == "" {
				tt.method = "POST"
			}
			if tt.body == "" {
				tt.body = "{}"
			}
			w := h.ask(t, tt.method, space+tt.path, tt.body, as, both.Subject)
			if w.Code != 403 || len(h.seen) != 0 {
				t.Errorf("%d %s, and %d passed", w.Code, w.Body, len(h.seen))
			}
			looks := h.access.take()
			if len(looks) != 1 || looks[0].What != library.LookRefused || looks[0].Session != "s-"+both.Name || strings.Contains(looks[0].Detail, "RecordDecision") {
				t.Errorf("entered %+v", looks)
			}
		})
	}
	for name, tt := range map[string]struct{ path, body string }{
		"another namespace":        {path: "/api/v1/namespaces/other/workflows/w/terminate"},
		"the API without a prefix": {path: "/namespaces/default/workflows/w/terminate"},
		"a new namespace":          {path: "/api/v1/namespaces"},
		"an endpoint":              {path: "/api/v1/nexus/endpoints"},
		"the UI's sign-in":         {path: "/auth/sso"},
	} {
		if w := h.ask(t, "POST", tt.path, "{}", as, both.Subject); w.Code != 403 || len(h.seen) != 0 || len(h.access.take()) != 1 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	deep := strings.Repeat(`{"cause":`, 60) + "{}" + strings.Repeat("}", 60)
	for name, body := range map[string]string{
		"no JSON": "x", "an unknown field": `{"signals":[]}`, "twice": "{}{}", "a field twice": `{"reason":"a","reason":"b"}`,
		"too many workflows": `{"executions":[` + strings.Repeat(`{"workflowId":"w"},`, 1000) + `{"workflowId":"w"}]}`,
	} {
		if w := h.ask(t, "POST", space+"/batch-operations/b", body, as, adam.Subject); w.Code != 400 || len(h.seen) != 0 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := h.ask(t, "POST", space+"/workflows/w", `{"continuedFailure":`+deep+`}`, as, adam.Subject); w.Code != 400 || len(h.seen) != 0 {
		t.Errorf("too deep: %d %s", w.Code, w.Body)
	}
}

func TestWritesNameTheirCases(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	tests := map[string]struct {
		path, body string
		want       []string // Case, arrival and the end of the detail.
	}{
		"a case":         {"/workflows/release%2FK7M4-2QXF/terminate", "{}", []string{"K7M4-2QXF 0 /workflows/{workflow}/terminate release/K7M4-2QXF"}},
		"a transfer":     {"/workflows/transfer%2FK7M4-2QXF%2F2/cancel", "{}", []string{"K7M4-2QXF 0 /workflows/{workflow}/cancel transfer/K7M4-2QXF/2"}},
		"an arrival":     {"/workflows/intake%2F17/reset", "{}", []string{" 17 /workflows/{workflow}/reset intake/17"}},
		"a mailbox":      {"/workflows/mailbox%2Frequests/pause", "{}", []string{" 0 /workflows/{workflow}/pause mailbox/requests"}},
		"what was typed": {"/workflows/Orsolya%20Quist/pause", "{}", []string{" 0 /workflows/{workflow}/pause"}},
		"by its body":    {"/activities-deprecated/pause", `{"execution":{"workflowId":"release/K7M4-2QXF"}}`, []string{"K7M4-2QXF 0 /activities-deprecated/pause release/K7M4-2QXF"}},
		"a batch": {
			"/batch-operations/b", `{"terminationOperation":{},"executions":[{"workflowId":"release/K7MQ-42XD"},{"workflowId":"release/K7M4-2QXF"},{"workflowId":"release/K7M4-2QXF"}]}`,
			[]string{"K7M4-2QXF 0 /batch-operations/{job} release/K7M4-2QXF", "K7MQ-42XD 0 /batch-operations/{job} release/K7MQ-42XD"},
		},
		"a batch by query": {"/batch-operations/b", `{"terminationOperation":{},"visibilityQuery":"Stage=\"review\""}`, []string{" 0 /batch-operations/{job}"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if w := h.ask(t, "POST", space+tt.path, tt.body, as, adam.Subject); w.Code != 200 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			var got []string
			for _, l := range h.access.take() {
				got = append(got, fmt.Sprintf("%s %d %s", l.Case, l.Arrival, strings.TrimPrefix(l.Detail, "POST /api/v1/namespaces/{namespace}")))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("entered %q, want %q", got, tt.want)
			}
		})
	}
}

// TestStartsAreNamed holds that a refused start is in the access log with the
// case that it was for.
func TestStartsAreNamed(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	tests := map[string]struct{ path, body, want string }{
		"by its path":  {"/workflows/transfer%2FK7M4-2QXF%2F9", `{"workflowType":{"name":"Transfer"}}`, "K7M4-2QXF 0 /workflows/{workflow} transfer/K7M4-2QXF/9"},
		"by its body":  {"/schedules/Orsolya", `{"schedule":{"action":{"startWorkflow":{"workflowId":"intake/17","workflowType":{"name":"Intake"}}}}}`, " 17 /schedules/{schedule} intake/17"},
		"of no case":   {"/workflows/Orsolya", `{"workflowType":{"name":"Release"}}`, " 0 /workflows/{workflow}"},
		"with a proof": {"/workflows/release%2FK7M4-2QXF", `{"header":{"fields":{"x-fileroom-actor":{}}}}`, "K7M4-2QXF 0 /workflows/{workflow} release/K7M4-2QXF"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := h.ask(t, "POST", space+tt.path, tt.body, as, adam.Subject)
			var got []string
			for _, l := range h.access.take() {
				got = append(got, fmt.Sprintf("%s %d %s", l.Case, l.Arrival, strings.TrimPrefix(l.Detail, "POST /api/v1/namespaces/{namespace}")))
			}
			if w.Code != 403 || !slices.Equal(got, []string{tt.want}) || len(h.seen) != 0 {
				t.Errorf("%d %s, entered %q, want %q", w.Code, w.Body, got, tt.want)
			}
		})
	}
	for name, body := range map[string]string{"a mailbox": `{"workflowType":{"name":"Mailbox"}}`, "of another program": `{"workflowType":{"name":"Backfill"}}`} {
		if w := h.ask(t, "POST", space+"/workflows/w", body, as, adam.Subject); w.Code != 200 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// TestWritesPassWhole has a request read and written anew, with a payload in it
// and an enum by its short name, as the UI's server reads it.
func TestWritesPassWhole(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	body := `{"workflowType":{"name":"Backfill"},"taskQueue":{"name":"fileroom"},"workflowIdReusePolicy":"RejectDuplicate","requestId":"r-1",
		"input":{"payloads":[` + toJSON(t, jsonPayload(said)) + `]},"identity":"mallory","header":{"fields":{"trace":` + toJSON(t, jsonPayload("1")) + `}}}`
	if w := h.ask(t, "POST", space+"/workflows/w", body, as, adam.Subject); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var got workflowservice.StartWorkflowExecutionRequest
	if err := protojson.Unmarshal(h.bodies[0], &got); err != nil {
		t.Fatal(err)
	}
	want := &workflowservice.StartWorkflowExecutionRequest{
		WorkflowType: &commonpb.WorkflowType{Name: "Backfill"}, TaskQueue: got.TaskQueue, WorkflowIdReusePolicy: 3, RequestId: "r-1",
		Input: &commonpb.Payloads{Payloads: []*commonpb.Payload{jsonPayload(said)}}, Identity: adam.Subject,
		Header: &commonpb.Header{Fields: map[string]*commonpb.Payload{"trace": jsonPayload("1")}},
	}
	if !proto.Equal(&got, want) || got.TaskQueue.GetName() != "fileroom" {
		t.Errorf("passed as %s", h.bodies[0])
	}
}

// TestEveryCallIsDecided holds the gateway's table against the API that it is
// built with: a call that a newer API brings is in neither list, and somebody
// has to think about it.
func TestEveryCallIsDecided(t *testing.T) {
	t.Parallel()

	elsewhere := []string{ // No call of one namespace, or decided in another place.
		"POST /api/v1/namespaces", "POST /api/v1/nexus/endpoints", "POST /api/v1/nexus/endpoints/{}", "POST /api/v1/nexus/endpoints/{}/update", "DELETE /api/v1/nexus/endpoints/{}",
		"POST /api/v1/namespaces/{}/workflows/{}/signal/{}", "POST /api/v1/namespaces/{}/workflows/{}/update/{}", "POST /api/v1/namespaces/{}/workflows/{}/query/{}",
	}
	h := newHouse(t)
	decided := 0
	for _, route := range httpRoutes(t) {
		method, path, _ := strings.Cut(route, " ")
		if method == "GET" || slices.Contains(elsewhere, route) {
			continue
		}
		h.access.take()
		path = strings.Replace(path, "{}", "default", 1)
		w := h.ask(t, method, strings.ReplaceAll(path, "{}", "x"), "{}", as, both.Subject)
		if looks := h.access.take(); len(looks) != 1 || strings.Contains(looks[0].Detail, "unknown") || strings.Contains(looks[0].Detail, "no known call") {
			t.Errorf("%s is not decided: %d, %+v", route, w.Code, looks)
			continue
		}
		decided++
	}
	if decided < 60 {
		t.Errorf("only %d calls are decided: the API's own list was not read", decided)
	}
}

// httpRoutes returns the calls that Temporal's API has over HTTP, as method and
// path, with {} for every parameter.
func httpRoutes(tb testing.TB) []string {
	tb.Helper()
	param := regexp.MustCompile(`\{[^}]*\}`)
	var out []string
	for _, file := range []protoreflect.FileDescriptor{
		workflowservice.File_temporal_api_workflowservice_v1_service_proto, operatorservice.File_temporal_api_operatorservice_v1_service_proto,
	} {
		methods := file.Services().Get(0).Methods()
		for i := range methods.Len() {
			methods.Get(i).Options().ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
				if f.FullName() != "google.api.http" {
					return true
				}
				rules := []protoreflect.Message{v.Message()}
				more := v.Message().Get(v.Message().Descriptor().Fields().ByName("additional_bindings")).List()
				for j := range more.Len() {
					rules = append(rules, more.Get(j).Message())
				}
				for _, rule := range rules {
					pattern := rule.WhichOneof(rule.Descriptor().Oneofs().ByName("pattern"))
					if path := rule.Get(pattern).String(); strings.HasPrefix(path, "/api/v1/") {
						out = append(out, strings.ToUpper(string(pattern.Name()))+" "+param.ReplaceAllString(path, "{}"))
					}
				}
				return true
			})
		}
	}
	return out
}

// FuzzWrite sends any body to the calls by which an administrator could say
// something to a case. What passes says nothing, and in the actor's own name.
func FuzzWrite(f *testing.F) {
	h := newHouse(f)
	header := `"header":{"fields":{"x-fileroom-actor":{"data":"e30="}}}`
	for _, body := range []string{
		"", "{}", "{" + header + "}", strings.Replace("{"+header+"}", "x-file", `X-\u0066ile`, 1), `{"identity":"mallory"}`,
		`{"signalOperation":{"signal":"approve"}}`, `{"resetOperation":{"postResetOperations":[{"signalWorkflow":{}}]}}`,
		`{"schedule":{"action":{"startWorkflow":{` + header + `}}}}`, `{"postResetOperations":[{"signalWorkflow":{"signalName":"approve"}}]}`,
		`{"executions":[{"workflowId":"release/K7M4-2QXF"}],"terminationOperation":{"identity":"mallory"}}`,
	} {
		for i := range 4 {
			f.Add(i, body)
		}
	}
	f.Fuzz(func(t *testing.T, at int, body string) {
		paths := []string{"/workflows/w", "/workflows/w/reset", "/batch-operations/b", "/schedules/s"}
		h.seen, h.bodies = nil, nil
		w := h.ask(t, "POST", space+paths[uint(at)%4], body, as, adam.Subject)
		if len(h.seen) == 0 {
			if w.Code == 200 {
				t.Errorf("answered %d by itself", w.Code)
			}
			return
		}
		if looks := h.access.take(); len(looks) == 0 || looks[len(looks)-1].What != library.LookWrite {
			t.Errorf("entered %+v", looks)
		}
		var said map[string]any
		if err := json.Unmarshal(h.bodies[0], &said); err != nil {
			t.Fatal(err)
		}
		if _, named := said["identity"]; !named && paths[uint(at)%4] != "/batch-operations/b" {
			t.Errorf("passed in nobody's name: %s", h.bodies[0])
		}
		if key := spoken(said); key != "" {
			t.Errorf("%q passed as %s, with %s", body, h.bodies[0], key)
		}
	})
}

// spoken returns a key in JSON by which something is said to a case, or in the
// name of another, or "".
func spoken(v any) string {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if key := spoken(e); key != "" {
				return key
			}
		}
	case map[string]any:
		for key, e := range v {
			if strings.EqualFold(key, staff.HeaderName) || key == "signalOperation" || key == "signalWorkflow" {
				return key
			}
			if name, ok := e.(string); ok && key == "identity" && name != adam.Subject {
				return key
			}
			if key := spoken(e); key != "" {
				return key
			}
		}
	}
	return ""
}

// TestWhatSpeaks finds the types by which an administrator's call could say
// something to a case.
func TestWhatSpeaks(t *testing.T) {
	t.Parallel()

	seen := map[protoreflect.FullName]bool{}
	var found []string
	var walk func(d protoreflect.MessageDescriptor)
	walk = func(d protoreflect.MessageDescriptor) {
		if seen[d.FullName()] {
			return
		}
		seen[d.FullName()] = true
		fields := d.Fields()
		for i := range fields.Len() {
			f := fields.Get(i)
			if f.Message() != nil {
				walk(f.Message())
			}
			// Whoever names a signal or an update names it in a field of its own.
			if name := string(f.Name()); f.Kind() == protoreflect.StringKind && (strings.Contains(name, "signal") || strings.Contains(name, "update_name")) {
				found = append(found, string(d.FullName()))
			}
		}
	}
	for _, m := range []proto.Message{
		new(workflowservice.StartWorkflowExecutionRequest), new(workflowservice.ResetWorkflowExecutionRequest), new(workflowservice.StartBatchOperationRequest),
		new(workflowservice.CreateScheduleRequest), new(workflowservice.UpdateScheduleRequest), new(workflowservice.PatchScheduleRequest),
		new(workflowservice.CreateWorkflowRuleRequest), new(workflowservice.TriggerWorkflowRuleRequest), new(workflowservice.UpdateWorkflowExecutionOptionsRequest),
		new(workflowservice.UpdateNamespaceRequest), new(workflowservice.UpdateActivityOptionsRequest), new(workflowservice.UpdateWorkerConfigRequest),
	} {
		walk(m.ProtoReflect().Descriptor())
	}
	slices.Sort(found)
	want := []string{"temporal.api.batch.v1.BatchOperationSignal", "temporal.api.workflow.v1.PostResetOperation.SignalWorkflow"}
	if !slices.Equal(found, want) {
		t.Errorf("messages that name a signal or an update are\n%s\nwant\n%s", strings.Join(found, "\n"), strings.Join(want, "\n"))
	}
}
