package desk

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"fileroom/internal/library"
)

// Bounds of what a form may say.
const (
	maxText    = 4000 // Characters of a reason, note or letter.
	maxWord    = 300  // Characters of everything else.
	maxChosen  = 500  // Studies, rules or corrections at once.
	maxGroups  = 200  // Parts that an arrival is split into.
	maxNumbers = 5000 // Page numbers in all groups together.
)

// sayable are the messages of a case's forms.
var sayable = []library.Message{
	library.Approve, library.Deny, library.Ask, library.Correct, library.Acknowledged, library.Choose,
	library.Hold, library.Resume, library.Confirm, library.Withdraw,
}

// placeable are the messages of an arrival's forms.
var placeable = []library.Message{library.Place, library.Split}

// payloadOf turns a form into the payload of m. What is wrong is an
// [library.Invalid] error with a sentence for the person who sent it.
func payloadOf(m library.Message, form url.Values) ([]byte, error) {
	p, err := typedPayload(m, form)
	if err == nil {
		err = p.Check()
	}
	if err != nil {
		return nil, library.Errorf(library.Invalid, string(m), "", "%w", err)
	}
	raw, err := json.Marshal(p)
	return raw, library.Fault(string(m), "", err)
}

func typedPayload(m library.Message, form url.Values) (library.Payload, error) {
	t := &texts{form: form}
	var p library.Payload
	switch m {
	case library.Approve:
		p = library.ApprovePayload{Revision: t.revision(), Note: t.text("note")}
	case library.Deny, library.Hold, library.Resume, library.Withdraw:
		p = library.ReasonPayload{Reason: t.text("reason")}
	case library.Ask:
		p = library.AskPayload{Items: t.words("items"), Message: t.text("message")}
	case library.Correct:
		p = t.corrections()
	case library.Acknowledged:
		p = library.AcknowledgePayload{Finding: t.word("finding"), Reason: t.text("reason"), Revision: t.revision()}
	case library.Choose:
		p = t.chosen()
	case library.Confirm:
		p = library.ConfirmPayload{Destination: library.FacilityID(t.word("destination")), How: t.word("how"), By: t.word("by")}
	case library.Place:
		p = t.place()
	case library.Split:
		p = t.split()
	default:
		return nil, errors.New("there is nothing of this name to say")
	}
	return p, t.err
}

// texts reads a form and keeps the first thing that is wrong.
type texts struct {
	form url.Values
	err  error
}

func (t *texts) fail(format string, args ...any) {
	if t.err == nil {
		t.err = fmt.Errorf(format, args...)
	}
}

func (t *texts) bounded(s string, limit int) string {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > limit {
		t.fail("that is too long: at most %d characters", limit)
		return ""
	}
	return s
}

func (t *texts) text(name string) string { return t.bounded(t.form.Get(name), maxText) }
func (t *texts) word(name string) string { return t.bounded(t.form.Get(name), maxWord) }

// revision returns the revision that the page showed.
func (t *texts) revision() library.Revision { return library.Revision(t.word("revision")) }

func (t *texts) words(name string) []string {
	if len(t.form[name]) > maxChosen {
		t.fail("that is too many at once: at most %d", maxChosen)
		return nil
	}
	var all []string
	for _, s := range t.form[name] {
		if s = t.bounded(s, maxWord); s != "" && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// corrections are the fields whose value is not the one that the page showed.
func (t *texts) corrections() library.Payload {
	p := library.CorrectPayload{}
	for key := range t.form {
		name, ok := strings.CutPrefix(key, "field:")
		if !ok {
			continue
		}
		value, was := t.word(key), strings.TrimSpace(t.form.Get("was:"+name))
		if value != was {
			p[t.bounded(name, maxWord)] = value
		}
	}
	if len(p) > maxChosen {
		t.fail("that is too many at once: at most %d", maxChosen)
	}
	if len(p) == 0 {
		t.fail("nothing was changed: correct at least one field first")
	}
	return p
}

// chosen reads one of the four choices: the form says which.
func (t *texts) chosen() library.Payload {
	switch t.form.Get("key") {
	case "patient":
		p := library.ChoosePayload{Patient: t.word("patient"), Among: t.word("among"), Revision: t.revision()}
		if p.Patient == "" {
			t.fail("choose one of the patients")
		}
		return p
	case "studies":
		p := library.ChoosePayload{Studies: t.words("studies"), Revision: t.revision()}
		if len(p.Studies) == 0 {
			t.fail("choose at least one study")
		}
		return p
	case "facility":
		p := library.ChoosePayload{Facility: library.FacilityID(t.word("facility")), Revision: t.revision()}
		if p.Facility == "" {
			t.fail("choose a destination")
		}
		return p
	case "basis":
		p := library.ChoosePayload{Basis: library.Basis(t.word("basis")), Revision: t.revision()}
		if p.Basis == "" {
			t.fail("choose a legal basis")
		}
		return p
	}
	return library.ChoosePayload{}
}

func (t *texts) place() library.Payload {
	p := library.PlacePayload{Reason: t.text("reason")}
	switch t.form.Get("where") {
	case "new":
		p.New = true
	case "sort":
		p.Sort = true
	case "case":
		id, err := library.ParseCaseID(t.word("case"))
		if err != nil {
			t.fail("the case number is not right: %s", reasonOf(err))
		}
		p.Case = id
	default:
		t.fail("say where it belongs: to a case, a new one, or none")
	}
	return p
}

func (t *texts) split() library.Payload {
	groups, err := parseGroups(t.word("pages"))
	if err != nil && t.err == nil {
		t.err = err
	}
	return library.SplitPayload{Pages: groups, Reason: t.text("reason")}
}

// parseGroups reads groups of pages: commas part the groups, a plus joins
// pages, a dash makes a range. "1-2, 3+5" is [[1 2] [3 5]].
func parseGroups(s string) ([][]int, error) {
	how := errors.New("write the pages of each request like 1-2, 3: commas between requests, a plus for pages that are apart")
	var groups [][]int
	total := 0
	for part := range strings.SplitSeq(s, ",") {
		var group []int
		for r := range strings.SplitSeq(part, "+") {
			from, to, ranged := strings.Cut(r, "-")
			a, err := strconv.Atoi(strings.TrimSpace(from))
			b := a
			if err == nil && ranged {
				b, err = strconv.Atoi(strings.TrimSpace(to))
			}
			if err != nil || a < 1 || b < a || b > maxNumbers {
				return nil, how
			}
			if total += b - a + 1; total > maxNumbers {
				return nil, fmt.Errorf("that is too many pages: at most %d", maxNumbers)
			}
			for n := a; n <= b; n++ {
				if !slices.Contains(group, n) {
					group = append(group, n)
				}
			}
		}
		if groups = append(groups, group); len(groups) > maxGroups {
			return nil, fmt.Errorf("that is too many requests: at most %d", maxGroups)
		}
	}
	return groups, nil
}

// updateID names what a form says: the same form with the same content is the
// same update, whoever's finger slipped; another content is another.
func updateID(actor library.Actor, form string, workflow string, m library.Message, payload []byte) string {
	h := sha256.New()
	for _, s := range []string{actor.Subject, form, workflow, string(m), string(payload)} {
		_, _ = fmt.Fprintf(h, "%d:%s", len(s), s) // A hash's Write does not fail.
	}
	return "desk-" + hex.EncodeToString(h.Sum(nil)[:16])
}

// reasonOf returns the reason of an error without what was being done.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*library.Error](err); ok {
		err = e.Err
	}
	s, _, _ := strings.Cut(err.Error(), "; for example: {") // For those who write JSON.
	return s
}
