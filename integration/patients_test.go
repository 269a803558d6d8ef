package integration_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fileroom/internal/devstack/faultproxy"
	"fileroom/internal/devstack/studies"
	"fileroom/internal/library"
)

// Every test has numbers of its own, from which patients and places are
// invented, so that no request is a duplicate of another test's.
const (
	numberPlain    = 0
	numberUnheard  = 10
	numberAsked    = 20
	numberKilled   = 100
	numberLeak     = 150
	numberBadInput = 200
	numberBadDays  = 300
	numberSplit    = 350
	numberAttack   = 400
	numberBrowser  = 500
)

// A patient is an invented person.
type patient struct {
	number                int
	given, middle, family string
	birth                 library.Date
	mrn, phone            string
}

// invent returns the patient of a number: always the same, and like no other
// in name and birth date.
func invent(n int) patient {
	given := []string{"Alice", "Clara", "Dorothy", "Edith", "Frances", "Gloria", "Harriet", "Irene", "Josephine", "Katherine"}
	middle := []string{"Anne", "Jane", "Louise", "Marie", "Rose", "Grace", "Faye"}
	family := []string{
		"Abernathy", "Blackwood", "Castellano", "Delacroix", "Eastman", "Fitzgerald", "Goldsworthy", "Hutchinson", "Ingram", "Jefferson", "Kowalski", "Lindqvist", "Montgomery",
	}
	return patient{
		number: n, given: given[n%10], middle: middle[n%7], family: family[n%13],
		birth: library.DateOf(time.Date(1941, 1, 5, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 41*n)),
		mrn:   fmt.Sprintf("T%07d", 4100200+97*n), phone: fmt.Sprintf("(919) 555-01%02d", n%100),
	}
}

func (p patient) name() string { return p.given + " " + p.middle + " " + p.family }

func (p patient) record() library.PatientRecord {
	return library.PatientRecord{
		ID: p.mrn, Name: fmt.Sprintf("%s^%s^%s", upper(p.family), upper(p.given), upper(p.middle)), BirthDate: p.birth, Sex: "F",
	}
}

// born is the birth date as a letter writes it.
func (p patient) born() string {
	t, _ := p.birth.Time()
	return t.Format("January 2, 2006")
}

// imageSize is the width and height of images here: what is tested is not
// how fast pixels are moved.
const imageSize = 32

// ct is a CT of the chest of so many slices.
func (p patient) ct(slices int) studies.Study {
	return p.study(1, studies.Study{
		Date: "2026-02-12", Time: "093015", Modality: "CT", BodyPart: "CHEST", Description: "CT CHEST WITHOUT CONTRAST",
		Series: []studies.Series{{Number: 1, Description: "CHEST AXIAL", Images: slices}},
	})
}

// film is a plain film of the chest in two views.
func (p patient) film() studies.Study {
	return p.study(2, studies.Study{
		Date: "2025-11-04", Time: "080745", Modality: "DX", BodyPart: "CHEST", Description: "XR CHEST 2 VIEWS",
		Series: []studies.Series{{Number: 1, Description: "PA", Images: 1}, {Number: 2, Description: "LATERAL", Images: 1}},
	})
}

// study makes a study the patient's own.
func (p patient) study(k int, s studies.Study) studies.Study {
	s.Patient, s.Accession, s.CharacterSet, s.Size = p.record(), fmt.Sprintf("T%05d%d", p.number, k), "ISO_IR 100", imageSize
	s.UID = uid("study", s.Accession)
	for i := range s.Series {
		s.Series[i].UID = uid("series", s.Accession, i)
	}
	return s
}

func uid(name ...any) string {
	sum := sha256.Sum256(fmt.Appendln(nil, name...))
	return "2.25." + new(big.Int).SetBytes(sum[:15]).String()
}

// instances returns the SOP Instance UIDs of studies.
func instances(list ...studies.Study) []string {
	var all []string
	for _, s := range list {
		for n := range s.Images() {
			all = append(all, s.Instance(n).SOP)
		}
	}
	return all
}

// fill puts studies into the PACS.
func (s *stack) fill(ctx context.Context, t *testing.T, list ...studies.Study) {
	t.Helper()
	if err := studies.Load(ctx, s.pacs, list...); err != nil {
		t.Fatalf("fill the PACS: %v", err)
	}
}

// place enters an invented facility into the directory, whose archive is at
// url. credential names a file among the worker's secrets.
func (s *stack) place(ctx context.Context, t *testing.T, n int, url, credential string) library.Facility {
	t.Helper()
	f := facility(n)
	f.URL, f.Credential = url, credential
	if err := s.store.SaveFacility(ctx, f); err != nil {
		t.Fatalf("enter a facility: %v", err)
	}
	return f
}

// known is the name of the credential that the receiving archive knows.
const known = "tidewater-pulmonary"

func facility(n int) library.Facility {
	first := []string{"Alderbrook", "Birchmere", "Cedarcrest", "Driftwood", "Elmhurst", "Foxglove", "Glenhaven", "Hawthorne", "Ironwood", "Juniper"}
	second := []string{"Pulmonology", "Internists", "Orthopedics", "Neurology", "Oncology", "Cardiology", "Rheumatology"}
	return library.Facility{
		ID: library.FacilityID(fmt.Sprintf("place-%d", n)), Name: first[n%10] + " " + second[n%7],
		Street: fmt.Sprintf("%d Harbor Road", 100+n), City: "Wilmington", State: "NC", Zip: fmt.Sprintf("28%03d", n),
		Phone: fmt.Sprintf("(910) 555-01%02d", n%100), Provider: true, Proof: library.ProofReadBack,
	}
}

// behind puts a fault proxy before an archive.
func behind(t *testing.T, url string) *faultproxy.Proxy {
	t.Helper()
	p, err := faultproxy.New(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// secret writes a credential for the worker.
func (s *stack) secret(t *testing.T, name, user, password string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dev.Worker["FILEROOM_SECRETS"], name), []byte(user+":"+password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// arrived returns which of some images the receiving archive has.
func (s *stack) arrived(ctx context.Context, t *testing.T, list ...studies.Study) map[string]bool {
	t.Helper()
	have := map[string]bool{}
	for _, one := range list {
		there, err := s.receiver.Instances(ctx, one.UID)
		if err != nil {
			t.Fatalf("ask the receiver: %v", err)
		}
		for _, i := range there {
			have[i.SOP] = true
		}
	}
	return have
}

// wantAll fails the test unless the receiver has every image.
func (s *stack) wantAll(ctx context.Context, t *testing.T, list ...studies.Study) {
	t.Helper()
	have, missing := s.arrived(ctx, t, list...), 0
	for _, sop := range instances(list...) {
		if !have[sop] {
			missing++
		}
	}
	if want := len(instances(list...)); missing > 0 || len(have) != want {
		t.Errorf("the receiver has %d images, of %d wanted %d are missing", len(have), want, missing)
	}
}

// storing writes one image into a request.
func storing(image []byte) func(add func(io.Reader) error) error {
	return func(add func(io.Reader) error) error { return add(bytes.NewReader(image)) }
}
