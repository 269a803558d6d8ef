package desk

import (
	"context"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fileroom/internal/library"
)

// maxForm is the most bytes of a form that is read.
const maxForm = 256 << 10

// Records are what the pages read, and the access log that they write.
type Records interface {
	Arrival(ctx context.Context, id library.ArrivalID) (library.Arrival, error)
	WaitingArrivals(ctx context.Context) ([]library.Arrival, error)
	Case(ctx context.Context, id library.CaseID) (library.Case, error)
	CaseOfArrival(ctx context.Context, id library.ArrivalID, part int) (library.Case, error)
	Findings(ctx context.Context, id library.CaseID) ([]library.Finding, error)
	Match(ctx context.Context, id library.CaseID) (library.Match, error)
	Choices(ctx context.Context, id library.CaseID) (library.Choices, error)
	Events(ctx context.Context, id library.CaseID) ([]library.Event, error)
	Letters(ctx context.Context, id library.CaseID) ([]library.Letter, error)
	Decisions(ctx context.Context, id library.CaseID) ([]library.Decision, error)
	TransferInstances(ctx context.Context, id library.CaseID, revision library.Revision, facility library.FacilityID) ([]library.TransferInstance, error)
	Facilities(ctx context.Context) ([]library.Facility, error)
	library.WorkRecords
	library.AccessRecords
}

// Documents are the vault: readings and pages as JSON, and pictures as PNG.
type Documents interface {
	// Open returns the document of a digest, or a [library.NotFound] error.
	Open(ctx context.Context, digest string) (io.ReadCloser, error)
}

// A Speaker says something to a workflow, signed for the actor, and waits for
// the answer.
type Speaker interface {
	// Say sends m as an update under the given id: the same id again is the same
	// update, and has the first one's answer. An error of the kind Invalid,
	// Conflict or Unauthorized is a refusal, whose sentence is shown to the
	// person. With any other error nobody knows whether it was delivered.
	Say(ctx context.Context, actor library.Actor, workflowID, updateID string, m library.Message, payload []byte) error
}

// A Standing is what only the workflow knows of a case or an arrival.
type Standing struct {
	Held      bool
	Note      string // What staff must know about the last try.
	Trouble   string // What does not work at this moment.
	Refused   string // The last signal that was refused, and why.
	Approvals int    // Given, of the present revision, for the present try.
	Needed    int
}

// Options say what a [Desk] works with. All are needed.
type Options struct {
	Records   Records
	Documents Documents
	Speaker   Speaker

	// Standing asks a workflow how it stands. When it errs, the page says that
	// Temporal does not answer, and shows the records.
	Standing func(ctx context.Context, workflowID string) (Standing, error)

	// Session says who makes a request; false when nobody is signed in. SignIn
	// answers a request of nobody, by sending the browser to sign in.
	Session func(*http.Request) (library.Session, bool)
	SignIn  func(http.ResponseWriter, *http.Request)
	SignOut string // Path to which the sign-out button posts.

	UI        *url.URL // Root of the Temporal UI's host, for links and as the only page that may frame the panel.
	Namespace string
	Extension string // Id of the panel in the Temporal UI's list of extensions.

	Now func() time.Time
}

// Desk serves the staff's pages. It is made by [New].
type Desk struct {
	o         Options
	origin    string // Of the Temporal UI.
	assets    map[string]asset
	templates *template.Template
	handler   http.Handler
}

// New returns the desk that o describes, or a [library.Invalid] error that
// says what is missing.
func New(o Options) (*Desk, error) {
	const op = "make desk"
	switch {
	case o.Records == nil, o.Documents == nil, o.Speaker == nil, o.Standing == nil:
		return nil, library.Errorf(library.Invalid, op, "", "records, documents, speaker and standing are needed")
	case o.Session == nil, o.SignIn == nil, !strings.HasPrefix(o.SignOut, "/"), o.Now == nil:
		return nil, library.Errorf(library.Invalid, op, "", "session, sign-in, the path of the sign-out and a clock are needed")
	case o.UI == nil || o.UI.Host == "" || (o.UI.Scheme != "http" && o.UI.Scheme != "https"):
		return nil, library.Errorf(library.Invalid, op, "", "the address of the Temporal UI must be http(s)://host:port")
	case o.Namespace == "", o.Extension == "":
		return nil, library.Errorf(library.Invalid, op, "", "namespace and the id of the extension are needed")
	}
	d := &Desk{o: o, origin: o.UI.Scheme + "://" + o.UI.Host}
	var err error
	if d.assets, err = readAssets(); err != nil {
		return nil, err
	}
	if d.templates, err = d.parseTemplates(); err != nil {
		return nil, err
	}
	d.handler = http.NewCrossOriginProtection().Handler(d.routes())
	return d, nil
}

// ServeHTTP implements [http.Handler].
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.headers(w.Header(), r.URL.Path)
	d.handler.ServeHTTP(w, r)
}

