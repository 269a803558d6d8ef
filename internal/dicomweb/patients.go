package dicomweb

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"fileroom/internal/library"
)

// FindPatients returns the patients who have that MRN, and those who were born
// that day and have a family name like that one: the same, one slip apart, or
// one of two joined names, with case, accents and punctuation aside; or the
// given name in its place. Given names are not compared, for a nickname is no
// reason not to find somebody: who is meant is for the caller to weigh. All
// others are left out, whatever the archive says.
//
// Each differing record is a patient of her own, so a patient whose studies
// spell her name in two ways comes twice. They are in the order of their IDs.
// Nobody found is an empty list.
//
// A query that could match anybody, and an MRN with characters that no MRN has
// (a comma or an asterisk would widen the search), are [library.Invalid].
func (a *Archive) FindPatients(ctx context.Context, q library.PatientQuery) ([]library.PatientRecord, error) {
	const op = "find patients"
	q.MRN = strings.TrimSpace(q.MRN)
	_, dated := q.BirthDate.Time()
	named := dated && fold(q.Family) != ""
	if q.MRN == "" && !named {
		return nil, library.Errorf(library.Invalid, op, "", "needs an MRN, or a birth date and a family name")
	}
	if q.MRN != "" && !validMRN(q.MRN) {
		return nil, library.Errorf(library.Invalid, op, "", "mrn holds a character that no MRN has")
	}
	found := map[library.PatientRecord]bool{}
	if q.MRN != "" {
		err := a.patients(ctx, op, filter("PatientID", q.MRN), found, func(p library.PatientRecord) bool {
			return strings.EqualFold(p.ID, q.MRN)
		})
		if err != nil {
			return nil, err
		}
	}
	if named {
		// The name is compared here alone: archives differ in how they
		// match case, accents, apostrophes and middle names.
		err := a.patients(ctx, op, filter("PatientBirthDate", q.BirthDate.DICOM()), found, func(p library.PatientRecord) bool {
			return p.BirthDate == q.BirthDate && alike(p.Name, q.Family, q.Given)
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(x, y library.PatientRecord) int {
		return cmp.Or(cmp.Compare(x.ID, y.ID), cmp.Compare(x.Issuer, y.Issuer), cmp.Compare(x.Name, y.Name),
			cmp.Compare(x.BirthDate, y.BirthDate), cmp.Compare(x.Sex, y.Sex))
	}), nil
}

// patients asks for studies, and adds to found the patients of those that fit.
func (a *Archive) patients(ctx context.Context, op, filter string, found map[library.PatientRecord]bool, fits func(library.PatientRecord) bool) error {
	query := []string{filter, "includefield=" + tagIssuer, "includefield=" + tagSex}
	return a.askAll(ctx, op, "/studies", query, tagStudy, maxStudies, nil, func(d dataSet) error {
		if p := d.patient(); fits(p) {
			found[p] = true
		}
		return nil
	})
}

// validMRN reports whether s can be a Patient ID: letters and digits, with
// spaces, dots, dashes, slashes or low lines between them. Backslash, comma,
// asterisk and question mark mean something to a search.
func validMRN(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		case i > 0 && strings.ContainsRune(" ._/-", r):
		default:
			return false
		}
	}
	return true
}
