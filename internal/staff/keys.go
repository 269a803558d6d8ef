package staff

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"fileroom/internal/library"
)

// maxKeyFile is the most bytes of a key file that are read.
const maxKeyFile = 1 << 20

// A SigningKey is an Ed25519 key with which a door signs. However it is
// printed, logged or encoded, the key does not show.
type SigningKey struct {
	ID      string // Made from the public key.
	private ed25519.PrivateKey
}

// NewSigningKey returns a new random key.
func NewSigningKey() (SigningKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return SigningKey{}, library.Fault("make signing key", "", err)
	}
	return SigningKey{ID: keyID(public), private: private}, nil
}

// keyID makes an id that belongs to no other key.
func keyID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:8])
}

// Public returns the public half.
func (k SigningKey) Public() PublicKey {
	public, _ := k.private.Public().(ed25519.PublicKey) // It is never anything else.
	return PublicKey{ID: k.ID, Key: public}
}

// Format implements [fmt.Formatter] and shows the id alone.
func (k SigningKey) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "[signing key %s]", k.ID) }

// LogValue implements [slog.LogValuer] and shows the id alone.
func (k SigningKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

// MarshalJSON always fails: [WriteSigningKey] is how a key is written.
func (SigningKey) MarshalJSON() ([]byte, error) {
	return nil, errors.New("signing key may not be marshalled")
}

// A PublicKey is the half of a [SigningKey] with which a worker verifies.
type PublicKey struct {
	ID  string            `json:"id"`
	Key ed25519.PublicKey `json:"key"` // 32 bytes, in base64.

	// RetiredAt is when the key went out of use, or zero. What it signed before
	// stays good; what is dated later is refused.
	RetiredAt time.Time `json:"retired_at,omitzero"`
}

// PublicKeys are all keys that ever signed, the retired among them.
type PublicKeys []PublicKey

func (ks PublicKeys) key(id string) (PublicKey, bool) {
	for _, k := range ks {
		if k.ID == id {
			return k, true
		}
	}
	return PublicKey{}, false
}

// With returns the keys with one more. Adding a key twice is harmless.
func (ks PublicKeys) With(k PublicKey) PublicKeys {
	if _, ok := ks.key(k.ID); ok {
		return ks
	}
	return append(slices.Clip(ks), k)
}

// Retire returns the keys with one retired at a time, or a [library.NotFound].
func (ks PublicKeys) Retire(id string, at time.Time) (PublicKeys, error) {
	if _, ok := ks.key(id); !ok {
		return nil, library.Errorf(library.NotFound, "retire key", id, "there is no such key")
	}
	out := append(PublicKeys(nil), ks...)
	for i := range out {
		if out[i].ID == id {
			out[i].RetiredAt = at.UTC()
		}
	}
	return out, nil
}

// keyFile is a signing key as it is stored.
type keyFile struct {
	ID   string `json:"id"`
	Seed []byte `json:"seed"` // 32 bytes (RFC 8032 section 5.1.5).
}

// WriteSigningKey writes a key to a new file of mode 0600. An existing file is
// a [library.Conflict].
func WriteSigningKey(path string, k SigningKey) error {
	const op = "write signing key"
	b, err := json.MarshalIndent(keyFile{ID: k.ID, Seed: k.private.Seed()}, "", "  ")
	if err != nil {
		return library.Fault(op, k.ID, err)
	}
	err = place(path, append(b, '\n'), 0o600, os.Link)
	if errors.Is(err, fs.ErrExist) {
		return library.Errorf(library.Conflict, op, k.ID, "there is a file %s already", path)
	}
	return library.Fault(op, k.ID, err)
}

// ReadSigningKey reads a key from a file, which nobody but its owner may be
// able to read or write (mode 0600 or 0400).
func ReadSigningKey(path string) (SigningKey, error) {
	const op = "read signing key"
	b, mode, err := read(op, path)
	if err != nil {
		return SigningKey{}, err
	}
	if mode&0o077 != 0 {
		return SigningKey{}, library.Errorf(library.Invalid, op, "", "%s is open to others (mode %04o): chmod 600 it", path, mode)
	}
	var f keyFile
	if json.Unmarshal(b, &f) != nil || len(f.Seed) != ed25519.SeedSize {
		return SigningKey{}, library.Errorf(library.Invalid, op, "", "%s is not a signing key", path)
	}
	k := SigningKey{ID: f.ID, private: ed25519.NewKeyFromSeed(f.Seed)}
	if k.ID != keyID(k.Public().Key) {
		return SigningKey{}, library.Errorf(library.Invalid, op, "", "the id in %s does not belong to its key", path)
	}
	return k, nil
}

// publicFile is a list of public keys as it is stored.
type publicFile struct {
	Keys PublicKeys `json:"keys"`
}

// WritePublicKeys writes keys to a file, in place of what is there, whole or
// not at all.
func WritePublicKeys(path string, ks PublicKeys) error {
	const op = "write public keys"
	b, err := json.MarshalIndent(publicFile{Keys: ks}, "", "  ")
	if err != nil {
		return library.Fault(op, "", err)
	}
	return library.Fault(op, "", place(path, append(b, '\n'), 0o644, os.Rename))
}

// ReadPublicKeys reads keys from a file, which others may read but not write:
// who can add a key to it can be anybody.
func ReadPublicKeys(path string) (PublicKeys, error) {
	const op = "read public keys"
	b, mode, err := read(op, path)
	if err != nil {
		return nil, err
	}
	if mode&0o022 != 0 {
		return nil, library.Errorf(library.Invalid, op, "", "%s can be written by others (mode %04o): chmod 644 it", path, mode)
	}
	var f publicFile
	if json.Unmarshal(b, &f) != nil {
		return nil, library.Errorf(library.Invalid, op, "", "%s is not a list of public keys", path)
	}
	for _, k := range f.Keys {
		if len(k.Key) != ed25519.PublicKeySize || k.ID != keyID(k.Key) {
			return nil, library.Errorf(library.Invalid, op, "", "a key in %s is malformed", path)
		}
	}
	return f.Keys, nil
}

func read(op, path string) ([]byte, fs.FileMode, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, library.Errorf(library.NotFound, op, "", "there is no file %s", path)
	}
	if err != nil {
		return nil, 0, library.Fault(op, "", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, library.Fault(op, "", err)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	return b, info.Mode().Perm(), library.Fault(op, "", err)
}

// place writes a file beside path and then gives it its name with install.
func place(path string, b []byte, mode fs.FileMode, install func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*") // Of mode 0600.
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return install(f.Name(), path)
}
