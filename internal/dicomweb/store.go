package dicomweb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"time"

	"fileroom/internal/dicom"
	"fileroom/internal/library"
)

// ErrFull is what a receiver says that has no room, or no time, for more. It
// may pass. It is recognised with [errors.Is] on this side of a workflow alone.
var ErrFull = errors.New("receiver is full or busy")

// maxStoreAnswer is how large a receiver's answer may be.
const maxStoreAnswer = 64 << 20

// Store sends instances of one study in one request, as a stream, and returns
// what the receiver says of each. write hands each instance to add and returns;
// its error ends the request and is returned as it is. A write that adds
// nothing sends nothing.
//
// The request is not atomic: whatever Store returns, the receiver may hold any
// of the instances, and an instance without a result may be stored or not. Nor
// is "stored" a proof: a receiver may keep another image that it had under the
// same UID. Ask it afterwards.
//
// A receiver that refuses all or part of what was sent without saying which
// gives a [library.Invalid] error beside what it did say; one that is full, a
// fault that is [ErrFull].
func (a *Archive) Store(ctx context.Context, studyUID string, write func(add func(instance io.Reader) error) error) ([]library.StoreResult, error) {
	const op = "store instances"
	if !dicom.ValidUID(studyUID) {
		return nil, library.Errorf(library.Invalid, op, "", "study uid is not one")
	}
	u := newUpload()
	err := write(func(instance io.Reader) error {
		u.begin(func(header http.Header, body io.Reader) (*http.Response, error) {
			return a.exchange(ctx, op, a.storing, http.MethodPost, "/studies/"+studyUID, header, body)
		})
		return u.add(instance)
	})
	resp, failed := u.end(err)
	if resp != nil {
		defer func() { _ = resp.Body.Close() }()
	}
	switch {
	case err != nil && !u.abandoned:
		return nil, err // Our side broke off.
	case failed != nil:
		return nil, a.explain(ctx, failed)
	case resp == nil:
		return nil, nil
	}
	results, failed := answer(op, resp)
	if failed == nil && err != nil {
		failed = library.Errorf("", op, "", "receiver answered before it had everything")
	}
	return results, failed
}

// explain looks for the reason why a connection broke. A receiver that refuses
// our credentials may close it before its answer is through.
func (a *Archive) explain(ctx context.Context, failed error) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := a.Check(ctx); library.KindOf(err) == library.Unauthorized {
		return err
	}
	return failed
}

// An upload is a multipart/related request on its way (PS3.18 section 10.5).
type upload struct {
	in        *io.PipeReader
	out       *io.PipeWriter
	form      *multipart.Writer
	answered  chan outcome
	abandoned bool // Nobody reads what we write any more.
}

type outcome struct {
	resp *http.Response
	err  error
}

func newUpload() *upload {
	u := &upload{}
	u.in, u.out = io.Pipe()
	u.form = multipart.NewWriter(u)
	return u
}

// Write implements [io.Writer] for the form.
func (u *upload) Write(p []byte) (int, error) {
	n, err := u.out.Write(p)
	u.abandoned = u.abandoned || err != nil
	return n, err
}

// begin starts the request, once.
func (u *upload) begin(exchange func(http.Header, io.Reader) (*http.Response, error)) {
	if u.answered != nil {
		return
	}
	u.answered = make(chan outcome, 1)
	header := http.Header{
		"Content-Type": {`multipart/related; type="application/dicom"; boundary=` + u.form.Boundary()},
		"Accept":       {"application/dicom+json"},
	}
	go func() {
		resp, err := exchange(header, u.in) //nolint:bodyclose // Store closes it.
		_ = u.in.Close()                    // Answered: nobody needs the rest.
		u.answered <- outcome{resp, err}
	}()
}

func (u *upload) add(instance io.Reader) error {
	part, err := u.form.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/dicom"}})
	if err == nil {
		_, err = io.Copy(part, instance)
	}
	return err
}

// end finishes the request, or breaks it off because of err, and waits for the
// answer. It returns neither answer nor error if nothing was sent.
func (u *upload) end(err error) (*http.Response, error) {
	if u.answered == nil {
		return nil, nil
	}
	if err == nil {
		err = u.form.Close()
	}
	_ = u.out.CloseWithError(err)
	o := <-u.answered
	return o.resp, o.err
}

// answer reads what the receiver says (PS3.18 section 10.5.3).
func answer(op string, resp *http.Response) ([]library.StoreResult, error) {
	status := resp.StatusCode
	switch status {
	case http.StatusOK, http.StatusAccepted, http.StatusConflict, http.StatusBadRequest:
	case http.StatusServiceUnavailable, http.StatusInsufficientStorage:
		return nil, library.Fault(op, "", ErrFull)
	default:
		return nil, refusal(op, status)
	}
	var d dataSet
	err := json.NewDecoder(&bounded{r: resp.Body, left: maxStoreAnswer}).Decode(&d)
	switch {
	case err != nil && status == http.StatusBadRequest:
		return nil, refusal(op, status)
	case err != nil:
		return nil, notJSON(op, err)
	}
	results, full := newResults(d)
	switch {
	case full:
		return results, library.Fault(op, "", ErrFull)
	case status == http.StatusBadRequest, len(d.items(tagOtherFailures)) > 0:
		// Orthanc answers 400 when it could not read one of many, and does
		// not say which.
		return results, library.Errorf(library.Invalid, op, "", "receiver did not take everything (status %d)", status)
	}
	return results, nil
}

// newResults reads a store instances response (PS3.18 annex I). It reports
// whether the receiver is out of resources for one of them.
func newResults(d dataSet) (results []library.StoreResult, full bool) {
	for _, item := range d.items(tagReferenced) {
		results = append(results, library.StoreResult{SOP: item.text(tagRefInstance), Stored: true, Code: code(item, tagWarningReason)})
	}
	for _, item := range d.items(tagFailed) {
		r := library.StoreResult{SOP: item.text(tagRefInstance), Code: code(item, tagFailureReason)}
		full = full || len(r.Code) == 4 && r.Code[:2] == "A7"
		results = append(results, r)
	}
	return results, full
}

// code returns a reason as DICOM writes it: A700 and not 42752.
func code(d dataSet, tag string) string {
	n, err := strconv.ParseUint(d.text(tag), 10, 16)
	if err != nil || n == 0 {
		return ""
	}
	return fmt.Sprintf("%04X", n)
}
