package library_test

import (
	"strings"
	"testing"

	"fileroom/internal/library"
)

// decode decodes a payload as the handlers of its message do.
func decode(m library.Message, raw string) error {
	var err error
	switch m {
	case library.Approve:
		_, err = library.Decode[library.ApprovePayload](m, []byte(raw))
	case library.Deny, library.Hold, library.Resume, library.Withdraw:
		_, err = library.Decode[library.ReasonPayload](m, []byte(raw))
	case library.Ask:
		_, err = library.Decode[library.AskPayload](m, []byte(raw))
	case library.Correct:
		_, err = library.Decode[library.CorrectPayload](m, []byte(raw))
	case library.Acknowledged:
		_, err = library.Decode[library.AcknowledgePayload](m, []byte(raw))
	case library.Choose:
		_, err = library.Decode[library.ChoosePayload](m, []byte(raw))
	case library.Confirm:
		_, err = library.Decode[library.ConfirmPayload](m, []byte(raw))
	case library.Place:
		_, err = library.Decode[library.PlacePayload](m, []byte(raw))
	case library.Split:
		_, err = library.Decode[library.SplitPayload](m, []byte(raw))
	}
	return err
}

var everyMessage = []library.Message{
	library.Approve, library.Deny, library.Ask, library.Correct, library.Acknowledged, library.Choose,
	library.Hold, library.Resume, library.Confirm, library.Withdraw, library.Place, library.Split,
}

func TestEveryExampleIsGood(t *testing.T) {
	t.Parallel()

	for _, m := range everyMessage {
		if err := decode(m, library.Example(m)); err != nil {
			t.Errorf("the example of %s: %v", m, err)
		}
	}
}

func TestDecodeSaysWhatIsWrong(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		message library.Message
		raw     string
		says    string
	}{
		"no revision":             {library.Approve, `{}`, "revision"},
		"a misspelt field":        {library.Approve, `{"revison": "x"}`, "for example"},
		"two objects":             {library.Approve, `{"revision": "x"}{}`, "more than one"},
		"no JSON":                 {library.Approve, `yes`, "not the JSON"},
		"no reason":               {library.Deny, `{"reason": " "}`, "a reason is needed"},
		"nothing corrected":       {library.Correct, `{}`, "at least one field"},
		"no finding":              {library.Acknowledged, `{"reason": "x"}`, "by its rule"},
		"nothing chosen":          {library.Choose, `{}`, "choose"},
		"a basis that is none":    {library.Choose, `{"basis": "LB-9"}`, "LB-1 to LB-5"},
		"nobody's word":           {library.Confirm, `{"destination": "x", "how": "y"}`, "by whom"},
		"placed nowhere":          {library.Place, `{"reason": "x"}`, "choose one"},
		"placed twice":            {library.Place, `{"new": true, "sort": true, "reason": "x"}`, "choose one"},
		"split into one":          {library.Split, `{"pages": [[1]]}`, "two groups"},
		"the payload is not told": {library.Correct, `{"patient.family": Whitcombe}`, "not the JSON"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			err := decode(tt.message, tt.raw)
			if library.KindOf(err) != library.Invalid || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "Whitcombe") {
				t.Errorf("error = %v, want one that says %q", err, tt.says)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range everyMessage {
		f.Add(string(m), library.Example(m))
	}
	f.Fuzz(func(t *testing.T, m, raw string) {
		if err := decode(library.Message(m), raw); err != nil && library.KindOf(err) != library.Invalid {
			t.Errorf("error %v has the kind %q", err, library.KindOf(err))
		}
	})
}
