package activities

import (
	"context"
	"errors"
	"io"
	"time"

	"fileroom/internal/dicom"
	"fileroom/internal/library"
)

// Limits of a transfer.
const (
	// headerLimit is how far into an object its header may reach.
	headerLimit = 1 << 20
	// batchSize is how many images go in one request: enough that a request's
	// own cost does not show, few enough that a broken one costs little.
	batchSize = 20
	// fetchSingly is the share of a study, one in so many, below which missing
	// images are fetched one by one instead of with the whole study.
	fetchSingly = 4
)

// Transfers moves approved images to a receiver, and proves that they arrived.
type Transfers struct {
	Records      library.Records
	PACS         Archive
	Destinations Destinations
	// Present returns the revision that a case has now. What was approved as
	// another one does not leave: the destination, too, may have changed.
	Present func(ctx context.Context, id library.CaseID) (library.Revision, error)
	Now     func() time.Time
	Heart   Heart
}

// SendStudiesParams are the parameters of [Transfers.SendStudies].
type SendStudiesParams struct {
	Case     library.CaseID     `json:"case"`
	Revision library.Revision   `json:"revision"`
	Facility library.FacilityID `json:"facility"`
}

// SendStudiesResult is the result of [Transfers.SendStudies].
type SendStudiesResult struct {
	Images    int    `json:"images"`         // On the manifest.
	Refused   int    `json:"refused"`        // The receiver will not have them.
	Code      string `json:"code,omitempty"` // Why it refused the first of them, as DICOM's four hexadecimal digits.
	Strangers int    `json:"strangers"`      // Their headers name another patient; sending stopped there.
}

// SendStudies sends every image of a release that the receiver does not have.
// It needs the release's row: without one nothing leaves. The receiver is asked
// first, so that running again, after a crash or a broken line, sends only what
// is missing. Each image's own header must name the approved patient before its
// first byte leaves; one stranger stops the sending.
//
// Images are streamed from the PACS to the receiver and are never held whole.
func (a *Transfers) SendStudies(ctx context.Context, p SendStudiesParams) (SendStudiesResult, error) {
	t, err := a.begin(ctx, p)
	if err != nil {
		return SendStudiesResult{}, err
	}
	stop := a.Heart.during(ctx, t.cursor)
	defer stop()
	for i, study := range t.studies {
		if i > 0 { // The first was looked at just now.
			if err := a.mayGoOn(ctx, p.Case); err != nil {
				return SendStudiesResult{}, err
			}
		}
		if err := t.sendStudy(ctx, study); err != nil {
			if !errors.Is(err, errStranger) {
				return SendStudiesResult{}, err
			}
			if _, err := t.reconcile(ctx, study); err != nil { // What of the broken request got there?
				return SendStudiesResult{}, err
			}
			break
		}
	}
	return t.result(ctx)
}

// errStranger stops a transfer at an image of another patient.
var errStranger = errors.New("an image names another patient")

// A transfer is the state of one run of [Transfers.SendStudies].
type transfer struct {
	*Transfers
	p        SendStudiesParams
	receiver Archive
	patient  library.PatientRecord
	studies  []string
	rows     map[string]library.TransferInstance // By SOP Instance UID.
	sent     progress
}

func (a *Transfers) begin(ctx context.Context, p SendStudiesParams) (*transfer, error) {
	const op = "send studies"
	if _, err := a.Records.Release(ctx, p.Case, p.Revision, p.Facility); err != nil {
		if library.KindOf(err) == library.NotFound {
			return nil, library.Errorf(library.Conflict, op, string(p.Case), "no release is open for this revision and facility")
		}
		return nil, err
	}
	if now, err := a.Present(ctx, p.Case); err != nil {
		return nil, err
	} else if now != p.Revision {
		return nil, library.Errorf(library.Conflict, op, string(p.Case), "the case has changed since it was approved")
	}
	if err := a.mayGoOn(ctx, p.Case); err != nil {
		return nil, err
	}
	t := &transfer{Transfers: a, p: p, rows: map[string]library.TransferInstance{}}
	m, err := a.Records.Match(ctx, p.Case)
	if err != nil {
		return nil, err
	}
	chosen, ok := m.ChosenPatient()
	if !ok {
		return nil, library.Errorf(library.Conflict, op, string(p.Case), "no patient is chosen")
	}
	t.patient = chosen.Record.Reveal()
	if t.receiver, err = a.receiver(ctx, p.Facility); err != nil {
		return nil, err
	}
	rows, err := a.Records.TransferInstances(ctx, p.Case, p.Revision, p.Facility)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if len(t.studies) == 0 || t.studies[len(t.studies)-1] != row.Study {
			t.studies = append(t.studies, row.Study)
		}
		t.rows[row.SOP] = row
	}
	return t, nil
}

