package mimemail

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"
)

// htmlText returns the words of HTML as plain text, as a reader would see
// them: no markup is drawn, and no word is split where only its look changes,
// for the words are names, dates and numbers. Quotations are marked by >,
// cells of a table are divided by tabs.
func htmlText(s string) (string, error) {
	doc, err := html.Parse(strings.NewReader(s))
	if err != nil {
		return "", err
	}
	w := &htmlWriter{}
	w.node(doc)
	return w.b.String(), nil
}

type htmlWriter struct {
	b      strings.Builder
	quote  int    // How many quotations within each other.
	pre    bool   // White space counts.
	breaks int    // Line ends due before the next word.
	gap    string // White space due before the next word, on the same line.
}

func (w *htmlWriter) node(n *html.Node) {
	if n.Type == html.TextNode {
		w.text(n.Data)
		return
	}
	if n.Type != html.ElementNode && n.Type != html.DocumentNode {
		return
	}
	switch n.Data {
	case "script", "style", "head", "template", "svg", "math", "object", "iframe":
		return
	case "br":
		w.breaks++
		return
	case "td", "th":
		w.children(n)
		w.gap = "\t"
		return
	case "pre":
		defer func(before bool) { w.pre = before }(w.pre)
		w.pre = true
	case "blockquote":
		w.line(1)
		w.quote++
		defer func() { w.quote-- }()
	}
	lines := linesAround(n.Data)
	w.line(lines)
	if n.Data == "li" {
		w.text("* ")
	}
	w.children(n)
	w.line(lines)
}

func (w *htmlWriter) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		w.node(c)
	}
}

// linesAround returns how many line ends stand before and after an element.
func linesAround(element string) int {
	switch element {
	case "p", "h1", "h2", "h3", "h4", "h5", "h6":
		return 2
	case "address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt",
		"fieldset", "figure", "footer", "form", "header", "hr", "li", "main", "nav", "ol", "pre",
		"section", "table", "tr", "ul":
		return 1
	}
	return 0
}

// line asks for at least n line ends before the next word.
func (w *htmlWriter) line(n int) { w.breaks = max(w.breaks, n) }

func (w *htmlWriter) text(s string) {
	for _, r := range s {
		switch {
		case w.pre && r == '\n':
			w.breaks++
		case unicode.IsSpace(r):
			if w.gap == "" || w.pre {
				w.gap += " "
			}
		default:
			w.space()
			w.b.WriteRune(r)
		}
	}
}

// space writes the white space that is due.
func (w *htmlWriter) space() {
	if w.b.Len() == 0 {
		w.breaks, w.gap = 0, ""
		w.b.WriteString(strings.Repeat("> ", w.quote))
	}
	if w.breaks > 0 {
		w.b.WriteString(strings.Repeat("\n", min(w.breaks, 2)) + strings.Repeat("> ", w.quote))
		if !w.pre {
			w.gap = ""
		}
	}
	w.b.WriteString(w.gap)
	w.breaks, w.gap = 0, ""
}
