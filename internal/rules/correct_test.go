package rules_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/rules"
)

func TestApplyPutsEachCorrectionInItsPlace(t *testing.T) {
	t.Parallel()
	type reading = library.Reading
	tests := map[string]struct {
		field, value string
		at           func(reading) any
		want         any
	}{
		"first name":        {"patient.given", " Ellen ", func(r reading) any { return r.Request.Patient.Given }, "Ellen"},
		"middle name":       {"patient.middle", "", func(r reading) any { return r.Request.Patient.Middle }, ""},
		"family name":       {"patient.family", "Núñez", func(r reading) any { return r.Request.Patient.Family }, "Núñez"},
		"suffix":            {"patient.suffix", "Jr.", func(r reading) any { return r.Request.Patient.Suffix }, "Jr."},
		"birth date":        {"patient.birth_date", "1958-04-18", func(r reading) any { return r.Request.Patient.BirthDate }, library.Date("1958-04-18")},
		"no birth date":     {"patient.birth_date", "", func(r reading) any { return r.Request.Patient.BirthDate }, library.Date("")},
		"record number":     {"patient.mrn", "D2204518", func(r reading) any { return r.Request.Patient.MRN }, "D2204518"},
		"telephone":         {"patient.phone", "919-555-0119", func(r reading) any { return r.Request.Patient.Phone }, "919-555-0119"},
		"e-mail":            {"patient.email", "e@post.example", func(r reading) any { return r.Request.Patient.Email }, "e@post.example"},
		"address":           {"patient.address", "1 Elm", func(r reading) any { return r.Request.Patient.Address }, "1 Elm"},
		"person":            {"recipient.person", "Dr. Feld", func(r reading) any { return r.Request.Recipient.Person }, "Dr. Feld"},
		"organization":      {"recipient.organization", "OrthoNow", func(r reading) any { return r.Request.Recipient.Organization }, "OrthoNow"},
		"street":            {"recipient.street", "7720 Creedmoor Rd", func(r reading) any { return r.Request.Recipient.Street }, "7720 Creedmoor Rd"},
		"city":              {"recipient.city", "Raleigh", func(r reading) any { return r.Request.Recipient.City }, "Raleigh"},
		"state":             {"recipient.state", "NC", func(r reading) any { return r.Request.Recipient.State }, "NC"},
		"zip":               {"recipient.zip", "27613", func(r reading) any { return r.Request.Recipient.Zip }, "27613"},
		"recipient's phone": {"recipient.phone", "919-555-0100", func(r reading) any { return r.Request.Recipient.Phone }, "919-555-0100"},
		"recipient's fax":   {"recipient.fax", "919-555-0101", func(r reading) any { return r.Request.Recipient.Fax }, "919-555-0101"},
		"recipient's mail":  {"recipient.email", "r@ortho.example", func(r reading) any { return r.Request.Recipient.Email }, "r@ortho.example"},
		"to herself":        {"recipient.self", "yes", func(r reading) any { return r.Request.Recipient.Self }, true},
		"delivery":          {"delivery", "cd", func(r reading) any { return r.Request.Delivery }, "cd"},
		"purpose":           {"purpose", "legal", func(r reading) any { return r.Request.Purpose }, "legal"},
		"expiry":            {"expires", "end of treatment", func(r reading) any { return r.Request.Expires }, "end of treatment"},
		"unsigned":          {"signature.present", "false", func(r reading) any { return r.Request.Signature.Present }, false},
		"signer's name":     {"signature.name", "E. Hale", func(r reading) any { return r.Request.Signature.Name }, "E. Hale"},
		"signature's date":  {"signature.date", "2026-04-05", func(r reading) any { return r.Request.Signature.Date }, library.Date("2026-04-05")},
		"signer":            {"signature.signer", "guardian", func(r reading) any { return r.Request.Signature.Signer }, "guardian"},
		"electronic":        {"signature.electronic", "TRUE", func(r reading) any { return r.Request.Signature.Electronic }, true},
		"modality":          {"studies[1].modality", "CT", func(r reading) any { return r.Request.Studies[1].Modality }, "CT"},
		"body part":         {"studies[0].body_part", "left knee", func(r reading) any { return r.Request.Studies[0].BodyPart }, "left knee"},
		"study's date":      {"studies[0].date", "2026-02-13", func(r reading) any { return r.Request.Studies[0].Date }, library.Date("2026-02-13")},
		"from":              {"studies[0].from", "2026-02-01", func(r reading) any { return r.Request.Studies[0].From }, library.Date("2026-02-01")},
		"to":                {"studies[0].to", "2026-02-28", func(r reading) any { return r.Request.Studies[0].To }, library.Date("2026-02-28")},
		"all":               {"studies[0].all", "true", func(r reading) any { return r.Request.Studies[0].All }, true},
		"one more study":    {"studies[2].modality", "US", func(r reading) any { return r.Request.Studies[2] }, library.StudyRequest{Modality: "US"}},
		"kind of document":  {"documents[0].kind", "authorization-form", func(r reading) any { return r.Documents[0].Kind }, "authorization-form"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := letter()
			got, err := rules.Apply(before, map[string]string{tt.field: tt.value})
			if err != nil {
				t.Fatal(err)
			}
			if v := tt.at(got); v != tt.want {
				t.Errorf("%s is %v, want %v", tt.field, v, tt.want)
			}
			i := slices.IndexFunc(got.Fields, func(f library.Field) bool { return f.Name == tt.field })
			if tt.value == "" && i >= 0 {
				t.Errorf("%s was taken away and is still a field", tt.field)
			}
			if tt.value != "" && (i < 0 || got.Fields[i].Confidence != 1 || got.Fields[i].Value != strings.TrimSpace(tt.value)) {
				t.Errorf("%s is not noted with confidence 1: %+v", tt.field, got.Fields)
			}
			if !reflect.DeepEqual(before, letterLike(before)) {
				t.Error("the reading given was changed")
			}
		})
	}
}

