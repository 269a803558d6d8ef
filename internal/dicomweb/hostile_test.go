package dicomweb_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fileroom/internal/devstack/studies"
	"fileroom/internal/dicomweb"
	"fileroom/internal/library"
)

// fake starts a server that answers as f does.
func fake(t *testing.T, f http.HandlerFunc) *dicomweb.Archive {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return open(t, dicomweb.Config{URL: s.URL, Username: "u", Password: "secret"})
}

// answering starts a server that gives one answer to everything.
func answering(t *testing.T, status int, kind, body string) *dicomweb.Archive {
	t.Helper()
	return fake(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// study is a match as an archive writes one.
func study(id, patient, name, born string) string {
	return fmt.Sprintf(`{"0020000D":{"vr":"UI","Value":["2.25.%s"]},"00100020":{"vr":"LO","Value":[%q]},`+
		`"00100010":{"vr":"PN","Value":[{"Alphabetic":%q}]},"00100030":{"vr":"DA","Value":[%q]},"00201208":{"vr":"IS","Value":["3"]}}`,
		id, patient, name, born)
}

const dicomJSON = "application/dicom+json"

func TestAnArchiveThatIgnoresFilters(t *testing.T) {
	t.Parallel()
	everything := "[" + strings.Join([]string{
		study("1", "D1", "DOE^JANE", "19580417"), study("2", "D2", "ROE^JANE", "19580417"),
		study("3", "D3", "DOE^JANE", "19580418"), study("4", "D1,D2", "DOE^JANE", "19580417"), study("5", "", "", ""), `{}`,
	}, ",") + "]"
	a := answering(t, http.StatusOK, dicomJSON, everything)
	found, err := a.FindPatients(t.Context(), library.PatientQuery{MRN: "D1"})
	if err != nil || len(found) != 1 || found[0].ID != "D1" {
		t.Errorf("by mrn: %d patients (%v)", len(found), err)
	}
	found, err = a.FindPatients(t.Context(), library.PatientQuery{Family: "Doe", Given: "Jane", BirthDate: "1958-04-17"})
	if err != nil || len(found) != 2 || found[0].ID != "D1" || found[1].ID != "D1,D2" {
		t.Errorf("by name and birth date: %d patients (%v)", len(found), err)
	}
	list, err := a.FindStudies(t.Context(), "D1", "")
	if err != nil || len(list) != 1 || list[0].UID != "2.25.1" || list[0].Instances != 3 {
		t.Errorf("studies: %v (%v)", list, err)
	}
}

func TestAnArchiveThatAnswersInPages(t *testing.T) {
	t.Parallel()
	a := fake(t, func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		w.Header().Set("Content-Type", dicomJSON)
		if from < 4 {
			w.Header().Set("Warning", `299 archive "There are 2 additional results that can be requested"`)
		}
		_, _ = fmt.Fprintf(w, "[%s,%s]", study(strconv.Itoa(from+1), "D1", "DOE^JANE", "19580417"), study(strconv.Itoa(from+2), "D1", "DOE^JANE", "19580417"))
	})
	list, err := a.FindStudies(t.Context(), "D1", "")
	if err != nil || len(list) != 6 {
		t.Errorf("%d studies, want 6 (%v)", len(list), err)
	}
}

func TestAnArchiveThatHoldsBack(t *testing.T) {
	t.Parallel()
	// It counts three instances, lists one, and does so at every offset.
	instance := `{"00080018":{"Value":["2.25.9"]},"0020000E":{"Value":["2.25.8"]}}`
	a := fake(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", dicomJSON)
		w.Header().Set("Warning", `299 archive "There are 7 additional results"`)
		if strings.HasSuffix(r.URL.Path, "/instances") {
			_, _ = io.WriteString(w, "["+instance+"]")
			return
		}
		_, _ = io.WriteString(w, "["+study("1", "D1", "DOE^JANE", "19580417")+"]")
	})
	if list, err := a.Instances(t.Context(), "2.25.1"); err == nil || list != nil || library.KindOf(err) != "" {
		t.Errorf("%d instances (%v)", len(list), err)
	}
	if list, err := a.FindStudies(t.Context(), "D1", ""); err == nil || list != nil {
		t.Errorf("%d studies (%v)", len(list), err)
	}
}

