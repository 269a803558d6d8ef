package web_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"fileroom/internal/library"
	"fileroom/internal/staff"
	"fileroom/internal/vault"
	"fileroom/internal/web"
)

const (
	workflowID = "release/K7M4-2QXR"
	casePath   = "/api/v1/namespaces/default/workflows/release%2FK7M4-2QXR"
	said       = `{"revision":"9f2c","note":"as discussed with Orsolya Quist"}`
)

var alice = staff.Actor{Subject: "alice@library.example", Name: "Alice Ng", Roles: []staff.Role{staff.Specialist}}

// house is a gateway before a UI that records what reaches it.
type house struct {
	ring     *vault.Keyring
	codec    *vault.Codec
	verifier *staff.Verifier
	gateway  *web.Gateway
	host     string

	seen   []*http.Request // What reached the UI, its body read into bodies.
	bodies [][]byte
	answer []byte // What the UI answers; "{}" if nil.
}

func newHouse(tb testing.TB) *house {
	tb.Helper()
	h := &house{ring: vault.NewKeyring(), host: "127.0.0.1:8080"}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			tb.Errorf("the UI: %v", err)
		}
		h.seen, h.bodies = append(h.seen, r), append(h.bodies, body)
		w.Header().Set("Content-Security-Policy", "frame-src 'self'")
		w.Header().Set("Content-Type", "application/json")
		if h.answer == nil {
			h.answer = []byte("{}")
		}
		_, _ = w.Write(h.answer)
	}))
	tb.Cleanup(upstream.Close)
	target, err := url.Parse(upstream.URL)
	if err != nil {
		tb.Fatal(err)
	}
	key, err := staff.NewSigningKey()
	if err != nil {
		tb.Fatal(err)
	}
	if h.codec, err = vault.NewCodec(h.ring); err != nil {
		tb.Fatal(err)
	}
	digests := h.ring.Digests(staff.DigestPurpose)
	h.verifier = &staff.Verifier{Keys: staff.PublicKeys{key.Public()}, Digests: digests}
	h.gateway, err = web.NewGateway(web.Options{
		Upstream:  target,
		Hosts:     []string{h.host, "localhost:8080"},
		Namespace: "default",
		Messages:  []string{"approve", "deny"},
		Actor: func(r *http.Request) (staff.Actor, bool) {
			return alice, r.Header.Get("X-Test-Nobody") == ""
		},
		Signer: staff.Signer{Key: key, Digests: digests},
		Codec:  h.codec,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// ask sends a request as a browser on the gateway's own page does, with the
// headers given as name, value, ... set over it.
func (h *house) ask(tb testing.TB, method, target string, body string, headers ...string) *httptest.ResponseRecorder {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), method, target, strings.NewReader(body))
	r.Host = h.host
	r.RemoteAddr = "127.0.0.1:50000"
	if method != http.MethodGet {
		r.Header.Set("Origin", "http://"+h.host)
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		switch headers[i] {
		case "Host":
			r.Host = headers[i+1]
		case "From":
			r.RemoteAddr = headers[i+1]
		default:
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.gateway.ServeHTTP(w, r)
	return w
}

func jsonPayload(text string) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(text)}
}

// seal encrypts a payload as the UI has it done by the codec endpoint.
func (h *house) seal(tb testing.TB, p *commonpb.Payload) *commonpb.Payload {
	tb.Helper()
	out, err := h.codec.Encode([]*commonpb.Payload{p})
	if err != nil {
		tb.Fatal(err)
	}
	return out[0]
}

