package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"fileroom/internal/library"
)

// A Store is [library.Records] and [library.StaffRecords] in PostgreSQL. It is
// safe for concurrent use.
//
// Beyond the kinds that those name, its methods return
// [library.Invalid] for a value that no row may hold, such as a stage which the
// schema does not know, and [library.Unauthorized] when the server refuses the
// role or its password.
type Store struct {
	pool *pgxpool.Pool
}

var (
	_ library.Records      = (*Store)(nil)
	_ library.StaffRecords = (*Store)(nil)
)

// NewStore returns a Store on a database that [Migrate] has brought up to date.
func NewStore(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// Open returns a pool for a [Store], as the role that url names, and checks
// that the database can be reached and has every migration. A database that
// lacks one is a [library.Conflict].
func Open(ctx context.Context, url string) (*pgxpool.Pool, error) {
	const op = "open database"
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, library.Errorf(library.Invalid, op, "", "the database url cannot be read") // The parser may quote a password.
	}
	config.ConnConfig.RuntimeParams["application_name"] = "fileroom"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fault(op, "", err)
	}
	if err := current(ctx, pool); err != nil {
		pool.Close()
		return nil, fault(op, "", err)
	}
	return pool, nil
}

// A querier runs statements: the pool, or a transaction.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// within runs f in a transaction and puts its error in the library's words.
func (s *Store) within(ctx context.Context, op, id string, f func(tx pgx.Tx) error) error {
	// Said, for the order of the chain rests on each statement seeing what was
	// committed before it, whatever the default of the database.
	return fault(op, id, pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, f))
}

// exec runs a statement and returns how many rows it touched.
func exec(ctx context.Context, q querier, sql string, args pgx.StrictNamedArgs) (int64, error) {
	tag, err := q.Exec(ctx, sql, storable(args))
	return tag.RowsAffected(), err
}

// list returns the rows of a statement, each made into a T; nil if there are
// none.
func list[Row, T any](ctx context.Context, q querier, sql string, args pgx.StrictNamedArgs, from func(Row) (T, error)) ([]T, error) {
	rows, err := q.Query(ctx, sql, storable(args))
	if err != nil {
		return nil, err
	}
	return pgx.AppendRows([]T(nil), rows, func(row pgx.CollectableRow) (T, error) {
		r, err := pgx.RowToStructByName[Row](row)
		if err != nil {
			var zero T
			return zero, err
		}
		return from(r)
	})
}

// one returns the only row of a statement, or [pgx.ErrNoRows].
func one[Row, T any](ctx context.Context, q querier, sql string, args pgx.StrictNamedArgs, from func(Row) (T, error)) (T, error) {
	var zero T
	all, err := list(ctx, q, sql, args, from)
	switch {
	case err != nil:
		return zero, err
	case len(all) == 0:
		return zero, pgx.ErrNoRows
	case len(all) > 1:
		return zero, errors.New("more rows than one")
	}
	return all[0], nil
}

// value returns the only column of the only row of a statement.
func value[T any](ctx context.Context, q querier, sql string, args pgx.StrictNamedArgs) (T, error) {
	var zero T
	rows, err := q.Query(ctx, sql, storable(args))
	if err != nil {
		return zero, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
}

// ofCase returns the rows of a statement about a case; without rows it makes
// sure that the case exists.
func ofCase[Row, T any](ctx context.Context, q querier, id library.CaseID, sql string, from func(Row) (T, error)) ([]T, error) {
	all, err := list(ctx, q, sql, pgx.StrictNamedArgs{"case_id": id}, from)
	if err != nil || len(all) > 0 {
		return all, err
	}
	return nil, mustExist(ctx, q, id)
}

// mustExist returns [pgx.ErrNoRows] when there is no such case.
func mustExist(ctx context.Context, q querier, id library.CaseID) error {
	exists, err := value[bool](ctx, q, caseExistsSQL, pgx.StrictNamedArgs{"case_id": id})
	if err == nil && !exists {
		return pgx.ErrNoRows
	}
	return err
}

// instant returns t as the records know times: UTC, to the microsecond.
func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
