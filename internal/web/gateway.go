package web

import (
	"context"
	"io"
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

// maxMessage is the most bytes of a signal, an update, a query or another write
// that pass. Temporal itself refuses payloads beyond 2 MiB; what people say is
// far smaller.
const maxMessage = 1 << 20

// Options say what a [Gateway] stands before, and for whom. All but Own
// and Now are needed.
type Options struct {
	// Upstream is the Temporal UI, such as http://127.0.0.1:8233. It has no
	// path: under one, the UI switches its content security policy off.
	Upstream *url.URL

	// Hosts are the names by which browsers know the gateway, in lower case,
	// with the port unless it is 443, such as "ui.fileroom.localhost:8443".
	// Requests for another host are refused: they come from a page that had its
	// name point here (DNS rebinding). What changes something must come from
	// https:// and one of them.
	Hosts []string

	// Namespace is the one whose workflows may be spoken to, and in which an
	// administrator may write.
	Namespace string

	// Messages are the names of the updates and signals that staff may send.
	// The program's own signals are not among them.
	Messages []string

	// Session returns who makes a request that a person made: they opened a
	// page or a case, or wrote something. Glance does so for a request that the
	// UI may have made by itself, as it does for ever in a forgotten window: it
	// asks again, decodes, or queries. Only what Session saw keeps a session
	// alive. With both, [library.NotFound] and [library.Unauthorized] mean that
	// nobody is signed in; any other error, that it cannot be told at present.
	Session, Glance func(*http.Request) (library.Session, error)

	// SignIn answers when somebody opens a page and nobody is signed in.
	SignIn func(http.ResponseWriter, *http.Request)

	// Access is where it is entered who looked at what, and who wrote.
	Access library.AccessRecords

	Signer staff.Signer
	Codec  converter.PayloadCodec

	// Own answers beneath /-/ and at /login, for anybody. Nil is nothing there.
	Own http.Handler

	// Now is the clock; time.Now, if nil.
	Now func() time.Time
}

// Gateway is the way by which staff reach the Temporal UI. It is made by
// [NewGateway].
type Gateway struct {
	o       Options
	origins []string
	writes  []write
	log     *accessLog
	proxy   *httputil.ReverseProxy
	codec   codecHandler
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
	case len(o.Hosts) == 0, o.Namespace == "", len(o.Messages) == 0, o.Codec == nil, o.Signer.Digests == nil:
		return nil, library.Errorf(library.Invalid, op, "", "hosts, namespace, messages, signer and codec are needed")
	case o.Session == nil, o.Glance == nil, o.SignIn == nil, o.Access == nil:
		return nil, library.Errorf(library.Invalid, op, "", "sessions, a sign-in and an access log are needed")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	g := &Gateway{o: o, writes: writes(), codec: codecHandler{codec: o.Codec}}
	for _, h := range o.Hosts {
		g.origins = append(g.origins, "https://"+h)
	}
	g.log = &accessLog{records: o.Access, now: o.Now, marks: map[markKey]*mark{}}
	g.proxy = g.newProxy()
	return g, nil
}

// loginPage is where the UI goes by itself when it was refused something. What
// answers there is ours, and must wait for the person: signing in unasked, while
// the provider remembers them, would make every session endless.
const loginPage = "/login"

// ServeHTTP implements [http.Handler].
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	codec := strings.HasPrefix(r.URL.Path, "/codec/")
	reading := !codec && (r.Method == http.MethodGet || r.Method == http.MethodHead)
	switch {
	case !slices.Contains(g.o.Hosts, strings.ToLower(r.Host)):
		refuse(w, r, http.StatusMisdirectedRequest, "this address is not known here: use one of "+strings.Join(g.o.Hosts, ", "))
	case strings.HasPrefix(r.URL.Path, "/-/"), r.URL.Path == loginPage && reading:
		g.own(w, r)
	case !reading && !g.sameOrigin(r): // Before anybody is asked for: no page of others' keeps a session alive.
		refuse(w, r, http.StatusForbidden, "this request comes from another page")
	case codec && r.Method == http.MethodOptions:
		g.preflight(w, r)
	case codec:
		if s, ok := g.who(w, r, g.o.Glance); ok {
			g.allowOrigin(w, r)
			g.codec.serve(w, r, func(ctx context.Context, payloads int) error { return g.log.decoded(ctx, s, payloads) })
		}
	case reading:
		g.read(w, r)
	default:
		g.write(w, r)
	}
}

func (g *Gateway) own(w http.ResponseWriter, r *http.Request) {
	if g.o.Own == nil {
		refuse(w, r, http.StatusNotFound, "there is no such page")
		return
	}
	g.o.Own.ServeHTTP(w, r)
}