func TestBadAnswersToASearch(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status int
		header string
		body   string
		kind   library.Kind
	}{
		"a page for people":  {status: 200, header: "text/html", body: "<html>D1093347", kind: library.Invalid},
		"no list":            {status: 200, header: dicomJSON, body: `{"D1093347":1}`},
		"cut off":            {status: 200, header: dicomJSON, body: "[" + study("1", "D1093347", "A", "19580417")},
		"cut off in a match": {status: 200, header: dicomJSON, body: "[" + study("1", "D1093347", "A", "19580417")[:60]},
		"numbers for texts":  {status: 200, header: dicomJSON, body: `[5]`},
		"not json":           {status: 200, header: dicomJSON, body: `[D1093347]`},
		"nothing":            {status: 200, header: dicomJSON},
		"redirection":        {status: 302, header: dicomJSON, kind: library.Invalid},
		"bad request":        {status: 400, header: dicomJSON, body: "D1093347", kind: library.Invalid},
		"forbidden":          {status: 403, header: dicomJSON, kind: library.Unauthorized},
		"too often":          {status: 429, header: dicomJSON},
		"broken":             {status: 500, header: dicomJSON, body: "D1093347"},
		"gateway":            {status: 502, header: "text/html"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := answering(t, tt.status, tt.header, tt.body).FindPatients(t.Context(), library.PatientQuery{MRN: "D1093347"})
			silent(t, err)
			if err == nil || library.KindOf(err) != tt.kind || found != nil {
				t.Errorf("kind %q, want %q (%v)", library.KindOf(err), tt.kind, err)
			}
		})
	}
	t.Run("nothing found, without content", func(t *testing.T) {
		t.Parallel()
		found, err := answering(t, http.StatusNoContent, "", "").FindPatients(t.Context(), library.PatientQuery{MRN: "D1"})
		if err != nil || len(found) != 0 {
			t.Errorf("%d patients (%v)", len(found), err)
		}
	})
}

func TestRedirectionsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(other.Close)
	a := fake(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	_, err := a.FindPatients(t.Context(), library.PatientQuery{MRN: "D1"})
	_, err2 := a.Store(t.Context(), "2.25.1", send(studies.Demonstration()[2], 0))
	if err == nil || err2 == nil || asked.Load() != 0 {
		t.Errorf("the other server was asked %d times (%v, %v)", asked.Load(), err, err2)
	}
}

func TestNoWordsOfAServerThatSpeaksNoHTTP(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "WHITCOMBE D1093347\r\n\r\n")
			_ = c.Close()
		}
	}()
	a := open(t, dicomweb.Config{URL: "http://" + l.Addr().String()})
	_, err = a.FindPatients(t.Context(), library.PatientQuery{MRN: "D1093347"})
	silent(t, err)
	if err == nil || library.KindOf(err) != "" {
		t.Errorf("%v", err)
	}
}

func TestAnArchiveThatStandsStill(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", `multipart/related; type="application/dicom"; boundary=X`)
		_, _ = io.WriteString(w, "--X\r\nContent-Type: application/dicom\r\n\r\nDICM")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	a := open(t, dicomweb.Config{URL: s.URL, Stall: 200 * time.Millisecond})
	err := a.Retrieve(t.Context(), "2.25.1", func(r io.Reader) error {
		_, err := io.Copy(io.Discard, r)
		return err
	})
	if err == nil || library.KindOf(err) != "" || t.Context().Err() != nil {
		t.Errorf("%v", err)
	}
}

func TestAReceiverThatStandsStill(t *testing.T) {
	t.Parallel()
	// It takes connections, and reads nothing.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	a := open(t, dicomweb.Config{URL: "http://" + l.Addr().String(), Answer: time.Second, Stall: 200 * time.Millisecond})
	s := large()
	_, err = a.Store(t.Context(), s.UID, send(s, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19))
	if err == nil || library.KindOf(err) != "" {
		t.Errorf("%v", err)
	}
}

