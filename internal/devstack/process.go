package devstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"fileroom/internal/library"
)

// A nursery starts child processes. The kernel tells a child of its parent's
// death when the thread that started it ends, not only when the process does,
// so one thread starts them all and stays until the stack is stopped.
type nursery struct {
	jobs chan func()
	once sync.Once
}

func newNursery() *nursery {
	n := &nursery{jobs: make(chan func())}
	go func() {
		// Never unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		for job := range n.jobs {
			job()
		}
	}()
	return n
}

func (n *nursery) close() { n.once.Do(func() { close(n.jobs) }) }

// start starts cmd on the nursery's thread.
func (n *nursery) start(cmd *exec.Cmd) error {
	result := make(chan error)
	n.jobs <- func() { result <- cmd.Start() }
	return <-result
}

// A command is how to run a server.
type command struct {
	service Service
	path    string
	args    []string
	dir     string
	env     []string       // All of its environment; nil for the least that a server needs.
	as      account        // The zero account is ourselves.
	stop    syscall.Signal // Asks the server to end in good order.
}

// A process is a running server in a process group of its own.
type process struct {
	cmd     *exec.Cmd
	pidFile string
	stopSig syscall.Signal
	done    chan struct{} // Closed when it has ended.
	err     error         // How it ended; valid after done.
}

// launch starts a command, its output going to the service's log.
func (s *Stack) launch(c command) (*process, error) {
	log, err := openLog(s.Log(c.service))
	if err != nil {
		return nil, library.Fault("open log", string(c.service), err)
	}
	defer func() { _ = log.Close() }()

	cmd := exec.Command(c.path, c.args...) //nolint:gosec,noctx // Our own servers; the unit ends them.
	cmd.Dir = c.dir
	cmd.Stdout, cmd.Stderr = log, log
	if cmd.Env = c.env; c.env == nil {
		cmd.Env = serverEnv(c.dir)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: c.stop}
	if c.as.drop {
		cmd.SysProcAttr.Credential = c.as.credential()
	}
	if err := s.nursery.start(cmd); err != nil {
		return nil, library.Fault("start", string(c.service), err)
	}
	p := &process{cmd: cmd, pidFile: s.place.pidFile(c.service), stopSig: c.stop, done: make(chan struct{})}
	if err := writePID(p.pidFile, cmd.Process.Pid, c.stop); err != nil {
		s.out.printf("%s: its process number could not be noted: %v", c.service, err)
	}
	go func() {
		p.err = cmd.Wait()
		// Helpers of a server that crashed would keep its ports.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = os.Remove(p.pidFile)
		close(p.done)
	}()
	return p, nil
}

func (a account) credential() *syscall.Credential {
	return &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)} //nolint:gosec // IDs fit.
}

// serverEnv is all of the environment that a server sees: it has no need of
// our secrets.
func serverEnv(home string) []string {
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=" + home}
}

func (p *process) ended() <-chan struct{} { return p.done }
func (p *process) pid() int               { return p.cmd.Process.Pid }
func (p *process) kill()                  { _ = p.cmd.Process.Kill() }

func (p *process) reason() string {
	if p.err == nil {
		return "it ended by itself"
	}
	return p.err.Error()
}

// finish asks the process to end and waits for it; when ctx ends first, it is
// killed.
func (p *process) finish(ctx context.Context) error {
	_ = p.cmd.Process.Signal(p.stopSig)
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		p.kill()
		<-p.done
		return fmt.Errorf("did not stop when asked, and was killed: %w", ctx.Err())
	}
}

// A pidNote identifies a process beyond doubt: numbers are used again, but not
// with the same start time in the same boot.
type pidNote struct {
	PID   int    `json:"pid"`
	Start string `json:"start"` // In clock ticks since the boot.
	Boot  string `json:"boot"`
	Stop  int    `json:"stop"` // The signal that ends it in good order.
}

func writePID(path string, pid int, stop syscall.Signal) error {
	start, err := startTime(pid)
	if err != nil {
		return err
	}
	b, err := json.Marshal(pidNote{PID: pid, Start: start, Boot: bootID(), Stop: int(stop)})
	if err != nil {
		return err
	}
	return writeWhole(path, b, 0o600)
}

// endLeftovers ends processes of an earlier run that was not ended properly.
func (p *place) endLeftovers(out *lines) error {
	for _, service := range Services() {
		b, err := os.ReadFile(p.pidFile(service))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var note pidNote
		if err == nil {
			err = json.Unmarshal(b, &note)
		}
		if err == nil && note.alive() {
			out.printf("%s of an earlier run still runs (process %d): ending it", service, note.PID)
			if err := note.end(); err != nil {
				return library.Errorf(library.Conflict, "end leftover", string(service), "%w", err)
			}
		}
		_ = os.Remove(p.pidFile(service))
	}
	return nil
}

func (n pidNote) alive() bool {
	start, err := startTime(n.PID)
	return err == nil && start == n.Start && n.Boot == bootID()
}

// end asks the process to end, and kills it after five seconds.
func (n pidNote) end() error {
	_ = syscall.Kill(n.PID, syscall.Signal(n.Stop))
	deadline := time.Now().Add(10 * time.Second)
	killAt := time.Now().Add(5 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n.alive() {
		if now := <-tick.C; now.After(deadline) {
			return fmt.Errorf("process %d does not end", n.PID)
		} else if now.After(killAt) {
			_ = syscall.Kill(-n.PID, syscall.SIGKILL)
		}
	}
	_ = syscall.Kill(-n.PID, syscall.SIGKILL)
	return nil
}

// startTime returns when a process started. One that has ended and was not
// waited for yet is an error, like one that does not exist.
func startTime(pid int) (string, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return "", err
	}
	// The second field, the name in brackets, may hold anything.
	_, rest, ok := strings.Cut(string(b[strings.LastIndexByte(string(b), ')')+1:]), " ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 || fields[0] == "Z" {
		return "", fmt.Errorf("process %d is gone", pid)
	}
	return fields[19], nil
}

func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// logLimit is the size from which a log is put aside at the next start; the
// one put aside before is dropped.
const logLimit = 16 << 20

func openLog(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > logLimit {
		_ = os.Rename(path, path+".old")
	}
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}
