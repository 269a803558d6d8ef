package integration_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/pdf/pdftest"
	"fileroom/workflows"
)

// A badLetter is something that arrives, and what must come of it. Of state
// and stage only one is given: an arrival that became no case, or a case.
type badLetter struct {
	message func(t *testing.T, l letter) message // nil for the letter as it is.
	from    string                               // Sender of the envelope; "nobody" is a bounce.
	unknown bool                                 // The patient is not in the PACS.

	state  library.ArrivalState // Of the arrival.
	reason string               // Words in the arrival's reason.
	stage  library.Stage        // Of the case.
	open   []string             // All rules that hinder an approval.
}

func badLetters() map[string]badLetter {
	attached := func(name, kind string, body func(t *testing.T) []byte) func(*testing.T, letter) message {
		return func(t *testing.T, l letter) message {
			t.Helper()
			l.attachments = []attachment{{name: name, kind: kind, body: body(t)}}
			return l.message()
		}
	}
	changed := func(change func(l letter, text string) string) func(*testing.T, letter) message {
		return func(_ *testing.T, l letter) message {
			l.change = func(text string) string { return change(l, text) }
			return l.message()
		}
	}
	return map[string]badLetter{
		"an empty message": {
			message: func(_ *testing.T, l letter) message { return envelope(l.from.name(), nil, "text/plain", "") },
			state:   library.ArrivalWaiting, reason: "nothing to read",
		},
		"a message that is none": {
			message: func(_ *testing.T, l letter) message {
				m := envelope(l.from.name(), nil, "text/plain", "x")
				m.raw = []byte("Message-ID: <" + m.id + ">\r\n\x01\x02\xff no header, no body\r\n")
				return m
			},
			state: library.ArrivalWaiting,
		},
		"an attachment of 60 MB": {
			message: attached("scan.pdf", "application/pdf", func(*testing.T) []byte {
				return append([]byte("%PDF-1.4\n"), bytes.Repeat([]byte("0 0 0 rg 1 1 1 RG 0 0 m 9 9 l\n"), 2<<20)...)
			}),
			// It is more than the program takes apart: staff look at it as it came.
			state: library.ArrivalWaiting, reason: "look at it as it came",
		},
		"an attachment of 20 MB": {
			message: attached("scan.bin", "application/octet-stream", func(*testing.T) []byte { return bytes.Repeat([]byte{0, 1, 2, 3}, 5<<20) }),
			stage:   library.StageReview, open: []string{"IN-06"},
		},
		"a PDF that never ends": {
			message: attached("scan.pdf", "application/pdf", endlessPDF), stage: library.StageReview, open: []string{"IN-06"},
		},
		"a PDF whose pages are a ring": {
			message: attached("scan.pdf", "application/pdf", func(*testing.T) []byte {
				return pdftest.File("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R] /Count 1 >>")
			}),
			stage: library.StageReview, open: []string{"IN-03"},
		},
		"an encrypted PDF": {
			message: attached("scan.pdf", "application/pdf", encryptedPDF),
			stage:   library.StageReview, open: []string{"IN-06"},
		},
		"a zip": {
			message: attached("papers.zip", "application/zip", func(*testing.T) []byte { return []byte("PK\x03\x04" + strings.Repeat("\x00", 26)) }),
			stage:   library.StageReview, open: []string{"IN-06"},
		},
		"noise that says it is a picture": {
			message: attached("photo.jpg", "image/jpeg", func(*testing.T) []byte {
				noise := make([]byte, 20_000)
				_, _ = rand.Read(noise) // Never fails.
				return append([]byte("\xff\xd8\xff\xe0"), noise...)
			}),
			stage: library.StageReview, open: []string{"IN-03"},
		},
		"HTML only": {
			message: func(_ *testing.T, l letter) message {
				l.html = true
				return l.message()
			},
			stage: library.StageReview,
		},
		"two patients in one letter": {
			message: changed(func(l letter, text string) string {
				other := invent(l.from.number + 50)
				return text + "\n\nPatient: " + other.name() + "\nDate of birth: " + other.born() + "\nMedical record number: " + other.mrn +
					"\n\nPlease send her chest X-ray of 11/04/2025 as well.\n"
			}),
			state: library.ArrivalWaiting, reason: "2 patients",
		},
		"no such patient": {
			unknown: true, stage: library.StageReview, open: []string{"PM-01", "PM-04"},
		},
		"no such study": {
			message: func(_ *testing.T, l letter) message {
				l.asks = []string{"MRI brain, 01/28/2024"}
				return l.message()
			},
			stage: library.StageReview, open: []string{"SM-01"},
		},
		"a bounce": {
			message: func(_ *testing.T, l letter) message {
				m := envelope("Mail Delivery System", []string{"Subject: Undelivered Mail Returned to Sender", "Auto-Submitted: auto-replied"},
					"text/plain", "The following message could not be delivered:\n\n"+l.text())
				return m
			},
			from: "nobody", state: library.ArrivalSorted, reason: "delivery",
		},
		"an out-of-office reply": {
			message: func(_ *testing.T, l letter) message {
				return envelope(l.from.name(), []string{"Subject: Automatic reply: My images", "Auto-Submitted: auto-replied"},
					"text/plain", "I am out of the office and have no access to e-mail.\n")
			},
			state: library.ArrivalSorted, reason: "automatic reply",
		},
	}
}

