package reading_test

import (
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/reading"
)

func TestParseName(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		name    string
		spanish bool
		want    library.Patient
		not     bool // It is no name.
	}{
		"given and family":      {name: "Ada Quill", want: library.Patient{Given: "Ada", Family: "Quill"}},
		"middle name":           {name: "Ada Mae Quill", want: library.Patient{Given: "Ada", Middle: "Mae", Family: "Quill"}},
		"initial":               {name: "Robert Q. Tarn", want: library.Patient{Given: "Robert", Middle: "Q.", Family: "Tarn"}},
		"suffix":                {name: "Ezra Dole Quill, Jr.", want: library.Patient{Given: "Ezra", Middle: "Dole", Family: "Quill", Suffix: "Jr."}},
		"family first":          {name: "QUILL, ADA MAE", want: library.Patient{Given: "ADA", Middle: "MAE", Family: "QUILL"}},
		"title":                 {name: "Mrs. Ada Quill", want: library.Patient{Given: "Ada", Family: "Quill"}},
		"nickname":              {name: `Wilhelmina "Billie" Quill`, want: library.Patient{Given: "Wilhelmina", Family: "Quill"}},
		"hyphen and apostrophe": {name: "Zoë Quill-O’Dare", want: library.Patient{Given: "Zoë", Family: "Quill-O’Dare"}},
		"particle":              {name: "Pieter van der Quill", want: library.Patient{Given: "Pieter", Family: "van der Quill", Middle: ""}},
		"one word":              {name: "Ada", want: library.Patient{Given: "Ada"}},
		"two surnames":          {name: "Ramón Ibáñez Tejada", spanish: true, want: library.Patient{Given: "Ramón", Family: "Ibáñez Tejada"}},
		"double given name":     {name: "María del Carmen Ruiz Olmo", spanish: true, want: library.Patient{Given: "María del Carmen", Family: "Ruiz Olmo"}},
		"four in Spanish":       {name: "Camila Sofía Herrera Mora", spanish: true, want: library.Patient{Given: "Camila", Middle: "Sofía", Family: "Herrera Mora"}},
		"a hospital":            {name: "Duke University Hospital", not: true},
		"a heading":             {name: "Radiology Image Library", not: true},
		"figures":               {name: "Ada 42", not: true},
		"nothing":               {name: " ,. ", not: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, ok := reading.ParseName(tt.name, tt.spanish)
			if ok == tt.not || ok && got != tt.want {
				t.Errorf("ParseName(%q) = %+v, %v, want %+v, %v", tt.name, got, ok, tt.want, !tt.not)
			}
		})
	}
}

func TestSameName(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		a, b string
		want bool
	}{
		"equal":               {a: "Ada Quill", b: "Ada Quill", want: true},
		"initial":             {a: "Ada Mae Quill", b: "A. M. Quill", want: true},
		"short form":          {a: "Kimberly Dawn Sutter", b: "Kim Sutter", want: true},
		"hyphened family":     {a: "Ada Quill-Pike", b: "Ada Quill", want: true},
		"accents":             {a: "Ramón Ibáñez", b: "Ramon Ibanez", want: true},
		"another given name":  {a: "Ada Quill", b: "Mark Quill"},
		"another family":      {a: "Ada Quill", b: "Ada Tarn"},
		"family first":        {a: "QUILL, ADA MAE", b: "Ada Quill", want: true},
		"nothing is nobody's": {a: "", b: "Ada Quill"},
		"suffix is no family": {a: "Ezra Quill, Jr.", b: "Ezra Quill", want: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if got := reading.SameName(tt.a, tt.b); got != tt.want {
				t.Errorf("SameName(%q, %q) = %v, want %v", tt.a, tt.b, got, tt.want)
			}
		})
	}
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{"Ada Mae Quill, Jr.", "QUILL, ADA", "María del Carmen Ruiz Olmo", "de la", ",", "(\"x\") de de", "É."} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, spanish bool) {
		p, ok := reading.ParseName(s, spanish)
		if ok && p.Given == "" && p.Family == "" {
			t.Errorf("ParseName(%q) is a name of nobody", s)
		}
		reading.SameName(s, p.Name())
	})
}
