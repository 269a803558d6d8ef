package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/library"
)

type patientRow struct {
	Key      string
	Record   []byte
	Reasons  []byte
	Chosen   bool
	ChosenBy string
}

func (r patientRow) candidate() (library.PatientCandidate, error) {
	record, err := read[library.PatientRecord](r.Record)
	if err != nil {
		return library.PatientCandidate{}, err
	}
	reasons, err := readReasons(r.Reasons)
	return library.PatientCandidate{
		Key: r.Key, Record: library.Hide(record), Reasons: reasons, Chosen: r.Chosen, By: r.ChosenBy,
	}, err
}

type studyRow struct {
	UID         string
	Item        int
	Date        string
	Modalities  []string
	Description string
	Accession   string
	Instances   int
	Reasons     []byte
	Chosen      bool
	ChosenBy    string
}

func (r studyRow) candidate() (library.StudyCandidate, error) {
	reasons, err := readReasons(r.Reasons)
	return library.StudyCandidate{
		UID: r.UID, Item: r.Item, Date: library.Date(r.Date), Modalities: typed[string](r.Modalities),
		Description: library.Hide(r.Description), Accession: library.Hide(r.Accession),
		Instances: r.Instances, Reasons: reasons, Chosen: r.Chosen, By: r.ChosenBy,
	}, err
}

type instanceRow struct {
	Study  string
	Series string
	SOP    string
	Class  string
}

func (r instanceRow) instance() (library.Instance, error) {
	return library.Instance{Study: r.Study, Series: r.Series, SOP: r.SOP, Class: r.Class}, nil
}

// columns turns instances into one array a column, for unnest.
func columns(all []library.Instance) pgx.StrictNamedArgs {
	study, series, sop, class := make([]string, len(all)), make([]string, len(all)), make([]string, len(all)), make([]string, len(all))
	for i, in := range all {
		study[i], series[i], sop[i], class[i] = in.Study, in.Series, in.SOP, in.Class
	}
	return pgx.StrictNamedArgs{"study": study, "series": series, "sop": sop, "class": class}
}

// reasonsText returns reasons as a jsonb array, which is never null.
func reasonsText(reasons []library.Reason) (string, error) {
	if len(reasons) == 0 {
		return "[]", nil
	}
	return document(reasons)
}

func readReasons(raw []byte) ([]library.Reason, error) {
	reasons, err := read[[]library.Reason](raw)
	if len(reasons) == 0 {
		reasons = nil
	}
	return reasons, err
}

// SetMatch implements [library.CaseRecords]. A match with two chosen patients
// is [library.Invalid].
func (s *Store) SetMatch(ctx context.Context, id library.CaseID, m library.Match) error {
	const op = "set match of case"
	chosen := 0
	for _, p := range m.Patients {
		if p.Chosen {
			chosen++
		}
	}
	if chosen > 1 {
		return library.Errorf(library.Invalid, op, string(id), "%d patients are chosen", chosen)
	}
	return s.within(ctx, op, string(id), func(tx pgx.Tx) error {
		if _, err := lockCase(ctx, tx, id); err != nil {
			return err
		}
		for _, drop := range []string{dropPatientsSQL, dropStudiesSQL, dropManifestSQL} {
			if _, err := exec(ctx, tx, drop, pgx.StrictNamedArgs{"case_id": id}); err != nil {
				return err
			}
		}
		for i, p := range m.Patients {
			if err := addPatient(ctx, tx, id, i, p); err != nil {
				return err
			}
		}
		for i, st := range m.Studies {
			if err := addStudy(ctx, tx, id, i, st); err != nil {
				return err
			}
		}
		args := columns(m.Manifest)
		args["case_id"] = id
		_, err := exec(ctx, tx, addManifestSQL, args)
		return err
	})
}

func addPatient(ctx context.Context, tx pgx.Tx, id library.CaseID, position int, p library.PatientCandidate) error {
	record, err := document(p.Record.Reveal())
	if err != nil {
		return err
	}
	reasons, err := reasonsText(p.Reasons)
	if err != nil {
		return err
	}
	_, err = exec(ctx, tx, addPatientSQL, pgx.StrictNamedArgs{
		"case_id": id, "position": position, "key": p.Key, "record": record, "reasons": reasons,
		"chosen": p.Chosen, "chosen_by": p.By,
	})
	return err
}

func addStudy(ctx context.Context, tx pgx.Tx, id library.CaseID, position int, st library.StudyCandidate) error {
	reasons, err := reasonsText(st.Reasons)
	if err != nil {
		return err
	}
	_, err = exec(ctx, tx, addStudySQL, pgx.StrictNamedArgs{
		"case_id": id, "position": position, "uid": st.UID, "item": st.Item, "date": st.Date,
		"modalities": st.Modalities, "description": st.Description.Reveal(), "accession": st.Accession.Reveal(),
		"instances": st.Instances, "reasons": reasons, "chosen": st.Chosen, "chosen_by": st.By,
	})
	return err
}

// Match implements [library.CaseRecords]. A case without one has an empty
// match.
func (s *Store) Match(ctx context.Context, id library.CaseID) (library.Match, error) {
	var m library.Match
	args := pgx.StrictNamedArgs{"case_id": id}
	// One snapshot, so that the three lists are of one and the same match.
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.pool, snapshot, func(tx pgx.Tx) error {
		err := mustExist(ctx, tx, id)
		if err != nil {
			return err
		}
		if m.Patients, err = list(ctx, tx, patientsSQL, args, patientRow.candidate); err != nil {
			return err
		}
		if m.Studies, err = list(ctx, tx, studiesSQL, args, studyRow.candidate); err != nil {
			return err
		}
		m.Manifest, err = list(ctx, tx, manifestSQL, args, instanceRow.instance)
		return err
	})
	return m, fault("read match of case", string(id), err)
}

type choicesRow struct {
	Patient     string
	Issuer      string
	Studies     []string
	Facility    string
	Basis       string
	Corrections []byte
	ChosenBy    []string
}

func (r choicesRow) choices() (library.Choices, error) {
	corrections, err := read[map[string]string](r.Corrections)
	if len(corrections) == 0 {
		corrections = nil
	}
	return library.Choices{
		Patient: r.Patient, Issuer: r.Issuer, Studies: typed[string](r.Studies), Facility: library.FacilityID(r.Facility),
		Basis: library.Basis(r.Basis), Corrections: corrections, By: typed[string](r.ChosenBy),
	}, err
}

// SetChoices implements [library.CaseRecords].
func (s *Store) SetChoices(ctx context.Context, id library.CaseID, c library.Choices) error {
	const op = "set choices of case"
	corrections := "{}"
	if len(c.Corrections) > 0 {
		var err error
		if corrections, err = document(c.Corrections); err != nil {
			return fault(op, string(id), err)
		}
	}
	_, err := exec(ctx, s.pool, setChoicesSQL, pgx.StrictNamedArgs{
		"case_id": id, "patient": c.Patient, "issuer": c.Issuer, "studies": c.Studies, "facility": c.Facility,
		"basis": c.Basis, "corrections": corrections, "chosen_by": c.By,
	})
	return fault(op, string(id), err)
}

// Choices implements [library.CaseRecords]. A case about which nothing was
// chosen has empty choices.
func (s *Store) Choices(ctx context.Context, id library.CaseID) (library.Choices, error) {
	c, err := one(ctx, s.pool, choicesSQL, pgx.StrictNamedArgs{"case_id": id}, choicesRow.choices)
	if errors.Is(err, pgx.ErrNoRows) {
		err = mustExist(ctx, s.pool, id)
	}
	return c, fault("read choices of case", string(id), err)
}
