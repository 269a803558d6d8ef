package vault_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/vault"
)

// TestTamperingIsFound changes a file in every way that its layout offers.
func TestTamperingIsFound(t *testing.T) {
	t.Parallel()

	const sealed, head = segment + 16, 144
	swap := func(b []byte) []byte {
		out := bytes.Clone(b)
		copy(out[head:], b[head+sealed:head+2*sealed])
		copy(out[head+sealed:], b[head:head+sealed])
		return out
	}
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte {
			out := bytes.Clone(b)
			out[(at+len(out))%len(out)] ^= 1
			return out
		}
	}
	tests := map[string]func(b []byte) []byte{
		"magic":                     flip(0),
		"key id length":             flip(8),
		"key id":                    flip(9),
		"key id padding":            flip(71),
		"salt":                      flip(72),
		"size, low":                 flip(111),
		"size, high":                flip(104),
		"header MAC":                flip(112),
		"first byte of content":     flip(head),
		"second segment":            flip(head + sealed),
		"tag of first segment":      flip(head + sealed - 1),
		"last byte":                 flip(-1),
		"segments swapped":          swap,
		"first segment dropped":     func(b []byte) []byte { return append(bytes.Clone(b[:head]), b[head+sealed:]...) },
		"last segment dropped":      func(b []byte) []byte { return b[:head+2*sealed] },
		"first segment twice":       func(b []byte) []byte { return append(bytes.Clone(b[:head+sealed]), b[head:]...) },
		"cut by a byte":             func(b []byte) []byte { return b[:len(b)-1] },
		"cut in the header":         func(b []byte) []byte { return b[:100] },
		"header alone":              func(b []byte) []byte { return b[:head] },
		"empty":                     func([]byte) []byte { return nil },
		"a byte more":               func(b []byte) []byte { return append(bytes.Clone(b), 0) },
		"the file twice":            func(b []byte) []byte { return append(bytes.Clone(b), b...) },
		"content in clear":          func([]byte) []byte { return noise(2*segment + 5) },
		"cut and its size made fit": func(b []byte) []byte { return resized(b[:head+2*sealed], 2*segment) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			dir := t.TempDir()
			f := newFolder(t, dir, vault.NewKeyring())
			content := noise(2*segment + 5)
			doc := put(t, f, content)
			path := files(t, dir)[0]
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, change(b), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := get(t.Context(), f, doc.Digest)
			// A changed key id is a key that is missing, which has no kind.
			if err == nil || (library.KindOf(err) != library.Invalid && name != "key id") {
				t.Errorf("read %d bytes, error %v of kind %q", len(got), err, library.KindOf(err))
			}
			if !bytes.HasPrefix(content, got) {
				t.Error("gave out bytes that were never put")
			}
		})
	}
}

func resized(b []byte, size int) []byte {
	out := bytes.Clone(b)
	for i := range 8 {
		out[111-i] = byte(size >> (8 * i))
	}
	return out
}

func TestExchangedDocumentIsFound(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	f := newFolder(t, dir, vault.NewKeyring())
	one := put(t, f, []byte("the first"))
	path := files(t, dir)[0]
	put(t, f, []byte("another"))
	var other string
	for _, p := range files(t, dir) {
		if p != path {
			other = p
		}
	}
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	if got, err := get(t.Context(), f, one.Digest); library.KindOf(err) != library.Invalid {
		t.Errorf("read %q, error %v, want invalid", got, err)
	}
}

func TestContentIsNowhereInClear(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	f := newFolder(t, dir, vault.NewKeyring())
	const name = "Orsolya Quist, born 1957-03-14"
	content := []byte(strings.Repeat(name+"\n", 20_000))
	doc := put(t, f, content)

	// Neither when it is whole nor while it is being written.
	reading := &peeking{r: bytes.NewReader(append(content, '!')), look: func() {
		for _, path := range files(t, dir) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Error(err)
			}
			if bytes.Contains(b, []byte("Orsolya")) {
				t.Errorf("%s shows the content", path)
			}
			if strings.Contains(path, doc.Digest) || strings.Contains(path, doc.Digest[2:20]) || bytes.Contains(b, []byte(doc.Digest)) {
				t.Errorf("%s shows the digest", path)
			}
		}
	}}
	if _, err := f.Put(t.Context(), reading, 1<<20); err != nil {
		t.Fatal(err)
	}
	reading.look()
}

// peeking looks at something whenever it is read.
type peeking struct {
	r    io.Reader
	look func()
}

func (p *peeking) Read(b []byte) (int, error) {
	p.look()
	return p.r.Read(b)
}

// TestMemoryIsFlat is not parallel: it measures the whole process.
func TestMemoryIsFlat(t *testing.T) {
	f := newFolder(t, t.TempDir(), vault.NewKeyring())
	const size = 500 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	doc, err := f.Put(t.Context(), &generator{size: size}, size)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Open(t.Context(), doc.Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	n, err := io.Copy(io.Discard, r)
	runtime.ReadMemStats(&after)
	if err != nil || n != size || doc.Size != size {
		t.Errorf("kept %d, read %d of %d bytes, error %v", doc.Size, n, int64(size), err)
	}
	// All that was ever allocated, freed or not.
	if total := after.TotalAlloc - before.TotalAlloc; total > 8<<20 {
		t.Errorf("allocated %d bytes for %d", total, int64(size))
	}
}

// generator makes size bytes.
type generator struct{ size, read int64 }

func (g *generator) Read(b []byte) (int, error) {
	if g.read == g.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(b)), g.size-g.read))
	for i := range b[:n:n] {
		b[i] = byte(i)
	}
	g.read += int64(n)
	return n, nil
}

// FuzzOpen opens files that were changed. Whatever comes back before an error
// must be what was put.
func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	folder := newFolder(f, dir, vault.NewKeyring())
	content := noise(segment + 100)
	doc := put(f, folder, content)
	path := files(f, dir)[0]
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), []byte("FRVAULT1"), uint32(0))
	f.Add(uint32(8), []byte{255}, uint32(0))
	f.Add(uint32(104), []byte{255, 255, 255, 255, 255, 255, 255, 255}, uint32(0))
	f.Add(uint32(144), []byte{0}, uint32(0))
	f.Add(uint32(0), []byte{}, uint32(100))
	f.Fuzz(func(t *testing.T, at uint32, patch []byte, cut uint32) {
		b := bytes.Clone(whole)
		b = b[:len(b)-int(cut)%len(b)]
		copy(b[int(at)%len(b):], patch)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := get(t.Context(), folder, doc.Digest)
		if err == nil && !bytes.Equal(b, whole) {
			t.Error("a changed file was accepted")
		}
		if !bytes.HasPrefix(content, got) {
			t.Error("gave out bytes that were never put")
		}
	})
}

func BenchmarkPut(b *testing.B) {
	f := newFolder(b, b.TempDir(), vault.NewKeyring())
	const size = 16 << 20
	b.SetBytes(size)
	for i := range b.N {
		head := strings.NewReader(fmt.Sprint(i))
		if _, err := f.Put(b.Context(), io.MultiReader(head, &generator{size: size}), 2*size); err != nil {
			b.Fatal(err)
		}
	}
}
