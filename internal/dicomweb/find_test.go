package dicomweb_test

import (
	"slices"
	"testing"

	"fileroom/internal/devstack/studies"
	"fileroom/internal/library"
)

func TestFindPatients(t *testing.T) {
	t.Parallel()
	pacs := archive(t, hospital)
	tests := map[string]struct {
		query library.PatientQuery
		want  []string // IDs.
		kind  library.Kind
	}{
		"by mrn":                             {query: library.PatientQuery{MRN: "D1093347"}, want: []string{"D1093347"}},
		"mrn in spaces":                      {query: library.PatientQuery{MRN: " D1093347 "}, want: []string{"D1093347"}},
		"mrn that nobody has":                {query: library.PatientQuery{MRN: "D1093348"}},
		"part of an mrn":                     {query: library.PatientQuery{MRN: "D109"}},
		"mrn in the other case":              {query: library.PatientQuery{MRN: "d1093347"}, want: []string{"D1093347"}},
		"two patients alike are both found":  {query: library.PatientQuery{Family: "Whitcombe", Given: "Eleanor", BirthDate: "1958-04-17"}, want: []string{"D1093347", "D2204518"}},
		"both ways find each once":           {query: library.PatientQuery{MRN: "D1093347", Family: "Whitcombe", Given: "Eleanor", BirthDate: "1958-04-17"}, want: []string{"D1093347", "D2204518"}},
		"the mrn of one, the name of other":  {query: library.PatientQuery{MRN: "D3317702", Family: "Whitcombe", Given: "Eleanor", BirthDate: "1958-04-17"}, want: []string{"D1093347", "D2204518", "D3317702"}},
		"an initial is enough":               {query: library.PatientQuery{Family: "WHITCOMBE", Given: "E.", BirthDate: "1958-04-17"}, want: []string{"D1093347", "D2204518"}},
		"given and middle name in one":       {query: library.PatientQuery{Family: "Whitcombe", Given: "Eleanor Ruth", BirthDate: "1958-04-17"}, want: []string{"D1093347", "D2204518"}},
		"a nickname":                         {query: library.PatientQuery{Family: "Whitcombe", Given: "Nell", BirthDate: "1958-04-17"}, want: []string{"D1093347", "D2204518"}},
		"another birth date":                 {query: library.PatientQuery{Family: "Whitcombe", Given: "Eleanor", BirthDate: "1958-04-18"}},
		"a letter left out":                  {query: library.PatientQuery{Family: "Whitcomb", Given: "Eleanor", BirthDate: "1958-04-17"}, want: []string{"D1093347", "D2204518"}},
		"two letters exchanged":              {query: library.PatientQuery{Family: "Whitcmobe", BirthDate: "1958-04-17"}, want: []string{"D1093347", "D2204518"}},
		"two slips":                          {query: library.PatientQuery{Family: "Witcomb", BirthDate: "1958-04-17"}},
		"family and given name exchanged":    {query: library.PatientQuery{Family: "Eleanor", Given: "Whitcombe", BirthDate: "1958-04-17"}, want: []string{"D1093347", "D2204518"}},
		"the given name alone is the same":   {query: library.PatientQuery{Family: "Harrow", Given: "Eleanor", BirthDate: "1958-04-17"}},
		"apostrophe, umlaut and diaeresis":   {query: library.PatientQuery{Family: "O'Brien-Müller", Given: "Zoë", BirthDate: "1991-09-30"}, want: []string{"D3317702"}},
		"the same without accents":           {query: library.PatientQuery{Family: "OBRIEN MULLER", Given: "ZOE", BirthDate: "1991-09-30"}, want: []string{"D3317702"}},
		"the same with ue":                   {query: library.PatientQuery{Family: "O’Brien-Mueller", Given: "Zoe", BirthDate: "1991-09-30"}, want: []string{"D3317702"}},
		"one of two joined names":            {query: library.PatientQuery{Family: "Mueller", Given: "Zoe", BirthDate: "1991-09-30"}, want: []string{"D3317702"}},
		"composed of letter and accent":      {query: library.PatientQuery{Family: "O'Brien-Mu\u0308ller", Given: "Zoe\u0308", BirthDate: "1991-09-30"}, want: []string{"D3317702"}},
		"comma in the mrn":                   {query: library.PatientQuery{MRN: "D1093347,D2204518"}, kind: library.Invalid},
		"backslash in the mrn":               {query: library.PatientQuery{MRN: `D1093347\D2204518`}, kind: library.Invalid},
		"asterisk in the mrn":                {query: library.PatientQuery{MRN: "D*"}, kind: library.Invalid},
		"question mark in the mrn":           {query: library.PatientQuery{MRN: "D109334?"}, kind: library.Invalid},
		"another parameter in the mrn":       {query: library.PatientQuery{MRN: "D1&PatientID=*"}, kind: library.Invalid},
		"space in the mrn does not match":    {query: library.PatientQuery{MRN: "D10933 7"}},
		"name alone":                         {query: library.PatientQuery{Family: "Whitcombe", Given: "Eleanor"}, kind: library.Invalid},
		"birth date alone":                   {query: library.PatientQuery{BirthDate: "1958-04-17"}, kind: library.Invalid},
		"family name of nothing but a quote": {query: library.PatientQuery{Family: "'", BirthDate: "1958-04-17"}, kind: library.Invalid},
		"half a birth date":                  {query: library.PatientQuery{Family: "Whitcombe", BirthDate: "1958-04"}, kind: library.Invalid},
		"nothing":                            {kind: library.Invalid},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := pacs.FindPatients(t.Context(), tt.query)
			silent(t, err)
			if kind := library.KindOf(err); kind != tt.kind || (err == nil) != (tt.kind == "") {
				t.Fatalf("kind %q, want %q (err: %v)", kind, tt.kind, err)
			}
			var ids []string
			for _, p := range found {
				ids = append(ids, p.ID)
			}
			if !slices.Equal(ids, tt.want) {
				t.Errorf("found %v, want %v", ids, tt.want)
			}
		})
	}
}

