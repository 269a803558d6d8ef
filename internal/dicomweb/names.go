package dicomweb

import (
	"slices"
	"strings"
	"unicode"

	"fileroom/internal/dicom"

	"golang.org/x/text/unicode/norm"
)

// alike reports whether a name of the archive may be the one asked for.
func alike(name, family, given string) bool {
	n := dicom.ParsePersonName(name)
	exchanged := fold(n.Given) != "" && sameFamily(n.Given, family) && sameFamily(n.Family, given)
	return exchanged || sameFamily(n.Family, family)
}

// sameFamily reports whether two family names are the same, one slip apart, or
// one is a part of the other: Müller, MUELLER and O'Brien-Müller.
func sameFamily(x, y string) bool {
	for _, a := range []string{fold(x), expand(x)} {
		for _, b := range []string{fold(y), expand(y)} {
			if a != "" && b != "" && (a == b || oneSlip(a, b)) {
				return true
			}
		}
	}
	return partOf(x, y) || partOf(y, x)
}

// oneSlip reports whether two words of five letters or more differ in a letter
// changed, left out or put in, or in two that were exchanged.
func oneSlip(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(x) < 5 || len(y)-len(x) > 1 {
		return false
	}
	i := 0
	for i < len(x) && x[i] == y[i] {
		i++
	}
	if len(x) < len(y) {
		return slices.Equal(x[i:], y[i+1:])
	}
	if i == len(x) || slices.Equal(x[i+1:], y[i+1:]) {
		return true
	}
	return i+1 < len(x) && x[i] == y[i+1] && x[i+1] == y[i] && slices.Equal(x[i+2:], y[i+2:])
}

// partOf reports whether every part of x is one of y's.
func partOf(x, y string) bool {
	parts := map[string]bool{}
	for _, p := range joined(y) {
		parts[fold(p)], parts[expand(p)] = true, true
	}
	of := joined(x)
	for _, p := range of {
		if !parts[fold(p)] && !parts[expand(p)] {
			return false
		}
	}
	return len(of) > 0
}

// joined returns the words of a family name. Apostrophes and full stops divide
// none.
func joined(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) && !strings.ContainsRune(".'’‘ʼ`´ʻ", r)
	})
}

// fold returns the letters and digits of s in lower case and without accents.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKD.String(bare.Replace(s)))
}

// expand folds s with two letters for one where that is the custom: ue for ü.
func expand(s string) string { return fold(twoLetters.Replace(norm.NFC.String(s))) }

var (
	// bare are letters that do not come apart into a letter and an accent.
	bare       = strings.NewReplacer("ß", "ss", "ø", "o", "Ø", "O", "ł", "l", "Ł", "L", "đ", "d", "Đ", "D", "æ", "ae", "Æ", "AE", "œ", "oe", "Œ", "OE", "ı", "i", "ð", "d", "Ð", "D", "þ", "th", "Þ", "Th", "ħ", "h", "Ħ", "H")
	twoLetters = strings.NewReplacer("ä", "ae", "Ä", "Ae", "ö", "oe", "Ö", "Oe", "ü", "ue", "Ü", "Ue", "ø", "oe", "Ø", "Oe", "å", "aa", "Å", "Aa")
)
