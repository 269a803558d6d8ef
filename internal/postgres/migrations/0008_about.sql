-- An acknowledgement is for what the finding was about, and goes when another
-- patient, study or facility is chosen. Findings from before this migration are
-- about nothing, so what was acknowledged of a choice is asked once more when
-- their case is next checked. The rights on the table cover the column.

-- +goose Up

ALTER TABLE fileroom.findings ADD COLUMN about text NOT NULL DEFAULT '';
COMMENT ON COLUMN fileroom.findings.about IS 'Digest of the chosen patient, studies or facility that it is about; empty if it is about the papers alone.';
