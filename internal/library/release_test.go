package library_test

import (
	"testing"
	"time"

	"fileroom/internal/library"
)

func TestVerifyChain(t *testing.T) {
	t.Parallel()

	chain := func() []library.Disclosure {
		var all []library.Disclosure
		prev := ""
		for i := range 4 {
			d := library.Disclosure{
				Case: "K7MQ-42XD", Kind: library.DisclosureIntended, Images: i, At: time.Date(2026, 5, 1, 9, 0, i, 123456789, time.UTC),
				Patient: library.Hide(library.Patient{Family: "Whitcombe"}),
			}.Seal(int64(i+1), prev)
			all, prev = append(all, d), d.Hash
		}
		return all
	}
	tests := map[string]struct {
		harm func([]library.Disclosure) []library.Disclosure
		bad  bool
	}{
		"as it was written": {harm: func(c []library.Disclosure) []library.Disclosure { return c }},
		"in another time zone": {harm: func(c []library.Disclosure) []library.Disclosure {
			c[1].At = c[1].At.In(time.FixedZone("", 3600))
			return c
		}},
		"a number changed": {bad: true, harm: func(c []library.Disclosure) []library.Disclosure { c[2].Images++; return c }},
		"the patient changed": {bad: true, harm: func(c []library.Disclosure) []library.Disclosure {
			c[2].Patient = library.Hide(library.Patient{Family: "Else"})
			return c
		}},
		"a line removed":    {bad: true, harm: func(c []library.Disclosure) []library.Disclosure { return append(c[:1], c[2:]...) }},
		"the first removed": {bad: true, harm: func(c []library.Disclosure) []library.Disclosure { return c[1:] }},
		"two lines swapped": {bad: true, harm: func(c []library.Disclosure) []library.Disclosure { c[1], c[2] = c[2], c[1]; return c }},
		"one sealed anew": {bad: true, harm: func(c []library.Disclosure) []library.Disclosure {
			c[1].Images = 9
			c[1] = c[1].Seal(2, c[0].Hash)
			return c
		}},
		"a line put in between": {bad: true, harm: func(c []library.Disclosure) []library.Disclosure {
			return append(c[:2], append([]library.Disclosure{c[1].Seal(3, c[1].Hash)}, c[2:]...)...)
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			err := library.VerifyChain(tt.harm(chain()))
			if (err != nil) != tt.bad {
				t.Errorf("VerifyChain error = %v, want one: %t", err, tt.bad)
			}
		})
	}
}

func TestFacilityValidate(t *testing.T) {
	t.Parallel()

	good := library.Facility{ID: "blue-ridge", Name: "Blue Ridge", Street: "1 Road", City: "Boone", State: "NC", Zip: "28607", URL: "https://x.example/dicom-web", Proof: library.ProofListed}
	tests := map[string]struct {
		change func(*library.Facility)
		bad    bool
	}{
		"complete":                  {change: func(*library.Facility) {}},
		"in the clear on loopback":  {change: func(f *library.Facility) { f.URL = "http://127.0.0.1:8042/dicom-web" }},
		"in the clear elsewhere":    {bad: true, change: func(f *library.Facility) { f.URL = "http://x.example/dicom-web" }},
		"a host that looks like it": {bad: true, change: func(f *library.Facility) { f.URL = "http://127.0.0.1.x.example/" }},
		"no street":                 {bad: true, change: func(f *library.Facility) { f.Street = "" }},
		"an id that is a path":      {bad: true, change: func(f *library.Facility) { f.ID = "../x" }},
		"a proof that is none":      {bad: true, change: func(f *library.Facility) { f.Proof = "sure" }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			f := good
			tt.change(&f)
			if err := f.Validate(); (library.KindOf(err) == library.Invalid) != tt.bad {
				t.Errorf("Validate error = %v, want one: %t", err, tt.bad)
			}
		})
	}
}
