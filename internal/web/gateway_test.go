package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"

	"fileroom/internal/library"
	"fileroom/internal/staff"
	"fileroom/internal/vault"
	"fileroom/internal/web"
)

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
		"slashes not escaped":    {target: "/api/v1/namespaces/default/workflows/release/K7M4-2QXF/signal/approve", want: 403},
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
		"from our host, a port":  {target: signal, headers: []string{"Origin", "https://ui.library.example:9999"}, want: 403},
		"our host, not by HTTPS": {target: signal, headers: []string{"Origin", "http://ui.library.example:8443"}, want: 403},
		"the panel's host":       {target: signal, headers: []string{"Origin", "https://panel.library.example:8443"}, want: 403},
		"cross-site, no origin":  {target: signal, headers: []string{"Origin", "", "Sec-Fetch-Site", "cross-site"}, want: 403},
		"rebound name":           {target: signal, headers: []string{"Host", "evil.example:8080"}, want: 421},
		"host without its port":  {target: signal, headers: []string{"Host", "ui.library.example"}, want: 421},
		"rebound name, reading":  {method: "GET", target: "/", headers: []string{"Host", "evil.example:8080"}, want: 421},
		"nobody signed in":       {target: signal, headers: []string{as, "nobody"}, want: 401},
		"nobody, reading":        {method: "GET", target: "/", headers: []string{as, "nobody"}, want: 401},
		"nobody, decoding":       {target: "/codec/decode", headers: []string{as, "nobody"}, want: 401},
		"broken, reading":        {method: "GET", target: "/", headers: []string{as, "broken"}, want: 503},
		"broken, writing":        {target: signal, headers: []string{as, "broken"}, want: 503},
		"no role, reading":       {method: "GET", target: "/", headers: []string{as, nemo.Subject}, want: 403},
		"no role, decoding":      {target: "/codec/decode", headers: []string{as, nemo.Subject}, want: 403},
		"no role, querying":      {target: casePath + "/query/case", headers: []string{as, nemo.Subject}, want: 403},
		"viewer":                 {target: signal, headers: []string{as, vera.Subject}, want: 403},
		"viewer, update":         {target: casePath + "/update/approve", headers: []string{as, vera.Subject}, want: 403},
		"viewer, terminate":      {target: casePath + "/terminate", headers: []string{as, vera.Subject}, want: 403},
		"admin":                  {target: signal, headers: []string{as, adam.Subject}, want: 403},
		"admin, update":          {target: casePath + "/update/approve", headers: []string{as, adam.Subject}, want: 403},
		"reading, dots":          {method: "GET", target: "/x/../api/v1/namespaces/default/workflows/x", want: 400},
		"reading, escaped dots":  {method: "GET", target: "/x/%2e%2e/y", want: 400},
		"reading, two slashes":   {method: "GET", target: "//api/v1/namespaces", want: 400},
		"reading, twice escaped": {method: "GET", target: "/api/v1/namespaces/default/workflows/release%252FK7M4-2QXF/run/r/history.json", want: 400},
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

