package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"

	"fileroom/workflows"
)

// healthCommand says whether an installation works: for a container's health
// check, and for an operator at night.
type healthCommand struct {
	databaseFlags
	keyFlags
	temporalFlags
}

// healthTimeout is how long the whole look may take.
const healthTimeout = 20 * time.Second

// Run looks at the database, at Temporal, and whether anybody works in each
// task queue.
func (h healthCommand) Run(ctx context.Context, c console) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	pool, err := h.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := pool.Ping(ctx); err != nil {
		return fmt.Errorf("the database does not answer: %w", err)
	}
	c.printf("database: answers\n")
	ring, err := h.ring()
	if err != nil {
		return err
	}
	temporal, namespace, err := h.dial(ctx, ring, newLog(c, slog.LevelError+1))
	if err != nil {
		return err
	}
	defer temporal.Close()
	c.printf("temporal: answers\n")
	idle := 0
	for queue, kind := range map[string]enums.TaskQueueType{
		workflows.TaskQueue:     enums.TASK_QUEUE_TYPE_WORKFLOW,
		workflows.ReadingQueue:  enums.TASK_QUEUE_TYPE_ACTIVITY,
		workflows.ImagingQueue:  enums.TASK_QUEUE_TYPE_ACTIVITY,
		workflows.MailroomQueue: enums.TASK_QUEUE_TYPE_ACTIVITY,
	} {
		d, err := temporal.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
			Namespace: namespace, TaskQueue: &taskqueue.TaskQueue{Name: queue}, TaskQueueType: kind,
		})
		switch {
		case err != nil:
			return fmt.Errorf("task queue %s: %w", queue, err)
		case len(d.GetPollers()) == 0:
			idle++
			c.printf("task queue %s: nobody works in it\n", queue)
		default:
			c.printf("task queue %s: %d workers\n", queue, len(d.GetPollers()))
		}
	}
	if idle > 0 {
		return fmt.Errorf("%d task queues are without a worker: is fileroom worker running?", idle)
	}
	return nil
}
