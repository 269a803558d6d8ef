package postgres

// Statements about the worklists. A page walks an index in the list's own
// order and asks for each case on its way whether it is on hold, so it costs
// what a page costs, however long the list is; a count takes the set of all
// that are on hold at once.
const (
	withoutHelpSQL = `
		SELECT set_config('max_parallel_workers_per_gather', '0', true)`

	waitingWorkSQL = `
		SELECT c.id
		FROM fileroom.cases AS c
		WHERE c.stage <> 'closed' AND c.waiting = @waiting
			AND coalesce((
				SELECT d.message
				FROM fileroom.decisions AS d
				WHERE d.case_id = c.id AND d.message IN ('hold', 'resume')
				ORDER BY d.position DESC
				LIMIT 1), '') <> 'hold'
		ORDER BY c.due_at, c.id COLLATE "C"
		OFFSET @skip
		LIMIT @limit`

	overdueWorkSQL = `
		SELECT c.id
		FROM fileroom.cases AS c
		WHERE c.stage <> 'closed' AND c.due_at < @now
		ORDER BY c.due_at, c.id COLLATE "C"
		OFFSET @skip
		LIMIT @limit`

	heldWorkSQL = `
		SELECT c.id
		FROM fileroom.held_cases AS h
		JOIN fileroom.cases AS c ON c.id = h.case_id
		WHERE c.stage <> 'closed'
		ORDER BY c.due_at, c.id COLLATE "C"
		OFFSET @skip
		LIMIT @limit`

	mineWorkSQL = `
		SELECT c.id
		FROM fileroom.cases AS c
		WHERE c.stage <> 'closed'
			AND EXISTS (SELECT FROM fileroom.decisions AS d WHERE d.case_id = c.id AND d.subject = @actor)
		ORDER BY c.due_at, c.id COLLATE "C"
		OFFSET @skip
		LIMIT @limit`

	openWorkSQL = `
		SELECT c.id
		FROM fileroom.cases AS c
		WHERE c.stage <> 'closed'
		ORDER BY c.due_at, c.id COLLATE "C"
		OFFSET @skip
		LIMIT @limit`

	closedWorkSQL = `
		SELECT c.id
		FROM fileroom.cases AS c
		WHERE c.stage = 'closed'
		ORDER BY c.closed_at DESC, c.id COLLATE "C"
		OFFSET @skip
		LIMIT @limit`

	// Counts one list, or all if none is named: the server leaves out the parts
	// that are not asked for.
	workCountsSQL = `
		SELECT 'staff' AS list, count(*) AS cases
		FROM fileroom.cases AS c
		WHERE @list::text IN ('', 'staff') AND c.stage <> 'closed' AND c.waiting = 'staff'
			AND NOT EXISTS (SELECT FROM fileroom.held_cases AS h WHERE h.case_id = c.id)
		UNION ALL
		SELECT 'second', count(*)
		FROM fileroom.cases AS c
		WHERE @list::text IN ('', 'second') AND c.stage <> 'closed' AND c.waiting = 'second-reviewer'
			AND NOT EXISTS (SELECT FROM fileroom.held_cases AS h WHERE h.case_id = c.id)
		UNION ALL
		SELECT 'overdue', count(*)
		FROM fileroom.cases AS c
		WHERE @list::text IN ('', 'overdue') AND c.stage <> 'closed' AND c.due_at < @now
		UNION ALL
		SELECT 'held', count(*)
		FROM fileroom.held_cases AS h
		JOIN fileroom.cases AS c ON c.id = h.case_id
		WHERE @list::text IN ('', 'held') AND c.stage <> 'closed'
		UNION ALL
		SELECT 'mine', count(*)
		FROM fileroom.cases AS c
		WHERE @list::text IN ('', 'mine') AND c.stage <> 'closed'
			AND EXISTS (SELECT FROM fileroom.decisions AS d WHERE d.case_id = c.id AND d.subject = @actor)
		UNION ALL
		SELECT 'open', count(*)
		FROM fileroom.cases AS c
		WHERE @list::text IN ('', 'open') AND c.stage <> 'closed'
		UNION ALL
		SELECT 'closed', count(*)
		FROM fileroom.cases AS c
		WHERE @list::text IN ('', 'closed') AND c.stage = 'closed'
		UNION ALL
		SELECT 'arrivals', count(*)
		FROM fileroom.arrivals AS a
		WHERE @list::text IN ('', 'arrivals') AND a.state = 'waiting'`

	workItemsSQL = `
		SELECT c.id, c.arrival_id, c.part, c.channel, c.stage, c.waiting, c.outcome, c.received_at, c.due_at,
			c.reading, c.pages, c.papers, c.basis, c.tier, c.revision, c.facility, c.requester, c.closed_at,
			p.record AS patient, coalesce(f.name, '') AS destination, coalesce(h.chosen_by, '{}') AS chosen_by,
			(SELECT count(*) FROM fileroom.manifest_instances AS m WHERE m.case_id = c.id) AS images,
			coalesce((
				SELECT d.message
				FROM fileroom.decisions AS d
				WHERE d.case_id = c.id AND d.message IN ('hold', 'resume')
				ORDER BY d.position DESC
				LIMIT 1), '') = 'hold' AS held
		FROM unnest(@ids::text[]) WITH ORDINALITY AS page (id, position)
		JOIN fileroom.cases AS c ON c.id = page.id
		LEFT JOIN fileroom.patient_candidates AS p ON p.case_id = c.id AND p.chosen
		LEFT JOIN fileroom.facilities AS f ON f.id = c.facility
		LEFT JOIN fileroom.choices AS h ON h.case_id = c.id
		ORDER BY page.position`

	workStudiesSQL = `
		SELECT case_id, uid, item, date, modalities, description, accession, instances, reasons, chosen, chosen_by
		FROM fileroom.study_candidates
		WHERE case_id = ANY (@ids::text[]) AND chosen
		ORDER BY case_id, position`

	workFindingsSQL = `
		SELECT case_id, rule, title, severity, overridable, ack_by, ack_reason
		FROM fileroom.findings
		WHERE case_id = ANY (@ids::text[])
		ORDER BY case_id, position`

	workApprovalsSQL = `
		SELECT d.id, d.case_id, coalesce(d.arrival_id, 0) AS arrival_id, d.message, d.subject, d.name, d.roles,
			'' AS payload, d.revision, '' AS header, d.workflow, d.at
		FROM fileroom.decisions AS d
		JOIN fileroom.cases AS c ON c.id = d.case_id AND c.revision = d.revision
		WHERE d.case_id = ANY (@ids::text[]) AND d.message = 'approve' AND d.revision <> ''
		ORDER BY d.position`

	heldSQL = `
		SELECT coalesce((
			SELECT d.message
			FROM fileroom.decisions AS d
			WHERE d.case_id = c.id AND d.message IN ('hold', 'resume')
			ORDER BY d.position DESC
			LIMIT 1), '') = 'hold' AS held
		FROM fileroom.cases AS c
		WHERE c.id = @case_id`

	decisionsOfArrivalSQL = `
		SELECT id, coalesce(case_id, '') AS case_id, coalesce(arrival_id, 0) AS arrival_id, message, subject, name, roles,
			payload, revision, header, workflow, at
		FROM fileroom.decisions
		WHERE arrival_id = @arrival_id
		ORDER BY position`

	arrivalExistsSQL = `
		SELECT EXISTS (SELECT FROM fileroom.arrivals WHERE id = @arrival_id)`
)
