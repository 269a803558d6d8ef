package web

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"time"
)

// newProxy returns what passes requests on to the UI.
func (g *Gateway) newProxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:        g.rewrite,
		Transport:      transport(),
		ModifyResponse: g.answer,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, _ error) {
			refuse(w, r, http.StatusBadGateway, "the Temporal UI does not answer: is it running?")
		},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
}

// transport reaches the upstream itself, never by a proxy that the environment
// names. It sets no limit on an answer: an update may take its time, and ends
// with the browser's request.
func transport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout: 5 * time.Second,
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     time.Minute,
	}
}

// pass sends a request on to the UI, with this path. A body that is not nil
// goes in place of the one that came, and says it all: no query goes with it.
func (g *Gateway) pass(w http.ResponseWriter, r *http.Request, path, raw string, body []byte) {
	out := r.Clone(r.Context())
	out.URL.Path, out.URL.RawPath = path, raw
	out.TransferEncoding = nil
	out.Body, out.ContentLength = http.NoBody, 0
	if body != nil {
		out.URL.RawQuery = ""
		out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		out.Header.Set("Content-Type", "application/json")
	}
	g.proxy.ServeHTTP(w, out)
}

// passed are the request headers that reach the UI. A list of what to strip
// would be forever behind: grpc-gateway makes calls' metadata of some
// (Grpc-Metadata-*), Temporal believes others (temporal-principal-*), and a
// method can hide in one (X-HTTP-Method-Override).
var passed = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Caller-Type", "Content-Type",
	"If-Modified-Since", "If-None-Match", "Origin", "Range", "Referer",
	"Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "User-Agent", "X-Csrf-Token",
}

// csrfCookie is the UI's own cookie, and the only one that it gets to see or to
// set: a UI that is broken into learns no session, and cannot plant one.
const csrfCookie = "_csrf"

// rewrite makes the request that the UI gets.
func (g *Gateway) rewrite(p *httputil.ProxyRequest) {
	path, raw := p.Out.URL.Path, p.Out.URL.RawPath
	p.SetURL(g.o.Upstream)
	p.Out.URL.Path, p.Out.URL.RawPath = path, raw
	p.Out.Header = make(http.Header)
	for _, name := range passed {
		if values := p.In.Header.Values(name); len(values) > 0 {
			p.Out.Header[name] = slices.Clone(values)
		}
	}
	if c, err := p.In.Cookie(csrfCookie); err == nil {
		p.Out.Header.Set("Cookie", c.String())
	}
	if p.Out.Method == http.MethodPost {
		p.Out.Header.Del("Accept-Encoding") // An update's answer is read here.
	}
}

// answer looks over what the UI answered.
func (g *Gateway) answer(r *http.Response) error {
	cookies := r.Cookies()
	r.Header.Del("Set-Cookie")
	for _, c := range cookies {
		if c.Name == csrfCookie {
			r.Header.Add("Set-Cookie", c.String())
		}
	}
	r.Header.Del("Strict-Transport-Security") // Whoever mounts the gateway says it, for all of its names.
	return g.readable(r)
}