// TestWhatIsNotHeard is the table of messages that are refused before they are
// signed, each with its line in the access log.
func TestWhatIsNotHeard(t *testing.T) {
	t.Parallel()

	const at = "/api/v1/namespaces/default/workflows/"
	const log = "POST /api/v1/namespaces/{namespace}/workflows/{workflow}/"
	h := newHouse(t)
	h.who.more = []staff.Actor{{Subject: "lead@library.example", Name: "Luis Ferrante", Roles: []staff.Role{staff.Lead}}}
	tests := map[string]struct {
		workflow, message string
		actor             string
		want              string // In the answer.
		logged            string // Case, arrival and detail.
	}{
		"a mailbox":            {"mailbox%2Frequests", "update/approve", alice.Subject, "no other workflow listens", " 0 " + log + "update/approve"},
		"a transfer":           {"transfer%2FK7M4-2QXF%2F1", "signal/approve", alice.Subject, "no other workflow listens", "K7M4-2QXF 0 " + log + "signal/approve"},
		"no case's number":     {"release%2FK7M4-2QXG", "update/approve", alice.Subject, "no other workflow listens", " 0 " + log + "update/approve"},
		"another's":            {"Orsolya", "update/approve", alice.Subject, "no other workflow listens", " 0 " + log + "update/approve"},
		"late twice":           {"intake%2F17%2Flater", "update/approve", alice.Subject, "no other workflow listens", " 0 " + log + "update/approve"},
		"a viewer":             {"release%2FK7M4-2QXF", "update/approve", vera.Subject, "approve needs the role specialist, which Vera Lund does not have", "K7M4-2QXF 0 " + log + "update/approve"},
		"a specialist, denial": {"release%2FK7M4-2QXF", "signal/deny", alice.Subject, "deny needs the role privacy, which Alice Ng does not have", "K7M4-2QXF 0 " + log + "signal/deny"},
		"a lead, denial":       {"release%2FK7M4-2QXF", "update/deny", "lead@library.example", "deny needs the role privacy, which Luis Ferrante does not have", "K7M4-2QXF 0 " + log + "update/deny"},
		"an administrator":     {"intake%2F17", "update/approve", adam.Subject, "approve needs the role specialist, which Adam Roy does not have", " 17 " + log + "update/approve"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := h.ask(t, "POST", at+tt.workflow+"/"+tt.message, updateBody(t, jsonPayload(said)), as, tt.actor)
			looks := h.access.take()
			if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), tt.want) || len(h.seen) != 0 || len(looks) != 1 {
				t.Fatalf("%d %s; entered %+v", w.Code, w.Body, looks)
			}
			l := looks[0]
			if got := fmt.Sprintf("%s %d %s", l.Case, l.Arrival, l.Detail); got != tt.logged || l.What != library.LookRefused || l.Actor.Subject != tt.actor || l.Session == "" {
				t.Errorf("entered %+v, want %q", l, tt.logged)
			}
		})
	}
	for _, workflow := range []string{"intake%2F17", "intake%2F17%2Flate", "release%2FK7M4-2QXF"} {
		if w := h.ask(t, "POST", at+workflow+"/update/approve", updateBody(t, jsonPayload(said))); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", workflow, w.Code, w.Body)
		}
	}
}

func TestReadingPasses(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	tests := map[string]struct{ method, target, body string }{
		"page":          {method: "GET", target: "/namespaces/default/workflows/release%2FK7M4-2QXF/run-1/history?sort=a%2Fb&x=1"},
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
		"Origin": "https://" + h.host, "Content-Type": "application/json",
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
		Session: h.who.Session, Glance: h.who.Glance, SignIn: http.NotFound, Access: &h.access,
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
	who := new(sessions)
	good := web.Options{
		Upstream: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}, Hosts: []string{"h"}, Namespace: "n", Messages: []string{"approve"},
		Session: who.Session, Glance: who.Glance, SignIn: http.NotFound, Access: new(accessLog),
		Signer: staff.Signer{Digests: ring.Digests("x")}, Codec: codec,
	}
	for name, change := range map[string]func(o *web.Options){
		"no upstream":        func(o *web.Options) { o.Upstream = nil },
		"upstream is a file": func(o *web.Options) { o.Upstream = &url.URL{Scheme: "file", Path: "/"} },
		"UI under a path":    func(o *web.Options) { o.Upstream = &url.URL{Scheme: "http", Host: "h", Path: "/ui"} },
		"no hosts":           func(o *web.Options) { o.Hosts = nil },
		"no namespace":       func(o *web.Options) { o.Namespace = "" },
		"no messages":        func(o *web.Options) { o.Messages = nil },
		"no sessions":        func(o *web.Options) { o.Session = nil },
		"no glances":         func(o *web.Options) { o.Glance = nil },
		"no sign-in":         func(o *web.Options) { o.SignIn = nil },
		"no access log":      func(o *web.Options) { o.Access = nil },
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
