package postgres_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"fileroom/internal/library"
	"fileroom/internal/postgres"
	"fileroom/internal/postgres/postgrestest"
)

// refused checks that a statement ends with a SQLSTATE.
func refused(t *testing.T, pool *pgxpool.Pool, sql, want string) {
	t.Helper()
	_, err := pool.Exec(t.Context(), sql)
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || pg.Code != want {
		t.Errorf("%s: error %v, want SQLSTATE %s", sql, err, want)
	}
}

const (
	insufficientPrivilege = "42501"
	restrictViolation     = "23001"
)

// appendOnly are the tables whose rows are never changed.
var appendOnly = []string{"events", "decisions", "releases", "release_decisions", "disclosures", "access_log"}

// signIn are the tables that nobody but the staff's pages may even read.
var signIn = []string{"sessions", "passes"}

// TestWorkerRights holds that a worker that was taken over can change no
// account of what happened, and cannot change the schema.
func TestWorkerRights(t *testing.T) {
	t.Parallel()

	pool := disclosed(t).Pool(t, postgrestest.Worker)
	for _, table := range appendOnly {
		for _, sql := range []string{"DELETE FROM fileroom." + table, "TRUNCATE fileroom." + table + " CASCADE"} {
			refused(t, pool, sql, insufficientPrivilege)
		}
	}
	for _, sql := range []string{
		"UPDATE fileroom.disclosures SET images = 0",
		"UPDATE fileroom.decisions SET subject = 'u-1'",
		"UPDATE fileroom.events SET detail = ''",
		"UPDATE fileroom.releases SET facility = 'elsewhere'",
		"UPDATE fileroom.release_instances SET sop = '1'",
		"UPDATE fileroom.cases SET requester = '{}'",
		"UPDATE fileroom.cases SET received_at = now()",
		"UPDATE fileroom.arrivals SET digest = ''",
		"SELECT FROM fileroom.access_log",
		"SELECT FROM fileroom.sessions",
		"SELECT FROM fileroom.passes",
		"INSERT INTO fileroom.access_log DEFAULT VALUES",
		"INSERT INTO fileroom.sessions DEFAULT VALUES",
		"INSERT INTO fileroom.passes DEFAULT VALUES",
		"DELETE FROM fileroom.cases",
		"DELETE FROM fileroom.facilities",
		"INSERT INTO fileroom.schema_version (version_id, is_applied) VALUES (9999, true)",
		"ALTER TABLE fileroom.disclosures DISABLE TRIGGER ALL",
		"DROP TABLE fileroom.disclosures",
		"CREATE TABLE fileroom.mine ()",
		"CREATE TABLE public.mine ()",
		"CREATE SCHEMA mine",
		"CREATE OR REPLACE FUNCTION fileroom.refuse_change() RETURNS trigger LANGUAGE sql AS ''",
		"CREATE ROLE mine",
		"SET ROLE fileroom_owner",
		"SET session_replication_role = replica",
	} {
		refused(t, pool, sql, insufficientPrivilege)
	}
}