// who returns who makes a request, asking with ask, or answers it itself:
// nobody is signed in, or somebody without a role.
func (g *Gateway) who(w http.ResponseWriter, r *http.Request, ask func(*http.Request) (library.Session, error)) (library.Session, bool) {
	s, err := ask(r)
	kind := library.KindOf(err)
	switch {
	case (kind == library.NotFound || kind == library.Unauthorized) && opensPage(r):
		g.o.SignIn(w, r)
	case kind == library.NotFound, kind == library.Unauthorized:
		refuse(w, r, http.StatusUnauthorized, "nobody is signed in: load the page again to sign in")
	case err != nil:
		refuse(w, r, http.StatusServiceUnavailable, "it cannot be looked up who is signed in: try again in a minute")
	case !s.Actor.Is(library.RoleViewer):
		refuse(w, r, http.StatusForbidden, "you are signed in, but have no role here: ask whoever gives them out")
	default:
		return s, true
	}
	return library.Session{}, false
}

// opensPage reports whether a request is a browser's window that opens a page,
// and not a script's, an image's or a frame's.
func opensPage(r *http.Request) bool {
	if r.Method != http.MethodGet || strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/codec/") {
		return false
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html") // An old browser.
}

// read passes a GET or HEAD, once it is entered whose case is looked at.
func (g *Gateway) read(w http.ResponseWriter, r *http.Request) {
	workflow, ok := g.workflowOf(r.URL.EscapedPath())
	if !ok || !plainPath(r.URL.EscapedPath()) {
		refuse(w, r, http.StatusBadRequest, "this address can be read in more than one way")
		return
	}
	ask := g.o.Glance
	if opensPage(r) {
		ask = g.o.Session
	}
	s, ok := g.who(w, r, ask)
	if ok && g.look(w, r, s, workflow) {
		g.pass(w, r, r.URL.Path, r.URL.RawPath, nil)
	}
}

// look enters a look at a workflow, and reports whether it may pass. The first
// one in a while is a person's, who opened the case: in the UI that loads no
// page, and would otherwise let the session of somebody who reads run out.
func (g *Gateway) look(w http.ResponseWriter, r *http.Request, s library.Session, workflow string) bool {
	about, ok := subjectOf(workflow)
	if !ok {
		return true // Nothing about a patient.
	}
	if g.log.opens(s, about) {
		if s, ok = g.who(w, r, g.o.Session); !ok {
			return false
		}
	}
	if err := g.log.looked(r.Context(), s, about); err != nil {
		refuse(w, r, http.StatusServiceUnavailable, unlogged)
		return false
	}
	return true
}

// notHere is why a write is refused.
const notHere = "this cannot be done through Fileroom: a case is only spoken to by its own updates and signals"

// notListening is why a message to any other workflow is refused.
const notListening = "only a case (release/...) and an arrival (intake/...) can be spoken to: no other workflow listens"

// unlogged is why nothing passes while the access log cannot be written.
const unlogged = "this cannot be entered in the access log, and so cannot be done: try again in a minute"

// write passes a query, a signal, an update, or a write of an administrator's,
// and nothing else.
func (g *Gateway) write(w http.ResponseWriter, r *http.Request) {
	c, ok := parseCall(r.URL.EscapedPath())
	ok = ok && r.Method == http.MethodPost
	ask := g.o.Session
	if ok && c.kind == queryCall {
		ask = g.o.Glance
	}
	s, known := g.who(w, r, ask)
	switch {
	case !known:
	case ok && c.kind == queryCall:
		g.query(w, r, s, c)
	case ok:
		g.say(w, r, s, c)
	default:
		g.administer(w, r, s)
	}
}

func (g *Gateway) query(w http.ResponseWriter, r *http.Request, s library.Session, c call) {
	workflow := c.workflow
	if c.namespace != g.o.Namespace {
		workflow = ""
	}
	if !g.look(w, r, s, workflow) {
		return
	}
	if body, ok := readBody(w, r); ok {
		path, raw := c.path()
		g.pass(w, r, path, raw, body)
	}
}

// say passes a signal or an update, signed.
func (g *Gateway) say(w http.ResponseWriter, r *http.Request, s library.Session, c call) {
	tried := c.kind + "/{name}"
	if slices.Contains(g.o.Messages, c.name) {
		tried = c.kind + "/" + c.name
	}
	about, _ := subjectOf(c.workflow)
	unfit := s.Actor.MaySay(library.Message(c.name))
	tried = "POST " + apiNamespace + "/workflows/{workflow}/" + tried
	switch {
	case c.namespace != g.o.Namespace, !slices.Contains(g.o.Messages, c.name):
		g.refuseWrite(w, r, s, about, tried, notHere)
		return
	case !about.listens():
		g.refuseWrite(w, r, s, about, tried, notListening)
		return
	case unfit != nil: // The case would say the same. All else it judges.
		g.refuseWrite(w, r, s, about, tried, unfit.Error())
		return
	}
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	body, err := g.sign(c, body, s.Actor)
	if err != nil {
		refuseError(w, r, err)
		return
	}
	path, raw := c.path()
	g.pass(w, r.WithContext(withSaying(r.Context(), saying{s, about, tried})), path, raw, body)
}

// readBody returns the body of a write, or answers that it is too long.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err != nil {
		refuse(w, r, http.StatusRequestEntityTooLarge, "the message is too long, or was not received whole")
		return nil, false
	}
	return body, true
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