// endlessPDF is a small file that a reader is busy with for longer than it may be.
func endlessPDF(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	chunk := []byte(strings.Repeat("BT /F1 1 Tf (x) Tj ET\n", 1<<15))
	for range 300 {
		if _, err := z.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return pdftest.File(
		"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>",
		fmt.Sprintf("<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream", b.Len(), b.Bytes()),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	)
}

// encryptedPDF is a PDF that needs a password.
func encryptedPDF(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	plain, locked := filepath.Join(dir, "plain.pdf"), filepath.Join(dir, "locked.pdf")
	if err := os.WriteFile(plain, pdftest.Document(pdftest.Page{Lines: []string{"A page"}}), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "qpdf", "--encrypt", "secret", "owner", "256", "--", plain, locked).CombinedOutput(); err != nil {
		t.Fatalf("qpdf: %v: %s", err, out)
	}
	b, err := os.ReadFile(locked)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBadInput puts everything into the mailbox that nobody wants there. Each
// has a clear outcome, and what came is kept as it came.
func TestBadInput(t *testing.T) {
	t.Parallel()
	all := badLetters()
	names := []string{}
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names) // So that each has the same number every time.
	for n, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all[name].run(t, numberBadInput+n)
		})
	}
}

func (b badLetter) run(t *testing.T, n int) {
	t.Helper()
	i := usualInstallation(t)
	ctx := within(t, limit)
	p := invent(n)
	if !b.unknown {
		i.fill(ctx, t, p.film())
	}
	l := letter{from: p, to: i.place(ctx, t, n, i.dev.Receiver.URL, known), asks: []string{askFilm}}
	m := l.message()
	if b.message != nil {
		m = b.message(t, l)
	}
	from := "requester@hospital.example"
	if b.from == "nobody" {
		from = ""
	}
	if err := i.post(from, m); err != nil {
		t.Fatalf("send the message: %v", err)
	}

	a := await(ctx, t, "the arrival", func(ctx context.Context) (library.Arrival, error) { return i.arrival(ctx, m) },
		func(a library.Arrival) bool {
			return b.state == "" && a.State == library.ArrivalPlaced || b.state != "" && a.State == b.state
		})
	if !strings.Contains(a.Reason, b.reason) {
		t.Errorf("the arrival is %s for %q, want %q", a.State, a.Reason, b.reason)
	}
	if whole, err := i.keeps(ctx, a, m); err != nil || !whole {
		t.Errorf("the vault does not have the message as it came: %v", err)
	}
	if b.stage == "" {
		b.wantNoCase(ctx, t, i, a)
		return
	}
	id := i.awaitCase(ctx, t, m)
	i.awaitStage(ctx, t, id, b.stage)
	if open := i.open(ctx, t, id); !slices.Equal(open, append([]string{}, b.open...)) {
		t.Errorf("open = %v, want %v", open, b.open)
	}
	i.awaitLetters(ctx, t, id, 1)
}

