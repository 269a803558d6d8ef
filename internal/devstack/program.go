package devstack

import (
	"context"
	"fmt"
	"syscall"
)

// A Program is one of ours that is to run beside the servers.
type Program struct {
	Name string // For people, and for its log.
	Path string
	Args []string
	Env  []string // All of its environment.
	// Ready uses the program, and returns nil when that works: [Stack.Run] waits
	// for it. nil is for a program that is ready when it runs.
	Ready func(ctx context.Context) error
}

// Run runs a program until [Stack.Stop], which ends it before the servers. When
// it dies it is started again, and it dies with this process.
func (s *Stack) Run(ctx context.Context, p Program) error {
	if s.nursery == nil {
		s.nursery = newNursery()
	}
	ready := p.Ready
	if ready == nil {
		ready = func(context.Context) error { return nil }
	}
	u := &unit{
		service: Service(p.Name), out: s.out, tail: s.logTail,
		launch: func(context.Context) (instance, error) {
			return s.launch(command{service: Service(p.Name), path: p.Path, args: p.Args, env: p.Env, dir: s.place.dir, stop: syscall.SIGTERM})
		},
		probe: ready,
	}
	if err := u.begin(ctx); err != nil {
		return fmt.Errorf("run %s: %w", p.Name, err)
	}
	s.program = append(s.program, u)
	return nil
}
