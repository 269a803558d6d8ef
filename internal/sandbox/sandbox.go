package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"fileroom/internal/library"
)

// Why a child gave no result. Each comes as the reason of a
// [library.Invalid] error: the same input will do no better next time.
var (
	ErrTimeout = errors.New("stopped at its time limit")
	ErrOutput  = errors.New("wrote more than it may")
	ErrInput   = errors.New("input is larger than it may be")
	ErrCrashed = errors.New("failed") // Crashed, ran out of memory or refused the input.
)

// An ExitError is how a child ended that did not succeed. It is in the chain
// of errors that wrap [ErrCrashed].
type ExitError struct {
	Code   int    // Exit status, or -1 when a signal ended it.
	Stderr []byte // The first words of its standard error. May quote the document: never log it.
}

// Error says the exit status alone.
func (e *ExitError) Error() string { return "exit status " + strconv.Itoa(e.Code) }

// Unwrap makes every ExitError an [ErrCrashed].
func (e *ExitError) Unwrap() error { return ErrCrashed }

// A Child is a command and what it may cost. Zero limits mean none, except
// that Timeout and MaxOutput must be set.
type Child struct {
	Command   []string      // Program and arguments; the program is looked up in PATH.
	Env       []string      // Its whole environment; our own holds secrets.
	Files     []*os.File    // Further open files, found by the child at Path(0), Path(1), ...
	Timeout   time.Duration // Wall clock.
	CPU       time.Duration // Processor time, rounded up to seconds (RLIMIT_CPU).
	Memory    uint64        // Bytes of address space (RLIMIT_AS).
	MaxInput  int64         // Bytes of standard input.
	MaxOutput int64         // Bytes of standard output, and of each file written (RLIMIT_FSIZE).
	Stderr    io.Writer     // Receives the first words of standard error, if not nil.
}

// maxStderr is how much of a child's complaints is kept.
const maxStderr = 16 << 10

// Run runs the child once on stdin and returns its standard output. The
// caller's giving up is a fault without a kind, as is a program that is not
// installed; whatever the child did wrong is [library.Invalid] with one of this package's errors.
func (c Child) Run(ctx context.Context, stdin io.Reader) ([]byte, error) {
	op := "run child process"
	if len(c.Command) == 0 || c.Timeout <= 0 || c.MaxOutput <= 0 {
		return nil, library.Fault(op, "", errors.New("child without command, time limit or output limit"))
	}
	program, err := exec.LookPath(c.Command[0])
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	child, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()

	in := &limitedReader{r: stdin, left: c.MaxInput, bounded: c.MaxInput > 0, over: cancel}
	out := &limitedBuffer{left: c.MaxOutput, over: cancel}
	complaints := &limitedBuffer{left: maxStderr}
	ended := make(chan error, 1)
	go func() { ended <- c.start(child, program, in, out, complaints) }()
	err = <-ended
	if c.Stderr != nil {
		_, _ = c.Stderr.Write(complaints.b.Bytes())
	}
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil: // The caller gave up: no fault of the document.
		return nil, library.Fault(op, "", context.Cause(ctx))
	case in.exceeded:
		return nil, library.Errorf(library.Invalid, op, "", "%w", ErrInput)
	case out.exceeded:
		return nil, library.Errorf(library.Invalid, op, "", "%w", ErrOutput)
	case child.Err() != nil || exited && c.spent(exit):
		return nil, library.Errorf(library.Invalid, op, "", "%w", ErrTimeout)
	case exited:
		return nil, library.Errorf(library.Invalid, op, "", "%w", &ExitError{Code: exit.ExitCode(), Stderr: complaints.b.Bytes()})
	case err != nil:
		return nil, library.Fault(op, "", err)
	}
	return out.b.Bytes(), nil
}

// start runs the child, in a goroutine of its own: its thread is locked, and ends with it. The child inherits from
// the thread what it may not, and is killed when the thread that started it ends, which need not be
// when the process does (golang.org/issue/27505).
func (c Child) start(ctx context.Context, program string, in io.Reader, out, complaints io.Writer) error {
	runtime.LockOSThread()
	if err := confine(program); err != nil {
		return fmt.Errorf("confine: %w", err)
	}
	// The shell sets the limits upon itself and becomes the program, so
	// there is no moment in which the program runs without them.
	args := append([]string{"-c", c.limits() + `exec "$@"`, "sh", program}, c.Command[1:]...)
	cmd := exec.CommandContext(ctx, "/bin/sh", args...) // #nosec G204 -- set by main, not by input
	cmd.Env = append([]string{}, c.Env...)              // Not nil: nil would mean ours.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, complaints
	cmd.ExtraFiles = c.Files
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // For a pipe that a grandchild holds open.

	err := cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // Whatever it left behind.
	}
	return err
}

// limits is the beginning of a shell script that sets the limits of c.
func (c Child) limits() string {
	s := "ulimit -c 0; ulimit -n 256; "
	if c.Memory > 0 && (!raceDetector || !c.own()) { // The race detector maps terabytes.
		s += fmt.Sprintf("ulimit -v %d || exit 126; ", c.Memory>>10)
	}
	if c.CPU > 0 {
		// The soft limit sends a signal that a Go program outlives, the hard one kills.
		n := (c.CPU + time.Second - 1) / time.Second
		s += fmt.Sprintf("ulimit -St %d && ulimit -Ht %d || exit 126; ", n, n+1)
	}
	return s + fmt.Sprintf("ulimit -f %d || exit 126; ", c.MaxOutput>>9+1) // In units of 512 bytes.
}

// own reports whether c runs this very program.
func (c Child) own() bool {
	self, err := os.Executable()
	return err == nil && c.Command[0] == self
}

// spent reports whether the limit on processor time ended the child.
func (c Child) spent(e *exec.ExitError) bool {
	status, ok := e.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || c.CPU == 0 {
		return false
	}
	return status.Signal() == syscall.SIGXCPU || e.UserTime()+e.SystemTime() >= c.CPU
}

// Self is the command that runs this program as the child called name:
// "fileroom child <name>". The program, and in tests TestMain, hands standard input and
// output to the Main function of the package of that name.
func Self(name string) []string {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return []string{self, "child", name}
}

// A limitedBuffer keeps the first bytes written to it. When more come it
// either ends the child, or, without over, drops them.
type limitedBuffer struct {
	b        bytes.Buffer
	left     int64
	over     func()
	exceeded bool
}

func (l *limitedBuffer) Write(p []byte) (int, error) {
	n := min(int64(len(p)), l.left)
	l.left -= n
	l.b.Write(p[:n])
	if n < int64(len(p)) && l.over != nil {
		l.exceeded = true
		l.over()
		return int(n), ErrOutput
	}
	return len(p), nil
}

// A limitedReader ends the child when its source holds more than it may.
type limitedReader struct {
	r        io.Reader
	left     int64
	bounded  bool
	over     func()
	exceeded bool
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.r == nil {
		return 0, io.EOF
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.bounded && l.left < 0 {
		l.exceeded = true
		l.over()
		return 0, ErrInput
	}
	return n, err
}
