package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"fileroom/activities"
	"fileroom/internal/library"
)

// rounds is how often a Transfer sends again what the receiver turns out not to
// have, before people look at it.
const rounds = 3

// TransferParams are the parameters of [Transfer].
type TransferParams struct {
	Case     library.CaseID     `json:"case"`
	Number   int                `json:"number"` // Of the transfer, from 1.
	Revision library.Revision   `json:"revision"`
	Facility library.FacilityID `json:"facility"`
	Images   int                `json:"images"`
	Desk     string             `json:"desk,omitempty"` // Address of the staff's pages.
}

// TransferResult is the result of [Transfer].
type TransferResult struct {
	Images    int           `json:"images"`
	Confirmed int           `json:"confirmed"`
	Proof     library.Proof `json:"proof"`
	// Hindered says what must be put right by people before the rest can go;
	// empty when every image is confirmed, or sent where there can be no proof.
	Hindered string `json:"hindered,omitempty"`
}

// Trouble tells a [Release] that its transfer does not get on; "" that it does
// again.
type Trouble struct {
	Text string `json:"text"`
}

// Transfer sends the approved images to one receiver and asks the receiver for
// every single one of them. Interrupted anywhere, it goes on with what is
// missing. It ends when all are confirmed, or when people must step in; it
// never ends because a server is down.
func Transfer(ctx workflow.Context, p TransferParams) (TransferResult, error) {
	w := &transfer{p: p}
	r := TransferResult{Images: p.Images, Proof: library.ProofNone}
	for round := 1; ; round++ {
		w.show(ctx, fmt.Sprintf("Sending (round %d)", round))
		sent, err := call(ctx, imaging, "send the images", w.tell, transfers.SendStudies, activities.SendStudiesParams{
			Case: p.Case, Revision: p.Revision, Facility: p.Facility,
		})
		if err != nil {
			return r, err
		}
		if sent.Strangers > 0 {
			r.Hindered = "an image carries another patient's name (SM-03); sending was stopped there"
			return r, nil
		}
		w.show(ctx, fmt.Sprintf("Confirming (round %d)", round))
		confirmed, err := call(ctx, imaging, "confirm the images", w.tell, transfers.ConfirmStudies, activities.ConfirmStudiesParams{
			Case: p.Case, Revision: p.Revision, Facility: p.Facility,
		})
		if err != nil {
			return r, err
		}
		r.Images, r.Confirmed, r.Proof = confirmed.Images, confirmed.Confirmed, confirmed.Proof
		r.Hindered = hindrance(sent, confirmed)
		if lost := confirmed.Missing - sent.Refused; r.Hindered != "" || confirmed.Proof == library.ProofNone || lost <= 0 {
			w.show(ctx, "Done")
			return r, nil
		} else if round == rounds {
			r.Hindered = fmt.Sprintf("the receiver has lost %d of %d images %d times", lost, r.Images, rounds)
			return r, nil
		}
	}
}

// hindrance says what people must put right, or "".
func hindrance(sent activities.SendStudiesResult, confirmed activities.ConfirmStudiesResult) string {
	switch {
	case sent.Refused > 0:
		return fmt.Sprintf("the receiver refuses %d of %d images (reason %s)", sent.Refused, sent.Images, sent.Code)
	case confirmed.Different > 0:
		return fmt.Sprintf("the receiver holds other images under the names of %d of %d", confirmed.Different, confirmed.Images)
	}
	return ""
}

// transfer is the state of one running Transfer.
type transfer struct {
	p    TransferParams
	told string
	now  string
}

func (w *transfer) show(ctx workflow.Context, now string) {
	w.now = now
	var b strings.Builder
	fmt.Fprintf(&b, "**Transfer %d of case %s to %s:** %s\n\n", w.p.Number, w.p.Case, plain(string(w.p.Facility)), now)
	deskLink(&b, w.p.Desk, w.p.Case, 0)
	notes(&b, w.told, "")
	workflow.SetCurrentDetails(ctx, b.String())
}

// tell shows trouble here and in the case.
func (w *transfer) tell(ctx workflow.Context, trouble string) {
	w.told = trouble
	w.show(ctx, w.now)
	// A Release that is gone needs no telling.
	_ = workflow.SignalExternalWorkflow(ctx, ReleaseID(w.p.Case), "", TroubleSignal, Trouble{Text: trouble}).Get(ctx, nil)
}
