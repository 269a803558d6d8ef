package devstack

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"fileroom/internal/library"
)

// A Service is one of the servers of a [Stack].
type Service string

// The services, in the order in which they are listed to people.
const (
	Postgres Service = "postgres"
	IMAP     Service = "imap"
	SMTP     Service = "smtp"
	PACS     Service = "pacs"
	Receiver Service = "receiver"
	Temporal Service = "temporal"
)

// Services returns all services in the order in which they are stopped: those
// that use others before the others.
func Services() []Service {
	return []Service{Temporal, SMTP, IMAP, Receiver, PACS, Postgres}
}

const (
	// DefaultPortBase is where `fileroom dev` puts its servers.
	DefaultPortBase = 7700

	// PortCount is how many ports a stack owns from its base on.
	PortCount = 20

	// startLimit is how long a server may take until it answers. A database
	// recovering on a busy machine takes seconds.
	startLimit = 90 * time.Second
)

// Options says what [Start] starts, and where.
type Options struct {
	// Dir is the data folder, made if missing. "" stands for a folder of the
	// stack's own that [Stack.Stop] removes, as tests want it.
	Dir string
	// PortBase is the first of the [PortCount] ports. 0 stands for a block
	// that nobody uses, also no stack of another process.
	PortBase int
	// Out is told in lines for people what happens. nil is nobody.
	Out io.Writer
	// Only names the services to start. nil stands for all.
	Only []Service
	// TemporalBinary is the Temporal development server to run, built from
	// devtools/temporal. "" stands for what [BuildTemporal] returns.
	TemporalBinary string
	// TemporalTLS has Temporal take only clients with a certificate of the
	// stack's authority, as an installation does. [TemporalServer] names one.
	TemporalTLS bool
	// CodecEndpoint is the URL to which the Temporal UI sends payloads, and its
	// cookies, for decoding. "" stands for /codec under [Gateway.URL].
	CodecEndpoint string
	// PanelURL is the page that the Temporal UI shows in the head of a
	// workflow's page. "" stands for /panel under [Gateway.PanelURL].
	PanelURL string
}

// A Stack is a set of running servers. Its methods may be called from several
// goroutines.
type Stack struct {
	place   place
	ports   portBlock
	out     *lines
	secrets *secrets
	nursery *nursery
	sink    *Sink
	roots   *x509.CertPool
	units   map[Service]*unit
	program []*unit // What [Stack.Run] runs, in the order of starting.
	temp    bool    // The folder goes with the stack.

	temporalTLS bool // See [Options.TemporalTLS].
}

// Start starts the servers at the same time and returns when each of them was
// used with success. ctx bounds the start alone; the servers run until
// [Stack.Stop]. When one cannot be started, the others are stopped and the
// error says what to do.
//
// A folder or a port in use is a [library.Conflict]; a server that is not
// installed is [library.NotFound].
func Start(ctx context.Context, o Options) (*Stack, error) {
	s, err := newStack(o)
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx, o); err != nil {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return nil, errors.Join(err, s.Stop(stop))
	}
	return s, nil
}

