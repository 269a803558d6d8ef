// Package matching compares what a request names with what the PACS holds: its
// patient with patients, the studies it asks for with studies.
//
// It is pure. It knows no PACS, database or clock, and imports the library and
// the standard library, with Unicode's normal forms for names.
//
// It promises that the same input gives the same candidates in the same order
// with the same keys, that every candidate says what speaks for it and what
// against it, and that the program chooses only where nothing is left to
// choose: two patients alike are never chosen between, and a study that a
// person chose is never replaced.
package matching
