package devstack

import (
	"context"
	"fmt"
	"sync"
	"time"

	"fileroom/internal/library"
)

const (
	// stopLimit is how long a server may take to end in good order.
	stopLimit = 20 * time.Second

	// probeLimit bounds one look at whether a server answers.
	probeLimit = 5 * time.Second

	// steady is how long a server must have run for its next death to count
	// as the first.
	steady = time.Minute

	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 10 * time.Second
)

// An instance is one life of a server.
type instance interface {
	ended() <-chan struct{}
	reason() string // Why it ended; valid after ended.
	finish(ctx context.Context) error
	kill()
	pid() int
}

// A unit is a server that is kept running: launched, waited for, launched
// again when it dies.
type unit struct {
	service Service
	out     *lines
	tail    func(Service) string // The last lines of the log.

	launch func(ctx context.Context) (instance, error)
	probe  func(ctx context.Context) error // Uses the server; nil when it answers.
	// settle, if set, is done once after the first success of probe.
	settle func(ctx context.Context) error

	mu      sync.Mutex
	current instance
	cancel  context.CancelFunc // Ends the watch over current.
	watched chan struct{}      // Closed when the watch has ended.
}

// begin launches the server, returns when it answers, and watches over it from
// then on.
func (u *unit) begin(ctx context.Context) error {
	if err := u.up(ctx); err != nil {
		_ = u.down(context.WithoutCancel(ctx))
		return err
	}
	if u.settle != nil {
		if err := u.settle(ctx); err != nil {
			_ = u.down(context.WithoutCancel(ctx))
			return err
		}
		u.settle = nil
	}
	// The watch outlives the start, and with it the start's context.
	watch, cancel := context.WithCancel(context.WithoutCancel(ctx))
	u.mu.Lock()
	defer u.mu.Unlock()
	u.cancel, u.watched = cancel, make(chan struct{})
	go u.watch(watch, u.watched)
	return nil
}

// up launches the server and waits until it answers.
func (u *unit) up(ctx context.Context) error {
	op := "start " + string(u.service)
	i, err := u.launch(ctx)
	if err != nil {
		return err
	}
	u.mu.Lock()
	u.current = i
	u.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	err = u.await(ctx)
	select {
	case <-i.ended():
		return library.Errorf("", op, "", "%s\n%s", i.reason(), u.tail(u.service))
	default:
	}
	if err != nil {
		return library.Errorf("", op, "", "no answer: %w\n%s", err, u.tail(u.service))
	}
	return nil
}

// await returns when the server answers, or when its process has ended and
// nobody watches over it.
func (u *unit) await(ctx context.Context) error {
	pause := 20 * time.Millisecond
	for {
		err := u.look(ctx)
		if err == nil {
			return nil
		}
		u.mu.Lock()
		i, watched := u.current, u.cancel != nil
		u.mu.Unlock()
		var gone <-chan struct{}
		if !watched && i != nil {
			gone = i.ended()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-gone:
			return err
		case <-time.After(pause):
		}
		pause = min(2*pause, 200*time.Millisecond)
	}
}

// look uses the server once.
func (u *unit) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	return u.probe(ctx)
}

// watch launches the server again whenever it dies, until ctx ends.
func (u *unit) watch(ctx context.Context, watched chan struct{}) {
	defer close(watched)
	pause := firstBackoff
	began := time.Now()
	for {
		u.mu.Lock()
		i := u.current
		u.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-i.ended():
		}
		if time.Since(began) > steady {
			pause = firstBackoff
		}
		u.out.printf("%s has died (%s): starting it again", u.service, i.reason())
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			pause = min(2*pause, lastBackoff)
			began = time.Now()
			err := u.revive(ctx)
			if err == nil {
				u.out.printf("%s is ready again", u.service)
				break
			}
			if ctx.Err() != nil {
				return
			}
			u.out.printf("%s does not start: %v", u.service, err)
		}
	}
}

// revive launches the server again. What it launches in vain, it ends.
func (u *unit) revive(ctx context.Context) error {
	i, err := u.launch(ctx)
	if err != nil {
		return err
	}
	u.mu.Lock()
	u.current = i
	u.mu.Unlock()

	limit, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	answers := make(chan error, 1)
	go func() { answers <- u.await(limit) }()
	select {
	case err = <-answers:
	case <-i.ended():
		err = fmt.Errorf("%s", i.reason())
	}
	if err != nil && ctx.Err() == nil {
		i.kill()
		<-i.ended()
	}
	return err
}

// halt ends the watch and then the server. It may be begun again.
func (u *unit) halt(ctx context.Context) error {
	u.mu.Lock()
	cancel, watched := u.cancel, u.watched
	u.cancel = nil
	u.mu.Unlock()
	if cancel != nil {
		cancel()
		<-watched
	}
	return u.down(ctx)
}

// down ends the current instance.
func (u *unit) down(ctx context.Context) error {
	u.mu.Lock()
	i := u.current
	u.current = nil
	u.mu.Unlock()
	if i == nil {
		return nil
	}
	select {
	case <-i.ended():
		return nil
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	return library.Fault("stop", string(u.service), i.finish(ctx))
}

// kill ends the current instance as a crash would.
func (u *unit) kill(ctx context.Context) error {
	u.mu.Lock()
	i := u.current
	u.mu.Unlock()
	if i == nil {
		return library.Errorf(library.Conflict, "kill", string(u.service), "it is not running")
	}
	i.kill()
	select {
	case <-i.ended():
		return nil
	case <-ctx.Done():
		return library.Fault("kill", string(u.service), ctx.Err())
	}
}

func (u *unit) pid() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.current == nil {
		return 0
	}
	select {
	case <-u.current.ended():
		return 0
	default:
		return u.current.pid()
	}
}
