package postgres

// Statements about the access log and the sessions, which run as the staff's
// role.
//
//nolint:gosec // G101 takes "pass" in the name of a statement for a password.
const (
	addLooksSQL = `
		INSERT INTO fileroom.access_log
			(at, subject, name, roles, case_id, arrival_id, what, detail, session)
		SELECT at, subject, name, roles, nullif(case_id, ''), nullif(arrival_id, 0), what, detail, session
		FROM ROWS FROM (jsonb_to_recordset(@looks::jsonb) AS (
				at timestamptz, subject text, name text, roles text[], case_id text, arrival_id bigint, what text, detail text, session text))
			WITH ORDINALITY AS l (at, subject, name, roles, case_id, arrival_id, what, detail, session, position)
		ORDER BY position`

	looksSQL = `
		SELECT at, subject, name, roles, coalesce(case_id, '') AS case_id, coalesce(arrival_id, 0) AS arrival_id,
			what, detail, session
		FROM fileroom.access_log
		ORDER BY at DESC, id DESC
		LIMIT @limit`

	looksOfCaseSQL = `
		SELECT at, subject, name, roles, coalesce(case_id, '') AS case_id, coalesce(arrival_id, 0) AS arrival_id,
			what, detail, session
		FROM fileroom.access_log
		WHERE case_id = @case_id
		ORDER BY at DESC, id DESC
		LIMIT @limit`

	startSessionSQL = `
		INSERT INTO fileroom.sessions
			(id, subject, name, roles, started_at, seen_at)
		VALUES
			(@id, @subject, @name, @roles, @started_at, greatest(@started_at::timestamptz, @seen_at::timestamptz))
		ON CONFLICT (id) DO NOTHING`

	sessionSQL = `
		SELECT id, subject, name, roles, started_at, seen_at
		FROM fileroom.sessions
		WHERE id = @id`

	// Skips what another sweeps just now, so that two never wait for each other.
	sweepSessionsSQL = `
		DELETE FROM fileroom.sessions
		WHERE id IN (
			SELECT id
			FROM fileroom.sessions
			WHERE started_at < @before::timestamptz OR seen_at < @before::timestamptz
			FOR UPDATE SKIP LOCKED)`

	sweepPassesSQL = `
		DELETE FROM fileroom.passes
		WHERE once AND expires_at <= @at`

	addPassSQL = `
		INSERT INTO fileroom.passes
			(digest, session_id, door, once, bind, expires_at)
		VALUES
			(@digest, @session_id, @door, @once, @bind, @expires_at)
		ON CONFLICT (digest) DO NOTHING`

	passSQL = `
		SELECT digest, session_id, door, once, bind, expires_at
		FROM fileroom.passes
		WHERE digest = @digest`

	sessionOfSQL = `
		SELECT s.id, s.subject, s.name, s.roles, s.started_at, s.seen_at
		FROM fileroom.passes AS p
		JOIN fileroom.sessions AS s ON s.id = p.session_id
		WHERE p.digest = @digest AND p.door = @door AND NOT p.once
			AND p.expires_at > @at AND s.started_at >= @earliest AND s.seen_at >= @idle`

	takePassSQL = `
		DELETE FROM fileroom.passes AS p
		USING fileroom.sessions AS s
		WHERE s.id = p.session_id
			AND p.digest = @digest AND p.door = @door AND p.once AND p.bind = @bind
			AND p.expires_at > @at AND s.started_at >= @earliest AND s.seen_at >= @idle
		RETURNING s.id, s.subject, s.name, s.roles, s.started_at, s.seen_at`

	seeSessionSQL = `
		UPDATE fileroom.sessions
		SET seen_at = greatest(seen_at, @at)
		WHERE id = @id`

	endSessionSQL = `
		DELETE FROM fileroom.sessions
		WHERE id = @id`
)
