package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"fileroom/internal/library"
	"fileroom/internal/postgres"
	"fileroom/internal/postgres/postgrestest"
)

// morning is when the crowd of cases is looked at: a tenth of them is overdue.
var morning = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// crowd fills a database with open cases and as many closed ones: half of the
// open wait for staff and a fifth for a second person; of every fifty one is on
// hold and one was; twenty people said something to every third. The most
// urgent have large manifests, for they are on every first page.
func crowd(tb testing.TB, db postgrestest.Database, open int) {
	tb.Helper()
	conn, err := db.Pool(tb, postgrestest.Superuser).Acquire(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Release()
	for _, sql := range []string{
		"SET session_replication_role = replica", // No foreign key is checked, which would take most of the time.
		"SET synchronous_commit = on",            // What is not yet on disk cannot be vacuumed.
		`CREATE TEMPORARY TABLE crowd AS
			SELECT i, i > @open AS closed, CASE WHEN i % 10 < 5 THEN 'staff' WHEN i % 10 < 7 THEN 'second-reviewer' ELSE 'requester' END AS waiting,
				regexp_replace(upper(lpad(to_hex(i), 8, '0')), '(....)(....)', '\1-\2') AS id,
				@morning::timestamptz + make_interval(mins => (i % @open - @open / 10) * 5) AS due
			FROM generate_series(1, 2 * @open) AS i`,
		`INSERT INTO fileroom.arrivals (id, channel, source, key, digest, size, truncated, received_at, state, reason, case_id)
			OVERRIDING SYSTEM VALUE
			SELECT i, 'email', 'requests', 'k-' || i, repeat('ab', 32), 2048, false, due - interval '30 days', 'placed', '', id
			FROM crowd`,
		`INSERT INTO fileroom.cases (id, arrival_id, part, channel, stage, waiting, outcome, received_at, due_at, reading, pages, papers,
				basis, tier, revision, facility, requester, closed_at)
			SELECT id, i, 1, 'email', CASE WHEN closed THEN 'closed' ELSE 'review' END, CASE WHEN closed THEN 'nobody' ELSE waiting END,
				CASE WHEN closed THEN 'released' ELSE '' END, due - interval '30 days', due, repeat('cd', 32), repeat('ef', 32),
				ARRAY[repeat('ab', 32)], 'LB-3', i % 4, 'rev', 'f-' || i % 20, '{"email": "june.okafor@mail.example"}',
				CASE WHEN closed THEN due END
			FROM crowd`,
		`INSERT INTO fileroom.facilities (id, name, aliases, street, city, state, zip, phone, fax, npi, provider, url, credential, ca, proof)
			SELECT 'f-' || i, 'Facility ' || i, '{}', '1 Main Street', 'Asheville', 'NC', '28801', '', '', '', true, 'https://f.example', '', '', 'none'
			FROM generate_series(0, 19) AS i`,
		`INSERT INTO fileroom.decisions (id, case_id, message, subject, name, roles, payload, revision, header, workflow, at)
			SELECT 'n-' || i || '-' || said.n, id, said.message, 'u-' || (i + said.n) % 20, 'Dana Whitfield', '{specialist}', '{"revision": "rev"}',
				CASE WHEN said.message = 'approve' THEN 'rev' ELSE '' END, repeat('x', 600), 'release/' || id, due
			FROM crowd, (VALUES (1, 'correct'), (2, 'approve'), (3, 'hold'), (4, 'resume')) AS said (n, message)
			WHERE CASE said.message WHEN 'hold' THEN i % 50 < 2 WHEN 'resume' THEN i % 50 = 0 ELSE i % 3 = 0 END
			ORDER BY i, said.n`,
		`INSERT INTO fileroom.findings (case_id, position, rule, title, citation, severity, why, ask, field, page, confidence, pack, overridable, ack_by, ack_reason)
			SELECT id, n, 'DL-0' || n, 'Signed by the patient', '45 CFR 164.508', CASE n WHEN 0 THEN 'ADVISE' ELSE 'HUMAN' END, repeat('why ', 20), '',
				'signature', 1, 0.9, 'duke 1', false, CASE WHEN n = 1 OR i % 2 = 0 THEN 'u-1' END, CASE WHEN n = 1 OR i % 2 = 0 THEN 'asked' END
			FROM crowd, generate_series(0, 2) AS n`,
		`INSERT INTO fileroom.patient_candidates (case_id, position, key, record, reasons, chosen, chosen_by)
			SELECT id, n, 'p' || n + 1, '{"id": "M1", "name": "OKAFOR^JUNE"}', '[]', n = 0, 'program'
			FROM crowd, generate_series(0, 1) AS n`,
		`INSERT INTO fileroom.study_candidates (case_id, position, uid, item, date, modalities, description, accession, instances, reasons, chosen, chosen_by)
			SELECT id, n, '2.25.' || n, 0, '2026-01-09', '{CT}', 'CT CHEST', 'A-1', 200, '[]', n < 2, 'program'
			FROM crowd, generate_series(0, 2) AS n`,
		`INSERT INTO fileroom.manifest_instances (case_id, position, study, series, sop, class)
			SELECT id, n, '2.25.0', '2.25.0.1', '2.25.0.1.' || n, '1.2.840.10008.5.1.4.1.1.2'
			FROM crowd, generate_series(1, CASE WHEN i % @open < 400 THEN 500 ELSE 5 END) AS n`,
		`INSERT INTO fileroom.choices (case_id, patient, issuer, studies, facility, basis, corrections, chosen_by)
			SELECT id, '', '', '{}', '', '', '{}', '{u-1}'
			FROM crowd
			WHERE i % 3 = 0`,
		`INSERT INTO fileroom.access_log (at, subject, name, roles, case_id, what, detail, session)
			SELECT due, 'u-' || i % 20, 'Dana Whitfield', '{specialist}', id, 'desk', '', 's-1'
			FROM crowd, generate_series(1, 5)`,
		"VACUUM ANALYZE",
	} {
		if _, err := conn.Exec(tb.Context(), sql, pgx.NamedArgs{"open": open, "morning": morning}); err != nil {
			tb.Fatalf("%s: %v", sql, err)
		}
	}
}

// TestWorklistPlans holds that a page costs what a page costs, however many
// cases there are: the server walks an index in the list's order, and neither
// reads all cases nor sorts them.
func TestWorklistPlans(t *testing.T) {
	t.Parallel()

	db := postgrestest.NewDatabase(t)
	crowd(t, db, 5000)
	pool := db.Pool(t, postgrestest.Staff)
	all := statements(t)
	for name, index := range map[string]string{
		"waitingWorkSQL": "cases_waiting_due", "overdueWorkSQL": "cases_due",
		"openWorkSQL": "cases_due", "closedWorkSQL": "cases_closed",
	} {
		plan := explain(t, pool, all[name])
		if !strings.Contains(plan, index) || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "Sort") {
			t.Errorf("%s does not walk the index %s:\n%s", name, index, plan)
		}
	}
	for name, index := range map[string]string{
		"looksOfCaseSQL": "access_log_of_case", "decisionsOfArrivalSQL": "decisions_of_arrival", "heldSQL": "decisions_hold",
	} {
		if plan := explain(t, pool, all[name]); !strings.Contains(plan, index) {
			t.Errorf("%s does not use the index %s:\n%s", name, index, plan)
		}
	}
	// It finds what it is for.
	if plan := explain(t, pool, "SELECT id FROM fileroom.cases ORDER BY reading LIMIT @limit"); !strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, "Sort") {
		t.Errorf("plan of what no index serves:\n%s", plan)
	}
}

