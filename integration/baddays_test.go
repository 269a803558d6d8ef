package integration_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"

	"fileroom/internal/devstack/faultproxy"
	"fileroom/internal/devstack/studies"
	"fileroom/internal/library"
	"fileroom/workflows"
)

// healthy is an archive that has no faults.
var healthy = faultproxy.Faults{}

// refusing is an archive that will not have one image.
func refusing(sop string) faultproxy.Faults {
	return faultproxy.Faults{Refuse: map[string]uint16{sop: faultproxy.ProcessingFailed}}
}

func describe(namespace, id string) *workflowservice.DescribeWorkflowExecutionRequest {
	return &workflowservice.DescribeWorkflowExecutionRequest{Namespace: namespace, Execution: &common.WorkflowExecution{WorkflowId: id}}
}

// awaitNote waits until a case is in review with a note for staff.
func (i *installation) awaitNote(ctx context.Context, t *testing.T, id library.CaseID, note string) {
	t.Helper()
	await(ctx, t, "the note "+note, func(ctx context.Context) (workflows.CaseView, error) { return i.view(ctx, id) },
		func(v workflows.CaseView) bool {
			return v.Stage == library.StageReview && strings.Contains(v.Note, note)
		})
}

// A day is a case whose receiver, behind a proxy, has a bad day.
type day struct {
	*installation
	id     library.CaseID
	proxy  *faultproxy.Proxy
	ct     studies.Study
	images []string
}

// newDay brings a case of a CT of so many slices into review. What follows has
// the context's time.
func newDay(t *testing.T, n, slices int, credential string) (context.Context, *day) {
	t.Helper()
	i := usualInstallation(t)
	ctx := within(t, limit)
	p := invent(numberBadDays + n)
	d := &day{installation: i, proxy: behind(t, i.dev.Receiver.URL), ct: p.ct(slices)}
	d.images = instances(d.ct)
	i.fill(ctx, t, d.ct)
	place := i.place(ctx, t, numberBadDays+n, d.proxy.URL(), credential)
	d.id = i.awaitCase(ctx, t, i.deliver(t, letter{from: p, to: place, asks: []string{askCT}}.message()))
	i.awaitStage(ctx, t, d.id, library.StageReview)
	if open := i.open(ctx, t, d.id); len(open) > 0 {
		t.Fatalf("open = %v", open)
	}
	return ctx, d
}

// tried waits until the receiver was asked, or sent something, so often.
func (d *day) tried(ctx context.Context, t *testing.T, asked, sent int) {
	t.Helper()
	err := poll(ctx, func() (bool, error) {
		n := d.proxy.Counts()
		return n.Retrieves >= asked && n.Stores >= sent, nil
	})
	if err != nil {
		t.Fatalf("waiting for tries: %v; %+v", err, d.proxy.Counts())
	}
}

// wantReleased waits for the good end.
func (d *day) wantReleased(ctx context.Context, t *testing.T) {
	t.Helper()
	if c := d.awaitStage(ctx, t, d.id, library.StageClosed); c.Outcome != library.OutcomeReleased {
		t.Errorf("outcome = %s", c.Outcome)
	}
	d.wantAll(ctx, t, d.ct)
	d.wantDisclosures(ctx, t, d.id, len(d.images), library.DisclosureIntended, library.DisclosureCompleted)
	d.verify(ctx, t, d.id)
}

// TestBadDays lets the receiver fail, and looks that a case goes on by itself
// where it can, tells staff where it cannot, and loses nothing.
func TestBadDays(t *testing.T) {
	t.Parallel()
	t.Run("the receiver is down for a while", func(t *testing.T) {
		t.Parallel()
		ctx, d := newDay(t, 0, 25, known)
		d.proxy.Set(faultproxy.Faults{Down: true})
		d.approve(ctx, t, d.id)
		d.tried(ctx, t, 2, 0)
		d.awaitStage(ctx, t, d.id, library.StageReleasing)
		d.proxy.Set(healthy)
		d.wantReleased(ctx, t)
	})
	t.Run("the receiver is full for a while", func(t *testing.T) {
		t.Parallel()
		ctx, d := newDay(t, 1, 25, known)
		d.proxy.Set(faultproxy.Faults{Full: http.StatusInsufficientStorage})
		d.approve(ctx, t, d.id)
		d.tried(ctx, t, 0, 2)
		d.awaitStage(ctx, t, d.id, library.StageReleasing)
		d.proxy.Set(healthy)
		d.wantReleased(ctx, t)
	})
	t.Run("the receiver is out of resources for each image", func(t *testing.T) {
		t.Parallel()
		ctx, d := newDay(t, 2, 25, known)
		d.proxy.Set(faultproxy.Faults{RefuseAll: faultproxy.OutOfResources})
		d.approve(ctx, t, d.id)
		d.tried(ctx, t, 0, 2)
		d.proxy.Set(healthy)
		d.wantReleased(ctx, t)
	})
	t.Run("the receiver's answer is lost", func(t *testing.T) {
		t.Parallel()
		ctx, d := newDay(t, 3, 45, known)
		d.proxy.Set(faultproxy.Faults{LoseAnswers: 1})
		d.approve(ctx, t, d.id)
		d.wantReleased(ctx, t)
		for _, sop := range d.images { // What it has is asked for first.
			if n := d.proxy.Counts().Sent[sop]; n != 1 {
				t.Errorf("an image was sent %d times", n)
			}
		}
	})
	t.Run("the receiver refuses our password until an operator acts", testWrongPassword)
	t.Run("the receiver refuses one image of 200", testOneRefused)
	t.Run("the receiver refuses one image and the case is withdrawn", testRefusedAndWithdrawn)
	t.Run("the PACS is down while the patient is looked for", testPACSDown)
	for name, tt := range map[string]stranger{
		"one image carries another name": {n: 10, change: func(s studies.Study) studies.Study {
			s.Patient.Name = "STRANGER^SYLVIA"
			return s
		}},
		"one image carries another birth date": {n: 11, change: func(s studies.Study) studies.Study {
			s.Patient.BirthDate = "1987-06-05"
			return s
		}},
		"one image carries another patient's number": {n: 12, change: func(s studies.Study) studies.Study {
			s.Patient = library.PatientRecord{ID: "T9" + s.Patient.ID[2:], Name: "STRANGER^SYLVIA", BirthDate: "1987-06-05", Sex: "F"}
			return s
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.run(t)
		})
	}
}

