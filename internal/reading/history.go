package reading

import (
	"regexp"
	"strings"

	"fileroom/internal/library"
)

var (
	wroteLine    = regexp.MustCompile(`(?i)\b(?:wrote|escribi[óo]):$`)
	onLine       = regexp.MustCompile(`(?i)^(?:on|el) .*(?:\d{4}|\d{1,2}/\d{1,2}/\d{2}|@)`)
	originalLine = regexp.MustCompile(`(?i)^-{3,} ?(?:original message|forwarded message|mensaje original|mensaje reenviado)`)
	headerLine   = regexp.MustCompile(`(?i)^\*?(?:from|de)\*?:\*? `)
	nextHeader   = regexp.MustCompile(`(?i)^\*?(?:sent|date|to|subject|cc|enviado|fecha|para|asunto)\*?:`)
	disclaimer   = regexp.MustCompile(`(?i)^\W*(?:confidentiality (?:notice|statement)|confidential(?:ity)?:|disclaimer|this (?:e-?mail|message|communication|transmission)(?:,| and| \(| is| may| contains| including)|the information (?:contained )?(?:in|transmitted)|notice: this|aviso de confidencialidad|este (?:correo|mensaje) )`)
	deviceLine   = regexp.MustCompile(`(?i)^(?:sent from my|get outlook for|enviado desde mi|sent via)\b`)
	faxBanner    = regexp.MustCompile(`(?i)(?:\bP\.? ?\d{1,3} ?/ ?\d{1,3}\b|\b\d{3} ?/ ?\d{3}\b|\bpage:? ?\d+ ?(?:of|/) ?\d+\b).*$`)
	bannerMoment = regexp.MustCompile(`\d{1,2}:\d{2}|\d{10}|\d{4}-\d{2}-\d{2}|\d{3}-\d{3}-\d{4}`)
)

// A history is pages with the marks of quotation taken off, and which of their
// lines are older messages or none of the writer's words.
type history struct {
	pages     []library.Page
	quoted    map[lineKey]bool
	dropped   map[lineKey]bool
	forwarded bool
	authors   []string // As they are named above what they wrote.
}

// unquote finds what the writer wrote. Of what was quoted, the words of the library
// are dropped, since they ask for what is missing and answer nothing; those of
// others are kept, marked as quoted.
func (r *reader) unquote(pages []library.Page) history {
	h := history{quoted: map[lineKey]bool{}, dropped: map[lineKey]bool{}}
	for _, p := range pages {
		if p.Source != library.SourceMail {
			for i := range min(2, len(p.Lines)) {
				if t := p.Lines[i].Text(); faxBanner.MatchString(t) && bannerMoment.MatchString(t) {
					h.dropped[lineKey{p.Number, i}] = true
				}
			}
			h.pages = append(h.pages, p)
			continue
		}
		h.pages = append(h.pages, r.unquoteMail(p, &h))
	}
	return h
}

func (r *reader) unquoteMail(p library.Page, h *history) library.Page {
	lines := make([]library.Line, len(p.Lines))
	levels := make([]int, len(p.Lines))
	for i, l := range p.Lines {
		lines[i], levels[i] = unmark(l)
	}
	p.Lines = lines
	authors := map[int]string{} // Who wrote a level of quotation.
	below := ""                 // Who wrote what follows a header block.
	cut := false                // In a disclaimer.
	for i := 0; i < len(lines); i++ {
		key, t := lineKey{p.Number, i}, lines[i].Text()
		if n := attribution(lines, levels, i); n > 0 {
			var head []string
			for j := i; j < i+n; j++ {
				head = append(head, lines[j].Text())
				h.dropped[lineKey{p.Number, j}] = true
			}
			authors[levels[i]+1] = strings.Join(head, " ")
			h.authors = append(h.authors, authors[levels[i]+1])
			i += n - 1
			cut = false
			continue
		}
		if n := headerBlock(lines, i); n > 0 {
			below, cut = headers(lines[i:i+n]), false
			h.authors = append(h.authors, below)
			for j := i; j < i+n; j++ {
				h.dropped[lineKey{p.Number, j}] = true
			}
			h.forwarded = true
			i += n - 1
			continue
		}
		if disclaimer.MatchString(t) {
			cut = true
		}
		author := authors[levels[i]]
		if levels[i] == 0 {
			author = below
		}
		switch {
		case cut, deviceLine.MatchString(t), strings.Trim(t, "_-=* ") == "" && t != "", author != "" && r.isLibrary(author):
			h.dropped[key] = true
		case levels[i] > 0 || below != "":
			h.quoted[key] = true
		}
	}
	return p
}

// unmark takes the marks of quotation off a line and counts them.
func unmark(l library.Line) (library.Line, int) {
	level := 0
	words := l.Words
	for len(words) > 0 {
		n := len(words[0].Text) - len(strings.TrimLeft(words[0].Text, ">"))
		if n == 0 {
			break
		}
		level += n
		if rest := words[0].Text[n:]; rest != "" {
			w := words[0]
			w.Text = rest
			words = append([]library.Word{w}, words[1:]...)
			break
		}
		words = words[1:]
	}
	return library.Line{Words: words}, level
}

// attribution returns how many lines from i on say "On Tuesday ... wrote:".
func attribution(lines []library.Line, levels []int, i int) int {
	if !onLine.MatchString(lines[i].Text()) {
		return 0
	}
	for n := 1; n <= 3 && i+n <= len(lines); n++ {
		if levels[i+n-1] != levels[i] {
			return 0
		}
		if wroteLine.MatchString(lines[i+n-1].Text()) {
			return n
		}
	}
	return 0
}

// headerBlock returns how many lines from i on are the head of an older message.
func headerBlock(lines []library.Line, i int) int {
	n := 0
	if originalLine.MatchString(lines[i].Text()) {
		n = 1
	}
	if i+n+1 >= len(lines) || !headerLine.MatchString(lines[i+n].Text()) || !nextHeader.MatchString(lines[i+n+1].Text()) {
		return n
	}
	n++
	for i+n < len(lines) && nextHeader.MatchString(lines[i+n].Text()) {
		n++
	}
	return n
}

// headers returns the line of the lines at the head of an older message that says from whom it came.
func headers(lines []library.Line) string {
	for _, l := range lines {
		if headerLine.MatchString(l.Text()) {
			return l.Text()
		}
	}
	return ""
}
