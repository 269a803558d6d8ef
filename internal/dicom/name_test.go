package dicom_test

import (
	"testing"

	"fileroom/internal/dicom"
)

func TestParsePersonName(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in   string
		want dicom.PersonName
		text string
	}{
		"nothing":             {},
		"family alone":        {in: "DOE", want: dicom.PersonName{Family: "DOE"}, text: "DOE"},
		"middle name":         {in: "WHITCOMBE^ELEANOR^RUTH", want: dicom.PersonName{Family: "WHITCOMBE", Given: "ELEANOR", Middle: "RUTH"}, text: "WHITCOMBE^ELEANOR^RUTH"},
		"prefix and suffix":   {in: "Adams^John Robert Quincy^^Rev.^B.A. M.Div.", want: dicom.PersonName{Family: "Adams", Given: "John Robert Quincy", Prefix: "Rev.", Suffix: "B.A. M.Div."}, text: "Adams^John Robert Quincy^^Rev.^B.A. M.Div."},
		"padded":              {in: "DOE ^ JANE ^^^ ", want: dicom.PersonName{Family: "DOE", Given: "JANE"}, text: "DOE^JANE"},
		"three groups":        {in: "YAMADA^TAROU=山田^太郎=やまだ^たろう", want: dicom.PersonName{Family: "YAMADA", Given: "TAROU", Ideographic: "山田^太郎", Phonetic: "やまだ^たろう"}, text: "YAMADA^TAROU"},
		"more than five":      {in: "A^B^C^D^E^F", want: dicom.PersonName{Family: "A", Given: "B", Middle: "C", Prefix: "D", Suffix: "E^F"}, text: "A^B^C^D^E^F"},
		"nothing but carets":  {in: "^^^^^^", want: dicom.PersonName{}},
		"given name alone":    {in: "^JANE", want: dicom.PersonName{Given: "JANE"}, text: "^JANE"},
		"groups without name": {in: "==", want: dicom.PersonName{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := dicom.ParsePersonName(tt.in)
			if got != tt.want {
				t.Errorf("ParsePersonName(%q) = %+v, want %+v", tt.in, got, tt.want)
			}
			if got.String() != tt.text {
				t.Errorf("String() = %q, want %q", got.String(), tt.text)
			}
		})
	}
}

func FuzzParsePersonName(f *testing.F) {
	for _, s := range []string{"", "DOE^JANE^^DR^JR", "=山田", "^^^^^^x", "a\u00a0^^^^b^\u00a0^"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := dicom.ParsePersonName(s).String()
		if twice := dicom.ParsePersonName(once).String(); twice != once {
			t.Errorf("%q reads as %q, and that as %q", s, once, twice)
		}
	})
}