func toJSON(tb testing.TB, m proto.Message) string {
	tb.Helper()
	b, err := protojson.Marshal(m)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

// TestNothingElseIsWritten is the table of what a browser may not do. Nothing
// of it reaches the UI.
func TestNothingElseIsWritten(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	good := updateBody(t, h.seal(t, jsonPayload(said)))
	with := func(p ...*commonpb.Payload) string {
		return toJSON(t, &workflowservice.SignalWorkflowExecutionRequest{Input: &commonpb.Payloads{Payloads: p}})
	}
	binary := jsonPayload(said)
	binary.Metadata["encoding"] = []byte("binary/plain")
	stranger := newHouse(t).seal(t, jsonPayload(said))
	damaged := h.seal(t, jsonPayload(said))
	damaged.Data[20] ^= 1

	const signal = casePath + "/signal/approve"
	tests := map[string]struct {
		method  string // POST, if empty.
		target  string
		body    string // An update, if empty.
		headers []string
		want    int
	}{
		"terminate":              {target: casePath + "/terminate", want: 403},
		"cancel":                 {target: casePath + "/cancel", want: 403},
		"reset":                  {target: casePath + "/reset", want: 403},
		"pause":                  {target: casePath + "/pause", want: 403},
		"start":                  {target: casePath, want: 403},
		"signal with start":      {target: casePath + "/signal-with-start/approve", want: 403},
		"batch":                  {target: "/api/v1/namespaces/default/batch-operations/b-1", want: 403},
		"schedule":               {target: "/api/v1/namespaces/default/schedules/s-1", want: 403},
		"activity":               {target: "/api/v1/namespaces/default/activities/complete", want: 403},
		"namespace":              {target: "/api/v1/namespaces", want: 403},
		"search attributes":      {target: "/api/v1/cluster/namespaces/default/search-attributes", want: 403},
		"delete":                 {method: "DELETE", target: casePath, want: 403},
		"put":                    {method: "PUT", target: signal, want: 403},
		"patch":                  {method: "PATCH", target: signal, want: 403},
		"options":                {method: "OPTIONS", target: signal, want: 403},
		"an unheard-of method":   {method: "QUERY", target: signal, want: 403},
		"trailing slash":         {target: signal + "/", want: 403},
		"upper case kind":        {target: casePath + "/Signal/approve", want: 403},
		"upper case message":     {target: casePath + "/signal/Approve", want: 403},
		"escaped kind":           {target: casePath + "/%73ignal/approve", want: 403},
		"slashes not escaped":    {target: "/api/v1/namespaces/default/workflows/release/K7M4-2QXR/signal/approve", want: 403},
		"two slashes":            {target: "//api/v1/namespaces/default/workflows/x/signal/approve", want: 403},
		"dots":                   {target: "/api/v1/namespaces/default/workflows/../signal/approve", want: 403},
		"escaped dots":           {target: "/api/v1/namespaces/default/workflows/%2e%2e/signal/approve", want: 403},
		"no workflow":            {target: "/api/v1/namespaces/default/workflows//signal/approve", want: 403},
		"a newline":              {target: "/api/v1/namespaces/default/workflows/a%0Ab/signal/approve", want: 403},
		"a backslash":            {target: "/api/v1/namespaces/default/workflows/a%5Cb/signal/approve", want: 403},
		"no UTF-8":               {target: "/api/v1/namespaces/default/workflows/a%FFb/signal/approve", want: 403},
		"a custom verb":          {target: casePath + "/query/case:reset", want: 403},
		"the other API prefix":   {target: "/namespaces/default/workflows/x/signal/approve", want: 403},
		"another namespace":      {target: "/api/v1/namespaces/temporal-system/workflows/x/signal/approve", want: 403},
		"the program's signal":   {target: casePath + "/signal/arrived", want: 403},
		"from another page":      {target: signal, headers: []string{"Origin", "http://evil.example"}, want: 403},
		"from a sandboxed page":  {target: signal, headers: []string{"Origin", "null"}, want: 403},
		"from our host, a port":  {target: signal, headers: []string{"Origin", "http://127.0.0.1:9999"}, want: 403},
		"cross-site, no origin":  {target: signal, headers: []string{"Origin", "", "Sec-Fetch-Site", "cross-site"}, want: 403},
		"rebound name":           {target: signal, headers: []string{"Host", "evil.example:8080"}, want: 421},
		"host without its port":  {target: signal, headers: []string{"Host", "127.0.0.1"}, want: 421},
		"rebound name, reading":  {method: "GET", target: "/", headers: []string{"Host", "evil.example:8080"}, want: 421},
		"nobody signed in":       {target: signal, headers: []string{"X-Test-Nobody", "1"}, want: 401},
		"nobody, reading":        {method: "GET", target: "/", headers: []string{"X-Test-Nobody", "1"}, want: 401},
		"nobody, decoding":       {target: "/codec/decode", headers: []string{"X-Test-Nobody", "1"}, want: 401},
		"huge":                   {target: signal, body: `{"identity":"` + strings.Repeat("x", 2<<20) + `"}`, want: 413},
		"huge query":             {target: casePath + "/query/case", body: strings.Repeat("x", 2<<20), want: 413},
		"no JSON":                {target: signal, body: "revision=9f2c", want: 400},
		"JSON twice":             {target: signal, body: good + good, want: 400},
		"an array":               {target: signal, body: "[]", want: 400},
		"a field twice":          {target: signal, body: strings.Replace(with(jsonPayload(said)), "{", `{"input":{},`, 1), want: 400},
		"a field by both names":  {target: signal, body: strings.Replace(signalBody(t, jsonPayload(said)), "{", `{"signal_name":"x",`, 1), want: 400},
		"no payload":             {target: signal, body: with(), want: 400},
		"null payload":           {target: signal, body: `{"input":{"payloads":[null]}}`, want: 400},
		"two payloads":           {target: signal, body: with(jsonPayload(said), jsonPayload(said)), want: 400},
		"payload no JSON":        {target: signal, body: with(jsonPayload("approve it")), want: 400},
		"payload binary":         {target: signal, body: with(binary), want: 400},
		"payload of a stranger":  {target: signal, body: with(stranger), want: 500},
		"payload damaged":        {target: signal, body: with(damaged), want: 400},
		"payload in wrong field": {target: signal, body: good, want: 400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.method == "" {
				tt.method = "POST"
			}
			if tt.body == "" {
				tt.body = good
			}
			before := len(h.seen)
			w := h.ask(t, tt.method, tt.target, tt.body, tt.headers...)
			var answer struct {
				Code    int
				Message string
			}
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Code == 0 || answer.Message == "" {
				t.Errorf("answer is %q, want a sentence for the UI (error %v)", w.Body, err)
			}
			if w.Code != tt.want {
				t.Errorf("status %d (%s), want %d", w.Code, answer.Message, tt.want)
			}
			if len(h.seen) != before {
				t.Errorf("reached the UI: %s", h.seen[before].URL)
			}
			if strings.Contains(w.Body.String(), "Orsolya") {
				t.Errorf("the answer quotes the message: %s", w.Body)
			}
		})
	}
}