// mayGoOn refuses what staff have stopped since the door was opened. Its row
// stays, for the account; whoever starts a transfer by hand finds it shut.
func (a *Transfers) mayGoOn(ctx context.Context, id library.CaseID) error {
	const op = "send studies"
	c, err := a.Records.Case(ctx, id)
	if err != nil {
		return err
	}
	if c.Stage != library.StageReleasing {
		return library.Errorf(library.Conflict, op, string(id), "the case is in the stage %s: nothing is sent", c.Stage)
	}
	all, err := a.Records.Decisions(ctx, id)
	if err != nil {
		return err
	}
	if why := stopped(all); why != "" {
		return library.Errorf(library.Conflict, op, string(id), "%s", why)
	}
	return nil
}

func (a *Transfers) receiver(ctx context.Context, id library.FacilityID) (Archive, error) {
	f, err := a.Records.Facility(ctx, id)
	if err != nil {
		return nil, err
	}
	return a.Destinations.Destination(ctx, f)
}

// sendStudy asks the receiver what it has of a study and sends the rest.
func (t *transfer) sendStudy(ctx context.Context, study string) error {
	missing, err := t.reconcile(ctx, study)
	if err != nil || len(missing) == 0 {
		return err
	}
	b := &batches{t: t, study: study, missing: missing}
	send := b.add
	if len(missing)*fetchSingly < t.sizeOf(study) {
		for sop := range missing {
			if err = t.PACS.RetrieveInstance(ctx, t.rows[sop].Instance, func(part io.Reader) error { return send(ctx, part) }); err != nil {
				break
			}
		}
	} else {
		err = t.PACS.Retrieve(ctx, study, func(part io.Reader) error { return send(ctx, part) })
	}
	if err = b.close(ctx, err); err != nil {
		return err
	}
	if len(b.missing) > 0 {
		return library.Fault("send studies", string(t.p.Case), errors.New("the PACS handed over fewer images than it listed"))
	}
	return nil
}

// reconcile notes which images of a study the receiver has, and returns the
// SOP Instance UIDs of those that must be sent.
func (t *transfer) reconcile(ctx context.Context, study string) (map[string]bool, error) {
	there, err := t.receiver.Instances(ctx, study)
	if err != nil {
		return nil, err
	}
	have := make(map[string]bool, len(there))
	for _, i := range there {
		have[i.SOP] = true
	}
	missing := map[string]bool{}
	var marks []library.InstanceMark
	for sop, row := range t.rows {
		switch {
		case row.Study != study || row.State == library.InstanceConfirmed:
		case have[sop]:
			if row.State != library.InstanceSent && row.State != library.InstanceDifferent {
				marks = append(marks, library.InstanceMark{SOP: sop, State: library.InstanceSent})
			}
		default: // Those refused before are offered again: people asked for it.
			missing[sop] = true
		}
	}
	return missing, t.mark(ctx, marks)
}

func (t *transfer) sizeOf(study string) int {
	n := 0
	for _, row := range t.rows {
		if row.Study == study {
			n++
		}
	}
	return n
}

// mark puts news about images on record and remembers it.
func (t *transfer) mark(ctx context.Context, marks []library.InstanceMark) error {
	if len(marks) == 0 {
		return nil
	}
	if err := t.Records.MarkInstances(ctx, t.p.Case, t.p.Revision, t.p.Facility, marks); err != nil {
		return err
	}
	for _, m := range marks {
		row := t.rows[m.SOP]
		row.State, row.Code, row.Sends = m.State, m.Code, row.Sends+m.Sends
		if m.Digest != "" {
			row.Digest = m.Digest
		}
		t.rows[m.SOP] = row
	}
	t.sent.add(len(marks))
	return nil
}

func (t *transfer) cursor() any { return t.sent.value() }

func (t *transfer) result(ctx context.Context) (SendStudiesResult, error) {
	r := SendStudiesResult{Images: len(t.rows)}
	rows, err := t.Records.TransferInstances(ctx, t.p.Case, t.p.Revision, t.p.Facility)
	for _, row := range rows {
		switch row.State {
		case library.InstanceRefused:
			r.Refused++
			if r.Code == "" {
				r.Code = row.Code
			}
		case library.InstanceStranger:
			r.Strangers++
		case library.InstancePending, library.InstanceSent, library.InstanceConfirmed, library.InstanceDifferent:
			// Not refused: whether it is there is for the confirmation to say.
		}
	}
	return r, err
}

// names reports whether an image is the approved patient's: Patient ID, its
// issuer where both have one, name, birth date and sex (check SM-03).
func (t *transfer) names(h dicom.Header) bool {
	is, want := h.Patient.Reveal(), t.patient
	same := func(a, b string) bool { return a == b }
	either := func(a, b string) bool { return a == b || a == "" || b == "" }
	return same(is.ID, want.ID) && samePerson(is.Name, want.Name) &&
		same(string(is.BirthDate), string(want.BirthDate)) && either(is.Issuer, want.Issuer) && either(is.Sex, want.Sex)
}

// samePerson compares names as DICOM writes them, by their components.
func samePerson(a, b string) bool {
	return dicom.ParsePersonName(a).String() == dicom.ParsePersonName(b).String()
}
