package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"google.golang.org/protobuf/types/known/durationpb"

	"fileroom/internal/library"
	"fileroom/internal/staff"
	"fileroom/internal/vault"
	"fileroom/workers"
	"fileroom/workflows"
)

// workerLimit is how long a worker may take from its start until it works.
const workerLimit = 2 * time.Minute

// An installation is Fileroom for itself on the shared servers: a namespace of
// Temporal, a folder of the library's mailbox, and a worker.
type installation struct {
	*stack
	name   string
	folder string            // Of the mailbox; "" for the inbox, which mail comes to by SMTP.
	env    map[string]string // Of the worker and of the command line.

	worker  *process
	started int // How often.
	nobody  client.Client
}

// usual is the installation of dev.json, as it stands there.
type usual struct {
	once   sync.Once
	i      *installation
	failed error
}

func (u *usual) end(ctx context.Context) error {
	if u.i == nil {
		return nil
	}
	return u.i.end(ctx)
}

// usualInstallation returns the one that tests share which leave it whole.
func usualInstallation(t *testing.T) *installation {
	t.Helper()
	s := servers(t)
	s.usual.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), workerLimit)
		defer cancel()
		s.usual.i = &installation{stack: s, name: s.dev.Temporal.Namespace, env: s.dev.Worker}
		s.usual.failed = s.usual.i.start(ctx)
	})
	if s.usual.failed != nil {
		t.Fatalf("start the installation: %v", s.usual.failed)
	}
	return s.usual.i
}

// own returns an installation that the test has for itself, with other
// settings as given.
func (s *stack) own(ctx context.Context, t *testing.T, name string, settings map[string]string) *installation {
	t.Helper()
	i := &installation{stack: s, name: name, folder: name, env: maps.Clone(s.dev.Worker)}
	delete(i.env, "FILEROOM_METRICS_ADDRESS") // The usual installation's.
	maps.Copy(i.env, map[string]string{"TEMPORAL_NAMESPACE": name, "FILEROOM_MAILBOX_NAME": name, "FILEROOM_MAILBOX_FOLDER": name})
	maps.Copy(i.env, settings)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if err := i.end(ctx); err != nil {
			t.Errorf("end the installation %s: %v", name, err)
		}
	})
	err := errors.Join(i.makeNamespace(ctx), s.makeFolder(name))
	if err == nil {
		err = i.start(ctx)
	}
	if err != nil {
		t.Fatalf("start the installation %s: %v", name, err)
	}
	return i
}

// makeNamespace makes a namespace of Temporal and waits until it can be used.
func (i *installation) makeNamespace(ctx context.Context) error {
	c, err := client.NewNamespaceClient(client.Options{HostPort: i.dev.Temporal.Address, Logger: silent})
	if err != nil {
		return err
	}
	defer c.Close()
	err = c.Register(ctx, &workflowservice.RegisterNamespaceRequest{Namespace: i.name, WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour)})
	if err != nil {
		return fmt.Errorf("register namespace: %w", err)
	}
	return poll(ctx, func() (bool, error) {
		_, err := c.Describe(ctx, i.name)
		if _, missing := errors.AsType[*serviceerror.NamespaceNotFound](err); missing {
			return false, nil
		}
		return err == nil, err
	})
}

func (i *installation) start(ctx context.Context) error {
	var err error
	if i.nobody, err = i.dial(ctx); err != nil {
		return err
	}
	return i.startWorker(ctx)
}

func (i *installation) end(ctx context.Context) error {
	if i.nobody != nil {
		i.nobody.Close()
	}
	if i.worker == nil {
		return nil
	}
	return i.worker.stop(ctx)
}

// startWorker starts the worker and returns when it works. A namespace just
// made is not known everywhere at once, so it may take a second start.
func (i *installation) startWorker(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, workerLimit)
	defer cancel()
	for {
		if err := i.launch(); err != nil {
			return err
		}
		err := pollEvery(ctx, 50*time.Millisecond, func() (bool, error) {
			select {
			case <-i.worker.done:
				return false, errEnded
			default:
			}
			b, err := os.ReadFile(i.log())
			return bytes.Count(b, []byte(`"worker started"`)) >= i.started, err
		})
		if err == nil {
			return nil
		}
		if !errors.Is(err, errEnded) {
			return fmt.Errorf("the worker does not start: %w\n%s", err, i.worker.tail())
		}
		i.started-- // It did not.
		if err := pollEvery(ctx, time.Second, func() (bool, error) { return i.known(ctx) }); err != nil {
			return fmt.Errorf("the worker does not start: %w\n%s", err, i.worker.tail())
		}
	}
}

