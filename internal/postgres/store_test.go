package postgres_test

import (
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/library/librarytest"
	"fileroom/internal/postgres"
	"fileroom/internal/postgres/postgrestest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	librarytest.TestRecords(t, func(tb testing.TB) library.Records { return postgres.NewStore(postgrestest.New(tb)) })
}

// TestStaffRecords has the staff's role do what the staff's pages do, on what
// a worker wrote.
func TestStaffRecords(t *testing.T) {
	t.Parallel()
	librarytest.TestStaffRecords(t, func(tb testing.TB) (library.Records, library.StaffRecords) {
		db := postgrestest.NewDatabase(tb)
		return postgres.NewStore(db.Pool(tb, postgrestest.Worker)), postgres.NewStore(db.Pool(tb, postgrestest.Staff))
	})
}
