// Package imapmail reads a request mailbox over IMAP.
//
// Nothing is ever deleted, and a message is marked only after the caller has
// it safely, so a crash at any moment shows it again and loses nothing. The
// mark lives in the mailbox: the keyword $FileroomKept, or, where a server
// allows no keywords, the message's being moved to the mailbox [KeptMailbox].
// The flags \Seen and \Flagged would not do: whoever opens or stars a message
// before it is kept would hide it for ever.
//
// When the mailbox is rebuilt (its UIDVALIDITY changes) marks may be lost and
// every message seen again; the caller knows a message by its digest, so that
// doubles nothing.
//
// The connection is always TLS from its first byte (RFC 8314 section 3); there
// is no plaintext and no STARTTLS. The package knows nothing of MIME or cases.
// Its errors never quote the server, which might quote a message.
package imapmail
