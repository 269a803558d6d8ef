package activities

import (
	"context"
	"io"
	"time"

	"fileroom/internal/library"
)

// A Vault keeps documents, encrypted, under the digest of what they hold.
type Vault interface {
	// Put keeps what r gives and returns its SHA-256 in hexadecimal and its
	// size. More than limit bytes are a [library.Invalid] error, and nothing
	// is kept. Putting the same content again is harmless.
	Put(ctx context.Context, r io.Reader, limit int64) (digest string, size int64, err error)
	// Open returns what was put, or a [library.NotFound] error.
	Open(ctx context.Context, digest string) (io.ReadCloser, error)
}

// A Mailbox is watched for messages.
type Mailbox interface {
	// Each hands over every message that was not handed over before, and marks
	// it so only after keep returned nil. It returns how many were kept.
	Each(ctx context.Context, keep func(context.Context, library.IncomingMail) error) (int, error)
	// Wait returns when there may be something new, or after the timeout. It
	// calls alive at least every ten seconds.
	Wait(ctx context.Context, timeout time.Duration, alive func()) error
}

// A MessageParser takes raw messages apart. A message that is no message is a
// [library.Invalid] error.
type MessageParser interface {
	Parse(ctx context.Context, raw io.Reader) (library.MailMessage, error)
}

// An Opener turns the parts of an arrival into pages. A part that cannot be
// opened is a trouble, not an error.
type Opener interface {
	Open(ctx context.Context, parts []library.Part) ([]library.Page, []library.Trouble, error)
}

// A Sender sends letters by e-mail. A bad address is a [library.Invalid] error.
type Sender interface {
	Send(ctx context.Context, m library.OutgoingMail) error
}

// An Archive is a DICOM archive: the hospital's PACS, or a receiver's.
// Credentials that it refuses are a [library.Unauthorized] error; an archive
// that cannot be reached or is full gives an error without a kind.
type Archive interface {
	FindPatients(ctx context.Context, q library.PatientQuery) ([]library.PatientRecord, error)
	FindStudies(ctx context.Context, patientID, issuer string) ([]library.StudyRecord, error)
	// Instances returns every instance of a study, or none if the archive does
	// not have the study.
	Instances(ctx context.Context, study string) ([]library.Instance, error)
	// Retrieve streams every instance of a study, one part each. It fails if
	// the archive stopped before the end.
	Retrieve(ctx context.Context, study string, each func(part io.Reader) error) error
	RetrieveInstance(ctx context.Context, i library.Instance, each func(part io.Reader) error) error
	// Store sends instances of one study in one request, streamed, and returns
	// what the receiver said about each. It calls write, which hands over each
	// instance by add; an error of write breaks the request off and comes back.
	// A receiver that refuses without saying what gives a [library.Invalid] error.
	Store(ctx context.Context, study string, write func(add func(io.Reader) error) error) ([]library.StoreResult, error)
}

// Destinations gives the archive of a facility.
type Destinations interface {
	// Destination returns a [library.Unauthorized] error when the worker has
	// no credential of the name that the facility has.
	Destination(ctx context.Context, f library.Facility) (Archive, error)
}

// A Heart tells Temporal that long work is alive, and how far it has come.
// [Heartbeat] is the real one; a test may leave it nil.
type Heart func(ctx context.Context, details ...any)

// during beats with what details returns until the returned function is called.
func (h Heart) during(ctx context.Context, details func() any) (stop func()) {
	if h == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				h(ctx, details())
			}
		}
	}()
	return cancel
}
