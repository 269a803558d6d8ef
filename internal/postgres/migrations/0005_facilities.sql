-- The directory of where images can go.

-- +goose Up

CREATE TABLE fileroom.facilities (
	id         text    PRIMARY KEY CHECK (id ~ '^[a-z0-9-]+$'),
	name       text    NOT NULL CHECK (name <> ''),
	aliases    text[]  NOT NULL,
	street     text    NOT NULL,
	city       text    NOT NULL,
	state      text    NOT NULL,
	zip        text    NOT NULL,
	phone      text    NOT NULL,
	fax        text    NOT NULL,
	npi        text    NOT NULL,
	provider   boolean NOT NULL,
	url        text    NOT NULL,
	credential text    NOT NULL,
	ca         text    NOT NULL,
	proof      text    NOT NULL CHECK (proof IN ('read-back', 'listed', 'none'))
);

COMMENT ON TABLE fileroom.facilities IS 'The directory: it, and not the letter, says where images go.';
COMMENT ON COLUMN fileroom.facilities.aliases IS 'Other names that letters use, and names of its doctors.';
COMMENT ON COLUMN fileroom.facilities.npi IS 'National Provider Identifier.';
COMMENT ON COLUMN fileroom.facilities.provider IS 'Treats patients: 45 CFR 164.506(c) may apply.';
COMMENT ON COLUMN fileroom.facilities.url IS 'Its DICOMweb service root.';
COMMENT ON COLUMN fileroom.facilities.credential IS 'Name of its credential among the worker''s secrets.';
COMMENT ON COLUMN fileroom.facilities.ca IS 'Name of its certificate authority among the worker''s secrets; empty for the system''s.';
COMMENT ON COLUMN fileroom.facilities.proof IS 'The best proof of arrival that it allows.';
