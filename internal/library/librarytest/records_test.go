package librarytest_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/library/librarytest"
)

func TestRecords(t *testing.T) {
	t.Parallel()
	librarytest.TestRecords(t, func(testing.TB) library.Records { return &librarytest.Records{} })
}

func TestStaffRecords(t *testing.T) {
	t.Parallel()
	librarytest.TestStaffRecords(t, func(testing.TB) (library.Records, library.StaffRecords) {
		r := &librarytest.Records{}
		return r, r
	})
}

// TestRecordsFail holds that a test can take the records away.
func TestRecordsFail(t *testing.T) {
	t.Parallel()

	down := errors.New("down")
	r := &librarytest.Records{Fail: func(method string) error {
		if method == "Facilities" {
			return down
		}
		return nil
	}}
	if _, err := r.Facilities(t.Context()); !errors.Is(err, down) {
		t.Errorf("Facilities: error %v, want %v", err, down)
	}
	if _, err := r.WaitingArrivals(t.Context()); err != nil {
		t.Errorf("WaitingArrivals: %v", err)
	}
}

func TestVault(t *testing.T) {
	t.Parallel()

	var v librarytest.Vault
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, B.1.
	for range 2 {
		digest, size, err := v.Put(t.Context(), strings.NewReader("abc"), 3)
		if err != nil || digest != abc || size != 3 {
			t.Fatalf("Put = %s, %d, %v, want %s, 3", digest, size, err, abc)
		}
	}
	r, err := v.Open(t.Context(), abc)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, []byte("abc")) {
		t.Errorf("document = %q, %v, want abc", got, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := v.Put(t.Context(), strings.NewReader("abcd"), 3); library.KindOf(err) != library.Invalid {
		t.Errorf("Put beyond the limit: error %v, want kind %q", err, library.Invalid)
	}
	if _, err := v.Open(t.Context(), strings.Repeat("0", 64)); library.KindOf(err) != library.NotFound {
		t.Errorf("Open of no document: error %v, want kind %q", err, library.NotFound)
	}
}
