package matching_test

import (
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/matching"
)

func TestCompareNameIsFairToHowPeopleWrite(t *testing.T) {
	t.Parallel()
	type patient = library.Patient
	tests := map[string]struct {
		wanted patient
		name   string
		want   matching.Likeness
	}{
		"the same name":                       {patient{Given: "Eleanor", Middle: "Ruth", Family: "Whitcombe"}, "WHITCOMBE^ELEANOR^RUTH", matching.Same},
		"case makes no difference":            {patient{Given: "ADEBAYO", Family: "OYELARAN"}, "Oyelaran^Adebayo", matching.Same},
		"accents make none":                   {patient{Given: "José", Family: "Núñez"}, "NUNEZ^JOSE", matching.Same},
		"decomposed accents make none":        {patient{Given: "Jose\u0301", Family: "Nun\u0303ez"}, "NÚÑEZ^JOSÉ", matching.Same},
		"letters that do not decompose":       {patient{Given: "Søren", Family: "Groß"}, "GROSS^SOREN", matching.Same},
		"hyphen or space":                     {patient{Given: "Anna", Family: "Smith-Jones"}, "SMITH JONES^ANNA", matching.Same},
		"hyphen left out":                     {patient{Given: "Anna", Family: "Smith-Jones"}, "SMITHJONES^ANNA", matching.Same},
		"apostrophe, straight or curled":      {patient{Given: "Sean", Family: "O’Neil"}, "O'NEIL^SEAN", matching.Same},
		"apostrophe or nothing":               {patient{Given: "Sean", Family: "O'Neil"}, "ONEIL^SEAN", matching.Same},
		"apostrophe or space":                 {patient{Given: "Sean", Family: "O'Neil"}, "O NEIL^SEAN", matching.Same},
		"particle joined or not":              {patient{Given: "Ana", Family: "De La Cruz"}, "DELACRUZ^ANA", matching.Same},
		"middle initial for middle name":      {patient{Given: "Robert", Middle: "Q.", Family: "Tran"}, "TRAN^ROBERT^QUANG", matching.Same},
		"middle name on one side":             {patient{Given: "Robert", Family: "Tran"}, "TRAN^ROBERT^QUANG", matching.Same},
		"middle name kept with the given":     {patient{Given: "Mary", Middle: "Ann", Family: "Ellis"}, "ELLIS^MARY ANN", matching.Same},
		"double given name in one word":       {patient{Given: "Mary Ann", Family: "Ellis"}, "ELLIS^MARYANN", matching.Same},
		"double given name, half recorded":    {patient{Given: "María del Carmen", Family: "Ríos"}, "RIOS^MARIA", matching.Same},
		"suffix on one side":                  {patient{Given: "Vernon", Family: "Hobgood", Suffix: "Jr."}, "HOBGOOD^VERNON", matching.Same},
		"suffix kept with the family":         {patient{Given: "Vernon", Family: "Hobgood", Suffix: "Jr."}, "HOBGOOD JR^VERNON", matching.Same},
		"suffix spelt out":                    {patient{Given: "Vernon", Family: "Hobgood", Suffix: "Junior"}, "HOBGOOD^VERNON^^^JR", matching.Same},
		"degree is no suffix":                 {patient{Given: "Vernon", Family: "Hobgood", Suffix: "Jr"}, "HOBGOOD^VERNON^^DR^JR MD", matching.Same},
		"prefix is no name":                   {patient{Given: "Vernon", Family: "Hobgood"}, "HOBGOOD^VERNON^^MR", matching.Same},
		"other component groups count not":    {patient{Given: "Hanako", Family: "Yamada"}, "Yamada^Hanako=山田^花子", matching.Same},
		"padding is no name":                  {patient{Given: " Hanako ", Family: "Yamada"}, "Yamada^Hanako^^^ ", matching.Same},
		"father and son":                      {patient{Given: "Vernon", Family: "Hobgood", Suffix: "Sr"}, "HOBGOOD^VERNON^^^JR", matching.Alike},
		"second and third":                    {patient{Given: "Vernon", Family: "Hobgood", Suffix: "II"}, "HOBGOOD III^VERNON", matching.Alike},
		"other middle name":                   {patient{Given: "Eleanor", Middle: "Ruth", Family: "Whitcombe"}, "WHITCOMBE^ELEANOR^ROSE", matching.Alike},
		"other middle initial":                {patient{Given: "Eleanor", Middle: "R", Family: "Whitcombe"}, "WHITCOMBE^ELEANOR^M", matching.Alike},
		"brothers by second name":             {patient{Given: "José Luis", Family: "Ríos"}, "RIOS^JOSE MANUEL", matching.Alike},
		"given name as an initial":            {patient{Given: "R.", Family: "Tran"}, "TRAN^ROBERT", matching.Alike},
		"one of two surnames":                 {patient{Given: "Lucía", Family: "Ortiz"}, "ORTIZ-VEGA^LUCIA", matching.Alike},
		"one letter off in the family":        {patient{Given: "Eleanor", Family: "Whitcomb"}, "WHITCOMBE^ELEANOR", matching.Alike},
		"one letter off in the given":         {patient{Given: "Elianor", Family: "Whitcombe"}, "WHITCOMBE^ELEANOR", matching.Alike},
		"two letters exchanged":               {patient{Given: "Eleanor", Family: "Whitcobme"}, "WHITCOMBE^ELEANOR", matching.Alike},
		"given and family exchanged":          {patient{Given: "Whitcombe", Family: "Eleanor"}, "WHITCOMBE^ELEANOR", matching.Alike},
		"nicknames are not guessed":           {patient{Given: "Bill", Family: "Carver"}, "CARVER^WILLIAM", matching.Different},
		"short names have no slips":           {patient{Given: "Joan", Family: "Carver"}, "CARVER^JEAN", matching.Different},
		"two slips are another name":          {patient{Given: "Eleanor", Family: "Whitkome"}, "WHITCOMBE^ELEANOR", matching.Different},
		"sister":                              {patient{Given: "Eleanor", Family: "Whitcombe"}, "WHITCOMBE^MARGARET", matching.Different},
		"other family":                        {patient{Given: "Eleanor", Family: "Whitcombe"}, "HARGROVE^ELEANOR", matching.Different},
		"a shared particle is no shared name": {patient{Given: "Ana", Family: "de Vega"}, "DE^ANA", matching.Different},
		"no given name":                       {patient{Family: "Whitcombe"}, "WHITCOMBE^ELEANOR", matching.Unknown},
		"no family name":                      {patient{Given: "Larry"}, "DOBBS^LARRY", matching.Unknown},
		"no name in the PACS":                 {patient{Given: "Eleanor", Family: "Whitcombe"}, "^^^^", matching.Unknown},
		"nothing but marks":                   {patient{Given: "---", Family: "'"}, "WHITCOMBE^ELEANOR", matching.Unknown},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := matching.CompareName(tt.wanted, tt.name); got != tt.want {
				t.Errorf("CompareName(%+v, %q) = %d, want %d", tt.wanted, tt.name, got, tt.want)
			}
		})
	}
}

