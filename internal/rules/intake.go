package rules

import (
	"fmt"
	"strings"

	"fileroom/internal/library"
)

// boundToOneCase is IN-01: nothing that arrived is in no case, or in two.
func boundToOneCase(f Facts) []fault {
	switch len(f.Bound) {
	case 1:
		return nil
	case 0:
		return []fault{{kind: "unbound", why: "What arrived is not yet bound to a case."}}
	}
	return []fault{{kind: "several", why: "What arrived is bound to more than one case: " + cases(f.Bound) + "."}}
}

func cases(ids []library.CaseID) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = string(id)
	}
	return strings.Join(words, ", ")
}

// pagesLegible is IN-03: what is there can be read.
func pagesLegible(f Facts) []fault {
	return troubles(f, legibility)
}

// attachmentsSafe is IN-06: what is there can be opened. Every trouble that is
// not one of legibility is its own, so that none is in neither.
func attachmentsSafe(f Facts) []fault {
	return troubles(f, func(c library.TroubleCode) bool { return !legibility(c) })
}

func legibility(c library.TroubleCode) bool {
	return c == library.TroubleIllegible || c == library.TroubleDamaged || c == library.TroubleEmpty
}

func troubles(f Facts, mine func(library.TroubleCode) bool) []fault {
	var found []fault
	for _, t := range f.Reading.Troubles {
		if !mine(t.Code) {
			continue
		}
		where := fmt.Sprintf("Part %d", t.Part)
		if t.Page > 0 {
			where += fmt.Sprintf(", page %d", t.Page)
		}
		found = append(found, fault{kind: "trouble", why: fmt.Sprintf("%s (%s): %s", where, t.Code, t.Text), page: t.Page})
	}
	return found
}

// notAskedBefore is IN-04: the same was not asked for already.
func notAskedBefore(f Facts) []fault {
	if len(f.Duplicates) == 0 {
		return nil
	}
	return []fault{{kind: "duplicate", why: "The same patient's images were asked for, for the same destination, in " + cases(f.Duplicates) + "."}}
}

// onePatient is IN-05: one envelope, one patient.
func onePatient(f Facts) []fault {
	if len(f.Reading.Others) == 0 {
		return nil
	}
	var names []string
	for _, p := range f.Reading.Others {
		names = append(names, strings.TrimSpace(p.Name()+" "+string(p.BirthDate)))
	}
	return []fault{{kind: "several", why: "The papers name more than one patient: also " + strings.Join(names, "; ") + "."}}
}
