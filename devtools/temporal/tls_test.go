package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/temporal"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"gopkg.in/yaml.v3"
)

// certificates runs the script that makes those of an installation.
func certificates(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "sh", "../../deploy/certificates.sh", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("deploy/certificates.sh: %v\n%s", err, out)
	}
	return dir
}

// clientTLS returns how a part of an installation connects: with no
// certificate if part is "".
func clientTLS(t *testing.T, dir, part string) credentials.TransportCredentials {
	t.Helper()
	roots := x509.NewCertPool()
	ca, err := os.ReadFile(filepath.Join(dir, "worker", "ca.pem"))
	if err != nil || !roots.AppendCertsFromPEM(ca) {
		t.Fatalf("no authority: %v", err)
	}
	c := &tls.Config{RootCAs: roots, ServerName: "temporal", MinVersion: tls.VersionTLS12}
	if part != "" {
		name := filepath.Join(dir, part)
		pair, err := tls.LoadX509KeyPair(name+".pem", name+"-key.pem")
		if err != nil {
			t.Fatal(err)
		}
		// Sent whatever authorities the server asks for.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return credentials.NewTLS(c)
}

// ask asks a frontend for a namespace, once it listens.
func ask(t *testing.T, address, namespace string, c credentials.TransportCredentials) error {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(c))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = workflowservice.NewWorkflowServiceClient(conn).
		DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	return err
}

// await tries until there is no error any more, or the test's patience ends.
func await(t *testing.T, what string, try func() error) {
	t.Helper()
	deadline, tick := time.After(90*time.Second), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// ownWorker asks whether the server's own worker has come through the frontend.
func ownWorker(t *testing.T, address string, c credentials.TransportCredentials) error {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(c))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	d, err := workflowservice.NewWorkflowServiceClient(conn).DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace: "temporal-system", TaskQueue: &taskqueue.TaskQueue{Name: "default-worker-tq"},
		TaskQueueType: enums.TASK_QUEUE_TYPE_WORKFLOW,
	})
	if err == nil && len(d.GetPollers()) == 0 {
		err = fmt.Errorf("nobody works in the server's own task queue")
	}
	return err
}

// strangers returns those who must not get in, by what they are.
func strangers(t *testing.T, dir string) map[string]credentials.TransportCredentials {
	t.Helper()
	return map[string]credentials.TransportCredentials{
		"no TLS":                                insecure.NewCredentials(),
		"no certificate":                        clientTLS(t, dir, ""),
		"a certificate of another installation": clientTLS(t, certificatesElsewhere(t, dir), "worker/client"),
		"the cluster's own certificate":         clientTLS(t, dir, "temporal/cluster"),
		"the frontend's own certificate":        clientTLS(t, dir, "temporal/frontend"),
	}
}

// certificatesElsewhere returns certificates of another installation whose
// holder trusts this one's server.
func certificatesElsewhere(t *testing.T, dir string) string {
	t.Helper()
	other := certificates(t)
	ca, err := os.ReadFile(filepath.Join(dir, "worker", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(other, "worker", "ca.pem")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, "worker", "ca.pem"), ca, 0o600); err != nil {
		t.Fatal(err)
	}
	return other
}

func freePorts(t *testing.T, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports
}

// TestOnlyClientsOfTheAuthorityConnect starts the server with certificates of
// deploy/certificates.sh.
func TestOnlyClientsOfTheAuthorityConnect(t *testing.T) {
	dir := certificates(t)
	ports := freePorts(t, 2)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{
			"server", "start-dev", "--port", strconv.Itoa(ports[0]), "--ui-port", strconv.Itoa(ports[1]), "--log-level", "fatal",
			"--tls-cert", filepath.Join(dir, "temporal", "frontend.pem"), "--tls-key", filepath.Join(dir, "temporal", "frontend-key.pem"),
			"--tls-client-ca", filepath.Join(dir, "temporal", "ca.pem"),
			"--ui-panel-url", panelURL, "--ui-public-url", publicURL,
			"--ui-codec-endpoint", publicURL + "/codec", "--ui-codec-credentials",
		}, io.Discard, io.Discard)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))
	worker := clientTLS(t, dir, "worker/client")
	await(t, "the worker's certificate", func() error { return ask(t, address, "default", worker) })
	for name, c := range strangers(t, dir) {
		if err := ask(t, address, "default", c); err == nil {
			t.Errorf("somebody with %s is let in", name)
		}
	}
	await(t, "the server's own worker", func() error { return ownWorker(t, address, worker) })

	ui := "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[1]))
	for path, want := range map[string]string{
		"/api/v1/namespaces/default": `"name":"default"`, // From the frontend.
		"/api/v1/settings":           `"IncludeCredentials":true`,
		"/api/v1/ui-extensions":      panelURL,
		"/":                          "<html",
	} {
		await(t, path, func() error { return shows(t, ui+path, want) })
	}
}

