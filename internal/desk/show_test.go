package desk_test

import (
	"context"
	"flag"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fileroom/internal/library"
)

var show = flag.String("show", "", "address on which TestShow serves a furnished desk for looking at, such as :8099; <person>.localhost is that person")

// TestShow serves a furnished desk until the test is interrupted. Without the
// flag it only furnishes it, and asks every page for its status.
func TestShow(t *testing.T) {
	t.Parallel()

	h := furnished(t)
	if *show == "" {
		for _, path := range []string{
			"/desk", "/desk?list=closed", "/desk?list=arrivals", "/desk/" + string(number("K7MQ42X")), "/desk/" + string(number("B0NDARY")),
			"/desk/arrivals/1", "/panel", "/panel?workflow=release/" + string(number("K7MQ42X")),
		} {
			want := http.StatusOK
			if strings.HasSuffix(path, string(number("B0NDARY"))) {
				want = http.StatusNotFound
			}
			if w := h.get(&dana, path); w.Code != want {
				t.Errorf("GET %s = %d, want %d", path, w.Code, want)
			}
		}
		return
	}
	people := map[string]library.Actor{"vic": vic, "dana": dana, "luis": luis, "priya": priya, "ada": ada}
	server := http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(r.Host, ".")
		if a, ok := people[name]; ok {
			r = r.WithContext(context.WithValue(r.Context(), actorKey{}, a))
		}
		if r.URL.Path == "/refused" { // What cannot be had by looking alone.
			h.speaker.err = func(saying) error {
				return library.Errorf(library.Conflict, "acknowledge", "", "the case has just changed and is being checked again; please look at it once more")
			}
			form := url.Values{"message": {"acknowledge"}, "key": {"DL-08"}, "finding": {"DL-08"}, "reason": {"maiden name, seen on the identification"}}
			_, _ = w.Write(h.post(&dana, "/desk/"+string(number("K7MQ42X"))+"/say", form).Body.Bytes())
			return
		}
		if r.URL.Path == "/together" {
			form := url.Values{"pick": {string(number("M3PW90T")) + " 5c1f0a77be2290d41e38", string(number("R8VD51H")) + " before"}}
			_, _ = w.Write(h.post(&dana, "/desk/approve", form).Body.Bytes())
			return
		}
		h.desk.ServeHTTP(w, r)
	})}
	l, err := net.Listen("tcp", *show)
	need(t, err)
	t.Logf("http://dana.localhost%s/desk", *show)
	_ = server.Serve(l)
}

