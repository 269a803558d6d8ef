package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fileroom/internal/library"
)

// A FacilityCandidate is a facility of the directory that may be the recipient.
type FacilityCandidate struct {
	Facility library.Facility
	Score    float64 // 0 to 1, for the order alone.
	Exact    bool    // Name (or doctor, where no organization is named), postcode and street number agree.

	name    float64
	address agreement
}

// An agreement is what two addresses say about each other.
type agreement int

const (
	unknownAddress agreement = iota
	sameAddress
	otherAddress
)

const (
	nameExact = 1.0
	nameFuzzy = 0.6 // From here on a name may be meant.
)

// MatchFacility returns the facilities of the directory that a recipient may
// mean, the likeliest first. The name alone is never exact: many places are
// called Mercy (FIELD.md, DS-02).
func MatchFacility(recipient library.Recipient, directory []library.Facility) []FacilityCandidate {
	var candidates []FacilityCandidate
	for _, f := range directory {
		c := FacilityCandidate{Facility: f, name: compareRecipient(recipient, f), address: compareAddress(recipient, f)}
		if c.name < nameFuzzy && c.address != sameAddress {
			continue
		}
		c.Exact = c.name == nameExact && c.address == sameAddress
		c.Score = 0.6 * c.name
		switch c.address {
		case sameAddress:
			c.Score += 0.4
		case unknownAddress:
			c.Score += 0.2
		case otherAddress:
		}
		candidates = append(candidates, c)
	}
	slices.SortStableFunc(candidates, func(a, b FacilityCandidate) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(string(a.Facility.ID), string(b.Facility.ID)))
	})
	return candidates
}

// PickFacility returns the destination: the facility that staff chose, of the
// whole directory, or else the one exact candidate, or else the only candidate
// if its name may be meant and its address is not another; nil if there is none.
func PickFacility(candidates []FacilityCandidate, directory []library.Facility, chosen library.FacilityID) *library.Facility {
	if chosen != "" {
		if i := slices.IndexFunc(directory, func(f library.Facility) bool { return f.ID == chosen }); i >= 0 {
			f := directory[i]
			return &f
		}
		return nil
	}
	var exact []FacilityCandidate
	for _, c := range candidates {
		if c.Exact {
			exact = append(exact, c)
		}
	}
	switch {
	case len(exact) == 1:
		return &exact[0].Facility
	case len(exact) == 0 && len(candidates) == 1 && candidates[0].name >= nameFuzzy && candidates[0].address != otherAddress:
		return &candidates[0].Facility
	}
	return nil
}

// compareRecipient returns how much of a facility's name a recipient has, from
// 0 to 1. Where an organization is named, it must agree: a doctor may work in
// several places.
func compareRecipient(r library.Recipient, f library.Facility) float64 {
	best := 0.0
	for _, name := range append([]string{f.Name}, f.Aliases...) {
		if r.Organization != "" {
			best = max(best, compareOrganization(r.Organization, name))
		}
		if r.Person == "" {
			continue
		}
		person := comparePerson(r.Person, name)
		if r.Organization != "" {
			person = min(person, nameFuzzy)
		}
		best = max(best, person)
	}
	return best
}

