package desk_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"fileroom/internal/desk"
	"fileroom/internal/library"
)

func TestApproveTogether(t *testing.T) {
	t.Parallel()

	h := furnished(t)
	first, second, third := number("M3PW90T"), number("R8VD51H"), number("K7MQ42X")
	var picks []string
	for _, n := range elements(t, h.get(&dana, "/desk").Body.String(), "input") {
		if attr(n, "name") == "pick" {
			picks = append(picks, attr(n, "value"))
		}
	}
	want := []string{string(first) + " 5c1f0a77be2290d41e38", string(second) + " 77ab10c2d94e5f60aa13"}
	if len(picks) != 2 || picks[0] != want[0] || picks[1] != want[1] {
		t.Fatalf("the list offers %q, want %q", picks, want)
	}
	if strings.Contains(h.get(&vic, "/desk").Body.String(), `name="pick"`) {
		t.Error("a viewer may pick")
	}

	asked := append(picks, picks[0], string(third)+" x", "nonsense", string(number("0000000"))+" x")
	page := h.post(&dana, "/desk/approve", url.Values{"pick": asked}).Body.String()
	for _, says := range []string{"Approve 2 cases together", "ELEANOR MAE WHITCOMBE", "ROBERT Q TRAN", "Blue Ridge Orthopedics", "3 images in all", "Not included: PM-02 must be resolved"} {
		if !strings.Contains(page, says) {
			t.Errorf("the confirmation does not say %q", says)
		}
	}
	if len(h.speaker.said) > 0 {
		t.Fatal("something was decided before it was confirmed")
	}

	form := url.Values{"note": {"morning round"}}
	for _, n := range elements(t, page, "input") {
		if attr(n, "type") == "hidden" {
			form.Add(attr(n, "name"), attr(n, "value"))
		}
	}
	h.speaker.err = func(s saying) error {
		if s.workflow == "release/"+string(second) {
			return library.Errorf(library.Conflict, "approve", "", "the case is not as you saw it")
		}
		return nil
	}
	page = h.post(&dana, "/desk/approve/confirm", form).Body.String()
	if len(h.speaker.said) != 2 {
		t.Fatalf("said %d updates, want one for each case", len(h.speaker.said))
	}
	for i, w := range []string{
		"release/" + string(first) + ` {"revision":"5c1f0a77be2290d41e38","note":"morning round"}`,
		"release/" + string(second) + ` {"revision":"77ab10c2d94e5f60aa13","note":"morning round"}`,
	} {
		if got := h.speaker.said[i].workflow + " " + h.speaker.said[i].payload; got != w || h.speaker.said[i].message != library.Approve {
			t.Errorf("said %q, want %q", got, w)
		}
	}
	if !strings.Contains(page, "1 case approved, 1 not") || !strings.Contains(page, "The case is not as you saw it.") {
		t.Error("the results do not say what came of each")
	}
	h.post(&dana, "/desk/approve/confirm", form)
	if h.speaker.said[0].update != h.speaker.said[2].update || h.speaker.said[0].update == h.speaker.said[1].update {
		t.Error("sent twice, it is not the same two updates")
	}
}

func TestApproveTogetherChanged(t *testing.T) {
	t.Parallel()

	h := furnished(t)
	page := h.post(&dana, "/desk/approve", url.Values{"pick": {string(number("M3PW90T")) + " as-it-was-before"}}).Body.String()
	if !strings.Contains(page, "It has changed since the list was made") || strings.Contains(page, `name="pick"`) {
		t.Error("a case that has changed can be confirmed")
	}
	for what, tt := range map[string]struct {
		actor  library.Actor
		pick   []string
		status int
	}{
		"nothing picked": {dana, nil, http.StatusBadRequest},
		"a viewer":       {vic, []string{string(number("M3PW90T")) + " x"}, http.StatusForbidden},
		"too many":       {dana, many(26), http.StatusBadRequest},
	} {
		for _, path := range []string{"/desk/approve", "/desk/approve/confirm"} {
			if w := h.post(&tt.actor, path, url.Values{"pick": tt.pick}); w.Code != tt.status {
				t.Errorf("%s to %s = %d, want %d", what, path, w.Code, tt.status)
			}
		}
	}
	if len(h.speaker.said) > 0 {
		t.Errorf("said %+v", h.speaker.said)
	}
}

