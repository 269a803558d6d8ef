package integration_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.temporal.io/api/serviceerror"

	"fileroom/internal/library"
)

// limit is how long a test may take. One whose worker is killed waits for two
// minutes until Temporal gives up a step that was under way, and all run at
// once on a machine that may be slow.
const limit = 7 * time.Minute

// look is how often something is looked at that is waited for.
const look = 150 * time.Millisecond

// within returns a context that ends with the test, or after so long.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// poll calls f until it is done, or ctx ends.
func poll(ctx context.Context, f func() (done bool, err error)) error {
	return pollEvery(ctx, look, f)
}

func pollEvery(ctx context.Context, every time.Duration, f func() (done bool, err error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if done, err := f(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// busy reports whether Temporal has only no time at the moment.
func busy(err error) bool {
	_, late := errors.AsType[*serviceerror.DeadlineExceeded](err)
	_, unavailable := errors.AsType[*serviceerror.Unavailable](err)
	_, notReady := errors.AsType[*serviceerror.WorkflowNotReady](err)
	return late || unavailable || notReady
}

// await looks at something until it is as wanted, and returns it. What is not
// there yet is waited for.
func await[T any](ctx context.Context, t *testing.T, what string, see func(context.Context) (T, error), wanted func(T) bool) T {
	t.Helper()
	var last T
	err := poll(ctx, func() (bool, error) {
		v, err := see(ctx)
		if library.KindOf(err) == library.NotFound || busy(err) {
			return false, nil
		}
		last = v
		return err == nil && wanted(v), err
	})
	if err != nil {
		t.Fatalf("waiting for %s: %v; last seen: %+v", what, err, last)
	}
	return last
}
