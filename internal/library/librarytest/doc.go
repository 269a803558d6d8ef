// Package librarytest has the records and the vault in memory, for tests that
// need no server, and the suite that every implementation of
// [library.Records] and [library.StaffRecords] must pass.
//
// It must not be known outside tests. It promises that what the memory store
// takes and refuses, PostgreSQL takes and refuses as well: the suite holds the
// two together.
package librarytest
