package librarytest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"fileroom/internal/library"
)

func (f *caseFile) release(revision library.Revision, facility library.FacilityID) *release {
	for _, r := range f.releases {
		if r.Revision == revision && r.Facility == facility {
			return r
		}
	}
	return nil
}

// OpenRelease implements [library.ReleaseRecords]. A release rests on at least
// one decision, and each must be on record for its case and revision, or it is
// [library.NotFound]. For a closed case it is a [library.Conflict]. Case,
// revision, facility and kind of the intended disclosure are taken from rel.
func (r *Records) OpenRelease(ctx context.Context, rel library.Release, manifest []library.Instance, intended library.Disclosure) (library.Release, error) {
	const op = "open release of case"
	leave, err := r.enter(ctx, "OpenRelease")
	if err != nil {
		return library.Release{}, err
	}
	defer leave()

	f, err := r.find(op, rel.Case)
	if err != nil {
		return library.Release{}, err
	}
	if have := f.release(rel.Revision, rel.Facility); have != nil {
		return copiedRelease(have.Release), nil
	}
	if f.record.Stage == library.StageClosed {
		return library.Release{}, library.Errorf(library.Conflict, op, string(rel.Case), "is closed as %s", f.record.Outcome)
	}
	if err := r.checkRelease(op, rel, manifest); err != nil {
		return library.Release{}, err
	}
	intended.Case, intended.Revision, intended.Facility = rel.Case, rel.Revision, rel.Facility
	intended.Kind = library.DisclosureIntended
	if err := r.disclose(op, intended); err != nil {
		return library.Release{}, err
	}
	opened := &release{Release: copiedRelease(rel)}
	for _, in := range manifest {
		opened.instances = append(opened.instances, library.TransferInstance{Instance: in, State: library.InstancePending})
	}
	slices.SortFunc(opened.instances, func(a, b library.TransferInstance) int {
		return cmp.Or(strings.Compare(a.Study, b.Study), strings.Compare(a.Series, b.Series), strings.Compare(a.SOP, b.SOP))
	})
	f.releases = append(f.releases, opened)
	r.add(library.Event{
		Case: rel.Case, Key: fmt.Sprintf("release/%s/%s", rel.Revision, rel.Facility), What: "release opened",
		Detail: fmt.Sprintf("%s, %d images", rel.Facility, len(manifest)), Actor: program, At: rel.At,
	})
	return copiedRelease(rel), nil
}

func copiedRelease(r library.Release) library.Release {
	r.Decisions, r.At = copied(r.Decisions), instant(r.At)
	return r
}

// checkRelease returns an error for a release that may not be opened.
func (r *Records) checkRelease(op string, rel library.Release, manifest []library.Instance) error {
	id := string(rel.Case)
	switch {
	case rel.Revision == "" || rel.Facility == "":
		return invalid(op, id, "no revision or no facility")
	case len(rel.Decisions) == 0:
		return invalid(op, id, "rests on no decision")
	}
	seen := map[string]bool{"": true}
	for _, in := range manifest {
		if seen[in.SOP] {
			return invalid(op, id, "manifest names an image twice, or none")
		}
		seen[in.SOP] = true
	}
	for _, named := range rel.Decisions {
		known := slices.ContainsFunc(r.decisions, func(d library.Decision) bool {
			return d.ID == named && d.Case == rel.Case && d.Revision == rel.Revision
		})
		if !known {
			return missing(op, id)
		}
	}
	return nil
}

// Release implements [library.ReleaseRecords].
func (r *Records) Release(ctx context.Context, id library.CaseID, revision library.Revision, facility library.FacilityID) (library.Release, error) {
	leave, err := r.enter(ctx, "Release")
	if err != nil {
		return library.Release{}, err
	}
	defer leave()

	have, err := r.opened("read release of case", id, revision, facility)
	if err != nil {
		return library.Release{}, err
	}
	return copiedRelease(have.Release), nil
}

func (r *Records) opened(op string, id library.CaseID, revision library.Revision, facility library.FacilityID) (*release, error) {
	f, err := r.find(op, id)
	if err != nil {
		return nil, err
	}
	have := f.release(revision, facility)
	if have == nil {
		return nil, missing(op, string(id))
	}
	return have, nil
}