func TestTheCallersPatienceCounts(t *testing.T) {
	t.Parallel()
	a := fake(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := a.Check(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// cutting is a real archive behind a proxy that ends the connection after so
// many bytes of an answer, as a network or a server that dies would.
func cutting(t *testing.T, after int64) *dicomweb.Archive {
	t.Helper()
	o, err := hospital()
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(o.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(resp *http.Response) error {
			// As Orthanc does: neither a length nor chunks.
			resp.Header.Del("Content-Length")
			resp.ContentLength = -1
			resp.Body = struct {
				io.Reader
				io.Closer
			}{io.LimitReader(resp.Body, after), resp.Body}
			return nil
		},
	}
	s := httptest.NewServer(proxy)
	t.Cleanup(s.Close)
	return open(t, dicomweb.Config{URL: s.URL, Username: o.Username, Password: o.Password})
}

func TestARetrievalThatIsCutOffIsAFault(t *testing.T) {
	t.Parallel()
	s := studies.Demonstration()[1]
	var whole int64
	boundaries := []int64{}
	err := cutting(t, 1<<40).Retrieve(t.Context(), s.UID, func(r io.Reader) error {
		n, err := io.Copy(io.Discard, r)
		whole += n
		boundaries = append(boundaries, whole)
		return err
	})
	if err != nil || len(boundaries) != s.Images() {
		t.Fatalf("uncut: %d instances (%v)", len(boundaries), err)
	}
	for name, after := range map[string]int64{
		"before the first": 0, "in the first header": 40, "in the first": boundaries[0] / 2,
		"in the middle": whole / 2, "about the last": whole, "near the end": whole + 2000,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			complete := 0
			err := cutting(t, after).Retrieve(t.Context(), s.UID, func(r io.Reader) error {
				if _, err := io.Copy(io.Discard, r); err != nil {
					return err
				}
				complete++
				return nil
			})
			if err == nil || library.KindOf(err) != "" {
				t.Errorf("after %d bytes and %d instances: %v", after, complete, err)
			}
		})
	}
}

// TestTheClosingBoundaryIsNeeded cuts right behind an instance, where nothing
// but the boundary is missing.
func TestTheClosingBoundaryIsNeeded(t *testing.T) {
	t.Parallel()
	const kind = `multipart/related; type="application/dicom"; boundary=X`
	part := "--X\r\nContent-Type: application/dicom\r\n\r\nDICM\r\n"
	for name, tt := range map[string]struct {
		body, kind string
		whole      bool
	}{
		"whole":                   {body: part + part + "--X--\r\n", kind: kind, whole: true},
		"whole without line end":  {body: part + part + "--X--", kind: kind, whole: true},
		"no boundary":             {body: part + part, kind: kind},
		"a next one is begun":     {body: part + part + "--X", kind: kind},
		"half a closing boundary": {body: part + part + "--X-", kind: kind},
		"nothing":                 {body: "", kind: kind},
		"json":                    {body: "{}", kind: dicomJSON},
		"something else in it":    {body: strings.ReplaceAll(part, "application/dicom", "text/html") + "--X--", kind: kind},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := answering(t, http.StatusOK, tt.kind, tt.body)
			err := a.Retrieve(t.Context(), "2.25.1", func(r io.Reader) error {
				_, err := io.Copy(io.Discard, r)
				return err
			})
			if (err == nil) != tt.whole || library.KindOf(err) != "" {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAnswersToStore(t *testing.T) {
	t.Parallel()
	referenced := func(sop string, warning int) string {
		return fmt.Sprintf(`"00081199":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":[%q]},"00081196":{"vr":"US","Value":[%d]}}]}`, sop, warning)
	}
	failed := func(sop string, reason int) string {
		return fmt.Sprintf(`"00081198":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":[%q]},"00081197":{"vr":"US","Value":[%d]}}]}`, sop, reason)
	}
	tests := map[string]struct {
		status int
		body   string
		want   []library.StoreResult
		kind   library.Kind
		fault  bool
		full   bool
	}{
		"stored": {status: 200, body: "{" + referenced("1.2", 0) + `,"00081198":{"vr":"SQ"}}`, want: []library.StoreResult{{SOP: "1.2", Stored: true}}},
		"one of two": {status: 202, body: "{" + referenced("1.2", 0xB000) + "," + failed("1.3", 0x0110) + "}", want: []library.StoreResult{
			{SOP: "1.2", Stored: true, Code: "B000"}, {SOP: "1.3", Code: "0110"},
		}},
		"none":                   {status: 409, body: "{" + failed("1.3", 0xA900) + "}", want: []library.StoreResult{{SOP: "1.3", Code: "A900"}}},
		"out of resources":       {status: 409, body: "{" + failed("1.3", 0xA700) + "}", want: []library.StoreResult{{SOP: "1.3", Code: "A700"}}, fault: true, full: true},
		"full":                   {status: 507, fault: true, full: true},
		"busy":                   {status: 503, fault: true, full: true},
		"some could not be read": {status: 400, body: "{" + referenced("1.2", 0) + "}", want: []library.StoreResult{{SOP: "1.2", Stored: true}}, fault: true, kind: library.Invalid},
		"other failures":         {status: 202, body: `{"0008119A":{"vr":"SQ","Value":[{"00081197":{"vr":"US","Value":[49152]}}]}}`, fault: true, kind: library.Invalid},
		"bad request":            {status: 400, body: "<html>", fault: true, kind: library.Invalid},
		"unsupported":            {status: 415, fault: true, kind: library.Invalid},
		"too large":              {status: 413, fault: true, kind: library.Invalid},
		"no answer":              {status: 200, fault: true},
		"xml":                    {status: 200, body: "<NativeDicomModel/>", fault: true},
		"broken":                 {status: 500, fault: true},
		"credentials":            {status: 401, fault: true, kind: library.Unauthorized},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			results, err := answering(t, tt.status, dicomJSON, tt.body).Store(t.Context(), "2.25.1", send(studies.Demonstration()[2], 0))
			if library.KindOf(err) != tt.kind || (err != nil) != tt.fault || errors.Is(err, dicomweb.ErrFull) != tt.full {
				t.Errorf("kind %q, full %t (%v)", library.KindOf(err), errors.Is(err, dicomweb.ErrFull), err)
			}
			if fmt.Sprint(results) != fmt.Sprint(tt.want) {
				t.Errorf("results %v, want %v", results, tt.want)
			}
		})
	}
}

func TestAReceiverThatAnswersTooEarly(t *testing.T) {
	t.Parallel()
	// It says that it is full as soon as it sees the request, and reads
	// nothing.
	a := fake(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInsufficientStorage) })
	s := large()
	_, err := a.Store(t.Context(), s.UID, send(s, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9))
	if err == nil || library.KindOf(err) != "" {
		t.Errorf("%v", err)
	}
}

func TestNewRefusesWhatIsNoURL(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "pacs.example", "ftp://pacs.example", "https://", "https://u:secret@pacs.example", "https://pacs.example?x=1", "https://pacs.example/%zz"} {
		_, err := dicomweb.New(dicomweb.Config{URL: bad})
		silent(t, err)
		if library.KindOf(err) != library.Invalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