// wantNoCase looks that what is sorted away or waits goes no further: that
// staff see the one and nobody answers the other.
func (b badLetter) wantNoCase(ctx context.Context, t *testing.T, i *installation, a library.Arrival) {
	t.Helper()
	waiting, err := i.store.WaitingArrivals(ctx)
	if err != nil {
		t.Fatal(err)
	}
	listed := slices.ContainsFunc(waiting, func(w library.Arrival) bool { return w.ID == a.ID })
	if listed != (b.state == library.ArrivalWaiting) {
		t.Errorf("the arrival is on the worklist: %t", listed)
	}
	c, err := i.store.CaseOfArrival(ctx, a.ID, 1)
	switch {
	case library.KindOf(err) == library.NotFound:
	case err != nil:
		t.Fatal(err)
	case b.state == library.ArrivalSorted:
		t.Errorf("it was made a case, %s", c.ID)
	default: // A case that holds it until it is placed: nothing starts from there.
		if _, err := i.nobody.DescribeWorkflowExecution(ctx, workflows.ReleaseID(c.ID), ""); err == nil {
			t.Errorf("case %s goes on although the arrival waits", c.ID)
		}
	}
	i.awaitArrival(ctx, t, a.ID, b.state)
}

// awaitArrival waits until an Intake has come to its end, or waits for staff. The
// record is written a moment before.
func (i *installation) awaitArrival(ctx context.Context, t *testing.T, id library.ArrivalID, want library.ArrivalState) {
	t.Helper()
	await(ctx, t, "the Intake of an arrival", func(ctx context.Context) (workflows.ArrivalView, error) {
		var v workflows.ArrivalView
		answer, err := i.nobody.QueryWorkflow(ctx, workflows.IntakeID(id), "", workflows.ArrivalQuery)
		if err != nil {
			return v, err
		}
		return v, answer.Get(&v)
	}, func(v workflows.ArrivalView) bool {
		return v.State == want && (v.Waiting == library.WaitingStaff) == (want == library.ArrivalWaiting)
	})
}

// TestTwoPatientsAreSplit sees through what staff do about a letter for two.
func TestTwoPatientsAreSplit(t *testing.T) {
	t.Parallel()
	i := usualInstallation(t)
	ctx := within(t, limit)
	place := i.place(ctx, t, numberSplit, i.dev.Receiver.URL, known)
	var pages []pdftest.Page
	for n := range 2 {
		p := invent(numberSplit + n)
		i.fill(ctx, t, p.film())
		pages = append(pages, pdftest.Page{Lines: strings.Split(letter{from: p, to: place, asks: []string{askFilm}}.text(), "\n")})
	}
	m := envelope(invent(numberSplit).name(), nil, "text/plain", "Please see the two letters.\n",
		attachment{name: "letters.pdf", kind: "application/pdf", body: pdftest.Document(pages...)})
	i.deliver(t, m)
	a := await(ctx, t, "the arrival", func(ctx context.Context) (library.Arrival, error) { return i.arrival(ctx, m) },
		func(a library.Arrival) bool { return a.State == library.ArrivalWaiting })
	i.awaitArrival(ctx, t, a.ID, library.ArrivalWaiting)
	split := library.SplitPayload{Pages: [][]int{{1, 2}, {1, 3}}, Reason: "two letters in one message"}
	insist(ctx, t, i.as(ctx, t, "demo-specialist"), workflows.IntakeID(a.ID), library.Split, split)
	for part := range 2 {
		c := await(ctx, t, fmt.Sprintf("part %d", part+1), func(ctx context.Context) (library.Case, error) { return i.store.CaseOfArrival(ctx, a.ID, part+1) },
			func(c library.Case) bool { return c.Stage == library.StageReview })
		m, err := i.store.Match(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if chosen, ok := m.ChosenPatient(); !ok || chosen.Record.Reveal().ID != invent(numberSplit+part).mrn {
			t.Errorf("part %d is not about its own patient; open: %v", part+1, i.open(ctx, t, c.ID))
		}
	}
	i.record(ctx, t, "intake-split", workflows.IntakeID(a.ID))
}
