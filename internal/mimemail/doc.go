// Package mimemail takes e-mail messages apart.
//
// Whoever wrote a message wished us no good until proven otherwise. The MIME
// parser can be made to run for ever by three kilobytes of nested multiparts,
// so it runs in a child process that can be killed: [Parser] starts it, and
// [Main] is what it runs. What could not be read well is said in Troubles and
// never left out in silence; the raw message is the caller's to keep.
//
// It also says to whom a program may answer, if to anybody, for a program that
// answers programs never stops (RFC 3834).
//
// Attachments are handed on as they came, unopened: their names and types are
// the sender's claims. Text encoded with uuencode stays in the text, and
// winmail.dat and S/MIME envelopes stay parts. The package knows nothing of
// cases, of letters' meaning or of mailboxes.
package mimemail
