package vault

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"

	"fileroom/internal/library"
)

// A document's file is a header and then the content in segments, each sealed
// with AES-256-GCM under a key that only this file uses: it is derived from the
// ring's key and a random salt. The nonce of a segment is its number and
// whether it is the last (the STREAM construction of Hoang, Reyhanitabar,
// Rogaway and Vizár, 2015), so segments cannot be moved, dropped or added.
//
//	offset  bytes
//	     0      8  magic
//	     8      1  length of the key id
//	     9     63  key id, padded with zeros
//	    72     32  salt
//	   104      8  size of the content, big-endian
//	   112     32  HMAC-SHA-256 of the above and the content's digest
//	   144         segments: 64 KiB of content and a 16-byte tag each; the last
//	               is shorter, and is there even when the content is empty
const (
	magic       = "FRVAULT1"
	saltSize    = 32
	macOffset   = 112
	headerSize  = macOffset + sha256.Size
	segmentSize = 64 << 10
	tagSize     = 16
)

// What the two keys of a file are for.
const (
	forContent = forDocuments + " content"
	forHeader  = forDocuments + " header"
)

type header struct {
	keyID string
	salt  [saltSize]byte
	size  int64
}

// marshal returns the header without its MAC.
func (h header) marshal() []byte {
	b := make([]byte, macOffset)
	copy(b, magic)
	b[8] = byte(len(h.keyID)) //nolint:gosec // G115: at most maxKeyID.
	copy(b[9:72], h.keyID)
	copy(b[72:104], h.salt[:])
	binary.BigEndian.PutUint64(b[104:], uint64(h.size)) //nolint:gosec // G115: never negative.
	return b
}

// parseHeader reads a header, of which nothing is believed before its MAC is
// checked.
func parseHeader(b []byte) (h header, ok bool) {
	if len(b) < macOffset || string(b[:8]) != magic || b[8] > maxKeyID {
		return header{}, false
	}
	h.keyID = string(b[9 : 9+b[8]])
	copy(h.salt[:], b[72:104])
	size := binary.BigEndian.Uint64(b[104:])
	const most = 1 << 50 // Bytes: far beyond any document, far below an overflow.
	if size > most {
		return header{}, false
	}
	h.size = int64(size)
	return h, validKeyID(h.keyID) && bytes.Equal(h.marshal(), b[:macOffset])
}

// segments returns how many segments hold size bytes.
func segments(size int64) int64 { return max(1, (size+segmentSize-1)/segmentSize) }

// fileSize returns how long the file of size bytes of content is.
func fileSize(size int64) int64 { return headerSize + size + segments(size)*tagSize }

// A sealer seals or opens the segments of one file, in their order.
type sealer struct {
	aead   cipher.AEAD
	macKey []byte
	next   uint64
}

func newSealer(op string, ring *Keyring, h header) (*sealer, error) {
	key, err := ring.derive(op, h.keyID, forContent, h.salt[:])
	if err != nil {
		return nil, err
	}
	macKey, err := ring.derive(op, h.keyID, forHeader, h.salt[:])
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	return &sealer{aead: aead, macKey: macKey}, nil
}

// mac authenticates a header, and binds the file to the digest it is asked by.
func (s *sealer) mac(h header, digest string) []byte {
	mac := hmac.New(sha256.New, s.macKey)
	_, _ = mac.Write(h.marshal())
	_, _ = io.WriteString(mac, digest)
	return mac.Sum(nil)
}

// nonce returns the nonce of the next segment.
func (s *sealer) nonce(last bool) []byte {
	n := make([]byte, 12)
	binary.BigEndian.PutUint64(n[3:11], s.next)
	if last {
		n[11] = 1
	}
	s.next++
	return n
}

// A writer writes one document's file.
type writer struct {
	op     string
	file   *os.File
	header header
	sealer *sealer
	sum    hash.Hash

	installed bool // The file has its name.
}

// write encrypts r into the file and makes it durable.
func (w *writer) write(ctx context.Context, r io.Reader, limit int64) (Document, error) {
	// The header is written last, when digest and size are known.
	if _, err := w.file.Seek(headerSize, io.SeekStart); err != nil {
		return Document{}, library.Fault(w.op, "", err)
	}
	w.sum = sha256.New()
	size, err := w.seal(ctx, r, limit)
	if err != nil {
		return Document{}, err
	}
	doc := Document{Digest: hex.EncodeToString(w.sum.Sum(nil)), Size: size}
	w.header.size = size
	head := append(w.header.marshal(), w.sealer.mac(w.header, doc.Digest)...)
	if _, err := w.file.WriteAt(head, 0); err != nil {
		return Document{}, library.Fault(w.op, "", err)
	}
	return doc, library.Fault(w.op, "", w.file.Sync())
}

