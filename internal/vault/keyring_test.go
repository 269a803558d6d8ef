package vault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/vault"
)

// rotated returns a ring with one more key, which is active.
func rotated(tb testing.TB, ring *vault.Keyring) *vault.Keyring {
	tb.Helper()
	ring, id := ring.Add()
	ring, err := ring.Activate(id)
	if err != nil {
		tb.Fatal(err)
	}
	return ring
}

// without returns the ring without a key.
func without(tb testing.TB, ring *vault.Keyring, id string) *vault.Keyring {
	tb.Helper()
	ring, err := ring.Drop(id)
	if err != nil {
		tb.Fatal(err)
	}
	return ring
}

func TestKeyringSurvivesTheDisk(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "ring.json")
	ring := rotated(t, vault.NewKeyring())
	if err := vault.WriteKeyring(path, ring); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("mode is %04o, want 0600", mode)
	}
	back, err := vault.ReadKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(back.IDs()) != fmt.Sprint(ring.IDs()) || back.Active() != ring.Active() {
		t.Errorf("read %v, want %v", back.IDs(), ring.IDs())
	}
	sum, err := ring.Digests("test").Sum([]byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := back.Digests("test").Check(sum, []byte("x")); err != nil {
		t.Errorf("the keys changed: %v", err)
	}
}

func TestWriteKeyringLosesNoKey(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "ring.json")
	ring := vault.NewKeyring()
	if err := vault.WriteKeyring(path, ring); err != nil {
		t.Fatal(err)
	}
	if err := vault.WriteKeyring(path, vault.NewKeyring()); library.KindOf(err) != library.Conflict {
		t.Errorf("overwriting with another ring: %v, want a conflict", err)
	}
	if err := vault.WriteKeyring(path, rotated(t, ring)); err != nil {
		t.Errorf("overwriting with a larger ring: %v", err)
	}
}

func TestReadKeyringRefusesAnOpenFile(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "ring.json")
	if err := vault.WriteKeyring(path, vault.NewKeyring()); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]library.Kind{0o600: "", 0o400: "", 0o640: library.Invalid, 0o604: library.Invalid} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := vault.ReadKeyring(path); library.KindOf(err) != want {
			t.Errorf("mode %04o: %v, want kind %q", mode, err, want)
		}
	}
	if _, err := vault.ReadKeyring(path + ".none"); library.KindOf(err) != library.NotFound {
		t.Errorf("no file: %v, want not found", err)
	}
}

func TestParseKeyring(t *testing.T) {
	t.Parallel()

	const key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	tests := map[string]struct {
		in string
		ok bool
	}{
		"one key":               {in: `{"active":"k1","keys":{"k1":"` + key + `"}}`, ok: true},
		"two keys":              {in: `{"active":"b","keys":{"a":"` + key + `","b":"` + key + `"}}`, ok: true},
		"empty":                 {in: ""},
		"no JSON":               {in: key},
		"no keys":               {in: `{"active":"k1","keys":{}}`},
		"active key is missing": {in: `{"active":"k2","keys":{"k1":"` + key + `"}}`},
		"no active key":         {in: `{"keys":{"k1":"` + key + `"}}`},
		"short key":             {in: `{"active":"k1","keys":{"k1":"AAECAwQFBgcICQ=="}}`},
		"no base64":             {in: `{"active":"k1","keys":{"k1":"!` + key + `"}}`},
		"key id with a newline": {in: `{"active":"k\n1","keys":{"k\n1":"` + key + `"}}`},
		"endless":               {in: `{"active":"` + strings.Repeat("k", 1<<20) + `"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := vault.ParseKeyring([]byte(tt.in))
			if (err == nil) != tt.ok {
				t.Fatalf("error %v, want ok %t", err, tt.ok)
			}
			if err != nil && (library.KindOf(err) != library.Invalid || strings.Contains(err.Error(), "AAEC")) {
				t.Errorf("error %q of kind %q", err, library.KindOf(err))
			}
		})
	}
}

func TestKeyringShowsNoKey(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "ring.json")
	ring := vault.NewKeyring()
	if err := vault.WriteKeyring(path, ring); err != nil {
		t.Fatal(err)
	}
	stored, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Keys map[string][]byte }
	if err := json.Unmarshal(stored, &file); err != nil {
		t.Fatal(err)
	}
	key := file.Keys[ring.Active()]
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "ring", ring)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "ring", ring)
	out := log.String() + fmt.Sprintf("%v %+v %#v %s %x %d", ring, ring, ring, ring, ring, ring)
	for _, shown := range []string{string(key), fmt.Sprintf("%x", key), base64.StdEncoding.EncodeToString(key)} {
		if strings.Contains(out, shown) {
			t.Errorf("a key shows in %q", out)
		}
	}
	if b, err := json.Marshal(ring); err == nil {
		t.Errorf("marshalled as %s", b)
	}
}

func TestActiveKeyCannotBeDropped(t *testing.T) {
	t.Parallel()

	ring := vault.NewKeyring()
	if _, err := ring.Drop(ring.Active()); library.KindOf(err) != library.Conflict {
		t.Errorf("dropped the active key: %v", err)
	}
	if _, err := ring.Activate("k-none"); err == nil || !strings.Contains(err.Error(), "k-none") {
		t.Errorf("activated a key that is not there: %v", err)
	}
}

func TestDigests(t *testing.T) {
	t.Parallel()

	old := vault.NewKeyring()
	ring := rotated(t, old)
	other := vault.NewKeyring()
	sum := func(ring *vault.Keyring, purpose string, parts ...string) string {
		t.Helper()
		s, err := ring.Digests(purpose).Sum(split(parts)...)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	made := sum(old, "p", "ab", "c")
	tests := map[string]struct {
		ring  *vault.Keyring
		sum   string
		parts []string
		ok    bool
	}{
		"the same":                    {ring: old, sum: made, parts: []string{"ab", "c"}, ok: true},
		"after rotation":              {ring: ring, sum: made, parts: []string{"ab", "c"}, ok: true},
		"borders count":               {ring: old, sum: made, parts: []string{"a", "bc"}},
		"order counts":                {ring: old, sum: made, parts: []string{"c", "ab"}},
		"another purpose":             {ring: old, sum: sum(old, "q", "ab", "c"), parts: []string{"ab", "c"}},
		"another ring":                {ring: other, sum: made, parts: []string{"ab", "c"}},
		"another ring's, key renamed": {ring: old, sum: old.Active() + sum(other, "p", "ab", "c")[len(other.Active()):], parts: []string{"ab", "c"}},
		"no key id":                   {ring: old, sum: made[len(old.Active())+1:], parts: []string{"ab", "c"}},
		"cut":                         {ring: old, sum: made[:len(made)-2], parts: []string{"ab", "c"}},
		"empty":                       {ring: old, sum: "", parts: []string{"ab", "c"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if err := tt.ring.Digests("p").Check(tt.sum, split(tt.parts)...); (err == nil) != tt.ok {
				t.Errorf("error %v, want ok %t", err, tt.ok)
			}
		})
	}
}

func split(parts []string) [][]byte {
	var b [][]byte
	for _, p := range parts {
		b = append(b, []byte(p))
	}
	return b
}
