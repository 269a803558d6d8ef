package vault_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/vault"
)

const segment = 64 << 10

func newFolder(tb testing.TB, path string, ring *vault.Keyring) *vault.Folder {
	tb.Helper()
	f, err := vault.NewFolder(path, ring)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func put(tb testing.TB, f *vault.Folder, content []byte) vault.Document {
	tb.Helper()
	doc, err := f.Put(tb.Context(), bytes.NewReader(content), int64(len(content)))
	if err != nil {
		tb.Fatal(err)
	}
	return doc
}

func get(ctx context.Context, f *vault.Folder, digest string) ([]byte, error) {
	r, err := f.Open(ctx, digest)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	return io.ReadAll(r)
}

// files returns the paths of all files beneath root.
func files(tb testing.TB, root string) []string {
	tb.Helper()
	var paths []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return paths
}

// noise returns n bytes that are the same in every run.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func TestFolderReturnsWhatWasPut(t *testing.T) {
	t.Parallel()

	f := newFolder(t, t.TempDir(), vault.NewKeyring())
	for _, n := range []int{0, 1, segment - 1, segment, segment + 1, 3 * segment, 3*segment + 7} {
		content := noise(n)
		doc := put(t, f, content)
		sum := sha256.Sum256(content)
		if doc.Digest != hex.EncodeToString(sum[:]) || doc.Size != int64(n) {
			t.Errorf("%d bytes: kept as %+v", n, doc)
		}
		got, err := get(t.Context(), f, doc.Digest)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes: %d came back, error %v", n, len(got), err)
		}
	}
}

func TestPutTwiceStoresOnce(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	f := newFolder(t, dir, vault.NewKeyring())
	first := put(t, f, noise(100))
	before := files(t, dir)
	if second := put(t, f, noise(100)); second != first {
		t.Errorf("second put: %+v, want %+v", second, first)
	}
	if after := files(t, dir); len(after) != 1 || after[0] != before[0] {
		t.Errorf("files are %v, were %v", after, before)
	}
}

func TestPutAgainMendsACutFile(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	f := newFolder(t, dir, vault.NewKeyring())
	doc := put(t, f, noise(100))
	if err := os.Truncate(files(t, dir)[0], 150); err != nil {
		t.Fatal(err)
	}
	put(t, f, noise(100))
	if got, err := get(t.Context(), f, doc.Digest); err != nil || !bytes.Equal(got, noise(100)) {
		t.Errorf("after mending: %d bytes, error %v", len(got), err)
	}
}

