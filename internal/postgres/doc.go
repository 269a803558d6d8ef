// Package postgres keeps the library's records in PostgreSQL 15 or newer.
//
// It knows the words of [fileroom/internal/library] and its driver, and
// nothing of workflows, mail or DICOM. It is the one place where the private
// values of the records are revealed, to be stored.
//
// It promises that a change and the events which tell of it are written in one
// transaction; that every method may run twice; that disclosures, decisions,
// events, releases and the access log are never changed once written, which
// triggers and grants hold as well; and that no error quotes a row: of what the
// server says only SQLSTATE and the name of a constraint are kept.
//
// [Migrate] makes the schema and the roles and is run by an operator, never by
// a worker at start.
package postgres
