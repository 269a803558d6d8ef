package vault

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"fileroom/internal/library"
)

// staleAfter is how long an unfinished file lies untouched before it is taken
// for the remains of a crash. A Put that pauses longer than this fails.
const staleAfter = 24 * time.Hour

// A Document is what [Folder.Put] kept.
type Document struct {
	Digest string // SHA-256 of the content, as 64 lower-case hex digits.
	Size   int64  // Bytes of content.
}

// Folder keeps documents in a folder, each encrypted in a file of its own.
// Several processes may share one. It is made by [NewFolder].
//
// A document's file is named by a keyed digest of its digest, so the folder
// does not tell somebody with a copy of a document that it is there.
type Folder struct {
	path string
	ring *Keyring
}

// NewFolder returns the store in the folder path, which it creates (mode 0700)
// if need be, and clears away what a crash left unfinished a day ago or more.
func NewFolder(path string, ring *Keyring) (*Folder, error) {
	const op = "open vault"
	f := &Folder{path: path, ring: ring}
	if err := os.MkdirAll(f.unfinished(), 0o700); err != nil {
		return nil, library.Fault(op, "", err)
	}
	if err := f.sweep(time.Now().Add(-staleAfter)); err != nil {
		return nil, library.Fault(op, "", err)
	}
	return f, nil
}

// ReadFolder returns the store in the folder path for a process that only
// reads, and may have no right to write there.
func ReadFolder(path string, ring *Keyring) (*Folder, error) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return nil, library.Errorf(library.NotFound, "open vault", "", "the folder %s is not there", path)
	}
	return &Folder{path: path, ring: ring}, nil
}

// unfinished is where files are until they are whole.
func (f *Folder) unfinished() string { return filepath.Join(f.path, "tmp") }

// sweep removes unfinished files last written before a time.
func (f *Folder) sweep(before time.Time) error {
	entries, err := os.ReadDir(f.unfinished())
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // Another process was quicker.
		}
		if err != nil {
			return err
		}
		if info.ModTime().After(before) {
			continue
		}
		if err := os.Remove(filepath.Join(f.unfinished(), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Put keeps what r holds, and returns once it is safely on the disk. Putting
// the same content again is harmless and stores nothing more. Content of more
// than limit bytes is [library.Invalid] and leaves nothing behind, as does an
// error of r, which is returned with its kind.
//
// Memory does not grow with the content.
func (f *Folder) Put(ctx context.Context, r io.Reader, limit int64) (Document, error) {
	const op = "keep document"
	w, err := f.create(op)
	if err != nil {
		return Document{}, err
	}
	defer w.discard()
	doc, err := w.write(ctx, r, limit)
	if err != nil {
		return Document{}, err
	}
	if err := f.install(w, doc); err != nil {
		return Document{}, library.Fault(op, doc.Digest, err)
	}
	return doc, nil
}

// create begins an unfinished file.
func (f *Folder) create(op string) (*writer, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // Never fails.
	h := header{keyID: f.ring.active}
	copy(h.salt[:], salt)
	s, err := newSealer(op, f.ring, h)
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(f.unfinished(), "put-*") // Of mode 0600.
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	return &writer{op: op, file: file, header: h, sealer: s}, nil
}

// install gives a finished file its name, unless its content is there already.
func (f *Folder) install(w *writer, doc Document) error {
	path, found, err := f.find(doc.Digest)
	if err != nil {
		return err
	}
	if found && f.intact(path, doc) {
		// Whoever wrote it may not have got to this yet, and we vouch for it.
		return syncDir(filepath.Dir(path))
	}
	path, err = f.name(doc.Digest, f.ring.active)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.Rename(w.file.Name(), path); err != nil {
		return err
	}
	w.installed = true
	if err := syncDir(dir); err != nil {
		return err
	}
	return syncDir(f.path)
}

// intact reports whether the file at path has the header and the length of the
// file of doc. One that has not is replaced when its content is put again.
func (f *Folder) intact(path string, doc Document) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	r, err := newReader("keep document", file, f.ring, doc.Digest)
	return err == nil && r.size == doc.Size
}

// Open returns the content of the document with the given digest. The reader
// is not safe for concurrent use.
//
// A document that is not there is [library.NotFound]. One that was cut,
// damaged, tampered with or exchanged for another is [library.Invalid], from
// Open or from the read that meets it: what was read before that is genuine,
// but only io.EOF says that it was everything. One under a key that the ring
// lacks is a fault that names the key.
func (f *Folder) Open(ctx context.Context, digest string) (io.ReadCloser, error) {
	const op = "open document"
	if err := ctx.Err(); err != nil {
		return nil, library.Fault(op, "", err)
	}
	if b, err := hex.DecodeString(digest); err != nil || len(b) != sha256.Size || hex.EncodeToString(b) != digest {
		return nil, library.Errorf(library.Invalid, op, "", "not a digest of 64 lower-case hex digits")
	}
	path, found, err := f.find(digest)
	if err != nil {
		return nil, library.Fault(op, digest, err)
	}
	if !found {
		return nil, library.Errorf(library.NotFound, op, digest, "not in the vault")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, library.Fault(op, digest, err)
	}
	r, err := newReader(op, file, f.ring, digest)
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	r.ctx = ctx
	return r, nil
}

// find returns the file of a document: its name depends on the key that was
// active when it was put.
func (f *Folder) find(digest string) (path string, found bool, err error) {
	for _, id := range f.ring.IDs() {
		path, err := f.name(digest, id)
		if err != nil {
			return "", false, err
		}
		_, err = os.Lstat(path)
		switch {
		case err == nil:
			return path, true, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", false, err
		}
	}
	return "", false, nil
}

// name returns where a document lies that was put under a key.
func (f *Folder) name(digest, keyID string) (string, error) {
	key, err := f.ring.derive("name document", keyID, forNames, nil)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, digest)
	name := hex.EncodeToString(mac.Sum(nil))
	return filepath.Join(f.path, name[:2], name[2:]), nil
}
