package activities

import (
	"context"
	"time"

	"fileroom/internal/library"
)

// Limits on what the mailroom takes in.
const (
	// keepLimit is the most of one message that is kept whole.
	keepLimit = 200 << 20
	// watchFor is how long one watch lasts: short enough that the history shows
	// signs of life, long enough that it stays small.
	watchFor = 10 * time.Minute
	// pollEvery is how often the mailbox is looked at when it does not call.
	pollEvery = time.Minute
	// handOver is how many arrivals one watch returns.
	handOver = 50
)

// Mailroom watches the ways in.
type Mailroom struct {
	Mailboxes map[string]Mailbox // By name.
	Vault     Vault
	Records   library.Records
	Now       func() time.Time
	Heart     Heart
}

// WatchMailboxParams are the parameters of [Mailroom.WatchMailbox].
type WatchMailboxParams struct {
	Mailbox string `json:"mailbox"`
	// After is the last arrival that was handed over: what is older is in
	// somebody's hands, opened or not.
	After library.ArrivalID `json:"after,omitempty"`
}

// WatchMailboxResult is the result of [Mailroom.WatchMailbox].
type WatchMailboxResult struct {
	Arrivals []library.ArrivalID `json:"arrivals"` // Kept, and opened by no Intake yet.
}

// WatchMailbox keeps every new message: first in the vault, then in the
// ledger, and only then is it marked in the mailbox. It returns as soon as
// there are arrivals that no Intake has opened, whoever kept them, or after
// ten minutes without any. A message seen again is the same arrival.
func (a *Mailroom) WatchMailbox(ctx context.Context, p WatchMailboxParams) (WatchMailboxResult, error) {
	const op = "watch mailbox"
	box, ok := a.Mailboxes[p.Mailbox]
	if !ok {
		return WatchMailboxResult{}, library.Errorf(library.NotFound, op, p.Mailbox, "no mailbox of this name is configured")
	}
	stop := a.Heart.during(ctx, func() any { return nil }) // A large message on a slow line takes its time.
	defer stop()
	keep := func(ctx context.Context, m library.IncomingMail) error { return a.keep(ctx, p.Mailbox, m) }
	for end := a.Now().Add(watchFor); ; {
		_, fault := box.Each(ctx, keep)
		kept, err := a.Records.KeptArrivals(ctx, p.Mailbox, p.After, handOver)
		switch {
		case err != nil:
			return WatchMailboxResult{}, err
		case len(kept) > 0: // What is safe goes on, even if a later message failed.
			return WatchMailboxResult{Arrivals: kept}, nil
		case fault != nil:
			return WatchMailboxResult{}, fault
		case !a.Now().Before(end):
			return WatchMailboxResult{}, nil
		}
		if err := box.Wait(ctx, min(pollEvery, end.Sub(a.Now())+time.Second), func() {}); err != nil {
			return WatchMailboxResult{}, err
		}
	}
}

// keep puts one message into the vault and the ledger.
func (a *Mailroom) keep(ctx context.Context, source string, m library.IncomingMail) error {
	digest, size, err := a.Vault.Put(ctx, m.Body, keepLimit)
	if err != nil {
		return err
	}
	_, err = a.Records.AddArrival(ctx, library.Arrival{
		Channel: library.ChannelEmail, Source: source, Key: digest, Digest: digest,
		Size: max(size, m.Size), Truncated: m.TooLarge, ReceivedAt: m.ReceivedAt, State: library.ArrivalKept,
	})
	return err
}
