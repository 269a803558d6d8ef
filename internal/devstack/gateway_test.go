package devstack_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

	"fileroom/internal/devstack"
)

// TestGatewayCertificate serves both names of the gateway with its certificate.
func TestGatewayCertificate(t *testing.T) {
	t.Parallel()
	s := start(t, devstack.Options{Only: []devstack.Service{devstack.SMTP}})
	g := s.Description().Gateway
	pair, err := tls.LoadX509KeyPair(g.Certificate, g.Key)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(g.Key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the gateway's key: %v (%v), want mode 0600", info.Mode(), err)
	}
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", g.Address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) }),
	}
	go func() { _ = server.ServeTLS(l, "", "") }()
	t.Cleanup(func() { _ = server.Close() })

	transport := s.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	_, port, _ := net.SplitHostPort(g.Address)
	for address, want := range map[string]string{
		g.URL:                         "ui.fileroom.localhost:" + port,
		g.PanelURL:                    "panel.fileroom.localhost:" + port,
		"https://localhost:" + port:   "",
		"https://x.localhost:" + port: "",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		_, body, err := do(&http.Client{Transport: transport}, req)
		if body != want || (err == nil) != (want != "") {
			t.Errorf("%s answers %q (%v), want %q", address, body, err, want)
		}
	}
}

// TestOldFolderGetsNewCertificates starts a stack in a folder whose
// certificates are from before there was a gateway.
func TestOldFolderGetsNewCertificates(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	o := devstack.Options{Dir: dir, Only: []devstack.Service{devstack.SMTP}}
	authority := func() string {
		t.Helper()
		s := start(t, o)
		defer stop(t, s)
		g := s.Description().Gateway
		if _, err := tls.LoadX509KeyPair(g.Certificate, g.Key); err != nil {
			t.Errorf("the gateway's certificate: %v", err)
		}
		b, err := os.ReadFile(s.Description().CACertificate)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := authority()
	if authority() != first {
		t.Error("good certificates are made anew")
	}
	for name, spoil := range map[string]func() error{
		"no certificate of the gateway": func() error { return os.Remove(filepath.Join(dir, "gateway.pem")) },
		"no key of the gateway":         func() error { return os.Remove(filepath.Join(dir, "gateway-key.pem")) },
		"a certificate for other names": func() error {
			b, err := os.ReadFile(filepath.Join(dir, "tls.pem"))
			if err != nil {
				return err
			}
			key, err := os.ReadFile(filepath.Join(dir, "tls-key.pem"))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, "gateway-key.pem"), key, 0o600); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "gateway.pem"), b, 0o600)
		},
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		next := authority()
		if next == first {
			t.Errorf("%s: the certificates are the old ones", name)
		}
		first = next
	}
}

// TestTemporalShowsThePanel asks the UI what it shows beside its own pages.
func TestTemporalShowsThePanel(t *testing.T) {
	t.Parallel()
	d := whole(t).Description()
	var settings struct {
		Codec struct {
			Endpoint           string
			IncludeCredentials bool
		}
	}
	if err := json.Unmarshal([]byte(body(t, d.Temporal.UI+"/api/v1/settings")), &settings); err != nil {
		t.Fatal(err)
	}
	if settings.Codec.Endpoint != d.Gateway.URL+"/codec" || !settings.Codec.IncludeCredentials {
		t.Errorf("codec %+v, want the gateway's with cookies", settings.Codec)
	}
	if got := body(t, d.Temporal.UI+"/api/v1/ui-extensions"); !strings.Contains(got, d.Gateway.PanelURL+"/panel") {
		t.Errorf("the UI shows %s, want the panel", got)
	}
}

func body(t *testing.T, address string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	status, text, err := do(http.DefaultClient, req)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d (%v)", address, status, err)
	}
	return text
}

// TestTemporalTakesOnlyCertificates connects as the program does, with the
// settings that a description names, and without.
func TestTemporalTakesOnlyCertificates(t *testing.T) {
	t.Parallel()
	if d := whole(t).Description().Temporal; d.ClientCertificate != "" || d.ClientKey != "" || d.ServerCA != "" {
		t.Errorf("a stack without TLS names certificates: %+v", d)
	}
	d := start(t, devstack.Options{Only: []devstack.Service{devstack.Temporal}, TemporalTLS: true}).Description().Temporal
	for name, tt := range map[string]struct {
		env  environment
		good bool
	}{
		"with its certificate": {environment{
			"TEMPORAL_TLS_CLIENT_CERT_PATH": d.ClientCertificate, "TEMPORAL_TLS_CLIENT_KEY_PATH": d.ClientKey,
			"TEMPORAL_TLS_SERVER_CA_CERT_PATH": d.ServerCA,
		}, true},
		"without a certificate": {environment{"TEMPORAL_TLS_SERVER_CA_CERT_PATH": d.ServerCA}, false},
		"without TLS":           {environment{}, false},
	} {
		tt.env["TEMPORAL_ADDRESS"] = d.Address
		o, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{EnvLookup: tt.env})
		if err != nil {
			t.Fatal(err)
		}
		if err := describe(t, o, d.Namespace); (err == nil) != tt.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An environment stands for a process's.
type environment map[string]string

func (e environment) LookupEnv(name string) (string, bool) {
	v, ok := e[name]
	return v, ok
}

func (e environment) Environ() []string {
	var all []string
	for name, v := range e {
		all = append(all, name+"="+v)
	}
	return all
}

// describe asks Temporal for a namespace.
func describe(t *testing.T, o client.Options, namespace string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := client.NewLazyClient(o)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	return err
}
