package integration_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/staff"
	"fileroom/workflows"
)

// An intrusion is a request to the staff's addresses that must have no effect.
type intrusion struct {
	says string // Part of the refusal.
	make func(t *testing.T) (*visitor, wire)
}

// TestAttackByGateway comes by the door that signs: without a session, with
// another's, with the right one for another page, and with what must not pass.
func TestAttackByGateway(t *testing.T) {
	t.Parallel()
	i := usualInstallation(t)
	ctx := within(t, limit)
	v := newVictim(ctx, t, i, numberAttack+70, 3, i.dev.Receiver.URL)
	other := newVictim(ctx, t, i, numberAttack+71, 3, i.dev.Receiver.URL)
	nobody, dana := i.visitor(t), i.visitor(t).isNow(ctx, t, "demo-specialist")
	pages := i.ownPages(ctx, t)
	vera, adam := pages.visitor(t).signsIn(ctx, t, "vera"), pages.visitor(t).signsIn(ctx, t, "adam")
	reason := encoded(library.ReasonPayload{Reason: "because"})
	approve := func(by *visitor) wire { return by.update(v, library.Approve, v.approval()) }
	as := func(by *visitor, w wire) func(*testing.T) (*visitor, wire) {
		return func(*testing.T) (*visitor, wire) { return by, w }
	}
	// A header that would be good, if it were believed.
	header := map[string]any{"header": map[string]any{"fields": map[string]any{
		staff.HeaderName: payloads([]byte(sign(t, i.signer(t), i.person(t, "demo-privacy"), v.release, library.Approve, v.approval())))["payloads"].([]any)[0],
	}}}
	const role, page, admin, notHere, nobodyIn = "needs the role", "another page", "only an administrator", "cannot be done through Fileroom", "signed in"
	for name, tt := range map[string]intrusion{
		"without a session":                       {nobodyIn, as(nobody, approve(nobody))},
		"with a token that is none":               {nobodyIn, as(nobody, approve(nobody).with("Cookie", "__Host-fileroom=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))},
		"with the other door's token":             {nobodyIn, as(nobody, approve(nobody).with("Cookie", dana.token(t, dana.panel)))},
		"by a viewer":                             {role, as(vera, approve(vera))},
		"by an administrator":                     {role, as(adam, approve(adam))},
		"a denial by a specialist":                {role, as(dana, dana.update(v, library.Deny, reason))},
		"by a viewer with another's header":       {role, as(vera, vera.update(v, library.Approve, v.approval(), header))},
		"by a viewer with another's metadata":     {role, as(vera, approve(vera).with("Grpc-Metadata-X-Fileroom-Actor", "demo-privacy").with("Temporal-Principal-Name", "demo-privacy"))},
		"from a page of another origin":           {page, as(dana, approve(dana).with("Origin", "https://elsewhere.example").with("Sec-Fetch-Site", "cross-site"))},
		"from a page of the same site":            {page, as(dana, approve(dana).with("Origin", dana.panel).with("Sec-Fetch-Site", "same-site"))},
		"from a page without an origin":           {page, as(dana, approve(dana).with("Origin", "null"))},
		"to another case than the body says":      {"not as you saw it", as(dana, dana.update(other, library.Approve, v.approval(), map[string]any{"workflowId": v.release}))},
		"a termination":                           {admin, as(dana, dana.call(v, "terminate", map[string]any{}))},
		"a cancellation":                          {admin, as(dana, dana.call(v, "cancel", map[string]any{}))},
		"a reset":                                 {admin, as(dana, dana.call(v, "reset", map[string]any{"workflowTaskFinishEventId": "4"}))},
		"a start":                                 {admin, as(dana, dana.call(v, "", map[string]any{}).at(dana.ui+"/api/v1/namespaces/"+v.name+"/workflows/transfer%2Fof-mine"))},
		"a signal with the start":                 {"none of them starts one", as(dana, dana.call(v, "signal-with-start/approve", map[string]any{}))},
		"a batch":                                 {admin, as(dana, dana.call(v, "", map[string]any{}).at(dana.ui+"/api/v1/namespaces/"+v.name+"/batch-operations/of-mine"))},
		"an activity's result":                    {"only runs within a workflow", as(dana, dana.call(v, "", map[string]any{}).at(dana.ui+"/api/v1/namespaces/"+v.name+"/activities/complete-by-id"))},
		"a signal of the program's own":           {notHere, as(dana, dana.call(v, "signal/arrived", map[string]any{"input": payloads([]byte(`{"arrival": 1}`))}))},
		"a message to another namespace":          {notHere, as(dana, dana.call(v, "", map[string]any{}).at(dana.ui+"/api/v1/namespaces/temporal-system/workflows/x/update/approve"))},
		"a form of the desk from another page":    {"", as(dana, dana.form(v, url.Values{"message": {"withdraw"}, "reason": {"because"}}).with("Origin", "https://elsewhere.example"))},
		"a form of the desk from the Temporal UI": {"", as(dana, dana.form(v, url.Values{"message": {"withdraw"}, "reason": {"because"}}).with("Origin", dana.ui))},
		"a form of the desk without a session":    {"", as(nobody, nobody.form(v, url.Values{"message": {"withdraw"}, "reason": {"because"}}))},
		"a form of the desk by a viewer":          {role, as(vera, vera.form(v, url.Values{"message": {"withdraw"}, "reason": {"because"}}))},
	} {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // One after the other: they speak to one case.
			by, w := tt.make(t)
			if status, body, _ := by.do(ctx, t, w); !refused(status, body, tt.says) {
				t.Errorf("it is answered by %d: %.300s; want a refusal that says %q", status, body, tt.says)
			}
			v.wantUnmoved(ctx, t, 0, 0)
			other.wantUnmoved(ctx, t, 0, 0)
		})
	}
	t.Run("a transfer that an administrator starts", func(t *testing.T) { //nolint:paralleltest // As above.
		start := adam.call(v, "", map[string]any{
			"workflowType": map[string]string{"name": "Transfer"}, "taskQueue": map[string]string{"name": workflows.TaskQueue},
			"input": payloads(encoded(v.transferOf(1))),
		}).at(adam.ui + "/api/v1/namespaces/" + v.name + "/workflows/" + url.PathEscape(workflows.TransferID(v.id, 1)))
		status, body, _ := adam.do(ctx, t, start)
		if status != http.StatusForbidden {
			t.Errorf("it is answered by %d: %.300s", status, body)
		}
		v.wantUnmoved(ctx, t, 0, 0)
	})
	// The same, from whom it may come.
	if status, body, _ := dana.do(ctx, t, approve(dana)); status != http.StatusOK || refused(http.StatusOK, body, "") {
		t.Errorf("a good approval is answered by %d: %s", status, body)
	}
	v.wantReleased(ctx, t)
	v.wantSaidBy(ctx, t, "approve by demo-specialist")
	wantLooks(ctx, t, v, "demo-specialist")
}

// wantLooks fails the test unless the refused writes are in the access log.
func wantLooks(ctx context.Context, t *testing.T, v *victim, by string) {
	t.Helper()
	looks, err := v.store.Looks(ctx, v.id, 0)
	if err != nil {
		t.Fatal(err)
	}
	refusals := 0
	for _, l := range looks {
		if l.What == library.LookRefused && l.Actor.Subject == by {
			refusals++
		}
	}
	if refusals < 4 {
		t.Errorf("%d refused writes of %s are in the access log, want those of all that was tried", refusals, by)
	}
}

// at is a request to another address.
func (w wire) at(address string) wire {
	w.url = address
	return w
}

// form is a form of the desk's page of a case.
func (v *visitor) form(c *victim, form url.Values) wire {
	form.Set("id", "0123456789abcdef0123")
	return wire{method: http.MethodPost, url: v.panel + "/desk/" + string(c.id) + "/say", body: []byte(form.Encode()), header: map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Origin": v.panel, "Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
	}}
}

// token is the cookie that a visitor has at a door.
func (v *visitor) token(t *testing.T, door string) string {
	t.Helper()
	u, err := url.Parse(door)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Jar.Cookies(u) {
		if c.Name == "__Host-fileroom" {
			return c.Name + "=" + c.Value
		}
	}
	t.Fatalf("there is no session at %s", door)
	return ""
}
