// Package desk is what the library's staff see: the worklists, the case in
// full, the arrivals that nobody could place, and the panel that shows a case
// inside the Temporal UI. It is an [http.Handler] of HTML pages with forms; a
// form becomes a message to a workflow, which the [Speaker] signs for whoever
// is signed in.
//
// It knows the words of package library alone. It must not know Temporal,
// PostgreSQL or how people sign in, and it judges nothing: what it leaves away
// or explains only spares people a refusal, and the workflow decides.
//
// It promises that
//
//   - every look at a case or an arrival is in the access log before anything
//     of it is shown, and what cannot be logged is not shown
//     (45 CFR 164.312(b));
//   - nothing about a patient is in a URL, a page's title or an error;
//   - whatever came from outside is shown as text, with characters that would
//     hide or turn it made visible;
//   - the same form sent twice decides once;
//   - everything works without the script, and by keyboard alone.
package desk
