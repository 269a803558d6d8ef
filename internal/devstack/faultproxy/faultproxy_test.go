package faultproxy_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"fileroom/internal/devstack"
	"fileroom/internal/devstack/faultproxy"
)

const (
	secondaryCapture = "1.2.840.10008.5.1.4.1.1.7"
	explicitLittle   = "1.2.840.10008.1.2.1"
)

// archive starts one archive for all tests; each has studies of its own in it.
var archive = sync.OnceValues(func() (*devstack.Stack, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	return devstack.Start(ctx, devstack.Options{Only: []devstack.Service{devstack.PACS}})
})

func TestMain(m *testing.M) {
	code := m.Run()
	if s, err := archive(); err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		_ = s.Stop(ctx)
		cancel()
	}
	os.Exit(code)
}

// A client talks to the archive through a proxy of its own.
type client struct {
	t     *testing.T
	proxy *faultproxy.Proxy
	a     devstack.Archive
}

func newClient(t *testing.T) client {
	t.Helper()
	s, err := archive()
	if err != nil {
		t.Fatal(err)
	}
	a := s.Description().PACS
	p, err := faultproxy.New(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return client{t: t, proxy: p, a: a}
}

func (c client) do(method, path, contentType string, body io.Reader) (int, []byte, http.Header, error) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.proxy.URL()+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	req.SetBasicAuth(c.a.User, c.a.Password)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if method == http.MethodPost {
		req.Header.Set("Accept", "application/dicom+json")
	} else if contentType == "" && path != "/studies" {
		req.Header.Set("Accept", `multipart/related; type="application/dicom"; transfer-syntax=*`)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, b, resp.Header, err
}

// answer is what a client reads in the answer to a STOW-RS.
type answer struct {
	stored []string
	failed map[string]int
}

func (c client) store(instances map[string][]byte) (int, answer, error) {
	c.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, uid := range slices.Sorted(keys(instances)) {
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/dicom"}})
		if err != nil {
			c.t.Fatal(err)
		}
		_, _ = part.Write(instances[uid])
	}
	_ = w.Close()
	status, b, _, err := c.do(http.MethodPost, "/studies", `multipart/related; type="application/dicom"; boundary=`+w.Boundary(), &body)
	if err != nil {
		return 0, answer{}, err
	}
	a := answer{failed: map[string]int{}}
	type item map[string]struct{ Value []any }
	var got struct {
		Failed struct{ Value []item } `json:"00081198"`
		Stored struct{ Value []item } `json:"00081199"`
	}
	if err := json.Unmarshal(b, &got); err != nil {
		return status, a, nil //nolint:nilerr // Not an answer in DICOM JSON: the status says all.
	}
	for _, i := range got.Stored.Value {
		a.stored = append(a.stored, fmt.Sprint(i["00081155"].Value...))
	}
	for _, i := range got.Failed.Value {
		reason, _ := i["00081197"].Value[0].(float64)
		a.failed[fmt.Sprint(i["00081155"].Value...)] = int(reason)
	}
	slices.Sort(a.stored)
	return status, a, nil
}

func TestGoodHealth(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	study, uids, files := newStudy(t, 3)
	status, got, err := c.store(files)
	if err != nil || status != http.StatusOK || !slices.Equal(got.stored, uids) || len(got.failed) != 0 {
		t.Fatalf("status %d, answer %+v (%v), want all stored", status, got, err)
	}
	if back := c.retrieve(study); len(back) != 3 {
		t.Errorf("%d instances come back, want 3", len(back))
	}
	n := c.proxy.Counts()
	for _, uid := range uids {
		if n.Sent[uid] != 1 || n.Stored[uid] != 1 {
			t.Errorf("%s: sent %d, stored %d, want 1 and 1", uid, n.Sent[uid], n.Stored[uid])
		}
	}
	if n.Stores != 1 || n.Retrieves != 1 {
		t.Errorf("%d stores and %d retrieves, want 1 and 1", n.Stores, n.Retrieves)
	}
	c.proxy.Reset()
	if n := c.proxy.Counts(); len(n.Sent)+len(n.Stored)+n.Stores+n.Retrieves != 0 {
		t.Errorf("after a reset: %+v", n)
	}
}

func TestOneInstanceIsRefused(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	study, uids, files := newStudy(t, 4)
	c.proxy.Set(faultproxy.Faults{Refuse: map[string]uint16{uids[1]: faultproxy.ProcessingFailed}})

	status, got, err := c.store(files)
	want := []string{uids[0], uids[2], uids[3]}
	if err != nil || status != http.StatusAccepted || !slices.Equal(got.stored, want) || got.failed[uids[1]] != faultproxy.ProcessingFailed {
		t.Fatalf("status %d, answer %+v (%v), want 202, all stored but the second", status, got, err)
	}
	status, got, err = c.store(map[string][]byte{uids[1]: files[uids[1]]})
	if err != nil || status != http.StatusConflict || len(got.stored) != 0 || len(got.failed) != 1 {
		t.Errorf("the one alone: status %d, answer %+v (%v), want 409 and nothing stored", status, got, err)
	}
	if back := c.retrieve(study); len(back) != 3 {
		t.Errorf("the archive has %d instances, want 3", len(back))
	}
	if n := c.proxy.Counts(); n.Sent[uids[1]] != 2 || n.Stored[uids[1]] != 0 {
		t.Errorf("the refused one: sent %d, stored %d, want 2 and 0", n.Sent[uids[1]], n.Stored[uids[1]])
	}
}

func TestBadDays(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		faults faultproxy.Faults
		status int // 0 for a connection that breaks.
		failed int
		has    bool // The archive has the instances all the same.
	}{
		"down":             {faults: faultproxy.Faults{Down: true}},
		"password refused": {faults: faultproxy.Faults{Unauthorized: true}, status: http.StatusUnauthorized},
		"disk full":        {faults: faultproxy.Faults{Full: http.StatusInsufficientStorage}, status: http.StatusInsufficientStorage},
		"full for each":    {faults: faultproxy.Faults{RefuseAll: faultproxy.OutOfResources}, status: http.StatusConflict, failed: 2},
		"answer lost":      {faults: faultproxy.Faults{LoseAnswers: 1}, has: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t)
			study, _, files := newStudy(t, 2)
			c.proxy.Set(tt.faults)
			status, got, err := c.store(files)
			if status != tt.status || len(got.failed) != tt.failed || (err != nil) != (tt.status == 0) {
				t.Errorf("status %d, answer %+v (%v), want %d and %d failed", status, got, err, tt.status, tt.failed)
			}
			c.proxy.Set(faultproxy.Faults{})
			if back := c.retrieve(study); (len(back) == 2) != tt.has {
				t.Errorf("the archive has %d instances", len(back))
			}
			if status, got, err := c.store(files); err != nil || status != http.StatusOK || len(got.stored) != 2 {
				t.Errorf("well again: status %d, answer %+v (%v)", status, got, err)
			}
		})
	}
}