// letterLike is the plain letter with the fields in the order of r.
func letterLike(r library.Reading) library.Reading {
	l := letter()
	slices.SortFunc(l.Fields, func(a, b library.Field) int {
		at := func(n string) int {
			return slices.IndexFunc(r.Fields, func(f library.Field) bool { return f.Name == n })
		}
		return at(a.Name) - at(b.Name)
	})
	return l
}

func TestApplyKeepsWhereACorrectedFieldStands(t *testing.T) {
	t.Parallel()
	got, err := rules.Apply(letter(), map[string]string{"patient.mrn": "D2204518"})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(got.Fields, func(f library.Field) bool { return f.Name == "patient.mrn" })
	if f := got.Fields[i]; f.Page != 1 || f.Box == nil {
		t.Errorf("field %+v, want the page and box it had", f)
	}
}

func TestApplyRefusesInASentence(t *testing.T) {
	t.Parallel()
	const secret = "Whitcombe-1958"
	tests := map[string]struct {
		field, value, want string
	}{
		"no such field":          {"patient.shoe_size", "9", "there is no field patient.shoe_size"},
		"no such group":          {"doctor", "x", "there is no field doctor"},
		"a sentence for a field": {"patient " + secret, "x", "there is no such field"},
		"no such study field":    {"studies[0].colour", "x", "there is no field studies[0].colour"},
		"a gap among studies":    {"studies[5].modality", "CT", "the next study is studies[2]"},
		"no such document":       {"documents[4].kind", "letter", "there is no field documents[4].kind"},
		"pages of a document":    {"documents[0].pages", "1", "there is no field documents[0].pages"},
		"a kind nobody knows":    {"documents[0].kind", secret, "must be one of letter"},
		"another day format":     {"patient.birth_date", "04/17/1958", "must be a date written as YYYY-MM-DD"},
		"no such day":            {"studies[0].date", "2026-02-30", "must be a date"},
		"a day of another age":   {"signature.date", "0026-04-06", "must be a date"},
		"neither true nor false": {"signature.present", secret, "must be true or false"},
		"a modality in words":    {"studies[0].modality", secret, "must be a DICOM code"},
		"a signer nobody knows":  {"signature.signer", secret, "must be one of patient, parent"},
		"a purpose nobody knows": {"purpose", secret, "must be one of continuing-care"},
		"two lines":              {"patient.given", "Ele\nanor", "must be one line"},
		"broken text":            {"patient.given", "\xff\xfe", "must be one line"},
		"a very long value":      {"patient.given", strings.Repeat("a", 201), "at most 200 characters"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := rules.Apply(letter(), map[string]string{tt.field: tt.value})
			if library.KindOf(err) != library.Invalid || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("err %v, want Invalid with %q", err, tt.want)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("err %v quotes what was typed", err)
			}
			if !reflect.DeepEqual(got, library.Reading{}) {
				t.Error("a refused correction returned a reading")
			}
		})
	}
}

