package integration_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

// A nursery starts child processes that die with this one. The kernel tells a
// child of its parent's death when the thread that started it ends, so one
// thread starts them all.
type nursery struct {
	jobs chan func()
	once sync.Once
}

func newNursery() *nursery {
	n := &nursery{jobs: make(chan func())}
	go func() {
		runtime.LockOSThread() // Never unlocked: the thread ends with the goroutine.
		for job := range n.jobs {
			job()
		}
	}()
	return n
}

func (n *nursery) close() { n.once.Do(func() { close(n.jobs) }) }

// A command is what to run, with all of its environment. Its output goes to
// the end of a log.
type command struct {
	path string
	args []string
	env  []string
	log  string
}

// A process is a child process.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // Closed when it has ended.
	err  error         // How it ended; valid after done.
}

func (n *nursery) start(c command) (*process, error) {
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	p := &process{cmd: exec.Command(c.path, c.args...), log: c.log, done: make(chan struct{})}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = c.env, log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	result := make(chan error)
	n.jobs <- func() { result <- p.cmd.Start() }
	if err := <-result; err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// kill ends the process as a crash does, and returns when it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// stop asks the process to end, and kills it when ctx ends first.
func (p *process) stop(ctx context.Context) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		p.kill()
		return errors.New("it had to be killed: " + p.tail())
	}
}

// tail returns the last lines of the log.
func (p *process) tail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