// furnished is a house with something on every list.
func furnished(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	day := 24 * time.Hour

	doubtful := clean(number("K7MQ42X"), eleanor, "")
	doubtful.received = 27 * day
	doubtful.tier, doubtful.basis = 2, library.BasisDirective
	var boxes []library.Box
	for _, f := range doubtful.reading.Fields {
		if f.Box != nil {
			boxes = append(boxes, *f.Box)
		}
	}
	doubtful.pages = []library.Page{h.scanned(t, 1, boxes...), h.scanned(t, 2)}
	doubtful.match.Patients[0].Chosen = false
	doubtful.match.Patients[0].Reasons = []library.Reason{{Code: library.ReasonName}, {Code: library.ReasonBirthDate, Against: true}}
	doubtful.match.Patients = append(doubtful.match.Patients, library.PatientCandidate{
		Key: "p2", Record: library.Hide(library.PatientRecord{ID: "MRN0051990", Issuer: "STV", Name: "WHITCOMB^ELEANOR", BirthDate: "1961-03-09", Sex: "F"}),
		Reasons: []library.Reason{{Code: library.ReasonNameAlike}, {Code: library.ReasonBirthDate}, {Code: library.ReasonMRN, Against: true}},
	})
	doubtful.match.Patients[0].Record = library.Hide(library.PatientRecord{ID: "MRN0047121", Issuer: "STV", Name: "WHITCOMBE^ELEANOR^MAE", BirthDate: "1961-09-03", Sex: "F"})
	doubtful.match.Manifest = nil
	for i := range doubtful.match.Studies {
		doubtful.match.Studies[i].Chosen = false
	}
	doubtful.findings = []library.Finding{
		{
			Rule: "PM-02", Title: "The patient is one person beyond doubt", Citation: "45 CFR 164.514(h); library policy, patient matching", Severity: library.Block,
			Why: "two patients of this name are alike: birth date or record number differ", Field: "patient.birth_date", Page: 1, Box: &library.Box{X: 0.30, Y: 0.245, W: 0.14, H: 0.018}, Pack: "base 2026.1",
		},
		{
			Rule: "DL-08", Title: "The signer is the patient", Citation: "45 CFR 164.524(c)(3)(ii)", Severity: library.Human,
			Why: "the name at the signature has another middle name than the patient's", Ask: "Please tell us who signed the request.", Field: "signature.name", Page: 1,
			Box: &library.Box{X: 0.12, Y: 0.70, W: 0.30, H: 0.085}, Pack: "base 2026.1",
		},
		{
			Rule: "DL-06", Title: "The request is dated", Citation: "45 CFR 164.508(c)(1)(vi)", Severity: library.Human, Why: "there is no date at the signature",
			Ask: "Please date your request.", Field: "signature.date", Pack: "base 2026.1",
		},
		{Rule: "RX-02", Title: "The purpose fits the recipient", Citation: "Library policy", Severity: library.Advise, Why: "continuing care at an orthopedic practice", Pack: "base 2026.1"},
	}
	h.file(t, doubtful)

	h.file(t, clean(number("M3PW90T"), eleanor, "5c1f0a77be2290d41e38"))
	h.file(t, clean(number("R8VD51H"), library.PatientRecord{ID: "MRN0050214", Name: "TRAN^ROBERT^Q", BirthDate: "1978-12-30", Sex: "M"}, "77ab10c2d94e5f60aa13"))

	second := clean(number("T4NE27G"), library.PatientRecord{ID: "MRN0048803", Name: "OYELARAN^FOLA", BirthDate: "1990-07-21", Sex: "F"}, "09fe22a1c47b8d3310e5")
	second.tier, second.waiting, second.basis, second.received = 2, library.WaitingSecond, library.BasisAuthorization, 28*day
	h.file(t, second)
	h.decide(t, second.id, dana, library.Approve, `{"revision":"09fe22a1c47b8d3310e5","note":"compared with the authorization"}`, second.revision)

	held := clean(number("C2JX66B"), library.PatientRecord{ID: "MRN0049377", Name: "LINDQVIST^ANNA", BirthDate: "1955-02-11", Sex: "F"}, "aa00bb11cc22dd33ee44")
	held.received = 33 * day
	h.file(t, held)
	h.decide(t, held.id, luis, library.Hold, `{"reason":"safety officer asks to wait"}`, "")

	confirming := clean(number("Z9KF18S"), library.PatientRecord{ID: "MRN0050002", Name: "MORALES^DIEGO", BirthDate: "1983-10-05", Sex: "M"}, "1234567890abcdef1234")
	confirming.stage, confirming.waiting = library.StageConfirming, library.WaitingRecipient
	h.file(t, confirming)
	h.decide(t, confirming.id, dana, library.Approve, `{"revision":"1234567890abcdef1234"}`, confirming.revision)
	_, err := h.records.OpenRelease(t.Context(), library.Release{
		Case: confirming.id, Revision: confirming.revision, Facility: blueRidge.ID, Decisions: []string{"n-" + string(confirming.id) + "-u-dana-approve"}, At: h.now,
	}, confirming.match.Manifest, library.Disclosure{
		At: h.now, Recipient: "Blue Ridge Orthopedics", Description: "MR", Purpose: "treatment", Basis: library.BasisTreatment, Images: 3,
	})
	need(t, err)
	need(t, h.records.MarkInstances(t.Context(), confirming.id, confirming.revision, blueRidge.ID, []library.InstanceMark{
		{SOP: "2.25.300", State: library.InstanceSent, Sends: 1},
		{SOP: "2.25.301", State: library.InstanceSent, Sends: 1},
		{SOP: "2.25.302", State: library.InstanceRefused, Code: "0110", Sends: 1},
	}))
	_, err = h.records.AddLetter(t.Context(), library.Letter{
		Case: confirming.id, Number: 1, Kind: library.LetterAcknowledgement, MessageID: "1." + string(confirming.id) + "@fileroom.example",
		To: library.Hide("diego.morales@mail.example"), Subject: "Your request " + string(confirming.id), Text: library.Hide("Dear requester,\n\nwe have your request. Its number is above.\n\nThe image library"),
		State: library.LetterWritten, At: h.now.Add(-5 * day),
	})
	need(t, err)
	need(t, h.records.MoveLetter(t.Context(), confirming.id, 1, library.LetterSent, "", h.now.Add(-5*day)))

	done := clean(number("H5QA03Y"), eleanor, "ffee00112233445566aa")
	done.stage, done.waiting, done.outcome = library.StageClosed, library.WaitingNobody, library.OutcomeReleased
	h.file(t, done)

	waitingArrival(t, h)
	return h
}

// waitingArrival is an arrival of three pages that names two patients.
func waitingArrival(t *testing.T, h *house) library.Arrival {
	t.Helper()
	several := clean(number("W6YG74D"), eleanor, "")
	several.stage, several.waiting, several.match = library.StageReading, library.WaitingNobody, library.Match{}
	several.reading.Others = []library.Patient{{Given: "Robert", Family: "Tran"}}
	several.pages = []library.Page{h.scanned(t, 1), h.scanned(t, 2), h.scanned(t, 3)}
	c := h.file(t, several)
	need(t, h.records.MoveArrival(t.Context(), c.Arrival, library.ArrivalWaiting, "2 patients are named in it; split it, or place it if they are one (IN-05)"))
	a, err := h.records.Arrival(t.Context(), c.Arrival)
	need(t, err)
	return a
}
