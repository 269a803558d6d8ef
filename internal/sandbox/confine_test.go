package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"fileroom/internal/sandbox"
)

func confined(t *testing.T) {
	t.Helper()

	if !sandbox.Confined() {
		t.Skip("this kernel has no Landlock: children may read what their parent may")
	}
}

// A child that a stranger's file has taken over finds nothing of ours. That
// Poppler, Tesseract and libtiff still work is what the tests of their packages show.
func TestRunKeepsChildrenFromFiles(t *testing.T) {
	t.Parallel()
	confined(t)

	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte("planted"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "cat", secret).Output(); err != nil || string(out) != "planted" { // #nosec G204 -- a test's own
		t.Fatalf("out of the sandbox the secret reads %q, %v", out, err)
	}
	self := strconv.Itoa(os.Getpid())
	tests := map[string]struct {
		script  string
		refused bool
	}{
		"system's programs":     {script: "ls /usr/bin >/dev/null"},
		"planted secret":        {script: "cat " + secret, refused: true},
		"our environment":       {script: "cat /proc/" + self + "/environ", refused: true},
		"our folder":            {script: "ls .", refused: true},
		"accounts":              {script: "cat /etc/passwd", refused: true},
		"secret overwritten":    {script: "echo x >" + secret, refused: true},
		"new file":              {script: "echo x >" + secret + ".new", refused: true},
		"secret by another way": {script: "cat /usr/../" + secret, refused: true},
		"our open files":        {script: "ls /proc/" + self + "/fd", refused: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			out, err := sandbox.Child{Command: []string{"sh", "-c", tt.script}, Timeout: time.Minute, MaxOutput: 1 << 20}.Run(t.Context(), nil)
			if refused := errors.Is(err, sandbox.ErrCrashed); refused != tt.refused || len(out) > 0 {
				t.Errorf("%s gave %q, %v, want it refused: %v", tt.script, out, err, tt.refused)
			}
		})
	}
}

// What is taken from a child is not taken from this process.
func TestRunConfinesTheChildAlone(t *testing.T) {
	t.Parallel()

	for range 20 {
		if _, err := (sandbox.Child{Command: []string{"true"}, Timeout: time.Minute, MaxOutput: 1}).Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "ours")
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "cat", name).Output(); err != nil || string(out) != "x" { // #nosec G204 -- a test's own
			t.Fatalf("after a child, another process reads %q, %v", out, err)
		}
	}
}

func TestRunGivesNoNewPrivileges(t *testing.T) {
	t.Parallel()

	out, err := sandbox.Child{Command: sandbox.Self("privileges"), Timeout: time.Minute, MaxOutput: 1 << 10}.Run(t.Context(), nil)
	if err != nil || string(out) != "1" {
		t.Errorf("no_new_privs of the child is %q, %v, want 1", out, err)
	}
}

// privileges is a child that says whether it may gain none. Its /proc may be closed.
func privileges() error {
	v, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	_, errWrite := fmt.Fprint(os.Stdout, v)
	return errors.Join(err, errWrite)
}

// dial is a child that connects to the address on its standard input.
func dial() error {
	address, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	c, err := net.DialTimeout("tcp", string(address), 10*time.Second)
	if err != nil {
		return err
	}
	return c.Close()
}

func TestRunKeepsChildrenFromTheNetwork(t *testing.T) {
	t.Parallel()
	confined(t)

	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	outside := exec.CommandContext(t.Context(), os.Args[0], "child", "dial") // #nosec G204 -- a test's own
	outside.Stdin = strings.NewReader(l.Addr().String())
	if err := outside.Run(); err != nil {
		t.Fatalf("out of the sandbox: %v", err)
	}
	child := sandbox.Child{Command: sandbox.Self("dial"), Timeout: time.Minute, MaxOutput: 1}
	_, err = child.Run(t.Context(), strings.NewReader(l.Addr().String()))
	exit, ok := errors.AsType[*sandbox.ExitError](err)
	if !ok || !bytes.Contains(exit.Stderr, []byte("permission denied")) {
		t.Errorf("Run error = %v, want permission denied", err)
	}
}

// worker is a process that looks from a child, which is not confined, at its
// own environment, before and after it is hardened.
func worker() error {
	look := func() bool {
		return exec.Command("cat", "/proc/"+strconv.Itoa(os.Getpid())+"/environ").Run() == nil
	}
	before := look()
	if err := sandbox.Harden(); err != nil {
		return err
	}
	after := look()
	_, errSelf := os.ReadDir("/proc/self/fd") // As metrics do.
	stat := exec.Command("cat", "/proc/"+strconv.Itoa(os.Getpid())+"/stat").Run()
	_, errChild := sandbox.Child{Command: []string{"cat"}, Timeout: time.Minute, MaxOutput: 1}.Run(context.Background(), nil)
	_, err := fmt.Fprintf(os.Stdout, "%v %v %v", before, after, errors.Join(errSelf, stat, errChild))
	return err
}

func TestHarden(t *testing.T) {
	t.Parallel()

	// Root may look at every process; the worker of this test is root without the rights to.
	runtime.LockOSThread() // Never unlocked: the thread has lost them for good.
	for _, right := range []uintptr{unix.CAP_SYS_PTRACE, unix.CAP_PERFMON, unix.CAP_SYS_ADMIN} {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, right, 0, 0, 0); err != nil && !errors.Is(err, unix.EPERM) {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), os.Args[0], "child", "worker").CombinedOutput() // #nosec G204 -- a test's own
	if err != nil || string(out) != "true false <nil>" {
		t.Errorf("others saw the environment before and after, and errors: %s, %v, want true false <nil>", out, err)
	}
}
