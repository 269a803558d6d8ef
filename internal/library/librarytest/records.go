package librarytest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"fileroom/internal/library"
)

// Records are [library.Records] and [library.StaffRecords] in memory. The zero
// value is empty and ready; it is safe for concurrent use. What goes in and out
// is copied.
type Records struct {
	// Fail, if not nil, is called before each method with its name, such as
	// "OpenCase"; what it returns becomes the method's error. It lets a test
	// take the records away.
	Fail func(method string) error

	mu          sync.Mutex
	arrivals    []*arrival // By number, from 1.
	cases       map[library.CaseID]*caseFile
	events      []library.Event
	decisions   []library.Decision
	disclosures []library.Disclosure
	facilities  map[library.FacilityID]library.Facility
	looks       []library.Look
	sessions    map[string]library.Session // By their ID.
	passes      map[string]library.Pass    // By their digest.
}

var (
	_ library.Records      = (*Records)(nil)
	_ library.StaffRecords = (*Records)(nil)
)

// An arrival is one with how often it was moved.
type arrival struct {
	library.Arrival
	moves int
}

// A caseFile is all about one case.
type caseFile struct {
	record   library.Case
	moves    int
	findings []library.Finding
	match    library.Match
	choices  library.Choices
	letters  []library.Letter // By number.
	releases []*release
}

// A release is one with its images, by study, series and SOP UID.
type release struct {
	library.Release
	instances []library.TransferInstance
}

// enter takes the lock for a method; without an error, the caller gives it
// back with what is returned.
func (r *Records) enter(ctx context.Context, method string) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, library.Fault(method, "", err)
	}
	if r.Fail != nil {
		if err := r.Fail(method); err != nil {
			return nil, err
		}
	}
	r.mu.Lock()
	return r.mu.Unlock, nil
}

// missing is the error for what is not on record.
func missing(op, id string) error {
	return library.Errorf(library.NotFound, op, id, "not on record")
}

// invalid is the error for a value that no record may hold.
func invalid(op, id, why string) error {
	return &library.Error{Kind: library.Invalid, Op: op, ID: id, Err: errors.New(why)}
}

// instant returns t as the records know times: UTC, to the microsecond.
func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// copied returns a copy of s; an empty one is nil.
func copied[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return slices.Clone(s)
}

// find returns the file of a case.
func (r *Records) find(op string, id library.CaseID) (*caseFile, error) {
	c, ok := r.cases[id]
	if !ok {
		return nil, missing(op, string(id))
	}
	return c, nil
}

// add writes an event, once.
func (r *Records) add(e library.Event) {
	e.At = instant(e.At)
	for _, have := range r.events {
		if have.Case == e.Case && have.Arrival == e.Arrival && have.Key == e.Key {
			return
		}
	}
	r.events = append(r.events, e)
}

// program is the actor of what nobody but the program did.
const program = "program"
