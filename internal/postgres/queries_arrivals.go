package postgres

// Every statement that the store runs is in the queries files, named for the
// method that runs it. TestQueriesPrepare prepares each of them against a
// migrated database, as the worker's role.

// Statements about arrivals and facilities.
const (
	addArrivalSQL = `
		INSERT INTO fileroom.arrivals
			(channel, source, key, digest, size, truncated, received_at, state, reason)
		VALUES
			(@channel, @source, @key, @digest, @size, @truncated, @received_at, 'kept', @reason)
		ON CONFLICT ON CONSTRAINT arrivals_once DO NOTHING`

	sameArrivalSQL = `
		SELECT id, channel, source, key, digest, size, truncated, received_at, state, reason, coalesce(case_id, '') AS case_id
		FROM fileroom.arrivals
		WHERE channel = @channel AND source = @source AND key = @key`

	arrivalSQL = `
		SELECT id, channel, source, key, digest, size, truncated, received_at, state, reason, coalesce(case_id, '') AS case_id
		FROM fileroom.arrivals
		WHERE id = @id`

	keptArrivalsSQL = `
		SELECT id
		FROM fileroom.arrivals
		WHERE source = @source AND state = 'kept' AND id > @after::bigint
		ORDER BY id
		LIMIT @limit`

	lockArrivalSQL = `
		SELECT state, reason, coalesce(case_id, '') AS case_id
		FROM fileroom.arrivals
		WHERE id = @id
		FOR UPDATE`

	moveArrivalSQL = `
		UPDATE fileroom.arrivals
		SET state = @state, reason = @reason, moves = moves + 1
		WHERE id = @id
		RETURNING moves`

	placeArrivalSQL = `
		UPDATE fileroom.arrivals
		SET state = 'placed', case_id = coalesce(case_id, @case_id), moves = moves + 1
		WHERE id = @id
		RETURNING moves`

	waitingArrivalsSQL = `
		SELECT id, channel, source, key, digest, size, truncated, received_at, state, reason, coalesce(case_id, '') AS case_id
		FROM fileroom.arrivals
		WHERE state = 'waiting'
		ORDER BY received_at, id`

	saveFacilitySQL = `
		INSERT INTO fileroom.facilities
			(id, name, aliases, street, city, state, zip, phone, fax, npi, provider, url, credential, ca, proof)
		VALUES
			(@id, @name, @aliases, @street, @city, @state, @zip, @phone, @fax, @npi, @provider, @url, @credential, @ca, @proof)
		ON CONFLICT (id) DO UPDATE
		SET name = excluded.name, aliases = excluded.aliases, street = excluded.street, city = excluded.city,
			state = excluded.state, zip = excluded.zip, phone = excluded.phone, fax = excluded.fax, npi = excluded.npi,
			provider = excluded.provider, url = excluded.url, credential = excluded.credential, ca = excluded.ca,
			proof = excluded.proof`

	facilitySQL = `
		SELECT id, name, aliases, street, city, state, zip, phone, fax, npi, provider, url, credential, ca, proof
		FROM fileroom.facilities
		WHERE id = @id`

	facilitiesSQL = `
		SELECT id, name, aliases, street, city, state, zip, phone, fax, npi, provider, url, credential, ca, proof
		FROM fileroom.facilities
		ORDER BY name COLLATE "C", id COLLATE "C"`
)
