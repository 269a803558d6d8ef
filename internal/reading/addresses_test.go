package reading_test

import (
	"slices"
	"testing"

	"fileroom/internal/reading"
)

func TestAddresses(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		text string
		want []string
	}{
		"none":                      {text: "Please send them soon."},
		"on two lines":              {text: "12 Alder Street\nDurham, NC 27705", want: []string{"12 Alder Street, Durham, NC 27705"}},
		"in a sentence":             {text: "to Heron Spine, 12 Alder Rd,\nRaleigh NC 27613. Thanks", want: []string{"12 Alder Rd, Raleigh, NC 27613"}},
		"suite":                     {text: "12 Alder Plaza Drive, Suite 210 · Winston-Salem, NC 27103", want: []string{"12 Alder Plaza Drive, Suite 210, Winston-Salem, NC 27103"}},
		"state in words":            {text: "12 Alder Landing, Beaufort, South Carolina 29902", want: []string{"12 Alder Landing, Beaufort, South Carolina 29902"}},
		"street wraps":              {text: "12 Alder\nPark Road, Chapel\nHill, NC 27517", want: []string{"12 Alder Park Road, Chapel Hill, NC 27517"}},
		"post office box":           {text: "P.O. Box 5510, Greensboro, NC 27435", want: []string{"P.O. Box 5510, Greensboro, NC 27435"}},
		"long zip":                  {text: "12 Alder Way, Cary, NC 27511-0042", want: []string{"12 Alder Way, Cary, NC 27511-0042"}},
		"London":                    {text: "14 Alder Mews, London W1G 9PH", want: []string{"14 Alder Mews, London W1G 9PH"}},
		"telephone before a street": {text: "call 919-555-0112\n12 Alder Way, Cary, NC 27511", want: []string{"12 Alder Way, Cary, NC 27511"}},
		"two":                       {text: "12 Alder Way, Cary, NC 27511\n\n40 Elm Row, Boone, NC 28607", want: []string{"12 Alder Way, Cary, NC 27511", "40 Elm Row, Boone, NC 28607"}},
		"a town is none":            {text: "Heron Spine in Raleigh, NC"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if got := reading.Addresses(tt.text); !slices.Equal(got, tt.want) {
				t.Errorf("Addresses(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestPhones(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		text string
		want []string
	}{
		"dashes":            {text: "call 919-555-0142.", want: []string{"919-555-0142"}},
		"parentheses":       {text: "(919) 555-0142", want: []string{"(919) 555-0142"}},
		"dots and spaces":   {text: "984.555.0131, 919 555 0158", want: []string{"984.555.0131", "919 555 0158"}},
		"fax":               {text: "Fax (828) 555-0178", want: []string{"fax (828) 555-0178"}},
		"fax in brackets":   {text: "(fax 336-555-0112)", want: []string{"fax 336-555-0112"}},
		"phone then fax":    {text: "P: 757-555-0153  F: 757-555-0154", want: []string{"757-555-0153", "fax 757-555-0154"}},
		"a record number":   {text: "MRN 00-6218-94"},
		"a date and a zip":  {text: "05-06-2026, NC 27705-1234"},
		"too many figures":  {text: "1919-555-01423"},
		"a word before fax": {text: "by fax or phone 919-555-0142", want: []string{"919-555-0142"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if got := reading.Phones(tt.text); !slices.Equal(got, tt.want) {
				t.Errorf("Phones(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}
