package integration_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"go.temporal.io/api/sdk/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"fileroom/internal/devstack"
	"fileroom/internal/devstack/studies"
	"fileroom/internal/library"
	"fileroom/workflows"
)

// guises returns the bytes as which a text may lie somewhere: as it is, in
// either case, in UTF-16, and in base64 at each of its three alignments.
func guises(text string) map[string][]byte {
	all := map[string][]byte{"as it is": []byte(text), "in capitals": []byte(strings.ToUpper(text)), "in small letters": []byte(strings.ToLower(text))}
	var little, big []byte
	for _, u := range utf16.Encode([]rune(text)) {
		little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
	}
	all["in UTF-16 LE"], all["in UTF-16 BE"] = little, big
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString(append(make([]byte, shift), text...))
		// The first characters hold bits of what came before, the last of what comes
		// after.
		first, last := (shift*8+5)/6, (shift+len(text))*8/6
		all[fmt.Sprintf("in base64, shifted by %d", shift)] = []byte(encoded[first:last])
	}
	return all
}

// find returns where in b a text lies, or "".
func find(b []byte, text string) string {
	for guise, want := range guises(text) {
		if bytes.Contains(b, want) {
			return guise
		}
	}
	return ""
}

func TestFindSeesThroughEveryGuise(t *testing.T) {
	t.Parallel()
	const text = "Quillfeather 1949"
	hidden := map[string][]byte{
		"plain": []byte("x" + text + "x"), "capitals": []byte(strings.ToUpper(text)), "small": []byte(strings.ToLower(text)), "nowhere": []byte("Quillfeathe r 1949"),
	}
	for shift := range 4 {
		hidden[fmt.Sprintf("base64 after %d", shift)] = []byte(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("#", shift) + text + "###")))
	}
	for name, b := range hidden {
		if found := find(b, text) != ""; found != (name != "nowhere") {
			t.Errorf("%s: found = %t", name, found)
		}
	}
}

