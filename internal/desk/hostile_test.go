package desk_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"

	"fileroom/internal/desk"
	"fileroom/internal/library"
)

// evil is text that would be markup, hide, or turn what follows it.
const evil = `"'><script>alert(1)</script><img src=x onerror=alert(2)>{{.}}` + "\u202e\u200b\u2066\x07\ufeff\u00ad" + `javascript:alert(3)`

// hostileHouse has evil in every field that comes from outside.
func hostileHouse(t *testing.T) (h *house, id string) {
	t.Helper()
	h = newHouse(t)
	d := clean(number("M3PW90T"), library.PatientRecord{ID: evil, Issuer: evil, Name: evil + "^" + evil, BirthDate: evil, Sex: evil}, "")
	line := library.Line{Words: []library.Word{{Text: evil}, {Text: "MRN-evil"}}}
	box := &library.Box{X: 0.1, Y: 0.1, W: 0.2, H: 0.1}
	d.pages = []library.Page{h.scanned(t, 1), {Number: 2, Source: evil, Lines: []library.Line{line}}, {Number: 3, Source: library.SourceMail, Lines: []library.Line{line}}}
	d.reading.Request.Patient = library.Patient{Given: evil, Family: evil, BirthDate: evil, MRN: evil}
	d.reading.Request.Studies = []library.StudyRequest{{Modality: evil, BodyPart: evil, Date: evil}}
	d.reading.Others = []library.Patient{{Given: evil}}
	d.reading.Troubles = []library.Trouble{{Text: evil}}
	d.reading.Missing = []string{evil, "patient.given"}
	for _, name := range []string{"patient.given", "patient.birth_date", "studies[0].modality", "recipient.self", "purpose", evil, "studies[99999].x"} {
		d.reading.Fields = append(d.reading.Fields,
			library.Field{Name: name, Value: evil, Page: 1, Box: box, Confidence: -3},
			library.Field{Name: name + ".x", Value: "MRN-evil", Page: 2, Box: &library.Box{X: -5, Y: 0.5, W: 99, H: 1e300}})
	}
	d.findings = []library.Finding{
		{Rule: "DL-08", Title: evil, Citation: evil, Severity: library.Human, Why: evil, Ask: evil, Field: evil, Page: 1, Box: box, Pack: evil},
		{Rule: evil, Title: evil, Citation: evil, Severity: library.Human, Why: evil, Page: 1, Box: &library.Box{W: -1}, Pack: evil},
	}
	d.match.Studies[0].UID, d.match.Studies[0].Modalities, d.match.Studies[0].Date = evil, []string{evil}, evil
	d.match.Studies[0].Description, d.match.Studies[0].Accession = library.Hide(evil), library.Hide(evil)
	d.choices = library.Choices{Corrections: map[string]string{"patient.mrn": evil, evil: evil}, By: []string{evil}}
	c := h.file(t, d)
	person := library.Actor{Subject: "u-x", Name: evil, Roles: []library.Role{library.RoleLead}}
	h.decide(t, d.id, person, library.Hold, `{"reason":`+quote(evil)+`}`, "")
	_, err := h.records.AddLetter(t.Context(), library.Letter{
		Case: d.id, Number: 1, Kind: library.LetterDeficiency, MessageID: "1@fileroom.example", To: library.Hide(evil), Subject: evil, Text: library.Hide(evil),
		State: library.LetterWritten, At: h.now,
	})
	need(t, err)
	need(t, h.records.AddEvent(t.Context(), library.Event{Case: d.id, Key: "x", What: evil, Detail: evil, Actor: evil, At: h.now}))
	h.standings["release/"+string(d.id)] = desk.Standing{Held: true, Note: evil, Trouble: evil, Refused: evil}
	h.standings["intake/1"] = desk.Standing{Trouble: evil, Refused: evil}
	need(t, h.records.MoveArrival(t.Context(), c.Arrival, library.ArrivalWaiting, evil))
	return h, string(d.id)
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`"`, `\"`, "\x07", `\u0007`).Replace(s) + `"`
}

