package staff

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"fileroom/internal/library"
)

// A Verifier finds out whether somebody said what a message claims.
type Verifier struct {
	Keys    PublicKeys
	Digests Digester

	// Converter decodes the payloads of signals for [Verifier.OpenSignal].
	// Temporal's default one, if nil.
	Converter converter.DataConverter

	// Now is the clock; time.Now, if nil.
	Now func() time.Time
}

// Verify returns who sent message with payload to a workflow. It refuses, as
// [library.Invalid] and with a sentence for the person who sent it, a header
// that is missing, malformed, forged, expired (see [MaxAge]) or made for another
// workflow, message or payload. When it cannot tell for want of the digest's
// key, the error has no kind and names the key.
//
// A statement verifies as often as it is shown: the caller remembers nonces.
func (v *Verifier) Verify(headerText, workflowID, message string, payload []byte) (Signed, error) {
	return v.verify(headerText, workflowID, message, payload, now(v.Now))
}

// Holds is [Verifier.Verify] for what is on record: the statement was good when
// it was made, however long ago that is.
func (v *Verifier) Holds(headerText, workflowID, message string, payload []byte) (Signed, error) {
	return v.verify(headerText, workflowID, message, payload, time.Time{})
}

// verify verifies a statement as of a moment; the zero time is when it was made.
func (v *Verifier) verify(headerText, workflowID, message string, payload []byte, at time.Time) (Signed, error) {
	refuse := func(format string, args ...any) (Signed, error) {
		return Signed{}, library.Errorf(library.Invalid, message, workflowID, format, args...)
	}
	if headerText == "" {
		return refuse("nobody signed this message: send it from Fileroom's own address of the Temporal UI, or with the fileroom command")
	}
	h, st, ok := parse(headerText)
	if !ok {
		return refuse("the signature is malformed")
	}
	key, ok := v.Keys.key(h.Key)
	if !ok {
		return refuse("it is signed with a key that is not known here")
	}
	if !ed25519.Verify(key.Key, append([]byte(signingContext), h.Statement...), h.Signature) {
		return refuse("the signature is forged or damaged")
	}
	if err := checkActor(st.Actor, message, workflowID); err != nil {
		return Signed{}, err
	}
	if st.WorkflowID != workflowID || st.Message != message {
		return refuse("the signature was given for another message (%s to %s)", st.Message, st.WorkflowID)
	}
	if at.IsZero() {
		at = st.IssuedAt
	}
	if err := fresh(at, st.IssuedAt, key.RetiredAt); err != "" {
		return refuse("%s", err)
	}
	payload, err := canonical(message, workflowID, payload)
	if err != nil {
		return Signed{}, err
	}
	switch err := v.Digests.Check(st.Digest, st.digested(payload)...); {
	case library.KindOf(err) == library.Invalid:
		return refuse("the message was changed after it was signed")
	case err != nil:
		return Signed{}, library.Fault(message, workflowID, err)
	}
	return Signed{Statement: st, Header: headerText}, nil
}

// fresh returns why a statement is not of the present, or "".
func fresh(now, issued, retired time.Time) string {
	switch {
	case now.Sub(issued) > MaxAge:
		return "the signature has expired: please send it again"
	case issued.Sub(now) > maxSkew:
		return "the signature is dated in the future: the clocks of the gateway and the worker disagree"
	case !retired.IsZero() && issued.After(retired):
		return "it is signed with a key that is no longer in use"
	}
	return ""
}

// OpenSignal decodes and verifies a message from the [Inbox] of the workflow,
// and returns who sent it and the JSON of its payload. A message that is not
// what it must be is [library.Invalid], with a sentence for staff; one under a
// key that this process lacks is a fault without a kind. It belongs in an
// activity.
func (v *Verifier) OpenSignal(ctx context.Context, workflowID string, m Message) (Signed, json.RawMessage, error) {
	if err := ctx.Err(); err != nil {
		return Signed{}, nil, library.Fault(m.Name, workflowID, err)
	}
	payload, err := v.open(workflowID, m)
	if err != nil {
		return Signed{}, nil, err
	}
	signed, err := v.Verify(m.Header, workflowID, m.Name, payload)
	if err != nil {
		return Signed{}, nil, err
	}
	return signed, payload, nil
}

// open decodes the one payload of a signal.
func (v *Verifier) open(workflowID string, m Message) ([]byte, error) {
	var sealed commonpb.Payloads
	if err := proto.Unmarshal(m.Sealed, &sealed); err != nil || len(sealed.GetPayloads()) > 1 {
		return nil, library.Errorf(library.Invalid, m.Name, workflowID, "the message is malformed: it needs one JSON value, such as {}")
	}
	if len(sealed.GetPayloads()) == 0 {
		return canonical(m.Name, workflowID, nil) // Which says what is wrong.
	}
	dc := v.Converter
	if dc == nil {
		dc = converter.GetDefaultDataConverter()
	}
	// Raw, for only the bytes that came can be verified.
	var raw converter.RawValue
	err := dc.FromPayload(sealed.GetPayloads()[0], &raw)
	switch {
	case isFault(err):
		return nil, err // A key is missing: an operator can help.
	case err != nil:
		return nil, library.Errorf(library.Invalid, m.Name, workflowID, "the message cannot be decoded: send it again, as JSON")
	}
	return jsonOf(m.Name, workflowID, raw.Payload())
}

// jsonOf returns the JSON in a decoded payload.
func jsonOf(message, workflowID string, p *commonpb.Payload) ([]byte, error) {
	if encoding := string(p.GetMetadata()[converter.MetadataEncoding]); encoding != converter.MetadataEncodingJSON {
		return nil, library.Errorf(library.Invalid, message, workflowID, "the message is not JSON: choose the encoding %s", converter.MetadataEncodingJSON)
	}
	return canonical(message, workflowID, p.GetData())
}

// isFault reports whether err is one of the library's without a kind.
func isFault(err error) bool {
	e, ok := errors.AsType[*library.Error](err)
	return ok && e.Kind == ""
}
