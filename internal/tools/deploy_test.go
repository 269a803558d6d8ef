package tools_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

// TestDockerfile checks the image that the program runs in.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	last := text[strings.LastIndex(text, "\nFROM "):]
	for _, m := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(text, -1) {
		if _, version, found := strings.Cut(m[1], ":"); !found || version == "latest" {
			t.Errorf("FROM %s has no fixed tag", m[1])
		}
	}
	user := regexp.MustCompile(`(?m)^USER (.+)$`).FindStringSubmatch(last)
	if user == nil || strings.HasPrefix(user[1], "0") || strings.HasPrefix(user[1], "root") {
		t.Fatalf("USER is %v, want one that is not root", user)
	}
	for _, name := range ours {
		if s := load(t, composeText(t)).Services[name]; s.User != user[1] {
			t.Errorf("%s runs as %s, and the image is made for %s", name, s.User, user[1])
		}
	}
	for _, want := range []string{"HEALTHCHECK", "-trimpath", `ENTRYPOINT ["fileroom"]`, "ca-certificates", "tesseract-ocr-spa", "tesseract-ocr-osd", "poppler-utils", "libtiff-tools"} {
		if !strings.Contains(text, want) {
			t.Errorf("the Dockerfile has no %s", want)
		}
	}
}

// TestSecrets runs the script that makes the secrets, twice.
func TestSecrets(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "secrets")
	run := func() string {
		out, err := exec.CommandContext(t.Context(), "sh", filepath.Join(root, "deploy", "secrets.sh"), dir).CombinedOutput()
		if err != nil {
			t.Fatalf("deploy/secrets.sh: %v\n%s", err, out)
		}
		return string(out)
	}
	said := run()
	before := contents(t, dir)

	// What a person must write is asked for, and everything else is there.
	byHand := []string{"mailbox_password", "smtp_password", "pacs_password", "oidc_client_secret", "staff_tls_certificate", "staff_tls_key"}
	for name, s := range load(t, composeText(t)).Secrets {
		file := secretFile(t, s)
		if strings.HasPrefix(file, "keys/") {
			continue
		}
		if slices.Contains(byHand, name) {
			if !strings.Contains(said, "/"+file) {
				t.Errorf("nobody is told to write %s", file)
			}
			continue
		}
		if len(before[file]) < 12 {
			t.Errorf("%s has %d bytes, want a secret", file, len(before[file]))
		}
	}
	if !strings.Contains(said, "docker compose run --rm keys") {
		t.Errorf("nobody is told to make the keys: %q", said)
	}
	if before["worker_password"] == before["owner_password"] {
		t.Error("two passwords are the same")
	}
	if want := ":" + before["worker_password"] + "@postgres:5432/fileroom"; !strings.Contains(before["worker_database_url"], want) {
		t.Error("the worker's database URL does not hold its password")
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder of the secrets has mode %v, want 0700", info.Mode())
	}

	for _, name := range byHand {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("given by the hospital\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "keys", "keyring.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := run(); strings.Contains(said, "Still to do") {
		t.Errorf("all is there, and yet: %q", said)
	}
	after := contents(t, dir)
	for name, value := range before {
		if after[name] != value {
			t.Errorf("a second run changed %s", name)
		}
	}
}

// secretFile returns a secret's file within the folder of secrets.
func secretFile(tb testing.TB, s types.SecretConfig) string {
	tb.Helper()
	base, err := filepath.Abs(filepath.Join(root, "secrets"))
	if err != nil {
		tb.Fatal(err)
	}
	file, err := filepath.Rel(base, s.File)
	if err != nil || strings.HasPrefix(file, "..") {
		tb.Fatalf("%s is not in the folder of secrets", s.File)
	}
	return filepath.ToSlash(file)
}

func contents(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			tb.Fatal(err)
		}
		all[e.Name()] = string(b)
	}
	return all
}

// TestScripts has the shell look at every script without running it.
func TestScripts(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob(filepath.Join(root, "deploy", "*", "*.sh"))
	if err != nil {
		t.Fatal(err)
	}
	scripts = append(scripts, filepath.Join(root, "deploy", "secrets.sh"), filepath.Join(root, "deploy", "certificates.sh"), filepath.Join(root, ".ci", "run"))
	if len(scripts) < 5 {
		t.Fatalf("there are %d scripts, want all of them", len(scripts))
	}
	for _, script := range scripts {
		b, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		shell := "sh"
		if line, _, _ := strings.Cut(string(b), "\n"); strings.Contains(line, "bash") {
			shell = "bash"
		}
		if out, err := exec.CommandContext(t.Context(), shell, "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
	}
}

// TestCertificates runs the script that makes the certificates, and asks
// OpenSSL what they are good for. A test of devtools/temporal connects with them.
func TestCertificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func() string {
		out, err := exec.CommandContext(t.Context(), "sh", filepath.Join(root, "deploy", "certificates.sh"), dir).CombinedOutput()
		if err != nil {
			t.Fatalf("deploy/certificates.sh: %v\n%s", err, out)
		}
		return string(out)
	}
	run()
	good := func(authority, purpose, certificate string) bool {
		return exec.CommandContext(t.Context(), "openssl", "verify", "-purpose", purpose, "-CAfile", filepath.Join(dir, authority), filepath.Join(dir, certificate)).Run() == nil
	}
	for name, tt := range map[string]struct {
		authority, purpose, certificate string
		want                            bool
	}{
		"the frontend serves":               {"temporal/ca.pem", "sslserver", "temporal/frontend.pem", true},
		"the frontend is no client":         {"temporal/ca.pem", "sslclient", "temporal/frontend.pem", false},
		"a worker is a client":              {"temporal/ca.pem", "sslclient", "worker/client.pem", true},
		"a worker does not serve":           {"worker/ca.pem", "sslserver", "worker/client.pem", false},
		"a worker is no part of Temporal":   {"temporal/cluster-ca.pem", "sslclient", "worker/client.pem", false},
		"a part of Temporal is no client":   {"temporal/ca.pem", "sslclient", "temporal/cluster.pem", false},
		"parts of Temporal know each other": {"temporal/cluster-ca.pem", "sslclient", "temporal/cluster.pem", true},
	} {
		if got := good(tt.authority, tt.purpose, tt.certificate); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	for name, volume := range certified {
		part := strings.TrimPrefix(volume, "certificates-")
		if _, err := os.Stat(filepath.Join(dir, part, "ca.pem")); err != nil {
			t.Errorf("there is no certificate for %s: %v", name, err)
		}
	}
	leftovers, err := filepath.Glob(filepath.Join(dir, "*", "ca-key.pem"))
	if err != nil || len(leftovers) > 0 {
		t.Errorf("an authority's key is kept: %v (%v)", leftovers, err)
	}

	before := contents(t, filepath.Join(dir, "worker"))
	run()
	if after := contents(t, filepath.Join(dir, "worker")); !maps.Equal(before, after) {
		t.Error("a second run changed a certificate")
	}
	// One part's loss renews all: they would not know each other.
	if err := os.RemoveAll(filepath.Join(dir, "ui")); err != nil {
		t.Fatal(err)
	}
	run()
	if after := contents(t, filepath.Join(dir, "worker")); after["client.pem"] == before["client.pem"] || !good("ui/ca.pem", "sslclient", "worker/client.pem") {
		t.Error("after a loss, not all certificates are of one authority")
	}
}
