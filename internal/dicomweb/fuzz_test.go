package dicomweb_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"fileroom/internal/devstack/studies"
	"fileroom/internal/dicomweb"
	"fileroom/internal/library"
)

// FuzzAnswers gives arbitrary bytes as the answer to every question.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte("[" + study("1", "D1", "DOE^JANE", "19580417") + "]"))
	f.Add([]byte(`{"00081199":{"Value":[{"00081155":{"Value":["1.2"]}}]},"00081198":{"Value":[null,{}]}}`))
	f.Add([]byte("--X\r\nContent-Type: application/dicom\r\n\r\nDICM\r\n--X--"))
	f.Add([]byte(`[{"00100010":{"Value":[{"Alphabetic":5}]},"0020000D":{"Value":[[["2.25.1"]]]}}]`))
	var body atomic.Pointer[[]byte]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		kind := "application/dicom+json"
		if r.Header.Get("Accept") != kind {
			kind = "multipart/related; boundary=X"
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(*body.Load())
	}))
	f.Cleanup(server.Close)
	a := open(f, dicomweb.Config{URL: server.URL})
	film := studies.Demonstration()[2]
	film.Size = 1
	f.Fuzz(func(t *testing.T, b []byte) {
		body.Store(&b)
		found, _ := a.FindPatients(t.Context(), library.PatientQuery{MRN: "D1"})
		for _, p := range found {
			if p.ID != "D1" {
				t.Error("found a patient whom nobody asked for")
			}
		}
		_, _ = a.FindStudies(t.Context(), "D1", "")
		_, _ = a.Instances(t.Context(), "2.25.1")
		_ = a.Retrieve(t.Context(), "2.25.1", func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err })
		_, _ = a.Store(context.WithoutCancel(t.Context()), "2.25.1", send(film, 0))
	})
}
