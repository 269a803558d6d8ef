package integration_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"fileroom/internal/library"
)

// A visitor is a browser without a window: it keeps cookies, trusts the
// demonstration's authority, and knows where names end that are this machine's
// own.
type visitor struct {
	http.Client
	ui, panel string
}

// visitor returns one whom nobody knows.
func (s *stack) visitor(t *testing.T) *visitor {
	t.Helper()
	trust, err := s.trust()
	if err != nil {
		t.Fatal(err)
	}
	trust.ServerName = ""
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: trust, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{Client: http.Client{Transport: transport, Jar: jar}, ui: s.dev.Gateway.URL, panel: s.dev.Gateway.PanelURL}
}

// A wire is a request as no browser would have to send it.
type wire struct {
	method, url string
	header      map[string]string
	body        []byte
}

// do sends a request and returns its answer's status, its body, and where it
// ended.
func (v *visitor) do(ctx context.Context, t *testing.T, w wire) (status int, body string, at *url.URL) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, w.method, w.url, bytes.NewReader(w.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range w.header {
		r.Header.Set(name, value)
	}
	answer, err := v.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b), answer.Request.URL
}

// open opens a page.
func (v *visitor) open(ctx context.Context, t *testing.T, page string) (status int, body string, at *url.URL) {
	t.Helper()
	return v.do(ctx, t, wire{method: http.MethodGet, url: page, header: map[string]string{"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}})
}

// fill sends a form of a page that lies at an address.
func (v *visitor) fill(ctx context.Context, t *testing.T, at *url.URL, action string, form url.Values) (status int, body string, to *url.URL) {
	t.Helper()
	u, err := at.Parse(action)
	if err != nil {
		t.Fatal(err)
	}
	return v.do(ctx, t, wire{method: http.MethodPost, url: u.String(), body: []byte(form.Encode()), header: map[string]string{
		"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Content-Type": "application/x-www-form-urlencoded", "Origin": at.Scheme + "://" + at.Host,
	}})
}

var hidden = regexp.MustCompile(`<input type="hidden" name="(to|bind)" value="([^"]*)">`)

// isNow signs in one of the demonstration's people, at both doors.
func (v *visitor) isNow(ctx context.Context, t *testing.T, subject string) *visitor {
	t.Helper()
	_, page, at := v.open(ctx, t, v.ui+"/")
	form := url.Values{"person": {subject}}
	for _, field := range hidden.FindAllStringSubmatch(page, -1) {
		form.Set(field[1], field[2])
	}
	return v.in(t, subject)(v.fill(ctx, t, at, "/sign-in", form))
}

// signsIn signs in somebody whom the identity provider knows.
func (v *visitor) signsIn(ctx context.Context, t *testing.T, login string) *visitor {
	t.Helper()
	_, _, at := v.open(ctx, t, v.ui+"/")
	return v.in(t, login)(v.fill(ctx, t, at, at.Path, url.Values{"login": {login}, "password": {"fileroom"}, "do": {"login"}}))
}

// in looks whether a sign-in ended where it should.
func (v *visitor) in(t *testing.T, who string) func(int, string, *url.URL) *visitor {
	t.Helper()
	return func(status int, body string, at *url.URL) *visitor {
		t.Helper()
		if status != http.StatusOK || at.Scheme+"://"+at.Host != v.ui {
			t.Fatalf("%s is not signed in: %d at %s: %s", who, status, at, body)
		}
		return v
	}
}

// call is a request for something that Temporal's API does to a case.
func (v *visitor) call(c *victim, what string, body any) wire {
	return wire{
		method: http.MethodPost, url: fmt.Sprintf("%s/api/v1/namespaces/%s/workflows/%s/%s", v.ui, c.name, url.PathEscape(c.release), what),
		body: encoded(body), header: map[string]string{"Content-Type": "application/json", "Origin": v.ui, "Sec-Fetch-Site": "same-origin"},
	}
}

// payloads are what is said, as the Temporal UI would write it.
func payloads(said []byte) map[string]any {
	return map[string]any{"payloads": []any{map[string]any{
		"metadata": map[string]string{"encoding": base64.StdEncoding.EncodeToString([]byte("json/plain"))},
		"data":     base64.StdEncoding.EncodeToString(said),
	}}}
}

// update is a request to say something as an update; input is added to what
// Temporal is told.
func (v *visitor) update(c *victim, m library.Message, said []byte, input ...map[string]any) wire {
	in := map[string]any{"name": m, "args": payloads(said)}
	for _, more := range input {
		maps.Copy(in, more)
	}
	return v.call(c, "update/"+string(m), map[string]any{
		"workflowExecution": map[string]string{"workflowId": c.release},
		"waitPolicy":        map[string]string{"lifecycleStage": "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED"},
		"request":           map[string]any{"meta": map[string]string{"identity": "demo-privacy"}, "input": in},
	})
}

// with is a request with other headers.
func (w wire) with(name, value string) wire {
	w.header = maps.Clone(w.header)
	w.header[name] = value
	return w
}

// refused reports whether an answer is a refusal: a status, or the failure of an
// update, in which says stands.
func refused(status int, body, says string) bool {
	return (status >= 400 && status < 500 || strings.Contains(body, `"failure"`)) && strings.Contains(body, says)
}
