package staff

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"time"

	"fileroom/internal/library"
)

// MaxAge is how old a statement may be when it is verified, and maxSkew how far
// the signer's clock may be ahead.
const (
	MaxAge  = 5 * time.Minute
	maxSkew = 30 * time.Second
)

// maxHeader is the most bytes of a header that are looked at.
const maxHeader = 8 << 10

// headerVersion is the only version of the header that there is.
const headerVersion = 1

// signingContext comes before everything that is signed, so that a signature
// means nothing elsewhere.
const signingContext = "fileroom staff statement v1\x00"

// A Digester makes and checks keyed digests of what was said, so that a header,
// which lies in clear in a workflow's history, does not tell it. The vault's
// Digests is one.
type Digester interface {
	// Sum returns the digest of parts.
	Sum(parts ...[]byte) (string, error)

	// Check returns a [library.Invalid] error when sum is not the digest of
	// parts, and one without a kind when it cannot tell for want of a key.
	Check(sum string, parts ...[]byte) error
}

// DigestPurpose is the purpose by which the vault's key ring is asked for the
// [Digester] of statements.
const DigestPurpose = "staff statement"

// A Statement says that somebody sent a message to a workflow.
type Statement struct {
	Actor      Actor     `json:"actor"`
	WorkflowID string    `json:"workflow_id"`
	Message    string    `json:"message"` // The name of the signal or update.
	Digest     string    `json:"digest"`  // Keyed digest of the payload, bound to the fields around it.
	IssuedAt   time.Time `json:"issued_at"`
	Nonce      string    `json:"nonce"` // Random, unlike in every statement.
}

// Signed is a statement that was verified once, and the header it came in,
// which proves it again to whoever has the public key.
type Signed struct {
	Statement
	Header string
}

// header is a statement as it travels.
type header struct {
	Version   int    `json:"version"`
	Key       string `json:"key"`       // Id of the signing key.
	Statement []byte `json:"statement"` // JSON of a Statement, as it was signed.
	Signature []byte `json:"signature"` // Ed25519 of signingContext and Statement.
}

// A Signer signs what people say.
type Signer struct {
	Key     SigningKey
	Digests Digester
	Now     func() time.Time // time.Now, if nil.
}

// Sign returns the header that says, now, that actor sends message (the name of
// an update or signal) with payload to a workflow. The payload is the JSON of
// the message's one argument. White space around it does not count; every other
// byte does.
func (s Signer) Sign(actor Actor, workflowID, message string, payload []byte) (string, error) {
	op := "sign " + message
	if err := checkActor(actor, op, workflowID); err != nil {
		return "", err
	}
	if workflowID == "" || message == "" {
		return "", library.Errorf(library.Invalid, op, workflowID, "a message needs a workflow and a name")
	}
	st := Statement{
		Actor: actor, WorkflowID: workflowID, Message: message,
		IssuedAt: now(s.Now).UTC(), Nonce: rand.Text(),
	}
	payload, err := canonical(op, workflowID, payload)
	if err != nil {
		return "", err
	}
	if st.Digest, err = s.Digests.Sum(st.digested(payload)...); err != nil {
		return "", err
	}
	said, err := json.Marshal(st)
	if err != nil {
		return "", library.Fault(op, workflowID, err)
	}
	text, err := json.Marshal(header{
		Version: headerVersion, Key: s.Key.ID, Statement: said,
		Signature: ed25519.Sign(s.Key.private, append([]byte(signingContext), said...)),
	})
	if err != nil {
		return "", library.Fault(op, workflowID, err)
	}
	if len(text) > maxHeader {
		return "", library.Errorf(library.Invalid, op, workflowID, "the names in it are too long")
	}
	return string(text), nil
}

// digested returns what a statement's digest is of. The nonce is in it, so that
// equal payloads do not show as equal digests.
func (st Statement) digested(payload []byte) [][]byte {
	return [][]byte{[]byte(st.WorkflowID), []byte(st.Message), []byte(st.Nonce), payload}
}

// canonical returns a payload as it is digested: without the white space around
// it, which Temporal's JSON converter drops.
func canonical(op, id string, payload []byte) ([]byte, error) {
	payload = bytes.Trim(payload, " \t\r\n")
	if len(payload) == 0 {
		return nil, library.Errorf(library.Invalid, op, id, "the message is empty: it needs JSON, such as {}")
	}
	if !json.Valid(payload) {
		return nil, library.Errorf(library.Invalid, op, id, "the message is not JSON")
	}
	return payload, nil
}

func now(clock func() time.Time) time.Time {
	if clock == nil {
		return time.Now()
	}
	return clock()
}

// parse reads a header without believing it.
func parse(text string) (header, Statement, bool) {
	var h header
	var st Statement
	if len(text) > maxHeader || strict(text, &h) != nil || h.Version != headerVersion {
		return header{}, Statement{}, false
	}
	if strict(string(h.Statement), &st) != nil {
		return header{}, Statement{}, false
	}
	return h, st, true
}

// strict reads the one JSON value that text is, with no field that is unknown.
func strict(text string, v any) error {
	if !json.Valid([]byte(text)) { // A decoder would ignore what comes after.
		return library.Errorf(library.Invalid, "read statement", "", "malformed")
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
