package devstack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"fileroom/internal/devstack"
	"fileroom/internal/library"
)

// stack starts the whole stack once for all tests.
var stack = sync.OnceValues(func() (*devstack.Stack, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	return devstack.Start(ctx, devstack.Options{Out: os.Stderr})
})

var stackUsed atomic.Bool

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentVar); dir != "" {
		playParent(dir)
		return
	}
	code := m.Run()
	if stackUsed.Load() {
		if s, err := stack(); err == nil {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			if err := s.Stop(ctx); err != nil {
				fmt.Fprintln(os.Stderr, "stop:", err)
				code = 1
			}
			cancel()
		}
	}
	os.Exit(code)
}

func whole(t *testing.T) *devstack.Stack {
	t.Helper()
	stackUsed.Store(true)
	s, err := stack()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// start starts some services in a stack of their own.
func start(t *testing.T, o devstack.Options) *devstack.Stack {
	t.Helper()
	s, err := devstack.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t *testing.T, s *devstack.Stack) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// TestKilledServersComeBack runs before the parallel tests, which want the
// servers up.
func TestKilledServersComeBack(t *testing.T) {
	s := whole(t)
	for _, service := range devstack.Services() {
		before := s.PID(service)
		if err := s.Kill(t.Context(), service); err != nil {
			t.Fatal(err)
		}
		if service == devstack.SMTP {
			before = 0 // It has no process of its own.
		} else if now := s.PID(service); now == before {
			t.Errorf("%s: process %d is still there after it was killed", service, now)
		}
		if err := s.Await(t.Context(), service); err != nil {
			t.Fatalf("%s does not come back: %v", service, err)
		}
		if now := s.PID(service); service != devstack.SMTP && (now == before || now == 0) {
			t.Errorf("%s: process %d after the restart, %d before", service, now, before)
		}
	}
}

func TestHaltedServersStayDown(t *testing.T) {
	s := whole(t)
	if err := s.Halt(t.Context(), devstack.Receiver); err != nil {
		t.Fatal(err)
	}
	a := s.Description().Receiver
	if status, err := get(t.Context(), a.URL+"/studies", a.User, a.Password); err == nil {
		t.Errorf("a halted archive answers %d", status)
	}
	if err := s.Restart(t.Context(), devstack.Receiver); err != nil {
		t.Fatal(err)
	}
	if status, err := get(t.Context(), a.URL+"/studies", a.User, a.Password); err != nil || status != http.StatusOK {
		t.Errorf("a restarted archive answers %d (%v), want 200", status, err)
	}
}

func TestPostgresAnswers(t *testing.T) {
	t.Parallel()
	d := whole(t).Description().Postgres

	socket := fmt.Sprintf("host=%s port=%d user=%s password=%s dbname=%s", d.Socket, d.Port, d.User, d.Password, d.Name)
	for name, dsn := range map[string]string{"over tcp": d.URL, "over its socket": socket} {
		c, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var database, user, hashed string
		err = c.QueryRow(t.Context(), `SELECT current_database(), current_user, left(rolpassword, 13) FROM pg_authid WHERE rolname = current_user`).
			Scan(&database, &user, &hashed)
		if err != nil || database != "fileroom" || user != "fileroom_owner" || hashed != "SCRAM-SHA-256" {
			t.Errorf("%s: database %q, user %q, password %q (%v)", name, database, user, hashed, err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}

	wrong := strings.Replace(d.URL, d.Password, "wrong", 1)
	if c, err := pgx.Connect(t.Context(), wrong); err == nil {
		_ = c.Close(t.Context())
		t.Error("a wrong password is let in")
	}
}

// TestPostgresLogsNoRows holds the promise that no row's content is in the log.
func TestPostgresLogsNoRows(t *testing.T) {
	t.Parallel()
	s := whole(t)
	c, err := pgx.Connect(t.Context(), s.Description().Postgres.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(t.Context())) }()
	if _, err := c.Exec(t.Context(), `CREATE TEMP TABLE names (name text UNIQUE)`); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err = c.Exec(t.Context(), `INSERT INTO names VALUES ('PLANTED^NAME')`)
	}
	if err == nil {
		t.Fatal("the second row was taken")
	}
	b, err := os.ReadFile(s.Log(devstack.Postgres))
	if err != nil || !bytes.Contains(b, []byte("names_name_key")) {
		t.Errorf("the log does not tell of the refused row (%v): the test sees nothing", err)
	}
	if bytes.Contains(b, []byte("PLANTED^NAME")) {
		t.Error("the log holds a row's content")
	}
}

func TestArchivesAskForAPassword(t *testing.T) {
	t.Parallel()
	s := whole(t)
	d := s.Description()
	for name, a := range map[string]devstack.Archive{"pacs": d.PACS, "receiver": d.Receiver} {
		u := a.URL + "/studies?limit=1"
		for how, c := range map[string]struct {
			user, password string
			want           int
		}{
			"its password":         {a.User, a.Password, http.StatusOK},
			"no password":          {"", "", http.StatusUnauthorized},
			"a wrong password":     {a.User, "wrong", http.StatusUnauthorized},
			"Orthanc's stock user": {"orthanc", "orthanc", http.StatusUnauthorized},
		} {
			if got, err := get(t.Context(), u, c.user, c.password); err != nil || got != c.want {
				t.Errorf("%s with %s: %d (%v), want %d", name, how, got, err, c.want)
			}
		}
		port := mustURL(t, a.URL).Port()
		for _, ip := range outerAddresses(t) {
			got, err := get(t.Context(), "http://"+net.JoinHostPort(ip, port)+"/dicom-web/studies", a.User, a.Password)
			if err == nil && got != http.StatusUnauthorized && got != http.StatusForbidden {
				t.Errorf("%s answers %d on %s to the right password, want a refusal", name, got, ip)
			}
		}
	}
	if d.PACS.Password == d.Receiver.Password {
		t.Error("both archives have one password")
	}
}

func TestTemporalAnswers(t *testing.T) {
	t.Parallel()
	d := whole(t).Description().Temporal

	c, err := client.DialContext(t.Context(), client.Options{HostPort: d.Address, Namespace: d.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got, err := c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: d.Namespace})
	if err != nil || got.GetNamespaceInfo().GetName() != "default" {
		t.Errorf("namespace %q (%v), want default", got.GetNamespaceInfo().GetName(), err)
	}
	if status, err := get(t.Context(), d.UI+"/api/v1/settings", "", ""); err != nil || status != http.StatusOK {
		t.Errorf("the UI answers %d (%v), want 200", status, err)
	}
	if _, err := os.Stat(d.Database); err != nil {
		t.Errorf("no database file: %v", err)
	}
}

// TestTemporalUIBehindAProxy sends a signal as the UI's page does, through a
// reverse proxy of another origin, as the gateway is.
func TestTemporalUIBehindAProxy(t *testing.T) {
	t.Parallel()
	target := mustURL(t, whole(t).Description().Temporal.UI)
	// The UI's cookies are for TLS alone.
	proxy := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}})
	defer proxy.Close()

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := proxy.Client()
	browser.Jar = jar
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, proxy.URL+"/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "none")
	if status, body, err := do(browser, req); err != nil || status != http.StatusOK || !strings.Contains(body, "<html") {
		t.Fatalf("the page: %d (%v)", status, err)
	}
	var token string
	for _, c := range jar.Cookies(mustURL(t, proxy.URL)) {
		if c.Name == "_csrf" {
			token = c.Value
		}
	}
	for name, tt := range map[string]struct {
		site, origin, token string
		want                int
	}{
		"the page itself":      {"same-origin", proxy.URL, token, http.StatusNotFound}, // Past the door: no such workflow.
		"a page of a stranger": {"cross-site", "https://evil.example", token, http.StatusForbidden},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			proxy.URL+"/api/v1/namespaces/default/workflows/none/signal/approve", strings.NewReader(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Sec-Fetch-Site", tt.site)
		req.Header.Set("Origin", tt.origin)
		req.Header.Set("X-CSRF-Token", tt.token)
		if status, body, err := do(browser, req); err != nil || status != tt.want {
			t.Errorf("a signal from %s: %d %s (%v), want %d", name, status, body, err, tt.want)
		}
	}
}

