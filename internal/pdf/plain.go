package pdf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/ledongthuc/pdf"
)

// Main reads a document from in and writes the plain text of its pages to out, as a
// JSON list of strings. It may panic or never return, and is run only as a child process.
func Main(in io.Reader, out io.Writer) error {
	doc, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	r, err := pdf.NewReader(bytes.NewReader(doc), int64(len(doc)))
	if err != nil {
		return err
	}
	n := r.NumPage()
	if n < 1 || n > MaxPages {
		return fmt.Errorf("document has %d pages, want 1 to %d", n, MaxPages)
	}
	pages := make([]string, n)
	for i := range pages {
		if pages[i], err = r.Page(i + 1).GetPlainText(nil); err != nil {
			return fmt.Errorf("page %d: %w", i+1, err)
		}
	}
	return json.NewEncoder(out).Encode(pages)
}
