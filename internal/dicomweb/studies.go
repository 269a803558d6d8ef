package dicomweb

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"fileroom/internal/dicom"
	"fileroom/internal/library"
)

// FindStudies returns the studies of the patient with that ID, as the archive
// writes it, the newest first. Studies that name another issuer than a given
// one are another patient's; archives often name none. No ID is
// [library.Invalid]; no study is an empty list.
//
// Modalities and body parts are sorted; body parts are those of the study's
// series, and empty where the archive does not tell. The number of instances is
// the archive's own count, or 0.
func (a *Archive) FindStudies(ctx context.Context, patientID, issuer string) ([]library.StudyRecord, error) {
	const op = "find studies"
	if strings.TrimSpace(patientID) == "" {
		return nil, library.Errorf(library.Invalid, op, "", "patient id is missing")
	}
	fits := func(d dataSet) bool {
		p := d.patient()
		return p.ID == patientID && (issuer == "" || p.Issuer == "" || p.Issuer == issuer) && dicom.ValidUID(d.text(tagStudy))
	}
	query := []string{filter("PatientID", patientID)}
	for _, tag := range []string{tagModalities, tagDescription, tagIssuer, tagSex, tagImages} {
		query = append(query, "includefield="+tag)
	}
	var found []library.StudyRecord
	err := a.askAll(ctx, op, "/studies", query, tagStudy, maxStudies, nil, func(d dataSet) error {
		if fits(d) {
			found = append(found, newStudyRecord(d))
		}
		return nil
	})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	if err := a.addBodyParts(ctx, op, patientID, found); err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(x, y library.StudyRecord) int {
		return cmp.Or(cmp.Compare(y.Date, x.Date), cmp.Compare(x.UID, y.UID))
	})
	return found, nil
}

func newStudyRecord(d dataSet) library.StudyRecord {
	modalities := d.texts(tagModalities)
	slices.Sort(modalities)
	images, _ := strconv.Atoi(d.text(tagImages))
	return library.StudyRecord{
		UID:         d.text(tagStudy),
		Date:        library.DateFromDICOM(d.text(tagStudyDate)),
		Modalities:  slices.Compact(modalities),
		Description: d.text(tagDescription),
		Accession:   d.text(tagAccession),
		Instances:   max(images, 0),
	}
}

// addBodyParts asks once for all series of the patient. An archive that does
// not search across studies leaves the body parts empty: nothing rests on them
// alone.
func (a *Archive) addBodyParts(ctx context.Context, op, patientID string, found []library.StudyRecord) error {
	parts := map[string][]string{}
	query := []string{filter("PatientID", patientID), "includefield=" + tagBodyPart, "includefield=" + tagModality}
	_, err := a.ask(ctx, op, "/series", query, func(d dataSet) error {
		if part := d.text(tagBodyPart); part != "" && d.text(tagPatientID) == patientID {
			study := d.text(tagStudy)
			parts[study] = append(parts[study], strings.ToUpper(part))
		}
		return nil
	})
	if kind := library.KindOf(err); kind == library.Invalid || kind == library.NotFound {
		return nil // The archive does not offer it (PS3.18 table 10.6.1-1).
	}
	if err != nil {
		return err
	}
	for i := range found {
		all := parts[found[i].UID]
		slices.Sort(all)
		found[i].BodyParts = slices.Compact(all)
	}
	return nil
}

// Instances returns every instance of a study, by series and instance UID, or
// none if the archive does not have the study. An archive that lists fewer than
// it counts is a fault.
func (a *Archive) Instances(ctx context.Context, studyUID string) ([]library.Instance, error) {
	const op = "list instances"
	if !dicom.ValidUID(studyUID) {
		return nil, library.Errorf(library.Invalid, op, "", "study uid is not one")
	}
	there, counted, err := a.count(ctx, op, studyUID)
	if err != nil || !there {
		return nil, err
	}
	var list []library.Instance
	query := []string{"includefield=" + tagSOPClass}
	short := func(seen int) bool { return seen < counted }
	err = a.askAll(ctx, op, "/studies/"+studyUID+"/instances", query, tagSOPInstance, maxInstances, short, func(d dataSet) error {
		in := library.Instance{Study: studyUID, Series: d.text(tagSeries), SOP: d.text(tagSOPInstance), Class: d.text(tagSOPClass)}
		if study := d.text(tagStudy); study != "" && study != studyUID {
			return library.Errorf("", op, "", "archive lists another study's instances")
		}
		if !dicom.ValidUID(in.Series) || !dicom.ValidUID(in.SOP) {
			return library.Errorf("", op, "", "archive lists an instance without valid uids")
		}
		list = append(list, in)
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(x, y library.Instance) int {
		return cmp.Or(cmp.Compare(x.Series, y.Series), cmp.Compare(x.SOP, y.SOP))
	})
	return list, nil
}

// count asks whether the archive has a study, and how many instances it says
// that the study has: 0 if it does not say.
func (a *Archive) count(ctx context.Context, op, studyUID string) (there bool, counted int, err error) {
	query := []string{"StudyInstanceUID=" + studyUID, "includefield=" + tagImages}
	err = a.askAll(ctx, op, "/studies", query, tagStudy, maxStudies, nil, func(d dataSet) error {
		if d.text(tagStudy) == studyUID {
			there = true
			counted, _ = strconv.Atoi(d.text(tagImages))
		}
		return nil
	})
	return there, counted, err
}
