package workflows

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"fileroom/activities"
	"fileroom/internal/library"
	"fileroom/internal/staff"
)

// An ear hears what staff say to a workflow: by updates, which can be refused
// where they were asked, and by their signal twins, whose refusal is told.
type ear struct {
	messages []message
	// may refuses, without waiting, what cannot be done as things stand.
	may func(said) error
	// hear does what was said. It runs for one message at a time, and may wait.
	hear func(workflow.Context, said) error
	// told shows the refusal of a signal.
	told func(ctx workflow.Context, refusal string)
	tell teller

	lock workflow.Mutex
	seen map[string]bool // Nonces: what was said once is not heard twice.
	// since is which rules of hearing hold for a history: those that began before
	// [stricterRules] keep the ones that they began with.
	since workflow.Version
	busy  int // Signals being opened.
}

// stricterRules is the version of an ear that puts refused signals on record and
// lets nobody approve what is being asked about.
const stricterRules workflow.Version = 1

// A message is one that an ear listens for.
type message struct {
	name        library.Message
	description string // For the person who reads it in the Temporal UI.
}

// said is what a member of staff said, and the proof.
type said struct {
	message library.Message
	payload []byte // JSON, as it was signed.
	signed  activities.Signed
	at      time.Time
}

// A Receipt answers an update.
type Receipt struct {
	Message library.Message `json:"message"`
	By      string          `json:"by"` // Name of who is on record as having said it.
}

// listen registers every handler; it must run before the workflow first waits.
func (e *ear) listen(ctx workflow.Context) error {
	e.lock, e.seen = workflow.NewMutex(ctx), map[string]bool{}
	e.since = workflow.GetVersion(ctx, "hearing", workflow.DefaultVersion, stricterRules)
	for _, m := range e.messages {
		description := m.description + " Example: " + library.Example(m.name)
		handle := func(ctx workflow.Context, raw json.RawMessage) (Receipt, error) {
			s, err := updateSaid(ctx, m.name, raw)
			if err != nil {
				return Receipt{}, err
			}
			return Receipt{Message: m.name, By: s.signed.Actor.Name}, e.take(ctx, s)
		}
		validate := func(ctx workflow.Context, raw json.RawMessage) error {
			s, err := updateSaid(ctx, m.name, raw)
			if err != nil {
				return err
			}
			return e.judge(s)
		}
		err := workflow.SetUpdateHandlerWithOptions(ctx, string(m.name), handle, workflow.UpdateHandlerOptions{
			Description: description, Validator: validate,
		})
		if err != nil {
			return err
		}
		// The channel stays empty, for the interceptor puts signals of staff into
		// the inbox; asking for it makes the UI list the signal.
		workflow.GetSignalChannelWithOptions(ctx, string(m.name), workflow.SignalChannelOptions{Description: description})
	}
	workflow.Go(ctx, e.openSignals)
	return nil
}

// updateSaid puts an update in the ear's words.
func updateSaid(ctx workflow.Context, m library.Message, raw json.RawMessage) (said, error) {
	by, ok := staff.ActorFrom(ctx)
	if !ok {
		return said{}, errors.New("nobody signed this message")
	}
	return said{message: m, payload: raw, signed: signedBy(by), at: workflow.Now(ctx)}, nil
}

func signedBy(s staff.Signed) activities.Signed {
	return activities.Signed{Actor: s.Actor, Nonce: s.Nonce, Header: s.Header}
}

// openSignals hears the signals of staff, one after the other, for as long as
// the workflow lives.
func (e *ear) openSignals(ctx workflow.Context) {
	inbox := staff.InboxFrom(ctx)
	for {
		if err := workflow.Await(ctx, func() bool { return inbox.Len() > 0 }); err != nil {
			return
		}
		m, _ := inbox.Pop()
		e.busy++
		e.openSignal(ctx, m)
		e.busy--
	}
}

func (e *ear) openSignal(ctx workflow.Context, m staff.Message) {
	opened, err := call(ctx, quick, "see who sent the signal "+m.Name, e.tell, decisions.OpenSignal, activities.OpenSignalParams{
		Workflow: workflow.GetInfo(ctx).WorkflowExecution.ID,
		Signal:   activities.Signal{Name: m.Name, Sealed: m.Sealed, Header: m.Header},
	})
	switch {
	case err != nil:
		return // The workflow is ending.
	case opened.Refused != "":
		e.told(ctx, opened.Refused)
		return
	}
	s := said{message: library.Message(m.Name), payload: opened.Payload, signed: opened.Signed, at: workflow.Now(ctx)}
	if err := e.take(ctx, s); err != nil {
		e.refuse(ctx, s, err)
	}
}

// refuse tells the refusal of a signal in the case, and puts it on record.
func (e *ear) refuse(ctx workflow.Context, s said, err error) {
	why := err.Error()
	if name := string(s.message); !strings.HasPrefix(why, name) {
		why = name + ": " + why
	}
	e.told(ctx, why)
	if e.since < stricterRules {
		return
	}
	// What comes back is the end of the workflow, or that there is no such case to tell it of.
	_, _ = call(ctx, quick, "note that a signal was refused", e.tell, decisions.NoteRefusal, activities.NoteRefusalParams{
		Workflow: workflow.GetInfo(ctx).WorkflowExecution.ID, Nonce: s.signed.Nonce, By: s.signed.Actor.Subject, Why: why,
	})
}

// judge refuses what may not be said, by whom it is said, or twice.
func (e *ear) judge(s said) error {
	if err := s.signed.Actor.MaySay(s.message); err != nil {
		return err
	}
	if e.seen[s.signed.Nonce] {
		return errors.New("this very message has been heard before")
	}
	return e.may(s)
}

// take hears one message at a time. What a message before it has changed may
// have made it impossible, so it is judged again.
func (e *ear) take(ctx workflow.Context, s said) error {
	if err := e.lock.Lock(ctx); err != nil {
		return err
	}
	defer e.lock.Unlock()
	if err := e.judge(s); err != nil {
		return err
	}
	e.seen[s.signed.Nonce] = true
	return e.hear(ctx, s)
}

// finished waits until everything that was said has been heard.
func (e *ear) finished(ctx workflow.Context) error {
	inbox := staff.InboxFrom(ctx)
	return workflow.Await(ctx, func() bool {
		return workflow.AllHandlersFinished(ctx) && inbox.Len() == 0 && e.busy == 0
	})
}
