package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"fileroom/internal/library"
	"fileroom/internal/sandbox"
)

// TestMain lets the test binary stand in for the program as the child.
func TestMain(m *testing.M) {
	children := map[string]func() error{
		"echo":       func() error { _, err := io.Copy(os.Stdout, os.Stdin); return err },
		"dial":       dial,
		"privileges": privileges,
		"worker":     worker,
	}
	if len(os.Args) > 2 && os.Args[1] == "child" && children[os.Args[2]] != nil {
		if err := children[os.Args[2]](); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	m.Run()
}

func TestRun(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		child sandbox.Child
		in    string
		want  string
		err   error
	}{
		"output is returned":           {child: sandbox.Child{Command: []string{"cat"}}, in: "abc", want: "abc"},
		"own program is a child":       {child: sandbox.Child{Command: sandbox.Self("echo"), Memory: 2 << 30}, in: "abc", want: "abc"},
		"environment is empty":         {child: sandbox.Child{Command: []string{"sh", "-c", "echo ${HOME-none}"}}, want: "none\n"},
		"environment given is there":   {child: sandbox.Child{Command: []string{"sh", "-c", "echo $A"}, Env: []string{"A=1"}}, want: "1\n"},
		"time limit":                   {child: sandbox.Child{Command: []string{"sleep", "60"}, Timeout: 50 * time.Millisecond}, err: sandbox.ErrTimeout},
		"grandchild holds output open": {child: sandbox.Child{Command: []string{"sh", "-c", "sleep 60 & wait"}, Timeout: 50 * time.Millisecond}, err: sandbox.ErrTimeout},
		"processor time limit":         {child: sandbox.Child{Command: []string{"sh", "-c", "while :; do :; done"}, CPU: time.Second}, err: sandbox.ErrTimeout},
		"memory limit":                 {child: sandbox.Child{Command: []string{"sh", "-c", "x=xxxxxxxx; while :; do x=$x$x; done"}, Memory: 64 << 20}, err: sandbox.ErrCrashed},
		"exit status":                  {child: sandbox.Child{Command: []string{"sh", "-c", "exit 3"}}, err: sandbox.ErrCrashed},
		"killed by a signal":           {child: sandbox.Child{Command: []string{"sh", "-c", "kill -SEGV $$"}}, err: sandbox.ErrCrashed},
		"output without end":           {child: sandbox.Child{Command: []string{"yes"}}, err: sandbox.ErrOutput},
		"input too large":              {child: sandbox.Child{Command: []string{"cat"}, MaxInput: 2}, in: "abc", err: sandbox.ErrInput},
		"input just fits":              {child: sandbox.Child{Command: []string{"cat"}, MaxInput: 3}, in: "abc", want: "abc"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if tt.child.Timeout == 0 {
				tt.child.Timeout = time.Minute
			}
			tt.child.MaxOutput = 1 << 20
			got, err := tt.child.Run(t.Context(), strings.NewReader(tt.in))
			if !errors.Is(err, tt.err) || (err != nil && library.KindOf(err) != library.Invalid) {
				t.Fatalf("Run error = %v of kind %q, want %v", err, library.KindOf(err), tt.err)
			}
			if string(got) != tt.want {
				t.Errorf("Run = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRunHonoursContext(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := sandbox.Child{Command: []string{"sleep", "60"}, Timeout: time.Minute, MaxOutput: 1}.Run(ctx, nil)
	if !errors.Is(err, context.DeadlineExceeded) || library.KindOf(err) != "" {
		t.Errorf("Run error = %v of kind %q, want a deadline without a kind, to be retried", err, library.KindOf(err))
	}
}

// A program that is not installed is an operator's fault, not the document's.
func TestRunWithoutProgram(t *testing.T) {
	t.Parallel()

	_, err := sandbox.Child{Command: []string{"no-such-program"}, Timeout: time.Minute, MaxOutput: 1}.Run(t.Context(), nil)
	if err == nil || library.KindOf(err) != "" {
		t.Errorf("Run error = %v of kind %q, want one without a kind", err, library.KindOf(err))
	}
}

// A child that is killed leaves nothing behind: all it started is of its group.
func TestRunKillsTheGroup(t *testing.T) {
	t.Parallel()

	var pids bytes.Buffer
	child := sandbox.Child{
		Command: []string{"sh", "-c", "sleep 60 & echo $! >&2; wait"},
		Timeout: 300 * time.Millisecond, MaxOutput: 1 << 10, Stderr: &pids,
	}
	if _, err := child.Run(t.Context(), nil); !errors.Is(err, sandbox.ErrTimeout) {
		t.Fatalf("Run error = %v, want a timeout", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(pids.String()))
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for running(t, pid) {
		if time.Now().After(deadline) {
			t.Fatalf("grandchild %d lives on", pid)
		}
		time.Sleep(time.Millisecond) //nolint:forbidigo // The kernel tells nobody when an orphan is gone.
	}
}

// running reports whether pid is a process that is not dead; one whose new
// parent has not collected it yet is dead.
func running(t *testing.T, pid int) bool {
	t.Helper()

	if unix.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}

func TestErrorsDoNotQuoteTheChild(t *testing.T) {
	t.Parallel()

	child := sandbox.Child{Command: []string{"sh", "-c", "echo Ada Quill >&2; exit 1"}, Timeout: time.Minute, MaxOutput: 1}
	_, err := child.Run(t.Context(), nil)
	exit, ok := errors.AsType[*sandbox.ExitError](err)
	if !ok || exit.Code != 1 || string(exit.Stderr) != "Ada Quill\n" {
		t.Fatalf("Run error = %#v, want the exit status with what was said", err)
	}
	if strings.Contains(err.Error(), "Quill") {
		t.Errorf("error quotes the child: %v", err)
	}
}

func TestFile(t *testing.T) {
	t.Parallel()

	in, err := sandbox.File([]byte("abc"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := sandbox.File(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	child := sandbox.Child{
		Command: []string{"cp", sandbox.Path(0), sandbox.Path(1)},
		Files:   []*os.File{in, out}, Timeout: time.Minute, MaxOutput: 1 << 10,
	}
	if _, err := child.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got, err := sandbox.Content(out, 1<<10); err != nil || string(got) != "abc" {
		t.Errorf("copied %q, %v, want abc", got, err)
	}
}
