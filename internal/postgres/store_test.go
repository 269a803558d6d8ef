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
