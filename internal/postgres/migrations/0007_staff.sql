-- What the staff's pages need: who looked at what, who is signed in, and the
-- worklists. The role fileroom_staff exists before the first migration, as the
-- others do.

-- +goose Up

CREATE TABLE fileroom.access_log (
	id         bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	at         timestamptz NOT NULL,
	subject    text        NOT NULL CHECK (subject <> ''),
	name       text        NOT NULL,
	roles      text[]      NOT NULL,
	case_id    text        CHECK (case_id ~ '^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$'),
	arrival_id bigint      CHECK (arrival_id >= 1),
	what       text        NOT NULL CHECK (what IN ('desk', 'panel', 'page', 'list', 'temporal', 'decoded', 'write', 'refused',
		'sign-in', 'sign-out')),
	detail     text        NOT NULL CHECK (length(detail) <= 1000),
	session    text        NOT NULL,
	written_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX access_log_of_case ON fileroom.access_log (case_id, at, id) WHERE case_id IS NOT NULL;
CREATE INDEX access_log_at ON fileroom.access_log (at, id);

CREATE TRIGGER access_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fileroom.access_log
	FOR EACH STATEMENT EXECUTE FUNCTION fileroom.refuse_change();
ALTER TABLE fileroom.access_log ENABLE ALWAYS TRIGGER access_log_append_only;

COMMENT ON TABLE fileroom.access_log IS
	'Who looked at what, and what they tried (45 CFR 164.312(b)); append-only, no patient data.';
COMMENT ON COLUMN fileroom.access_log.subject IS 'Stable identifier of the member of staff.';
COMMENT ON COLUMN fileroom.access_log.case_id IS
	'No foreign key, for somebody may ask for a case that is not there, and that is noted too; null where the look was at no case.';
COMMENT ON COLUMN fileroom.access_log.arrival_id IS 'As case_id.';
COMMENT ON COLUMN fileroom.access_log.what IS 'By what page they looked, or what they tried.';
COMMENT ON COLUMN fileroom.access_log.detail IS 'Ids and codes alone.';
COMMENT ON COLUMN fileroom.access_log.session IS 'Identifier of the session, which may be long gone.';
COMMENT ON COLUMN fileroom.access_log.written_at IS 'By the clock of the database; who writes cannot set it.';

CREATE TABLE fileroom.sessions (
	id         text        PRIMARY KEY CHECK (id <> ''),
	subject    text        NOT NULL CHECK (subject <> ''),
	name       text        NOT NULL,
	roles      text[]      NOT NULL,
	started_at timestamptz NOT NULL,
	seen_at    timestamptz NOT NULL,
	CONSTRAINT sessions_seen_since_start CHECK (seen_at >= started_at)
);

COMMENT ON TABLE fileroom.sessions IS 'Members of staff who are signed in. A row may outlive its session by a day, and is then swept away.';
COMMENT ON COLUMN fileroom.sessions.id IS 'Random, and no secret: it opens nothing.';
COMMENT ON COLUMN fileroom.sessions.subject IS 'Stable identifier of the member of staff.';
COMMENT ON COLUMN fileroom.sessions.roles IS 'As they were at sign-in.';
COMMENT ON COLUMN fileroom.sessions.seen_at IS 'When the person last did something.';

CREATE TABLE fileroom.passes (
	digest     text        PRIMARY KEY CHECK (digest ~ '^[0-9a-f]{64}$'),
	session_id text        NOT NULL REFERENCES fileroom.sessions (id) ON DELETE CASCADE,
	door       text        NOT NULL CHECK (door <> ''),
	once       boolean     NOT NULL,
	bind       text        NOT NULL,
	expires_at timestamptz NOT NULL,
	CONSTRAINT passes_bound_once CHECK (once = (bind <> ''))
);

CREATE INDEX passes_of_session ON fileroom.passes (session_id);

COMMENT ON TABLE fileroom.passes IS 'What lets its bearer into a session at one door; goes with the session.';
COMMENT ON COLUMN fileroom.passes.digest IS 'SHA-256 of the token, which is kept nowhere.';
COMMENT ON COLUMN fileroom.passes.door IS 'Host of the staff''s pages that it is for.';
COMMENT ON COLUMN fileroom.passes.once IS 'Carries a session from one door to another, and is used up by it.';
COMMENT ON COLUMN fileroom.passes.bind IS 'SHA-256 of what the same browser must show with a pass of one use; empty for the others.';

-- A case is on hold when the last of its hold and resume decisions is a hold.
CREATE INDEX decisions_hold ON fileroom.decisions (case_id, position DESC) INCLUDE (message)
	WHERE message IN ('hold', 'resume') AND case_id IS NOT NULL;
CREATE INDEX decisions_by ON fileroom.decisions (subject, case_id) WHERE case_id IS NOT NULL;
CREATE INDEX decisions_of_arrival ON fileroom.decisions (arrival_id, position) WHERE arrival_id IS NOT NULL;

CREATE VIEW fileroom.held_cases WITH (security_invoker = true) AS
	SELECT case_id
	FROM (
		SELECT DISTINCT ON (case_id) case_id, message
		FROM fileroom.decisions
		WHERE message IN ('hold', 'resume') AND case_id IS NOT NULL
		ORDER BY case_id, position DESC) AS last
	WHERE message = 'hold';

COMMENT ON VIEW fileroom.held_cases IS 'Cases on hold, closed ones as well.';

CREATE INDEX cases_waiting_due ON fileroom.cases (waiting, due_at, id COLLATE "C") WHERE stage <> 'closed';
CREATE INDEX cases_open ON fileroom.cases (id) INCLUDE (due_at) WHERE stage <> 'closed';
CREATE INDEX cases_closed ON fileroom.cases (closed_at DESC, id COLLATE "C") WHERE stage = 'closed';

-- Least rights: the staff's pages read the records, and write down nothing but
-- who looked and who is signed in. What staff decide is written by a worker.
GRANT USAGE ON SCHEMA fileroom TO fileroom_staff;
GRANT SELECT ON
	fileroom.schema_version, fileroom.arrivals, fileroom.cases, fileroom.findings, fileroom.patient_candidates,
	fileroom.study_candidates, fileroom.manifest_instances, fileroom.choices, fileroom.events, fileroom.letters,
	fileroom.decisions, fileroom.releases, fileroom.release_decisions, fileroom.release_instances, fileroom.disclosures,
	fileroom.facilities, fileroom.held_cases
	TO fileroom_staff;
GRANT SELECT, INSERT (at, subject, name, roles, case_id, arrival_id, what, detail, session) ON fileroom.access_log TO fileroom_staff;
GRANT SELECT, INSERT, DELETE, UPDATE (seen_at) ON fileroom.sessions TO fileroom_staff;
GRANT SELECT, INSERT, DELETE ON fileroom.passes TO fileroom_staff;

-- Who verifies the accounts reads this one too, but nobody else's sessions.
GRANT SELECT ON fileroom.access_log, fileroom.held_cases TO fileroom_reader;