// testWrongPassword has a real archive refuse a wrong password. It is told to
// staff at once, and the case can go on as soon as the password is right.
func testWrongPassword(t *testing.T) {
	t.Parallel()
	s := servers(t)
	s.secret(t, "wrong-password", s.dev.Receiver.User, "guessed")
	ctx, d := newDay(t, 4, 25, "wrong-password")
	d.approve(ctx, t, d.id)
	await(ctx, t, "word of the password", func(ctx context.Context) (workflows.CaseView, error) { return d.view(ctx, d.id) },
		func(v workflows.CaseView) bool {
			return strings.Contains(v.Trouble, "refuses our credentials") && v.Stage == library.StageReleasing
		})
	if have := d.arrived(ctx, t, d.ct); len(have) > 0 {
		t.Errorf("%d images arrived with a wrong password", len(have))
	}
	s.secret(t, "wrong-password", s.dev.Receiver.User, s.dev.Receiver.Password)
	// It is tried again by itself after five minutes; who does not want to
	// wait stops the transfer and approves again.
	lead := d.as(ctx, t, "demo-lead")
	insist(ctx, t, lead, workflows.ReleaseID(d.id), library.Hold, library.ReasonPayload{Reason: "the password is being put right"})
	d.awaitNote(ctx, t, d.id, "stopped by the hold")
	insist(ctx, t, lead, workflows.ReleaseID(d.id), library.Resume, library.ReasonPayload{Reason: "it is right now"})
	d.approve(ctx, t, d.id)
	d.wantReleased(ctx, t)
}

func testOneRefused(t *testing.T) {
	t.Parallel()
	ctx, d := newDay(t, 5, 200, known)
	bad := d.images[77]
	d.proxy.Set(refusing(bad))
	d.approve(ctx, t, d.id)
	d.awaitNote(ctx, t, d.id, "the receiver refuses 1 of 200 images (reason 0110)")
	if have := d.arrived(ctx, t, d.ct); len(have) != 199 || have[bad] {
		t.Errorf("the receiver has %d images, want all but the one", len(have))
	}
	before := d.proxy.Counts()
	d.proxy.Set(healthy)
	d.approve(ctx, t, d.id)
	d.wantReleased(ctx, t)
	after := d.proxy.Counts()
	for _, sop := range d.images {
		want := 0
		if sop == bad {
			want = 1
		}
		if n := after.Sent[sop] - before.Sent[sop]; n != want {
			t.Errorf("after the refusal an image was sent %d times, want %d", n, want)
		}
	}
	d.record(ctx, t, "release-hindered-approved-again", workflows.ReleaseID(d.id))
	d.record(ctx, t, "transfer-hindered", workflows.TransferID(d.id, 1))
}

func testRefusedAndWithdrawn(t *testing.T) {
	t.Parallel()
	ctx, d := newDay(t, 6, 25, known)
	d.proxy.Set(refusing(d.images[7]))
	d.approve(ctx, t, d.id)
	d.awaitNote(ctx, t, d.id, "refuses 1 of 25")
	insist(ctx, t, d.as(ctx, t, "demo-specialist"), workflows.ReleaseID(d.id), library.Withdraw, library.ReasonPayload{Reason: "they cannot take it"})
	if c := d.awaitStage(ctx, t, d.id, library.StageClosed); c.Outcome != library.OutcomeWithdrawn {
		t.Errorf("outcome = %s", c.Outcome)
	}
	// What has left has left: the account says so. The refused image was offered too.
	d.wantDisclosures(ctx, t, d.id, 25, library.DisclosureIntended, library.DisclosureCompleted)
}

