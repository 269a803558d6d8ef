// Package signintest runs a real OpenID provider for tests: oidc-provider from
// npm, which `make setup` installs, with invented people.
package signintest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Provider is where the provider answers.
type Provider struct {
	Issuer  string `json:"issuer"`  // As it calls itself.
	Address string `json:"address"` // Where it listens, as a URL.
}

// Start runs the provider until the test ends. The folder root is that of the
// project; settings are what provider.mjs says at its top.
func Start(t *testing.T, root string, settings any) Provider {
	t.Helper()
	dir := filepath.Join(root, "integration", "browser")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "oidc-provider")); err != nil {
		t.Fatalf("the identity provider of the tests is not installed, run make setup: %v", err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("node is not installed, run make setup: %v", err)
	}
	with, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, "provider.mjs", string(with))
	var complaints bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &complaints
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // It ends with its standard input.
		_ = in.Close()
		_ = cmd.Wait()
	})
	var p Provider
	if err := json.NewDecoder(out).Decode(&p); err != nil {
		_ = cmd.Process.Kill()
		t.Fatalf("the identity provider does not start: %v\n%s", err, &complaints)
	}
	return p
}
