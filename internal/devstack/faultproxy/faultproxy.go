// Package faultproxy is a reverse proxy that stands before a DICOMweb archive
// and has bad days on demand, for tests: it is down, full, refuses its
// password, refuses single instances, breaks off in the middle, hands over
// altered instances. It also counts what passes, instance by instance, so that
// a test can prove that each was sent once.
//
// It knows no case and no patient, holds every instance in memory while it
// passes, and listens on loopback alone. It is for tests only.
package faultproxy

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"fileroom/internal/library"
)

// Failure reasons of an instance that was not stored (PS3.4 Annex B and
// PS3.18 section 10.5.3).
const (
	OutOfResources   = 0xA700
	ProcessingFailed = 0x0110
)

// Faults is what the archive suffers from. The zero value is good health.
type Faults struct {
	// Down breaks every connection without an answer.
	Down bool
	// Unauthorized answers 401 to everything.
	Unauthorized bool
	// Full answers every STOW-RS with this status, such as 507 or 503.
	Full int
	// Refuse names instances by SOP Instance UID that are not stored, with
	// the failure reason that the answer gives for them. The other instances
	// of the same request are stored.
	Refuse map[string]uint16
	// RefuseAll is a failure reason for every instance.
	RefuseAll uint16
	// LoseAnswers lets so many STOW-RS requests through to the archive and
	// then breaks the connection: the archive has the instances, the client
	// does not know.
	LoseAnswers int
	// CutRetrievals ends every retrieved body after so many bytes.
	CutRetrievals int64
	// Alter may change each instance on its way from the archive. It gets the
	// SOP Instance UID and the file, and returns the file to hand over.
	Alter func(uid string, instance []byte) []byte
}

// Counts is what has passed since the start or the last [Proxy.Reset].
type Counts struct {
	Sent      map[string]int // How often a client sent each SOP Instance UID.
	Stored    map[string]int // How often the archive said that it stored each.
	Stores    int            // STOW-RS requests.
	Retrieves int            // Requests with GET, of any kind.
}

// A Proxy stands before one archive. Its methods may be called from several
// goroutines.
type Proxy struct {
	target *url.URL
	server *http.Server
	url    string
	client *http.Client

	mu     sync.Mutex
	faults Faults
	counts Counts
}

// New starts a proxy before the archive at target, the root of its DICOMweb,
// on a free port of loopback.
func New(target string) (*Proxy, error) {
	const op = "start fault proxy"
	u, err := url.Parse(target)
	if err != nil {
		return nil, library.Errorf(library.Invalid, op, "", "not a URL")
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	// An archive that closes an idle connection just as it is used again would
	// add a fault that nobody asked for.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	p := &Proxy{target: u, url: "http://" + l.Addr().String() + u.Path, client: client}
	p.Reset()
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = p.server.Serve(l) }()
	return p, nil
}

// URL returns the root of DICOMweb as clients shall use it.
func (p *Proxy) URL() string { return p.url }

// Close stops the proxy and breaks its connections.
func (p *Proxy) Close() error { return p.server.Close() }

// Set replaces the faults. Faults{} makes the archive well.
func (p *Proxy) Set(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
}

// Counts returns what has passed.
func (p *Proxy) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.counts
	c.Sent, c.Stored = maps.Clone(c.Sent), maps.Clone(c.Stored)
	return c
}

// Reset counts from zero again.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts = Counts{Sent: map[string]int{}, Stored: map[string]int{}}
}

// ServeHTTP implements [http.Handler].
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	f := p.faults
	store := r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/studies")
	if store {
		p.counts.Stores++
	} else if r.Method == http.MethodGet {
		p.counts.Retrieves++
	}
	p.mu.Unlock()

	switch {
	case f.Down:
		breakOff(w)
	case f.Unauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="archive"`)
		http.Error(w, "unauthorized", http.StatusUnauthorized)
	case store && f.Full != 0:
		http.Error(w, "no space left", f.Full)
	case store:
		p.store(w, r, f)
	default:
		p.pass(w, r, f)
	}
}

// breakOff ends the connection as a machine does that loses its power: with a
// reset, without an answer.
func breakOff(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// forward sends a request on to the archive with another body.
func (p *Proxy) forward(r *http.Request, body io.Reader) (*http.Response, error) {
	u := *r.URL
	u.Scheme, u.Host = p.target.Scheme, p.target.Host
	out, err := http.NewRequestWithContext(r.Context(), r.Method, u.String(), body)
	if err != nil {
		return nil, err
	}
	out.Header = r.Header.Clone()
	for _, h := range []string{"Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Accept-Encoding"} {
		out.Header.Del(h)
	}
	return p.client.Do(out)
}

// pass forwards a request that stores nothing, and its answer.
func (p *Proxy) pass(w http.ResponseWriter, r *http.Request, f Faults) {
	resp, err := p.forward(r, r.Body)
	if err != nil {
		breakOff(w)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	var body io.Reader = resp.Body
	if boundary := relatedBoundary(resp.Header.Get("Content-Type")); boundary != "" && f.Alter != nil {
		body = alter(resp.Body, boundary, f.Alter)
	}
	if f.CutRetrievals > 0 {
		body = io.LimitReader(body, f.CutRetrievals)
	}
	maps.Copy(w.Header(), resp.Header)
	w.Header().Del("Content-Length")
	w.WriteHeader(resp.StatusCode)
	_, err = io.Copy(w, body)
	if err != nil || f.CutRetrievals > 0 {
		// A body that ends early must not look like one that ended.
		panic(http.ErrAbortHandler)
	}
}