func testPACSDown(t *testing.T) {
	t.Parallel()
	ctx := within(t, limit)
	s := servers(t)
	p := invent(numberBadDays + 8)
	ct := p.ct(25)
	s.fill(ctx, t, ct)
	place := s.place(ctx, t, numberBadDays+8, s.dev.Receiver.URL, known)
	proxy := behind(t, s.dev.PACS.URL)
	i := s.own(ctx, t, "pacs-down", map[string]string{"FILEROOM_PACS_URL": proxy.URL()})
	proxy.Set(faultproxy.Faults{Down: true})
	id := i.awaitCase(ctx, t, i.deliver(t, letter{from: p, to: place, asks: []string{askCT}}.message()))
	err := poll(ctx, func() (bool, error) { return proxy.Counts().Retrieves >= 2, nil })
	if err != nil {
		t.Fatalf("waiting for tries: %v", err)
	}
	i.awaitLetters(ctx, t, id, 1) // The requester hears all the same.
	if c, err := i.store.Case(ctx, id); err != nil || c.Stage != library.StageReading && c.Stage != library.StageChecking {
		t.Errorf("with the PACS down the case stands at %s (%v)", c.Stage, err)
	}
	proxy.Set(healthy)
	i.awaitStage(ctx, t, id, library.StageReview)
	if open := i.open(ctx, t, id); len(open) > 0 {
		t.Errorf("open = %v", open)
	}
	// The PACS breaks off in the middle of the study as well.
	proxy.Set(faultproxy.Faults{CutRetrievals: 20 << 10})
	i.approve(ctx, t, id)
	before := proxy.Counts().Retrieves
	err = poll(ctx, func() (bool, error) { return proxy.Counts().Retrieves >= before+2, nil })
	if err != nil {
		t.Fatalf("waiting for tries: %v", err)
	}
	proxy.Set(healthy)
	if c := i.awaitStage(ctx, t, id, library.StageClosed); c.Outcome != library.OutcomeReleased {
		t.Errorf("outcome = %s", c.Outcome)
	}
	i.wantAll(ctx, t, ct)
	i.wantDisclosures(ctx, t, id, 25, library.DisclosureIntended, library.DisclosureCompleted)
}

// A stranger is somebody whose header one image of a study in the PACS carries.
type stranger struct {
	n      int
	change func(studies.Study) studies.Study
}

// run looks that the match or SM-03 stops the stranger's image.
func (s stranger) run(t *testing.T) {
	t.Helper()
	ctx := within(t, limit)
	i := usualInstallation(t)
	n := numberBadDays + s.n
	p := invent(n)
	whole := p.ct(25)
	own := whole
	own.Series = append([]studies.Series{}, whole.Series...)
	own.Series[0].Images = 24
	i.fill(ctx, t, own)
	// The last image of the study is the stranger's.
	foreign := s.change(whole)
	var image bytes.Buffer
	if err := foreign.Write(&image, 24); err != nil {
		t.Fatal(err)
	}
	results, err := i.pacs.Store(ctx, whole.UID, storing(image.Bytes()))
	if err != nil || len(results) != 1 || !results[0].Stored {
		t.Fatalf("put the stranger's image into the PACS: %v %v", results, err)
	}
	sop := whole.Instance(24).SOP

	proxy := behind(t, i.dev.Receiver.URL)
	place := i.place(ctx, t, n, proxy.URL(), known)
	id := i.awaitCase(ctx, t, i.deliver(t, letter{from: p, to: place, asks: []string{askCT}}.message()))
	i.awaitStage(ctx, t, id, library.StageReview)
	open := i.open(ctx, t, id)
	t.Logf("in review with %v open", open)
	if len(open) == 0 {
		i.approve(ctx, t, id)
		v := await(ctx, t, "a stop of the transfer", func(ctx context.Context) (workflows.CaseView, error) { return i.view(ctx, id) },
			func(v workflows.CaseView) bool {
				return v.Stage == library.StageReview && v.Note != "" || v.Outcome != ""
			})
		if !strings.Contains(v.Note, "SM-03") {
			t.Errorf("the case goes on: %+v", v)
		}
	}
	if proxy.Counts().Sent[sop] != 0 || i.arrived(ctx, t, whole)[sop] {
		t.Error("the stranger's image left")
	}
	insist(ctx, t, i.as(ctx, t, "demo-specialist"), workflows.ReleaseID(id), library.Withdraw, library.ReasonPayload{Reason: "the PACS must be mended first"})
	if c := i.awaitStage(ctx, t, id, library.StageClosed); c.Outcome != library.OutcomeWithdrawn {
		t.Errorf("outcome = %s", c.Outcome)
	}
	if proxy.Counts().Sent[sop] != 0 {
		t.Error("the stranger's image left")
	}
}