// TransferInstances implements [library.ReleaseRecords].
func (r *Records) TransferInstances(ctx context.Context, id library.CaseID, revision library.Revision, facility library.FacilityID) ([]library.TransferInstance, error) {
	leave, err := r.enter(ctx, "TransferInstances")
	if err != nil {
		return nil, err
	}
	defer leave()

	have, err := r.opened("list images of release of case", id, revision, facility)
	if err != nil {
		return nil, err
	}
	return copied(have.instances), nil
}

// MarkInstances implements [library.ReleaseRecords]. A mark for an image that
// the release does not hold is [library.NotFound], and then none is made.
func (r *Records) MarkInstances(ctx context.Context, id library.CaseID, revision library.Revision, facility library.FacilityID, marks []library.InstanceMark) error {
	const op = "mark images of release of case"
	leave, err := r.enter(ctx, "MarkInstances")
	if err != nil {
		return err
	}
	defer leave()

	have, err := r.opened(op, id, revision, facility)
	if err != nil {
		return err
	}
	marked := slices.Clone(have.instances)
	for _, m := range marks {
		i := slices.IndexFunc(marked, func(in library.TransferInstance) bool { return in.SOP == m.SOP })
		if i < 0 {
			return missing(op, string(id))
		}
		in := &marked[i]
		if in.State == library.InstanceConfirmed {
			m.State = in.State
		}
		in.State, in.Digest = cmp.Or(m.State, in.State), cmp.Or(m.Digest, in.Digest)
		in.Code, in.Proof = cmp.Or(m.Code, in.Code), cmp.Or(m.Proof, in.Proof)
		in.Sends += m.Sends
		if !slices.Contains(instanceStates, in.State) || !slices.Contains(proofs, in.Proof) || in.Sends < 0 {
			return invalid(op, string(id), "an unknown state or proof, or fewer sends than none")
		}
	}
	have.instances = marked
	return nil
}

// CompleteDisclosure implements [library.ReleaseRecords]. A disclosure of what
// was never released is [library.NotFound].
func (r *Records) CompleteDisclosure(ctx context.Context, d library.Disclosure) error {
	const op = "complete disclosure of case"
	leave, err := r.enter(ctx, "CompleteDisclosure")
	if err != nil {
		return err
	}
	defer leave()

	if _, err := r.opened(op, d.Case, d.Revision, d.Facility); err != nil {
		return err
	}
	d.Kind = library.DisclosureCompleted
	if err := r.disclose(op, d); err != nil {
		return err
	}
	r.add(library.Event{
		Case: d.Case, Key: fmt.Sprintf("disclosure/%s/%s", d.Revision, d.Facility), What: "disclosure completed",
		Detail: fmt.Sprintf("%s, %d images, proof %s", d.Facility, d.Images, d.Proof), Actor: program, At: d.At,
	})
	return nil
}

// disclose chains d to the last line, unless it is on record.
func (r *Records) disclose(op string, d library.Disclosure) error {
	for _, have := range r.disclosures {
		if have.Case == d.Case && have.Revision == d.Revision && have.Facility == d.Facility && have.Kind == d.Kind {
			return nil
		}
	}
	if !slices.Contains(bases, d.Basis) || !slices.Contains(proofs, d.Proof) || d.Images < 0 {
		return invalid(op, string(d.Case), "an unknown basis or proof, or fewer images than none")
	}
	prev := ""
	if n := len(r.disclosures); n > 0 {
		prev = r.disclosures[n-1].Hash
	}
	r.disclosures = append(r.disclosures, d.Seal(int64(len(r.disclosures)+1), prev))
	return nil
}

// Disclosures implements [library.ReleaseRecords].
func (r *Records) Disclosures(ctx context.Context, id library.CaseID) ([]library.Disclosure, error) {
	leave, err := r.enter(ctx, "Disclosures")
	if err != nil {
		return nil, err
	}
	defer leave()

	if id == "" {
		return copied(r.disclosures), nil
	}
	if _, err := r.find("list disclosures of case", id); err != nil {
		return nil, err
	}
	var all []library.Disclosure
	for _, d := range r.disclosures {
		if d.Case == id {
			all = append(all, d)
		}
	}
	return all, nil
}
