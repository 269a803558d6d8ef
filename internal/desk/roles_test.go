package desk_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"fileroom/internal/desk"
	"fileroom/internal/library"
)

// messagesOn returns the messages of the forms on a page.
func messagesOn(t *testing.T, page string) []string {
	t.Helper()
	var found []string
	for _, n := range elements(t, page, "input") {
		if attr(n, "name") == "message" && !slices.Contains(found, attr(n, "value")) {
			found = append(found, attr(n, "value"))
		}
	}
	slices.Sort(found)
	return found
}

func elements(t *testing.T, page, tag string) []*html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	need(t, err)
	var found []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && (tag == "" || n.Data == tag) {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func TestFormsForRoleAndStage(t *testing.T) {
	t.Parallel()

	ready := func(d *draft) {}
	finding := func(d *draft) {
		d.revision = ""
		d.findings = []library.Finding{{Rule: "DL-08", Title: "x", Citation: "y", Severity: library.Human, Why: "z", Pack: "p"}}
	}
	blocked := func(d *draft) {
		d.findings = []library.Finding{{Rule: "IN-05", Title: "x", Citation: "y", Severity: library.Block, Why: "z", Pack: "p", Overridable: true}}
	}
	in := func(s library.Stage, w library.Waiting) func(*draft) {
		return func(d *draft) { d.stage, d.waiting = s, w }
	}
	closed := func(d *draft) {
		d.stage, d.waiting, d.outcome = library.StageClosed, library.WaitingNobody, library.OutcomeReleased
	}
	tests := map[string]struct {
		actor library.Actor
		draft func(*draft)
		held  bool
		want  string
	}{
		"a viewer only looks":                      {vic, ready, false, ""},
		"an administrator only looks":              {ada, ready, false, ""},
		"a specialist approves what is clean":      {dana, ready, false, "approve ask choose correct withdraw"},
		"a lead may hold":                          {luis, ready, false, "approve ask choose correct hold withdraw"},
		"privacy may deny":                         {priya, ready, false, "approve ask choose correct deny hold withdraw"},
		"an open finding hinders":                  {dana, finding, false, "acknowledge ask choose correct withdraw"},
		"a block is not the specialist's":          {dana, blocked, false, "ask choose correct withdraw"},
		"a block may be privacy's":                 {priya, blocked, false, "acknowledge ask choose correct deny hold withdraw"},
		"held, a specialist cannot lift it":        {dana, ready, true, "ask choose correct withdraw"},
		"held, a lead can lift it":                 {luis, ready, true, "ask choose correct resume withdraw"},
		"deficient, nobody asks twice":             {priya, in(library.StageDeficient, library.WaitingRequester), false, "choose correct deny hold withdraw"},
		"while sending it can be stopped":          {luis, in(library.StageReleasing, library.WaitingNobody), false, "hold withdraw"},
		"while confirming a word is noted":         {dana, in(library.StageConfirming, library.WaitingRecipient), false, "confirm withdraw"},
		"while it is checked nothing else is said": {dana, in(library.StageChecking, library.WaitingNobody), false, "withdraw"},
		"closed is closed":                         {priya, closed, false, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			h := newHouse(t)
			d := clean(number("M3PW90T"), eleanor, "5c1f0a77be2290d41e38")
			tt.draft(&d)
			h.file(t, d)
			if tt.held {
				h.decide(t, d.id, luis, library.Hold, `{"reason":"wait"}`, "")
			}
			for _, path := range []string{"/desk/" + string(d.id), "/panel?workflow=release/" + string(d.id)} {
				w := h.get(&tt.actor, path)
				if w.Code != http.StatusOK {
					t.Fatalf("GET %s = %d", path, w.Code)
				}
				if got := strings.Join(messagesOn(t, w.Body.String()), " "); got != tt.want {
					t.Errorf("%s has the forms %q, want %q", path, got, tt.want)
				}
			}
		})
	}
}

