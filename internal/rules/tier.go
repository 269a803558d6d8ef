package rules

import (
	"slices"

	"fileroom/internal/library"
)

// manyStudies is the number beyond which a request is of the highest tier.
const manyStudies = 20

// TierOf returns the risk tier of a case (FIELD.md, table 4.1), from the facts and
// what the checks found. What the table does not name is put one tier too high
// rather than too low.
func TierOf(f Facts, findings []library.Finding) library.Tier {
	tier := baseTier(f, findings)
	if len(f.readBelow(safelyRead)) > 0 || doubtful(findings) || represented(f.Reading.Request.Signature) {
		tier = max(tier, 2)
	}
	kin := slices.Contains([]string{"spouse", "other-representative"}, f.Reading.Request.Signature.Signer)
	if kin || len(f.Match.ChosenStudies()) > manyStudies {
		tier = 3
	}
	return tier
}

func baseTier(f Facts, findings []library.Finding) library.Tier {
	switch {
	case f.Basis == library.BasisTreatment && f.Facility != nil && f.Facility.Provider && f.exact():
		return 1
	case f.Basis == library.BasisAccess && inPortal(f) && len(library.OpenRules(findings)) == 0:
		return 0
	case f.Basis == library.BasisAccess, f.Basis == library.BasisDirective,
		f.Basis == library.BasisTreatment, f.Basis == library.BasisAuthorization:
		return 2
	}
	return 3 // Legal process, and whatever has no basis.
}

// inPortal reports whether a signed-in patient asked for her images in the
// portal, and is certainly the one chosen.
func inPortal(f Facts) bool {
	p, ok := f.Match.ChosenPatient()
	return ok && f.Channel == library.ChannelPortal && f.Reading.Request.Delivery == "portal" &&
		library.Supports(p.Reasons, library.ReasonMRN) && library.Supports(p.Reasons, library.ReasonBirthDate)
}

// doubtful reports whether patient or destination have a likeness that nothing
// in the papers resolves.
func doubtful(findings []library.Finding) bool {
	return slices.ContainsFunc(findings, func(f library.Finding) bool {
		return (f.Rule == "PM-02" || f.Rule == "DS-01" || f.Rule == "DS-02") && f.Severity != library.Advise
	})
}
