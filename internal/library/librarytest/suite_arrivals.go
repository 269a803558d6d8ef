package librarytest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"fileroom/internal/library"
)

var arrivalTests = map[string]func(*testing.T, library.Records){
	"an arrival is entered once":                    testArrivalOnce,
	"an arrival is told by channel, source and key": testArrivalIdentity,
	"an arrival entered by many at once is one":     testArrivalConcurrently,
	"kept arrivals are listed as they were entered": testKeptArrivals,
	"waiting arrivals are listed oldest first":      testWaitingArrivals,
	"a placed or sorted arrival is moved no more":   testArrivalFinal,
	"an unknown arrival is not found":               testArrivalUnknown,
	"an arrival that no ledger may hold is invalid": testArrivalInvalid,
	"a facility is added and replaced":              testFacility,
	"facilities are listed by name":                 testFacilities,
	"a facility that is not valid is not saved":     testFacilityInvalid,
}

func testArrivalOnce(t *testing.T, s library.Records) {
	a := anArrival("m-1")
	a.ID, a.State, a.Case = 7, library.ArrivalPlaced, "K7MQ-42XD" // Not the caller's to say.
	a.Truncated = true
	want := anArrival("m-1")
	want.ID, want.State, want.Truncated, want.ReceivedAt = 1, library.ArrivalKept, true, instant(noon)
	for range 2 {
		got, err := s.AddArrival(t.Context(), a)
		wantSame(t, "AddArrival", must(t, got, err), want)
		a.Digest, a.ReceivedAt = "another", noon.Add(time.Hour) // The first is what counts.
	}
	got, err := s.Arrival(t.Context(), 1)
	wantSame(t, "Arrival", must(t, got, err), want)
}

func testArrivalIdentity(t *testing.T, s library.Records) {
	first := arrive(t, s, "m-1")
	for i, channel := range channels {
		a := anArrival("m-2")
		a.Channel = channel
		got, err := s.AddArrival(t.Context(), a)
		if must(t, got, err).ID != first.ID+library.ArrivalID(i+1) {
			t.Errorf("arrival of another channel has number %d, want %d", got.ID, int(first.ID)+i+1)
		}
	}
	other := anArrival("m-1")
	other.Source = "second mailbox"
	got, err := s.AddArrival(t.Context(), other)
	if must(t, got, err).ID == first.ID {
		t.Error("arrivals of two sources became one")
	}
}

func testArrivalConcurrently(t *testing.T, s library.Records) {
	var group sync.WaitGroup
	numbers := make([]library.ArrivalID, 8)
	errs := make([]error, len(numbers))
	for i := range numbers {
		group.Go(func() {
			a, err := s.AddArrival(t.Context(), anArrival("m-1"))
			numbers[i], errs[i] = a.ID, err
		})
	}
	group.Wait()
	for i := range numbers {
		need(t, errs[i])
		if numbers[i] != numbers[0] {
			t.Fatalf("numbers = %v, want all the same", numbers)
		}
	}
}

func testKeptArrivals(t *testing.T, s library.Records) {
	var want []library.ArrivalID
	for i := range 3 {
		a := anArrival(fmt.Sprintf("m-%d", i))
		a.ReceivedAt = noon.Add(-time.Duration(i) * time.Hour)
		entered, err := s.AddArrival(t.Context(), a)
		need(t, err)
		want = append(want, entered.ID)
	}
	other := anArrival("m-9")
	other.Source = "second mailbox"
	_, err := s.AddArrival(t.Context(), other)
	need(t, err)

	got, err := s.KeptArrivals(t.Context(), "requests", 0, 10)
	wantSame(t, "KeptArrivals", must(t, got, err), want)
	got, err = s.KeptArrivals(t.Context(), "requests", 0, 2)
	wantSame(t, "KeptArrivals up to 2", must(t, got, err), want[:2])
	got, err = s.KeptArrivals(t.Context(), "requests", want[1], 10)
	wantSame(t, "KeptArrivals after the second", must(t, got, err), want[2:])
	need(t, s.MoveArrival(t.Context(), want[0], library.ArrivalOpened, ""))
	got, err = s.KeptArrivals(t.Context(), "requests", 0, 10)
	wantSame(t, "KeptArrivals after one was opened", must(t, got, err), want[1:])
	got, err = s.KeptArrivals(t.Context(), "nowhere", 0, 10)
	wantSame(t, "KeptArrivals of no source", must(t, got, err), []library.ArrivalID(nil))
}

func testWaitingArrivals(t *testing.T, s library.Records) {
	for i := range 3 {
		a := anArrival(fmt.Sprintf("m-%d", i))
		a.ReceivedAt = noon.Add(-time.Duration(i) * time.Hour)
		_, err := s.AddArrival(t.Context(), a)
		need(t, err)
	}
	for _, id := range []library.ArrivalID{1, 3} {
		twice(t, func() error { return s.MoveArrival(t.Context(), id, library.ArrivalWaiting, "two patients") })
	}
	got, err := s.WaitingArrivals(t.Context())
	if need(t, err); len(got) != 2 || got[0].ID != 3 || got[1].ID != 1 || got[0].Reason != "two patients" {
		t.Errorf("WaitingArrivals = %+v, want 3 and 1 with their reason", got)
	}
	need(t, s.MoveArrival(t.Context(), 1, library.ArrivalWaiting, "cannot be read"))
	a, err := s.Arrival(t.Context(), 1)
	if must(t, a, err).Reason != "cannot be read" {
		t.Errorf("reason = %q, want the last one", a.Reason)
	}
}

