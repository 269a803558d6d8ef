package studies_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"fileroom/internal/devstack/studies"
	"fileroom/internal/dicomweb"
	"fileroom/internal/dicomweb/dicomwebtest"
)

func TestLoadStoresWhatIsMissing(t *testing.T) {
	t.Parallel()
	o, err := dicomwebtest.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Stop)
	target, err := url.Parse(o.URL)
	if err != nil {
		t.Fatal(err)
	}
	// Counts requests that store.
	var posts atomic.Int32
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		if r.In.Method == http.MethodPost {
			posts.Add(1)
		}
		r.SetURL(target)
	}}
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	a, err := dicomweb.New(dicomweb.Config{URL: front.URL, Username: o.Username, Password: o.Password})
	if err != nil {
		t.Fatal(err)
	}

	// One image is there already.
	first := studies.Demonstration()[0]
	_, err = a.Store(t.Context(), first.UID, func(add func(io.Reader) error) error { return add(first.Open(7)) })
	if err != nil {
		t.Fatal(err)
	}
	if err := studies.Load(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if n := posts.Swap(0); int(n) != 1+len(studies.Demonstration()) {
		t.Errorf("%d requests stored, want one for each study and the first", n)
	}
	for _, s := range studies.Demonstration() {
		if list, err := a.Instances(t.Context(), s.UID); len(list) != s.Images() || err != nil {
			t.Errorf("%s has %d instances, want %d (%v)", s.Accession, len(list), s.Images(), err)
		}
	}
	if err := studies.Load(t.Context(), a); err != nil || posts.Load() != 0 {
		t.Errorf("%d requests stored what was there (%v)", posts.Load(), err)
	}
}
