package desk_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"fileroom/internal/desk"
	"fileroom/internal/library"
)

func TestPayloadOf(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		message library.Message
		form    url.Values
		want    string // Payload, or what the refusal says if it is no JSON.
	}{
		"approve names what was shown": {library.Approve, url.Values{"revision": {"r1"}, "note": {" seen "}}, `{"revision":"r1","note":"seen"}`},
		"approve without a revision":   {library.Approve, url.Values{}, "name the revision"},
		"a reason is trimmed":          {library.Deny, url.Values{"reason": {" not signed\r\nat all "}}, `{"reason":"not signed\nat all"}`},
		"a reason of blanks is none":   {library.Withdraw, url.Values{"reason": {"  "}}, "a reason is needed"},
		"a reason has its bounds":      {library.Hold, url.Values{"reason": {strings.Repeat("a", 4001)}}, "too long"},
		"ask for some":                 {library.Ask, url.Values{"items": {"DL-06", "DL-06", "DL-08"}, "message": {"please"}}, `{"items":["DL-06","DL-08"],"message":"please"}`},
		"ask for everything":           {library.Ask, url.Values{}, `{}`},
		"only what changed is sent": {
			library.Correct,
			url.Values{
				"field:patient.given": {"Eleanor"}, "was:patient.given": {"Eleanor"},
				"field:patient.mrn": {"MRN0047122 "}, "was:patient.mrn": {"MRN0047121"}, "field:purpose": {""}, "was:purpose": {"legal"},
			},
			`{"patient.mrn":"MRN0047122","purpose":""}`,
		},
		"nothing changed":            {library.Correct, url.Values{"field:purpose": {"legal"}, "was:purpose": {"legal"}}, "nothing was changed"},
		"acknowledge":                {library.Acknowledged, url.Values{"finding": {"DL-08"}, "reason": {"maiden name"}}, `{"finding":"DL-08","reason":"maiden name"}`},
		"choose a patient":           {library.Choose, url.Values{"key": {"patient"}, "patient": {"p2"}, "studies": {"2.25.1"}}, `{"patient":"p2"}`},
		"choose no patient":          {library.Choose, url.Values{"key": {"patient"}}, "choose one of the patients"},
		"choose studies":             {library.Choose, url.Values{"key": {"studies"}, "studies": {"2.25.1", "2.25.2"}}, `{"studies":["2.25.1","2.25.2"]}`},
		"choose no study":            {library.Choose, url.Values{"key": {"studies"}}, "at least one study"},
		"choose a facility":          {library.Choose, url.Values{"key": {"facility"}, "facility": {"blue-ridge"}}, `{"facility":"blue-ridge"}`},
		"choose a basis":             {library.Choose, url.Values{"key": {"basis"}, "basis": {"LB-3"}}, `{"basis":"LB-3"}`},
		"acknowledge what was shown": {library.Acknowledged, url.Values{"finding": {"DL-08"}, "reason": {"x"}, "revision": {"r1"}}, `{"finding":"DL-08","reason":"x","revision":"r1"}`},
		"choose among those shown":   {library.Choose, url.Values{"key": {"patient"}, "patient": {"p2"}, "among": {"a1"}}, `{"patient":"p2","among":"a1"}`},
		"choose a patient as shown":  {library.Choose, url.Values{"key": {"patient"}, "patient": {"p2"}, "revision": {"none"}}, `{"patient":"p2","revision":"none"}`},
		"choose studies as shown":    {library.Choose, url.Values{"key": {"studies"}, "studies": {"2.25.1"}, "revision": {"r1"}}, `{"studies":["2.25.1"],"revision":"r1"}`},
		"choose a facility as shown": {library.Choose, url.Values{"key": {"facility"}, "facility": {"blue-ridge"}, "revision": {"r1"}}, `{"facility":"blue-ridge","revision":"r1"}`},
		"choose a basis as shown":    {library.Choose, url.Values{"key": {"basis"}, "basis": {"LB-3"}, "revision": {"r1"}}, `{"basis":"LB-3","revision":"r1"}`},
		"a revision has its bounds":  {library.Choose, url.Values{"key": {"basis"}, "basis": {"LB-3"}, "revision": {strings.Repeat("a", 301)}}, "too long"},
		"a basis that is none":       {library.Choose, url.Values{"key": {"basis"}, "basis": {"LB-9"}}, "LB-1 to LB-5"},
		"confirm":                    {library.Confirm, url.Values{"destination": {"blue-ridge"}, "how": {"telephone"}, "by": {"M. Vega"}}, `{"destination":"blue-ridge","how":"telephone","by":"M. Vega"}`},
		"confirm by nobody":          {library.Confirm, url.Values{"destination": {"blue-ridge"}, "how": {"telephone"}}, "by whom"},
		"place in a new case":        {library.Place, url.Values{"where": {"new"}, "case": {"left over"}, "reason": {"x"}}, `{"new":true,"reason":"x"}`},
		"place in a case":            {library.Place, url.Values{"where": {"case"}, "case": {strings.ToLower(string(number("K7MQ42X")))}, "reason": {"x"}}, `{"case":"` + string(number("K7MQ42X")) + `","reason":"x"}`},
		"a case number with typo":    {library.Place, url.Values{"where": {"case"}, "case": {"K7MQ-0000"}, "reason": {"x"}}, "check character"},
		"place nowhere":              {library.Place, url.Values{"reason": {"x"}}, "say where it belongs"},
		"split":                      {library.Split, url.Values{"pages": {"1-2, 3+5"}}, `{"pages":[[1,2],[3,5]]}`},
		"split into one":             {library.Split, url.Values{"pages": {"1-2"}}, "at least two groups"},
		"split by words":             {library.Split, url.Values{"pages": {"one, two"}}, "write the pages"},
		"nothing of that name":       {"terminate", url.Values{}, "nothing of this name"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			raw, err := desk.PayloadOf(tt.message, tt.form)
			if !strings.HasPrefix(tt.want, "{") {
				if library.KindOf(err) != library.Invalid || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error = %v, want one that says %q", err, tt.want)
				}
				return
			}
			var got, want any
			need(t, err)
			need(t, json.Unmarshal(raw, &got))
			need(t, json.Unmarshal([]byte(tt.want), &want))
			if !reflect.DeepEqual(got, want) {
				t.Errorf("payload = %s, want %s", raw, tt.want)
			}
		})
	}
}

