// Package rules holds the checks of the library: what a request must satisfy
// before images may go, as packs of data that counsel can read and edit, and
// pure functions that look at the facts.
//
// It imports only the library, the standard library and a YAML reader for the
// packs. It knows no database, PACS, clock or network: every fact, today's date
// among them, is given to it.
//
// It promises that the same facts and the same pack give the same findings in
// the same order, word for word; that a rule names its law; that titles hold
// nothing of a case; and that what this version cannot judge is blocked, not
// passed.
package rules
