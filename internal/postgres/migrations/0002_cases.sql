-- Cases, and what the checks, the PACS and staff say about each.

-- +goose Up

CREATE TABLE fileroom.cases (
	id          text        PRIMARY KEY CHECK (id ~ '^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$'),
	arrival_id  bigint      NOT NULL REFERENCES fileroom.arrivals (id),
	part        integer     NOT NULL CHECK (part >= 1),
	channel     text        NOT NULL CHECK (channel IN ('email', 'fax', 'mail', 'portal')),
	stage       text        NOT NULL CHECK (stage IN ('reading', 'checking', 'review', 'deficient', 'releasing', 'confirming', 'closed')),
	waiting     text        NOT NULL CHECK (waiting IN ('nobody', 'staff', 'second-reviewer', 'requester', 'recipient')),
	outcome     text        NOT NULL CHECK (outcome IN ('', 'released', 'denied', 'withdrawn', 'abandoned', 'no-images', 'duplicate', 'not-a-request')),
	received_at timestamptz NOT NULL,
	due_at      timestamptz NOT NULL,
	reading     text        NOT NULL,
	pages       text        NOT NULL,
	papers      text[]      NOT NULL,
	basis       text        NOT NULL CHECK (basis IN ('', 'LB-1', 'LB-2', 'LB-3', 'LB-4', 'LB-5')),
	tier        integer     NOT NULL CHECK (tier BETWEEN 0 AND 3),
	revision    text        NOT NULL,
	facility    text        NOT NULL,
	requester   jsonb       NOT NULL,
	closed_at   timestamptz,
	moves       bigint      NOT NULL DEFAULT 0,
	opened_at   timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT cases_once UNIQUE (arrival_id, part),
	CONSTRAINT cases_outcome_when_closed CHECK ((stage = 'closed') = (outcome <> '')),
	CONSTRAINT cases_closed_at_when_closed CHECK ((stage = 'closed') = (closed_at IS NOT NULL))
);

CREATE INDEX cases_due ON fileroom.cases (due_at, id COLLATE "C") WHERE stage <> 'closed';
CREATE INDEX cases_stage_due ON fileroom.cases (stage, due_at, id COLLATE "C");

COMMENT ON TABLE fileroom.cases IS 'One row for each request, from its first envelope to the last confirmation. requester holds personal data.';
COMMENT ON COLUMN fileroom.cases.id IS 'Number that people say on the telephone: random, silent about the patient.';
COMMENT ON COLUMN fileroom.cases.part IS 'Which request of the envelope, from 1.';
COMMENT ON COLUMN fileroom.cases.due_at IS 'When it must be answered; 45 CFR 164.524(b)(2).';
COMMENT ON COLUMN fileroom.cases.reading IS 'Digest of the reading in the vault; empty until read.';
COMMENT ON COLUMN fileroom.cases.pages IS 'Digest of the pages in the vault; empty until read.';
COMMENT ON COLUMN fileroom.cases.papers IS 'Digests of what arrived for this case, in order.';
COMMENT ON COLUMN fileroom.cases.basis IS 'Legal basis, LB-1 to LB-5; empty until suggested.';
COMMENT ON COLUMN fileroom.cases.tier IS 'Risk tier: how many people must agree.';
COMMENT ON COLUMN fileroom.cases.revision IS 'Digest over everything an approval is for; empty until there is something to approve.';
COMMENT ON COLUMN fileroom.cases.facility IS 'Where the images are to go; empty until known.';
COMMENT ON COLUMN fileroom.cases.requester IS 'Whom letters go to: e-mail address, Message-ID and subject of the request.';
COMMENT ON COLUMN fileroom.cases.moves IS 'How often the stage or whom it waits for was changed; makes the key of each such event.';

ALTER TABLE fileroom.arrivals ADD COLUMN case_id text REFERENCES fileroom.cases (id);
COMMENT ON COLUMN fileroom.arrivals.case_id IS 'The first case it belongs to; null until placed.';

CREATE TABLE fileroom.findings (
	case_id     text             NOT NULL REFERENCES fileroom.cases (id),
	position    integer          NOT NULL,
	rule        text             NOT NULL CHECK (rule <> ''),
	title       text             NOT NULL,
	citation    text             NOT NULL,
	severity    text             NOT NULL CHECK (severity IN ('BLOCK', 'HUMAN', 'ADVISE')),
	why         text             NOT NULL,
	ask         text             NOT NULL,
	field       text             NOT NULL,
	page        integer          NOT NULL,
	box         jsonb,
	confidence  double precision NOT NULL,
	pack        text             NOT NULL,
	overridable boolean          NOT NULL,
	ack_by      text,
	ack_reason  text,
	PRIMARY KEY (case_id, position),
	CONSTRAINT findings_ack_whole CHECK ((ack_by IS NULL) = (ack_reason IS NULL))
);

