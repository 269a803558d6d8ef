package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/library"
)

type releaseRow struct {
	ID        int64
	CaseID    string
	Revision  string
	Facility  string
	At        time.Time
	Decisions []string
}

// A numbered release knows the number under which its images are.
type numbered struct {
	library.Release
	id int64
}

func (r releaseRow) release() (numbered, error) {
	return numbered{library.Release{
		Case: library.CaseID(r.CaseID), Revision: library.Revision(r.Revision), Facility: library.FacilityID(r.Facility),
		Decisions: typed[string](r.Decisions), At: r.At.UTC(),
	}, r.ID}, nil
}

func release(ctx context.Context, q querier, id library.CaseID, revision library.Revision, facility library.FacilityID) (numbered, error) {
	return one(ctx, q, releaseSQL, pgx.StrictNamedArgs{"case_id": id, "revision": revision, "facility": facility}, releaseRow.release)
}

// OpenRelease implements [library.ReleaseRecords]. A release rests on at least
// one decision, and each must be on record for its case and revision, or it is
// [library.NotFound]. For a closed case it is a [library.Conflict]. Case,
// revision, facility and kind of the intended disclosure are taken from r.
func (s *Store) OpenRelease(ctx context.Context, r library.Release, manifest []library.Instance, intended library.Disclosure) (library.Release, error) {
	const op = "open release of case"
	var opened numbered
	err := s.within(ctx, op, string(r.Case), func(tx pgx.Tx) error {
		now, err := lockCase(ctx, tx, r.Case)
		if err != nil {
			return err
		}
		opened, err = release(ctx, tx, r.Case, r.Revision, r.Facility)
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if now.Stage == string(library.StageClosed) {
			return library.Errorf(library.Conflict, op, string(r.Case), "is closed as %s", now.Outcome)
		}
		if err := mayOpen(op, r, manifest); err != nil {
			return err
		}
		if err := insertRelease(ctx, tx, r, manifest); err != nil {
			return err
		}
		err = addEvent(ctx, tx, library.Event{
			Case: r.Case, Key: fmt.Sprintf("release/%s/%s", r.Revision, r.Facility), What: "release opened",
			Detail: fmt.Sprintf("%s, %d images", r.Facility, len(manifest)), Actor: program, At: r.At,
		})
		if err != nil {
			return err
		}
		if opened, err = release(ctx, tx, r.Case, r.Revision, r.Facility); err != nil {
			return err
		}
		intended.Case, intended.Revision, intended.Facility = r.Case, r.Revision, r.Facility
		intended.Kind = library.DisclosureIntended
		return addDisclosure(ctx, tx, intended) // Last, for it holds the lock of the chain.
	})
	return opened.Release, err
}

// mayOpen returns an [library.Invalid] error for a release that rests on
// nothing, or whose manifest names an image twice.
func mayOpen(op string, r library.Release, manifest []library.Instance) error {
	if len(r.Decisions) == 0 {
		return library.Errorf(library.Invalid, op, string(r.Case), "rests on no decision")
	}
	seen := make(map[string]bool, len(manifest))
	for _, in := range manifest {
		if seen[in.SOP] {
			return library.Errorf(library.Invalid, op, string(r.Case), "manifest names an image twice")
		}
		seen[in.SOP] = true
	}
	return nil
}

func insertRelease(ctx context.Context, tx pgx.Tx, r library.Release, manifest []library.Instance) error {
	number, err := value[int64](ctx, tx, addReleaseSQL, pgx.StrictNamedArgs{
		"case_id": r.Case, "revision": r.Revision, "facility": r.Facility, "at": instant(r.At),
	})
	if err != nil {
		return err
	}
	_, err = exec(ctx, tx, addReleaseDecisionsSQL, pgx.StrictNamedArgs{
		"release_id": number, "case_id": r.Case, "revision": r.Revision, "decisions": r.Decisions,
	})
	if err != nil {
		return err
	}
	args := columns(manifest)
	args["release_id"] = number
	_, err = exec(ctx, tx, addReleaseInstancesSQL, args)
	return err
}

// Release implements [library.ReleaseRecords].
func (s *Store) Release(ctx context.Context, id library.CaseID, revision library.Revision, facility library.FacilityID) (library.Release, error) {
	r, err := release(ctx, s.pool, id, revision, facility)
	return r.Release, fault("read release of case", string(id), err)
}

type transferRow struct {
	Study  string
	Series string
	SOP    string
	Class  string
	State  string
	Digest string
	Code   string
	Proof  string
	Sends  int
}

func (r transferRow) instance() (library.TransferInstance, error) {
	return library.TransferInstance{
		Instance: library.Instance{Study: r.Study, Series: r.Series, SOP: r.SOP, Class: r.Class},
		State:    library.InstanceState(r.State), Digest: r.Digest, Code: r.Code, Proof: library.Proof(r.Proof), Sends: r.Sends,
	}, nil
}

// TransferInstances implements [library.ReleaseRecords].
func (s *Store) TransferInstances(ctx context.Context, id library.CaseID, revision library.Revision, facility library.FacilityID) ([]library.TransferInstance, error) {
	const op = "list images of release of case"
	r, err := release(ctx, s.pool, id, revision, facility)
	if err != nil {
		return nil, fault(op, string(id), err)
	}
	all, err := list(ctx, s.pool, transferInstancesSQL, pgx.StrictNamedArgs{"release_id": r.id}, transferRow.instance)
	return all, fault(op, string(id), err)
}

// MarkInstances implements [library.ReleaseRecords]. A mark for an image that
// the release does not hold is [library.NotFound], and then none is made.
func (s *Store) MarkInstances(ctx context.Context, id library.CaseID, revision library.Revision, facility library.FacilityID, marks []library.InstanceMark) error {
	marks = folded(marks)
	sop, state, digest := make([]string, len(marks)), make([]string, len(marks)), make([]string, len(marks))
	code, proof, sends := make([]string, len(marks)), make([]string, len(marks)), make([]int, len(marks))
	for i, m := range marks {
		sop[i], state[i], digest[i] = m.SOP, string(m.State), m.Digest
		code[i], proof[i], sends[i] = m.Code, string(m.Proof), m.Sends
	}
	return s.within(ctx, "mark images of release of case", string(id), func(tx pgx.Tx) error {
		r, err := release(ctx, tx, id, revision, facility)
		if err != nil {
			return err
		}
		n, err := exec(ctx, tx, markInstancesSQL, pgx.StrictNamedArgs{
			"release_id": r.id, "sop": sop, "state": state, "digest": digest, "code": code, "proof": proof, "sends": sends,
		})
		if err == nil && n != int64(len(marks)) {
			err = pgx.ErrNoRows
		}
		return err
	})
}

// folded makes one mark of those about the same image, for an update touches
// each row once.
func folded(marks []library.InstanceMark) []library.InstanceMark {
	at := map[string]int{}
	var all []library.InstanceMark
	for _, m := range marks {
		i, seen := at[m.SOP]
		if !seen {
			at[m.SOP] = len(all)
			all = append(all, m)
			continue
		}
		f := &all[i]
		f.State, f.Digest = cmp.Or(m.State, f.State), cmp.Or(m.Digest, f.Digest)
		f.Code, f.Proof = cmp.Or(m.Code, f.Code), cmp.Or(m.Proof, f.Proof)
		f.Sends += m.Sends
	}
	return all
}
