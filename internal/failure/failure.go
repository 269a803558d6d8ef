// Package failure carries the library's error kinds across Temporal.
//
// A Go error does not survive the trip from an activity to a workflow: it is
// serialised, so errors.Is against a sentinel is always false on the other
// side. What survives is the type name of a [temporal.ApplicationError]. This
// package writes the kind there on the way out and reads it on the way in.
package failure

import (
	"context"
	"errors"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"fileroom/internal/library"
)

// Encode returns err as an activity should report it. An error with a kind is
// final and is not retried; any other error is returned unchanged and retried.
func Encode(err error) error {
	kind := library.KindOf(err)
	if kind == "" {
		return err
	}
	return temporal.NewNonRetryableApplicationError(err.Error(), string(kind), nil)
}

// KindOf returns the kind that [Encode] wrote, or "": the type of any other
// error is a name of Go's, and no kind.
func KindOf(err error) library.Kind {
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		switch kind := library.Kind(app.Type()); kind {
		case library.Invalid, library.NotFound, library.Conflict, library.Unauthorized:
			return kind
		}
	}
	return ""
}

// Plain returns err without what Temporal wraps around an activity's error, so
// that a person reads the reason alone.
func Plain(err error) error {
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		return errors.New(app.Message())
	}
	return err
}

// Interceptor encodes the error of every activity a worker runs, so that no
// activity can forget to.
func Interceptor() interceptor.WorkerInterceptor { return &workerInterceptor{} }

type workerInterceptor struct {
	interceptor.WorkerInterceptorBase
}

func (*workerInterceptor) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	i := &activityInterceptor{}
	i.Next = next
	return i
}

type activityInterceptor struct {
	interceptor.ActivityInboundInterceptorBase
}

func (i *activityInterceptor) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	result, err := i.Next.ExecuteActivity(ctx, in)
	return result, Encode(err)
}
