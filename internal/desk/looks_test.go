package desk_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fileroom/internal/desk"
	"fileroom/internal/library"
)

func TestLooksAreLogged(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	d := clean(number("M3PW90T"), eleanor, "5c1f0a77be2290d41e38")
	d.pages = []library.Page{h.scanned(t, 1)}
	c := h.file(t, d)
	other := h.file(t, clean(number("R8VD51H"), eleanor, "77ab10c2d94e5f60aa13"))
	id := string(c.ID)

	for _, path := range []string{
		"/desk", "/desk/" + id, "/desk/" + id + "/pages/1.png", "/panel?workflow=release/" + id, "/panel?workflow=transfer/" + id + "/1",
		"/desk/arrivals/1", "/panel?workflow=intake/1", "/desk?list=arrivals", "/panel", "/panel?workflow=mailbox/a",
	} {
		if w := h.get(&vic, path); w.Code != http.StatusOK {
			t.Errorf("GET %s = %d", path, w.Code)
		}
	}
	h.post(&dana, "/desk/approve", url.Values{"pick": {id + " " + string(d.revision)}})
	want := []string{
		"Dana Okoye list " + id, "Vic Rowan desk " + id, "Vic Rowan desk " + id + " arrival 1", "Vic Rowan list " + id, "Vic Rowan list " + string(other.ID),
		"Vic Rowan page " + id, "Vic Rowan panel " + id, "Vic Rowan panel " + id, "Vic Rowan panel " + id + " arrival 1",
	}
	slices.Sort(want)
	if got := h.looks(t); !reflect.DeepEqual(got, want) {
		t.Errorf("the access log holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestNothingIsShownUnlogged(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	d := clean(number("M3PW90T"), eleanor, "5c1f0a77be2290d41e38")
	d.pages = []library.Page{h.scanned(t, 1)}
	id := string(h.file(t, d).ID)
	h.records.Fail = func(method string) error {
		if method == "AddLooks" {
			return library.Fault("add looks", "", errors.New("disk full"))
		}
		return nil
	}
	check := func(what string, w *httptest.ResponseRecorder) {
		t.Helper()
		page := w.Body.String()
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(page, "access log") {
			t.Errorf("%s = %d, want 503 with a sentence", what, w.Code)
		}
		if strings.Contains(page, "WHITCOMBE") || strings.Contains(page, "Whitcombe") || strings.Contains(page, "PNG") {
			t.Errorf("%s shows something", what)
		}
	}
	for _, path := range []string{"/desk", "/desk/" + id, "/desk/" + id + "/pages/1.png", "/panel?workflow=release/" + id, "/desk/arrivals/1", "/panel?workflow=intake/1"} {
		check(path, h.get(&dana, path))
	}
	check("approve together", h.post(&dana, "/desk/approve", url.Values{"pick": {id + " " + string(d.revision)}}))
	check("a refusal", h.post(&dana, "/desk/"+id+"/say", url.Values{"message": {"withdraw"}}))
}

func TestLooksAtNothingAreLogged(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	id := string(number("M3PW90T"))
	for _, path := range []string{"/desk/" + id, "/panel?workflow=release/" + id, "/desk/" + id + "/pages/1.png", "/desk/Orsolya"} {
		if w := h.get(&vic, path); w.Code != http.StatusNotFound {
			t.Errorf("GET %s = %d", path, w.Code)
		}
	}
	h.post(&vic, "/desk/find", url.Values{"find": {id}})
	h.post(&vic, "/desk/find", url.Values{"find": {"Orsolya"}})
	want := []string{"Vic Rowan desk " + id, "Vic Rowan desk " + id, "Vic Rowan desk " + id, "Vic Rowan panel " + id}
	if got := h.looks(t); !reflect.DeepEqual(got, want) {
		t.Errorf("the access log holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestRefusalsAreLogged has people say what is not theirs to say, wherever
// something can be said, and a workflow refuse what is.
func TestRefusalsAreLogged(t *testing.T) {
	t.Parallel()

	id, other := string(number("M3PW90T")), string(number("R8VD51H"))
	refusal := library.Errorf(library.Conflict, "approve", "", "the case is not as you saw it")
	tests := map[string]struct {
		actor  library.Actor
		path   string
		form   url.Values
		answer error // Of the workflow.
		logged []string
		says   string
		said   int
	}{
		"on the desk": {
			vic, "/desk/" + id + "/say",
			url.Values{"message": {"approve"}, "revision": {"r"}},
			nil,
			[]string{"Vic Rowan approve " + id},
			"Approve needs the role specialist, which Vic Rowan does not have.", 0,
		},
		"before the form is read": {
			dana, "/desk/" + id + "/say",
			url.Values{"message": {"deny"}},
			nil,
			[]string{"Dana Okoye deny " + id},
			"Deny needs the role privacy, which Dana Okoye does not have.", 0,
		},
		"in the panel": {
			ada, "/panel/say",
			url.Values{"message": {"withdraw"}, "reason": {"x"}, "workflow": {"release/" + id}},
			nil,
			[]string{"Ada Kowal withdraw " + id},
			"Withdraw needs the role specialist, which Ada Kowal does not have.", 0,
		},
		"at an arrival": {
			vic, "/desk/arrivals/1/say",
			url.Values{"message": {"place"}, "workflow": {"intake/1"}, "where": {"new"}, "reason": {"x"}},
			nil,
			[]string{"Vic Rowan place  arrival 1"},
			"Place needs the role specialist, which Vic Rowan does not have.", 0,
		},
		"together": {
			vic, "/desk/approve/confirm",
			url.Values{"pick": {id + " r", other + " r", "Orsolya r"}},
			nil,
			[]string{"Vic Rowan approve " + id, "Vic Rowan approve " + other},
			"Approving takes the role specialist", 0,
		},
		"together, with nothing": {
			vic, "/desk/approve", nil, nil, []string{"Vic Rowan approve "}, "Approving takes the role specialist", 0,
		},
		"by the workflow": {
			dana, "/desk/" + id + "/say",
			url.Values{"message": {"approve"}, "revision": {"r"}},
			refusal,
			[]string{"Dana Okoye approve " + id},
			"The case is not as you saw it.", 1,
		},
		"by the workflow, together": {
			dana, "/desk/approve/confirm",
			url.Values{"pick": {id + " r"}},
			refusal,
			[]string{"Dana Okoye approve " + id},
			"The case is not as you saw it.", 1,
		},
		"not delivered is not refused": {
			dana, "/desk/" + id + "/say", url.Values{"message": {"approve"}, "revision": {"r"}}, errors.New("reset"), nil, "could not be delivered", 1,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			h := newHouse(t)
			h.file(t, clean(library.CaseID(id), eleanor, "r"))
			h.speaker.err = func(saying) error { return tt.answer }
			page := h.post(&tt.actor, tt.path, tt.form).Body.String()
			if !strings.Contains(page, tt.says) || len(h.speaker.said) != tt.said {
				t.Errorf("said %d times, and the page does or does not say %q", len(h.speaker.said), tt.says)
			}
			all, err := h.records.Looks(t.Context(), "", 0)
			need(t, err)
			var got []string
			for _, l := range all {
				if l.What != library.LookRefused {
					continue
				}
				line := l.Actor.Name + " " + l.Detail + " " + string(l.Case)
				if l.Arrival != 0 {
					line += fmt.Sprintf(" arrival %d", l.Arrival)
				}
				if l.Session != "s-"+tt.actor.Subject || l.At.IsZero() {
					t.Errorf("entered without session or time: %+v", l)
				}
				got = append(got, line)
			}
			if !slices.Equal(got, tt.logged) {
				t.Errorf("entered %q, want %q", got, tt.logged)
			}
		})
	}
}

// TestRefusalUnlogged holds that an access log which fails while a refusal is
// entered neither decides nor hides anything.
func TestRefusalUnlogged(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	id := string(h.file(t, clean(number("M3PW90T"), eleanor, "r")).ID)
	h.records.Fail = func(method string) error {
		if method == "AddLooks" {
			return library.Fault("add looks", "", errors.New("disk full"))
		}
		return nil
	}
	h.speaker.err = func(saying) error {
		return library.Errorf(library.Conflict, "approve", "", "the case is not as you saw it")
	}
	form := url.Values{"pick": {id + " r"}}
	if w := h.post(&dana, "/desk/approve/confirm", form); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "The case is not as you saw it.") {
		t.Errorf("the workflow's refusal = %d", w.Code)
	}
	if w := h.post(&vic, "/desk/approve/confirm", form); w.Code != http.StatusForbidden || len(h.speaker.said) != 1 {
		t.Errorf("a viewer's approval = %d, said %d", w.Code, len(h.speaker.said))
	}
}

func TestRecordsAway(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	d := clean(number("M3PW90T"), eleanor, "5c1f0a77be2290d41e38")
	id := string(h.file(t, d).ID)
	for _, method := range []string{"Case", "Findings", "Match", "Choices", "Events", "Letters", "Decisions", "Facilities", "Held", "TransferInstances"} {
		h.records.Fail = func(m string) error {
			if m == method {
				return library.Fault("read", "", errors.New("WHITCOMBE in a driver's words"))
			}
			return nil
		}
		w := h.get(&dana, "/desk/"+id)
		if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "WHITCOMBE") {
			t.Errorf("without %s the case is %d, want 503 and nothing of the patient", method, w.Code)
		}
	}
}

func TestPictureOfItsCaseOnly(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	d := clean(number("M3PW90T"), eleanor, "5c1f0a77be2290d41e38")
	notPicture := library.Page{Number: 3, Part: 1, Picture: h.keepBytes(t, []byte("<script>alert(1)</script>"))}
	lost := library.Page{Number: 4, Part: 1, Picture: strings.Repeat("f", 64)}
	page := h.scanned(t, 1)
	d.pages = []library.Page{page, mailPage(), notPicture, lost}
	d.pages[1].Number = 2
	id := string(h.file(t, d).ID)
	foreign := h.scanned(t, 7)
	other := clean(number("R8VD51H"), eleanor, "77ab10c2d94e5f60aa13")
	other.pages = []library.Page{foreign}
	foreign.Number = 7
	h.file(t, other)

	w := h.get(&vic, "/desk/"+id+"/pages/1.png")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/png" || w.Header().Get("Cache-Control") != "no-store" || !strings.HasPrefix(w.Body.String(), "\x89PNG") {
		t.Errorf("the picture = %d, %v", w.Code, w.Header())
	}
	for what, path := range map[string]string{
		"a page of text": "2.png", "what is no picture": "3.png", "a lost picture": "4.png", "another case's page": "7.png", "a digest": foreign.Picture + ".png",
		"a digest as it is": page.Picture, "no number": "one.png", "page nought": "0.png", "a path": "..%2f..%2fx.png",
	} {
		if w := h.get(&vic, "/desk/"+id+"/pages/"+path); w.Code != http.StatusNotFound || w.Header().Get("Content-Type") == "image/png" {
			t.Errorf("%s = %d, want 404", what, w.Code)
		}
	}
}

func TestForgedAndOversizedForms(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	d := clean(number("M3PW90T"), eleanor, "5c1f0a77be2290d41e38")
	id := string(h.file(t, d).ID)
	form := url.Values{"message": {"withdraw"}, "reason": {"x"}, "workflow": {"release/" + id}}

	for _, path := range []string{"/desk/" + id + "/say", "/panel/say", "/desk/approve", "/desk/approve/confirm", "/desk/arrivals/1/say"} {
		for _, site := range []string{"cross-site", "same-site"} { // The Temporal UI's host is the same site.
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", site)
			if w := h.do(&dana, r); w.Code != http.StatusForbidden {
				t.Errorf("a %s form to %s = %d, want 403", site, path, w.Code)
			}
		}
	}
	big := url.Values{"message": {"withdraw"}, "reason": {strings.Repeat("x", 1<<20)}}
	if w := h.post(&dana, "/desk/"+id+"/say", big); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a form of a megabyte = %d, want 413", w.Code)
	}
	for what, form := range map[string]url.Values{
		"a message that is none":        {"message": {"terminate"}},
		"a message for another":         {"message": {"place"}, "where": {"new"}, "reason": {"x"}, "workflow": {"release/" + id}},
		"a signal of the program's own": {"message": {"arrived"}, "workflow": {"release/" + id}},
	} {
		if w := h.post(&dana, "/desk/"+id+"/say", form); w.Code != http.StatusBadRequest {
			t.Errorf("%s = %d, want 400", what, w.Code)
		}
		if w := h.post(&dana, "/panel/say", form); w.Code != http.StatusBadRequest {
			t.Errorf("%s in the panel = %d, want 400", what, w.Code)
		}
	}
	if len(h.speaker.said) > 0 {
		t.Errorf("said %+v", h.speaker.said)
	}
}