// explain returns the plan of a statement.
func explain(t *testing.T, pool *pgxpool.Pool, sql string) string {
	t.Helper()
	rows, err := pool.Query(t.Context(), "EXPLAIN (COSTS OFF) "+sql, pgx.NamedArgs{
		"skip": 0, "limit": 50, "now": morning, "waiting": "staff", "case_id": "0000-0001", "arrival_id": 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// BenchmarkWorklist reads pages and counts with 100,000 open cases and as many
// closed ones.
func BenchmarkWorklist(b *testing.B) {
	db := postgrestest.NewDatabase(b)
	crowd(b, db, 100_000)
	store := postgres.NewStore(db.Pool(b, postgrestest.Staff))
	for _, name := range library.Worklists() {
		b.Run(string(name), func(b *testing.B) {
			total := 0
			for b.Loop() {
				total = page(b, store, library.WorkFilter{List: name})
			}
			b.ReportMetric(float64(total), "cases")
		})
	}
	b.Run("page 200 of open", func(b *testing.B) {
		for b.Loop() {
			page(b, store, library.WorkFilter{List: library.WorkOpen, Skip: 199 * 50})
		}
	})
	b.Run("largest page of open", func(b *testing.B) {
		for b.Loop() {
			page(b, store, library.WorkFilter{List: library.WorkOpen, Limit: 200})
		}
	})
	b.Run("counts", func(b *testing.B) {
		for b.Loop() {
			if _, err := store.WorkCounts(b.Context(), "u-7", morning); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// page reads a page, which must not be empty, and returns the list's total.
func page(b *testing.B, store *postgres.Store, f library.WorkFilter) int {
	b.Helper()
	f.Actor, f.Now = "u-7", morning
	items, total, err := store.Worklist(b.Context(), f)
	if err != nil || len(items) == 0 {
		b.Fatalf("%d cases, %v", len(items), err)
	}
	return total
}
