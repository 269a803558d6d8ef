package vault

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"fileroom/internal/library"
)

const (
	keySize   = 32 // Bytes: AES-256 and HMAC-SHA-256.
	maxKeyID  = 63 // Bytes.
	maxKeys   = 64
	maxKeying = 64 << 10 // Bytes of a key ring's file.
)

// What the sub-keys of a ring are for. They are part of what is stored: never
// change one.
const (
	forDocuments = "fileroom document v1"
	forNames     = "fileroom document name v1"
	forPayloads  = "fileroom payload v1"
	forDigests   = "fileroom digest v1: "
)

// A Keyring is a set of 256-bit keys, one of them active. It cannot be changed;
// [Keyring.Add], [Keyring.Activate] and [Keyring.Drop] return a changed copy.
// However it is printed, logged or encoded, no key shows.
type Keyring struct {
	active string
	keys   map[string][]byte
}

// NewKeyring returns a ring with one new random key, which is active.
func NewKeyring() *Keyring {
	id := newKeyID()
	return &Keyring{active: id, keys: map[string][]byte{id: newKey()}}
}

func newKeyID() string {
	b := make([]byte, 4)
	_, _ = rand.Read(b) // Never fails.
	return "k" + hex.EncodeToString(b)
}

func newKey() []byte {
	b := make([]byte, keySize)
	_, _ = rand.Read(b) // Never fails.
	return b
}

// Add returns the ring with one more random key, not yet active, and its id.
func (k *Keyring) Add() (*Keyring, string) {
	id := newKeyID()
	for k.keys[id] != nil {
		id = newKeyID()
	}
	keys := maps.Clone(k.keys)
	keys[id] = newKey()
	return &Keyring{active: k.active, keys: keys}, id
}

// Activate returns the ring with another of its keys active.
func (k *Keyring) Activate(id string) (*Keyring, error) {
	if k.keys[id] == nil {
		return nil, missing("activate key", id)
	}
	return &Keyring{active: id, keys: k.keys}, nil
}

// Drop returns the ring without a key. What is encrypted under that key can
// never be read again. The active key cannot be dropped.
func (k *Keyring) Drop(id string) (*Keyring, error) {
	const op = "drop key"
	switch {
	case k.keys[id] == nil:
		return nil, missing(op, id)
	case id == k.active:
		return nil, library.Errorf(library.Conflict, op, id, "it is the active key")
	}
	keys := maps.Clone(k.keys)
	delete(keys, id)
	return &Keyring{active: k.active, keys: keys}, nil
}

// Active returns the id of the key that encrypts.
func (k *Keyring) Active() string { return k.active }

// IDs returns the ids of all keys, the active one first.
func (k *Keyring) IDs() []string {
	ids := []string{k.active}
	for _, id := range slices.Sorted(maps.Keys(k.keys)) {
		if id != k.active {
			ids = append(ids, id)
		}
	}
	return ids
}

// Format implements [fmt.Formatter] and shows no key.
func (k *Keyring) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[key ring]") }

// LogValue implements [slog.LogValuer] and shows no key.
func (k *Keyring) LogValue() slog.Value { return slog.StringValue("[key ring]") }

// MarshalJSON always fails: [WriteKeyring] is how a ring is written.
func (k *Keyring) MarshalJSON() ([]byte, error) {
	return nil, errors.New("key ring may not be marshalled")
}

// derive returns the key for one purpose that belongs to the ring's key id. The
// salt may be nil. An unknown id is a fault without a kind: an operator can
// bring the key, and then the same call succeeds.
func (k *Keyring) derive(op, id, purpose string, salt []byte) ([]byte, error) {
	secret, ok := k.keys[id]
	if !ok {
		return nil, missing(op, id)
	}
	key, err := hkdf.Key(sha256.New, secret, salt, purpose, keySize)
	if err != nil {
		return nil, library.Fault(op, id, err)
	}
	return key, nil
}

// missing says which key is needed. The id may be foreign: it is shown only
// when it could be an id.
func missing(op, id string) error {
	if !validKeyID(id) {
		return library.Errorf(library.Invalid, op, "", "the key id is malformed")
	}
	return library.Errorf("", op, "", "key %s is not in the key ring: add it, or nothing written under it can be read", id)
}

func validKeyID(id string) bool {
	if id == "" || len(id) > maxKeyID {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// ringFile is a key ring as it is stored.
type ringFile struct {
	Active string            `json:"active"`
	Keys   map[string]string `json:"keys"` // 32 bytes each, in standard base64.
}

// ParseKeyring reads a ring from JSON, as found in a file or an environment
// variable: {"active": "k1", "keys": {"k1": "<32 bytes in base64>", ...}}. Its
// errors never show a key.
func ParseKeyring(b []byte) (*Keyring, error) {
	const op = "read key ring"
	var f ringFile
	if len(b) > maxKeying || json.Unmarshal(b, &f) != nil {
		return nil, library.Errorf(library.Invalid, op, "", `not a key ring: {"active": id, "keys": {id: base64}} is wanted`)
	}
	if len(f.Keys) > maxKeys {
		return nil, library.Errorf(library.Invalid, op, "", "more than %d keys", maxKeys)
	}
	k := &Keyring{active: f.Active, keys: make(map[string][]byte, len(f.Keys))}
	for id, text := range f.Keys {
		key, err := base64.StdEncoding.DecodeString(text)
		if !validKeyID(id) {
			return nil, library.Errorf(library.Invalid, op, "", "a key id is malformed: use up to %d of a-z A-Z 0-9 - _ .", maxKeyID)
		}
		if err != nil || len(key) != keySize {
			return nil, library.Errorf(library.Invalid, op, "", "key %s is not %d bytes in base64", id, keySize)
		}
		k.keys[id] = key
	}
	if k.keys[k.active] == nil {
		return nil, library.Errorf(library.Invalid, op, "", "the active key is not among the keys")
	}
	return k, nil
}

// ReadKeyring reads a ring from a file, which nobody but its owner may be able
// to read or write (mode 0600 or 0400).
func ReadKeyring(path string) (*Keyring, error) {
	const op = "read key ring"
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, library.Errorf(library.NotFound, op, "", "there is no file %s", path)
	}
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, library.Errorf(library.Invalid, op, "", "%s is open to others (mode %04o): chmod 600 it", path, mode)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeying+1))
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	return ParseKeyring(b)
}

// WriteKeyring writes a ring to a file of mode 0600, durably and whole or not
// at all. It refuses, as a [library.Conflict], to overwrite a file with keys
// that the ring lacks: to lose a key is to lose what it encrypts.
func WriteKeyring(path string, k *Keyring) error {
	const op = "write key ring"
	switch old, err := ReadKeyring(path); {
	case library.KindOf(err) == library.NotFound:
	case err != nil:
		return err
	default:
		for id, key := range old.keys {
			if string(k.keys[id]) != string(key) {
				return library.Errorf(library.Conflict, op, "", "%s holds key %s, which would be lost", path, id)
			}
		}
	}
	f := ringFile{Active: k.active, Keys: make(map[string]string, len(k.keys))}
	for id, key := range k.keys {
		f.Keys[id] = base64.StdEncoding.EncodeToString(key)
	}
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return library.Fault(op, "", err)
	}
	return library.Fault(op, "", writeWhole(path, append(b, '\n')))
}

// writeWhole replaces a file by one of mode 0600 that is on the disk when it
// returns.
func writeWhole(path string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*") // Of mode 0600.
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(b); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the names in a folder durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}
