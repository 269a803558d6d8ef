package web_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/encoding/protojson"

	"fileroom/internal/library"
	"fileroom/internal/staff"
	"fileroom/internal/vault"
)

// signalBody and updateBody are what the UI sends, and what an attacker adds.
func signalBody(tb testing.TB, p *commonpb.Payload) string {
	tb.Helper()
	return toJSON(tb, &workflowservice.SignalWorkflowExecutionRequest{
		SignalName:        "deny",
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: "release/OTHER", RunId: "run-1"},
		Input:             &commonpb.Payloads{Payloads: []*commonpb.Payload{p}},
		Identity:          "mallory@library.example",
		Header: &commonpb.Header{Fields: map[string]*commonpb.Payload{
			staff.HeaderName: staff.HeaderPayload(`{"forged":true}`),
			"x-other":        jsonPayload("1"),
		}},
	})
}

func updateBody(tb testing.TB, p *commonpb.Payload) string {
	tb.Helper()
	return toJSON(tb, &workflowservice.UpdateWorkflowExecutionRequest{
		WorkflowExecution: &commonpb.WorkflowExecution{RunId: "run-1"},
		Request: &updatepb.Request{
			Meta: &updatepb.Meta{UpdateId: "u-1", Identity: "mallory@library.example"},
			Input: &updatepb.Input{
				Name: "deny",
				Args: &commonpb.Payloads{Payloads: []*commonpb.Payload{p}},
				Header: &commonpb.Header{Fields: map[string]*commonpb.Payload{
					staff.HeaderName: staff.HeaderPayload(`{"forged":true}`),
				}},
			},
		},
	})
}

// verified checks the header that reached the UI, with what it came with.
func (h *house) verified(tb testing.TB, header *commonpb.Header, payloads *commonpb.Payloads) {
	tb.Helper()
	if len(header.GetFields()) != 1 || len(payloads.GetPayloads()) != 1 {
		tb.Fatalf("%d header fields and %d payloads, want one each", len(header.GetFields()), len(payloads.GetPayloads()))
	}
	if wire := toJSON(tb, payloads); strings.Contains(wire, "json") || string(payloads.Payloads[0].Metadata["encoding"]) != vault.EncryptedEncoding {
		tb.Errorf("the payload passes in clear: %s", wire)
	}
	plain, err := h.codec.Decode(payloads.GetPayloads())
	if err != nil {
		tb.Fatal(err)
	}
	text := staff.HeaderText(header.GetFields()[staff.HeaderName])
	signed, err := h.verifier.Verify(text, workflowID, "approve", plain[0].GetData())
	if err != nil {
		tb.Fatal(err)
	}
	if signed.Actor.Subject != alice.Subject || string(plain[0].GetData()) != said {
		tb.Errorf("%+v said %s", signed.Actor, plain[0].GetData())
	}
}

func TestSignalsAreSigned(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	for name, payload := range map[string]*commonpb.Payload{
		"encrypted": h.seal(t, jsonPayload(said)),
		"in clear":  jsonPayload(said),
	} {
		w := h.ask(t, "POST", casePath+"/signal/approve?signalName=deny", signalBody(t, payload))
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", name, w.Code, w.Body)
		}
		last := len(h.seen) - 1
		if got := h.seen[last].URL; got.EscapedPath() != casePath+"/signal/approve" || got.RawQuery != "" {
			t.Errorf("%s: went to %s", name, got)
		}
		var got workflowservice.SignalWorkflowExecutionRequest
		if err := protojson.Unmarshal(h.bodies[last], &got); err != nil {
			t.Fatal(err)
		}
		if got.Identity != alice.Subject || got.SignalName != "approve" || got.WorkflowExecution.WorkflowId != workflowID || got.WorkflowExecution.RunId != "run-1" {
			t.Errorf("%s: %s", name, h.bodies[last])
		}
		h.verified(t, got.Header, got.Input)
	}
}

