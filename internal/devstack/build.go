package devstack

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"fileroom/internal/library"
)

const (
	// devtoolsVar names the folder of the development server's sources, for
	// programs that run outside the project.
	devtoolsVar = "FILEROOM_DEVTOOLS"

	devtoolsModule = "module fileroom/devtools/temporal"

	// progressEvery is how often a build says that it still goes on.
	progressEvery = 20 * time.Second
)

// BuildTemporal returns the path of a Temporal development server with its UI,
// built from devtools/temporal; the official one cannot show a panel. That takes
// some ten minutes the first time, and out is told so; the result is kept in the
// user's cache under a digest of the sources. Several processes may call it at
// once: one builds, the others wait.
//
// The sources are looked for in FILEROOM_DEVTOOLS, and then upward from the
// working directory.
func BuildTemporal(ctx context.Context, out io.Writer) (string, error) {
	const op = "build temporal"
	sources, err := findDevtools()
	if err != nil {
		return "", err
	}
	digest, err := digestSources(sources)
	if err != nil {
		return "", library.Fault(op, "", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", library.Errorf("", op, "", "no place for the result: %w; set HOME or XDG_CACHE_HOME", err)
	}
	dir := filepath.Join(cache, "fileroom", "temporal-"+digest)
	binary := filepath.Join(dir, "temporal")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // Holds a program.
		return "", library.Fault(op, "", err)
	}
	unlock, err := waitForLock(ctx, filepath.Join(dir, "lock"), func() {
		_, _ = fmt.Fprintln(out, "another process builds the Temporal server: waiting for it")
	})
	if err != nil {
		return "", library.Fault(op, "", err)
	}
	defer unlock()
	if _, err := os.Stat(binary); err == nil {
		return binary, nil // Built while we waited.
	}
	if err := build(ctx, sources, binary, out); err != nil {
		return "", library.Fault(op, "", err)
	}
	return binary, nil
}

// findDevtools returns the folder of the server's sources.
func findDevtools() (string, error) {
	const op = "find the Temporal server's sources"
	if dir := os.Getenv(devtoolsVar); dir != "" {
		if !isDevtools(dir) {
			return "", library.Errorf(library.Invalid, op, dir, "%s names it, but its go.mod is another's or missing", devtoolsVar)
		}
		return dir, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", library.Fault(op, "", err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if candidate := filepath.Join(dir, "devtools", "temporal"); isDevtools(candidate) {
			return candidate, nil
		}
		if dir == filepath.Dir(dir) {
			return "", library.Errorf(library.NotFound, op, "", "run this inside the project, or set %s to its devtools/temporal", devtoolsVar)
		}
	}
}

func isDevtools(dir string) bool {
	b, err := os.ReadFile(filepath.Join(dir, "go.mod")) //nolint:gosec // Looked at, and no more.
	return err == nil && strings.HasPrefix(string(b), devtoolsModule+"\n")
}

// digestSources returns a digest of all that decides what is built.
func digestSources(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return "", err
	}
	files = append(files, filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum"))
	h := sha256.New()
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(h, "%s %d\n", filepath.Base(file), len(b))
		_, _ = h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// waitForLock locks a file, after telling once if somebody else holds it.
func waitForLock(ctx context.Context, path string, held func()) (unlock func(), err error) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for told := false; ; told = true {
		f, err := lockFile(path)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, err
		}
		if !told {
			held()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// build runs the Go compiler, and says now and then how far it is.
func build(ctx context.Context, sources, binary string, out io.Writer) error {
	gocmd, err := exec.LookPath("go")
	if err != nil {
		return library.Errorf(library.NotFound, "build temporal", "", "the Go compiler is not on the PATH")
	}
	_, _ = fmt.Fprintln(out, "building the Temporal server, this once: some ten minutes on two cores, less if Go has parts of it already")
	draft := binary + ".new"
	cmd := exec.CommandContext(ctx, gocmd, "build", "-v", "-trimpath", "-ldflags=-s -w", "-o", draft, ".") //nolint:gosec // The project's own sources.
	cmd.Dir = sources
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "GO111MODULE=on")
	// The compilers are children of the go command: end them with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	began := time.Now()
	starter := newNursery()
	defer starter.close()
	if err := starter.start(cmd); err != nil {
		return err
	}
	var compiled atomic.Int64
	stop := make(chan struct{})
	defer close(stop)
	go sayProgress(out, began, &compiled, stop)

	var last []string
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		compiled.Add(1)
		last = append(last, lines.Text())
		last = last[max(0, len(last)-10):]
	}
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("go build: %w\n%s", err, strings.Join(last, "\n"))
	}
	_, _ = fmt.Fprintf(out, "the Temporal server is built (%.0f s)\n", time.Since(began).Seconds())
	return os.Rename(draft, binary)
}

func sayProgress(out io.Writer, began time.Time, compiled *atomic.Int64, stop <-chan struct{}) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			_, _ = fmt.Fprintf(out, "still building the Temporal server: %d packages, %.0f s\n",
				compiled.Load(), time.Since(began).Seconds())
		}
	}
}
