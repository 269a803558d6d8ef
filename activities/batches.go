package activities

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"fileroom/internal/dicom"
	"fileroom/internal/library"
)

// batches turns the images that a PACS hands over, one after the other, into
// requests of some twenty images each, without holding any of them: the
// request reads each image straight from the PACS's answer.
type batches struct {
	t       *transfer
	study   string
	missing map[string]bool // SOP Instance UIDs still to be sent.
	open    *batch          // The request under way; nil for none.
}

// A batch is one request to the receiver.
type batch struct {
	parts   chan handover
	stopped chan struct{} // Closed when the request will read no more.
	results []library.StoreResult
	err     error
	offered []offered
}

// A handover is one image on its way into a request.
type handover struct {
	image io.Reader // nil to break the request off.
	done  chan struct{}
}

// offered is an image that a request has begun to read. The digest is empty
// if it did not read it to the end.
type offered struct{ sop, digest string }

// whole notes whether all of an image was read.
type whole struct {
	r    io.Reader
	read bool
}

func (w *whole) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	w.read = w.read || errors.Is(err, io.EOF)
	return n, err
}

// add sends one image on, if it is one that must be sent. It returns when the
// request has read it.
func (b *batches) add(ctx context.Context, part io.Reader) error {
	image, err := dicom.NewReader(part, headerLimit)
	if err != nil {
		return err
	}
	sop := image.Header.SOPInstanceUID
	if !b.missing[sop] { // The receiver has it, or it came into the PACS after the approval.
		_, err := io.Copy(io.Discard, image)
		return err
	}
	if image.Header.StudyInstanceUID != b.study || !b.t.names(image.Header) {
		delete(b.missing, sop)
		if err := b.t.mark(ctx, []library.InstanceMark{{SOP: sop, State: library.InstanceStranger}}); err != nil {
			return err
		}
		return errStranger
	}
	if b.open == nil {
		b.open = b.t.request(ctx, b.study)
	}
	// It is on record as offered before its first byte leaves: whatever dies
	// now, the account will not say less than what happened.
	if err := b.t.mark(ctx, []library.InstanceMark{{SOP: sop, State: library.InstancePending, Sends: 1}}); err != nil {
		return err
	}
	whole := &whole{r: image}
	h := handover{image: whole, done: make(chan struct{})}
	select {
	case b.open.parts <- h:
	case <-b.open.stopped:
		return b.flush(ctx)
	}
	select {
	case <-h.done:
	case <-b.open.stopped:
	}
	o := offered{sop: sop}
	if whole.read {
		o.digest = image.Digest()
	}
	b.open.offered = append(b.open.offered, o)
	delete(b.missing, sop)
	if len(b.open.offered) >= batchSize {
		return b.flush(ctx)
	}
	return nil
}

// request begins a request to the receiver.
func (t *transfer) request(ctx context.Context, study string) *batch {
	r := &batch{parts: make(chan handover), stopped: make(chan struct{})}
	go func() {
		defer close(r.stopped)
		r.results, r.err = t.receiver.Store(ctx, study, r.write)
	}()
	return r
}

// write gives the request its images as they come.
func (r *batch) write(add func(io.Reader) error) error {
	for h := range r.parts {
		if h.image == nil {
			return errStranger
		}
		err := add(h.image)
		close(h.done)
		if err != nil {
			return err
		}
	}
	return nil
}

// flush ends the request under way and puts on record what the receiver said.
func (b *batches) flush(ctx context.Context) error {
	r := b.open
	if r == nil {
		return nil
	}
	b.open = nil
	close(r.parts)
	<-r.stopped
	return b.settle(ctx, r)
}

// settle puts the outcome of a request on record. What the receiver did not
// answer for stays pending, with its digest and the fact that it was offered.
func (b *batches) settle(ctx context.Context, r *batch) error {
	said := make(map[string]library.StoreResult, len(r.results))
	for _, s := range r.results {
		said[s.SOP] = s
	}
	var marks []library.InstanceMark
	full := false
	for _, o := range r.offered {
		m := library.InstanceMark{SOP: o.sop, State: library.InstancePending, Digest: o.digest}
		switch s, ok := said[o.sop]; {
		case ok && s.Stored:
			m.State, m.Code = library.InstanceSent, s.Code
		case ok && outOfResources(s.Code):
			full = true
		case ok:
			m.State, m.Code = library.InstanceRefused, s.Code
		case library.KindOf(r.err) == library.Invalid: // It refused something, and did not say what.
			m.State = library.InstanceRefused
		}
		marks = append(marks, m)
	}
	if err := b.t.mark(ctx, marks); err != nil {
		return err
	}
	switch {
	case library.KindOf(r.err) == library.Invalid:
		return nil
	case r.err != nil:
		return r.err
	case full:
		return library.Fault("send studies", string(b.t.p.Case), errors.New("the receiver is out of resources"))
	case len(said) < len(r.offered):
		return library.Fault("send studies", string(b.t.p.Case), errors.New("the receiver did not answer for every image"))
	}
	return nil
}

// close ends what is under way after the PACS has handed over the last image,
// or after reason broke it off.
func (b *batches) close(ctx context.Context, reason error) error {
	if reason == nil || b.open == nil {
		return errors.Join(reason, b.flush(ctx))
	}
	r := b.open
	b.open = nil
	select {
	case r.parts <- handover{}:
	case <-r.stopped:
	}
	close(r.parts)
	<-r.stopped
	r.err = nil // It was we who broke it off.
	if err := b.settle(context.WithoutCancel(ctx), r); err != nil && !errors.Is(reason, errStranger) {
		return errors.Join(reason, err)
	}
	return reason
}

// outOfResources reports whether a failure reason is one of A7xx, refused: out
// of resources (PS3.4 annex C.4.1, table B.2-1), which may pass.
func outOfResources(code string) bool {
	return len(code) == 4 && (code[:2] == "A7" || code[:2] == "a7")
}

// progress counts images; it is read by the heartbeat.
type progress struct{ n atomic.Int64 }

func (p *progress) add(n int)    { p.n.Add(int64(n)) }
func (p *progress) value() int64 { return p.n.Load() }
