-- The ledger of everything that reached the door, and what append-only means.

-- +goose Up

-- +goose StatementBegin
CREATE FUNCTION fileroom.refuse_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path = ''
AS $$
BEGIN
	RAISE EXCEPTION 'table is append-only' USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_TABLE_NAME || '_append_only';
END
$$;
-- +goose StatementEnd

COMMENT ON FUNCTION fileroom.refuse_change() IS
	'Trigger of the append-only tables: refuses UPDATE, DELETE and TRUNCATE, whoever asks.';

CREATE TABLE fileroom.arrivals (
	id          bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	channel     text        NOT NULL CHECK (channel IN ('email', 'fax', 'mail', 'portal')),
	source      text        NOT NULL,
	key         text        NOT NULL CHECK (key <> ''),
	digest      text        NOT NULL,
	size        bigint      NOT NULL CHECK (size >= 0),
	truncated   boolean     NOT NULL,
	received_at timestamptz NOT NULL,
	state       text        NOT NULL CHECK (state IN ('kept', 'opened', 'waiting', 'placed', 'sorted')),
	reason      text        NOT NULL,
	moves       bigint      NOT NULL DEFAULT 0,
	entered_at  timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT arrivals_once UNIQUE (channel, source, key)
);

CREATE INDEX arrivals_kept ON fileroom.arrivals (source, received_at, id) WHERE state = 'kept';
CREATE INDEX arrivals_waiting ON fileroom.arrivals (received_at, id) WHERE state = 'waiting';

COMMENT ON TABLE fileroom.arrivals IS 'One row for each envelope that reached the door, by whatever way; nothing twice.';
COMMENT ON COLUMN fileroom.arrivals.source IS 'Name of the mailbox, queue or folder.';
COMMENT ON COLUMN fileroom.arrivals.key IS 'What makes it the same arrival when seen again; for e-mail the digest of the raw message.';
COMMENT ON COLUMN fileroom.arrivals.digest IS 'SHA-256 of what was kept, in the vault.';
COMMENT ON COLUMN fileroom.arrivals.size IS 'Bytes as it arrived.';
COMMENT ON COLUMN fileroom.arrivals.truncated IS 'Too large: only its header was kept.';
COMMENT ON COLUMN fileroom.arrivals.reason IS 'Why it was sorted away or waits for staff; nothing from the message.';
COMMENT ON COLUMN fileroom.arrivals.moves IS 'How often the state was changed; makes the key of each such event.';
