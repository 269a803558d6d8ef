package postgres

// Statements about cases.
const (
	caseExistsSQL = `
		SELECT EXISTS (SELECT FROM fileroom.cases WHERE id = @case_id)`

	openCaseSQL = `
		INSERT INTO fileroom.cases
			(id, arrival_id, part, channel, stage, waiting, outcome, received_at, due_at, reading, pages, papers,
			basis, tier, revision, facility, requester, closed_at)
		VALUES
			(@id, @arrival_id, @part, @channel, @stage, @waiting, @outcome, @received_at, @due_at, @reading, @pages, @papers,
			@basis, @tier, @revision, @facility, @requester, @closed_at)`

	caseSQL = `
		SELECT id, arrival_id, part, channel, stage, waiting, outcome, received_at, due_at, reading, pages, papers,
			basis, tier, revision, facility, requester, closed_at
		FROM fileroom.cases
		WHERE id = @id`

	caseOfArrivalSQL = `
		SELECT id, arrival_id, part, channel, stage, waiting, outcome, received_at, due_at, reading, pages, papers,
			basis, tier, revision, facility, requester, closed_at
		FROM fileroom.cases
		WHERE arrival_id = @arrival_id AND part = @part`

	casesSQL = `
		SELECT id, arrival_id, part, channel, stage, waiting, outcome, received_at, due_at, reading, pages, papers,
			basis, tier, revision, facility, requester, closed_at
		FROM fileroom.cases
		WHERE stage <> 'closed'
		ORDER BY due_at, id COLLATE "C"
		LIMIT @limit`

	casesWithClosedSQL = `
		SELECT id, arrival_id, part, channel, stage, waiting, outcome, received_at, due_at, reading, pages, papers,
			basis, tier, revision, facility, requester, closed_at
		FROM fileroom.cases
		ORDER BY due_at, id COLLATE "C"
		LIMIT @limit`

	casesOfStageSQL = `
		SELECT id, arrival_id, part, channel, stage, waiting, outcome, received_at, due_at, reading, pages, papers,
			basis, tier, revision, facility, requester, closed_at
		FROM fileroom.cases
		WHERE stage = @stage
		ORDER BY due_at, id COLLATE "C"
		LIMIT @limit`

	lockCaseSQL = `
		SELECT stage, waiting, outcome
		FROM fileroom.cases
		WHERE id = @id
		FOR UPDATE`

	moveCaseSQL = `
		UPDATE fileroom.cases
		SET stage = @stage, waiting = @waiting, outcome = @outcome, closed_at = @closed_at, moves = moves + 1
		WHERE id = @id
		RETURNING moves`

	setReadingSQL = `
		UPDATE fileroom.cases
		SET reading = @reading, pages = @pages, papers = @papers
		WHERE id = @id`

	setAssessmentSQL = `
		UPDATE fileroom.cases
		SET basis = @basis, tier = @tier, revision = @revision, facility = @facility
		WHERE id = @id`

	findingsSQL = `
		SELECT rule, title, citation, severity, why, ask, field, page, box, confidence, pack, overridable, about,
			ack_by, ack_reason
		FROM fileroom.findings
		WHERE case_id = @case_id
		ORDER BY position`

	dropFindingsSQL = `
		DELETE FROM fileroom.findings
		WHERE case_id = @case_id`

	addFindingSQL = `
		INSERT INTO fileroom.findings
			(case_id, position, rule, title, citation, severity, why, ask, field, page, box, confidence, pack, overridable, about,
			ack_by, ack_reason)
		VALUES
			(@case_id, @position, @rule, @title, @citation, @severity, @why, @ask, @field, @page, @box, @confidence, @pack, @overridable, @about,
			@ack_by, @ack_reason)`

	acknowledgeFindingSQL = `
		UPDATE fileroom.findings
		SET ack_by = @ack_by, ack_reason = @ack_reason
		WHERE case_id = @case_id AND rule = @rule AND severity <> 'ADVISE' AND ack_by IS NULL`

	findingExistsSQL = `
		SELECT EXISTS (SELECT FROM fileroom.findings WHERE case_id = @case_id AND rule = @rule)`

	dropPatientsSQL = `
		DELETE FROM fileroom.patient_candidates
		WHERE case_id = @case_id`

	addPatientSQL = `
		INSERT INTO fileroom.patient_candidates
			(case_id, position, key, record, reasons, chosen, chosen_by)
		VALUES
			(@case_id, @position, @key, @record, @reasons, @chosen, @chosen_by)`

	patientsSQL = `
		SELECT key, record, reasons, chosen, chosen_by
		FROM fileroom.patient_candidates
		WHERE case_id = @case_id
		ORDER BY position`

	dropStudiesSQL = `
		DELETE FROM fileroom.study_candidates
		WHERE case_id = @case_id`

	addStudySQL = `
		INSERT INTO fileroom.study_candidates
			(case_id, position, uid, item, date, modalities, description, accession, instances, reasons, chosen, chosen_by)
		VALUES
			(@case_id, @position, @uid, @item, @date, @modalities, @description, @accession, @instances, @reasons, @chosen, @chosen_by)`

	studiesSQL = `
		SELECT uid, item, date, modalities, description, accession, instances, reasons, chosen, chosen_by
		FROM fileroom.study_candidates
		WHERE case_id = @case_id
		ORDER BY position`

	dropManifestSQL = `
		DELETE FROM fileroom.manifest_instances
		WHERE case_id = @case_id`

	addManifestSQL = `
		INSERT INTO fileroom.manifest_instances (case_id, position, study, series, sop, class)
		SELECT @case_id::text, position, study, series, sop, class
		FROM unnest(@study::text[], @series::text[], @sop::text[], @class::text[])
			WITH ORDINALITY AS i (study, series, sop, class, position)`

	manifestSQL = `
		SELECT study, series, sop, class
		FROM fileroom.manifest_instances
		WHERE case_id = @case_id
		ORDER BY position`

	setChoicesSQL = `
		INSERT INTO fileroom.choices
			(case_id, patient, issuer, studies, facility, basis, corrections, chosen_by)
		VALUES
			(@case_id, @patient, @issuer, @studies, @facility, @basis, @corrections, @chosen_by)
		ON CONFLICT (case_id) DO UPDATE
		SET patient = excluded.patient, issuer = excluded.issuer, studies = excluded.studies, facility = excluded.facility,
			basis = excluded.basis, corrections = excluded.corrections, chosen_by = excluded.chosen_by`

	choicesSQL = `
		SELECT patient, issuer, studies, facility, basis, corrections, chosen_by
		FROM fileroom.choices
		WHERE case_id = @case_id`

	sameRequestsSQL = `
		SELECT c.id
		FROM fileroom.cases AS this
		JOIN fileroom.cases AS c ON c.id <> this.id AND c.received_at BETWEEN @since AND this.received_at
		JOIN fileroom.patient_candidates AS p ON p.case_id = c.id AND p.chosen
		WHERE this.id = @case_id
			AND c.facility = @facility
			AND p.record ->> 'id' = @patient
			AND coalesce(p.record ->> 'issuer', '') = @issuer
		ORDER BY c.received_at, c.id COLLATE "C"`
)