// shows reports whether a page of the UI holds a text, white space aside.
func shows(t *testing.T, address, want string) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if body := strings.ReplaceAll(string(b), `": "`, `":"`); resp.StatusCode != http.StatusOK || !strings.Contains(body, want) {
		return fmt.Errorf("%s: %d, without %s: %.300s", address, resp.StatusCode, want, body)
	}
	return nil
}

// TestServerOfAnInstallation starts the server with the settings that
// docker-compose.yml gives it, in the image's own configuration: only the
// database is another, and the ports.
func TestServerOfAnInstallation(t *testing.T) {
	dir := certificates(t)
	b, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Services map[string]struct {
			Environment map[string]string `yaml:"environment"`
		} `yaml:"services"`
	}
	if err := yaml.Unmarshal(b, &compose); err != nil {
		t.Fatal(err)
	}
	env := compose.Services["temporal"].Environment
	if len(env) == 0 {
		t.Fatal("docker-compose.yml has no settings for temporal")
	}
	for name, value := range env {
		env[name] = strings.Replace(value, "/run/certificates", filepath.Join(dir, "temporal"), 1)
	}
	ports := freePorts(t, 10)
	maps.Copy(env, map[string]string{
		"DB": "sqlite", "SQLITE_MODE": "memory", "SQLITE_CACHE": "shared", "DBNAME": "compose", "VISIBILITY_DBNAME": "compose",
		"LOG_LEVEL": "fatal", "BIND_ON_IP": "127.0.0.1", "DYNAMIC_CONFIG_FILE_PATH": "../../deploy/temporal/dynamicconfig.yaml",
	})
	for i, name := range []string{
		"FRONTEND_GRPC_PORT", "FRONTEND_MEMBERSHIP_PORT",
		"INTERNAL_FRONTEND_GRPC_PORT", "INTERNAL_FRONTEND_MEMBERSHIP_PORT",
		"HISTORY_GRPC_PORT", "HISTORY_MEMBERSHIP_PORT", "MATCHING_GRPC_PORT", "MATCHING_MEMBERSHIP_PORT",
		"WORKER_GRPC_PORT", "WORKER_MEMBERSHIP_PORT",
	} {
		env[name] = strconv.Itoa(ports[i])
	}
	for name, value := range env {
		t.Setenv(name, value)
	}
	conf, err := config.Load(config.WithEmbedded())
	if err != nil {
		t.Fatal(err)
	}
	logger := log.NewZapLogger(log.BuildZapLogger(log.Config{Level: "fatal"}))
	authorizer, err := authorization.GetAuthorizerFromConfig(&conf.Global.Authorization)
	if err != nil {
		t.Fatal(err)
	}
	mapper, err := authorization.GetClaimMapperFromConfig(&conf.Global.Authorization, logger)
	if err != nil {
		t.Fatal(err)
	}
	services := slices.Collect(maps.Keys(conf.Services))
	server, err := temporal.NewServer(
		temporal.WithConfig(conf), temporal.ForServices(services), temporal.WithLogger(logger),
		temporal.WithAuthorizer(authorizer),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return mapper }),
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })

	address := net.JoinHostPort("127.0.0.1", env["FRONTEND_GRPC_PORT"])
	for _, part := range []string{"worker", "staff", "ui", "desk", "tools"} {
		c := clientTLS(t, dir, part+"/client")
		await(t, part, func() error { return ask(t, address, "temporal-system", c) })
	}
	await(t, "the server's own worker", func() error { return ownWorker(t, address, clientTLS(t, dir, "tools/client")) })
	for name, c := range strangers(t, dir) {
		if err := ask(t, address, "temporal-system", c); err == nil {
			t.Errorf("somebody with %s is let in", name)
		}
	}
	// Behind the door, a client's certificate opens nothing.
	for _, port := range []string{"HISTORY_GRPC_PORT", "MATCHING_GRPC_PORT", "INTERNAL_FRONTEND_GRPC_PORT"} {
		for _, stranger := range []string{"", "worker/client"} {
			refuses(t, dir, env[port], port, stranger)
		}
	}
	for name, s := range conf.Services {
		if s.RPC.HTTPPort != 0 {
			t.Errorf("%s speaks HTTP at port %d", name, s.RPC.HTTPPort)
		}
	}
}

// refuses checks that a port behind the door takes the cluster's certificate,
// and not a stranger's, nor none if stranger is "".
func refuses(t *testing.T, dir, port, name, stranger string) {
	t.Helper()
	handshake := func(part string) error {
		c := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}} //nolint:gosec // Who the server is, is not asked here.
		if part != "" {
			pair, err := tls.LoadX509KeyPair(filepath.Join(dir, part+".pem"), filepath.Join(dir, part+"-key.pem"))
			if err != nil {
				t.Fatal(err)
			}
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}
		d := tls.Dialer{Config: c}
		conn, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		// The server judges after the handshake, and says so in its first record.
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err = io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err == nil {
			_, err = conn.Read(make([]byte, 1))
		}
		return err
	}
	await(t, name, func() error { return handshake("temporal/cluster") })
	if err := handshake(stranger); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%s: a stranger is told %v, want a word about the certificate", name, err)
	}
}