func TestParseGroupsHasBounds(t *testing.T) {
	t.Parallel()

	for _, s := range []string{"", "0, 1", "2-1, 3", "1-999999999999, 2", "1-5000, 1-5000", "1,,2", strings.Repeat("1,", 300) + "1", "1-2-3, 4"} {
		if groups, err := desk.ParseGroups(s); err == nil {
			t.Errorf("ParseGroups(%.20q) = %d groups, want an error", s, len(groups))
		}
	}
}

// FuzzPayloadOf: whatever a form holds, it becomes a payload that the
// workflow's own decoder takes, or a refusal.
func FuzzPayloadOf(f *testing.F) {
	for _, s := range []string{
		"approve revision=r1&note=x", "deny reason=x", "ask items=DL-06&message=m", "correct field:patient.mrn=1&was:patient.mrn=2",
		"acknowledge finding=DL-08&reason=x", "choose key=studies&studies=2.25.1", "choose key=basis&basis=LB-3", "confirm destination=a&how=b&by=c",
		"place where=case&case=K7MQ-42XD&reason=x", "split pages=1-2,3%2B5", "hold reason=%E2%80%AE", "correct field:%00=%ff&was:%00=",
	} {
		m, form, _ := strings.Cut(s, " ")
		f.Add(m, form)
	}
	f.Fuzz(func(t *testing.T, m, query string) {
		form, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		raw, err := desk.PayloadOf(library.Message(m), form)
		if err != nil {
			if library.KindOf(err) != library.Invalid {
				t.Fatalf("error %v has the kind %q", err, library.KindOf(err))
			}
			return
		}
		if err := decode(library.Message(m), raw); err != nil {
			t.Errorf("%s is not taken: %v", raw, err)
		}
	})
}

// decode decodes a payload as the workflow does.
func decode(m library.Message, raw []byte) error {
	var err error
	switch m {
	case library.Approve:
		_, err = library.Decode[library.ApprovePayload](m, raw)
	case library.Deny, library.Hold, library.Resume, library.Withdraw:
		_, err = library.Decode[library.ReasonPayload](m, raw)
	case library.Ask:
		_, err = library.Decode[library.AskPayload](m, raw)
	case library.Correct:
		_, err = library.Decode[library.CorrectPayload](m, raw)
	case library.Acknowledged:
		_, err = library.Decode[library.AcknowledgePayload](m, raw)
	case library.Choose:
		_, err = library.Decode[library.ChoosePayload](m, raw)
	case library.Confirm:
		_, err = library.Decode[library.ConfirmPayload](m, raw)
	case library.Place:
		_, err = library.Decode[library.PlacePayload](m, raw)
	case library.Split:
		_, err = library.Decode[library.SplitPayload](m, raw)
	}
	return err
}

