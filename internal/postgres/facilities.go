package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/library"
)

type facilityRow struct {
	ID         string
	Name       string
	Aliases    []string
	Street     string
	City       string
	State      string
	Zip        string
	Phone      string
	Fax        string
	NPI        string
	Provider   bool
	URL        string
	Credential string
	CA         string
	Proof      string
}

func (r facilityRow) facility() (library.Facility, error) {
	return library.Facility{
		ID: library.FacilityID(r.ID), Name: r.Name, Aliases: typed[string](r.Aliases),
		Street: r.Street, City: r.City, State: r.State, Zip: r.Zip, Phone: r.Phone, Fax: r.Fax,
		NPI: r.NPI, Provider: r.Provider, URL: r.URL, Credential: r.Credential, CA: r.CA, Proof: library.Proof(r.Proof),
	}, nil
}

// SaveFacility implements [library.FacilityRecords]. A facility that is not
// valid is not saved.
func (s *Store) SaveFacility(ctx context.Context, f library.Facility) error {
	if err := f.Validate(); err != nil {
		return err
	}
	_, err := exec(ctx, s.pool, saveFacilitySQL, pgx.StrictNamedArgs{
		"id": f.ID, "name": f.Name, "aliases": f.Aliases,
		"street": f.Street, "city": f.City, "state": f.State, "zip": f.Zip, "phone": f.Phone, "fax": f.Fax,
		"npi": f.NPI, "provider": f.Provider, "url": f.URL, "credential": f.Credential, "ca": f.CA, "proof": f.Proof,
	})
	return fault("save facility", string(f.ID), err)
}

// Facility implements [library.FacilityRecords].
func (s *Store) Facility(ctx context.Context, id library.FacilityID) (library.Facility, error) {
	f, err := one(ctx, s.pool, facilitySQL, pgx.StrictNamedArgs{"id": id}, facilityRow.facility)
	return f, fault("read facility", string(id), err)
}

// Facilities implements [library.FacilityRecords].
func (s *Store) Facilities(ctx context.Context) ([]library.Facility, error) {
	all, err := list(ctx, s.pool, facilitiesSQL, nil, facilityRow.facility)
	return all, fault("list facilities", "", err)
}
