package dicomweb

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"fileroom/internal/library"
)

var errStalled = errors.New("archive stands still")

// A watch ends an exchange whose other side stands still. It runs only while
// that side is waited for, so our own slowness is not held against it.
type watch struct {
	ctx    context.Context //nolint:containedctx // Of the one exchange that it watches.
	op     string
	limit  time.Duration
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

func newWatch(ctx context.Context, op string, limit time.Duration, cancel context.CancelCauseFunc) *watch {
	w := &watch{ctx: ctx, op: op, limit: limit, cancel: cancel}
	w.timer = time.AfterFunc(limit, func() { cancel(errStalled) })
	w.timer.Stop()
	return w
}

func (w *watch) start() { w.timer.Reset(w.limit) }
func (w *watch) stop()  { w.timer.Stop() }

// fault names trouble of the exchange.
func (w *watch) fault(err error) error {
	if cause := context.Cause(w.ctx); cause != nil {
		err = cause
	}
	return library.Fault(w.op, "", plain(err))
}

// A sending is the body of a request. The archive is waited for from one Read
// to the next: in between, the transport writes.
type sending struct {
	watch *watch
	body  io.Reader
}

func (s *sending) Read(p []byte) (int, error) {
	s.watch.stop()
	n, err := s.body.Read(p)
	if err == nil {
		s.watch.start()
	}
	return n, err
}

// Close tells whoever writes the body that nobody reads any more.
func (s *sending) Close() error {
	s.watch.stop()
	if c, ok := s.body.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// A receiving is the body of an answer.
type receiving struct {
	watch *watch
	body  io.ReadCloser
	once  sync.Once
}

func (r *receiving) Read(p []byte) (int, error) {
	r.watch.start()
	n, err := r.body.Read(p)
	r.watch.stop()
	if err != nil && err != io.EOF { //nolint:errorlint // A wrapped EOF is trouble.
		err = r.watch.fault(err)
	}
	return n, err
}

func (r *receiving) Close() error {
	r.once.Do(func() {
		r.watch.stop()
		r.watch.cancel(nil)
	})
	return r.body.Close()
}
