package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/library"
)

// disclosureLock is the advisory lock that orders the chain: whoever adds a
// line holds it until the line is committed. The number means nothing.
const disclosureLock = 5_164_528

type disclosureRow struct {
	Seq         int64
	CaseID      string
	Revision    string
	Facility    string
	Kind        string
	At          time.Time
	Patient     []byte
	Recipient   string
	Description string
	Purpose     string
	Basis       string
	Accountable bool
	Images      int
	Proof       string
	Prev        string
	Hash        string
}

func (r disclosureRow) disclosure() (library.Disclosure, error) {
	patient, err := read[library.Patient](r.Patient)
	return library.Disclosure{
		Seq: r.Seq, Case: library.CaseID(r.CaseID), Revision: library.Revision(r.Revision), Facility: library.FacilityID(r.Facility),
		Kind: library.DisclosureKind(r.Kind), At: r.At.UTC(), Patient: library.Hide(patient),
		Recipient: r.Recipient, Description: r.Description, Purpose: r.Purpose, Basis: library.Basis(r.Basis),
		Accountable: r.Accountable, Images: r.Images, Proof: library.Proof(r.Proof), Prev: r.Prev, Hash: r.Hash,
	}, err
}

// CompleteDisclosure implements [library.ReleaseRecords]. A disclosure of what
// was never released is [library.NotFound].
func (s *Store) CompleteDisclosure(ctx context.Context, d library.Disclosure) error {
	d.Kind = library.DisclosureCompleted
	return s.within(ctx, "complete disclosure of case", string(d.Case), func(tx pgx.Tx) error {
		if _, err := release(ctx, tx, d.Case, d.Revision, d.Facility); err != nil {
			return err
		}
		err := addEvent(ctx, tx, library.Event{
			Case: d.Case, Key: fmt.Sprintf("disclosure/%s/%s", d.Revision, d.Facility), What: "disclosure completed",
			Detail: fmt.Sprintf("%s, %d images, proof %s", d.Facility, d.Images, d.Proof), Actor: program, At: d.At,
		})
		if err != nil {
			return err
		}
		return addDisclosure(ctx, tx, d)
	})
}

// addDisclosure chains d to the last line, unless it is on record.
func addDisclosure(ctx context.Context, tx pgx.Tx, d library.Disclosure) error {
	if _, err := exec(ctx, tx, lockDisclosuresSQL, pgx.StrictNamedArgs{"key": disclosureLock}); err != nil {
		return err
	}
	// Only now, so that the statements see what the last holder committed.
	written, err := value[bool](ctx, tx, disclosedSQL, pgx.StrictNamedArgs{
		"case_id": d.Case, "revision": d.Revision, "facility": d.Facility, "kind": d.Kind,
	})
	if err != nil || written {
		return err
	}
	type row struct {
		Seq  int64
		Hash string
	}
	last, err := one(ctx, tx, lastDisclosureSQL, nil, func(r row) (row, error) { return r, nil })
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	// The hash is over what will be read back, so what cannot be stored as it
	// is must be replaced before.
	patient, err := plain(d.Patient.Reveal())
	if err != nil {
		return err
	}
	kept, err := document(patient)
	if err != nil {
		return err
	}
	d.Patient = library.Hide(patient)
	d.Recipient, d.Description, d.Purpose = text(d.Recipient), text(d.Description), text(d.Purpose)
	d = d.Seal(last.Seq+1, last.Hash)
	_, err = exec(ctx, tx, addDisclosureSQL, pgx.StrictNamedArgs{
		"seq": d.Seq, "case_id": d.Case, "revision": d.Revision, "facility": d.Facility, "kind": d.Kind, "at": d.At,
		"patient": kept, "recipient": d.Recipient, "description": d.Description, "purpose": d.Purpose, "basis": d.Basis,
		"accountable": d.Accountable, "images": d.Images, "proof": d.Proof, "prev": d.Prev, "hash": d.Hash,
	})
	return err
}

// Disclosures implements [library.ReleaseRecords].
func (s *Store) Disclosures(ctx context.Context, id library.CaseID) ([]library.Disclosure, error) {
	if id == "" {
		all, err := list(ctx, s.pool, disclosuresSQL, nil, disclosureRow.disclosure)
		return all, fault("list disclosures", "", err)
	}
	all, err := ofCase(ctx, s.pool, id, disclosuresOfCaseSQL, disclosureRow.disclosure)
	return all, fault("list disclosures of case", string(id), err)
}
