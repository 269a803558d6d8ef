package postgres

// Statements about releases and disclosures.
const (
	addReleaseSQL = `
		INSERT INTO fileroom.releases (case_id, revision, facility, at)
		VALUES (@case_id, @revision, @facility, @at)
		RETURNING id`

	addReleaseDecisionsSQL = `
		INSERT INTO fileroom.release_decisions (release_id, position, case_id, revision, decision_id)
		SELECT @release_id::bigint, position, @case_id::text, @revision::text, decision_id
		FROM unnest(@decisions::text[]) WITH ORDINALITY AS d (decision_id, position)`

	addReleaseInstancesSQL = `
		INSERT INTO fileroom.release_instances
			(release_id, study, series, sop, class, state, digest, code, proof, sends)
		SELECT @release_id::bigint, study, series, sop, class, 'pending', '', '', '', 0
		FROM unnest(@study::text[], @series::text[], @sop::text[], @class::text[]) AS i (study, series, sop, class)`

	releaseSQL = `
		SELECT id, case_id, revision, facility, at, ARRAY(
				SELECT decision_id
				FROM fileroom.release_decisions
				WHERE release_id = r.id
				ORDER BY position) AS decisions
		FROM fileroom.releases AS r
		WHERE case_id = @case_id AND revision = @revision AND facility = @facility`

	transferInstancesSQL = `
		SELECT study, series, sop, class, state, digest, code, proof, sends
		FROM fileroom.release_instances
		WHERE release_id = @release_id
		ORDER BY study COLLATE "C", series COLLATE "C", sop COLLATE "C"`

	markInstancesSQL = `
		UPDATE fileroom.release_instances AS r
		SET state = CASE WHEN r.state = 'confirmed' THEN r.state ELSE coalesce(nullif(m.state, ''), r.state) END,
			digest = coalesce(nullif(m.digest, ''), r.digest),
			code = coalesce(nullif(m.code, ''), r.code),
			proof = coalesce(nullif(m.proof, ''), r.proof),
			sends = r.sends + m.sends
		FROM unnest(@sop::text[], @state::text[], @digest::text[], @code::text[], @proof::text[], @sends::integer[])
			AS m (sop, state, digest, code, proof, sends)
		WHERE r.release_id = @release_id AND r.sop = m.sop`

	lockDisclosuresSQL = `
		SELECT pg_advisory_xact_lock(@key::bigint)`

	lastDisclosureSQL = `
		SELECT seq, hash
		FROM fileroom.disclosures
		ORDER BY seq DESC
		LIMIT 1`

	disclosedSQL = `
		SELECT EXISTS (
			SELECT FROM fileroom.disclosures
			WHERE case_id = @case_id AND revision = @revision AND facility = @facility AND kind = @kind)`

	addDisclosureSQL = `
		INSERT INTO fileroom.disclosures
			(seq, case_id, revision, facility, kind, at, patient, recipient, description, purpose, basis, accountable,
			images, proof, prev, hash)
		VALUES
			(@seq, @case_id, @revision, @facility, @kind, @at, @patient, @recipient, @description, @purpose, @basis, @accountable,
			@images, @proof, @prev, @hash)`

	disclosuresSQL = `
		SELECT seq, case_id, revision, facility, kind, at, patient, recipient, description, purpose, basis, accountable,
			images, proof, prev, hash
		FROM fileroom.disclosures
		ORDER BY seq`

	disclosuresOfCaseSQL = `
		SELECT seq, case_id, revision, facility, kind, at, patient, recipient, description, purpose, basis, accountable,
			images, proof, prev, hash
		FROM fileroom.disclosures
		WHERE case_id = @case_id
		ORDER BY seq`
)
