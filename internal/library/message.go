package library

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// A Payload is what comes with a [Message]: one JSON object.
type Payload interface {
	// Check returns what is wrong, in a sentence for the person who sent it.
	Check() error
}

// ApprovePayload comes with [Approve].
type ApprovePayload struct {
	Revision Revision `json:"revision"` // As it was shown.
	Note     string   `json:"note,omitempty"`
}

// ReasonPayload comes with [Deny], [Hold], [Resume] and [Withdraw].
type ReasonPayload struct {
	Reason string `json:"reason"`
}

// AskPayload comes with [Ask]. Without items everything open is asked for.
type AskPayload struct {
	Items   []string `json:"items,omitempty"` // Rules whose asks go into the letter.
	Message string   `json:"message,omitempty"`
}

// CorrectPayload comes with [Correct]: field names as a reading has them.
type CorrectPayload map[string]string

// AcknowledgePayload comes with [Acknowledged].
type AcknowledgePayload struct {
	Finding  string   `json:"finding"` // The rule.
	Reason   string   `json:"reason"`
	Revision Revision `json:"revision,omitempty"` // As it was shown; refused if the case is another by now.
}

// ChoosePayload comes with [Choose].
type ChoosePayload struct {
	Patient  string     `json:"patient,omitempty"` // Key of a candidate, such as p1.
	Among    string     `json:"among,omitempty"`   // [Match.Among], as it was shown; refused if the key is among others by now.
	Studies  []string   `json:"studies,omitempty"` // Study Instance UIDs.
	Facility FacilityID `json:"facility,omitempty"`
	Basis    Basis      `json:"basis,omitempty"`
	Revision Revision   `json:"revision,omitempty"` // As it was shown; refused if the case is another by now.
}

// NoRevision is what a choice or an acknowledgement names when the case had no
// revision as it was shown. No case has it, so that no approval can be for it.
const NoRevision Revision = "none"

// Shown returns what a message names of a case that is shown with r.
func (r Revision) Shown() Revision { return cmp.Or(r, NoRevision) }

// ConfirmPayload comes with [Confirm].
type ConfirmPayload struct {
	Destination FacilityID `json:"destination"`
	How         string     `json:"how"` // Such as: by telephone, 26 May, 10:15.
	By          string     `json:"by"`  // Who confirmed, at the receiver's.
}

// PlacePayload comes with [Place]: exactly one of the three.
type PlacePayload struct {
	Case   CaseID `json:"case,omitempty"` // It belongs to this open case.
	New    bool   `json:"new,omitempty"`  // It is a request of its own.
	Sort   bool   `json:"sort,omitempty"` // It is no request.
	Reason string `json:"reason"`
}

// SplitPayload comes with [Split]: every page in at least one group.
type SplitPayload struct {
	Pages  [][]int `json:"pages"`
	Reason string  `json:"reason,omitempty"`
}

// Example returns a payload of m for people to copy.
func Example(m Message) string {
	switch m {
	case Approve:
		return `{"revision": "0123456789abcdef0123", "note": "compared with the letter"}`
	case Deny, Hold, Resume, Withdraw:
		return `{"reason": "the patient called"}`
	case Ask:
		return `{"items": ["DL-06"], "message": "Please sign the letter."}`
	case Correct:
		return `{"patient.birth_date": "1961-03-09"}`
	case Acknowledged:
		return `{"finding": "DL-08", "reason": "maiden name, seen on the ID"}`
	case Choose:
		return `{"patient": "p1", "studies": ["2.25.1"], "facility": "blue-ridge", "basis": "LB-3"}`
	case Confirm:
		return `{"destination": "blue-ridge", "how": "by telephone", "by": "M. Vega, file room"}`
	case Place:
		return `{"new": true, "reason": "a request on a napkin"}`
	case Split:
		return `{"pages": [[1, 2], [3]]}`
	}
	return "{}"
}

// Decode reads a payload of m strictly: an unknown field is an error, for it
// may be a misspelt one. Errors are of kind [Invalid] and carry an example.
func Decode[P Payload](m Message, raw []byte) (P, error) {
	var p P
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err := d.Decode(&p)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one object")
		}
	} else {
		err = errors.New("not the JSON that is meant") // The decoder's words may quote the payload.
	}
	if err == nil {
		err = p.Check()
	}
	if err != nil {
		return p, Errorf(Invalid, string(m), "", "%w; for example: %s", err, Example(m))
	}
	return p, nil
}

func reasoned(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return errors.New("a reason is needed")
	}
	return nil
}

// Check implements [Payload].
func (p ApprovePayload) Check() error {
	if p.Revision == "" {
		return errors.New("name the revision that you looked at")
	}
	return nil
}

// Check implements [Payload].
func (p ReasonPayload) Check() error { return reasoned(p.Reason) }

// Check implements [Payload].
func (p AskPayload) Check() error { return nil }

// Check implements [Payload].
func (p CorrectPayload) Check() error {
	if len(p) == 0 {
		return errors.New("name at least one field")
	}
	return nil
}

// Check implements [Payload].
func (p AcknowledgePayload) Check() error {
	if p.Finding == "" {
		return errors.New("name the finding by its rule")
	}
	return reasoned(p.Reason)
}

// Check implements [Payload].
func (p ChoosePayload) Check() error {
	if p.Patient == "" && len(p.Studies) == 0 && p.Facility == "" && p.Basis == "" {
		return errors.New("choose a patient, studies, a facility or a basis")
	}
	switch p.Basis {
	case "", BasisAccess, BasisDirective, BasisTreatment, BasisAuthorization, BasisLegalProcess:
		return nil
	}
	return errors.New("a basis is one of LB-1 to LB-5")
}

// Check implements [Payload].
func (p ConfirmPayload) Check() error {
	if p.Destination == "" || strings.TrimSpace(p.How) == "" || strings.TrimSpace(p.By) == "" {
		return errors.New("say which destination, how and by whom")
	}
	return nil
}

// Check implements [Payload].
func (p PlacePayload) Check() error {
	ways := 0
	for _, chosen := range []bool{p.Case != "", p.New, p.Sort} {
		if chosen {
			ways++
		}
	}
	if ways != 1 {
		return errors.New("choose one: a case, new, or sort")
	}
	return reasoned(p.Reason)
}

// Check implements [Payload].
func (p SplitPayload) Check() error {
	if len(p.Pages) < 2 {
		return errors.New("name at least two groups of pages")
	}
	return nil
}