COMMENT ON TABLE fileroom.findings IS 'What the checks found wrong with a case when they last ran. why may hold patient data.';
COMMENT ON COLUMN fileroom.findings.position IS 'Order in which the checks gave them, from 0.';
COMMENT ON COLUMN fileroom.findings.why IS 'The program''s words; may quote the request.';
COMMENT ON COLUMN fileroom.findings.ask IS 'What the requester is asked for; empty if nothing.';
COMMENT ON COLUMN fileroom.findings.box IS 'Where on the page, as fractions of its size; null where unknown.';
COMMENT ON COLUMN fileroom.findings.pack IS 'Name and version of the rule pack.';
COMMENT ON COLUMN fileroom.findings.ack_by IS 'Subject of who acknowledged it; null while open.';

CREATE TABLE fileroom.patient_candidates (
	case_id   text    NOT NULL REFERENCES fileroom.cases (id),
	position  integer NOT NULL,
	key       text    NOT NULL,
	record    jsonb   NOT NULL,
	reasons   jsonb   NOT NULL,
	chosen    boolean NOT NULL,
	chosen_by text    NOT NULL,
	PRIMARY KEY (case_id, position)
);

CREATE UNIQUE INDEX patient_candidates_one_chosen ON fileroom.patient_candidates (case_id) WHERE chosen;
CREATE INDEX patient_candidates_patient ON fileroom.patient_candidates ((record ->> 'id')) WHERE chosen;

COMMENT ON TABLE fileroom.patient_candidates IS 'Patients of the PACS who may be the one meant. record holds patient data.';
COMMENT ON COLUMN fileroom.patient_candidates.key IS 'How staff name the candidate: p1, p2, ...';
COMMENT ON COLUMN fileroom.patient_candidates.reasons IS 'What was compared, and whether it speaks for or against.';
COMMENT ON COLUMN fileroom.patient_candidates.chosen_by IS '"program" or the subject of who chose; empty if not chosen.';

CREATE TABLE fileroom.study_candidates (
	case_id     text    NOT NULL REFERENCES fileroom.cases (id),
	position    integer NOT NULL,
	uid         text    NOT NULL,
	item        integer NOT NULL,
	date        text    NOT NULL,
	modalities  text[]  NOT NULL,
	description text    NOT NULL,
	accession   text    NOT NULL,
	instances   integer NOT NULL,
	reasons     jsonb   NOT NULL,
	chosen      boolean NOT NULL,
	chosen_by   text    NOT NULL,
	PRIMARY KEY (case_id, position)
);

COMMENT ON TABLE fileroom.study_candidates IS 'Studies of the PACS that may be those asked for. description and accession are patient data.';
COMMENT ON COLUMN fileroom.study_candidates.uid IS 'Study Instance UID (0020,000D).';
COMMENT ON COLUMN fileroom.study_candidates.item IS 'Index into the request''s studies; -1 if nothing asked for fits.';
COMMENT ON COLUMN fileroom.study_candidates.date IS 'YYYY-MM-DD, without a time zone; empty if unknown.';
COMMENT ON COLUMN fileroom.study_candidates.instances IS 'Images as the PACS counts them.';

CREATE TABLE fileroom.manifest_instances (
	case_id  text    NOT NULL REFERENCES fileroom.cases (id),
	position integer NOT NULL,
	study    text    NOT NULL,
	series   text    NOT NULL,
	sop      text    NOT NULL,
	class    text    NOT NULL,
	PRIMARY KEY (case_id, position)
);

COMMENT ON TABLE fileroom.manifest_instances IS 'Every image of the chosen studies, as the PACS listed them.';
COMMENT ON COLUMN fileroom.manifest_instances.sop IS 'SOP Instance UID (0008,0018).';
COMMENT ON COLUMN fileroom.manifest_instances.class IS 'SOP Class UID (0008,0016).';

CREATE TABLE fileroom.choices (
	case_id     text   PRIMARY KEY REFERENCES fileroom.cases (id),
	patient     text   NOT NULL,
	issuer      text   NOT NULL,
	studies     text[] NOT NULL,
	facility    text   NOT NULL,
	basis       text   NOT NULL CHECK (basis IN ('', 'LB-1', 'LB-2', 'LB-3', 'LB-4', 'LB-5')),
	corrections jsonb  NOT NULL,
	chosen_by   text[] NOT NULL
);

COMMENT ON TABLE fileroom.choices IS 'What staff chose and corrected; outlives a new match. patient and corrections are patient data.';
COMMENT ON COLUMN fileroom.choices.patient IS 'Patient ID (0010,0020) chosen; empty for none.';
COMMENT ON COLUMN fileroom.choices.corrections IS 'Name of a field of the reading to its value.';
COMMENT ON COLUMN fileroom.choices.chosen_by IS 'Subjects of those who chose or corrected; none of them is the second person.';
