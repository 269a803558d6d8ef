package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/library"
)

// lookColumns is a look as addLooksSQL reads it.
type lookColumns struct {
	At        time.Time        `json:"at"`
	Subject   string           `json:"subject"`
	Name      string           `json:"name"`
	Roles     []library.Role   `json:"roles"`
	CaseID    library.CaseID   `json:"case_id"`
	ArrivalID int64            `json:"arrival_id"`
	What      library.LookKind `json:"what"`
	Detail    string           `json:"detail"`
	Session   string           `json:"session"`
}

// AddLooks implements [library.AccessRecords]. The same look entered twice is
// two lines. A look by nobody, of an unknown kind, at what is no case number,
// or with a detail of more than a thousand characters is [library.Invalid];
// one at a case that is not there is entered.
func (s *Store) AddLooks(ctx context.Context, looks ...library.Look) error {
	const op = "enter looks"
	if len(looks) == 0 {
		return nil
	}
	all := make([]lookColumns, len(looks))
	for i, l := range looks {
		all[i] = lookColumns{
			At: instant(l.At), Subject: l.Actor.Subject, Name: l.Actor.Name, Roles: append([]library.Role{}, l.Actor.Roles...),
			CaseID: l.Case, ArrivalID: int64(l.Arrival), What: l.What, Detail: l.Detail, Session: l.Session,
		}
	}
	columns, err := document(all)
	if err == nil {
		_, err = exec(ctx, s.pool, addLooksSQL, pgx.StrictNamedArgs{"looks": columns})
	}
	return fault(op, "", err)
}

type lookRow struct {
	At        time.Time
	Subject   string
	Name      string
	Roles     []string
	CaseID    string
	ArrivalID int64
	What      string
	Detail    string
	Session   string
}

func (r lookRow) look() (library.Look, error) {
	return library.Look{
		At: r.At.UTC(), Actor: library.Actor{Subject: r.Subject, Name: r.Name, Roles: typed[library.Role](r.Roles)},
		Case: library.CaseID(r.CaseID), Arrival: library.ArrivalID(r.ArrivalID),
		What: library.LookKind(r.What), Detail: r.Detail, Session: r.Session,
	}, nil
}

// Looks implements [library.AccessRecords]. A case at which nobody looked has
// none, whether or not it is there.
func (s *Store) Looks(ctx context.Context, id library.CaseID, limit int) ([]library.Look, error) {
	if limit <= 0 {
		limit = 1000
	}
	sql, args := looksSQL, pgx.StrictNamedArgs{"limit": limit}
	if id != "" {
		sql = looksOfCaseSQL
		args["case_id"] = id
	}
	all, err := list(ctx, s.pool, sql, args, lookRow.look)
	slices.Reverse(all) // The newest were asked for; the oldest of them comes first.
	return all, fault("list looks", string(id), err)
}
