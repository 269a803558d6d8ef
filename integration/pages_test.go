package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fileroom/internal/library"
	"fileroom/workflows"
)

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}

// A shown is a case that people see in a browser.
type shown struct {
	*victim
	from  patient
	stray message
}

// A variant is how a letter differs from a plain one.
type variant func(l letter) message

func plain(l letter) message { return l.message() }

// withZip is a letter with a file that is not opened, which a person must look
// at (IN-06).
func withZip(l letter) message {
	l.attachments = []attachment{{name: "papers.zip", kind: "application/zip", body: []byte("PK\x05\x06" + strings.Repeat("\x00", 18))}}
	return l.message()
}

// bornWrong is a letter with a wrong date of birth.
func bornWrong(l letter) message {
	l.change = func(text string) string { return strings.Replace(text, l.from.born(), "January 1, 1900", 1) }
	return l.message()
}

// show brings a case into review. It is put on top of the worklists, where the
// many cases of other tests would hide it.
func show(ctx context.Context, t *testing.T, n int, v variant) *shown {
	t.Helper()
	i := usualInstallation(t) //nolint:contextcheck // It outlives the test.
	s := bringIntoReview(ctx, t, i, invent(numberBrowser+n), v)
	if _, err := i.pool.Exec(ctx, `UPDATE fileroom.cases SET due_at = received_at + interval '5 days' WHERE id = $1`, s.id); err != nil {
		t.Fatal(err)
	}
	return s
}

// bringIntoReview brings a case into review, whatever hinders it there.
func bringIntoReview(ctx context.Context, t *testing.T, i *installation, p patient, v variant) *shown {
	t.Helper()
	s := &shown{victim: &victim{installation: i, ct: p.film()}, from: p}
	s.place = i.place(ctx, t, p.number, i.dev.Receiver.URL, known)
	i.fill(ctx, t, s.ct)
	s.id = i.awaitCase(ctx, t, i.deliver(t, v(letter{from: s.from, to: s.place, asks: []string{askFilm}})))
	s.release = workflows.ReleaseID(s.id)
	s.revision = i.awaitStage(ctx, t, s.id, library.StageReview).Revision
	t.Logf("case %s is in review with %v open", s.id, i.open(ctx, t, s.id))
	return s
}

// forTwo makes it a case that needs two people, neither of whom is the third.
func (s *shown) forTwo(ctx context.Context, t *testing.T, by string) {
	t.Helper()
	insist(ctx, t, s.as(ctx, t, by), s.release, library.Choose, library.ChoosePayload{Basis: library.BasisDirective})
	s.settled(ctx, t, "a case for two people", func(now workflows.CaseView) bool { return now.Needed == 2 })
}

// name is the patient's, as pages show it.
func (s *shown) name() string { return upper(s.from.family) }

// wantApprovedBy fails the test unless these people, and they alone, approved
// the case, and it was released for it.
func (s *shown) wantApprovedBy(ctx context.Context, t *testing.T, subjects ...string) {
	t.Helper()
	s.wantReleased(ctx, t)
	on, err := s.store.Decisions(ctx, s.id)
	if err != nil {
		t.Fatal(err)
	}
	var by []string
	for _, d := range on {
		if d.Message == library.Approve {
			by = append(by, d.Actor.Subject)
		}
	}
	if !slices.Equal(by, subjects) {
		t.Errorf("approved by %v, want %v", by, subjects)
	}
}

// rest waits until the case has been checked again.
func (s *shown) rest(ctx context.Context, t *testing.T, _ string) error {
	s.settled(ctx, t, "a case in review", func(workflows.CaseView) bool { return true })
	return nil
}

// change has somebody else change the case.
func (s *shown) change(ctx context.Context, t *testing.T, _ string) error {
	was := s.revision
	insist(ctx, t, s.as(ctx, t, "demo-privacy"), s.release, library.Choose, library.ChoosePayload{Basis: library.BasisTreatment})
	s.settled(ctx, t, "another revision", func(now workflows.CaseView) bool { return now.Revision != was })
	return nil
}

// endSession has the session run out that a browser's token lets into.
func (s *shown) endSession(ctx context.Context, _ *testing.T, digest string) error {
	changed, err := s.pool.Exec(ctx, `UPDATE fileroom.sessions SET started_at = started_at - interval '1 hour', seen_at = seen_at - interval '16 minutes'
		WHERE id = (SELECT session_id FROM fileroom.passes WHERE digest = $1)`, digest)
	if err == nil && changed.RowsAffected() != 1 {
		err = errors.New("there is no such session")
	}
	return err
}

func (s *shown) held(ctx context.Context, t *testing.T, _ string) error {
	s.settled(ctx, t, "a hold", func(now workflows.CaseView) bool { return now.Held })
	return nil
}

// undecided fails the test if anything was decided.
func (s *shown) undecided(ctx context.Context, t *testing.T, _ string) error {
	s.wantUnmoved(ctx, t, 0, 0)
	return nil
}

