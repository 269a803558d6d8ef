package web

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"fileroom/internal/library"
	"fileroom/internal/staff"
)

// The kinds of call that a browser may make.
const (
	signalCall = "signal"
	updateCall = "update"
	queryCall  = "query"
)

// callPrefix is where the UI serves Temporal's API.
const callPrefix = "/api/v1/namespaces/"

// A call is the path of a signal, update or query:
// /api/v1/namespaces/{namespace}/workflows/{workflow}/{kind}/{name}.
type call struct{ kind, namespace, workflow, name string }

// parseCall reads a path as it was sent, still escaped. Workflow ids contain
// slashes, which come as %2F.
func parseCall(escaped string) (call, bool) {
	rest, ok := strings.CutPrefix(escaped, callPrefix)
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 5 || parts[1] != "workflows" || !slices.Contains([]string{signalCall, updateCall, queryCall}, parts[3]) {
		return call{}, false
	}
	for i, p := range parts {
		if parts[i], ok = segment(p); !ok {
			return call{}, false
		}
	}
	// A name with a colon would be taken for a custom verb (google.api.http).
	return call{kind: parts[3], namespace: parts[0], workflow: parts[2], name: parts[4]}, !strings.Contains(parts[4], ":")
}

// segment unescapes one part of a path, and refuses what another server might
// read in another way.
func segment(escaped string) (string, bool) {
	s, err := url.PathUnescape(escaped)
	if err != nil || s == "" || s == "." || s == ".." || !utf8.ValidString(s) {
		return "", false
	}
	return s, !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\\' })
}

// plainPath reports whether every server reads the path of a page alike. A
// server that takes out dots or double slashes would look at another page than
// the one that the access log names.
func plainPath(escaped string) bool {
	parts := strings.Split(escaped, "/")
	for i, p := range parts {
		if p == "" && (i == 0 || i == len(parts)-1) {
			continue
		}
		if _, ok := segment(p); !ok {
			return false
		}
	}
	return true
}

// workflowOf returns the workflow at which a GET with this path looks, or "" if
// it looks at none of the namespace's. It is false where a server that unescapes
// twice, as one page of the UI's does, would find another.
func (g *Gateway) workflowOf(escaped string) (string, bool) {
	parts := strings.Split(escaped, "/")
	for i, p := range parts {
		parts[i], _ = url.PathUnescape(p)
	}
	if len(parts) < 7 || !strings.EqualFold(strings.Join(parts[:4], "/")+"/", callPrefix) || !strings.EqualFold(parts[5], "workflows") {
		return "", true
	}
	if strings.Contains(parts[4]+parts[6], "%") {
		return "", false
	}
	if parts[4] != g.o.Namespace {
		return "", true
	}
	return parts[6], true
}

// path returns the call's path, and how it is escaped.
func (c call) path() (plain, escaped string) {
	parts := []string{c.namespace, "workflows", c.workflow, c.kind, c.name}
	plain = callPrefix + strings.Join(parts, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return plain, callPrefix + strings.Join(parts, "/")
}

// sign returns the body of a signal or update with actor's statement in its
// header. It is made anew of what the browser may decide: its payload, the run,
// and ids against sending twice. Whatever else came is dropped.
func (g *Gateway) sign(c call, body []byte, actor staff.Actor) ([]byte, error) {
	if c.kind == signalCall {
		return g.signSignal(c, body, actor)
	}
	return g.signUpdate(c, body, actor)
}

func (g *Gateway) signSignal(c call, body []byte, actor staff.Actor) ([]byte, error) {
	var in workflowservice.SignalWorkflowExecutionRequest
	if err := unmarshal(c, body, &in); err != nil {
		return nil, err
	}
	payloads, header, err := g.signed(c, in.GetInput(), actor)
	if err != nil {
		return nil, err
	}
	return marshal(c, &workflowservice.SignalWorkflowExecutionRequest{
		Namespace:         c.namespace,
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: c.workflow, RunId: in.GetWorkflowExecution().GetRunId()},
		SignalName:        c.name,
		Input:             payloads,
		Identity:          actor.Subject,
		RequestId:         in.GetRequestId(),
		Header:            header,
	})
}

