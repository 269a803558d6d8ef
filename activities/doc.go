// Package activities is the work that workflows ask for: everything that
// touches the world outside the process.
//
// An activity is an ordinary Go method. It takes a context and one struct of
// parameters and returns one struct of results and an error. It may run more
// than once for the same parameters, so running it again must be harmless.
// Method names are the names that Temporal records: they are unique across the
// package, and renaming one breaks running workflows.
//
// Parameters and results are kept in workflow histories: they hold ids,
// digests, counts and decisions, and nothing about a patient. What an activity
// needs from outside is an interface declared here; no driver is reachable.
package activities
