package dicomweb_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"runtime"
	"slices"
	"testing"

	"fileroom/internal/devstack/studies"
	"fileroom/internal/dicom"
	"fileroom/internal/dicomweb"
	"fileroom/internal/library"
)

const headerLimit = 256 << 10

// digests retrieves a study and returns the digest of each data set by SOP
// Instance UID.
func digests(tb testing.TB, a *dicomweb.Archive, study string) map[string]string {
	tb.Helper()
	out := map[string]string{}
	err := a.Retrieve(tb.Context(), study, func(r io.Reader) error {
		object, err := dicom.NewReader(r, headerLimit)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, object); err != nil {
			return err
		}
		out[object.Header.SOPInstanceUID] = object.Digest()
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func send(s studies.Study, images ...int) func(func(io.Reader) error) error {
	return func(add func(io.Reader) error) error {
		for _, i := range images {
			r := s.Open(i)
			err := add(r)
			_ = r.Close()
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// TestStreamsInFlatMemory comes first and alone, so that it measures itself: a
// study of 41 MB goes from one archive to the other.
func TestStreamsInFlatMemory(t *testing.T) { //nolint:paralleltest // Measures memory.
	pacs, there := archive(t, hospital), archive(t, receiver)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse
	}
	runtime.GC()
	before, most, bytesSent := heap(), uint64(0), int64(0)
	results, err := there.Store(t.Context(), large().UID, func(add func(io.Reader) error) error {
		return pacs.Retrieve(t.Context(), large().UID, func(r io.Reader) error {
			object, err := dicom.NewReader(r, headerLimit)
			if err != nil {
				return err
			}
			counted := &counter{r: object}
			err = add(counted)
			bytesSent += counted.n
			most = max(most, heap())
			return err
		})
	})
	if err != nil || len(results) != 200 {
		t.Fatalf("%d results (%v)", len(results), err)
	}
	for _, r := range results {
		if !r.Stored || r.Code != "" {
			t.Fatalf("result %+v", r)
		}
	}
	if bytesSent < 39<<20 {
		t.Fatalf("only %d bytes were sent: the test measures nothing", bytesSent)
	}
	if grown := int64(most) - int64(before); grown > 12<<20 {
		t.Errorf("heap has grown by %d MB for a study of %d MB", grown>>20, bytesSent>>20)
	}
	here, over := digests(t, pacs, large().UID), digests(t, there, large().UID)
	if len(here) != 200 {
		t.Fatalf("retrieved %d instances, want 200", len(here))
	}
	for sop, digest := range here {
		if over[sop] != digest {
			t.Fatalf("instance %s reads back differently", sop)
		}
	}
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func TestRetrieveHandsOverWhatWasStored(t *testing.T) {
	t.Parallel()
	s := studies.Demonstration()[5]
	want := map[string]string{}
	for i := range s.Images() {
		object, err := dicom.NewReader(s.Open(i), headerLimit)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, object); err != nil {
			t.Fatal(err)
		}
		want[object.Header.SOPInstanceUID] = object.Digest()
	}
	got := digests(t, archive(t, hospital), s.UID)
	if len(got) != len(want) {
		t.Fatalf("%d instances, want %d", len(got), len(want))
	}
	for sop, digest := range want {
		if got[sop] != digest {
			t.Errorf("data set of %s is not what was stored", sop)
		}
	}
}

func TestRetrieveInstance(t *testing.T) {
	t.Parallel()
	pacs, s := archive(t, hospital), studies.Demonstration()[2]
	var whole, got bytes.Buffer
	if err := s.Write(&whole, 1); err != nil {
		t.Fatal(err)
	}
	err := pacs.RetrieveInstance(t.Context(), s.Instance(1), func(r io.Reader) error {
		_, err := io.Copy(&got, r)
		return err
	})
	if err != nil || !bytes.Equal(got.Bytes(), whole.Bytes()) {
		t.Errorf("retrieved %d bytes of %d (%v)", got.Len(), whole.Len(), err)
	}
	unknown := s.Instance(1)
	unknown.SOP = "2.25.1"
	err = pacs.RetrieveInstance(t.Context(), unknown, func(io.Reader) error { return nil })
	if library.KindOf(err) != library.NotFound {
		t.Errorf("unknown instance: %v", err)
	}
	err = pacs.Retrieve(t.Context(), "2.25.1", func(io.Reader) error { return nil })
	if library.KindOf(err) != library.NotFound {
		t.Errorf("unknown study: %v", err)
	}
}

func TestRetrieveReturnsTheErrorOfTheCaller(t *testing.T) {
	t.Parallel()
	stranger := library.Errorf(library.Conflict, "send", "", "another patient")
	calls := 0
	err := archive(t, hospital).Retrieve(t.Context(), studies.Demonstration()[0].UID, func(io.Reader) error {
		calls++
		return stranger
	})
	if !errors.Is(err, stranger) || calls != 1 {
		t.Errorf("%d calls, error %v", calls, err)
	}
}

func TestStoreOfNothingSendsNothing(t *testing.T) {
	t.Parallel()
	dead := open(t, dicomweb.Config{URL: "http://127.0.0.1:1/dicom-web"})
	results, err := dead.Store(t.Context(), "2.25.1", func(func(io.Reader) error) error { return nil })
	if err != nil || results != nil {
		t.Errorf("%v (%v)", results, err)
	}
}

func TestStoreBrokenOffByTheCaller(t *testing.T) {
	t.Parallel()
	there, s := archive(t, receiver), variant(studies.Demonstration()[1], 10)
	stranger := library.Errorf(library.Conflict, "send", "", "another patient")
	results, err := there.Store(t.Context(), s.UID, func(add func(io.Reader) error) error {
		if err := add(s.Open(0)); err != nil {
			return err
		}
		return stranger
	})
	if !errors.Is(err, stranger) || results != nil {
		t.Errorf("%v (%v)", results, err)
	}
	// What the receiver kept is known by asking alone; sending the rest ends
	// with each image once.
	if err := studies.Load(t.Context(), there, s); err != nil {
		t.Fatal(err)
	}
	if list, err := there.Instances(t.Context(), s.UID); len(list) != s.Images() || err != nil {
		t.Errorf("%d instances, want %d (%v)", len(list), s.Images(), err)
	}
}

// TestOtherPixelsUnderAKnownUID shows why an answer is no proof: the archive
// says that it stored an image, and keeps the one that it had.
func TestOtherPixelsUnderAKnownUID(t *testing.T) {
	t.Parallel()
	pacs, there := archive(t, hospital), archive(t, receiver)
	s := studies.Demonstration()[4]
	old := s
	old.Size = 64
	if err := studies.Load(t.Context(), there, old); err != nil {
		t.Fatal(err)
	}
	results, err := there.Store(t.Context(), s.UID, func(add func(io.Reader) error) error {
		return pacs.Retrieve(t.Context(), s.UID, add)
	})
	if err != nil || len(results) != 1 || !results[0].Stored {
		t.Fatalf("%v (%v)", results, err)
	}
	sop := s.Instance(0).SOP
	if digests(t, pacs, s.UID)[sop] == digests(t, there, s.UID)[sop] {
		t.Error("reading back does not see that the receiver kept another image")
	}
}

func TestStoreOfGarbageAmongImages(t *testing.T) {
	t.Parallel()
	there, s := archive(t, receiver), variant(studies.Demonstration()[3], 11)
	results, err := there.Store(t.Context(), s.UID, func(add func(io.Reader) error) error {
		return errors.Join(add(s.Open(0)), add(bytes.NewReader([]byte("no DICOM at all"))), add(s.Open(1)))
	})
	if library.KindOf(err) != library.Invalid {
		t.Errorf("kind %q (%v)", library.KindOf(err), err)
	}
	stored := map[string]bool{}
	for _, r := range results {
		stored[r.SOP] = r.Stored
	}
	list, err := there.Instances(t.Context(), s.UID)
	if err != nil || len(list) == 0 {
		t.Fatalf("the receiver keeps none of the good ones (%v)", err)
	}
	for _, in := range list {
		if !stored[in.SOP] {
			t.Errorf("instance %s is stored, and no result says so", in.SOP)
		}
	}
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	o, err := hospital()
	if err != nil {
		t.Fatal(err)
	}
	s := studies.Demonstration()[0]
	a := open(t, dicomweb.Config{URL: o.URL, Username: o.Username, Password: "secret"})
	for name, call := range map[string]func() error{
		"check": func() error { return a.Check(t.Context()) },
		"find": func() error {
			_, err := a.FindPatients(t.Context(), library.PatientQuery{MRN: "D1093347"})
			return err
		},
		"studies":  func() error { _, err := a.FindStudies(t.Context(), "D1093347", ""); return err },
		"list":     func() error { _, err := a.Instances(t.Context(), s.UID); return err },
		"retrieve": func() error { return a.Retrieve(t.Context(), s.UID, func(io.Reader) error { return nil }) },
		"store":    func() error { _, err := a.Store(t.Context(), s.UID, send(s, 0, 1, 2)); return err },
		"store much": func() error {
			_, err := a.Store(t.Context(), s.UID, send(s, slices.Repeat([]int{0}, 200)...))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := call()
			silent(t, err)
			if kind := library.KindOf(err); kind != library.Unauthorized {
				t.Errorf("kind %q (%v)", kind, err)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	o, err := hospital()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		url  string
		kind library.Kind
		bad  bool
	}{
		"an archive":             {url: o.URL},
		"with a slash":           {url: o.URL + "/"},
		"wrong path":             {url: o.URL + "/nowhere", bad: true, kind: library.NotFound},
		"nobody listens":         {url: "http://127.0.0.1:1/dicom-web", bad: true},
		"a page of another kind": {url: o.URL[:len(o.URL)-len("/dicom-web")], bad: true, kind: library.Invalid},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t, dicomweb.Config{URL: tt.url, Username: o.Username, Password: o.Password})
			err := a.Check(t.Context())
			if kind := library.KindOf(err); kind != tt.kind || (err != nil) != tt.bad {
				t.Errorf("kind %q, want %q (%v)", kind, tt.kind, err)
			}
		})
	}
}

// BenchmarkTransfer sends a large study from one archive to the other.
func BenchmarkTransfer(b *testing.B) {
	pacs, there := archive(b, hospital), archive(b, receiver)
	b.SetBytes(int64(200 * large().Size * large().Size * 2))
	for b.Loop() {
		_, err := there.Store(b.Context(), large().UID, func(add func(io.Reader) error) error {
			return pacs.Retrieve(b.Context(), large().UID, func(r io.Reader) error {
				object, err := dicom.NewReader(r, headerLimit)
				if err != nil {
					return err
				}
				return add(object)
			})
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBaseline fetches the same study whole into memory and posts it, as
// two commands of curl would.
func BenchmarkBaseline(b *testing.B) {
	from, err := hospital()
	if err != nil {
		b.Fatal(err)
	}
	to, err := receiver()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(200 * large().Size * large().Size * 2))
	do := func(method, url, user, password string, header http.Header, body io.Reader) (kind string, answer []byte) {
		req, err := http.NewRequestWithContext(b.Context(), method, url, body)
		if err != nil {
			b.Fatal(err)
		}
		req.Header = header
		req.SetBasicAuth(user, password)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		all, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status, err)
		}
		return resp.Header.Get("Content-Type"), all
	}
	for b.Loop() {
		kind, study := do(http.MethodGet, from.URL+"/studies/"+large().UID, from.Username, from.Password,
			http.Header{"Accept": {`multipart/related; type="application/dicom"; transfer-syntax=*`}}, nil)
		do(http.MethodPost, to.URL+"/studies", to.Username, to.Password,
			http.Header{"Content-Type": {kind}, "Accept": {"application/dicom+json"}}, bytes.NewReader(study))
	}
}
