package library

import (
	"errors"
	"fmt"
)

// A Kind says what a caller can do about an error.
type Kind string

// The kinds of error. The zero Kind is a fault nobody classified; it is
// taken to pass by itself, and what failed is tried again.
const (
	Invalid      Kind = "invalid"      // The input will never be acceptable.
	NotFound     Kind = "not-found"    // The thing named does not exist.
	Conflict     Kind = "conflict"     // The thing is not in a state that allows this.
	Unauthorized Kind = "unauthorized" // The other side refuses our credentials: an operator must act.
)

// An Error is a failure the library understands. Its text may travel into
// logs and workflow histories, so it names cases by number and never quotes a
// message, a report or a patient.
type Error struct {
	Kind Kind
	Op   string // What was being done, such as "keep arrival".
	ID   string // What it was being done to, if known: a case number, a digest.
	Err  error  // Why it failed.
}

func (e *Error) Error() string {
	if e.ID == "" {
		return fmt.Sprintf("%s: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("%s %s: %v", e.Op, e.ID, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an [Error] whose reason is the formatted text.
func Errorf(kind Kind, op, id, format string, args ...any) error {
	return &Error{Kind: kind, Op: op, ID: id, Err: fmt.Errorf(format, args...)}
}

// Fault returns an [Error] without a kind: a failure of the surroundings that
// may pass. It returns nil when err is nil.
func Fault(op, id string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, ID: id, Err: err}
}

// KindOf returns the kind of the outermost [Error] in err's chain, or "".
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}