func many(n int) []string {
	var all []string
	for i := range n {
		all = append(all, string(number(fmt.Sprintf("%07d", i)))+" r")
	}
	return all
}

func TestFind(t *testing.T) {
	t.Parallel()

	h := furnished(t)
	id := string(number("K7MQ42X"))
	for spelt, want := range map[string]int{
		id: http.StatusSeeOther, strings.ToLower(strings.ReplaceAll(id, "-", " ")): http.StatusSeeOther,
		string(number("0000000")): http.StatusNotFound, "K7MQ": http.StatusNotFound, "": http.StatusNotFound,
	} {
		w := h.post(&vic, "/desk/find", url.Values{"find": {spelt}})
		if w.Code != want || want == http.StatusSeeOther && w.Header().Get("Location") != "/desk/"+id {
			t.Errorf("find %q = %d to %q", spelt, w.Code, w.Header().Get("Location"))
		}
	}
	w := h.post(&vic, "/desk/find", url.Values{"find": {"Orsolya Quist"}})
	if page := w.Body.String(); w.Code != http.StatusNotFound || !strings.Contains(page, "That is no case number") || strings.Contains(w.Header().Get("Location"), "Quist") {
		t.Errorf("a name that was typed = %d", w.Code)
	}
	for _, form := range elements(t, w.Body.String(), "form") {
		if attr(form, "role") == "search" && (attr(form, "method") != "post" || attr(form, "action") != "/desk/find") {
			t.Errorf("the find box goes by %s to %s", attr(form, "method"), attr(form, "action"))
		}
	}
	if w := h.get(&vic, "/desk/find"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/desk" {
		t.Errorf("the address of the find box = %d", w.Code)
	}
	if w := h.get(&vic, "/desk/"+strings.ToLower(id)); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/desk/"+id {
		t.Errorf("a case spelt another way = %d", w.Code)
	}
	if w := h.get(&vic, "/desk/"+id+"/say"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/desk/"+id {
		t.Errorf("a form's address = %d", w.Code)
	}
}

func TestPaging(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	for i := range 30 {
		h.file(t, clean(number(fmt.Sprintf("%07d", i)), eleanor, library.Revision(fmt.Sprintf("r%d", i))))
	}
	page := h.get(&dana, "/desk").Body.String()
	if !strings.Contains(page, "1 to 25 of 30") || !strings.Contains(page, `rel="next"`) || strings.Contains(page, `rel="prev"`) {
		t.Error("the first page is not the first of two")
	}
	page = h.get(&dana, "/desk?list=staff&skip=25").Body.String()
	if !strings.Contains(page, "26 to 30 of 30") || strings.Contains(page, `rel="next"`) || !strings.Contains(page, `rel="prev"`) {
		t.Error("the second page is not the last")
	}
	for _, skip := range []string{"-5", "x", "99999999999999999999", "1000"} {
		if w := h.get(&dana, "/desk?skip="+skip); w.Code != http.StatusOK {
			t.Errorf("skip=%s = %d", skip, w.Code)
		}
	}
}