// formOf returns the fields of the form of a message on a page, as a browser
// would send them untouched.
func formOf(t *testing.T, page, message string) (string, url.Values) {
	t.Helper()
	for _, form := range elements(t, page, "form") {
		values := url.Values{}
		for n := range form.Descendants() {
			if n.Data == "input" && attr(n, "type") != "checkbox" && attr(n, "type") != "radio" {
				values.Set(attr(n, "name"), attr(n, "value"))
			}
		}
		if values.Get("message") == message {
			return attr(form, "action"), values
		}
	}
	t.Fatalf("the page has no form for %s", message)
	return "", nil
}

func TestApproveInThreeClicks(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	d := clean(number("M3PW90T"), eleanor, "5c1f0a77be2290d41e38")
	h.file(t, d)
	list := h.get(&dana, "/desk").Body.String()
	if !strings.Contains(list, `href="/desk/`+string(d.id)+`"`) {
		t.Fatal("the list does not lead to the case")
	}
	action, form := formOf(t, h.get(&dana, "/desk/"+string(d.id)).Body.String(), "approve")
	form.Set("note", "compared")
	w := h.post(&dana, action, form)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/desk/"+string(d.id)+"?said=approve" {
		t.Fatalf("the approval = %d to %q", w.Code, w.Header().Get("Location"))
	}
	h.post(&dana, action, form) // A finger that slipped.
	if len(h.speaker.said) != 2 || !reflect.DeepEqual(h.speaker.said[0], h.speaker.said[1]) {
		t.Fatalf("the same form sent twice is said as %+v", h.speaker.said)
	}
	got := h.speaker.said[0]
	if got.actor.Subject != dana.Subject || got.workflow != "release/"+string(d.id) || got.payload != `{"revision":"5c1f0a77be2290d41e38","note":"compared"}` {
		t.Errorf("said %+v", got)
	}
	form.Set("note", "compared again")
	h.post(&dana, action, form)
	if h.speaker.said[2].update == got.update {
		t.Error("another note is taken for the same update")
	}

	if page := h.get(&dana, "/desk/"+string(d.id)+"?said=approve").Body.String(); strings.Contains(page, "is on record") {
		t.Error("the page claims an approval that is not on record")
	}
	h.decide(t, d.id, dana, library.Approve, got.payload, d.revision)
	if page := h.get(&dana, "/desk/"+string(d.id)+"?said=approve").Body.String(); !strings.Contains(page, "Your approval is on record.") {
		t.Error("the page does not say that the approval is on record")
	}
}

// Every form of a choice or an acknowledgement says which state of the case the
// person saw, on the desk and in the panel, also when the case has no revision.
func TestFormsNameWhatWasShown(t *testing.T) {
	t.Parallel()

	for shown, want := range map[library.Revision]string{"5c1f0a77be2290d41e38": "5c1f0a77be2290d41e38", "": "none"} {
		d := clean(number("M3PW90T"), eleanor, shown)
		d.findings = []library.Finding{{Rule: "DL-06", Title: "x", Citation: "y", Severity: library.Human, Why: "z", Pack: "p"}}
		h := newHouse(t)
		h.file(t, d)
		for _, path := range []string{"/desk/" + string(d.id), "/panel?workflow=release/" + string(d.id)} {
			got := map[string]int{}
			for _, form := range elements(t, h.get(&dana, path).Body.String(), "form") {
				values := url.Values{}
				for n := range form.Descendants() {
					if n.Data == "input" && attr(n, "type") == "hidden" {
						values.Add(attr(n, "name"), attr(n, "value"))
					}
				}
				if m := values.Get("message"); m == "choose" || m == "acknowledge" {
					got[m+" "+values.Get("key")+" "+strings.Join(values["revision"], "+")]++
				}
			}
			all := map[string]int{
				"choose patient " + want: 1, "choose studies " + want: 1, "choose facility " + want: 1, "choose basis " + want: 1,
				"acknowledge DL-06 " + want: 1,
			}
			if !maps.Equal(got, all) {
				t.Errorf("%s of revision %q has the forms %v, want %v", path, shown, got, all)
			}
		}
	}
}