func TestUpdatesAreSigned(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	w := h.ask(t, "POST", casePath+"/update/approve", updateBody(t, h.seal(t, jsonPayload(said))))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var got workflowservice.UpdateWorkflowExecutionRequest
	if err := protojson.Unmarshal(h.bodies[0], &got); err != nil {
		t.Fatal(err)
	}
	if got.Request.Meta.Identity != alice.Subject || got.Request.Meta.UpdateId != "u-1" || got.Request.Input.Name != "approve" ||
		got.WorkflowExecution.WorkflowId != workflowID || got.WorkflowExecution.RunId != "run-1" {
		t.Errorf("%s", h.bodies[0])
	}
	h.verified(t, got.Request.Input.Header, got.Request.Input.Args)
}

func TestRefusalIsReadable(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	fc, err := vault.FailureConverter(h.ring)
	if err != nil {
		t.Fatal(err)
	}
	cause := temporal.NewApplicationErrorWithCause("not by your role", "invalid", library.Errorf(library.Invalid, "approve", workflowID, "alas"))
	failure := fc.ErrorToFailure(cause)
	if strings.Contains(failure.GetMessage(), "role") {
		t.Fatal("the failure is not encoded")
	}
	h.answer = []byte(toJSON(t, &workflowservice.UpdateWorkflowExecutionResponse{
		Outcome: &updatepb.Outcome{Value: &updatepb.Outcome_Failure{Failure: failure}},
	}))
	ask := func() *httptest.ResponseRecorder {
		return h.ask(t, "POST", casePath+"/update/approve", updateBody(t, jsonPayload(said)))
	}
	w := ask()
	var got workflowservice.UpdateWorkflowExecutionResponse
	if err := protojson.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	f := got.GetOutcome().GetFailure()
	if f.GetMessage() != "not by your role" || !strings.Contains(f.GetCause().GetMessage(), "alas") {
		t.Errorf("answered %s", w.Body)
	}
	looks := h.access.take()
	if len(looks) != 1 || looks[0].What != library.LookRefused || looks[0].Case != caseID || looks[0].Actor.Subject != alice.Subject ||
		looks[0].Session == "" || !strings.HasSuffix(looks[0].Detail, "/update/approve") {
		t.Errorf("entered %+v", looks)
	}
	// A log that fails takes nobody's answer away.
	h.access.err = errors.New("disk full")
	if w := ask(); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "not by your role (and this attempt could not be entered") {
		t.Errorf("unlogged: %d %s", w.Code, w.Body)
	}

	// An answer that is no failure, or nothing that is known, stays as it is.
	for _, answer := range []string{`{"outcome":{"success":{"payloads":[]}}}`, "not JSON"} {
		h.answer = []byte(answer)
		if w := ask(); w.Body.String() != answer || len(h.access.take()) != 0 {
			t.Errorf("%q became %q", answer, w.Body)
		}
	}
}

// FuzzPath sends messages to any path. What reaches the UI is signed for the
// workflow and the message that the UI finds in it.
func FuzzPath(f *testing.F) {
	h := newHouse(f)
	body := signalBody(f, jsonPayload(said))
	for _, path := range []string{
		casePath + "/signal/approve", casePath + "/update/approve", casePath + "/query/case", casePath + "/reset",
		"/api/v1/namespaces/default/workflows/%252F/signal/deny", "/codec/../api/v1/namespaces/default/workflows/x/signal/deny",
	} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || u.Host != "" {
			return
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.URL, r.Host = u, h.host
		h.seen, h.bodies = nil, nil
		h.gateway.ServeHTTP(httptest.NewRecorder(), r)
		if len(h.seen) == 0 {
			return
		}
		parts := strings.Split(h.seen[0].URL.EscapedPath(), "/")
		if len(parts) != 9 || parts[5] != "workflows" {
			t.Fatalf("went to %s", h.seen[0].URL)
		}
		if parts[7] == "query" {
			return
		}
		workflow, err := url.PathUnescape(parts[6])
		if err != nil {
			t.Fatal(err)
		}
		var in workflowservice.SignalWorkflowExecutionRequest
		if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(h.bodies[0], &in); err != nil {
			t.Fatal(err)
		}
		plain, err := h.codec.Decode(in.GetInput().GetPayloads())
		if err != nil {
			t.Fatal(err)
		}
		text := staff.HeaderText(in.GetHeader().GetFields()[staff.HeaderName])
		if _, err := h.verifier.Verify(text, workflow, parts[8], plain[0].GetData()); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	})
}
