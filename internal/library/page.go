package library

// A Page is one page as a reader sees it: words in reading order with where
// they stand. The body of an e-mail is a page without boxes.
type Page struct {
	Number int     `json:"number"` // From 1, through all files in order.
	Part   int     `json:"part"`   // Which part or file it comes from, from 1.
	Source Source  `json:"source"`
	Lines  []Line  `json:"lines"`
	Ink    []Ink   `json:"ink,omitempty"` // Marks that are no words, such as signatures.
	Width  float64 `json:"width,omitempty"`
	Height float64 `json:"height,omitempty"`

	// Picture is the digest of the page as a PNG picture in the vault, as it
	// was drawn to be read; empty for the text of a message, or where the
	// page could not be drawn.
	Picture string `json:"picture,omitempty"`
}

// A Source says how the words of a page were obtained.
type Source string

// How the words of a page were obtained.
const (
	SourceMail Source = "mail" // The text of an e-mail.
	SourceText Source = "text" // The text layer of a PDF.
	SourceOCR  Source = "ocr"  // Optical character recognition.
)

// A Line is words that stand on one line.
type Line struct {
	Words []Word `json:"words"`
}

// Text returns the words of l with single spaces between them.
func (l Line) Text() string {
	n := 0
	for _, w := range l.Words {
		n += len(w.Text) + 1
	}
	b := make([]byte, 0, n)
	for i, w := range l.Words {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, w.Text...)
	}
	return string(b)
}

// A Word is a word, how surely it was read and where it stands.
type Word struct {
	Text       string  `json:"text"`
	Confidence float64 `json:"confidence"` // 0 to 1.
	Box        *Box    `json:"box,omitempty"`
}

// Ink is a region of marks that are neither print nor rule.
type Ink struct {
	Box Box `json:"box"`
}
