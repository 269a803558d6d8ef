package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/postgres"
	"fileroom/internal/postgres/postgrestest"
)

// hostile holds what neither text nor jsonb may hold, what only looks like it,
// and what must come through as it is.
const (
	hostile = "a\x00b\xffc \\u0000 \\\x00 \u2028 \"q\" \U0001F600"
	kept    = "a\uFFFDb\uFFFDc \\u0000 \\\uFFFD \u2028 \"q\" \U0001F600"
)

// TestHostileText holds that bytes which PostgreSQL refuses do not stop a
// case: they are kept as U+FFFD, and the disclosure's hash is over that.
func TestHostileText(t *testing.T) {
	t.Parallel()

	s := postgres.NewStore(postgrestest.New(t))
	c := release(t, s, library.Patient{Given: hostile, Family: "Okafor", Address: hostile})
	lines, err := s.Disclosures(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := library.VerifyChain(lines); err != nil {
		t.Error(err)
	}
	if got := lines[0].Patient.Reveal(); got.Given != kept || got.Address != kept {
		t.Errorf("patient = %+q, want %+q", got, kept)
	}

	finding := library.Finding{Rule: "DL-02", Severity: library.Human, Why: hostile}
	for range 2 { // The second time it is the same as before, and stays acknowledged.
		if err := s.SetAssessment(t.Context(), c.ID, library.Assessment{Findings: []library.Finding{finding}}); err != nil {
			t.Fatal(err)
		}
		if err := s.AcknowledgeFinding(t.Context(), c.ID, "DL-02", library.Acknowledge{By: "u-17", Reason: hostile}); err != nil {
			t.Fatal(err)
		}
	}
	findings, err := s.Findings(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if f := findings[0]; f.Why != kept || f.Acknowledged == nil || f.Acknowledged.Reason != kept {
		t.Errorf("finding = %+v, want %+q", f, kept)
	}
	choices := library.Choices{Corrections: map[string]string{"patient.given": hostile}, Studies: []string{hostile}}
	if err := s.SetChoices(t.Context(), c.ID, choices); err != nil {
		t.Fatal(err)
	}
	choices, err = s.Choices(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if choices.Corrections["patient.given"] != kept || choices.Studies[0] != kept {
		t.Errorf("choices = %+v, want %+q", choices, kept)
	}
}

// TestErrorsHoldNoValues provokes what the server answers with a row, and
// looks for the row in the error.
func TestErrorsHoldNoValues(t *testing.T) {
	t.Parallel()

	db := postgrestest.NewDatabase(t)
	s := postgres.NewStore(db.Pool(t, postgrestest.Worker))
	const secret = "Okafor"
	c := release(t, s, library.Patient{Family: secret})
	huge := strings.Repeat(secret, 2000) // More than an index row may hold.
	for i := range 4000 {
		huge += fmt.Sprint(i * i)
	}
	// A row that is not as the program writes it: the decoder sees the value.
	if _, err := db.Pool(t, postgrestest.Owner).Exec(t.Context(), `UPDATE fileroom.cases SET requester = '"Okafor"'`); err != nil {
		t.Fatal(err)
	}

	_, unreadable := s.Case(t.Context(), c.ID)
	_, tooLong := s.AddArrival(t.Context(), library.Arrival{Channel: library.ChannelFax, Key: huge})
	_, badNumber := s.OpenCase(t.Context(), library.Case{
		ID: "no number", Arrival: c.Arrival, Part: 2, Channel: library.ChannelFax,
		Stage: library.StageReading, Waiting: library.WaitingNobody, Requester: library.Hide(library.Requester{Email: secret}),
	})
	_, unreachable := postgres.Open(t.Context(), "postgres://Okafor:Okafor@127.0.0.1:1/Okafor")
	_, unparsable := postgres.Open(t.Context(), "postgres://Okafor:Okafor@%zz/")
	_, wrongPassword := postgres.Open(t.Context(), strings.Replace(db.URL(postgrestest.Worker), "password=", "password=Okafor", 1))

	tests := map[string]struct {
		err  error
		kind library.Kind
		text string // A part of it that helps.
	}{
		"a number that is none":  {badNumber, library.Invalid, "23514 cases_id_check"},
		"an unknown severity":    {s.SetAssessment(t.Context(), c.ID, library.Assessment{Findings: []library.Finding{{Rule: secret, Severity: secret}}}), library.Invalid, "23514"},
		"a value too long":       {tooLong, "", "54000"},
		"a row of another shape": {unreadable, "", "json"},
		"an unknown arrival":     {s.AddEvent(t.Context(), library.Event{Arrival: 99, Key: secret, At: time.Now()}), library.NotFound, "23503"},
		"no server":              {unreachable, "", "refused"},
		"a url that is none":     {unparsable, library.Invalid, "url"},
		"a wrong password":       {wrongPassword, library.Unauthorized, "28P01"},
	}
	for name, tt := range tests {
		if tt.err == nil || library.KindOf(tt.err) != tt.kind || !strings.Contains(tt.err.Error(), tt.text) {
			t.Errorf("%s: error %v, want kind %q and %q", name, tt.err, tt.kind, tt.text)
		}
		if strings.Contains(fmt.Sprint(tt.err), secret) {
			t.Errorf("%s: the error quotes a value: %v", name, tt.err)
		}
	}
}
