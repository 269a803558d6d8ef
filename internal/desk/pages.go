package desk

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"fileroom/internal/library"
)

// maxPicture is the most bytes of a page's picture.
const maxPicture = 64 << 20

var pngHead = []byte("\x89PNG\r\n\x1a\n")

// picture serves the picture of a page of a case. The path names the page by
// its number; which document that is, the case's own pages say, so that nothing
// else in the vault can be asked for.
func (d *Desk) picture(w http.ResponseWriter, r *http.Request, v visit) {
	if r.PathValue("case") == "arrivals" && r.PathValue("page") == "say" {
		d.backToArrival(w, r, v)
		return
	}
	spelt, ok := strings.CutSuffix(r.PathValue("page"), ".png")
	number, err := strconv.Atoi(spelt)
	if r.PathValue("rest") != "pages" || !ok || err != nil || number < 1 {
		d.message(w, v, http.StatusNotFound, "There is no such page", "Please go back to the case.")
		return
	}
	c, ok := d.read(w, r, v, r.PathValue("case"))
	if !ok || !d.look(w, r, v, library.Look{Case: c.ID, What: library.LookPage, Detail: fmt.Sprintf("page %d", number)}) {
		return
	}
	var pages []library.Page
	if err := d.open(r.Context(), c.Pages, &pages); err != nil {
		d.fault(w, v, err, "page")
		return
	}
	i := slices.IndexFunc(pages, func(p library.Page) bool { return p.Number == number && p.Picture != "" })
	if i < 0 {
		d.message(w, v, http.StatusNotFound, "There is no picture of this page", "Please go back to the case.")
		return
	}
	d.sendPicture(w, r, v, pages[i].Picture)
}

func (d *Desk) sendPicture(w http.ResponseWriter, r *http.Request, v visit, digest string) {
	body, err := d.o.Documents.Open(r.Context(), digest)
	if err != nil {
		d.fault(w, v, err, "picture")
		return
	}
	defer func() { _ = body.Close() }() // Only read from.
	head := make([]byte, len(pngHead))
	if _, err := io.ReadFull(body, head); err != nil || !bytes.Equal(head, pngHead) {
		d.message(w, v, http.StatusNotFound, "This is no picture", "What is kept for this page is not a picture that can be shown.")
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Content-Disposition", "inline")
	_, _ = io.Copy(w, io.MultiReader(bytes.NewReader(head), io.LimitReader(body, maxPicture))) // The browser may have gone.
}
