package postgres_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/library"
	"fileroom/internal/postgres"
	"fileroom/internal/postgres/postgrestest"
)

// TestMigrations refuses a migration that was edited: databases that have
// applied it would differ from new ones for ever. A new migration needs its
// line in testdata/migrations.sha256.
func TestMigrations(t *testing.T) {
	t.Parallel()

	sums, err := os.ReadFile("testdata/migrations.sha256")
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range edited(t, postgres.Migrations(), string(sums)) {
		t.Error(wrong)
	}

	// The check finds what it is for.
	changed := fstest.MapFS{}
	names, err := fs.Glob(postgres.Migrations(), "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(postgres.Migrations(), name)
		if err != nil {
			t.Fatal(err)
		}
		changed[name] = &fstest.MapFile{Data: text}
	}
	changed[names[0]].Data = append(changed[names[0]].Data, ' ')
	delete(changed, names[1])
	changed["0099_new.sql"] = &fstest.MapFile{}
	if wrong := edited(t, changed, string(sums)); len(wrong) != 3 {
		t.Errorf("edited, removed and new: found %q, want three", wrong)
	}
}

// wantKind checks the kind of an error.
func wantKind(t *testing.T, what string, err error, want library.Kind) {
	t.Helper()
	if err == nil || library.KindOf(err) != want {
		t.Errorf("%s: error %v, want kind %q", what, err, want)
	}
}

// edited says what is wrong with migrations according to their sums.
func edited(t *testing.T, migrations fs.FS, sums string) []string {
	t.Helper()
	listed := map[string]string{}
	for line := range strings.Lines(sums) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		listed[name] = sum
	}
	names, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	var wrong []string
	for _, name := range names {
		text, err := fs.ReadFile(migrations, name)
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256(text)
		sum := hex.EncodeToString(digest[:])
		switch listed[name] {
		case sum:
		case "":
			wrong = append(wrong, fmt.Sprintf("%s is new: add the line\n%s  %s", name, sum, name))
		default:
			wrong = append(wrong, name+" was edited: write another migration instead")
		}
	}
	for name := range listed {
		if !slices.Contains(names, name) {
			wrong = append(wrong, name+" was removed")
		}
	}
	return wrong
}

// TestMigrate migrates empty databases of one cluster, several times at once,
// and then again.
func TestMigrate(t *testing.T) {
	t.Parallel()

	first, second := postgrestest.NewEmptyDatabase(t), postgrestest.NewEmptyDatabase(t)
	for name, db := range map[string]postgrestest.Database{"first": first, "second": second} {
		_, err := postgres.Open(t.Context(), db.URL(postgrestest.Owner))
		wantKind(t, "Open of the "+name+" before its migration", err, library.Conflict)
	}
	var group sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		db := []postgrestest.Database{first, second}[i%2]
		group.Go(func() { errs[i] = postgres.Migrate(t.Context(), db.URL(postgrestest.Owner), postgres.Logins{}) })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	release(t, postgres.NewStore(first.Pool(t, postgrestest.Worker)), library.Patient{Family: "Okafor"})
	if err := postgres.Migrate(t.Context(), first.URL(postgrestest.Owner), postgres.Logins{}); err != nil {
		t.Fatal(err)
	}
	for _, role := range []postgrestest.Role{postgrestest.Owner, postgrestest.Worker, postgrestest.Reader, postgrestest.Staff} {
		pool, err := postgres.Open(t.Context(), first.URL(role))
		if err != nil {
			t.Fatalf("Open as %s: %v", role, err)
		}
		lines, err := postgres.NewStore(pool).Disclosures(t.Context(), "")
		if err != nil || len(lines) != 2 {
			t.Errorf("Disclosures as %s = %d lines, %v, want 2", role, len(lines), err)
		}
		pool.Close()
	}
	// What a template keeps to itself: temporary tables are DDL too.
	refused(t, first.Pool(t, postgrestest.Worker), "CREATE TEMPORARY TABLE mine ()", insufficientPrivilege)
}

// TestMigrateLogins holds that logins are made and changed, and that no
// password is in the server's log, which notes every statement.
func TestMigrateLogins(t *testing.T) {
	t.Parallel()

	db := postgrestest.NewEmptyDatabase(t)
	const user = "second_installation"
	for _, password := range []string{"first-pass word'\"\\$", "second-pass word%@:/"} {
		err := postgres.Migrate(t.Context(), db.URL(postgrestest.Owner), postgres.Logins{
			Worker: postgres.Login{User: user, Password: password},
		})
		if err != nil {
			t.Fatal(err)
		}
		config, err := pgx.ParseConfig(db.URL(postgrestest.Worker))
		if err != nil {
			t.Fatal(err)
		}
		config.User, config.Password = user, password
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if err != nil {
			t.Fatalf("log in with %q: %v", password, err)
		}
		if _, err := conn.Exec(t.Context(), "SELECT FROM fileroom.cases FOR UPDATE"); err != nil {
			t.Errorf("the login has not the rights of a worker: %v", err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}

	var log string
	err := db.Pool(t, postgrestest.Superuser).QueryRow(t.Context(),
		`SELECT pg_read_file(current_setting('unix_socket_directories') || '/log')`).Scan(&log)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log, "ALTER ROLE \""+user+"\"") {
		t.Error("the log does not note the statement that sets the password, so this test shows nothing")
	}
	if strings.Contains(log, "pass word") {
		t.Error("a password is in the server's log")
	}
}

func TestMigrateLoginsRefused(t *testing.T) {
	t.Parallel()

	db := postgrestest.NewEmptyDatabase(t)
	const good = "long enough for it"
	tests := map[string]postgres.Logins{
		"a short password":               {Worker: postgres.Login{Password: "short"}},
		"a password beyond ASCII":        {Reader: postgres.Login{Password: "pässword for all"}},
		"a name that needs quoting":      {Worker: postgres.Login{User: `x" SUPERUSER`, Password: good}},
		"the name of a group":            {Worker: postgres.Login{User: "fileroom_worker", Password: good}},
		"the name of another group":      {Staff: postgres.Login{User: "fileroom_reader", Password: good}},
		"two logins of one name":         {Worker: postgres.Login{User: "same", Password: good}, Reader: postgres.Login{User: "same", Password: good}},
		"a user with the owner's rights": {Reader: postgres.Login{User: string(postgrestest.Owner), Password: good}},
	}
	for name, logins := range tests {
		wantKind(t, "Migrate with "+name, postgres.Migrate(t.Context(), db.URL(postgrestest.Owner), logins), library.Invalid)
	}
	err := postgres.Migrate(t.Context(), postgrestest.NewEmptyDatabase(t).URL(postgrestest.Worker), postgres.Logins{})
	wantKind(t, "Migrate as worker", err, library.Unauthorized)
}