func TestRetrievalIsCut(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	study, _, files := newStudy(t, 2)
	if _, _, err := c.store(files); err != nil {
		t.Fatal(err)
	}
	c.proxy.Set(faultproxy.Faults{CutRetrievals: 600})
	_, b, _, err := c.do(http.MethodGet, "/studies/"+study, "", nil)
	if err == nil || len(b) > 600 {
		t.Errorf("%d bytes and no error: a cut body looks whole", len(b))
	}
}

func TestInstancesAreAltered(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	study, uids, files := newStudy(t, 2)
	if _, _, err := c.store(files); err != nil {
		t.Fatal(err)
	}
	c.proxy.Set(faultproxy.Faults{Alter: func(uid string, instance []byte) []byte {
		if uid != uids[0] {
			return instance
		}
		return bytes.Replace(instance, []byte("MRN-0001"), []byte("MRN-0002"), 1)
	}})
	back := c.retrieve(study)
	if len(back) != 2 || !bytes.Contains(back[uids[0]], []byte("MRN-0002")) || !bytes.Contains(back[uids[1]], []byte("MRN-0001")) {
		t.Errorf("%d instances, not the first alone altered", len(back))
	}
}

// retrieve returns a study's instances by UID.
func (c client) retrieve(study string) map[string][]byte {
	c.t.Helper()
	status, b, header, err := c.do(http.MethodGet, "/studies/"+study, "", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if status == http.StatusNotFound {
		return nil
	}
	_, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		c.t.Fatalf("status %d: %v", status, err)
	}
	all := map[string][]byte{}
	for r := multipart.NewReader(bytes.NewReader(b), params["boundary"]); ; {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			c.t.Fatal(err)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			c.t.Fatal(err)
		}
		_, uid := faultproxy.Identify(content)
		all[uid] = content
	}
}

// newStudy returns a study UID and n small instances of it.
func newStudy(t *testing.T, n int) (study string, uids []string, files map[string][]byte) {
	t.Helper()
	study = fmt.Sprintf("1.2.826.0.1.3680043.10.999.%d", time.Now().UnixNano())
	files = map[string][]byte{}
	for i := range n {
		uid := fmt.Sprintf("%s.1.%d", study, i+1)
		uids = append(uids, uid)
		files[uid] = instance(study, uid)
	}
	return study, uids, files
}

// instance returns a DICOM file without pixels.
func instance(study, uid string) []byte {
	meta := join(
		elem(2, 2, "UI", secondaryCapture), elem(2, 3, "UI", uid), elem(2, 0x10, "UI", explicitLittle),
		elem(2, 0x12, "UI", "1.2.826.0.1.3680043.10.999.1"),
	)
	size := binary.LittleEndian.AppendUint32(nil, uint32(len(meta)))
	return join(
		make([]byte, 128), []byte("DICM"), elem(2, 0, "UL", string(size)), meta,
		elem(8, 0x16, "UI", secondaryCapture), elem(8, 0x18, "UI", uid), elem(8, 0x60, "CS", "OT"),
		elem(0x10, 0x10, "PN", "TEST^PROXY"), elem(0x10, 0x20, "LO", "MRN-0001"),
		elem(0x20, 0xD, "UI", study), elem(0x20, 0xE, "UI", study+".1"),
	)
}

func elem(group, tag uint16, vr, value string) []byte {
	if len(value)%2 == 1 {
		pad := "\x00"
		if vr != "UI" {
			pad = " "
		}
		value += pad
	}
	b := binary.LittleEndian.AppendUint16(nil, group)
	b = binary.LittleEndian.AppendUint16(b, tag)
	b = append(b, vr...)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return append(b, value...)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func keys(m map[string][]byte) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func FuzzIdentify(f *testing.F) {
	whole := instance("1.2.3", "1.2.3.4")
	f.Add(whole)
	f.Add(whole[:140])
	f.Add(whole[:150])
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, file []byte) {
		class, uid := faultproxy.Identify(file)
		if len(class)+len(uid) > len(file) {
			t.Errorf("%d bytes of names in a file of %d", len(class)+len(uid), len(file))
		}
	})
}

func TestIdentifyNamesTheInstance(t *testing.T) {
	t.Parallel()
	if class, uid := faultproxy.Identify(instance("1.2.3", "1.2.3.4")); class != secondaryCapture || uid != "1.2.3.4" {
		t.Errorf("class %q, instance %q", class, uid)
	}
}