func TestPutKeepsNothingBeyondItsLimit(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	f := newFolder(t, dir, vault.NewKeyring())
	for _, n := range []int{1, 10, segment, 2*segment + 3} {
		_, err := f.Put(t.Context(), bytes.NewReader(noise(n)), int64(n-1))
		if library.KindOf(err) != library.Invalid {
			t.Errorf("%d bytes with one less allowed: %v, want invalid", n, err)
		}
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestPutStopsReadingAtItsLimit(t *testing.T) {
	t.Parallel()

	f := newFolder(t, t.TempDir(), vault.NewKeyring())
	endless := &generator{size: 1 << 50}
	if _, err := f.Put(t.Context(), endless, 100); library.KindOf(err) != library.Invalid {
		t.Errorf("error %v, want invalid", err)
	}
	if endless.read > 2*segment {
		t.Errorf("read %d bytes with 100 allowed", endless.read)
	}
}

func TestPutFailsWithItsReader(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	f := newFolder(t, dir, vault.NewKeyring())
	refused := library.Errorf(library.Unauthorized, "read", "", "refused")
	for _, cause := range []error{refused, io.ErrUnexpectedEOF, io.ErrClosedPipe} {
		for _, n := range []int{0, 10, segment, segment + 1} {
			_, err := f.Put(t.Context(), io.MultiReader(bytes.NewReader(noise(n)), failing{cause}), 1<<20)
			if !errors.Is(err, cause) || library.KindOf(err) != library.KindOf(cause) {
				t.Errorf("%v after %d bytes: got %v", cause, n, err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Put(ctx, bytes.NewReader(noise(10)), 1<<20); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestOpenWithoutDocument(t *testing.T) {
	t.Parallel()

	f := newFolder(t, t.TempDir(), vault.NewKeyring())
	tests := map[string]struct {
		digest string
		want   library.Kind
	}{
		"never put":  {digest: strings.Repeat("0a", 32), want: library.NotFound},
		"upper case": {digest: strings.Repeat("0A", 32), want: library.Invalid},
		"a path":     {digest: "../../etc/passwd", want: library.Invalid},
		"empty":      {digest: "", want: library.Invalid},
	}
	for name, tt := range tests {
		if _, err := f.Open(t.Context(), tt.digest); library.KindOf(err) != tt.want {
			t.Errorf("%s: %v, want kind %q", name, err, tt.want)
		}
	}
}

func TestOpenHonoursContext(t *testing.T) {
	t.Parallel()

	f := newFolder(t, t.TempDir(), vault.NewKeyring())
	doc := put(t, f, noise(3*segment))
	ctx, cancel := context.WithCancel(t.Context())
	r, err := f.Open(ctx, doc.Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	cancel()
	if _, err := io.ReadAll(r); !errors.Is(err, context.Canceled) {
		t.Errorf("read on after cancel: %v", err)
	}
	if _, err := f.Open(ctx, doc.Digest); !errors.Is(err, context.Canceled) {
		t.Errorf("opened after cancel: %v", err)
	}
}

func TestRotationKeepsDocuments(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	old := vault.NewKeyring()
	doc := put(t, newFolder(t, dir, old), noise(100))
	ring := rotated(t, old)
	f := newFolder(t, dir, ring)
	if got, err := get(t.Context(), f, doc.Digest); err != nil || !bytes.Equal(got, noise(100)) {
		t.Errorf("after rotation: %d bytes, error %v", len(got), err)
	}
	put(t, f, noise(100))
	if n := len(files(t, dir)); n != 1 {
		t.Errorf("put again after rotation: %d files, want 1", n)
	}

	// The new key alone opens what was put since, and finds nothing else.
	since := put(t, f, noise(200))
	alone := newFolder(t, dir, without(t, ring, old.Active()))
	if _, err := get(t.Context(), alone, since.Digest); err != nil {
		t.Errorf("put after rotation: %v", err)
	}
	if _, err := get(t.Context(), alone, doc.Digest); err == nil {
		t.Error("opened a document without its key")
	}
}

func TestMissingKeyIsNamed(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	old := vault.NewKeyring()
	ring := rotated(t, old)
	doc := put(t, newFolder(t, dir, ring), noise(10))
	from := files(t, dir)[0]
	// The same document under the old key tells where a folder that has only
	// that key looks.
	oldDir := t.TempDir()
	put(t, newFolder(t, oldDir, old), noise(10))
	if err := os.Rename(from, files(t, oldDir)[0]); err != nil {
		t.Fatal(err)
	}
	_, err := get(t.Context(), newFolder(t, oldDir, old), doc.Digest)
	if err == nil || !strings.Contains(err.Error(), ring.Active()) || library.KindOf(err) != "" {
		t.Errorf("error %v of kind %q, want a fault that names %s", err, library.KindOf(err), ring.Active())
	}
}

// TestCrashLeavesNoHalfDocument stops a Put at every segment, as a crash would,
// and looks at what a new process finds.
func TestCrashLeavesNoHalfDocument(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	ring := vault.NewKeyring()
	content := noise(3*segment + 1)
	sum := sha256.Sum256(content)
	digest := hex.EncodeToString(sum[:])
	copied := t.TempDir()
	reading := &peeking{r: bytes.NewReader(content), look: func() {
		// A copy of the folder in this instant is what a crash would leave.
		if err := os.RemoveAll(copied); err != nil {
			t.Error(err)
		}
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Error(err)
		}
		after := newFolder(t, copied, ring)
		if _, err := after.Open(t.Context(), digest); library.KindOf(err) != library.NotFound {
			t.Errorf("a half document is there: %v", err)
		}
		if n := len(files(t, copied)); n != 1 {
			t.Errorf("%d files, want the unfinished one", n)
		}
	}}
	if _, err := newFolder(t, dir, ring).Put(t.Context(), reading, 1<<20); err != nil {
		t.Fatal(err)
	}

	// A day later the remains are cleared away, and nothing else.
	long := time.Now().Add(-25 * time.Hour)
	for _, path := range append(files(t, copied), files(t, dir)...) {
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	newFolder(t, copied, ring)
	if left := files(t, copied); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := get(t.Context(), newFolder(t, dir, ring), digest); err != nil {
		t.Errorf("an old document is gone: %v", err)
	}
}

func TestConcurrentPuts(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	ring := vault.NewKeyring()
	var wg sync.WaitGroup
	for i := range 16 {
		f := newFolder(t, dir, ring)
		content := noise(segment + i%4) // Four documents, each four times.
		wg.Go(func() {
			doc, err := f.Put(t.Context(), bytes.NewReader(content), 1<<20)
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := get(t.Context(), f, doc.Digest); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes came back, error %v", len(got), err)
			}
		})
	}
	wg.Wait()
	if n := len(files(t, dir)); n != 4 {
		t.Errorf("%d files, want 4", n)
	}
}