func TestFoundPatientIsWhatTheImagesSay(t *testing.T) {
	t.Parallel()
	for _, s := range studies.Demonstration() {
		found, err := archive(t, hospital).FindPatients(t.Context(), library.PatientQuery{MRN: s.Patient.ID})
		if err != nil || len(found) != 1 {
			t.Fatalf("%d patients (%v)", len(found), err)
		}
		if got := found[0]; got != s.Patient {
			t.Errorf("archive says %+v, images say %+v", got, s.Patient)
		}
	}
}

func TestFindStudies(t *testing.T) {
	t.Parallel()
	pacs := archive(t, hospital)
	found, err := pacs.FindStudies(t.Context(), "D1093347", "")
	if err != nil {
		t.Fatal(err)
	}
	demo := studies.Demonstration()
	want := []studies.Study{demo[0], demo[1], demo[2]} // The newest first.
	if len(found) != len(want) {
		t.Fatalf("found %d studies, want %d", len(found), len(want))
	}
	for i, s := range want {
		f := found[i]
		if f.UID != s.UID || f.Date != s.Date || !slices.Equal(f.Modalities, []string{s.Modality}) ||
			!slices.Equal(f.BodyParts, []string{s.BodyPart}) || f.Instances != s.Images() ||
			f.Description != s.Description || f.Accession != s.Accession {
			t.Errorf("study %d: %+v", i, f)
		}
	}
	for name, id := range map[string]string{"nobody": "D0", "a wildcard": "D*", "a list": "D1093347,D2204518"} {
		if found, err := pacs.FindStudies(t.Context(), id, ""); len(found) != 0 || err != nil {
			t.Errorf("%s: found %d studies (%v)", name, len(found), err)
		}
	}
}

func TestInstances(t *testing.T) {
	t.Parallel()
	pacs := archive(t, hospital)
	for _, s := range studies.Demonstration() {
		list, err := pacs.Instances(t.Context(), s.UID)
		if err != nil {
			t.Fatal(err)
		}
		want := map[library.Instance]bool{}
		for i := range s.Images() {
			want[s.Instance(i)] = true
		}
		for _, in := range list {
			if !want[in] {
				t.Errorf("instance of %s that was not stored: %+v", s.Accession, in)
			}
			delete(want, in)
		}
		if len(want) > 0 {
			t.Errorf("%d instances of %s are not listed", len(want), s.Accession)
		}
	}
	if list, err := pacs.Instances(t.Context(), "2.25.1"); list != nil || err != nil {
		t.Errorf("unknown study: %d instances (%v)", len(list), err)
	}
	if _, err := pacs.Instances(t.Context(), "1/../2"); library.KindOf(err) != library.Invalid {
		t.Errorf("no uid: %v", err)
	}
}

func TestIssuerTellsPatientsApart(t *testing.T) {
	t.Parallel()
	pacs, s := archive(t, hospital), issued()
	found, err := pacs.FindPatients(t.Context(), library.PatientQuery{MRN: s.Patient.ID})
	if err != nil || len(found) != 1 || found[0].Issuer != "ELSEWHERE" {
		t.Fatalf("%v (%v)", found, err)
	}
	for issuer, want := range map[string]int{"": 1, "ELSEWHERE": 1, "OTHER": 0} {
		if list, err := pacs.FindStudies(t.Context(), s.Patient.ID, issuer); err != nil || len(list) != want {
			t.Errorf("issuer %q: %d studies, want %d (%v)", issuer, len(list), want, err)
		}
	}
}
