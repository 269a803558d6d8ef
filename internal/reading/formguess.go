package reading

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// What optical character recognition makes of a box is letters. These are the
// letters of an empty one, and of one with a mark in it.
var (
	emptyLetters  = regexp.MustCompile(`^[\[({|]*[oO0QDCUuLlIiJjcG©1]{0,2}[\])}|]*[sy]?$`)
	markedLetters = regexp.MustCompile(`^[\[({|}pDOCJ]*[xX×%&@®¥$#€§4ßWKVvYB✓]+[\])}|{]*$`)
)

// bracketed is a mark between the sides of its box.
var bracketed = regexp.MustCompile(`^[\[({][^\[\](){} ]{1,2}[\])}]$`)

// A boxState is what the letters before a choice say of its box.
type boxState int

const (
	bareBox   boxState = iota // No letters: the box was taken for a line, or has a mark over it.
	emptied                   // An empty box.
	marked                    // A box with a mark.
	oddLetter                 // Letters that may be anything.
)

// An offer is a choice on a page that was read from a picture.
type offer struct {
	ticked
	state boxState
}

// guesses finds the choices that seem ticked on a page that was read from a
// picture: of the choices of one question, the one whose box reads otherwise than the rest.
func (f *formPage) guesses() []ticked {
	groups := map[string][]offer{}
	for i := range f.rows {
		for j := range f.rows[i].tokens {
			for _, o := range f.offers(i, j) {
				groups[o.group] = append(groups[o.group], o)
			}
		}
	}
	var out []ticked
	for _, name := range []string{choosePurpose, chooseDelivery, chooseSelf, chooseAll, chooseSigner} {
		if t, ok := oddOne(groups[name]); ok {
			out = append(out, t)
		}
	}
	return out
}

// oddOne returns the one offer that is marked, or whose box alone is not empty.
func oddOne(offers []offer) (ticked, bool) {
	var by [4][]offer
	for _, o := range offers {
		by[o.state] = append(by[o.state], o)
	}
	switch {
	case len(by[marked]) == 1:
		by[marked][0].confidence = 0.75
		return by[marked][0].ticked, true
	case len(by[marked]) == 0 && len(by[emptied]) >= 1 && len(by[oddLetter]) == 0 && len(by[bareBox]) == 1:
		by[bareBox][0].confidence = 0.5
		return by[bareBox][0].ticked, true
	}
	return ticked{}, false
}

// offers returns the choices that begin at token j of row i, with the state of their box.
func (f *formPage) offers(i, j int) []offer {
	r := f.rows[i]
	asked := f.prompt(i)
	if asked == "" {
		return nil
	}
	t := r.tokens[j]
	text := r.phrase(j)
	state, begins := bareBox, r.starts(j)
	if j > 0 {
		if s, ok := boxLetters(r.tokens[j-1]); ok && r.tokens[j].dx < 0.03 {
			state, begins = s, true
		}
	}
	var out []offer
	seen := map[string]bool{}
	try := func(s string, state boxState) {
		for _, c := range choices {
			group := c.group == asked || c.group == chooseSelf || c.group == chooseAll
			if seen[c.group] || !group || c.group == chooseOther || !c.re.MatchString(s) {
				continue
			}
			seen[c.group] = true
			out = append(out, offer{ticked{
				choice: c, tokens: r.tokens[j:min(len(r.tokens), j+3)], page: r.page, row: i, y: r.y,
				party: f.partyAt(labelAt{row: i, box: t.box}),
			}, state})
		}
	}
	if begins {
		try(text, state)
	}
	if len(out) == 0 { // "OFax", "pKCD": the box is glued to the word.
		for n := 1; n <= 3 && n < len(t.text); n++ {
			if !utf8.RuneStart(t.text[n]) || !upper(t.text[n:]) {
				continue
			}
			if s, ok := boxLetters(token{text: t.text[:n]}); ok && strings.HasPrefix(text, t.text) {
				try(text[n:], s)
			}
		}
	}
	return out
}

// boxLetters tells the state of the box that t is the reading of; false if t is a word.
func boxLetters(t token) (boxState, bool) {
	switch {
	case t.glyph == tick, markedLetters.MatchString(t.text):
		return marked, true
	case t.glyph == emptyBox, emptyLetters.MatchString(t.text):
		return emptied, true
	case bracketed.MatchString(t.text):
		return marked, true
	case utf8.RuneCountInString(t.text) <= 2:
		return oddLetter, true
	}
	return bareBox, false
}
