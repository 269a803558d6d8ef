package desk

import (
	"net/url"
	"slices"

	"fileroom/internal/library"
)

// A formView is one form by which something can be said. After a refusal it
// holds what the person typed, and why it was refused.
type formView struct {
	Message string
	Key     string // Which of the forms of this message: the rule of a finding.
	Anchor  string
	ID      string // Random; the same form sent twice decides once.
	Action  string // Path that it posts to.
	Flow    string // Workflow, for the panel.
	// Revision is what the person saw, for messages that are refused when the
	// case is another by the time that they arrive.
	Revision library.Revision
	Refusal  string
	Unsure   bool // Nobody knows whether it was delivered.
	typed    url.Values
}

// Typed returns what the person typed before the refusal.
func (f formView) Typed(name string) string { return f.typed.Get(name) }

// Or returns what the person typed, or value where there was no refusal.
func (f formView) Or(name, value string) string {
	if f.typed == nil {
		return value
	}
	return f.typed.Get(name)
}

// Picked reports whether a box or button was chosen; before anything was sent
// it is what it was.
func (f formView) Picked(name, value string, before bool) bool {
	if f.typed == nil {
		return before
	}
	return slices.Contains(f.typed[name], value)
}

// Open reports whether the form must be seen though it is folded.
func (f formView) Open() bool { return f.Refusal != "" }

// An attempt is a form that was sent and not accepted. The zero value is none.
type attempt struct {
	message library.Message
	key     string
	typed   url.Values
	refusal string
	unsure  bool
}

// status is what an answer with the attempt's refusal has as its HTTP status.
func (a attempt) status() int {
	switch {
	case a.refusal == "":
		return 200
	case a.unsure:
		return 502
	}
	return 409
}

// forms makes forms, and gives the one that was refused what it needs.
type forms struct {
	action, flow string
	attempt      attempt
	shown        library.Revision
}

func (f forms) form(m library.Message, key string) formView {
	v := formView{Message: string(m), Key: key, Anchor: anchor(m, key), ID: newFormID(), Action: f.action, Flow: f.flow}
	if m == library.Choose || m == library.Acknowledged {
		v.Revision = f.shown.Shown()
	}
	if a := f.attempt; a.refusal != "" && a.message == m && a.key == key {
		v.Refusal, v.Unsure, v.typed = a.refusal, a.unsure, a.typed
		if a.unsure { // It may have arrived: the next try must be the same.
			v.ID, v.Revision = formID(a.typed), library.Revision(a.typed.Get("revision"))
		} else if m == library.Choose && key == "patient" {
			v.typed = nil // The same key may be somebody else by now.
		}
	}
	return v
}

func anchor(m library.Message, key string) string {
	if key == "" {
		return "form-" + string(m)
	}
	return "form-" + string(m) + "-" + key
}

// formID returns the id that a form carried; what is none is replaced.
func formID(form url.Values) string {
	id := form.Get("id")
	if len(id) < 16 || len(id) > 64 {
		return newFormID()
	}
	return id
}
