package library

import (
	"errors"
	"fmt"
	"log/slog"
)

// A Private holds a value about a patient. However it is printed, logged or
// encoded, the value does not show; only [Private.Reveal] gives it up, so a
// reader can find every place that does.
//
// It refuses to be marshalled, and so cannot enter a workflow's history.
type Private[T any] struct {
	reveal func() T // A closure, for fmt looks through unexported fields.
}

// Hide returns v as a Private.
func Hide[T any](v T) Private[T] { return Private[T]{reveal: func() T { return v }} }

// Reveal returns the value, or the zero value if there is none.
func (p Private[T]) Reveal() T {
	if p.reveal == nil {
		var zero T
		return zero
	}
	return p.reveal()
}

// Format implements [fmt.Formatter].
func (Private[T]) Format(s fmt.State, _ rune) { hide(s) }

// LogValue implements [slog.LogValuer].
func (Private[T]) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON always fails.
func (Private[T]) MarshalJSON() ([]byte, error) {
	return nil, errPrivate
}

// hidden is what shows of a private value.
const hidden = "[private]"

var errPrivate = errors.New("private value may not be marshalled")

func hide(s fmt.State) { _, _ = s.Write([]byte(hidden)) }