// seal writes the segments and returns how many bytes r held. It reads one
// segment ahead, for a full segment may be the last.
func (w *writer) seal(ctx context.Context, r io.Reader, limit int64) (int64, error) {
	// One byte beyond the limit is enough to know that there is too much.
	r = io.LimitReader(r, min(limit, 1<<50)+1)
	segment, ahead := make([]byte, segmentSize), make([]byte, segmentSize)
	sealed := make([]byte, 0, segmentSize+tagSize)
	n, err := w.fill(ctx, r, segment)
	if err != nil {
		return 0, err
	}
	var size int64
	for {
		var more int
		if n == segmentSize {
			if more, err = w.fill(ctx, r, ahead); err != nil {
				return 0, err
			}
		}
		if size += int64(n); size > limit {
			return 0, library.Errorf(library.Invalid, w.op, "", "larger than the limit of %d bytes", limit)
		}
		_, _ = w.sum.Write(segment[:n])
		last := more == 0
		sealed = w.sealer.aead.Seal(sealed[:0], w.sealer.nonce(last), segment[:n], nil)
		if _, err := w.file.Write(sealed); err != nil {
			return 0, library.Fault(w.op, "", err)
		}
		if last {
			return size, nil
		}
		segment, ahead, n = ahead, segment, more
	}
}

// fill reads until b is full or r ends. It is not [io.ReadFull], which says of
// a connection that broke (io.ErrUnexpectedEOF) what it says of one that ended:
// half a document must not pass for a whole one.
func (w *writer) fill(ctx context.Context, r io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		if err := ctx.Err(); err != nil {
			return 0, library.Fault(w.op, "", err)
		}
		var more int
		more, err = r.Read(b[n:])
		n += more
	}
	if err == nil || err == io.EOF { // Only io.EOF itself is an end.
		return n, nil
	}
	return 0, &library.Error{Kind: library.KindOf(err), Op: w.op, Err: err}
}

// discard removes the file, unless it has its name by now.
func (w *writer) discard() {
	_ = w.file.Close()
	if !w.installed {
		_ = os.Remove(w.file.Name())
	}
}

// A reader reads one document's file.
type reader struct {
	ctx    context.Context //nolint:containedctx // A reader lives as long as the call that opened it.
	op     string
	digest string
	file   *os.File
	sealer *sealer
	size   int64
	left   int64 // Segments.
	sealed []byte
	plain  []byte // What is opened and not yet read.
	err    error
}

// newReader checks that file is, by header and length, the file of the
// document with the given digest.
func newReader(op string, file *os.File, ring *Keyring, digest string) (*reader, error) {
	head := make([]byte, headerSize)
	if _, err := io.ReadFull(file, head); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, damaged(op, digest)
		}
		return nil, library.Fault(op, digest, err)
	}
	h, ok := parseHeader(head)
	if !ok {
		return nil, damaged(op, digest)
	}
	s, err := newSealer(op, ring, h)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(s.mac(h, digest), head[macOffset:]) {
		return nil, damaged(op, digest)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, library.Fault(op, digest, err)
	}
	if info.Size() != fileSize(h.size) {
		return nil, damaged(op, digest)
	}
	return &reader{
		ctx: context.Background(), op: op, digest: digest, file: file, sealer: s,
		size: h.size, left: segments(h.size),
		sealed: make([]byte, segmentSize+tagSize),
	}, nil
}

func damaged(op, digest string) error {
	return library.Errorf(library.Invalid, op, digest, "damaged, cut, exchanged or tampered with")
}

// Read implements [io.Reader].
func (r *reader) Read(p []byte) (int, error) {
	for len(r.plain) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		if len(p) == 0 {
			return 0, nil
		}
		r.err = r.open()
	}
	n := copy(p, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

// open opens the next segment.
func (r *reader) open() error {
	if err := r.ctx.Err(); err != nil {
		return library.Fault(r.op, r.digest, err)
	}
	if r.left == 0 {
		return io.EOF
	}
	last := r.left == 1
	n := segmentSize
	if last {
		n = int(r.size - (segments(r.size)-1)*segmentSize)
	}
	sealed := r.sealed[:n+tagSize]
	if _, err := io.ReadFull(r.file, sealed); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return damaged(r.op, r.digest) // Cut since it was opened.
		}
		return library.Fault(r.op, r.digest, err)
	}
	plain, err := r.sealer.aead.Open(sealed[:0], r.sealer.nonce(last), sealed, nil)
	if err != nil {
		return damaged(r.op, r.digest)
	}
	r.plain, r.left = plain, r.left-1
	return nil
}

// Close implements [io.Closer].
func (r *reader) Close() error {
	r.err = library.Errorf(library.Invalid, r.op, r.digest, "read after close")
	r.plain = nil
	return r.file.Close()
}
