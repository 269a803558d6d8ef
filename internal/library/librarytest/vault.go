package librarytest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"

	"fileroom/internal/library"
)

// A Vault keeps documents by their digest, in memory. The zero value is empty
// and ready; it is safe for concurrent use.
type Vault struct {
	mu        sync.Mutex
	documents map[string][]byte
}

// Put keeps what r holds and returns its SHA-256, in hexadecimal, and its size
// in bytes. The same content put twice is kept once. More than limit bytes are
// [library.Invalid], and then nothing is kept.
func (v *Vault) Put(ctx context.Context, r io.Reader, limit int64) (digest string, size int64, err error) {
	const op = "put document"
	if err := ctx.Err(); err != nil {
		return "", 0, library.Fault(op, "", err)
	}
	document, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return "", 0, library.Fault(op, "", err)
	}
	if int64(len(document)) > limit {
		return "", 0, library.Errorf(library.Invalid, op, "", "larger than %d bytes", limit)
	}
	sum := sha256.Sum256(document)
	digest = hex.EncodeToString(sum[:])

	v.mu.Lock()
	defer v.mu.Unlock()
	if v.documents == nil {
		v.documents = map[string][]byte{}
	}
	v.documents[digest] = document
	return digest, int64(len(document)), nil
}

// Open returns the document of a digest, or a [library.NotFound] error.
func (v *Vault) Open(ctx context.Context, digest string) (io.ReadCloser, error) {
	const op = "open document"
	if err := ctx.Err(); err != nil {
		return nil, library.Fault(op, digest, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	document, ok := v.documents[digest]
	if !ok {
		return nil, library.Errorf(library.NotFound, op, digest, "not in the vault")
	}
	return io.NopCloser(bytes.NewReader(document)), nil
}
