package vault

import (
	"crypto/aes"
	"crypto/cipher"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"

	"fileroom/internal/library"
)

// How an encrypted payload is marked. These two are all that shows of it, with
// its length.
const (
	// EncryptedEncoding is the payload encoding of what [Codec] encrypts.
	EncryptedEncoding = "binary/encrypted"

	// KeyIDMetadata names the key of the ring that encrypted a payload.
	KeyIDMetadata = "encryption-key-id"
)

// maxPayload is the most bytes that Decode looks at. Temporal itself refuses
// payloads beyond 2 MiB; 4 MiB is the most that gRPC carries.
const maxPayload = 8 << 20

// Codec encrypts payloads with AES-256-GCM: the whole payload with all its
// metadata, under the active key of the ring, with a random nonce.
//
// The marks and the key id are authenticated with the content. The workflow is
// not: the codec endpoint that the Temporal UI asks is not told which one a
// payload belongs to. What staff say is bound to its workflow by its signature
// (package staff), and what moves nothing does not need to be.
type Codec struct {
	active string
	aeads  map[string]cipher.AEAD // By key id.
}

var _ converter.PayloadCodec = (*Codec)(nil)

// NewCodec returns the codec of a ring.
func NewCodec(ring *Keyring) (*Codec, error) {
	c := &Codec{active: ring.active, aeads: make(map[string]cipher.AEAD, len(ring.keys))}
	for id := range ring.keys {
		key, err := ring.derive("make codec", id, forPayloads, nil)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, library.Fault("make codec", id, err)
		}
		if c.aeads[id], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, library.Fault("make codec", id, err)
		}
	}
	return c, nil
}

// Encode encrypts each payload. One that a key of the ring encrypted already
// stays as it is, so that what passes two encoders is not sealed twice.
func (c *Codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	const op = "encrypt payload"
	aead := c.aeads[c.active]
	result := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		if isEncrypted(p) {
			if _, err := c.Decode([]*commonpb.Payload{p}); err == nil {
				result[i] = p
				continue
			}
		}
		plain, err := proto.Marshal(p)
		if err != nil {
			return nil, library.Errorf(library.Invalid, op, "", "malformed payload")
		}
		result[i] = &commonpb.Payload{
			Metadata: map[string][]byte{
				converter.MetadataEncoding: []byte(EncryptedEncoding),
				KeyIDMetadata:              []byte(c.active),
			},
			Data: aead.Seal(nil, nil, plain, payloadContext(c.active)), //nolint:gosec // G407: the AEAD makes the nonce, at random.
		}
	}
	return result, nil
}

// Decode decrypts each payload that [Codec.Encode] made. One that is not
// encrypted is returned as it is: what the Temporal UI sends without its codec
// endpoint, and what was written before there was a key, must stay readable.
// It gains nobody anything, for nothing is believed because it decrypts.
//
// A damaged payload is [library.Invalid]; one under a key that the ring lacks
// is a fault that names the key.
func (c *Codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	const op = "decrypt payload"
	result := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		if !isEncrypted(p) {
			result[i] = p
			continue
		}
		id := string(p.GetMetadata()[KeyIDMetadata])
		aead, ok := c.aeads[id]
		if !ok {
			return nil, missing(op, id)
		}
		if len(p.GetData()) > maxPayload {
			return nil, library.Errorf(library.Invalid, op, "", "larger than %d bytes", maxPayload)
		}
		plain, err := aead.Open(nil, nil, p.GetData(), payloadContext(id))
		if err != nil {
			return nil, library.Errorf(library.Invalid, op, "", "damaged or tampered with")
		}
		result[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(plain, result[i]); err != nil {
			return nil, library.Errorf(library.Invalid, op, "", "malformed payload")
		}
	}
	return result, nil
}

func isEncrypted(p *commonpb.Payload) bool {
	return string(p.GetMetadata()[converter.MetadataEncoding]) == EncryptedEncoding
}

// payloadContext is what is authenticated beside the content.
func payloadContext(keyID string) []byte {
	return []byte(EncryptedEncoding + "\x00" + keyID)
}

// DataConverter returns Temporal's usual data converter with all payloads
// encrypted under ring.
func DataConverter(ring *Keyring) (converter.DataConverter, error) {
	c, err := NewCodec(ring)
	if err != nil {
		return nil, err
	}
	return converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), c), nil
}

// FailureConverter returns Temporal's usual failure converter with messages
// and stack traces encrypted under ring.
func FailureConverter(ring *Keyring) (converter.FailureConverter, error) {
	dc, err := DataConverter(ring)
	if err != nil {
		return nil, err
	}
	return temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter:          dc,
		EncodeCommonAttributes: true,
	}), nil
}
