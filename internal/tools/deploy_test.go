package tools_test

import (
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
	byHand := []string{"mailbox_password", "smtp_password", "pacs_password"}
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
	scripts = append(scripts, filepath.Join(root, "deploy", "secrets.sh"), filepath.Join(root, ".ci", "run"))
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
