// Package postgrestest gives each test a migrated PostgreSQL database of its
// own.
//
// It starts one private cluster a test process, from the binaries installed,
// on a socket in a short folder under the temporary one. Cluster and folder go
// when the process ends, however it ends. It must not be known outside tests.
package postgrestest

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"fileroom/internal/postgres"
)

// A Role says as whom a test connects.
type Role string

// The roles of a test.
const (
	Superuser Role = "postgres"          // Of the cluster.
	Owner     Role = "fileroom_owner"    // Owns the database and migrates; no superuser.
	Worker    Role = postgres.WorkerUser // As the program's worker.
	Reader    Role = postgres.ReaderUser // Reads alone.
	Staff     Role = postgres.StaffUser  // As the process of the staff's pages.
)

// password is that of every role: the cluster listens on a socket of the test
// alone.
const password = "only-for-tests"

// template is the migrated database that the others are copied from.
const template = "fileroom_template"

// New returns a pool of the worker's role on a fresh, migrated database, which
// is dropped when the test ends.
func New(tb testing.TB) *pgxpool.Pool {
	tb.Helper()
	return NewAs(tb, Worker)
}

// NewAs is New for any role.
func NewAs(tb testing.TB, role Role) *pgxpool.Pool {
	tb.Helper()
	return NewDatabase(tb).Pool(tb, role)
}

// A Database is one database of a test.
type Database struct {
	cluster *cluster
	name    string
}

// NewDatabase returns a fresh, migrated database, which is dropped when the
// test ends.
func NewDatabase(tb testing.TB) Database {
	tb.Helper()
	return create(tb, template)
}

// NewEmptyDatabase returns a database without migrations, which is dropped
// when the test ends.
func NewEmptyDatabase(tb testing.TB) Database {
	tb.Helper()
	return create(tb, "template0")
}

func create(tb testing.TB, from string) Database {
	tb.Helper()
	c, err := running()
	if err != nil {
		tb.Fatal(err)
	}
	db := Database{cluster: c, name: "t_" + strings.ToLower(rand.Text())}
	name := pgx.Identifier{db.name}.Sanitize()
	err = c.administer(tb.Context(), "CREATE DATABASE "+name+" OWNER "+string(Owner)+" TEMPLATE "+from)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := c.administer(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("drop database: %v", err)
		}
	})
	return db
}

// URL returns the address of the database for a role.
func (d Database) URL(role Role) string { return d.cluster.url(d.name, role) }

// Pool returns a pool of a role, which is closed when the test ends.
func (d Database) Pool(tb testing.TB, role Role) *pgxpool.Pool {
	tb.Helper()
	pool, err := pgxpool.New(tb.Context(), d.URL(role))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(pool.Close)
	return pool
}

func (c *cluster) url(database string, role Role) string {
	u := url.URL{Scheme: "postgres", Path: "/" + database, RawQuery: url.Values{
		"host": {c.folder}, "user": {string(role)}, "password": {password},
	}.Encode()}
	return u.String()
}

// administer runs one statement as superuser.
func (c *cluster) administer(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, c.url("postgres", Superuser))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, sql)
	return err
}
