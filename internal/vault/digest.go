package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"fileroom/internal/library"
)

// Digests makes and checks keyed digests for one purpose. Without the ring
// nobody can make one, or try out what a digest is of.
type Digests struct {
	ring    *Keyring
	purpose string
}

// Digests returns the digests for a purpose, a name that is never reused for
// another: digests for one purpose are worth nothing for the next.
func (k *Keyring) Digests(purpose string) Digests { return Digests{ring: k, purpose: purpose} }

// Sum returns the digest of parts, in their order and with the borders between
// them, under the active key: "<key id>:<64 hex digits>".
func (d Digests) Sum(parts ...[]byte) (string, error) {
	sum, err := d.sum("digest", d.ring.active, parts)
	if err != nil {
		return "", err
	}
	return d.ring.active + ":" + hex.EncodeToString(sum), nil
}

// Check says whether sum is the digest of parts, under whichever key of the
// ring made it. That it is not is [library.Invalid].
func (d Digests) Check(sum string, parts ...[]byte) error {
	const op = "check digest"
	id, digits, _ := strings.Cut(sum, ":")
	got, err := hex.DecodeString(digits)
	if err != nil || len(got) != sha256.Size {
		return library.Errorf(library.Invalid, op, "", "malformed")
	}
	want, err := d.sum(op, id, parts)
	if err != nil {
		return err
	}
	if !hmac.Equal(got, want) {
		return library.Errorf(library.Invalid, op, "", "does not match")
	}
	return nil
}

func (d Digests) sum(op, id string, parts [][]byte) ([]byte, error) {
	key, err := d.ring.derive(op, id, forDigests+d.purpose, nil)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		_, _ = mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		_, _ = mac.Write(p)
	}
	return mac.Sum(nil), nil
}
