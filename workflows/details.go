package workflows

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"fileroom/internal/library"
)

// show tells the Temporal UI how the case stands. The UI fetches this text
// through a URL, so there is nothing about the patient in it, nor anything that
// the requester wrote.
func (w *release) show(ctx workflow.Context) {
	var b strings.Builder
	fmt.Fprintf(&b, "## Case %s: %s\n\n", w.p.Case, w.stage)
	fmt.Fprintf(&b, "| | |\n|---|---|\n| waits for | **%s** |\n| due | %s |\n", w.waiting, w.due.UTC().Format("2 January 2006"))
	if w.checked.Basis != "" {
		fmt.Fprintf(&b, "| legal basis | %s, risk tier %d |\n", w.checked.Basis, w.checked.Tier)
		fmt.Fprintf(&b, "| images | %d |\n| destination | %s |\n", w.checked.Images, orNone(plain(string(w.checked.Facility))))
		fmt.Fprintf(&b, "| approvals | %d of %d |\n", len(w.approvals), w.checked.Tier.Approvals())
	}
	b.WriteString("\n")
	deskLink(&b, w.desk, w.p.Case, 0)
	if w.outcome != "" {
		fmt.Fprintf(&b, "**Outcome: %s**\n\n", w.outcome)
	}
	if w.held {
		b.WriteString("**On hold.**\n\n")
	}
	if w.note != "" {
		fmt.Fprintf(&b, "**Note:** %s\n\n", plain(w.note))
	}
	if w.waited > 0 {
		fmt.Fprintf(&b, "**Reminder:** it has been waiting; reminded %d times.\n\n", w.waited)
	}
	notes(&b, w.trouble, w.refused)
	switch {
	case w.outcome != "":
	case w.stage == library.StageReview:
		w.showReview(&b)
	case w.stage == library.StageDeficient && len(w.checked.Open) > 0:
		w.showOpen(&b)
	}
	workflow.SetCurrentDetails(ctx, b.String())
}

// showReview says what hinders an approval, or how to approve.
func (w *release) showReview(b *strings.Builder) {
	if len(w.checked.Open) > 0 {
		w.showOpen(b)
		b.WriteString("\nPut them right with `correct` or `choose`, answer them with `acknowledge`, or send `ask` to write to the requester.\n")
		return
	}
	if w.checked.Revision == "" {
		b.WriteString("The case could not be checked. Put it right with `correct` or `choose`, or end it with `withdraw`.\n")
		return
	}
	fmt.Fprintf(b, "Nothing hinders an approval. Send the update `approve` with\n\n```\n{\"revision\": \"%s\"}\n```\n", w.checked.Revision)
}

// showOpen lists the open findings by rule and title, each rule once, and nothing of why.
func (w *release) showOpen(b *strings.Builder) {
	b.WriteString("Open findings:\n\n")
	for i, r := range w.checked.Open {
		same := func(o library.OpenRule) bool { return o.Rule == r.Rule && o.Severity == r.Severity }
		if slices.ContainsFunc(w.checked.Open[:i], same) {
			continue
		}
		fmt.Fprintf(b, "- **%s** (%s) %s", r.Rule, r.Severity, plain(r.Title))
		n := 0
		for _, o := range w.checked.Open[i:] {
			if same(o) {
				n++
			}
		}
		if n > 1 {
			fmt.Fprintf(b, ", %d times", n)
		}
		b.WriteString("\n")
	}
}

func orNone(s string) string {
	if s == "" {
		return "none yet"
	}
	return s
}

// notes adds what staff must know whatever the stage.
func notes(b *strings.Builder, trouble, refused string) {
	if trouble != "" {
		fmt.Fprintf(b, "**Trouble:** %s\n\n", plain(trouble))
	}
	if refused != "" {
		fmt.Fprintf(b, "**A signal was refused:** %s\n\n", plain(refused))
	}
}

// deskLink adds where staff work: at the case, or at the arrival while there is none.
func deskLink(b *strings.Builder, desk string, id library.CaseID, arrival library.ArrivalID) {
	switch desk = strings.TrimRight(desk, "/"); {
	case desk == "":
	case id == "":
		fmt.Fprintf(b, "[Open arrival %d on the desk](%s/desk/arrivals/%d)\n\n", arrival, desk, arrival)
	default:
		fmt.Fprintf(b, "[Open case %s on the desk](%s/desk/%s)\n\n", id, desk, id)
	}
}

// longest is the most characters of one note: the UI fetches the details by a URL.
const longest = 400

// plain makes one short line of s, without what the UI would take for a page's
// own: names of people and the words of other systems come from elsewhere.
// Addresses are spaced, for the UI makes links even of those that stand bare.
func plain(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > longest {
		r = append(r[:longest], '…')
	}
	return strings.NewReplacer(
		"\\", "\\\\", "&", "&amp;", "<", "&lt;", "[", "\\[", "|", "\\|", "://", " : //",
	).Replace(unlinked(string(r)))
}

// unlinked spaces "www." in whatever case, which the UI makes a link of.
func unlinked(s string) string {
	const www = "www."
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if i+len(www) <= len(s) && strings.EqualFold(s[i:i+len(www)], www) {
			b.WriteString(s[i:i+len(www)-1] + " .")
			i += len(www) - 1
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
