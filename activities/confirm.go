package activities

import (
	"context"
	"io"

	"fileroom/internal/dicom"
	"fileroom/internal/library"
)

// ConfirmStudiesParams are the parameters of [Transfers.ConfirmStudies].
type ConfirmStudiesParams struct {
	Case     library.CaseID     `json:"case"`
	Revision library.Revision   `json:"revision"`
	Facility library.FacilityID `json:"facility"`
}

// ConfirmStudiesResult is the result of [Transfers.ConfirmStudies].
type ConfirmStudiesResult struct {
	Images    int           `json:"images"`
	Confirmed int           `json:"confirmed"`
	Missing   int           `json:"missing"`   // The receiver does not have them; they must be sent again.
	Different int           `json:"different"` // The receiver has another image under the same UID.
	Proof     library.Proof `json:"proof"`     // The best that the receiver allows.
}

// ConfirmStudies asks the receiver for every single image of a release (check
// CF-01). Where the facility allows it, each is read back and its digest
// compared with what the PACS handed over: a receiver can answer that it has
// an image and keep another one. Where not, its list must name each. Where
// there can be no machine proof at all, nothing is confirmed.
func (a *Transfers) ConfirmStudies(ctx context.Context, p ConfirmStudiesParams) (ConfirmStudiesResult, error) {
	f, err := a.Records.Facility(ctx, p.Facility)
	if err != nil {
		return ConfirmStudiesResult{}, err
	}
	t, err := a.begin(ctx, SendStudiesParams(p))
	if err != nil {
		return ConfirmStudiesResult{}, err
	}
	r := ConfirmStudiesResult{Images: len(t.rows), Proof: f.Proof}
	if f.Proof != library.ProofReadBack && f.Proof != library.ProofListed {
		r.Proof = library.ProofNone
		return r, nil
	}
	stop := a.Heart.during(ctx, t.cursor)
	defer stop()
	for _, study := range t.studies {
		if err := t.confirmStudy(ctx, study, f.Proof); err != nil {
			return ConfirmStudiesResult{}, err
		}
	}
	for _, row := range t.rows {
		switch row.State {
		case library.InstanceConfirmed:
			r.Confirmed++
		case library.InstanceDifferent:
			r.Different++
		default:
			r.Missing++
		}
	}
	return r, nil
}

// confirmStudy confirms the images of one study, those that are confirmed
// already excepted: a confirmation that was interrupted goes on where it was.
func (t *transfer) confirmStudy(ctx context.Context, study string, proof library.Proof) error {
	there, err := t.receiver.Instances(ctx, study)
	if err != nil {
		return err
	}
	listed := make(map[string]library.Instance, len(there))
	for _, i := range there {
		listed[i.SOP] = i
	}
	open := map[string]bool{}
	var marks []library.InstanceMark
	for sop, row := range t.rows {
		if row.Study != study || row.State == library.InstanceConfirmed {
			continue
		}
		switch _, ok := listed[sop]; {
		case !ok && row.State == library.InstanceRefused:
		case !ok:
			marks = append(marks, library.InstanceMark{SOP: sop, State: library.InstancePending})
		case proof == library.ProofListed:
			marks = append(marks, library.InstanceMark{SOP: sop, State: library.InstanceConfirmed, Proof: library.ProofListed})
		default:
			open[sop] = true
		}
	}
	if err := t.mark(ctx, marks); err != nil || len(open) == 0 {
		return err
	}
	return t.readBack(ctx, study, open, 2*max(len(there), t.sizeOf(study)))
}

// readBack streams a study back from the receiver and compares digests. It
// takes no more than most images: the receiver may have more of a study than it
// was sent, but must not hold this worker as long as it likes.
func (t *transfer) readBack(ctx context.Context, study string, open map[string]bool, most int) error {
	var marks []library.InstanceMark
	parts := 0
	compare := func(part io.Reader) error {
		if parts++; parts > most {
			return library.Errorf(library.Invalid, "confirm studies", string(t.p.Case), "the receiver hands over more images than it lists")
		}
		sop, got, err := digest(part)
		if err != nil || !open[sop] {
			return err
		}
		want, err := t.digestOf(ctx, sop)
		if err != nil {
			return err
		}
		m := library.InstanceMark{SOP: sop, State: library.InstanceDifferent, Digest: want}
		if got == want {
			m.State, m.Proof = library.InstanceConfirmed, library.ProofReadBack
		}
		delete(open, sop)
		if marks = append(marks, m); len(marks) < batchSize {
			return nil
		}
		err = t.mark(ctx, marks)
		marks = nil
		return err
	}
	var err error
	if len(open)*fetchSingly < t.sizeOf(study) {
		for sop := range open {
			if err = t.receiver.RetrieveInstance(ctx, t.rows[sop].Instance, compare); err != nil {
				break
			}
		}
	} else {
		err = t.receiver.Retrieve(ctx, study, compare)
	}
	if marked := t.mark(ctx, marks); err == nil {
		err = marked
	}
	return err
}

// digestOf returns the digest of an image as the PACS hands it over: the one
// taken when it was sent, or, where a crash came between, one taken now.
func (t *transfer) digestOf(ctx context.Context, sop string) (string, error) {
	row := t.rows[sop]
	if row.Digest != "" {
		return row.Digest, nil
	}
	var sum string
	err := t.PACS.RetrieveInstance(ctx, row.Instance, func(part io.Reader) (err error) {
		_, sum, err = digest(part)
		return err
	})
	return sum, err
}

// digest reads an image to its end and returns its SOP Instance UID and the
// digest of its data set.
func digest(part io.Reader) (sop, sum string, err error) {
	image, err := dicom.NewReader(part, headerLimit)
	if err != nil {
		return "", "", err
	}
	if _, err := io.Copy(io.Discard, image); err != nil {
		return "", "", err
	}
	return image.Header.SOPInstanceUID, image.Digest(), nil
}