// TestNothingAboutAPatientLeaks plants words in all that is said about a case,
// and then looks for them wherever they must not be.
func TestNothingAboutAPatientLeaks(t *testing.T) {
	t.Parallel()
	s := servers(t)
	ctx := within(t, limit)
	p := patient{
		number: numberLeak, given: "Zephyrine", middle: "Ottoline", family: "Quillfeather", birth: "1949-11-23", mrn: "QX7719042", phone: "(919) 555-0183",
	}
	ct, film := p.ct(8), p.film()
	ct.Description, film.Description = "CT CHEST QUAGGAVIEW PROTOCOL", "XR CHEST QUOLLSTAND 2 VIEWS"
	s.fill(ctx, t, ct, film)
	proxy := behind(t, s.dev.Receiver.URL)
	place := s.place(ctx, t, numberLeak, proxy.URL(), known)
	i := s.own(ctx, t, "leaks", map[string]string{"FILEROOM_METRICS_ADDRESS": freeAddress(t)})

	planted := []string{
		"Zephyrine", "Ottoline", "Quillfeather", "QX7719042", "555-0183", "1949-11-23", "November 23, 1949", "19491123", "11/23/1949",
		"QUAGGAVIEW", "QUOLLSTAND", "T001501", // The last is how the accession numbers begin.
		"Mistletoe Lane", "Wilhelmina", "1949-11-32", "Bartholomew", "555-0184", "tapioca", "persimmon",
	}
	wrong := "November 24, 1949"
	m := i.deliver(t, letter{
		from: p, to: place, head: []string{"Subject: Images of Zephyrine Quillfeather, born 1949-11-23"},
		change: func(text string) string {
			text = strings.Replace(text, p.born(), wrong, 1)
			return strings.Replace(text, "If you have questions", "I live at 12 Mistletoe Lane with my sister Wilhelmina. If you have questions", 1)
		},
		attachments: []attachment{{name: "Quillfeather-papers.zip", kind: "application/zip", body: []byte("PK\x05\x06" + strings.Repeat("\x00", 18))}},
	}.message())
	id := i.awaitCase(ctx, t, m)
	i.awaitStage(ctx, t, id, library.StageReview)

	dana, release := i.as(ctx, t, "demo-specialist"), workflows.ReleaseID(id)
	// What is refused is said all the same, and so is what a stranger says.
	if err := say(ctx, dana, release, library.Correct, library.CorrectPayload{"patient.birth_date": "1949-11-32"}); err == nil {
		t.Error("a birth date that is none was taken")
	}
	if err := i.nobody.SignalWorkflow(ctx, release, "", string(library.Withdraw), library.ReasonPayload{Reason: "says Bartholomew"}); err != nil {
		t.Fatal(err)
	}
	insist(ctx, t, dana, release, library.Correct, library.CorrectPayload{"patient.birth_date": "1949-11-23"})
	await(ctx, t, "the corrected case", func(ctx context.Context) (workflows.CaseView, error) { return i.view(ctx, id) },
		func(v workflows.CaseView) bool { return v.Stage == library.StageReview && v.Images == 10 })
	for _, rule := range i.open(ctx, t, id) {
		i.acknowledge(ctx, t, id, rule, "her nephew Bartholomew called from 919-555-0184 about tapioca")
	}
	// One image is refused at first, so that there is a hindrance to tell of.
	proxy.Set(refusing(ct.Instance(3).SOP))
	i.approve(ctx, t, id, "--note", "persimmon")
	i.awaitNote(ctx, t, id, "refuses 1 of 10")
	proxy.Set(healthy)
	i.approve(ctx, t, id, "--note", "persimmon")
	if c := i.awaitStage(ctx, t, id, library.StageClosed); c.Outcome != library.OutcomeReleased {
		t.Fatalf("outcome = %s", c.Outcome)
	}
	i.awaitLetters(ctx, t, id, 2)

	look := &search{t: t, planted: planted, control: string(id), places: map[string]bool{}}
	look.temporal(ctx, i)
	look.file("Temporal's database", i.dev.Temporal.Database, i.dev.Temporal.Database+"-wal")
	look.folder("the logs of the servers", i.dev.Logs)
	look.file("the worker's log", i.log())
	look.folder("the vault", i.dev.Vault)
	for n := range devstack.PortCount {
		look.pages(ctx, fmt.Sprintf("127.0.0.1:%d", i.dev.PortBase+n))
	}
	if n := look.pages(ctx, i.env["FILEROOM_METRICS_ADDRESS"]); n == 0 {
		t.Error("the worker serves no metrics, so they were not searched")
	}
	for _, place := range []string{"Temporal's database", "histories", "details", "workflow ids"} {
		if !look.places[place] {
			t.Errorf("the case number, which must be there, was not found in %s: nothing can be found", place)
		}
	}
	if log, err := os.ReadFile(i.log()); err != nil || !bytes.Contains(log, []byte("worker started")) {
		t.Errorf("the worker's log is not the one that was searched: %v", err)
	}
	look.wantInRecords(ctx, s, ct, film)
}

// A search looks for what is planted, and for the case number, which must be
// found to show that the search can find anything.
type search struct {
	t       *testing.T
	planted []string
	control string
	places  map[string]bool // Where the case number was found.
}

func (s *search) in(place, detail string, b []byte) {
	s.t.Helper()
	for _, text := range s.planted {
		if guise := find(b, text); guise != "" {
			s.t.Errorf("%q lies %s in %s (%s)", text, guise, place, detail)
		}
	}
	if bytes.Contains(b, []byte(s.control)) {
		s.places[place] = true
	}
}

func (s *search) file(place string, files ...string) {
	s.t.Helper()
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			s.t.Errorf("look into %s: %v", place, err)
		}
		s.in(place, filepath.Base(file), b)
	}
}

