package workers_test

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"

	"fileroom/activities"
	"fileroom/internal/library"
	"fileroom/workers"
	"fileroom/workflows"
)

var update = flag.Bool("update", false, "rewrite golden files")

// A recorder notes the names a worker would register, and the types that they
// take and give. Any method of the embedded registry that Register starts to
// use, and recorder lacks, panics.
type recorder struct {
	worker.Registry
	names []string
	types []reflect.Type
}

func (r *recorder) RegisterWorkflow(w any) {
	full := runtime.FuncForPC(reflect.ValueOf(w).Pointer()).Name()
	t := reflect.TypeOf(w)
	r.add("workflow", full[strings.LastIndex(full, ".")+1:], t.In(1), t.Out(0))
}

func (r *recorder) RegisterActivity(a any) {
	t := reflect.TypeOf(a)
	for m := range t.Methods() {
		r.add("activity", m.Name, m.Type.In(2), m.Type.Out(0))
	}
}

func (r *recorder) add(what, name string, in, out reflect.Type) {
	r.names = append(r.names, what+" "+name+" "+fields(in)+" -> "+fields(out))
	r.types = append(r.types, in, out)
}

// fields spells a type as it is on the wire.
func fields(t reflect.Type) string {
	switch t.Kind() { //nolint:exhaustive // The rest is spelt by its name.
	case reflect.Struct:
		if t.PkgPath() == "time" {
			return t.String()
		}
		var tags []string
		for f := range t.Fields() {
			if tag := f.Tag.Get("json"); tag != "-" {
				tags = append(tags, tag+":"+fields(f.Type))
			}
		}
		return "{" + strings.Join(tags, " ") + "}"
	case reflect.Slice:
		return "[]" + fields(t.Elem())
	case reflect.Pointer:
		return "*" + fields(t.Elem())
	}
	return t.String()
}

func register() *recorder {
	r := &recorder{}
	workers.Register(r, workers.Activities{
		Mailroom: &activities.Mailroom{}, Arrivals: &activities.Arrivals{}, Letters: &activities.Letters{}, Cases: &activities.Cases{},
		Decisions: &activities.Decisions{}, Releases: &activities.Releases{}, Transfers: &activities.Transfers{},
	})
	// What is signalled and asked for is on the wire too.
	r.add("signal", workflows.ArrivedSignal, reflect.TypeFor[workflows.Arrived](), reflect.TypeFor[struct{}]())
	r.add("signal", workflows.TroubleSignal, reflect.TypeFor[workflows.Trouble](), reflect.TypeFor[struct{}]())
	r.add("query", workflows.CaseQuery, reflect.TypeFor[struct{}](), reflect.TypeFor[workflows.CaseView]())
	r.add("query", workflows.ArrivalQuery, reflect.TypeFor[struct{}](), reflect.TypeFor[workflows.ArrivalView]())
	return r
}

// TestWire guards the names and shapes that running workflows depend on. A
// diff in the golden file is a change to the wire: it needs a version.
func TestWire(t *testing.T) {
	t.Parallel()

	r := register()
	slices.Sort(r.names)
	got := strings.Join(r.names, "\n") + "\n"

	golden := filepath.Join("testdata", "wire.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("wire changed.\ngot:\n%s\nwant:\n%s", got, want)
	}
}

// TestWireHoldsNoPatient looks for types of patient data in everything that
// enters a workflow's history.
func TestWireHoldsNoPatient(t *testing.T) {
	t.Parallel()

	private := []reflect.Type{
		reflect.TypeFor[library.Patient](), reflect.TypeFor[library.Request](), reflect.TypeFor[library.Reading](), reflect.TypeFor[library.PatientRecord](),
		reflect.TypeFor[library.Match](), reflect.TypeFor[library.Finding](), reflect.TypeFor[library.Page](), reflect.TypeFor[library.MailMessage](),
		reflect.TypeFor[library.Case](), reflect.TypeFor[library.Letter](), reflect.TypeFor[library.Disclosure](), reflect.TypeFor[library.StudyRecord](),
		reflect.TypeFor[library.Recipient](), reflect.TypeFor[library.Private[string]](),
	}
	for _, t1 := range register().types {
		for _, p := range private {
			if reaches(t1, p) {
				t.Errorf("%s holds %s", t1, p)
			}
		}
	}
}

func reaches(t, private reflect.Type) bool {
	if t == private {
		return true
	}
	switch t.Kind() { //nolint:exhaustive // The rest holds nothing.
	case reflect.Struct:
		if t.PkgPath() == "time" {
			return false
		}
		for f := range t.Fields() {
			if reaches(f.Type, private) {
				return true
			}
		}
	case reflect.Slice, reflect.Pointer, reflect.Map:
		return reaches(t.Elem(), private)
	}
	return false
}

// TestStaffMessagesAreAll holds the list of the interceptor and the library's
// messages together: one that is not kept back could be said by anybody.
func TestStaffMessagesAreAll(t *testing.T) {
	t.Parallel()

	for _, m := range workers.StaffMessages {
		if library.NeededRole(library.Message(m)) == library.RoleAdmin {
			t.Errorf("%q is no message of staff", m)
		}
	}
	if len(workers.StaffMessages) != 12 {
		t.Errorf("%d messages, want the twelve of package library", len(workers.StaffMessages))
	}
}

// TestWhatWasSignedCrossesUnchanged sends what staff said through Temporal's
// converter as activities do: a byte more or less, and the signature is lost.
func TestWhatWasSignedCrossesUnchanged(t *testing.T) {
	t.Parallel()

	for _, said := range []string{`{"revision": "0123"}`, `{"revision":"0123","note":"Smith & Jones <ok>"}`, "{\"revision\":\"0123\",\"note\":\"a\u2028b\"}", "{\n  \"revision\": \"0123\"\n}"} {
		through := converter.GetDefaultDataConverter()
		for _, params := range []any{
			&activities.RecordDecisionParams{Payload: []byte(said)}, &activities.OpenSignalResult{Payload: []byte(said)},
		} {
			p, err := through.ToPayload(params)
			if err != nil {
				t.Fatal(err)
			}
			got := reflect.New(reflect.TypeOf(params).Elem())
			if err := through.FromPayload(p, got.Interface()); err != nil {
				t.Fatal(err)
			}
			if out := string(got.Elem().FieldByName("Payload").Bytes()); out != said {
				t.Errorf("%T: %q arrives as %q", params, said, out)
			}
		}
	}
}