// TestBrowser plays the days of the staff in a browser, on the desk and in the
// Temporal UI. What comes of it is looked up in the records.
//
// It runs before all others and one scene after the other: a browser beside
// everything else starves two cores, and people's patience is what it looks at.
func TestBrowser(t *testing.T) { //nolint:paralleltest // See above.
	const dana, luis, priya = "demo-specialist", "demo-lead", "demo-privacy"
	for n, tt := range []struct {
		name, scene string
		variant     variant
		forTwo      string // Who makes it so.
		args        func(s *shown) map[string]any
		by          []string // Who approves it, in the end.
	}{
		{name: "three clicks from the list to approved", scene: "deskApproves", by: []string{dana}, args: func(s *shown) map[string]any {
			return map[string]any{"patient": s.name()}
		}},
		{name: "the keyboard alone", scene: "deskByKeyboard", by: []string{dana}},
		{name: "a finding to answer at the desk", scene: "deskAcknowledges", variant: withZip, by: []string{dana}, args: rule("IN-06")},
		{name: "a field to correct", scene: "deskCorrects", variant: bornWrong, by: []string{dana}, args: func(s *shown) map[string]any {
			return map[string]any{"field": "patient.birth_date", "wrong": "1900-01-01", "right": string(s.from.birth)}
		}},
		{name: "a refusal at the desk", scene: "deskRefused", by: []string{dana}},
		{name: "a session that runs out at the desk", scene: "deskSessionEnds", by: []string{dana}},
		{name: "decisions in the panel", scene: "panelDecides", variant: withZip, by: []string{dana}, args: func(s *shown) map[string]any {
			return map[string]any{"patient": s.name(), "rule": "IN-06"}
		}},
		{name: "two people", scene: "twoPeople", forTwo: luis, by: []string{dana, priya}},
		{name: "a session that runs out in the Temporal UI", scene: "temporalSessionEnds", by: []string{luis}},
		{name: "the Temporal UI's own menus", scene: "stockMenus", by: []string{luis}, args: func(s *shown) map[string]any {
			return map[string]any{"revision": s.revision}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) { //nolint:paralleltest // As above.
			ctx := within(t, limit)
			if tt.variant == nil {
				tt.variant = plain
			}
			s := show(ctx, t, n, tt.variant)
			if tt.forTwo != "" {
				s.forTwo(ctx, t, tt.forTwo)
			}
			args := map[string]any{}
			if tt.args != nil {
				args = tt.args(s)
			}
			args["id"] = s.id
			s.play(ctx, t, tt.scene, args, map[string]answer{
				"change the case": s.change, "it rests": s.rest, "end the session": s.endSession, "nothing was decided": s.undecided, "it is held": s.held,
			})
			s.wantApprovedBy(ctx, t, tt.by...)
		})
	}
	t.Run("several approved together", testTogether)
	t.Run("a viewer whom the identity provider signs in", testViewer)
	t.Run("every page for everybody", testEveryPage)
	t.Run("a sign-out at both doors", func(t *testing.T) { //nolint:paralleltest // As above.
		usualInstallation(t).play(within(t, limit), t, "signsOut", map[string]any{}, nil)
	})
}

func rule(id string) func(*shown) map[string]any {
	return func(*shown) map[string]any { return map[string]any{"rule": id} }
}

func testTogether(t *testing.T) {
	ctx := within(t, limit)
	all := []*shown{}
	ids := []library.CaseID{}
	for n := range 3 {
		all = append(all, show(ctx, t, 30+n, plain))
		ids = append(ids, all[n].id)
	}
	all[0].play(ctx, t, "deskTogether", map[string]any{"ids": ids}, nil)
	for _, s := range all {
		s.wantApprovedBy(ctx, t, "demo-specialist")
	}
}

// testEveryPage looks whether everybody can use the pages, in light and dark.
func testEveryPage(t *testing.T) {
	ctx := within(t, limit)
	clean, finding := show(ctx, t, 40, plain), show(ctx, t, 41, withZip)
	a := await(ctx, t, "an arrival that staff must place", func(ctx context.Context) (library.Arrival, error) {
		return clean.arrival(ctx, clean.strange(t))
	}, func(a library.Arrival) bool { return a.State == library.ArrivalWaiting })
	grounds := map[string]bool{}
	for _, scheme := range []string{"light", "dark"} {
		var found struct{ Background string }
		args := map[string]any{"scheme": scheme, "clean": clean.id, "finding": finding.id, "arrival": a.ID}
		if err := json.Unmarshal(clean.play(ctx, t, "everyPage", args, nil), &found); err != nil {
			t.Fatal(err)
		}
		grounds[found.Background] = true
	}
	if len(grounds) != 2 {
		t.Errorf("the pages' background is %v, want one for light and one for dark", grounds)
	}
	if *shots {
		to := func(name string) string {
			path, err := filepath.Abs(filepath.Join("..", ".github", name))
			if err != nil {
				t.Fatal(err)
			}
			return path
		}
		clean.play(ctx, t, "pictures", map[string]any{
			"id": finding.id, "desk": to("case-at-the-desk.png"), "temporal": to("panel-in-the-temporal-ui.png"),
		}, nil)
	}
}

// strange delivers, once, what is no request.
func (s *shown) strange(t *testing.T) message {
	t.Helper()
	if s.stray.id == "" {
		s.stray = s.deliver(t, envelope("Otto Quist", nil, "text/plain", ""))
	}
	return s.stray
}