// folder looks into all files of a folder, and at their names.
func (s *search) folder(place, dir string) {
	s.t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		name, err := filepath.Rel(dir, path)
		s.in(place+", names of files", name, []byte(name))
		s.file(place, path)
		return err
	})
	if err != nil || files == 0 {
		s.t.Errorf("%s: %d files (%v)", place, files, err)
	}
}

// temporal looks at all that Temporal tells of the namespace's workflows.
func (s *search) temporal(ctx context.Context, i *installation) {
	s.t.Helper()
	var all []string
	err := poll(ctx, func() (bool, error) { // The list is a moment behind.
		list, err := i.nobody.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: i.name, PageSize: 100})
		if err != nil {
			return false, err
		}
		all = nil
		for _, e := range list.GetExecutions() {
			all = append(all, e.GetExecution().GetWorkflowId())
			s.in("search attributes and memos", e.GetExecution().GetWorkflowId(), s.json(e))
		}
		return len(all) >= 5, nil // Mailbox, Intake, Release and two Transfers.
	})
	if err != nil {
		s.t.Fatalf("list workflows: %v (%v)", err, all)
	}
	for _, id := range all {
		s.in("workflow ids", id, []byte(id))
		described, err := i.nobody.WorkflowService().DescribeWorkflowExecution(ctx, describe(i.name, id))
		if err != nil {
			s.t.Fatal(err)
		}
		// Static summaries are payloads, which the UI shows decrypted.
		s.in("descriptions", id, s.json(described))
		summary, err := i.nobody.DescribeWorkflow(ctx, id, "")
		if err != nil {
			s.t.Fatal(err)
		}
		text, _ := summary.GetStaticSummary()
		s.in("summaries", id, []byte(text))
		answer, err := i.nobody.QueryWorkflow(ctx, id, "", "__temporal_workflow_metadata")
		if err != nil {
			s.t.Fatal(err)
		}
		var metadata sdk.WorkflowMetadata
		if err := answer.Get(&metadata); err != nil {
			s.t.Fatal(err)
		}
		s.in("details", id, []byte(metadata.GetCurrentDetails()))
		s.in("histories", id, s.json(i.history(ctx, s.t, id)))
	}
}

func (s *search) json(m proto.Message) []byte {
	s.t.Helper()
	b, err := protojson.Marshal(m)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// pages looks at what an address says to anybody who asks for metrics. It
// returns how many pages there are.
func (s *search) pages(ctx context.Context, address string) int {
	client, n := http.Client{Timeout: 5 * time.Second}, 0
	for _, path := range []string{"/metrics", "/debug/vars", "/debug/pprof/cmdline"} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, http.NoBody)
		if err != nil {
			s.t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			continue // Nobody there who speaks HTTP.
		}
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
		_ = resp.Body.Close()
		s.in("metrics", address+path, b)
		if resp.StatusCode == http.StatusOK && len(b) > 0 {
			n++
		}
	}
	return n
}

// freeAddress returns one of loopback at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// wantInRecords looks for what was planted where it must be: in the PACS and
// in the records. What is in neither was never planted.
func (s *search) wantInRecords(ctx context.Context, servers *stack, list ...studies.Study) {
	s.t.Helper()
	m, err := servers.store.Match(ctx, library.CaseID(s.control))
	if err != nil {
		s.t.Fatal(err)
	}
	chosen, ok := m.ChosenPatient()
	if !ok || chosen.Record.Reveal().ID != "QX7719042" || len(m.ChosenStudies()) != len(list) {
		s.t.Errorf("the planted patient and studies are not those of the case")
	}
	decisions, err := servers.store.Decisions(ctx, library.CaseID(s.control))
	if err != nil {
		s.t.Fatal(err)
	}
	var said strings.Builder
	for _, d := range decisions {
		said.WriteString(d.Payload.Reveal())
	}
	for _, text := range []string{"1949-11-23", "Bartholomew", "persimmon"} {
		if !strings.Contains(said.String(), text) {
			s.t.Errorf("%q is not among the decisions on record", text)
		}
	}
}
