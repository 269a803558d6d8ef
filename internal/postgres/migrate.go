package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"fileroom/internal/library"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Migrations returns the folder of migrations, in the form of goose. They go
// forward only, and one that was applied is never edited: to undo or correct
// it, write another.
func Migrations() fs.FS {
	dir, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return embedded // Cannot happen: the path is valid.
	}
	return dir
}

// migrateLock is the advisory lock of the steps before and after goose. The
// number means nothing.
const migrateLock = 5_164_524

// versionTable is where goose notes what it has applied.
const versionTable = "fileroom.schema_version"

// Migrate brings the database at ownerURL up to date: the schema, the group
// roles fileroom_worker, fileroom_reader and fileroom_staff, the migrations that
// are missing, each in a transaction of its own, and the users of logins. The
// role in ownerURL owns what is made; it needs CREATE on the database, and
// CREATEROLE unless all roles exist.
//
// Migrate may run twice, and at the same time as another: one waits for the
// other. Passwords are sent as SCRAM verifiers, so no log of the server can
// hold one. A login that cannot be made as asked is [library.Invalid]; an
// owner without the rights is [library.Unauthorized].
func Migrate(ctx context.Context, ownerURL string, logins Logins) error {
	const op = "migrate database"
	config, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return library.Errorf(library.Invalid, op, "", "the database url cannot be read") // The parser may quote a password.
	}
	if err := logins.validate(); err != nil {
		return err
	}
	config.RuntimeParams["application_name"] = "fileroom-migrate"
	err = alone(ctx, config, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, foundationSQL)
		return err
	})
	if err != nil {
		return fault(op, "", err)
	}
	if err := apply(ctx, config); err != nil {
		return fault(op, "", err)
	}
	err = alone(ctx, config, func(tx pgx.Tx) error { return logins.grant(ctx, tx) })
	return fault(op, "", err)
}

// foundationSQL makes what must be there before the first migration. Roles
// belong to the cluster, so another database may be making them just now.
const foundationSQL = `
	DO $$
	DECLARE
		name text;
	BEGIN
		FOREACH name IN ARRAY ARRAY['fileroom_worker', 'fileroom_reader', 'fileroom_staff'] LOOP
			IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
				BEGIN
					EXECUTE format('CREATE ROLE %I NOLOGIN', name);
				EXCEPTION WHEN duplicate_object OR unique_violation THEN
					NULL;
				END;
			END IF;
		END LOOP;
		IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'fileroom') THEN
			CREATE SCHEMA fileroom;
			COMMENT ON SCHEMA fileroom IS 'Records of the radiology image library: cases, decisions, releases, disclosures.';
		END IF;
	END
	$$`

// alone runs f in a transaction while no other Migrate of this database does.
func alone(ctx context.Context, config *pgx.ConnConfig, f func(tx pgx.Tx) error) error {
	conn, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, migrateLock); err != nil {
			return err
		}
		return f(tx)
	})
}

// apply applies the migrations that the database lacks.
func apply(ctx context.Context, config *pgx.ConnConfig) error {
	db := stdlib.OpenDB(*config.Copy())
	defer func() { _ = db.Close() }()

	// Asked for each second: another Migrate takes less than one, and at most
	// five minutes are waited for it.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300), lock.WithUnlockTimeout(1, 10))
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, Migrations(),
		goose.WithTableName(versionTable), goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	if partial, ok := errors.AsType[*goose.PartialError](err); ok && partial.Failed != nil && partial.Failed.Source != nil {
		return fault("apply migration", fmt.Sprintf("%04d", partial.Failed.Source.Version), partial.Err)
	}
	return err
}

const versionSQL = `
	SELECT max(version_id)
	FROM fileroom.schema_version
	WHERE is_applied`

// current returns a [library.Conflict] unless the database has every migration
// that the program knows.
func current(ctx context.Context, pool *pgxpool.Pool) error {
	const op = "check version of database"
	names, err := fs.Glob(Migrations(), "*.sql")
	if err != nil {
		return err
	}
	var want, have int64
	if _, err := fmt.Sscanf(names[len(names)-1], "%04d_", &want); err != nil { // Glob sorts.
		return err
	}
	err = pool.QueryRow(ctx, versionSQL).Scan(&have)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && (pg.Code == "42P01" || pg.Code == "3F000") { // No such table or schema.
		err = nil
	}
	if err != nil {
		return fault(op, "", err)
	}
	if have < want {
		return library.Errorf(library.Conflict, op, "", "has migrations up to %d, and %d are needed: run fileroom migrate", have, want)
	}
	return nil
}
