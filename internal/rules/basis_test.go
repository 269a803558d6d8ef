package rules_test

import (
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/rules"
)

func TestSuggestBasisNeverSeesAProviderWhereTheDirectoryHasNone(t *testing.T) {
	t.Parallel()
	provider := clinic()
	archive := clinic()
	archive.Provider = false
	tests := map[string]struct {
		change   func(*library.Reading)
		facility *library.Facility
		want     library.Basis
		certain  bool
	}{
		"to her treating doctor":            {nil, &provider, "LB-3", true},
		"to her doctor, and no purpose":     {func(r *library.Reading) { r.Request.Purpose = "" }, &provider, "LB-3", false},
		"to a doctor nobody knows":          {nil, nil, "LB-2", true},
		"to a facility that does not treat": {nil, &archive, "LB-2", false},
		"to a provider, for herself":        {func(r *library.Reading) { r.Request.Purpose = "personal" }, &provider, "LB-2", false},
		"to nobody":                         {func(r *library.Reading) { r.Request.Recipient = library.Recipient{} }, nil, "LB-2", false},
		"to herself":                        {func(r *library.Reading) { r.Request.Recipient = library.Recipient{Self: true} }, nil, "LB-1", true},
		"to herself, for a lawsuit": {func(r *library.Reading) {
			r.Request.Recipient, r.Request.Purpose = library.Recipient{Self: true}, "legal"
		}, nil, "LB-1", true},
		"to a law office":      {func(r *library.Reading) { r.Request.Recipient.Organization = "VANN LAW OFFICE" }, nil, "LB-4", true},
		"to a lawyer by title": {func(r *library.Reading) { r.Request.Recipient.Person = "Elizabeth H. Tiller, Esq." }, nil, "LB-4", true},
		"to abogados":          {func(r *library.Reading) { r.Request.Recipient.Organization = "Bufete Ríos, Abogados" }, nil, "LB-4", true},
		"to an insurer":        {func(r *library.Reading) { r.Request.Recipient.Organization = "Piedmont Mutual Insurance Co." }, nil, "LB-4", true},
		"to the disability bureau": {func(r *library.Reading) {
			r.Request.Recipient.Organization = "Bureau of Disability Determination, Claims Unit 7"
		}, nil, "LB-4", true},
		"to an employer":                    {func(r *library.Reading) { r.Request.Recipient.Organization = "Hale Mills, Human Resources" }, nil, "LB-4", true},
		"for a lawsuit":                     {func(r *library.Reading) { r.Request.Purpose = "legal" }, nil, "LB-4", true},
		"for an insurance claim":            {func(r *library.Reading) { r.Request.Purpose = "insurance" }, nil, "LB-4", true},
		"for a disability claim":            {func(r *library.Reading) { r.Request.Purpose = "disability" }, nil, "LB-4", true},
		"for a lawsuit, by way of a doctor": {func(r *library.Reading) { r.Request.Purpose = "legal" }, &provider, "LB-4", false},
		"Dr. Law practises medicine":        {func(r *library.Reading) { r.Request.Recipient.Person = "Dr. Anna Law" }, &provider, "LB-3", true},
		"Lawton is no law office":           {func(r *library.Reading) { r.Request.Recipient.Organization = "Lawton Family Medicine" }, &provider, "LB-3", true},
		"Court Street is no court":          {func(r *library.Reading) { r.Request.Recipient.Organization = "Court Street Family Medicine" }, &provider, "LB-3", true},
		"to a court":                        {func(r *library.Reading) { r.Request.Recipient.Organization = "Durham County Superior Court" }, nil, "LB-5", true},
		"to the police":                     {func(r *library.Reading) { r.Request.Recipient.Organization = "Durham Police Department" }, nil, "LB-5", true},
		"to the clerk in person":            {func(r *library.Reading) { r.Request.Recipient.Person = "Clerk of Superior Court" }, nil, "LB-5", true},
		"with a subpoena":                   {func(r *library.Reading) { r.Documents = append(r.Documents, library.Document{Kind: "subpoena"}) }, &provider, "LB-5", true},
		"with a court order, to the patient": {func(r *library.Reading) {
			r.Documents = append(r.Documents, library.Document{Kind: "court-order"})
			r.Request.Recipient.Self = true
		}, nil, "LB-5", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := letter()
			if tt.change != nil {
				tt.change(&r)
			}
			got, certain, why := rules.SuggestBasis(r, tt.facility)
			if got != tt.want || certain != tt.certain || why == "" {
				t.Errorf("SuggestBasis = %s, %t, %q; want %s, %t", got, certain, why, tt.want, tt.certain)
			}
		})
	}
}

func TestTierOfCountsPeopleByRisk(t *testing.T) {
	t.Parallel()
	portal := func(f *rules.Facts) {
		toSelf(f)
		f.Channel, f.Reading.Request.Delivery = library.ChannelPortal, "portal"
	}
	tests := map[string]struct {
		change   func(*rules.Facts)
		findings []library.Finding
		want     library.Tier
	}{
		"to a known provider":                   {nil, nil, 1},
		"a note changes nothing":                {nil, []library.Finding{{Rule: "PM-02", Severity: advise}}, 1},
		"patients alike":                        {nil, []library.Finding{{Rule: "PM-02", Severity: human}}, 2},
		"patients alike, acknowledged":          {nil, []library.Finding{{Rule: "PM-02", Severity: human, Acknowledged: &library.Acknowledge{}}}, 2},
		"places alike":                          {nil, []library.Finding{{Rule: "DS-02", Severity: human}}, 2},
		"another doubt is for one person":       {nil, []library.Finding{{Rule: "DL-05", Severity: human}}, 1},
		"to a provider not exactly matched":     {renamed(func(r *library.Recipient) { r.Street = "" }, clinic()), nil, 2},
		"to a facility that is no provider":     {func(f *rules.Facts) { f.Facility.Provider = false }, nil, 2},
		"a birth date read at 0.97":             {confidence("patient.birth_date", 0.97), nil, 2},
		"a birth date read at 0.98":             {confidence("patient.birth_date", 0.98), nil, 1},
		"a record number read at 0.97":          {confidence("patient.mrn", 0.97), nil, 2},
		"a directive":                           {on("LB-2"), nil, 2},
		"an authorization":                      {on("LB-4"), nil, 2},
		"legal process":                         {on("LB-5"), nil, 3},
		"no basis":                              {on(""), nil, 3},
		"a representative":                      {signerWith("guardian", "guardianship-order"), nil, 2},
		"a parent":                              {childOf("parent", "2015-01-01"), nil, 2},
		"next of kin":                           {signerWith("spouse", "death-certificate"), nil, 3},
		"to the patient by mail":                {toSelf, nil, 2},
		"to the patient in her portal":          {portal, nil, 0},
		"to the patient in her portal, a doubt": {portal, []library.Finding{{Rule: "DL-05", Severity: human}}, 2},
		"to the patient in her portal, no number": {func(f *rules.Facts) {
			portal(f)
			f.Match.Patients = []library.PatientCandidate{chosen(unnumbered, "program")}
		}, nil, 2},
		"to the patient in the portal by another": {func(f *rules.Facts) { portal(f); f.Reading.Request.Signature.Signer = "parent" }, nil, 2},
		"twenty studies":     {studies(many(20)...), nil, 1},
		"twenty-one studies": {studies(many(21)...), nil, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := facts()
			if tt.change != nil {
				tt.change(&f)
			}
			if got := rules.TierOf(f, tt.findings); got != tt.want {
				t.Errorf("tier %d, want %d", got, tt.want)
			}
		})
	}
}