func TestApplyWorksOutWhatIsMissing(t *testing.T) {
	t.Parallel()
	agent := map[string]string{"signature.signer": "health-care-agent", "signature.name": "Walter Hale"}
	and := func(a map[string]string, field, value string) map[string]string {
		b := maps.Clone(a)
		b[field] = value
		return b
	}
	tests := map[string]struct {
		before      []string
		corrections map[string]string
		want        []string
	}{
		"nothing corrected, nothing judged":   {[]string{"signature"}, nil, []string{"signature"}},
		"what was missing is there":           {[]string{"purpose", "signature"}, map[string]string{"purpose": "personal"}, nil},
		"no family name":                      {nil, map[string]string{"patient.family": ""}, []string{"patient-name"}},
		"no birth date":                       {nil, map[string]string{"patient.birth_date": ""}, []string{"birth-date"}},
		"no recipient":                        {nil, map[string]string{"recipient.person": "", "recipient.organization": ""}, []string{"recipient-name"}},
		"no street":                           {nil, map[string]string{"recipient.street": ""}, []string{"recipient-address"}},
		"no street, but to herself":           {nil, map[string]string{"recipient.street": "", "recipient.self": "true"}, nil},
		"a study without a date":              {nil, map[string]string{"studies[0].date": ""}, []string{"study-dates"}},
		"all needs no date":                   {nil, map[string]string{"studies[0].date": "", "studies[0].all": "true"}, nil},
		"not signed":                          {nil, map[string]string{"signature.present": "no", "signature.date": ""}, []string{"signature", "signature-date"}},
		"an agent without a paper":            {nil, agent, []string{"legal-document"}},
		"an agent with a paper":               {nil, and(agent, "documents[0].kind", "health-care-power-of-attorney"), nil},
		"the reader's word on a paper stands": {[]string{"legal-document"}, map[string]string{"purpose": "personal"}, []string{"legal-document"}},
		"it was the patient after all":        {[]string{"legal-document"}, map[string]string{"signature.signer": "patient"}, nil},
		"a parent of a child":                 {nil, map[string]string{"signature.signer": "parent", "patient.birth_date": "2015-01-01"}, nil},
		"a parent of a grown child":           {nil, map[string]string{"signature.signer": "parent"}, []string{"legal-document"}},
		"a parent who gave no date":           {nil, map[string]string{"signature.signer": "parent", "signature.date": ""}, []string{"signature-date"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := letter()
			r.Missing = tt.before
			got, err := rules.Apply(r, tt.corrections)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Missing, tt.want) {
				t.Errorf("missing %q, want %q", got.Missing, tt.want)
			}
		})
	}
}

func TestApplyAddsStudiesInTheirOrder(t *testing.T) {
	t.Parallel()
	corrections := map[string]string{}
	for i := 2; i < 12; i++ {
		corrections[fmt.Sprintf("studies[%d].modality", i)] = "US"
	}
	got, err := rules.Apply(letter(), corrections)
	if err != nil || len(got.Request.Studies) != 12 {
		t.Errorf("%d studies, err %v; want 12", len(got.Request.Studies), err)
	}
	for i := 12; i <= 100; i++ {
		corrections[fmt.Sprintf("studies[%d].modality", i)] = "US"
	}
	if _, err := rules.Apply(letter(), corrections); library.KindOf(err) != library.Invalid {
		t.Errorf("101 studies: err %v, want Invalid", err)
	}
}

// FuzzApply holds that no correction breaks the reading or the checks, and that
// an error is always one for staff.
func FuzzApply(f *testing.F) {
	f.Add("patient.given", "Ellen", "studies[2].date", "2026-01-01")
	f.Add("studies[999].date", "x", "documents[0].kind", "letter")
	f.Add("studies[", "\xff", "studies[-1].all", "true")
	f.Add("signature.signer", "parent", "patient.birth_date", "2020-02-29")
	f.Add("recipient.organization", "’’ ß İ", "recipient.zip", "-")
	pack, err := rules.Load()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, field, value, field2, value2 string) {
		r, err := rules.Apply(letter(), map[string]string{field: value, field2: value2})
		if err != nil {
			if library.KindOf(err) != library.Invalid {
				t.Fatalf("err %v, want Invalid", err)
			}
			return
		}
		again, err := rules.Apply(r, map[string]string{field: value, field2: value2})
		if err != nil || !reflect.DeepEqual(again.Request, r.Request) {
			t.Errorf("corrected twice it differs (err %v)", err)
		}
		facts := facts()
		facts.Reading = r
		withDirectory(&facts, clinic())
		facts.Basis, _, _ = rules.SuggestBasis(r, facts.Facility)
		rules.TierOf(facts, pack.Check(facts))
	})
}
