package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/temporalproto"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"

	"fileroom/internal/library"
	"fileroom/internal/staff"
)

// maxWorkflows is the most workflows that one write may name: each is a line of
// the access log.
const maxWorkflows = 1000

// onlyAdmin is why others are refused a write.
const onlyAdmin = "only an administrator does this, and none of it decides a case"

// administer passes a write of an administrator's, once it is entered in the
// access log. Its body is read as the UI's server will read it, looked through,
// and written anew, so that nothing passes in a way of writing that only the
// other side understands.
func (g *Gateway) administer(w http.ResponseWriter, r *http.Request, s library.Session) {
	call, p, ok := g.findWrite(r)
	about, _ := subjectOf(p["workflow"])
	what := call.method + " " + call.template
	switch {
	case !ok && s.Actor.Is(library.RoleAdmin):
		g.refuseWrite(w, r, s, about, tried(r), "this gateway does not know the call, and so does not pass it: "+notHere)
		return
	case !ok:
		g.refuseWrite(w, r, s, about, tried(r), notHere)
		return
	case p["namespace"] != g.o.Namespace:
		g.refuseWrite(w, r, s, subject{}, what, "only the namespace "+g.o.Namespace+" is looked after here")
		return
	case call.refused != "":
		g.refuseWrite(w, r, s, about, what, call.refused)
		return
	case !s.Actor.Is(library.RoleAdmin):
		g.refuseWrite(w, r, s, about, what, onlyAdmin)
		return
	}
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	body, named, err := remake(call, body, s.Actor)
	switch {
	case library.KindOf(err) == library.Unauthorized:
		named = append(named[:min(len(named), maxWorkflows)], p["workflow"])
		g.refuseWrites(w, r, err.Error(), g.lines(s, library.LookRefused, what, named)...)
		return
	case err != nil:
		refuseError(w, r, err)
		return
	}
	if err := g.log.add(r.Context(), g.lines(s, library.LookWrite, what, append(named, p["workflow"]))...); err != nil {
		refuse(w, r, http.StatusServiceUnavailable, unlogged)
		return
	}
	path, raw := call.path(p)
	if call.request == nil { // What a DELETE is about stands in its path.
		r = r.Clone(r.Context())
		r.URL.RawQuery = url.Values{"identity": {s.Actor.Subject}}.Encode()
	}
	g.pass(w, r, path, raw, body)
}

func (g *Gateway) findWrite(r *http.Request) (write, params, bool) {
	for _, wr := range g.writes {
		if p, ok := wr.match(r.Method, r.URL.EscapedPath()); ok {
			return wr, p, true
		}
	}
	return write{}, nil, false
}

// lines are the lines of the access log for a write: one for each workflow that
// it names, or one.
func (g *Gateway) lines(s library.Session, kind library.LookKind, what string, workflows []string) []library.Look {
	slices.Sort(workflows)
	var out []library.Look
	for _, id := range slices.Compact(workflows) {
		about, ok := subjectOf(id)
		if ok || mailbox(id) {
			out = append(out, g.log.look(s, about, kind, what+" "+id))
		}
	}
	if len(out) == 0 {
		out = append(out, g.log.look(s, subject{}, kind, what))
	}
	return out
}

// mailbox reports whether id is the one of a workflow that watches a mailbox,
// which was named by whoever set it up.
func mailbox(id string) bool {
	name, ok := strings.CutPrefix(id, "mailbox/")
	return ok && len(name) <= 64 && !strings.ContainsFunc(name, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_.", r)
	})
}

// remake returns the body of a write as it may pass, in actor's name, and the
// workflows that it names. A body that would say something to a case, or start
// what the program starts itself, is [library.Unauthorized], and also names
// them; one that cannot be read is [library.Invalid].
func remake(call write, body []byte, actor library.Actor) ([]byte, []string, error) {
	const op = "write"
	if call.request == nil {
		return nil, nil, nil
	}
	m := call.request()
	// As the UI's server reads: unlike protojson, with short names of enums.
	if err := (temporalproto.CustomJSONUnmarshalOptions{}).Unmarshal(orEmpty(body), m); err != nil {
		// The reason would quote the message.
		return nil, nil, library.Errorf(library.Invalid, op, "", "the request is malformed, or holds what this gateway does not know")
	}
	var in inside
	in.search(m.ProtoReflect(), 0)
	switch {
	case in.speaks:
		return nil, in.workflows, library.Errorf(library.Unauthorized, op, "", "it holds a message to a case, and %s", notStarted)
	case in.starts != "":
		return nil, in.workflows, library.Errorf(library.Unauthorized, op, "", "a %s is started by the program itself, and by nobody by hand", in.starts)
	case in.deep, len(in.workflows) > maxWorkflows:
		return nil, nil, library.Errorf(library.Invalid, op, "", "the request holds too much at once: at most %d workflows", maxWorkflows)
	}
	for _, named := range in.identities { // Of the call, or of what a batch does.
		named.Set(named.Descriptor().Fields().ByName("identity"), protoreflect.ValueOfString(actor.Subject))
	}
	out, err := protojson.Marshal(m)
	if err != nil {
		return nil, nil, library.Errorf(library.Invalid, op, "", "the request is malformed")
	}
	return out, in.workflows, nil
}

// inside is what was found in a message.
type inside struct {
	speaks    bool     // A signal, an update, or the header of a statement.
	starts    string   // A type of workflow that only the program starts; "" if none.
	deep      bool     // Deeper than any true message.
	workflows []string // Ids.

	identities []protoreflect.Message // Those that say who wants it.
}

// programOwn reports whether workflows of a type are started by the program
// alone: each belongs to a case or an arrival that is on record, and one that
// was started by hand would send or judge what nobody decided.
func programOwn(workflowType string) bool {
	return slices.Contains([]string{"Intake", "Release", "Transfer"}, workflowType)
}

// maxNesting is how deep a message is searched. Failures nest as they like.
const maxNesting = 50

// search looks through a message and what it holds.
func (in *inside) search(m protoreflect.Message, depth int) {
	if depth > maxNesting {
		in.deep = true
		return
	}
	in.speaks = in.speaks || speaks(m.Descriptor())
	if t, ok := m.Interface().(*commonpb.WorkflowType); ok && programOwn(t.GetName()) {
		in.starts = t.GetName()
	}
	if f := m.Descriptor().Fields().ByName("identity"); f != nil && f.Kind() == protoreflect.StringKind && f.Cardinality() != protoreflect.Repeated {
		in.identities = append(in.identities, m)
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				in.speaks = in.speaks || strings.EqualFold(k.String(), staff.HeaderName)
				if f.MapValue().Message() != nil {
					in.search(v.Message(), depth+1)
				}
				return true
			})
		case f.IsList():
			for i := 0; f.Message() != nil && i < v.List().Len(); i++ {
				in.search(v.List().Get(i).Message(), depth+1)
			}
		case f.Message() != nil:
			in.search(v.Message(), depth+1)
		case f.Name() == "workflow_id", f.Name() == "business_id":
			in.workflows = append(in.workflows, v.String())
		}
		return true
	})
}

// speaks reports whether messages of a type say something to a workflow: those
// of Temporal's package update, and whatever signals (a batch, what follows
// upon a reset).
func speaks(d protoreflect.MessageDescriptor) bool {
	return strings.Contains(string(d.Name()), "Signal") || d.FullName().Parent() == "temporal.api.update.v1"
}
