package web_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fileroom/internal/web"
)

// TestBounded has a client that asks and does not read: its answer ends. One
// that reads gets all of it, however long the handler thought, and the
// connection serves on.
func TestBounded(t *testing.T) {
	t.Parallel()

	const within = 200 * time.Millisecond
	ended := make(chan error, 1)
	think := time.NewTimer(2 * within)
	s := httptest.NewServer(web.Bounded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/page" {
			<-think.C
			think.Reset(2 * within)
			_, _ = io.WriteString(w, "a page")
			return
		}
		block := strings.Repeat("x", 1<<20)
		for range 1 << 10 { // More than any buffer on the way holds.
			if _, err := io.WriteString(w, block); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}), within))
	t.Cleanup(s.Close)

	for range 2 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/page", nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(a.Body)
		_ = a.Body.Close()
		if err != nil || string(b) != "a page" {
			t.Errorf("%q, %v", b, err)
		}
	}

	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err == nil {
			t.Error("somebody who reads nothing got everything")
		}
	case <-time.After(time.Minute):
		t.Error("somebody who reads nothing is served for ever")
	}
}
