package desk

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"fileroom/internal/library"
)

// A letterView is a letter about the case.
type letterView struct {
	Kind, State, To, Subject, Text string
	Bad                            bool
	At                             time.Time
}

func (f *casefile) letterViews() []letterView {
	var all []letterView
	for _, l := range f.letters {
		state := word(letterStates, l.State)
		if l.Reason != "" {
			state += " (" + l.Reason + ")"
		}
		all = append(all, letterView{
			Kind: word(letterNames, l.Kind), State: state, To: l.To.Reveal(), Subject: l.Subject, Text: l.Text.Reveal(), At: l.At,
			Bad: l.State == library.LetterRefused || l.State == library.LetterUnsent,
		})
	}
	return all
}

// A sendingView is how far the images of the present release have come.
type sendingView struct {
	All, Sent, Confirmed int
	Trouble              []string
}

func (f *casefile) sendingView() *sendingView {
	if len(f.images) == 0 {
		return nil
	}
	v := sendingView{All: len(f.images)}
	bad := map[library.InstanceState]int{}
	for _, i := range f.images {
		switch i.State {
		case library.InstanceSent:
			v.Sent++
		case library.InstanceConfirmed:
			v.Sent++
			v.Confirmed++
		case library.InstancePending:
		case library.InstanceRefused, library.InstanceStranger, library.InstanceDifferent:
			bad[i.State]++
		}
	}
	for _, b := range []struct {
		state library.InstanceState
		words string
	}{
		{library.InstanceRefused, "refused by the receiver"},
		{library.InstanceStranger, "held back: the header names another patient"},
		{library.InstanceDifferent, "not the same at the receiver: it holds another image under the same number"},
	} {
		if n := bad[b.state]; n > 0 {
			v.Trouble = append(v.Trouble, countWords(n, "image")+" "+b.words)
		}
	}
	return &v
}

// A historyView is a line of what happened.
type historyView struct {
	At      time.Time
	Who     string
	What    string
	Details []string
	Person  bool // Somebody decided.
}

// history merges events and decisions by time. An event that only repeats a
// decision is left out.
func (f *casefile) history() []historyView {
	var all []historyView
	for _, e := range f.events {
		if strings.HasPrefix(e.Key, "decision/") {
			continue
		}
		h := historyView{At: e.At, Who: f.name(e.Actor), What: f.eventWords(e)}
		if e.Detail != "" && !strings.HasPrefix(e.Key, "stage/") && !strings.HasPrefix(e.Key, "letter/") {
			h.Details = []string{e.Detail}
		}
		all = append(all, h)
	}
	for _, d := range f.decisions {
		all = append(all, historyView{
			At: d.At, Who: f.name(d.Actor.Subject), What: word(saidNames, d.Message), Details: saidWords(d), Person: true,
		})
	}
	slices.SortStableFunc(all, func(a, b historyView) int { return a.At.Compare(b.At) })
	return all
}

func (f *casefile) eventWords(e library.Event) string {
	switch {
	case strings.HasPrefix(e.Key, "stage/"):
		stage, waiting, _ := strings.Cut(e.Detail, ", waiting for ")
		w := "Now: " + strings.ToLower(word(stageNames, library.Stage(stage)))
		if name, ok := waitingNames[library.Waiting(waiting)]; ok {
			w += ", " + name
		}
		return w
	case strings.HasPrefix(e.Key, "letter/"):
		for _, l := range f.letters {
			if strings.HasPrefix(e.Key, fmt.Sprintf("letter/%d/", l.Number)) {
				return fmt.Sprintf("Letter %d: %s (%s)", l.Number, strings.ToLower(word(letterNames, l.Kind)), strings.TrimPrefix(e.What, "letter "))
			}
		}
	}
	return sentence(e.What)
}

// saidWords says what came with a decision, line for line.
func saidWords(d library.Decision) []string {
	raw := []byte(d.Payload.Reveal())
	var lines []string
	add := func(label, value string) {
		if value != "" {
			lines = append(lines, label+value)
		}
	}
	switch d.Message {
	case library.Approve:
		var p library.ApprovePayload
		_ = json.Unmarshal(raw, &p) // What does not decode has nothing to show.
		add("", p.Note)
	case library.Deny, library.Hold, library.Resume, library.Withdraw:
		var p library.ReasonPayload
		_ = json.Unmarshal(raw, &p)
		add("", p.Reason)
	case library.Ask:
		var p library.AskPayload
		_ = json.Unmarshal(raw, &p)
		add("For: ", strings.Join(p.Items, ", "))
		add("", p.Message)
	case library.Correct:
		var p library.CorrectPayload
		_ = json.Unmarshal(raw, &p)
		for _, name := range sortedKeys(p) {
			group, label := fieldLabel(name)
			add(group+", "+strings.ToLower(label)+": ", shownValue(name, p[name]))
		}
	case library.Acknowledged:
		var p library.AcknowledgePayload
		_ = json.Unmarshal(raw, &p)
		add(p.Finding+": ", p.Reason)
	case library.Choose:
		var p library.ChoosePayload
		_ = json.Unmarshal(raw, &p)
		add("Patient ", strings.TrimPrefix(p.Patient, "p"))
		if len(p.Studies) > 0 {
			add("", map[bool]string{true: "1 study", false: fmt.Sprintf("%d studies", len(p.Studies))}[len(p.Studies) == 1])
		}
		add("Destination: ", string(p.Facility))
		add("Legal basis: ", string(p.Basis))
	case library.Confirm:
		var p library.ConfirmPayload
		_ = json.Unmarshal(raw, &p)
		add("By ", p.By)
		add("", p.How)
	case library.Place:
		var p library.PlacePayload
		_ = json.Unmarshal(raw, &p)
		add("", p.Reason)
	case library.Split:
		var p library.SplitPayload
		_ = json.Unmarshal(raw, &p)
		add("", fmt.Sprintf("into %d parts", len(p.Pages)))
		add("", p.Reason)
	}
	return lines
}
