package library_test

import (
	"testing"

	"fileroom/internal/library"
)

func TestApproved(t *testing.T) {
	t.Parallel()

	by := func(subject string, role library.Role) library.Decision {
		return library.Decision{Message: library.Approve, Revision: "r", Actor: library.Actor{Subject: subject, Roles: []library.Role{role}}}
	}
	dana, luis, priya := by("dana", library.RoleSpecialist), by("luis", library.RoleLead), by("priya", library.RolePrivacy)
	omar := by("omar", library.RoleSpecialist)
	stale := by("omar", library.RoleSpecialist)
	stale.Revision = "before"

	tests := map[string]struct {
		tier   library.Tier
		given  []library.Decision
		chosen []string
		want   bool
	}{
		"nobody has approved":                   {tier: 1},
		"one is enough for tier 1":              {tier: 1, given: []library.Decision{dana}, want: true},
		"who chose may be the only one":         {tier: 1, given: []library.Decision{dana}, chosen: []string{"dana"}, want: true},
		"one is not enough for tier 2":          {tier: 2, given: []library.Decision{dana}},
		"the same twice is one":                 {tier: 2, given: []library.Decision{dana, dana}},
		"two are enough for tier 2":             {tier: 2, given: []library.Decision{dana, omar}, want: true},
		"an approval of before is none":         {tier: 2, given: []library.Decision{dana, stale}},
		"who chose is not the second":           {tier: 2, given: []library.Decision{dana, omar}, chosen: []string{"omar"}},
		"a third makes good for who chose":      {tier: 2, given: []library.Decision{dana, omar, luis}, chosen: []string{"omar"}, want: true},
		"tier 3 needs a senior second":          {tier: 3, given: []library.Decision{dana, omar}},
		"a lead is senior":                      {tier: 3, given: []library.Decision{dana, luis}, want: true},
		"so is privacy":                         {tier: 3, given: []library.Decision{dana, priya}, want: true},
		"a senior first is not a senior second": {tier: 3, given: []library.Decision{luis, dana}},
		"what is no approval does not count":    {tier: 1, given: []library.Decision{{Message: library.Hold, Revision: "r", Actor: luis.Actor}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if _, got := library.Approved(tt.given, "r", tt.tier, tt.chosen); got != tt.want {
				t.Errorf("Approved = %t, want %t", got, tt.want)
			}
		})
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()

	order := []library.Role{library.RoleViewer, library.RoleSpecialist, library.RoleLead, library.RolePrivacy}
	for i, have := range order {
		for j, want := range order {
			if got := library.Holds([]library.Role{have}, want); got != (i >= j) {
				t.Errorf("Holds(%s, %s) = %t", have, want, got)
			}
		}
		if library.Holds([]library.Role{have}, library.RoleAdmin) || have != library.RoleViewer && library.Holds([]library.Role{library.RoleAdmin}, have) {
			t.Errorf("admin and %s are mixed up", have)
		}
	}
	for _, m := range []library.Message{"", "terminate"} {
		if library.NeededRole(m) != library.RoleAdmin {
			t.Errorf("NeededRole(%q) = %s: an unknown message must be nobody's", m, library.NeededRole(m))
		}
	}
}