func (g *Gateway) signUpdate(c call, body []byte, actor staff.Actor) ([]byte, error) {
	var in workflowservice.UpdateWorkflowExecutionRequest
	if err := unmarshal(c, body, &in); err != nil {
		return nil, err
	}
	payloads, header, err := g.signed(c, in.GetRequest().GetInput().GetArgs(), actor)
	if err != nil {
		return nil, err
	}
	return marshal(c, &workflowservice.UpdateWorkflowExecutionRequest{
		Namespace:           c.namespace,
		WorkflowExecution:   &commonpb.WorkflowExecution{WorkflowId: c.workflow, RunId: in.GetWorkflowExecution().GetRunId()},
		FirstExecutionRunId: in.GetFirstExecutionRunId(),
		WaitPolicy:          in.GetWaitPolicy(),
		Request: &updatepb.Request{
			Meta:      &updatepb.Meta{UpdateId: in.GetRequest().GetMeta().GetUpdateId(), Identity: actor.Subject},
			Input:     &updatepb.Input{Header: header, Name: c.name, Args: payloads},
			RequestId: in.GetRequest().GetRequestId(),
		},
	})
}

// signed returns the one payload of a message, encrypted if it was not, and the
// header that says who sent it.
func (g *Gateway) signed(c call, in *commonpb.Payloads, actor staff.Actor) (*commonpb.Payloads, *commonpb.Header, error) {
	invalid := func(text string) (*commonpb.Payloads, *commonpb.Header, error) {
		return nil, nil, library.Errorf(library.Invalid, c.name, c.workflow, "%s", text)
	}
	if len(in.GetPayloads()) != 1 || in.GetPayloads()[0] == nil {
		return invalid("the message needs one JSON value, such as {}")
	}
	plain, err := g.o.Codec.Decode(in.GetPayloads())
	if err != nil {
		return nil, nil, err
	}
	if string(plain[0].GetMetadata()[converter.MetadataEncoding]) != converter.MetadataEncodingJSON {
		return invalid("the message is not JSON: choose the encoding " + converter.MetadataEncodingJSON)
	}
	text, err := g.o.Signer.Sign(actor, c.workflow, c.name, plain[0].GetData())
	if err != nil {
		return nil, nil, err
	}
	// Encoded anew: what came in clear must not get into a history in clear.
	sealed, err := g.o.Codec.Encode(plain)
	if err != nil {
		return nil, nil, err
	}
	header := &commonpb.Header{Fields: map[string]*commonpb.Payload{staff.HeaderName: staff.HeaderPayload(text)}}
	return &commonpb.Payloads{Payloads: sealed}, header, nil
}

func unmarshal(c call, body []byte, m proto.Message) error {
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(body, m); err != nil {
		// The reason would quote the message.
		return library.Errorf(library.Invalid, c.name, c.workflow, "the request is malformed")
	}
	return nil
}

func marshal(c call, m proto.Message) ([]byte, error) {
	b, err := protojson.Marshal(m)
	if err != nil {
		return nil, library.Errorf(library.Invalid, c.name, c.workflow, "the request is malformed")
	}
	return b, nil
}

// maxAnswer is the most bytes of an update's answer that are looked at.
const maxAnswer = 4 << 20

// readable decodes the failure in the answer to an update, and enters in the
// access log that it was refused. The UI shows a failure's message as it is, and
// encrypted it would read "Encoded failure": whoever was refused must read why.
func (g *Gateway) readable(r *http.Response) error {
	c, ok := parseCall(r.Request.URL.EscapedPath())
	if !ok || r.Request.Method != http.MethodPost || c.kind != updateCall || r.StatusCode != http.StatusOK {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer+1))
	if err != nil || len(body) > maxAnswer {
		return library.Errorf("", "read answer to "+c.name, c.workflow, "cut or too large")
	}
	if err := r.Body.Close(); err != nil {
		return library.Fault("read answer to "+c.name, c.workflow, err)
	}
	var answer workflowservice.UpdateWorkflowExecutionResponse
	if unmarshal(c, body, &answer) == nil && answer.GetOutcome().GetFailure() != nil {
		dc := converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), g.o.Codec)
		reveal(dc, answer.GetOutcome().GetFailure())
		if g.enterRefused(r.Request.Context()) != nil { // The refusal stands, and is told.
			answer.GetOutcome().GetFailure().Message += notEntered
		}
		if b, err := marshal(c, &answer); err == nil {
			body = b
		}
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// reveal puts the messages of a failure and its causes in clear. Stack traces
// are nothing to people.
func reveal(dc converter.DataConverter, f *failurepb.Failure) {
	for ; f != nil; f = f.GetCause() {
		converter.DecodeCommonFailureAttributes(dc, f)
		f.EncodedAttributes, f.StackTrace = nil, ""
	}
}