// FuzzCompareName holds that no name breaks the comparison, and that a name is
// never different from itself, nor from itself in a system that shouts.
func FuzzCompareName(f *testing.F) {
	f.Add("Eleanor", "Ruth", "Whitcombe", "Jr.", "WHITCOMBE^ELEANOR^RUTH^^JR")
	f.Add("José", "", "Núñez-Ortiz", "", "NUNEZ ORTIZ^JOSE=^=")
	f.Add("", "^", "=", "\xff", "^^^^^^^^")
	f.Add("İ", "ß", "ǅ", "III", "ß^İ")
	f.Fuzz(func(t *testing.T, given, middle, family, suffix, other string) {
		p := library.Patient{Given: given, Middle: middle, Family: family, Suffix: suffix}
		if l := matching.CompareName(p, other); l < matching.Unknown || l > matching.Same {
			t.Errorf("likeness %d", l)
		}
		for _, s := range []string{given, middle, family, suffix} {
			for _, r := range s {
				if r == '^' || r == '=' {
					return // No part of a name in DICOM.
				}
			}
		}
		self := family + "^" + given + "^" + middle + "^^" + suffix
		if l := matching.CompareName(p, self); l == matching.Different || l == matching.Alike {
			t.Errorf("CompareName(%+v, itself) = %d", p, l)
		}
	})
}