func TestFlows(t *testing.T) {
	t.Parallel()

	id := string(number("K7MQ42X"))
	for flow, want := range map[string]bool{
		"release/" + id: true, "transfer/" + id + "/1": true, "intake/12": true, "intake/12/late": true,
		"release/" + strings.ToLower(id): false, "release/K7MQ-0000": false, "release/" + id + "/x": false, "intake/0": false, "intake/-1": false,
		"intake/012": false, "intake/1/x": false, "mailbox/a": false, "": false, "intake/" + strings.Repeat("1", 200): false,
	} {
		if got := desk.ParseFlow(flow); got != want {
			t.Errorf("ParseFlow(%.40q) = %t, want %t", flow, got, want)
		}
	}
}

func TestCompared(t *testing.T) {
	t.Parallel()

	speaks := func(code library.ReasonCode) []library.Reason { return []library.Reason{{Code: code}} }
	tests := map[string]struct {
		reasons    []library.Reason
		code       library.ReasonCode
		read, have string
		want       string
	}{
		"nothing read":                           {nil, library.ReasonName, "", "ELEANOR WHITCOMBE", ""},
		"the same in another case and order":     {nil, library.ReasonName, "Whitcombe Eleanor", "ELEANOR WHITCOMBE", "same"},
		"the match knows a nickname":             {speaks(library.ReasonNameAlike), library.ReasonName, "Nell Whitcombe", "ELEANOR WHITCOMBE", "alike"},
		"another name":                           {nil, library.ReasonName, "Robert Tran", "ELEANOR WHITCOMBE", "differs"},
		"a birth date is the same or it is not":  {speaks(library.ReasonBirthDate), library.ReasonBirthDate, "1961-03-09", "1961-09-03", "differs"},
		"the match knows how numbers are padded": {speaks(library.ReasonMRN), library.ReasonMRN, "47121", "0047121", "alike"},
		"another number":                         {nil, library.ReasonMRN, "47121", "51990", "differs"},
	}
	for name, tt := range tests {
		if got := desk.Compared(tt.reasons, tt.code, tt.read, tt.have); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
