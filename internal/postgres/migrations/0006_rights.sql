-- Least rights. The roles fileroom_worker and fileroom_reader exist before the
-- first migration: they belong to the cluster, not to the database.

-- +goose Up

-- +goose StatementBegin
DO $$
BEGIN
	IF pg_has_role(current_user, (SELECT datdba FROM pg_database WHERE datname = current_database()), 'MEMBER') THEN
		EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
	END IF;
END
$$;
-- +goose StatementEnd

GRANT USAGE ON SCHEMA fileroom TO fileroom_worker, fileroom_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA fileroom TO fileroom_worker, fileroom_reader;

-- Append-only.
GRANT INSERT ON
	fileroom.events, fileroom.decisions, fileroom.releases, fileroom.release_decisions, fileroom.disclosures
	TO fileroom_worker;

-- Entered once, and then changed in some columns.
GRANT INSERT, UPDATE (state, reason, moves, case_id) ON fileroom.arrivals TO fileroom_worker;
GRANT INSERT, UPDATE (stage, waiting, outcome, reading, pages, papers, basis, tier, revision, facility, closed_at, moves)
	ON fileroom.cases TO fileroom_worker;
GRANT INSERT, UPDATE (state, reason, at) ON fileroom.letters TO fileroom_worker;
GRANT INSERT, UPDATE (state, digest, code, proof, sends) ON fileroom.release_instances TO fileroom_worker;

-- Replaced whole.
GRANT INSERT, DELETE, UPDATE (ack_by, ack_reason) ON fileroom.findings TO fileroom_worker;
GRANT INSERT, DELETE ON fileroom.patient_candidates, fileroom.study_candidates, fileroom.manifest_instances TO fileroom_worker;
GRANT INSERT, UPDATE (patient, issuer, studies, facility, basis, corrections, chosen_by) ON fileroom.choices TO fileroom_worker;
GRANT INSERT, UPDATE (name, aliases, street, city, state, zip, phone, fax, npi, provider, url, credential, ca, proof)
	ON fileroom.facilities TO fileroom_worker;
