package library_test

import (
	"strings"
	"testing"

	"fileroom/internal/library"
)

func TestCaseIDIsReadAsPeopleWriteIt(t *testing.T) {
	t.Parallel()

	for range 1000 {
		id := library.NewCaseID()
		for _, spelt := range []string{
			string(id), strings.ToLower(string(id)), strings.ReplaceAll(string(id), "-", ""), " " + string(id) + " ",
			strings.NewReplacer("0", "O", "1", "l").Replace(string(id)),
		} {
			if got, err := library.ParseCaseID(spelt); err != nil || got != id {
				t.Fatalf("ParseCaseID(%q) = %q, %v, want %q", spelt, got, err, id)
			}
		}
	}
}

func TestCaseIDCatchesEveryWrongCharacter(t *testing.T) {
	t.Parallel()

	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	id := []byte(library.NewCaseID())
	for i := range id {
		if id[i] == '-' {
			continue
		}
		for _, c := range []byte(alphabet) {
			if c == id[i] {
				continue
			}
			wrong := append([]byte(nil), id...)
			wrong[i] = c
			if _, err := library.ParseCaseID(string(wrong)); library.KindOf(err) != library.Invalid {
				t.Errorf("ParseCaseID(%q) error = %v, want kind %q (right is %q)", wrong, err, library.Invalid, id)
			}
		}
	}
	for _, s := range []string{"", "K7MQ", "K7MQ-42XD-1", "K7MQ-42X!", "UUUU-UUUU"} {
		if _, err := library.ParseCaseID(s); library.KindOf(err) != library.Invalid {
			t.Errorf("ParseCaseID(%q) error = %v, want kind %q", s, err, library.Invalid)
		}
	}
}

func FuzzParseCaseID(f *testing.F) {
	f.Add("K7MQ-42XD")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := library.ParseCaseID(s)
		if err != nil {
			return
		}
		if again, err := library.ParseCaseID(string(id)); err != nil || again != id {
			t.Errorf("ParseCaseID(%q) = %q, and that as %q, %v", s, id, again, err)
		}
	})
}