func (d *Desk) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /desk/static/{file}", d.static)
	mux.HandleFunc("GET /desk", d.signedIn(d.list))
	mux.HandleFunc("GET /desk/{$}", d.signedIn(d.list))
	mux.HandleFunc("POST /desk/find", d.signedIn(d.find))
	mux.HandleFunc("GET /desk/find", d.signedIn(d.backToList))
	mux.HandleFunc("GET /desk/{case}", d.signedIn(d.casePage))
	mux.HandleFunc("GET /desk/{case}/{rest}/{page}", d.signedIn(d.picture))
	mux.HandleFunc("GET /desk/{case}/{rest}", d.signedIn(d.backToCase))
	mux.HandleFunc("POST /desk/{case}/say", d.signedIn(d.say))
	mux.HandleFunc("GET /desk/arrivals/{n}", d.signedIn(d.arrivalPage))
	mux.HandleFunc("POST /desk/arrivals/{n}/say", d.signedIn(d.arrivalSay))
	mux.HandleFunc("POST /desk/approve", d.signedIn(d.approveTogether))
	mux.HandleFunc("POST /desk/approve/confirm", d.signedIn(d.confirmTogether))
	mux.HandleFunc("GET /panel", d.panelSignedIn(d.panel))
	mux.HandleFunc("POST /panel/say", d.panelSignedIn(d.panelSay))
	return mux
}

// headers sets what every answer has. Nothing is loaded from anywhere else,
// nothing stands inline, and only the Temporal UI may frame the panel.
func (d *Desk) headers(h http.Header, path string) {
	ancestors, readers := "'none'", "same-origin"
	if path == "/panel" || strings.HasPrefix(path, "/panel/") {
		ancestors, readers = d.origin, "same-site"
	} else {
		h.Set("X-Frame-Options", "DENY")
	}
	h.Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors "+ancestors)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", readers)
}

// A page is a handler for somebody who is signed in and may look.
type page func(http.ResponseWriter, *http.Request, visit)

// A visit is one request of somebody who is signed in.
type visit struct {
	session library.Session
	now     time.Time
	panel   bool
}

func (v visit) actor() library.Actor { return v.session.Actor }

// page is the kind of page at which somebody looks at a case or an arrival.
func (v visit) page() library.LookKind {
	if v.panel {
		return library.LookPanel
	}
	return library.LookDesk
}

// signedIn lets in those who are signed in and have at least the role viewer.
func (d *Desk) signedIn(next page) http.HandlerFunc {
	return d.enter(next, false, d.o.SignIn)
}

// panelSignedIn does the same inside the Temporal UI's frame, in which nobody
// can sign in: identity providers refuse to be framed.
func (d *Desk) panelSignedIn(next page) http.HandlerFunc {
	return d.enter(next, true, d.panelSignIn)
}

func (d *Desk) enter(next page, panel bool, signIn http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		session, ok := d.o.Session(r)
		if !ok {
			signIn(w, r)
			return
		}
		v := visit{session: session, now: d.o.Now(), panel: panel}
		if !session.Actor.Is(library.RoleViewer) {
			d.message(w, v, http.StatusForbidden, "You may not look here",
				"Your account has no role at the image library. Somebody who runs Fileroom can give you one.")
			return
		}
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			if err := r.ParseForm(); err != nil {
				d.message(w, v, http.StatusRequestEntityTooLarge, "That was too much",
					"The form is larger than this page takes, or it was damaged on its way. Nothing was decided.")
				return
			}
		}
		next(w, r, v)
	}
}

// look enters looks into the access log. When it returns false it has answered
// the request, and nothing may be shown.
func (d *Desk) look(w http.ResponseWriter, r *http.Request, v visit, looks ...library.Look) bool {
	for i := range looks {
		looks[i].At, looks[i].Actor, looks[i].Session = v.now, v.actor(), v.session.ID
	}
	if len(looks) == 0 {
		return true
	}
	if err := d.o.Records.AddLooks(r.Context(), looks...); err != nil {
		d.message(w, v, http.StatusServiceUnavailable, "The access log cannot be written",
			"Every look at a case must be on record before anything is shown, and just now it cannot be. Nothing was shown or decided. Please try again in a minute.")
		return false
	}
	return true
}

// fault answers a request that could not be served: what does not exist is
// said so, everything else may pass.
func (d *Desk) fault(w http.ResponseWriter, v visit, err error, what string) {
	if library.KindOf(err) == library.NotFound {
		d.message(w, v, http.StatusNotFound, "There is no such "+what,
			"Please compare the number with the letter. It may also have been removed when its time of keeping was over.")
		return
	}
	d.message(w, v, http.StatusServiceUnavailable, "The records cannot be read",
		"Fileroom cannot reach its records just now. Nothing was shown or decided. Please try again in a minute.")
}