var errEnded = errors.New("it has ended")

// launch starts the worker and does not wait for it.
func (i *installation) launch() error {
	var err error
	i.started++
	i.worker, err = i.nursery.start(command{path: i.binary, args: []string{"worker"}, env: i.environment(), log: i.log()})
	return err
}

// known reports whether the namespace's search attributes can be asked for,
// which is the first thing that a worker does.
func (i *installation) known(ctx context.Context) (bool, error) {
	_, err := i.nobody.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: i.name})
	return err == nil, ctx.Err()
}

// log is the worker's log.
func (i *installation) log() string { return filepath.Join(i.dir, "worker-"+i.name+".log") }

// environment is what dev.json says, and what any program needs to run.
func (i *installation) environment() []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	for name, v := range i.env {
		env = append(env, name+"="+v)
	}
	slices.Sort(env)
	return env
}

// run runs the program as a person does, and returns what it prints.
func (i *installation) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, i.binary, args...)
	cmd.Env = append(i.environment(), "FILEROOM_SIGNING_KEY_FILE="+i.dev.Pages["FILEROOM_SIGNING_KEY_FILE"])
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("fileroom %s: %w: %s", args, err, complaints.String())
	}
	return string(out), err
}

// dial connects to Temporal as a client that has the keys of the payloads.
func (i *installation) dial(ctx context.Context, more ...interceptor.ClientInterceptor) (client.Client, error) {
	data, err := vault.DataConverter(i.ring)
	if err != nil {
		return nil, err
	}
	failures, err := vault.FailureConverter(i.ring)
	if err != nil {
		return nil, err
	}
	return client.DialContext(ctx, client.Options{
		HostPort: i.dev.Temporal.Address, Namespace: i.name, DataConverter: data, FailureConverter: failures, Interceptors: more,
		Logger: silent, Identity: "integration",
	})
}

// as returns a client through which a person of the demonstration speaks.
func (i *installation) as(ctx context.Context, t *testing.T, subject string) client.Client {
	t.Helper()
	c, err := i.dial(ctx, staff.ClientInterceptor(i.signer(t), i.person(t, subject), workers.StaffMessages...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// say sends an update.
func say(ctx context.Context, c client.Client, workflow string, m library.Message, payload any) error {
	update, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflow, UpdateName: string(m), WaitForStage: client.WorkflowUpdateStageCompleted, Args: []any{payload},
	})
	if err != nil {
		return err
	}
	return update.Get(ctx, nil)
}

// view asks a case where it stands.
func (i *installation) view(ctx context.Context, id library.CaseID) (workflows.CaseView, error) {
	var v workflows.CaseView
	answer, err := i.nobody.QueryWorkflow(ctx, workflows.ReleaseID(id), "", workflows.CaseQuery)
	if err != nil {
		return v, err
	}
	return v, answer.Get(&v)
}

// insist says something to a case or an arrival until it is heard. One that is
// just being checked asks people to wait, and so they do.
func insist(ctx context.Context, t *testing.T, c client.Client, workflow string, m library.Message, payload any) {
	t.Helper()
	patiently(ctx, t, func() error { return say(ctx, c, workflow, m, payload) })
}

func patiently(ctx context.Context, t *testing.T, f func() error) {
	t.Helper()
	err := poll(ctx, func() (bool, error) {
		err := f()
		if err != nil && strings.Contains(err.Error(), "please") {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// approve approves a case as it stands, by the command line, by as many of the
// staff as it takes.
func (i *installation) approve(ctx context.Context, t *testing.T, id library.CaseID, flags ...string) {
	t.Helper()
	v := await(ctx, t, "a case that can be approved", func(ctx context.Context) (workflows.CaseView, error) { return i.view(ctx, id) },
		func(v workflows.CaseView) bool { return v.Stage == library.StageReview })
	for _, by := range []string{"demo-lead", "demo-privacy"}[:max(v.Needed, 1)] {
		patiently(ctx, t, func() error {
			_, err := i.run(ctx, append([]string{"case", "approve", "--as", by, string(id)}, flags...)...)
			return err
		})
	}
}

// verify runs `fileroom case verify` and returns its report.
func (i *installation) verify(ctx context.Context, t *testing.T, id library.CaseID) (disclosures, decisions int) {
	t.Helper()
	out, err := i.run(ctx, "case", "verify", "--json", string(id))
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var r struct {
		Disclosures int      `json:"disclosures"`
		Decisions   int      `json:"decisions"`
		Wrong       []string `json:"wrong"`
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Wrong) > 0 {
		t.Fatalf("verify: %v: %s", err, out)
	}
	return r.Disclosures, r.Decisions
}
