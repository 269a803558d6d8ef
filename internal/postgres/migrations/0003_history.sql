-- What people read of a case later: its events, its letters and what staff said.

-- +goose Up

CREATE TABLE fileroom.events (
	id         bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	case_id    text        REFERENCES fileroom.cases (id),
	arrival_id bigint      REFERENCES fileroom.arrivals (id),
	key        text        NOT NULL CHECK (key <> ''),
	what       text        NOT NULL,
	detail     text        NOT NULL,
	actor      text        NOT NULL,
	at         timestamptz NOT NULL,
	written_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT events_once UNIQUE NULLS NOT DISTINCT (case_id, arrival_id, key),
	CONSTRAINT events_of_something CHECK (case_id IS NOT NULL OR arrival_id IS NOT NULL)
);

CREATE INDEX events_of_arrival ON fileroom.events (arrival_id, id) WHERE arrival_id IS NOT NULL;

CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fileroom.events
	FOR EACH STATEMENT EXECUTE FUNCTION fileroom.refuse_change();
ALTER TABLE fileroom.events ENABLE ALWAYS TRIGGER events_append_only;

COMMENT ON TABLE fileroom.events IS 'History of cases and arrivals for people; append-only, no patient data.';
COMMENT ON COLUMN fileroom.events.key IS 'Makes the same event, written twice, one.';
COMMENT ON COLUMN fileroom.events.what IS 'Constant words.';
COMMENT ON COLUMN fileroom.events.detail IS 'Ids, counts and codes alone.';
COMMENT ON COLUMN fileroom.events.actor IS 'Subject of who did it, or "program".';

CREATE TABLE fileroom.letters (
	case_id    text        NOT NULL REFERENCES fileroom.cases (id),
	number     integer     NOT NULL CHECK (number >= 1),
	kind       text        NOT NULL CHECK (kind IN ('acknowledgement', 'deficiency', 'denial', 'withdrawn', 'released', 'not-found')),
	message_id text        NOT NULL,
	recipient  text        NOT NULL,
	subject    text        NOT NULL,
	body       text        NOT NULL,
	state      text        NOT NULL CHECK (state IN ('written', 'sent', 'refused', 'unsent')),
	reason     text        NOT NULL,
	at         timestamptz NOT NULL,
	PRIMARY KEY (case_id, number)
);

COMMENT ON TABLE fileroom.letters IS 'Letters to requesters, written down before they are sent. recipient and body are personal data.';
COMMENT ON COLUMN fileroom.letters.number IS 'From 1, given by the workflow.';
COMMENT ON COLUMN fileroom.letters.subject IS 'No patient data.';
COMMENT ON COLUMN fileroom.letters.reason IS 'Why it was not sent.';
COMMENT ON COLUMN fileroom.letters.at IS 'Since when it is in its state.';

CREATE TABLE fileroom.decisions (
	id         text        PRIMARY KEY CHECK (id <> ''),
	position   bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
	case_id    text        REFERENCES fileroom.cases (id),
	arrival_id bigint      REFERENCES fileroom.arrivals (id),
	message    text        NOT NULL CHECK (message IN ('approve', 'deny', 'ask', 'correct', 'acknowledge', 'choose',
		'hold', 'resume', 'confirm', 'withdraw', 'place', 'split')),
	subject    text        NOT NULL CHECK (subject <> ''),
	name       text        NOT NULL,
	roles      text[]      NOT NULL,
	payload    text        NOT NULL,
	revision   text        NOT NULL,
	header     text        NOT NULL,
	workflow   text        NOT NULL,
	at         timestamptz NOT NULL,
	CONSTRAINT decisions_of_something CHECK (case_id IS NOT NULL OR arrival_id IS NOT NULL),
	CONSTRAINT decisions_for_release UNIQUE (id, case_id, revision)
);

CREATE INDEX decisions_of_case ON fileroom.decisions (case_id, position);

CREATE TRIGGER decisions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fileroom.decisions
	FOR EACH STATEMENT EXECUTE FUNCTION fileroom.refuse_change();
ALTER TABLE fileroom.decisions ENABLE ALWAYS TRIGGER decisions_append_only;

COMMENT ON TABLE fileroom.decisions IS 'What staff said and was accepted, with the proof of who said it; append-only. payload may hold patient data.';
COMMENT ON COLUMN fileroom.decisions.id IS 'Nonce of the signed statement.';
COMMENT ON COLUMN fileroom.decisions.position IS 'Order in which they were recorded.';
COMMENT ON COLUMN fileroom.decisions.subject IS 'Stable identifier of the member of staff.';
COMMENT ON COLUMN fileroom.decisions.payload IS 'The JSON exactly as it was signed.';
COMMENT ON COLUMN fileroom.decisions.revision IS 'What an approval was for; empty otherwise.';
COMMENT ON COLUMN fileroom.decisions.header IS 'The signed statement, to be verified again at any time.';
