package rules

import (
	"slices"
	"strings"
	"unicode"

	"fileroom/internal/library"
)

// accents takes the letters of western names to their base. Marks that stand
// apart are dropped by fold.
var accents = strings.NewReplacer(
	"á", "a", "à", "a", "â", "a", "ä", "a", "ã", "a", "å", "a", "ā", "a", "ă", "a", "ą", "a", "æ", "ae",
	"ç", "c", "ć", "c", "č", "c", "ď", "d", "đ", "d", "ð", "d",
	"é", "e", "è", "e", "ê", "e", "ë", "e", "ē", "e", "ę", "e", "ě", "e", "ğ", "g",
	"í", "i", "ì", "i", "î", "i", "ï", "i", "ī", "i", "ı", "i", "ł", "l", "ñ", "n", "ń", "n", "ň", "n",
	"ó", "o", "ò", "o", "ô", "o", "ö", "o", "õ", "o", "ø", "o", "ō", "o", "ő", "o", "œ", "oe",
	"ř", "r", "ś", "s", "š", "s", "ş", "s", "ß", "ss", "ť", "t", "ţ", "t", "þ", "th",
	"ú", "u", "ù", "u", "û", "u", "ü", "u", "ū", "u", "ů", "u", "ű", "u",
	"ý", "y", "ÿ", "y", "ź", "z", "ż", "z", "ž", "z",
)

// fold returns the words of s in lower case without accents. Apostrophes and
// full stops join, everything else that is no letter or digit divides.
func fold(s string) []string {
	var b strings.Builder
	for _, r := range accents.Replace(strings.ToLower(s)) {
		switch {
		case unicode.Is(unicode.Mn, r), strings.ContainsRune(".'’‘ʼ`´ʻ", r):
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Fields(b.String())
}

// titles are words before and after a name that are no part of it.
var titles = map[string]bool{
	"mr": true, "mrs": true, "ms": true, "miss": true, "dr": true, "dra": true, "doctor": true, "prof": true,
	"md": true, "do": true, "phd": true, "rn": true, "np": true, "pa": true, "dpm": true, "facs": true,
	"jr": true, "sr": true, "ii": true, "iii": true, "iv": true, "junior": true, "senior": true,
}

// nameWords returns the folded words of a person's name without titles.
func nameWords(s string) []string {
	return slices.DeleteFunc(fold(s), func(w string) bool { return titles[w] })
}

// A signerLikeness says how far the name at a signature is the patient's.
type signerLikeness int

const (
	signerSame      signerLikeness = iota
	signerNewFamily                // The given name is the patient's: perhaps a former or married name.
	signerOther                    // The given name is another.
)

// compareSigner holds the name at a signature, as it is written there, against
// the patient's. Middle names, initials, suffixes, hyphens and one of two surnames
// make no difference: R. Tran, Tran, Robert and Robert Q. Tran Jr. are one.
func compareSigner(name string, p library.Patient) signerLikeness {
	words := nameWords(name)
	family, given := nameWords(p.Family), nameWords(p.Given+" "+p.Middle)
	if len(words) == 0 || len(family) == 0 || len(given) == 0 {
		return signerSame // Nothing to compare: other checks say what is missing.
	}
	hasFamily := strings.Contains(strings.Join(words, ""), strings.Join(family, ""))
	rest := slices.DeleteFunc(slices.Clone(words), func(w string) bool {
		if len(w) > 2 && slices.Contains(family, w) {
			hasFamily = true // One of two surnames will do.
			return true
		}
		return slices.Contains(family, w) || w == strings.Join(family, "")
	})
	hasGiven := slices.ContainsFunc(rest, func(w string) bool { return stands(w, given[0]) })
	for _, g := range given[1:] { // Many people are called by their middle name.
		hasGiven = hasGiven || slices.ContainsFunc(rest, func(w string) bool { return len(w) > 1 && w == g })
	}
	switch {
	case hasGiven && hasFamily, len(rest) == 0 && hasFamily:
		return signerSame
	case hasGiven:
		return signerNewFamily
	}
	return signerOther
}

// stands reports whether w can stand for a given name: the name itself, its
// initial, or a short form that it begins with, such as Kim for Kimberly.
func stands(w, given string) bool {
	return w == given || len([]rune(w)) == 1 && strings.HasPrefix(given, w) ||
		len(w) >= 3 && strings.HasPrefix(given, w) || len(given) == 1 && strings.HasPrefix(w, given)
}

// holdsPhrase reports whether the words of text hold one of the phrases, which
// are folded words with single spaces.
func holdsPhrase(text string, phrases []string) bool {
	padded := " " + strings.Join(fold(text), " ") + " "
	return slices.ContainsFunc(phrases, func(p string) bool { return strings.Contains(padded, " "+p+" ") })
}
