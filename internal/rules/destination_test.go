package rules_test

import (
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/rules"
)

func TestMatchFacilityIsExactByNameAndAddressAlone(t *testing.T) {
	t.Parallel()
	type recipient = library.Recipient
	full := letter().Request.Recipient
	but := func(change func(*recipient)) recipient { r := full; change(&r); return r }
	mercy := func(id library.FacilityID, street, zip string) library.Facility {
		return library.Facility{ID: id, Name: "Mercy Hospital", Street: street, City: "Durham", State: "NC", Zip: zip}
	}
	rao := library.Facility{ID: "rao-solo", Name: "Anita Rao, M.D.", Street: "5 Elm Street", City: "Boone", State: "NC", Zip: "28607"}
	directory := []library.Facility{clinic(), mercy("mercy-a", "1 Main Street", "27701"), mercy("mercy-b", "77 Oak Avenue", "27513"), rao}

	tests := map[string]struct {
		recipient recipient
		ids       []library.FacilityID // In order, with exact ones marked below.
		exact     library.FacilityID
		picked    library.FacilityID
	}{
		"name and address":                    {full, []library.FacilityID{"blue-ridge", "rao-solo"}, "blue-ridge", "blue-ridge"},
		"case, accents and suite":             {but(func(r *recipient) { r.Organization, r.Street = "BLUE RIDGE NEUROSURGICAL ASSOCIATES", "218 Vance St." }), []library.FacilityID{"blue-ridge", "rao-solo"}, "blue-ridge", "blue-ridge"},
		"a department":                        {recipient{Organization: "Blue Ridge Neurosurgical Associates, Radiology File Room", Street: "218 Vance Street", Zip: "28801-1234"}, []library.FacilityID{"blue-ridge"}, "blue-ridge", "blue-ridge"},
		"a misread letter":                    {recipient{Organization: "Blue Ridqe Neurosurgical Associates", Street: "218 Vance Street", Zip: "28801"}, []library.FacilityID{"blue-ridge"}, "", "blue-ridge"},
		"the name alone":                      {recipient{Organization: "Blue Ridge Neurosurgical Associates"}, []library.FacilityID{"blue-ridge"}, "", "blue-ridge"},
		"the name at another address":         {recipient{Organization: "Blue Ridge Neurosurgical Associates", Street: "9 Sand Hill Road", Zip: "28715"}, []library.FacilityID{"blue-ridge"}, "", ""},
		"the name in another house":           {recipient{Organization: "Blue Ridge Neurosurgical Associates", Street: "220 Vance Street", Zip: "28801"}, []library.FacilityID{"blue-ridge"}, "", ""},
		"another name in the house":           {recipient{Organization: "Vance Street Dental", Street: "218 Vance Street", Zip: "28801"}, []library.FacilityID{"blue-ridge"}, "", ""},
		"the doctor in the house":             {recipient{Person: "Anita Rao, MD", Street: "218 Vance Street", Zip: "28801"}, []library.FacilityID{"blue-ridge", "rao-solo"}, "blue-ridge", "blue-ridge"},
		"the doctor elsewhere":                {recipient{Person: "Dr. Anita Rao", Street: "5 Elm Street", Zip: "28607"}, []library.FacilityID{"rao-solo", "blue-ridge"}, "rao-solo", "rao-solo"},
		"the doctor alone":                    {recipient{Person: "Dr. Anita Rao"}, []library.FacilityID{"blue-ridge", "rao-solo"}, "", ""},
		"the doctor's family name":            {recipient{Person: "Dr. Rao", Street: "218 Vance Street", Zip: "28801"}, []library.FacilityID{"blue-ridge", "rao-solo"}, "", ""},
		"a name of two places":                {recipient{Organization: "Mercy Hospital"}, []library.FacilityID{"mercy-a", "mercy-b"}, "", ""},
		"a name of two places, with address":  {recipient{Organization: "Mercy Hospital", Street: "77 Oak Avenue", Zip: "27513"}, []library.FacilityID{"mercy-b", "mercy-a"}, "mercy-b", "mercy-b"},
		"a name of two places, with postcode": {recipient{Organization: "Mercy Hospital", Zip: "27513"}, []library.FacilityID{"mercy-b", "mercy-a"}, "", ""},
		"a place that is not there":           {recipient{Organization: "Coastal Bone & Joint", Street: "1721 New Hanover Drive", Zip: "28403"}, nil, "", ""},
		"nobody":                              {recipient{}, nil, "", ""},
		"marks for a name":                    {recipient{Organization: "---", Person: "Dr.", Street: "-", Zip: "-"}, nil, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := rules.MatchFacility(tt.recipient, directory)
			if len(got) != len(tt.ids) {
				t.Fatalf("candidates %+v, want %v", got, tt.ids)
			}
			for i, c := range got {
				if c.Facility.ID != tt.ids[i] {
					t.Errorf("candidate %d is %s, want %s", i, c.Facility.ID, tt.ids[i])
				}
				if c.Exact != (c.Facility.ID == tt.exact) {
					t.Errorf("%s: exact %t", c.Facility.ID, c.Exact)
				}
				if c.Score < 0 || c.Score > 1 {
					t.Errorf("%s: score %g", c.Facility.ID, c.Score)
				}
			}
			var picked library.FacilityID
			if f := rules.PickFacility(got, directory, ""); f != nil {
				picked = f.ID
			}
			if picked != tt.picked {
				t.Errorf("picked %q, want %q", picked, tt.picked)
			}
		})
	}
}

func TestPickFacilityFollowsStaff(t *testing.T) {
	t.Parallel()
	directory := []library.Facility{clinic(), sister()}
	candidates := rules.MatchFacility(letter().Request.Recipient, directory)
	if f := rules.PickFacility(candidates, directory, "blue-ridge-west"); f == nil || f.ID != "blue-ridge-west" {
		t.Errorf("picked %v, want what staff chose", f)
	}
	if f := rules.PickFacility(candidates, directory, "gone"); f != nil {
		t.Errorf("picked %s, though staff chose one that is gone", f.ID)
	}
}
