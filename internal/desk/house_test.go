package desk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fileroom/internal/desk"
	"fileroom/internal/library"
	"fileroom/internal/library/librarytest"
)

var (
	vic   = person("u-vic", "Vic Rowan", library.RoleViewer)
	dana  = person("u-dana", "Dana Okoye", library.RoleSpecialist)
	luis  = person("u-luis", "Luis Ferrante", library.RoleLead)
	priya = person("u-priya", "Priya Raman", library.RolePrivacy)
	ada   = person("u-ada", "Ada Kowal", library.RoleAdmin)
	nobby = person("u-nobby", "Nobby Clark")
)

func person(subject, name string, roles ...library.Role) library.Actor {
	return library.Actor{Subject: subject, Name: name, Roles: roles}
}

// A house is a desk with all that it needs, in memory.
type house struct {
	records   *librarytest.Records
	vault     *librarytest.Vault
	speaker   *speaker
	standings map[string]desk.Standing
	silent    bool // Temporal does not answer.
	now       time.Time
	desk      *desk.Desk
}

// actorKey is where a test's request says who makes it.
type actorKey struct{}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{
		records: &librarytest.Records{}, vault: &librarytest.Vault{}, speaker: &speaker{},
		standings: map[string]desk.Standing{}, now: time.Now().UTC().Truncate(time.Second),
	}
	var err error
	h.desk, err = desk.New(h.options())
	need(t, err)
	return h
}

func (h *house) options() desk.Options {
	return desk.Options{
		Records: h.records, Documents: h.vault, Speaker: h.speaker,
		Standing: func(_ context.Context, id string) (desk.Standing, error) {
			if h.silent {
				return desk.Standing{}, errors.New("no answer")
			}
			s, ok := h.standings[id]
			if !ok {
				return s, library.Errorf(library.NotFound, "ask workflow", id, "no such workflow")
			}
			return s, nil
		},
		Session: func(r *http.Request) (library.Session, bool) {
			a, ok := r.Context().Value(actorKey{}).(library.Actor)
			return library.Session{ID: "s-" + a.Subject, Actor: a}, ok
		},
		SignIn: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		},
		SignOut: "/sign-out", UI: &url.URL{Scheme: "https", Host: "ui.fileroom.example"}, Namespace: "default", Extension: "fileroom",
		Now: func() time.Time { return h.now },
	}
}

// get asks for a path; a nil actor is nobody.
func (h *house) get(actor *library.Actor, path string) *httptest.ResponseRecorder {
	return h.do(actor, httptest.NewRequest(http.MethodGet, path, nil))
}

// post sends a form, as the page itself would.
func (h *house) post(actor *library.Actor, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return h.do(actor, r)
}

func (h *house) do(actor *library.Actor, r *http.Request) *httptest.ResponseRecorder {
	if actor != nil {
		r = r.WithContext(context.WithValue(r.Context(), actorKey{}, *actor))
	}
	w := httptest.NewRecorder()
	h.desk.ServeHTTP(w, r)
	return w
}

// A saying is one update that a speaker was given.
type saying struct {
	actor            library.Actor
	workflow, update string
	message          library.Message
	payload          string
}

// speaker notes what is said, and answers with err.
type speaker struct {
	mu   sync.Mutex
	said []saying
	err  func(saying) error
}

func (s *speaker) Say(_ context.Context, actor library.Actor, workflow, update string, m library.Message, payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	said := saying{actor, workflow, update, m, string(payload)}
	s.said = append(s.said, said)
	if s.err != nil {
		return s.err(said)
	}
	return nil
}

