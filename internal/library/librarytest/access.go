package librarytest

import (
	"context"
	"slices"
	"unicode/utf8"

	"fileroom/internal/library"
)

// AddLooks implements [library.AccessRecords]. The same look entered twice is
// two lines. A look by nobody, of an unknown kind, at what is no case number,
// or with a detail of more than a thousand characters is [library.Invalid];
// one at a case that is not there is entered.
func (r *Records) AddLooks(ctx context.Context, looks ...library.Look) error {
	const op = "enter looks"
	leave, err := r.enter(ctx, "AddLooks")
	if err != nil {
		return err
	}
	defer leave()

	for _, l := range looks {
		switch {
		case l.Actor.Subject == "":
			return invalid(op, "", "a look by nobody")
		case !slices.Contains(lookKinds, l.What):
			return invalid(op, "", "a look of an unknown kind")
		case l.Case != "" && !caseNumber.MatchString(string(l.Case)), l.Arrival < 0:
			return invalid(op, "", "a look at what is no case or arrival")
		case utf8.RuneCountInString(l.Detail) > 1000:
			return invalid(op, "", "too long a detail")
		}
	}
	for _, l := range looks {
		l.At, l.Actor.Roles = instant(l.At), copied(l.Actor.Roles)
		r.looks = append(r.looks, l)
	}
	return nil
}

// Looks implements [library.AccessRecords]. A case at which nobody looked has
// none, whether or not it is there.
func (r *Records) Looks(ctx context.Context, id library.CaseID, limit int) ([]library.Look, error) {
	leave, err := r.enter(ctx, "Looks")
	if err != nil {
		return nil, err
	}
	defer leave()

	var all []library.Look
	for _, l := range r.looks {
		if id == "" || l.Case == id {
			l.Actor.Roles = copied(l.Actor.Roles)
			all = append(all, l)
		}
	}
	slices.SortStableFunc(all, func(a, b library.Look) int { return a.At.Compare(b.At) })
	if limit <= 0 {
		limit = 1000
	}
	return all[max(len(all)-limit, 0):], nil
}