// A refused choice of a patient is shown anew, for the key that was picked may
// be another patient's; one that may have arrived is kept as it was, whatever
// the case is by now.
func TestPickedPatientIsNotKept(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		err            error
		picked, stated string
		among          bool // The form has the candidates of now.
	}{
		"refused":     {library.Errorf(library.Conflict, "choose", "", "the case is not as you saw it"), "p1", "5c1f0a77be2290d41e38", true},
		"not certain": {errors.New("connection reset"), "p2", "0123456789abcdef0123", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			h := newHouse(t)
			d := clean(number("M3PW90T"), eleanor, "5c1f0a77be2290d41e38")
			h.file(t, d)
			m, err := h.records.Match(t.Context(), d.id)
			need(t, err)
			other := m.Patients[0]
			other.Key, other.Chosen = "p2", false
			m.Patients = append(m.Patients, other)
			need(t, h.records.SetMatch(t.Context(), d.id, m))
			h.speaker.err = func(saying) error { return tt.err }
			page := h.post(&dana, "/desk/"+string(d.id)+"/say", url.Values{
				"message": {"choose"}, "key": {"patient"}, "patient": {"p2"}, "revision": {"0123456789abcdef0123"}, "among": {"those"}, "id": {"0123456789abcdef0123"},
			}).Body.String()
			var picked, stated, among string
			for _, form := range elements(t, page, "form") {
				if attr(form, "id") != "form-choose-patient" {
					continue
				}
				for n := range form.Descendants() {
					if attr(n, "name") == "among" {
						among = attr(n, "value")
					}
					if attr(n, "name") == "revision" {
						stated = attr(n, "value")
					}
					if attr(n, "name") == "patient" && slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "checked" }) {
						picked = attr(n, "value")
					}
				}
			}
			if want := map[bool]string{true: m.Among(), false: "those"}[tt.among]; among != want {
				t.Errorf("among %q, want %q", among, want)
			}
			if picked != tt.picked || stated != tt.stated {
				t.Errorf("picked %q of revision %q, want %q of %q", picked, stated, tt.picked, tt.stated)
			}
		})
	}
}

func TestRefusedInPlace(t *testing.T) {
	t.Parallel()

	d := clean(number("M3PW90T"), eleanor, "")
	d.findings = []library.Finding{
		{Rule: "DL-06", Title: "x", Citation: "y", Severity: library.Human, Why: "z", Pack: "p"},
		{Rule: "DL-08", Title: "x", Citation: "y", Severity: library.Human, Why: "z", Pack: "p"},
	}
	refusal := library.Errorf(library.Conflict, "acknowledge", "", "the case has just changed; for example: {}")
	tests := map[string]struct {
		err    error
		form   url.Values
		status int
		says   []string
		anchor string
	}{
		"a refusal of the workflow": {
			refusal,
			url.Values{"message": {"acknowledge"}, "key": {"DL-08"}, "finding": {"DL-08"}, "reason": {"maiden name & seen"}},
			http.StatusConflict,
			[]string{"The case has just changed.", "maiden name &amp; seen"},
			"form-acknowledge-DL-08",
		},
		"a refusal before it is said": {
			nil, url.Values{"message": {"withdraw"}, "reason": {" "}}, http.StatusConflict, []string{"A reason is needed."}, "form-withdraw",
		},
		"a correction keeps what was typed": {
			refusal,
			url.Values{"message": {"correct"}, "field:patient.mrn": {"MRN-typed"}, "was:patient.mrn": {"MRN0047121"}},
			http.StatusConflict,
			[]string{`value="MRN-typed"`, `name="was:patient.mrn" value="MRN0047121"`},
			"form-correct",
		},
		"nobody knows whether it arrived": {
			errors.New("connection reset with WHITCOMBE in it"),
			url.Values{"message": {"withdraw"}, "id": {"0123456789abcdef0123"}, "reason": {"patient called"}},
			http.StatusBadGateway,
			[]string{"could not be delivered", "patient called", `value="0123456789abcdef0123"`},
			"form-withdraw",
		},
		"a form that the page has no more": {
			refusal,
			url.Values{"message": {"confirm"}, "destination": {"blue-ridge"}, "how": {"telephone"}, "by": {"M. Vega"}},
			http.StatusConflict,
			[]string{"Not done.", "The case has just changed."},
			"",
		},
	}
	for name, tt := range tests {
		for _, panel := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()

				h := newHouse(t)
				h.file(t, d)
				h.speaker.err = func(saying) error { return tt.err }
				form, path := maps.Clone(tt.form), "/desk/"+string(d.id)+"/say"
				if panel {
					path = "/panel/say"
					form.Set("workflow", "release/"+string(d.id))
				}
				w := h.post(&priya, path, form)
				page := w.Body.String()
				if w.Code != tt.status {
					t.Errorf("status = %d, want %d", w.Code, tt.status)
				}
				for _, want := range tt.says {
					if !strings.Contains(page, want) {
						t.Errorf("the page does not say %q", want)
					}
				}
				if strings.Count(page, `class="refusal"`) != 1 || strings.Contains(page, "connection reset") || strings.Contains(page, "for example: {") {
					t.Error("not exactly one refusal, or one with words that are not for people")
				}
				if tt.anchor != "" && !strings.Contains(page, `id="`+tt.anchor+`-refusal"`) {
					t.Errorf("the refusal is not at %s", tt.anchor)
				}
			})
		}
	}
}