// compareOrganization takes a department after the name for part of the place:
// Riverbend Medical Center, Imaging Department. Otherwise what counts is the
// share of words that both have.
func compareOrganization(a, b string) float64 {
	x, y := organizationWords(a), organizationWords(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	if slices.Equal(x, y) {
		return nameExact
	}
	if head, _, found := strings.Cut(a, ","); found && slices.Equal(organizationWords(head), y) {
		return nameExact
	}
	common := 0
	for _, w := range x {
		if slices.Contains(y, w) {
			common++
		}
	}
	return min(float64(common)/float64(max(len(x), len(y))), 0.95)
}

// comparePerson compares a recipient's person with a name of the directory: a
// doctor there is an alias. A family name alone, such as Dr. Feld, is doubtful.
func comparePerson(a, b string) float64 {
	x, y := nameWords(a), nameWords(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	first, last := x[0] == y[0], x[len(x)-1] == y[len(y)-1]
	switch {
	case first && last && min(len(x), len(y)) > 1, len(x) > 1 && slices.Equal(x, y):
		return nameExact
	case last && (len(x) == 1 || len(y) == 1 || initials(x[0], y[0])):
		return nameFuzzy
	}
	return 0
}

func initials(a, b string) bool {
	return (len(a) == 1 || len(b) == 1) && a[0] == b[0]
}

// organizationWords returns the words that tell a place apart, spelt one way.
func organizationWords(s string) []string {
	spelling := map[string]string{
		"orthopaedic": "orthopedic", "orthopaedics": "orthopedics", "saint": "st", "centre": "center", "ctr": "center",
		"hosp": "hospital", "assoc": "associates", "univ": "university", "med": "medical", "neuro": "neurology",
	}
	var words []string
	for _, w := range fold(s) {
		if slices.Contains([]string{"the", "of", "and", "at", "for", "a", "pa", "pc", "pllc", "llc", "inc", "y", "de", "del", "la", "el"}, w) {
			continue
		}
		if as, ok := spelling[w]; ok {
			w = as
		}
		words = append(words, w)
	}
	return words
}

// compareAddress holds postcode and number of the street (or of the box)
// against each other. Streets are spelt in too many ways to be compared.
func compareAddress(r library.Recipient, f library.Facility) agreement {
	zip, number := compareKnown(postcode(r.Zip), postcode(f.Zip)), compareKnown(streetNumber(r.Street), streetNumber(f.Street))
	switch {
	case zip == otherAddress, number == otherAddress:
		return otherAddress
	case zip == sameAddress && number == sameAddress:
		return sameAddress
	}
	return unknownAddress
}

func compareKnown(a, b string) agreement {
	switch {
	case a == "" || b == "":
		return unknownAddress
	case a == b:
		return sameAddress
	}
	return otherAddress
}

// postcode returns the five digits of a ZIP code without its extension, or a
// foreign postcode as it is.
func postcode(s string) string {
	head, _, _ := strings.Cut(s, "-")
	return strings.Join(fold(head), "")
}

// streetNumber returns the first word that begins with a digit: the number of a
// house or a box.
func streetNumber(s string) string {
	for _, w := range fold(s) {
		if w[0] >= '0' && w[0] <= '9' {
			return w
		}
	}
	return ""
}

// exact reports whether the destination is an exact candidate.
func (f Facts) exact() bool {
	c, ok := f.candidate()
	return ok && c.Exact
}

// candidate returns the destination as a candidate.
func (f Facts) candidate() (FacilityCandidate, bool) {
	for _, c := range f.Facilities {
		if f.Facility != nil && c.Facility.ID == f.Facility.ID {
			return c, true
		}
	}
	return FacilityCandidate{}, false
}

// destinationKnown is DS-01: the directory, and not the letter, says where
// images go, and the letter means that place.
func destinationKnown(f Facts) []fault {
	const field = "recipient"
	c, meant := f.candidate()
	switch {
	case f.Reading.Request.Recipient.Self:
		return []fault{{kind: "self", why: "The images are to go to the patient, which this version cannot do: hand them over by hand.", field: field}}
	case f.Facility == nil:
		return []fault{{kind: "none", why: fmt.Sprintf("The recipient is not matched to a facility of the directory (%d candidates).", len(f.Facilities)), field: field}}
	case !meant, c.name < nameFuzzy:
		return []fault{{kind: "unlike", why: "The papers do not name " + f.Facility.Name + " as the recipient.", field: field}}
	case c.Exact:
		return nil
	case c.address == otherAddress:
		return []fault{{kind: "fuzzy", why: "The address of " + f.Facility.Name + " is not the one in the papers.", field: "recipient.street"}}
	case c.address == unknownAddress:
		return []fault{{kind: "fuzzy", why: "The papers do not give enough of an address to compare it with that of " + f.Facility.Name + ".", field: "recipient.street"}}
	}
	return []fault{{kind: "fuzzy", why: "The name in the papers is not quite that of " + f.Facility.Name + ".", field: field}}
}

// destinationUnique is DS-02: of several places of one name, the address tells
// which is meant, or two people do.
func destinationUnique(f Facts) []fault {
	var rivals []string
	exact := 0
	for _, c := range f.Facilities {
		if c.name == nameExact {
			rivals = append(rivals, c.Facility.Name+", "+c.Facility.City)
		}
		if c.Exact {
			exact++
		}
	}
	slices.Sort(rivals)
	switch {
	case len(rivals) < 2:
		return nil
	case exact == 1 && f.exact():
		return []fault{{kind: "told-apart", why: "The directory holds several of this name (" + strings.Join(rivals, "; ") + "); the address tells them apart.", field: "recipient.street"}}
	}
	return []fault{{kind: "twins", why: "The directory holds several that fit the name: " + strings.Join(rivals, "; ") + ".", field: "recipient"}}
}