func need(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// number completes seven characters to a case number.
func number(body string) library.CaseID {
	for _, c := range "0123456789ABCDEFGHJKMNPQRSTVWXYZ" {
		if id, err := library.ParseCaseID(body + string(c)); err == nil {
			return id
		}
	}
	panic("no check character fits " + body)
}

// keep puts a value as JSON into the vault.
func (h *house) keep(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	need(t, err)
	return h.keepBytes(t, raw)
}

func (h *house) keepBytes(t *testing.T, raw []byte) string {
	t.Helper()
	digest, _, err := h.vault.Put(t.Context(), bytes.NewReader(raw), 1<<24)
	need(t, err)
	return digest
}

// A draft is a case to be put on record.
type draft struct {
	id       library.CaseID
	stage    library.Stage
	waiting  library.Waiting
	outcome  library.Outcome
	received time.Duration // Before now.
	basis    library.Basis
	tier     library.Tier
	revision library.Revision
	findings []library.Finding
	match    library.Match
	reading  library.Reading
	pages    []library.Page
	choices  library.Choices
}

// file puts a draft on record.
func (h *house) file(t *testing.T, d draft) library.Case {
	t.Helper()
	ctx := t.Context()
	received := h.now.Add(-d.received)
	a, err := h.records.AddArrival(ctx, library.Arrival{
		Channel: library.ChannelFax, Source: "front desk", Key: string(d.id), Size: 48213, ReceivedAt: received,
	})
	need(t, err)
	c := library.Case{
		ID: d.id, Arrival: a.ID, Part: 1, Channel: library.ChannelFax, Stage: library.StageChecking, Waiting: library.WaitingNobody,
		ReceivedAt: received, DueAt: received.Add(library.AnswerWithin),
	}
	_, err = h.records.OpenCase(ctx, c)
	need(t, err)
	need(t, h.records.SetReading(ctx, d.id, h.keep(t, d.reading), h.keep(t, d.pages), []string{strings.Repeat("a", 64)}))
	need(t, h.records.SaveFacility(ctx, blueRidge))
	need(t, h.records.SetMatch(ctx, d.id, d.match))
	need(t, h.records.SetChoices(ctx, d.id, d.choices))
	facility := blueRidge.ID
	if d.revision == "" {
		facility = ""
	}
	need(t, h.records.SetAssessment(ctx, d.id, library.Assessment{
		Basis: d.basis, Tier: d.tier, Facility: facility, Revision: d.revision, Findings: d.findings,
	}))
	need(t, h.records.MoveCase(ctx, d.id, d.stage, d.waiting, d.outcome, h.now))
	h.standings["release/"+string(d.id)] = desk.Standing{Needed: d.tier.Approvals()}
	c, err = h.records.Case(ctx, d.id)
	need(t, err)
	return c
}

// decide puts a decision on record, as the workflow does.
func (h *house) decide(t *testing.T, id library.CaseID, actor library.Actor, m library.Message, payload string, revision library.Revision) {
	t.Helper()
	need(t, h.records.AddDecision(t.Context(), library.Decision{
		ID: fmt.Sprintf("n-%s-%s-%s", id, actor.Subject, m), Case: id, Message: m, Actor: actor,
		Payload: library.Hide(payload), Revision: revision, Header: "h", Workflow: "release/" + string(id), At: h.now.Add(-time.Minute),
	}))
	s := h.standings["release/"+string(id)]
	if m == library.Approve {
		s.Approvals++
	}
	s.Held = m == library.Hold || s.Held && m != library.Resume
	h.standings["release/"+string(id)] = s
}

var blueRidge = library.Facility{
	ID: "blue-ridge", Name: "Blue Ridge Orthopedics", Street: "400 Alder Street", City: "Asheville", State: "NC", Zip: "28801",
	Phone: "828-555-0142", Provider: true, URL: "https://pacs.blue-ridge.example/dicom-web", Proof: library.ProofReadBack,
}

// clean is a case that only wants an approval.
func clean(id library.CaseID, patient library.PatientRecord, revision library.Revision) draft {
	return draft{
		id: id, stage: library.StageReview, waiting: library.WaitingStaff, received: 6 * 24 * time.Hour,
		basis: library.BasisTreatment, tier: 1, revision: revision, match: matchOf(patient), reading: letterReading(), pages: []library.Page{mailPage()},
	}
}

var eleanor = library.PatientRecord{ID: "MRN0047121", Issuer: "STV", Name: "WHITCOMBE^ELEANOR^MAE", BirthDate: "1961-03-09", Sex: "F"}

func matchOf(p library.PatientRecord) library.Match {
	m := library.Match{
		Patients: []library.PatientCandidate{{
			Key: "p1", Record: library.Hide(p), Chosen: true, By: "program",
			Reasons: []library.Reason{{Code: library.ReasonMRN}, {Code: library.ReasonName}, {Code: library.ReasonBirthDate}},
		}},
		Studies: []library.StudyCandidate{
			{
				UID: "2.25.101", Item: 0, Date: "2026-04-14", Modalities: []string{"MR"}, Description: library.Hide("KNEE LEFT WO CONTRAST"),
				Accession: library.Hide("A2604140077"), Instances: 3, Chosen: true, By: "program",
				Reasons: []library.Reason{{Code: library.ReasonModality}, {Code: library.ReasonBodyPart}, {Code: library.ReasonDate}},
			},
			{
				UID: "2.25.102", Item: -1, Date: "2024-11-02", Modalities: []string{"DX"}, Description: library.Hide("KNEE LEFT 2 VIEWS"),
				Accession: library.Hide("A2411020912"), Instances: 2,
				Reasons: []library.Reason{{Code: library.ReasonBodyPart}, {Code: library.ReasonDate, Against: true}},
			},
		},
	}
	for i := range 3 {
		m.Manifest = append(m.Manifest, library.Instance{
			Study: "2.25.101", Series: "2.25.201", SOP: fmt.Sprintf("2.25.30%d", i), Class: "1.2.840.10008.5.1.4.1.1.4",
		})
	}
	return m
}

func letterReading() library.Reading {
	field := func(name, value string, confidence float64, box *library.Box) library.Field {
		return library.Field{Name: name, Value: value, Confidence: confidence, Page: 1, Box: box}
	}
	return library.Reading{
		Documents: []library.Document{{Kind: "letter", Pages: []int{1}}},
		Request: library.Request{
			Patient:   library.Patient{Given: "Eleanor", Middle: "Mae", Family: "Whitcombe", BirthDate: "1961-03-09", MRN: "MRN0047121"},
			Recipient: library.Recipient{Person: "Dr. Sam Vega", Organization: "Blue Ridge Orthopedics", City: "Asheville", State: "NC"},
			Studies:   []library.StudyRequest{{Modality: "MR", BodyPart: "left knee", Date: "2026-04-14"}},
			Purpose:   "continuing-care", Signature: library.Signature{Present: true, Name: "Eleanor M. Whitcombe", Date: "2026-05-20", Signer: "patient"},
		},
		Fields: []library.Field{
			field("patient.given", "Eleanor", 0.98, &library.Box{X: 0.30, Y: 0.215, W: 0.10, H: 0.018}),
			field("patient.family", "Whitcombe", 0.97, &library.Box{X: 0.41, Y: 0.215, W: 0.13, H: 0.018}),
			field("patient.birth_date", "1961-03-09", 0.72, &library.Box{X: 0.30, Y: 0.245, W: 0.14, H: 0.018}),
			field("patient.mrn", "MRN0047121", 0.98, &library.Box{X: 0.30, Y: 0.275, W: 0.16, H: 0.018}),
			field("recipient.organization", "Blue Ridge Orthopedics", 0.91, &library.Box{X: 0.30, Y: 0.395, W: 0.28, H: 0.018}),
			field("recipient.person", "Dr. Sam Vega", 0.88, &library.Box{X: 0.30, Y: 0.365, W: 0.16, H: 0.018}),
			field("studies[0].modality", "MR", 0.95, &library.Box{X: 0.12, Y: 0.495, W: 0.05, H: 0.018}),
			field("studies[0].body_part", "left knee", 0.9, &library.Box{X: 0.18, Y: 0.495, W: 0.12, H: 0.018}),
			field("studies[0].date", "2026-04-14", 0.9, &library.Box{X: 0.36, Y: 0.495, W: 0.16, H: 0.018}),
			field("purpose", "continuing-care", 0.85, nil),
			field("signature.present", "true", 0.8, &library.Box{X: 0.12, Y: 0.70, W: 0.30, H: 0.05}),
			field("signature.name", "Eleanor M. Whitcombe", 0.86, &library.Box{X: 0.12, Y: 0.765, W: 0.25, H: 0.018}),
		},
		Missing: []string{"signature.date"},
	}
}

func mailPage() library.Page {
	p := library.Page{Number: 1, Part: 1, Source: library.SourceMail}
	for _, line := range []string{
		"To the image library,", "", "please send the MR of the left knee of Eleanor Whitcombe, born March 9, 1961,",
		"record MRN0047121, to Dr. Sam Vega at Blue Ridge Orthopedics.", "", "The study is of April 14, 2026.", "", "Thank you",
	} {
		var l library.Line
		for w := range strings.FieldsSeq(line) {
			l.Words = append(l.Words, library.Word{Text: w, Confidence: 1})
		}
		p.Lines = append(p.Lines, l)
	}
	return p
}

// scanned is a page with a picture: bars where words would be.
func (h *house) scanned(t *testing.T, n int, boxes ...library.Box) library.Page {
	t.Helper()
	const w, ht = 850, 1100
	m := image.NewGray(image.Rect(0, 0, w, ht))
	draw.Draw(m, m.Bounds(), image.NewUniform(color.Gray{Y: 252}), image.Point{}, draw.Src)
	bar := func(b library.Box, shade uint8) {
		draw.Draw(m, image.Rect(int(b.X*w), int(b.Y*ht)+3, int((b.X+b.W)*w), int((b.Y+b.H)*ht)-3), image.NewUniform(color.Gray{Y: shade}), image.Point{}, draw.Src)
	}
	for i := range 26 {
		y := 0.08 + float64(i)*0.03
		for x := 0.12; x < 0.80-0.1*float64(i%3); x += 0.11 {
			bar(library.Box{X: x, Y: y, W: 0.09 - 0.02*float64((i+n)%3), H: 0.014}, 200)
		}
	}
	for _, b := range boxes {
		bar(b, 60)
	}
	var out bytes.Buffer
	need(t, png.Encode(&out, m))
	return library.Page{Number: n, Part: 1, Source: library.SourceOCR, Width: w, Height: ht, Picture: h.keepBytes(t, out.Bytes())}
}

// looks returns what is in the access log, as "actor kind case".
func (h *house) looks(t *testing.T) []string {
	t.Helper()
	all, err := h.records.Looks(t.Context(), "", 0)
	need(t, err)
	var lines []string
	for _, l := range all {
		line := l.Actor.Name + " " + string(l.What) + " " + string(l.Case)
		if l.Arrival != 0 {
			line += fmt.Sprintf(" arrival %d", l.Arrival)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}