func TestStacksDoNotMeet(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	one := start(t, devstack.Options{Dir: dir, Only: []devstack.Service{devstack.SMTP}})
	two := start(t, devstack.Options{Only: []devstack.Service{devstack.SMTP}})
	if a, b := one.Description(), two.Description(); a.PortBase == b.PortBase ||
		a.IMAP.Account(devstack.Library).Password == b.IMAP.Account(devstack.Library).Password {
		t.Errorf("two stacks share ports or passwords: %d and %d", a.PortBase, b.PortBase)
	}
	for name, o := range map[string]devstack.Options{
		"the folder of another stack": {Dir: dir},
		"the ports of another stack":  {PortBase: one.Description().PortBase},
		"overlapping ports":           {PortBase: one.Description().PortBase - 15},
	} {
		o.Only = []devstack.Service{devstack.SMTP}
		s, err := devstack.Start(t.Context(), o)
		if library.KindOf(err) != library.Conflict {
			t.Errorf("%s: %v, want a conflict", name, err)
		}
		if err == nil {
			stop(t, s)
		}
	}
}

func TestFolderKeepsWhatItHolds(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	o := devstack.Options{Dir: dir, Only: []devstack.Service{devstack.SMTP}}
	s := start(t, o)
	before, beforeSecret := s.Description(), secret(t, s)
	stop(t, s)
	s = start(t, o)
	after := s.Description()
	if before.PACS != after.PACS && before.PACS.Password != after.PACS.Password {
		t.Error("a password has changed with a restart")
	}
	if secret(t, s) != beforeSecret {
		t.Error("a secret has changed with a restart")
	}
	info, err := os.Stat(dir + "/secrets.json")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("secrets.json: %v (%v), want mode 0600", info.Mode(), err)
	}
}

func TestOwnFolderGoesWithTheStack(t *testing.T) {
	t.Parallel()
	s := start(t, devstack.Options{Only: []devstack.Service{devstack.SMTP}})
	stop(t, s)
	if _, err := os.Stat(s.Description().Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there (%v)", err)
	}
}

// folder returns a data folder that the servers' user can reach, unlike
// [testing.T.TempDir]'s.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "fileroom-test-") //nolint:usetesting // As said.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func secret(t *testing.T, s *devstack.Stack) string {
	t.Helper()
	v, err := s.Secret("worker")
	if err != nil || len(v) != 64 {
		t.Fatalf("secret %q (%v)", v, err)
	}
	return v
}

// get returns the status of a page.
func get(ctx context.Context, address, user, password string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, err
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	status, _, err := do(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, req)
	return status, err
}

func do(c *http.Client, req *http.Request) (int, string, error) {
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// outerAddresses returns the machine's addresses that are not loopback.
func outerAddresses(t *testing.T) []string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	var outer []string
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			outer = append(outer, n.IP.String())
		}
	}
	return outer
}