func TestArrivalForms(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	a := waitingArrival(t, h)
	path := fmt.Sprintf("/desk/arrivals/%d", a.ID)
	for _, tt := range []struct {
		actor library.Actor
		want  string
	}{{vic, ""}, {ada, ""}, {dana, "place split"}, {priya, "place split"}} {
		page := h.get(&tt.actor, path).Body.String()
		if got := strings.Join(messagesOn(t, page), " "); got != tt.want {
			t.Errorf("%s has the forms %q, want %q", tt.actor.Name, got, tt.want)
		}
		for _, says := range []string{"2 patients are named in it", "fax", "Robert Tran", "/pages/3.png"} {
			if !strings.Contains(page, says) {
				t.Errorf("the arrival does not say %q", says)
			}
		}
	}
	action, form := formOf(t, h.get(&dana, path).Body.String(), "split")
	form.Set("pages", "1-2, 3")
	if w := h.post(&dana, action, form); w.Code != http.StatusSeeOther {
		t.Errorf("the split = %d", w.Code)
	}
	h.standings[fmt.Sprintf("intake/%d/late", a.ID)] = desk.Standing{} // It came for a case that had ended.
	action, form = formOf(t, h.get(&dana, path).Body.String(), "place")
	form.Set("where", "new")
	form.Set("reason", "two sisters, one letter")
	if w := h.post(&dana, action, form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != path+"?said=place" {
		t.Errorf("the placement = %d to %q", w.Code, w.Header().Get("Location"))
	}
	for i, want := range []string{
		fmt.Sprintf(`intake/%d split {"pages":[[1,2],[3]]}`, a.ID),
		fmt.Sprintf(`intake/%d/late place {"new":true,"reason":"two sisters, one letter"}`, a.ID),
	} {
		s := h.speaker.said[i]
		if got := s.workflow + " " + string(s.message) + " " + s.payload; got != want {
			t.Errorf("said %q, want %q", got, want)
		}
	}

	h.speaker.err = func(saying) error { return errors.New("no route") }
	form.Set("reason", "kept & shown")
	w := h.post(&dana, action, form)
	if page := w.Body.String(); w.Code != http.StatusBadGateway || !strings.Contains(page, "kept &amp; shown") || !strings.Contains(page, `id="form-place-refusal"`) {
		t.Errorf("an undelivered placement = %d, or what was typed is lost", w.Code)
	}
	for what, workflow := range map[string]string{"another arrival": "intake/99", "a case": "release/" + string(a.Case), "nothing": ""} {
		form.Set("workflow", workflow)
		if w := h.post(&dana, path+"/say", form); w.Code != http.StatusBadRequest {
			t.Errorf("a placement for %s = %d, want 400", what, w.Code)
		}
	}
	if w := h.get(&dana, path+"/say"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != path {
		t.Errorf("a form's address = %d to %q", w.Code, w.Header().Get("Location"))
	}
	for _, bad := range []string{"0", "-1", "x", "99"} {
		if w := h.get(&dana, "/desk/arrivals/"+bad); w.Code != http.StatusNotFound {
			t.Errorf("arrival %s = %d, want 404", bad, w.Code)
		}
	}
}

func TestPanelSays(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	d := clean(number("M3PW90T"), eleanor, "5c1f0a77be2290d41e38")
	h.file(t, d)
	action, form := formOf(t, h.get(&dana, "/panel?workflow=transfer/"+string(d.id)+"/1").Body.String(), "approve")
	w := h.post(&dana, action, form)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/panel?said=approve&workflow="+url.QueryEscape("release/"+string(d.id)) {
		t.Errorf("the approval = %d to %q", w.Code, w.Header().Get("Location"))
	}
	if s := h.speaker.said[0]; s.workflow != "release/"+string(d.id) || s.payload != `{"revision":"5c1f0a77be2290d41e38"}` {
		t.Errorf("said %+v", s)
	}
	body := elements(t, h.get(&dana, "/panel").Body.String(), "body")[0]
	if attr(body, "data-ui") != "https://ui.fileroom.example" || attr(body, "data-extension") != "fileroom" || attr(body, "data-workflow") != "" {
		t.Errorf("the panel's script is told %v", body.Attr)
	}
}

func TestNewNeedsEverything(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	for what, take := range map[string]func(*desk.Options){
		"records": func(o *desk.Options) { o.Records = nil }, "documents": func(o *desk.Options) { o.Documents = nil },
		"speaker": func(o *desk.Options) { o.Speaker = nil }, "standing": func(o *desk.Options) { o.Standing = nil },
		"session": func(o *desk.Options) { o.Session = nil }, "sign-in": func(o *desk.Options) { o.SignIn = nil },
		"sign-out": func(o *desk.Options) { o.SignOut = "https://elsewhere.example" }, "clock": func(o *desk.Options) { o.Now = nil },
		"ui": func(o *desk.Options) { o.UI = &url.URL{Scheme: "javascript", Host: "x"} }, "namespace": func(o *desk.Options) { o.Namespace = "" },
		"extension": func(o *desk.Options) { o.Extension = "" },
	} {
		o := h.options()
		take(&o)
		if _, err := desk.New(o); library.KindOf(err) != library.Invalid {
			t.Errorf("without %s New = %v, want a refusal", what, err)
		}
	}
}
