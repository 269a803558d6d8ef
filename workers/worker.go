// Package workers joins workflows and activities to Temporal, one worker for
// each task queue. It is the only package that knows both, and holds no
// decisions of its own.
package workers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"fileroom/activities"
	"fileroom/internal/failure"
	"fileroom/internal/library"
	"fileroom/internal/staff"
	"fileroom/workflows"
)

// StaffMessages are the signals that staff send; the interceptor keeps them
// back until it is known who sent them.
var StaffMessages = []string{
	string(library.Approve), string(library.Deny), string(library.Ask), string(library.Correct), string(library.Acknowledged),
	string(library.Choose), string(library.Hold), string(library.Resume), string(library.Confirm), string(library.Withdraw),
	string(library.Place), string(library.Split),
}

// Activities are everything that the workflows call.
type Activities struct {
	Mailroom  *activities.Mailroom
	Arrivals  *activities.Arrivals
	Letters   *activities.Letters
	Cases     *activities.Cases
	Decisions *activities.Decisions
	Releases  *activities.Releases
	Transfers *activities.Transfers
}

// Register registers every workflow and activity with r.
func Register(r worker.Registry, a Activities) {
	registerWorkflows(r)
	registerActivities(r, a)
}

func registerWorkflows(r worker.WorkflowRegistry) {
	r.RegisterWorkflow(workflows.Mailbox)
	r.RegisterWorkflow(workflows.Intake)
	r.RegisterWorkflow(workflows.Release)
	r.RegisterWorkflow(workflows.Transfer)
}

// registerActivities registers all of them whatever the queue: what differs is
// the queue that a call names.
func registerActivities(r worker.ActivityRegistry, a Activities) {
	r.RegisterActivity(a.Mailroom)
	r.RegisterActivity(a.Arrivals)
	r.RegisterActivity(a.Letters)
	r.RegisterActivity(a.Cases)
	r.RegisterActivity(a.Decisions)
	r.RegisterActivity(a.Releases)
	r.RegisterActivity(a.Transfers)
}

// Interceptors are what every worker runs under: errors keep their kind, and no
// message of staff is heard that nobody signed.
func Interceptors(v *staff.Verifier) []interceptor.WorkerInterceptor {
	return []interceptor.WorkerInterceptor{failure.Interceptor(), &stopping{}, staff.Interceptor(v, StaffMessages...)}
}

// tellEvery is how often work under way tells Temporal that it is alive, and so
// learns that staff have stopped it.
const tellEvery = 5 * time.Second

// stopTimeout is how long work under way may take to end after a worker is told
// to stop and has interrupted it.
const stopTimeout = 10 * time.Second

// Workers are the workers of one process.
type Workers struct {
	workers []worker.Worker
}

// New returns a worker for each task queue, ready to start. Concurrency is
// bounded by what the work of a queue needs.
func New(c client.Client, v *staff.Verifier, a Activities) *Workers {
	queues := []struct {
		name  string
		slots int
	}{
		{workflows.TaskQueue, 50},
		{workflows.ReadingQueue, 2},
		{workflows.ImagingQueue, 4},
		{workflows.MailroomQueue, 20},
	}
	w := &Workers{}
	for _, q := range queues {
		one := worker.New(c, q.name, worker.Options{
			Interceptors:                       Interceptors(v),
			MaxConcurrentActivityExecutionSize: q.slots,
			WorkerStopTimeout:                  stopTimeout,
			MaxHeartbeatThrottleInterval:       tellEvery,
			DisableWorkflowWorker:              q.name != workflows.TaskQueue,
		})
		if q.name == workflows.TaskQueue { // Workflows run in this queue alone.
			registerWorkflows(one)
		}
		registerActivities(one, a)
		w.workers = append(w.workers, one)
	}
	return w
}

// Start starts all workers, or none.
func (w *Workers) Start() error {
	for i, one := range w.workers {
		if err := one.Start(); err != nil {
			for _, started := range w.workers[:i] {
				started.Stop()
			}
			return fmt.Errorf("start worker: %w", err)
		}
	}
	return nil
}

// Stop interrupts work under way, so that another worker goes on with it, and
// returns when all of it has ended.
func (w *Workers) Stop() {
	var all sync.WaitGroup
	for _, one := range w.workers {
		all.Go(one.Stop)
	}
	all.Wait()
}

// Prepare registers the search attributes, and starts the watch of every
// mailbox that is not watched yet.
func Prepare(ctx context.Context, c client.Client, namespace string, mailboxes ...string) error {
	attributes := map[string]enums.IndexedValueType{
		workflows.StageAttribute.GetName():   enums.INDEXED_VALUE_TYPE_KEYWORD,
		workflows.WaitingAttribute.GetName(): enums.INDEXED_VALUE_TYPE_KEYWORD,
		workflows.ChannelAttribute.GetName(): enums.INDEXED_VALUE_TYPE_KEYWORD,
		workflows.DueAttribute.GetName():     enums.INDEXED_VALUE_TYPE_DATETIME,
	}
	known, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("list search attributes: %w", err)
	}
	for name := range known.GetCustomAttributes() {
		delete(attributes, name)
	}
	if len(attributes) > 0 {
		_, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: attributes})
		if _, exists := errors.AsType[*serviceerror.AlreadyExists](err); err != nil && !exists {
			return fmt.Errorf("add search attributes: %w", err)
		}
	}
	for _, name := range mailboxes {
		if err := watch(ctx, c, name); err != nil {
			return fmt.Errorf("start the watch of mailbox %s: %w", name, err)
		}
	}
	return nil
}

// How long a new search attribute may take until all of Temporal knows it, and
// how often it is looked whether it does.
const (
	attributeWait = time.Minute
	attributeTick = 200 * time.Millisecond
)

// watch starts the watch of a mailbox, unless it is watched. It has a search
// attribute, and so is not started before Temporal knows that: the first
// letters would find a server that refuses theirs, and wait ten seconds for its
// next try.
func watch(ctx context.Context, c client.Client, mailbox string) error {
	ctx, cancel := context.WithTimeout(ctx, attributeWait)
	defer cancel()
	tick := time.NewTicker(attributeTick)
	defer tick.Stop()
	for {
		_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
			ID:                       workflows.MailboxID(mailbox),
			TaskQueue:                workflows.TaskQueue,
			WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
			StaticSummary:            "Watches the mailbox " + mailbox,
			TypedSearchAttributes:    temporal.NewSearchAttributes(workflows.ChannelAttribute.ValueSet(string(library.ChannelEmail))),
		}, workflows.Mailbox, workflows.MailboxParams{Mailbox: mailbox})
		if _, unknown := errors.AsType[*serviceerror.InvalidArgument](err); !unknown {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