func testArrivalFinal(t *testing.T, s library.Records) {
	back := arrive(t, s, "m-back")
	for _, to := range []library.ArrivalState{library.ArrivalPlaced, library.ArrivalWaiting, library.ArrivalPlaced} {
		need(t, s.MoveArrival(t.Context(), back.ID, to, "by hand")) // What was placed can be taken back.
	}
	for i, final := range []library.ArrivalState{library.ArrivalSorted} {
		a := arrive(t, s, fmt.Sprintf("m-%d", i))
		need(t, s.MoveArrival(t.Context(), a.ID, library.ArrivalOpened, ""))
		twice(t, func() error { return s.MoveArrival(t.Context(), a.ID, final, "by hand") })
		for _, to := range arrivalStates {
			if to == final {
				continue
			}
			wantKind(t, fmt.Sprintf("MoveArrival from %s to %s", final, to), s.MoveArrival(t.Context(), a.ID, to, ""), library.Conflict)
		}
		got, err := s.Arrival(t.Context(), a.ID)
		if need(t, err); got.State != final || got.Reason != "by hand" {
			t.Errorf("arrival = %+v, want still %s", got, final)
		}
	}
	c := aCase(library.Arrival{ID: 2, Channel: library.ChannelEmail, ReceivedAt: noon})
	_, err := s.OpenCase(t.Context(), c)
	wantKind(t, "OpenCase for an arrival that was sorted away", err, library.Conflict)
}

func testArrivalUnknown(t *testing.T, s library.Records) {
	_, err := s.Arrival(t.Context(), 1)
	wantKind(t, "Arrival", err, library.NotFound)
	wantKind(t, "MoveArrival", s.MoveArrival(t.Context(), 1, library.ArrivalOpened, ""), library.NotFound)
	_, err = s.OpenCase(t.Context(), aCase(library.Arrival{ID: 1, Channel: library.ChannelFax}))
	wantKind(t, "OpenCase", err, library.NotFound)
	_, err = s.CaseOfArrival(t.Context(), arrive(t, s, "m-1").ID, 1)
	wantKind(t, "CaseOfArrival of an arrival without a case", err, library.NotFound)
	wantKind(t, "AddEvent", s.AddEvent(t.Context(), library.Event{Arrival: 99, Key: "k"}), library.NotFound)
}

func testArrivalInvalid(t *testing.T, s library.Records) {
	_, err := s.AddArrival(t.Context(), anArrival(""))
	wantKind(t, "AddArrival without a key", err, library.Invalid)
	a := anArrival("m-1")
	a.Channel = "pigeon"
	_, err = s.AddArrival(t.Context(), a)
	wantKind(t, "AddArrival by an unknown channel", err, library.Invalid)
	wantKind(t, "MoveArrival to an unknown state", s.MoveArrival(t.Context(), arrive(t, s, "m-2").ID, "lost", ""), library.Invalid)
}

func aFacility(id library.FacilityID, name string) library.Facility {
	return library.Facility{
		ID: id, Name: name, Aliases: []string{"Dr. Imani Brandt", "BRO"}, Street: "12 Ridge Rd", City: "Asheville", State: "NC", Zip: "28801",
		Phone: "828-555-0142", Fax: "828-555-0143", NPI: "1234567893", Provider: true,
		URL: "https://images.blueridge.example/dicom-web", Credential: "blue-ridge", CA: "blue-ridge-ca", Proof: library.ProofReadBack,
	}
}

func testFacility(t *testing.T, s library.Records) {
	_, err := s.Facility(t.Context(), "blue-ridge")
	wantKind(t, "Facility that is not there", err, library.NotFound)
	f := aFacility("blue-ridge", "Blue Ridge Orthopedics")
	twice(t, func() error { return s.SaveFacility(t.Context(), f) })
	got, err := s.Facility(t.Context(), f.ID)
	wantSame(t, "Facility", must(t, got, err), f)
	got.Aliases[0] = "changed by a caller"

	changed := aFacility("blue-ridge", "Blue Ridge Orthopedics and Spine")
	changed.Aliases, changed.Provider, changed.Proof = nil, false, library.ProofListed
	twice(t, func() error { return s.SaveFacility(t.Context(), changed) })
	got, err = s.Facility(t.Context(), f.ID)
	wantSame(t, "Facility replaced", must(t, got, err), changed)
}

func testFacilities(t *testing.T, s library.Records) {
	got, err := s.Facilities(t.Context())
	wantSame(t, "Facilities of an empty directory", must(t, len(got), err), 0)
	a, b, c := aFacility("z", "Asheville Imaging"), aFacility("b", "Zebulon Clinic"), aFacility("a", "Zebulon Clinic")
	for _, f := range []library.Facility{b, a, c} {
		need(t, s.SaveFacility(t.Context(), f))
	}
	got, err = s.Facilities(t.Context())
	wantSame(t, "Facilities", must(t, got, err), []library.Facility{a, c, b})
}

func testFacilityInvalid(t *testing.T, s library.Records) {
	f := aFacility("blue-ridge", "Blue Ridge Orthopedics")
	f.URL = "http://images.blueridge.example/dicom-web"
	wantKind(t, "SaveFacility in clear", s.SaveFacility(t.Context(), f), library.Invalid)
	_, err := s.Facility(t.Context(), f.ID)
	wantKind(t, "Facility that was refused", err, library.NotFound)
}