// TestStaffRights holds that staff's pages that were taken over can look and
// sign in, and can neither decide anything nor hide that somebody looked.
func TestStaffRights(t *testing.T) {
	t.Parallel()

	db := disclosed(t)
	pool := db.Pool(t, postgrestest.Staff)
	staff := postgres.NewStore(pool)
	err := staff.AddLooks(t.Context(), library.Look{Actor: library.Actor{Subject: "u-17"}, What: library.LookList})
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables(t, pool) {
		if _, err := pool.Exec(t.Context(), "SELECT FROM fileroom."+table); err != nil {
			t.Errorf("staff cannot read %s: %v", table, err)
		}
		refused(t, pool, "TRUNCATE fileroom."+table+" CASCADE", insufficientPrivilege)
		if slices.Contains(signIn, table) {
			continue
		}
		refused(t, pool, "DELETE FROM fileroom."+table, insufficientPrivilege)
		refused(t, pool, "SELECT FROM fileroom."+table+" FOR UPDATE", insufficientPrivilege) // Nor stop a worker.
		if table != "access_log" {
			refused(t, pool, "INSERT INTO fileroom."+table+" DEFAULT VALUES", insufficientPrivilege)
		}
	}
	for _, sql := range []string{
		"UPDATE fileroom.cases SET stage = 'releasing'",
		"UPDATE fileroom.cases SET revision = 'rev-2'",
		"UPDATE fileroom.decisions SET subject = 'u-1'",
		"UPDATE fileroom.findings SET ack_by = 'u-1'",
		"UPDATE fileroom.choices SET chosen_by = '{}'",
		"UPDATE fileroom.releases SET facility = 'elsewhere'",
		"UPDATE fileroom.release_instances SET state = 'confirmed'",
		"UPDATE fileroom.facilities SET url = 'https://elsewhere.example'",
		"UPDATE fileroom.letters SET state = 'sent'",
		"UPDATE fileroom.arrivals SET state = 'sorted'",
		"UPDATE fileroom.access_log SET subject = 'u-1'",
		"UPDATE fileroom.sessions SET subject = 'u-1'",
		"UPDATE fileroom.sessions SET roles = '{privacy}'",
		"UPDATE fileroom.sessions SET started_at = now()",
		"UPDATE fileroom.passes SET expires_at = now()",
		"UPDATE fileroom.passes SET door = 'ui'",
		`INSERT INTO fileroom.access_log (at, subject, name, roles, what, detail, session, written_at)
			VALUES (now(), 'u-1', '', '{}', 'desk', '', '', 'epoch')`,
		"ALTER TABLE fileroom.access_log DISABLE TRIGGER ALL",
		"CREATE TABLE public.mine ()",
		"SET ROLE fileroom_worker",
		"SET session_replication_role = replica",
	} {
		refused(t, pool, sql, insufficientPrivilege)
	}

	// The methods that write say so in the library's words.
	lines, err := staff.Disclosures(t.Context(), "")
	if err != nil || len(lines) != 2 {
		t.Fatalf("Disclosures = %d lines, %v, want 2", len(lines), err)
	}
	id := lines[0].Case
	for what, err := range map[string]error{
		"MoveCase": staff.MoveCase(t.Context(), id, library.StageReleasing, library.WaitingNobody, "", time.Now()),
		"AddDecision": staff.AddDecision(t.Context(), library.Decision{
			ID: "n-1", Case: id, Message: library.Approve, Actor: library.Actor{Subject: "u-17"}, Revision: "rev", At: time.Now(),
		}),
		"CompleteDisclosure": staff.CompleteDisclosure(t.Context(), library.Disclosure{
			Case: id, Revision: "rev", Facility: "blue-ridge", At: time.Now(),
		}),
		"SaveFacility": staff.SaveFacility(t.Context(), library.Facility{
			ID: "blue-ridge", Name: "Elsewhere", Street: "1 Main Street", City: "Asheville", State: "NC", Zip: "28801",
			URL: "https://elsewhere.example/", Proof: library.ProofNone,
		}),
	} {
		wantKind(t, what+" as staff", err, library.Unauthorized)
	}
	looks, err := postgres.NewStore(db.Pool(t, postgrestest.Reader)).Looks(t.Context(), "", 0)
	if err != nil || len(looks) != 1 {
		t.Errorf("Looks as reader = %d lines, %v, want 1", len(looks), err)
	}
}

// TestReaderRights holds that a reader reads every table but those of who is
// signed in, and writes none.
func TestReaderRights(t *testing.T) {
	t.Parallel()

	db := disclosed(t)
	pool := db.Pool(t, postgrestest.Reader)
	for _, table := range tables(t, pool) {
		if slices.Contains(signIn, table) {
			refused(t, pool, "SELECT FROM fileroom."+table, insufficientPrivilege)
		} else if _, err := pool.Exec(t.Context(), "SELECT FROM fileroom."+table); err != nil {
			t.Errorf("reader cannot read %s: %v", table, err)
		}
		refused(t, pool, "INSERT INTO fileroom."+table+" DEFAULT VALUES", insufficientPrivilege)
		refused(t, pool, "DELETE FROM fileroom."+table, insufficientPrivilege)
		refused(t, pool, "TRUNCATE fileroom."+table+" CASCADE", insufficientPrivilege)
	}
	refused(t, pool, "UPDATE fileroom.cases SET stage = 'closed'", insufficientPrivilege)
	refused(t, pool, "CREATE TABLE public.mine ()", insufficientPrivilege)

	// What a reader must be able to do: look at a case, verify the chain.
	store := postgres.NewStore(pool)
	lines, err := store.Disclosures(t.Context(), "")
	if err != nil || len(lines) != 2 {
		t.Fatalf("Disclosures = %d lines, %v, want 2", len(lines), err)
	}
	if err := library.VerifyChain(lines); err != nil {
		t.Error(err)
	}
	if _, err := store.Match(t.Context(), lines[0].Case); err != nil {
		t.Error(err)
	}
	err = store.MoveCase(t.Context(), lines[0].Case, library.StageReview, library.WaitingStaff, "", time.Now())
	if library.KindOf(err) != library.Unauthorized {
		t.Errorf("MoveCase as reader: error %v, want kind %q", err, library.Unauthorized)
	}
}