func TestWhoIsLetIn(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	d := clean(number("M3PW90T"), eleanor, "5c1f0a77be2290d41e38")
	c := h.file(t, d)
	for _, path := range []string{"/desk", "/desk/" + string(c.ID), "/desk/" + string(c.ID) + "/pages/1.png", "/desk/arrivals/1"} {
		if w := h.get(nil, path); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/sign-in" {
			t.Errorf("GET %s by nobody = %d to %q, want the sign-in", path, w.Code, w.Header().Get("Location"))
		}
		if w := h.get(&nobby, path); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "WHITCOMBE") {
			t.Errorf("GET %s without a role = %d", path, w.Code)
		}
	}
	w := h.get(nil, "/panel?workflow=release/"+string(c.ID))
	if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "Sign in") {
		t.Errorf("the panel of nobody = %d, want words on how to sign in", w.Code)
	}
	if w := h.post(nil, "/panel/say", url.Values{"message": {"approve"}}); w.Code != http.StatusUnauthorized || len(h.speaker.said) > 0 {
		t.Errorf("a decision of nobody = %d, said %d", w.Code, len(h.speaker.said))
	}
	if looks := h.looks(t); len(looks) > 0 {
		t.Errorf("nothing was shown, and yet there are looks: %v", looks)
	}
}

func TestSecondPerson(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	d := clean(number("T4NE27G"), eleanor, "09fe22a1c47b8d3310e5")
	d.tier, d.waiting = 3, library.WaitingSecond
	d.choices = library.Choices{By: []string{luis.Subject}}
	h.file(t, d)
	h.decide(t, d.id, dana, library.Approve, `{"revision":"09fe22a1c47b8d3310e5"}`, d.revision)

	for _, tt := range []struct {
		actor library.Actor
		may   bool
		says  string
	}{
		{dana, false, "You have approved this"},
		{luis, false, "You corrected or chose"},
		{priya, true, "the second of two"},
	} {
		page := h.get(&tt.actor, "/desk/"+string(d.id)).Body.String()
		if slices.Contains(messagesOn(t, page), "approve") != tt.may || !strings.Contains(page, tt.says) {
			t.Errorf("%s may approve = %t, want %t and the words %q", tt.actor.Name, !tt.may, tt.may, tt.says)
		}
	}
}

// A transfer that was hindered voids the approvals that the records still have.
func TestWorkflowKnowsBetterWhoApproved(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	d := clean(number("T4NE27G"), eleanor, "09fe22a1c47b8d3310e5")
	h.file(t, d)
	h.decide(t, d.id, dana, library.Approve, `{"revision":"09fe22a1c47b8d3310e5"}`, d.revision)
	s := h.standings["release/"+string(d.id)]
	s.Approvals, s.Note = 0, "the receiver is full; approve again to send the rest"
	h.standings["release/"+string(d.id)] = s

	page := h.get(&dana, "/desk/"+string(d.id)).Body.String()
	if !slices.Contains(messagesOn(t, page), "approve") || !strings.Contains(page, s.Note) {
		t.Error("the approval that is wanted again cannot be given, or the note is not shown")
	}
}

func TestTemporalSilent(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	d := clean(number("T4NE27G"), eleanor, "09fe22a1c47b8d3310e5")
	h.file(t, d)
	h.decide(t, d.id, luis, library.Hold, `{"reason":"safety officer asks to wait"}`, "")
	h.silent = true
	page := h.get(&dana, "/desk/"+string(d.id)).Body.String()
	for _, want := range []string{"Temporal does not answer", "ELEANOR MAE WHITCOMBE", "On hold", "Luis Ferrante put it on hold", "safety officer asks to wait"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestDueWords(t *testing.T) {
	t.Parallel()

	now := time.Date(2026, 5, 26, 15, 0, 0, 0, time.UTC)
	for words, due := range map[string]time.Time{
		"today": now.Add(-time.Hour), "tomorrow": now.Add(10 * time.Hour), "in 3 days": now.AddDate(0, 0, 3),
		"1 day overdue": now.Add(-20 * time.Hour), "2 days overdue": now.AddDate(0, 0, -2),
	} {
		if got := desk.DueWords(due, now); got != words {
			t.Errorf("DueWords(%s) = %q, want %q", due, got, words)
		}
	}
}
