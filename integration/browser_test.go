package integration_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// browserDir has the scenes, and what they need from npm.
const browserDir = "browser"

// A browser is the Chromium in which scenes are played, and who drives it: a
// program of browserDir, which says at its top how it is spoken to.
type browser struct {
	once   sync.Once
	failed error

	cmd        *exec.Cmd
	in         io.WriteCloser
	complaints bytes.Buffer

	mu     sync.Mutex
	last   int
	scenes map[int]chan reply
	gone   error
}

// A reply is a line of the driver.
type reply struct {
	Ready    string          `json:"ready"`
	ID       int             `json:"id"`
	Step     string          `json:"step"`
	Ask      string          `json:"ask"`
	Args     string          `json:"args"`
	Done     json.RawMessage `json:"done"`
	Failed   string          `json:"failed"`
	Pictures []string        `json:"pictures"`
}

// chromium is the program, which `make setup` installs.
const chromium = "chromium"

// start starts the driver, which ends with its standard input.
func (b *browser) start(s *stack) error {
	node, err1 := exec.LookPath("node")
	program, err2 := exec.LookPath(chromium)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("the browser of the tests is not installed, run make setup: %w", err)
	}
	settings := encoded(map[string]string{
		"chromium": program, "ui": s.dev.Gateway.URL, "panel": s.dev.Gateway.PanelURL, "pictures": s.dir,
	})
	b.cmd = exec.Command(node, "run.mjs", string(settings))
	b.cmd.Dir, b.cmd.Stderr = browserDir, &b.complaints
	var err error
	if b.in, err = b.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := b.cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewReader(out)
	var first reply
	line, err := lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &first)
	}
	if err != nil {
		_ = b.cmd.Wait()
		return fmt.Errorf("the browser does not start: %w\n%s", err, &b.complaints)
	}
	b.scenes = map[int]chan reply{}
	go b.read(lines)
	return nil
}

// read gives replies to the scenes that they are for.
func (b *browser) read(lines *bufio.Reader) {
	for {
		line, err := lines.ReadBytes('\n')
		var r reply
		if err == nil {
			err = json.Unmarshal(line, &r)
		}
		b.mu.Lock()
		if err != nil {
			b.gone = err
			for _, to := range b.scenes {
				close(to)
			}
			b.mu.Unlock()
			return
		}
		to := b.scenes[r.ID]
		b.mu.Unlock()
		if to != nil {
			to <- r
		}
	}
}

func (b *browser) end() error {
	if b.in == nil {
		return nil
	}
	_ = b.in.Close()
	ended := make(chan error, 1)
	go func() { ended <- b.cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(30 * time.Second):
		_ = b.cmd.Process.Kill()
		return errors.New("the browser had to be killed")
	}
}

// theBrowser returns the one that all scenes share.
func theBrowser(t *testing.T, s *stack) *browser {
	t.Helper()
	b := &s.browser
	b.once.Do(func() { b.failed = b.start(s) })
	if b.failed != nil {
		t.Fatal(b.failed)
	}
	return b
}

// An answer does what a scene asks for.
type answer func(ctx context.Context, t *testing.T, args string) error

// play plays a scene and returns what it found out.
func (s *stack) play(ctx context.Context, t *testing.T, scene string, args map[string]any, answers map[string]answer) json.RawMessage {
	t.Helper()
	b, began := theBrowser(t, s), time.Now()
	replies := make(chan reply, 100)
	b.mu.Lock()
	b.last++
	id, gone := b.last, b.gone
	b.scenes[id] = replies
	b.mu.Unlock()
	if gone != nil {
		t.Fatalf("the browser is gone: %v", gone)
	}
	b.tell(t, map[string]any{"id": id, "scene": scene, "args": args})
	for {
		var r reply
		var open bool
		select {
		case r, open = <-replies:
		case <-ctx.Done():
			t.Fatalf("the scene %s does not end", scene)
		}
		switch {
		case !open:
			t.Fatalf("the browser is gone\n%s", &b.complaints)
		case r.Step != "":
			t.Logf("%5.1f s  %s", time.Since(began).Seconds(), r.Step)
		case r.Ask != "":
			do, ok := answers[r.Ask]
			if !ok {
				t.Fatalf("the scene %s asks %q", scene, r.Ask)
			}
			said := map[string]any{"id": id, "answer": "done"}
			if err := do(ctx, t, r.Args); err != nil {
				said = map[string]any{"id": id, "refusal": err.Error()}
			}
			b.tell(t, said)
		case r.Failed != "":
			s.keep(t, r.Pictures)
			t.Fatalf("%s\n%s", r.Failed, strings.Join(r.Pictures, "\n"))
		default:
			return r.Done
		}
	}
}

// keep moves pictures to where they stay after the tests, if there is such a
// place.
func (s *stack) keep(t *testing.T, pictures []string) {
	t.Helper()
	for i, p := range pictures {
		file, of, _ := strings.Cut(p, " ")
		kept := filepath.Join(t.ArtifactDir(), filepath.Base(file))
		if err := copyFile(file, kept); err != nil {
			t.Log(err)
			continue
		}
		pictures[i] = kept + " " + of
	}
}

func (b *browser) tell(t *testing.T, what any) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := b.in.Write(append(encoded(what), '\n')); err != nil {
		t.Fatalf("speak to the browser: %v", err)
	}
}