func TestReadingPasses(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	tests := map[string]struct{ method, target, body string }{
		"page":          {method: "GET", target: "/namespaces/default/workflows/release%2FK7M4-2QXR/run-1/history?sort=a%2Fb&x=1"},
		"API":           {method: "GET", target: casePath + "/history?maximumPageSize=20"},
		"head":          {method: "HEAD", target: "/"},
		"query":         {method: "POST", target: casePath + "/query/__temporal_workflow_metadata", body: `{"query":{}}`},
		"query, system": {method: "POST", target: "/api/v1/namespaces/temporal-system/workflows/x/query/q", body: `{"query":{}}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := h.ask(t, tt.method, tt.target, tt.body)
			if w.Code != http.StatusOK {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if got := w.Header().Get("Content-Security-Policy"); got != "frame-src 'self'" {
				t.Errorf("the UI's security policy became %q", got)
			}
			last := len(h.seen) - 1
			if got := h.seen[last].URL.RequestURI(); got != tt.target || h.seen[last].Method != tt.method {
				t.Errorf("went to %s %s", h.seen[last].Method, got)
			}
			if string(h.bodies[last]) != tt.body {
				t.Errorf("body became %q", h.bodies[last])
			}
		})
	}
}

func TestOnlyKnownHeadersPass(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	w := h.ask(t, "POST", casePath+"/query/case", "{}",
		"X-Csrf-Token", "token", "Cookie", "session=secret; _csrf=token; user0=x", "Sec-Fetch-Site", "same-origin",
		"Caller-Type", "operator", "Authorization", "Bearer x", "Authorization-Extras", "x",
		"Temporal-Principal-Name", "mallory", "Grpc-Metadata-Temporal-Principal-Name", "mallory", "Grpc-Timeout", "1n",
		"X-Http-Method-Override", "DELETE", "X-Forwarded-For", "192.0.2.1", "X-Forwarded-Host", "evil.example", "Forwarded", "for=192.0.2.1",
		"X-Real-Ip", "192.0.2.1", "Connection", "X-Csrf-Token, Upgrade", "Upgrade", "websocket", "Te", "trailers")
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	got := h.seen[0].Header
	for name, want := range map[string]string{
		"X-Csrf-Token": "token", "Cookie": "_csrf=token", "Sec-Fetch-Site": "same-origin", "Caller-Type": "operator",
		"Origin": "http://" + h.host, "Content-Type": "application/json",
	} {
		if got.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Get(name), want)
		}
		got.Del(name)
	}
	for _, ok := range []string{"Accept-Encoding", "Content-Length", "User-Agent"} {
		got.Del(ok) // The transport's own.
	}
	if len(got) != 0 {
		t.Errorf("passed: %v", got)
	}
}

func TestUpstreamDown(t *testing.T) {
	t.Parallel()

	dead := httptest.NewServer(http.NotFoundHandler())
	target, err := url.Parse(dead.URL)
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	h := newHouse(t)
	g, err := web.NewGateway(web.Options{
		Upstream: target, Hosts: []string{h.host}, Namespace: "default", Messages: []string{"approve"},
		Actor:  func(*http.Request) (staff.Actor, bool) { return alice, true },
		Signer: staff.Signer{Digests: h.ring.Digests("x")}, Codec: h.codec,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.gateway = g
	if w := h.ask(t, "GET", "/", ""); w.Code != http.StatusBadGateway || !strings.Contains(w.Body.String(), "does not answer") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestNewGatewayRefuses(t *testing.T) {
	t.Parallel()

	ring := vault.NewKeyring()
	codec, err := vault.NewCodec(ring)
	if err != nil {
		t.Fatal(err)
	}
	good := web.Options{
		Upstream: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}, Hosts: []string{"h"}, Namespace: "n", Messages: []string{"approve"},
		Actor: func(*http.Request) (staff.Actor, bool) { return alice, true }, Signer: staff.Signer{Digests: ring.Digests("x")}, Codec: codec,
	}
	for name, change := range map[string]func(o *web.Options){
		"no upstream":        func(o *web.Options) { o.Upstream = nil },
		"upstream is a file": func(o *web.Options) { o.Upstream = &url.URL{Scheme: "file", Path: "/"} },
		"UI under a path":    func(o *web.Options) { o.Upstream = &url.URL{Scheme: "http", Host: "h", Path: "/ui"} },
		"no hosts":           func(o *web.Options) { o.Hosts = nil },
		"no namespace":       func(o *web.Options) { o.Namespace = "" },
		"no messages":        func(o *web.Options) { o.Messages = nil },
		"no actor":           func(o *web.Options) { o.Actor = nil },
		"no codec":           func(o *web.Options) { o.Codec = nil },
		"no digests":         func(o *web.Options) { o.Signer.Digests = nil },
	} {
		o := good
		change(&o)
		if _, err := web.NewGateway(o); library.KindOf(err) != library.Invalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	if _, err := web.NewGateway(good); err != nil {
		t.Error(err)
	}
}
