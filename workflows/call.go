package workflows

import (
	"context"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"fileroom/internal/failure"
	"fileroom/internal/library"
)

// An effort says how hard to try an activity, and where. Every activity call
// names one; timeouts and retry policies are written nowhere else.
type effort struct {
	queue     string
	once      time.Duration // How long one try may take.
	heartbeat time.Duration // How long a try may be silent; 0 for as long as it takes.
}

var (
	// quick suits some database statements. A try that a crash took is missed soon.
	quick = effort{queue: TaskQueue, once: 30 * time.Second}
	// asking suits a letter, or a question to the PACS, which others must answer.
	asking = effort{queue: TaskQueue, once: 2 * time.Minute}
	// reading suits opening and reading what came.
	reading = effort{queue: ReadingQueue, once: 20 * time.Minute, heartbeat: 30 * time.Second}
	// imaging suits moving studies, which takes as long as they are large.
	imaging = effort{queue: ImagingQueue, once: 24 * time.Hour, heartbeat: 30 * time.Second}
	// watching suits waiting at a mailbox.
	watching = effort{queue: MailroomQueue, once: 20 * time.Minute, heartbeat: 30 * time.Second}
)

// Faults of the surroundings are retried without end. These say how often, and
// when staff are told.
const (
	// triesBeforeTelling, with the intervals below, take about an hour.
	triesBeforeTelling = 20
	firstInterval      = time.Second
	longestInterval    = 5 * time.Minute
	// afterTelling is how long to wait before trying again what an operator
	// must put right, such as a password.
	afterTelling = 5 * time.Minute
)

func (e effort) options(summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:           e.queue,
		StartToCloseTimeout: e.once,
		HeartbeatTimeout:    e.heartbeat,
		WaitForCancellation: e.heartbeat > 0, // What is under way must end before its account is written.
		Summary:             summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    firstInterval,
			BackoffCoefficient: 2,
			MaximumInterval:    longestInterval,
			MaximumAttempts:    triesBeforeTelling,
		},
	}
}

// call runs an activity until it is done or refused. A fault that does not
// pass within about an hour is told to staff, and tried again: it never ends a
// case. Only an error that has a kind, or the end of ctx, comes back. The
// summary is shown in the Temporal UI and holds nothing of the case.
//
// The SDK takes parameters and results as any, and does not notice when they
// do not fit; call makes the compiler notice.
func call[P, R any](ctx workflow.Context, e effort, summary string, tell teller, activity func(context.Context, P) (R, error), p P) (R, error) {
	ctx = workflow.WithActivityOptions(ctx, e.options(summary))
	for told := false; ; {
		var r R
		err := workflow.ExecuteActivity(ctx, activity, p).Get(ctx, &r)
		kind := failure.KindOf(err)
		switch {
		case err == nil && told:
			tell(ctx, "")
			return r, nil
		case err == nil, temporal.IsCanceledError(err), kind != "" && kind != library.Unauthorized:
			return r, err
		}
		tell(ctx, troubleText(summary, kind))
		told = true
		if err := pause(ctx, afterTelling, "try again: "+summary); err != nil {
			return r, err
		}
	}
}

// pause waits. The summary is shown in the Temporal UI and holds nothing of the case.
func pause(ctx workflow.Context, d time.Duration, summary string) error {
	return workflow.NewTimerWithOptions(ctx, d, workflow.TimerOptions{Summary: summary}).Get(ctx, nil)
}

// within waits for a condition, at most so long, and reports whether it came
// true. The summary says what happens when it does not.
func within(ctx workflow.Context, d time.Duration, summary string, condition func() bool) (bool, error) {
	return workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{Timeout: d, TimerOptions: workflow.TimerOptions{Summary: summary}}, condition)
}

// A teller shows staff that something does not work; "" says that it does again.
type teller func(ctx workflow.Context, trouble string)

func troubleText(summary string, kind library.Kind) string {
	if kind == library.Unauthorized {
		return "cannot " + summary + ": the other side refuses our credentials; an operator must put them right"
	}
	return "cannot " + summary + ": it has been tried for an hour and goes on being tried; an operator should look"
}