// TestAppendOnly holds that triggers stop even the owner and the superuser.
func TestAppendOnly(t *testing.T) {
	t.Parallel()

	db := disclosed(t)
	for _, role := range []postgrestest.Role{postgrestest.Owner, postgrestest.Superuser} {
		pool := db.Pool(t, role)
		for _, table := range appendOnly {
			refused(t, pool, "DELETE FROM fileroom."+table, restrictViolation)
			refused(t, pool, "TRUNCATE fileroom."+table+" CASCADE", restrictViolation)
		}
		for _, sql := range []string{
			"UPDATE fileroom.disclosures SET images = 0",
			"UPDATE fileroom.decisions SET subject = 'u-1'",
			"UPDATE fileroom.events SET detail = ''",
			"UPDATE fileroom.releases SET at = now()",
			"UPDATE fileroom.release_decisions SET position = 9",
			"UPDATE fileroom.access_log SET subject = 'u-1'",
			"TRUNCATE fileroom.cases CASCADE",
		} {
			refused(t, pool, sql, restrictViolation)
		}
	}
	// Nor does the setting that turns ordinary triggers off.
	conn, err := db.Pool(t, postgrestest.Superuser).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(t.Context(), "SET session_replication_role = replica"); err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), "DELETE FROM fileroom.disclosures")
	if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != restrictViolation {
		t.Errorf("DELETE as a replica: error %v, want SQLSTATE %s", err, restrictViolation)
	}
}

// TestChainNoForgery holds that a line cannot be put beside another, so that
// whoever may only insert cannot make a second history.
func TestChainNoForgery(t *testing.T) {
	t.Parallel()

	pool := disclosed(t).Pool(t, postgrestest.Worker)
	const forged = `
		INSERT INTO fileroom.disclosures
			(seq, case_id, revision, facility, kind, at, patient, recipient, description, purpose, basis, accountable, images, proof, prev, hash)
		SELECT 3, case_id, revision, facility, kind, at, patient, recipient, description, purpose, basis, accountable, images, proof, prev, 'x'
		FROM fileroom.disclosures
		WHERE seq = 2`
	refused(t, pool, forged, "23505")
	refused(t, pool, strings.Replace(forged, "prev, 'x'", "'', 'x'", 1), "23514")
}

// TestCommented holds that every table says what it is for.
func TestCommented(t *testing.T) {
	t.Parallel()

	pool := postgrestest.NewAs(t, postgrestest.Owner)
	rows, err := pool.Query(t.Context(), `
		SELECT relname
		FROM pg_class
		WHERE relnamespace = 'fileroom'::regnamespace AND relkind IN ('r', 'v') AND relname <> 'schema_version'
			AND obj_description(oid, 'pg_class') IS NULL`)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if len(bare) > 0 {
		t.Errorf("tables without a comment: %v", bare)
	}
}

// tables returns the names of all tables.
func tables(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	rows, err := pool.Query(t.Context(), `SELECT relname FROM pg_class WHERE relnamespace = 'fileroom'::regnamespace AND relkind = 'r'`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 15 {
		t.Fatalf("%d tables, want all", len(all))
	}
	return all
}

// disclosed returns a database with one case that was released and disclosed.
func disclosed(t *testing.T) postgrestest.Database {
	t.Helper()
	db := postgrestest.NewDatabase(t)
	release(t, postgres.NewStore(db.Pool(t, postgrestest.Worker)), library.Patient{Given: "June", Family: "Okafor", MRN: "M1"})
	return db
}

// release takes one case from its arrival to a completed disclosure.
func release(t *testing.T, s *postgres.Store, patient library.Patient) library.Case {
	t.Helper()
	ctx, now := t.Context(), time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	step := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	id := library.NewCaseID()
	a, err := s.AddArrival(ctx, library.Arrival{Channel: library.ChannelEmail, Source: "requests", Key: string(id), ReceivedAt: now})
	step(err)
	c, err := s.OpenCase(ctx, library.Case{
		ID: id, Arrival: a.ID, Part: 1, Channel: a.Channel, Stage: library.StageReview, Waiting: library.WaitingStaff,
		ReceivedAt: now, DueAt: now.Add(library.AnswerWithin),
	})
	step(err)
	step(s.AddDecision(ctx, library.Decision{
		ID: "n-" + string(id), Case: id, Message: library.Approve, Actor: library.Actor{Subject: "u-17"}, Revision: "rev", At: now,
	}))
	d := library.Disclosure{
		Case: id, Revision: "rev", Facility: "blue-ridge", At: now, Patient: library.Hide(patient),
		Recipient: "Blue Ridge Orthopedics", Images: 1,
	}
	manifest := []library.Instance{{Study: "2.25.1", Series: "2.25.1.1", SOP: "2.25.1.1.1", Class: "1.2.840.10008.5.1.4.1.1.2"}}
	_, err = s.OpenRelease(ctx, library.Release{
		Case: id, Revision: "rev", Facility: "blue-ridge", Decisions: []string{"n-" + string(id)}, At: now,
	}, manifest, d)
	step(err)
	step(s.CompleteDisclosure(ctx, d))
	return c
}