func TestNothingForeignIsMarkup(t *testing.T) {
	t.Parallel()

	h, id := hostileHouse(t)
	refused := url.Values{"message": {"acknowledge"}, "key": {"DL-08"}, "finding": {evil}, "reason": {evil}, "workflow": {"release/" + id}}
	h.speaker.err = func(saying) error { return library.Errorf(library.Conflict, "x", "", "%s", evil) }
	pages := map[string]string{
		"a refusal":          h.post(&priya, "/desk/"+id+"/say", refused).Body.String(),
		"a refused panel":    h.post(&priya, "/panel/say", refused).Body.String(),
		"a refused place":    h.post(&priya, "/desk/arrivals/1/say", url.Values{"message": {"place"}, "workflow": {"intake/1"}, "case": {evil}, "reason": {evil}}).Body.String(),
		"approve together":   h.post(&priya, "/desk/approve", url.Values{"pick": {id + " " + evil}}).Body.String(),
		"a lost number":      h.post(&priya, "/desk/find", url.Values{"find": {evil}}).Body.String(),
		"a worklist of none": h.get(&priya, "/desk?list="+url.QueryEscape(evil)).Body.String(),
		"no case":            h.get(&priya, "/desk/"+url.PathEscape(evil)).Body.String(),
	}
	for _, path := range []string{
		"/desk", "/desk?list=open", "/desk?list=arrivals", "/desk/" + id, "/desk/arrivals/1", "/panel?workflow=release/" + id, "/panel?workflow=intake/1",
		"/panel?workflow=" + url.QueryEscape(evil), "/desk/" + id + "?said=" + url.QueryEscape(evil),
	} {
		w := h.get(&priya, path)
		if w.Code >= 500 {
			t.Errorf("GET %s = %d", path, w.Code)
		}
		pages[path] = w.Body.String()
	}
	for what, page := range pages {
		for _, n := range elements(t, page, "") {
			if n.Data == "script" && !strings.HasPrefix(attr(n, "src"), "/desk/static/") || n.Data == "style" {
				t.Errorf("%s has a <%s> of its own", what, n.Data)
			}
			if n.Data == "img" && !strings.HasPrefix(attr(n, "src"), "/desk/") {
				t.Errorf("%s has an image from %q", what, attr(n, "src"))
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || (a.Key == "href" && strings.HasPrefix(strings.TrimSpace(a.Val), "javascript:")) {
					t.Errorf("%s has the attribute %s", what, a.Key)
				}
			}
			if n.Data == "title" && n.Namespace == "" && strings.Contains(n.FirstChild.Data, "alert") {
				t.Errorf("%s has a foreign title", what)
			}
		}
		if i := strings.IndexFunc(page, func(r rune) bool { return r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf) }); i >= 0 {
			t.Errorf("%s holds the unseen character %U", what, []rune(page[i:])[0])
		}
	}
	if !strings.Contains(pages["/desk/"+id], "⟨U+202E⟩⟨U+200B⟩⟨U+2066⟩⟨U+0007⟩⟨U+FEFF⟩⟨U+00AD⟩") {
		t.Error("what would turn or hide text is not shown")
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()

	for in, want := range map[string]string{
		"plain\tand\r\nlines": "plain\tand\r\nlines", "a\u202eb": "a⟨U+202E⟩b", "\x00": "⟨U+0000⟩", "Zoë 王 שלום": "Zoë 王 שלום", "\u3164": "⟨U+3164⟩", "x\xff": "x\xff",
	} {
		if got := string(desk.Visible([]byte(in))); got != want {
			t.Errorf("Visible(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestHeadersAndPlainHTML(t *testing.T) {
	t.Parallel()

	h := furnished(t)
	id := string(number("K7MQ42X"))
	for _, path := range []string{
		"/desk", "/desk?list=arrivals", "/desk/" + id, "/desk/" + string(number("Z9KF18S")), "/desk/arrivals/8", "/panel", "/panel?workflow=release/" + id,
		"/panel?workflow=intake/8", "/desk/none", "/desk/" + id + "/pages/1.png", "/nowhere",
	} {
		w := h.get(&priya, path)
		ancestors := "'none'"
		if strings.HasPrefix(path, "/panel") {
			ancestors = "https://ui.fileroom.example"
		}
		want := "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors " + ancestors
		if got := w.Header().Get("Content-Security-Policy"); got != want {
			t.Errorf("%s has the policy %q", path, got)
		}
		for name, value := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff"} {
			if w.Header().Get(name) != value {
				t.Errorf("%s has %s: %q", path, name, w.Header().Get(name))
			}
		}
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			plainHTML(t, path, w.Body.String())
		}
	}
}

// plainHTML holds a page to what everybody needs: nothing inline, a language, a
// title without anybody's name, one first heading, headings in order, a label
// on every input, ids that are one.
func plainHTML(t *testing.T, path, page string) {
	t.Helper()
	ids, labelled := map[string]bool{}, map[string]bool{}
	nodes := elements(t, page, "")
	for _, n := range nodes {
		if id := attr(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("%s has the id %s twice", path, id)
			}
			ids[id] = true
		}
		if n.Data == "label" {
			labelled[attr(n, "for")] = true
		}
	}
	last, first := 0, 0
	for _, n := range nodes {
		switch n.Data {
		case "script", "style", "link":
			if n.FirstChild != nil || n.Data == "style" {
				t.Errorf("%s has an inline %s", path, n.Data)
			}
		case "html":
			if attr(n, "lang") != "en" {
				t.Errorf("%s has no language", path)
			}
		case "title":
			if n.Namespace == "" && (strings.Contains(n.FirstChild.Data, "WHITCOMBE") || !strings.HasSuffix(n.FirstChild.Data, " · Fileroom")) {
				t.Errorf("%s has the title %q", path, n.FirstChild.Data)
			}
		case "h1", "h2", "h3":
			level := int(n.Data[1] - '0')
			if level == 1 {
				first++
			}
			if level > last+1 {
				t.Errorf("%s goes from a heading of level %d to one of %d", path, last, level)
			}
			last = level
		case "input", "select", "textarea":
			inLabel := n.Parent.Data == "label"
			if attr(n, "type") != "hidden" && !labelled[attr(n, "id")] && attr(n, "aria-label") == "" && !inLabel {
				t.Errorf("%s has the input %s without a label", path, attr(n, "name"))
			}
		case "th":
			if attr(n, "scope") == "" {
				t.Errorf("%s has a heading of a table without a scope", path)
			}
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("%s has the attribute %s", path, a.Key)
			}
			if (a.Key == "aria-describedby" || a.Key == "aria-labelledby") && !ids[a.Val] {
				t.Errorf("%s points to %s, which is not there", path, a.Val)
			}
			if a.Key == "href" && n.Data == "a" && strings.HasPrefix(a.Val, "#") && !ids[a.Val[1:]] {
				t.Errorf("%s links to %s, which is not there", path, a.Val)
			}
		}
	}
	if first != 1 {
		t.Errorf("%s has %d first headings", path, first)
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	page := h.get(&vic, "/desk").Body.String()
	var paths []string
	for _, n := range elements(t, page, "") {
		for _, name := range []string{"src", "href"} {
			if p := attr(n, name); strings.HasPrefix(p, "/desk/static/") {
				paths = append(paths, p)
			}
		}
	}
	slices.Sort(paths)
	if len(paths) != 3 {
		t.Fatalf("the page loads %v", paths)
	}
	for _, p := range paths {
		w := h.get(nil, p) // Before anybody has signed in, too.
		if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("Content-Type") == "" {
			t.Errorf("GET %s = %d, %v", p, w.Code, w.Header())
		}
	}
	if w := h.get(nil, "/desk/static/desk.css"); w.Code != http.StatusNotFound {
		t.Errorf("an asset without its digest = %d, want 404", w.Code)
	}
}
