package postgres

// Statements about events, letters and decisions.
const (
	addEventSQL = `
		INSERT INTO fileroom.events
			(case_id, arrival_id, key, what, detail, actor, at)
		VALUES
			(nullif(@case_id::text, ''), nullif(@arrival_id::bigint, 0), @key, @what, @detail, @actor, @at)
		ON CONFLICT ON CONSTRAINT events_once DO NOTHING`

	eventsSQL = `
		SELECT case_id, coalesce(arrival_id, 0) AS arrival_id, key, what, detail, actor, at
		FROM fileroom.events
		WHERE case_id = @case_id
		ORDER BY id`

	addLetterSQL = `
		INSERT INTO fileroom.letters
			(case_id, number, kind, message_id, recipient, subject, body, state, reason, at)
		VALUES
			(@case_id, @number, @kind, @message_id, @recipient, @subject, @body, @state, @reason, @at)
		ON CONFLICT (case_id, number) DO NOTHING`

	letterSQL = `
		SELECT case_id, number, kind, message_id, recipient, subject, body, state, reason, at
		FROM fileroom.letters
		WHERE case_id = @case_id AND number = @number`

	moveLetterSQL = `
		UPDATE fileroom.letters
		SET state = @state, reason = @reason, at = @at
		WHERE case_id = @case_id AND number = @number AND state <> 'sent'
		RETURNING case_id, number, kind, message_id, recipient, subject, body, state, reason, at`

	lettersSQL = `
		SELECT case_id, number, kind, message_id, recipient, subject, body, state, reason, at
		FROM fileroom.letters
		WHERE case_id = @case_id
		ORDER BY number`

	addDecisionSQL = `
		INSERT INTO fileroom.decisions
			(id, case_id, arrival_id, message, subject, name, roles, payload, revision, header, workflow, at)
		VALUES
			(@id, nullif(@case_id::text, ''), nullif(@arrival_id::bigint, 0), @message, @subject, @name, @roles, @payload,
			@revision, @header, @workflow, @at)
		ON CONFLICT (id) DO NOTHING`

	decisionSQL = `
		SELECT id, coalesce(case_id, '') AS case_id, coalesce(arrival_id, 0) AS arrival_id, message, subject, name, roles,
			payload, revision, header, workflow, at
		FROM fileroom.decisions
		WHERE id = @id`

	decisionsSQL = `
		SELECT id, coalesce(case_id, '') AS case_id, coalesce(arrival_id, 0) AS arrival_id, message, subject, name, roles,
			payload, revision, header, workflow, at
		FROM fileroom.decisions
		WHERE case_id = @case_id
		ORDER BY position`
)
