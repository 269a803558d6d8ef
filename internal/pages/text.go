package pages

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"fileroom/internal/library"
)

// maxText is how many bytes of one text are read.
const maxText = 1 << 20

// linesOf makes lines of plain text, and stops when it has more than so many lines
// and words. An empty line is a line without words: it parts paragraphs. Empty lines at the end are dropped.
func linesOf(s string, most int) []library.Line {
	s = utf8Text(s)
	var lines []library.Line
	last, n := 0, 0
	for raw := range strings.Lines(s) {
		var l library.Line
		n++
		for f := range strings.FieldsSeq(strings.Trim(raw, "\ufeff")) {
			if n++; n > most {
				break
			}
			l.Words = append(l.Words, library.Word{Text: f, Confidence: 1})
		}
		lines = append(lines, l)
		if len(l.Words) > 0 {
			last = len(lines)
		}
		if n > most {
			return lines
		}
	}
	return lines[:last]
}

// utf8Text takes what is no UTF-8 for Latin-1, which every byte is.
func utf8Text(s string) string {
	if utf8.ValidString(s) || utf8.ValidString(s[:max(0, len(s)-3)]) {
		return strings.ToValidUTF8(s, "\ufffd")
	}
	r := make([]rune, 0, len(s))
	for i := range len(s) {
		r = append(r, rune(s[i]))
	}
	return string(r)
}

// textOfHTML returns the words of a web page as somebody would type them:
// a line for each block, an empty line between paragraphs, quotations with "> ".
func textOfHTML(s string) string {
	z := html.NewTokenizer(strings.NewReader(s))
	var w htmlWriter
	skip := 0
	for {
		switch z.Next() {
		case html.ErrorToken:
			return w.b.String()
		case html.TextToken:
			if skip == 0 {
				w.text(string(z.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if silent(t.DataAtom) && t.Type == html.StartTagToken {
				skip++
			}
			w.tag(t.DataAtom, true)
		case html.EndTagToken:
			t := z.Token()
			if silent(t.DataAtom) && skip > 0 {
				skip--
			}
			w.tag(t.DataAtom, false)
		case html.CommentToken, html.DoctypeToken:
		}
	}
}

func silent(a atom.Atom) bool {
	return a == atom.Style || a == atom.Script || a == atom.Title
}

type htmlWriter struct {
	b       strings.Builder
	quote   int
	inLine  bool
	pending bool // A space before the next word.
}

func (w *htmlWriter) text(s string) {
	if strings.TrimLeft(s, " \t\r\n\u00a0") != s {
		w.pending = true
	}
	for i, f := range strings.Fields(s) {
		switch {
		case !w.inLine:
			w.b.WriteString(strings.Repeat("> ", w.quote))
		case i > 0 || w.pending:
			w.b.WriteByte(' ')
		}
		w.b.WriteString(f)
		w.inLine, w.pending = true, false
	}
	if strings.TrimRight(s, " \t\r\n\u00a0") != s {
		w.pending = true
	}
}

func (w *htmlWriter) tag(a atom.Atom, start bool) {
	switch a {
	case atom.Br, atom.Div, atom.Tr, atom.Li, atom.Table, atom.Ul, atom.Ol, atom.Hr, atom.Body:
		w.line(a == atom.Br && start)
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.Blockquote:
		w.line(false)
		if !start || a == atom.Blockquote {
			w.line(true)
		}
	case atom.Td, atom.Th:
		w.pending = true
	}
	if a == atom.Blockquote {
		if start {
			w.quote++
		} else if w.quote > 0 {
			w.quote--
		}
	}
}

// line ends the line; empty says to leave an empty one when there is none to end.
func (w *htmlWriter) line(empty bool) {
	if w.inLine || empty {
		w.b.WriteByte('\n')
	}
	w.inLine, w.pending = false, false
}
