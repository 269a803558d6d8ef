-- The last door: what may leave, how far it has come, and the account of it.

-- +goose Up

CREATE TABLE fileroom.releases (
	id       bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	case_id  text        NOT NULL REFERENCES fileroom.cases (id),
	revision text        NOT NULL CHECK (revision <> ''),
	facility text        NOT NULL CHECK (facility <> ''),
	at       timestamptz NOT NULL,
	CONSTRAINT releases_once UNIQUE (case_id, revision, facility),
	CONSTRAINT releases_for_decision UNIQUE (id, case_id, revision)
);

CREATE TRIGGER releases_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fileroom.releases
	FOR EACH STATEMENT EXECUTE FUNCTION fileroom.refuse_change();
ALTER TABLE fileroom.releases ENABLE ALWAYS TRIGGER releases_append_only;

COMMENT ON TABLE fileroom.releases IS 'The last door: no image leaves without its row here; append-only.';

CREATE TABLE fileroom.release_decisions (
	release_id  bigint  NOT NULL,
	position    integer NOT NULL,
	case_id     text    NOT NULL,
	revision    text    NOT NULL,
	decision_id text    NOT NULL,
	PRIMARY KEY (release_id, position),
	CONSTRAINT release_decisions_release FOREIGN KEY (release_id, case_id, revision)
		REFERENCES fileroom.releases (id, case_id, revision),
	CONSTRAINT release_decisions_approval FOREIGN KEY (decision_id, case_id, revision)
		REFERENCES fileroom.decisions (id, case_id, revision)
);

CREATE TRIGGER release_decisions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fileroom.release_decisions
	FOR EACH STATEMENT EXECUTE FUNCTION fileroom.refuse_change();
ALTER TABLE fileroom.release_decisions ENABLE ALWAYS TRIGGER release_decisions_append_only;

COMMENT ON TABLE fileroom.release_decisions IS 'The approvals a release rests on; the keys hold that each is of the same case and revision.';

CREATE TABLE fileroom.release_instances (
	release_id bigint  NOT NULL REFERENCES fileroom.releases (id),
	study      text    NOT NULL,
	series     text    NOT NULL,
	sop        text    NOT NULL CHECK (sop <> ''),
	class      text    NOT NULL,
	state      text    NOT NULL CHECK (state IN ('pending', 'sent', 'confirmed', 'refused', 'stranger', 'different')),
	digest     text    NOT NULL,
	code       text    NOT NULL,
	proof      text    NOT NULL CHECK (proof IN ('', 'read-back', 'listed', 'word', 'none')),
	sends      integer NOT NULL CHECK (sends >= 0),
	PRIMARY KEY (release_id, sop)
);

COMMENT ON TABLE fileroom.release_instances IS 'Every approved image of a release, and how far it has come.';
COMMENT ON COLUMN fileroom.release_instances.digest IS 'SHA-256 of the data set as the PACS handed it over; empty until then.';
COMMENT ON COLUMN fileroom.release_instances.code IS 'Why it was refused, as DICOM''s four hexadecimal digits.';
COMMENT ON COLUMN fileroom.release_instances.proof IS 'How surely it is known to have arrived.';
COMMENT ON COLUMN fileroom.release_instances.sends IS 'How often it was sent.';

CREATE TABLE fileroom.disclosures (
	seq         bigint      PRIMARY KEY CHECK (seq >= 1),
	case_id     text        NOT NULL,
	revision    text        NOT NULL,
	facility    text        NOT NULL,
	kind        text        NOT NULL CHECK (kind IN ('intended', 'completed')),
	at          timestamptz NOT NULL,
	patient     jsonb       NOT NULL,
	recipient   text        NOT NULL,
	description text        NOT NULL,
	purpose     text        NOT NULL,
	basis       text        NOT NULL CHECK (basis IN ('', 'LB-1', 'LB-2', 'LB-3', 'LB-4', 'LB-5')),
	accountable boolean     NOT NULL,
	images      integer     NOT NULL CHECK (images >= 0),
	proof       text        NOT NULL CHECK (proof IN ('', 'read-back', 'listed', 'word', 'none')),
	prev        text        NOT NULL,
	hash        text        NOT NULL CHECK (hash <> ''),
	CONSTRAINT disclosures_once UNIQUE (case_id, revision, facility, kind),
	CONSTRAINT disclosures_no_fork UNIQUE (prev),
	CONSTRAINT disclosures_first CHECK ((seq = 1) = (prev = '')),
	CONSTRAINT disclosures_of_release FOREIGN KEY (case_id, revision, facility)
		REFERENCES fileroom.releases (case_id, revision, facility)
);

CREATE TRIGGER disclosures_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fileroom.disclosures
	FOR EACH STATEMENT EXECUTE FUNCTION fileroom.refuse_change();
ALTER TABLE fileroom.disclosures ENABLE ALWAYS TRIGGER disclosures_append_only;

COMMENT ON TABLE fileroom.disclosures IS
	'The account of what left the hospital (45 CFR 164.528): append-only, each line chained to the one before by digest. patient is patient data.';
COMMENT ON COLUMN fileroom.disclosures.seq IS 'From 1, without gaps.';
COMMENT ON COLUMN fileroom.disclosures.kind IS 'Whether it was about to happen or is proven.';
COMMENT ON COLUMN fileroom.disclosures.patient IS 'Name, birth date and MRN.';
COMMENT ON COLUMN fileroom.disclosures.accountable IS 'Must be told to the patient who asks for an accounting.';
COMMENT ON COLUMN fileroom.disclosures.prev IS 'Hash of the line before; empty for the first.';
COMMENT ON COLUMN fileroom.disclosures.hash IS 'SHA-256 over the line and prev.';
