package web

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/converter"

	"fileroom/internal/library"
	"fileroom/internal/staff"
)

// maxMessage is the most bytes of a signal, update or query that pass. Temporal
// itself refuses payloads beyond 2 MiB; what people say is far smaller.
const maxMessage = 1 << 20

// Options say what a [Gateway] stands before, and for whom. All are needed.
type Options struct {
	// Upstream is the Temporal UI, such as http://127.0.0.1:8233. It has no
	// path: under one, the UI switches its content security policy off.
	Upstream *url.URL

	// Hosts are the names by which browsers know the gateway, with port, such
	// as "127.0.0.1:8080". Requests for another host are refused: they come
	// from a page that had its name point here (DNS rebinding).
	Hosts []string

	// Namespace is the one whose workflows may be spoken to.
	Namespace string

	// Messages are the names of the updates and signals that staff may send.
	// The program's own signals are not among them.
	Messages []string

	// Actor says who makes a request; false when nobody is signed in.
	Actor func(*http.Request) (staff.Actor, bool)

	Signer staff.Signer
	Codec  converter.PayloadCodec
}

// Gateway is the way by which staff reach the Temporal UI. It is made by
// [NewGateway].
type Gateway struct {
	o       Options
	origins []string
	proxy   *httputil.ReverseProxy
	codec   http.Handler
}

// NewGateway returns the gateway that o describes, or a [library.Invalid] error
// that says what is missing.
func NewGateway(o Options) (*Gateway, error) {
	const op = "make gateway"
	switch {
	case o.Upstream == nil || o.Upstream.Host == "" || (o.Upstream.Scheme != "http" && o.Upstream.Scheme != "https"):
		return nil, library.Errorf(library.Invalid, op, "", "the address of the Temporal UI must be http(s)://host:port")
	case strings.Trim(o.Upstream.Path, "/") != "":
		return nil, library.Errorf(library.Invalid, op, "", "the Temporal UI must be at the root of its host")
	case len(o.Hosts) == 0, o.Namespace == "", len(o.Messages) == 0, o.Actor == nil, o.Codec == nil, o.Signer.Digests == nil:
		return nil, library.Errorf(library.Invalid, op, "", "hosts, namespace, messages, actor, signer and codec are needed")
	}
	g := &Gateway{o: o}
	for _, h := range o.Hosts {
		g.origins = append(g.origins, "http://"+h, "https://"+h)
	}
	g.codec = codecHandler{codec: o.Codec}
	g.proxy = &httputil.ReverseProxy{
		Rewrite:        g.rewrite,
		Transport:      transport(),
		ModifyResponse: g.readable,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			refuse(w, http.StatusBadGateway, "the Temporal UI does not answer: is it running?")
		},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	return g, nil
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

// NewServer returns a server for h that bounds what a slow or lavish client can
// cost. The caller sets no more than the listener.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

// ServeHTTP implements [http.Handler].
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !slices.Contains(g.o.Hosts, strings.ToLower(r.Host)) {
		refuse(w, http.StatusMisdirectedRequest, "this address is not known here: use one of "+strings.Join(g.o.Hosts, ", "))
		return
	}
	codec := strings.HasPrefix(r.URL.Path, "/codec/")
	if codec && r.Method == http.MethodOptions {
		g.preflight(w, r)
		return
	}
	actor, ok := g.o.Actor(r)
	switch {
	case !ok:
		refuse(w, http.StatusUnauthorized, "nobody is signed in")
	case !codec && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		g.pass(w, r, r.URL.Path, r.URL.RawPath, nil)
	case !g.sameOrigin(r):
		refuse(w, http.StatusForbidden, "this request comes from another page")
	case codec:
		g.allowOrigin(w, r)
		g.codec.ServeHTTP(w, r)
	case r.Method == http.MethodPost:
		g.post(w, r, actor)
	default:
		refuse(w, http.StatusForbidden, notHere)
	}
}

// notHere is why a write is refused.
const notHere = "this cannot be done through Fileroom: a case is only spoken to by its own updates and signals"

// post passes a signal, an update or a query, and nothing else.
func (g *Gateway) post(w http.ResponseWriter, r *http.Request, actor staff.Actor) {
	c, ok := parseCall(r.URL.EscapedPath())
	if !ok {
		refuse(w, http.StatusForbidden, notHere)
		return
	}
	if c.kind != queryCall && (c.namespace != g.o.Namespace || !slices.Contains(g.o.Messages, c.name)) {
		refuse(w, http.StatusForbidden, notHere)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "the message is too long, or was not received whole")
		return
	}
	if c.kind != queryCall {
		if body, err = g.sign(c, body, actor); err != nil {
			refuseError(w, err)
			return
		}
	}
	path, raw := c.path()
	g.pass(w, r, path, raw, body)
}

// pass sends a request on to the UI, with this path and this body.
func (g *Gateway) pass(w http.ResponseWriter, r *http.Request, path, raw string, body []byte) {
	out := r.Clone(r.Context())
	out.URL.Path, out.URL.RawPath = path, raw
	out.TransferEncoding = nil
	out.Body, out.ContentLength = http.NoBody, 0
	if body != nil {
		out.URL.RawQuery = "" // The body says it all.
		out.Header.Set("Content-Type", "application/json")
		out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
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

// csrfCookie is the UI's own cookie, and the only one that it gets to see.
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

// sameOrigin reports whether a browser's request comes from a page of ours. A
// browser always sends an origin with what can change something; what sends
// none is no browser.
func (g *Gateway) sameOrigin(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		return slices.Contains(g.origins, origin)
	}
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "" || site == "same-origin"
}

// refuse answers as the Temporal API does, so that the UI shows the sentence.
func refuse(w http.ResponseWriter, status int, sentence string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"code": grpcCode(status), "message": sentence, "details": []any{}})
}

// grpcCode returns the code of google.rpc.Code that fits an HTTP status.
func grpcCode(status int) int {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return 3 // INVALID_ARGUMENT
	case http.StatusUnauthorized:
		return 16 // UNAUTHENTICATED
	case http.StatusBadGateway, http.StatusInternalServerError:
		return 14 // UNAVAILABLE
	}
	return 7 // PERMISSION_DENIED
}

// refuseError answers with an error of the library's. Only one with a kind is
// the sender's to mend.
func refuseError(w http.ResponseWriter, err error) {
	if library.KindOf(err) == "" {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	refuse(w, http.StatusBadRequest, err.Error())
}