// newStack takes the folder, the ports and the secrets, and starts nothing.
func newStack(o Options) (_ *Stack, err error) {
	s := &Stack{out: &lines{w: o.Out}, units: map[Service]*unit{}, temp: o.Dir == "", temporalTLS: o.TemporalTLS}
	// The folder is locked before the leftovers in it are ended, and they are
	// ended before their ports are looked at.
	if s.place, err = takePlace(o.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.ports.release()
			s.leave()
		}
	}()
	if err := s.place.endLeftovers(s.out); err != nil {
		return nil, err
	}
	if s.ports, err = takePorts(o.PortBase); err != nil {
		return nil, err
	}
	if s.secrets, err = openSecrets(s.place); err != nil {
		return nil, err
	}
	if s.roots, err = ensureCertificates(s.place); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context, o Options) error {
	s.nursery = newNursery()
	wanted := o.Only
	if wanted == nil {
		wanted = Services()
	}
	builders := map[Service]func(Options) (*unit, error){
		Temporal: s.newTemporal, Postgres: s.newPostgres, IMAP: s.newIMAP,
		SMTP: s.newSMTP, PACS: s.newPACS, Receiver: s.newReceiver,
	}
	for _, service := range wanted {
		build, ok := builders[service]
		if !ok {
			return library.Errorf(library.Invalid, "start servers", string(service), "no such service")
		}
		u, err := build(o)
		if err != nil {
			return err
		}
		s.units[service] = u
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for _, u := range s.units {
		wg.Go(func() {
			began := time.Now()
			if err := u.begin(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				// The first failure is the reason; what follows from
				// cancelling the rest is noise.
				if len(errs) == 0 {
					errs = append(errs, err)
				}
				cancel()
				return
			}
			s.out.printf("%s is ready (%.1f s)", u.service, time.Since(began).Seconds())
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Stop stops the servers one after the other, those that use others first, and
// returns when every process has ended. When ctx ends first, what still runs is
// killed. A stack's own folder is removed. Stopping twice is harmless.
func (s *Stack) Stop(ctx context.Context) error {
	var errs []error
	for _, u := range slices.Backward(s.program) {
		errs = append(errs, u.halt(ctx))
	}
	for _, service := range Services() {
		if u, ok := s.units[service]; ok {
			errs = append(errs, u.halt(ctx))
		}
	}
	if s.nursery != nil {
		s.nursery.close()
	}
	s.ports.release()
	s.leave()
	return errors.Join(errs...)
}

// leave gives the folder back.
func (s *Stack) leave() {
	s.place.release()
	if s.temp {
		s.place.remove()
	}
}

// Kill kills a service as a crash would (SIGKILL) and returns when it is dead.
// The stack notices and starts it again; see [Stack.Await].
func (s *Stack) Kill(ctx context.Context, service Service) error {
	return s.with("kill", service, func(u *unit) error { return u.kill(ctx) })
}

// Halt stops a service and keeps it down until [Stack.Restart].
func (s *Stack) Halt(ctx context.Context, service Service) error {
	return s.with("halt", service, func(u *unit) error { return u.halt(ctx) })
}

// Restart stops a service, if it runs, starts it and returns when it is ready.
func (s *Stack) Restart(ctx context.Context, service Service) error {
	return s.with("restart", service, func(u *unit) error {
		if err := u.halt(ctx); err != nil {
			return err
		}
		return u.begin(ctx)
	})
}

// Await returns when a service answers, at once if it does.
func (s *Stack) Await(ctx context.Context, service Service) error {
	return s.with("await", service, func(u *unit) error { return u.await(ctx) })
}

// PID returns the process of a service, or 0: SMTP runs in this process, and
// one that just died has none.
func (s *Stack) PID(service Service) int {
	if u, ok := s.units[service]; ok {
		return u.pid()
	}
	return 0
}

func (s *Stack) with(op string, service Service, do func(*unit) error) error {
	u, ok := s.units[service]
	if !ok {
		return library.Errorf(library.NotFound, op, string(service), "the stack runs without it")
	}
	return do(u)
}

// Sink returns the SMTP server, with what tests may make it do. It is nil when
// the stack runs without [SMTP].
func (s *Stack) Sink() *Sink { return s.sink }

// Deliver puts a raw message into a mailbox, "imagelibrary" or "requester", as
// mail that arrived from a sender; mail from nobody is a bounce. IMAP clients that
// idle there are told at once.
func (s *Stack) Deliver(mailbox, from string, raw io.Reader) error {
	return s.mailroom().deliver(mailbox, from, raw)
}

// Secret returns a random secret (32 bytes in hexadecimal) kept in the data
// folder under a name, such as "worker-password". It is made when first asked for.
func (s *Stack) Secret(name string) (string, error) { return s.secrets.get(name) }

// Log returns the path of a service's log.
func (s *Stack) Log(service Service) string {
	return filepath.Join(s.place.dir, "logs", string(service)+".log")
}

// logTail returns the last lines of a service's log, for an error about it.
func (s *Stack) logTail(service Service) string {
	b, err := os.ReadFile(s.Log(service))
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(all[max(0, len(all)-5):], "\n")
}

// lines writes lines for people, whole even when several goroutines write.
type lines struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lines) printf(format string, args ...any) {
	if l.w == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = fmt.Fprintf(l.w, format+"\n", args...)
}

// Write makes lines an io.Writer, for those that want one.
func (l *lines) Write(p []byte) (int, error) {
	l.printf("%s", strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}
