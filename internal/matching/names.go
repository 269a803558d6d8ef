package matching

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"fileroom/internal/library"
)

// A Likeness says how far two names agree.
type Likeness int

// How far two names can agree.
const (
	Unknown   Likeness = iota // One of them is not there.
	Different                 // Two people, as far as the names tell.
	Alike                     // Middle name, suffix, initials or spelling differ.
	Same                      // Family and given name are the same, and nothing else contradicts.
)

// CompareName compares the patient whom a request names with a Patient's Name
// as DICOM writes it (PS3.5 section 6.2.1.1): FAMILY^GIVEN^MIDDLE^PREFIX^SUFFIX,
// of which the first component group counts.
//
// Case, accents, hyphens, apostrophes and full stops make no difference, nor
// does a middle name or suffix that only one of them has, nor an initial for a
// middle name. Nicknames are not guessed: Bill is not William.
func CompareName(wanted library.Patient, name string) Likeness {
	a := newName(wanted.Family, wanted.Given, wanted.Middle, wanted.Suffix)
	b := parsePN(name)
	if len(a.family) == 0 || len(b.family) == 0 || len(a.given) == 0 || len(b.given) == 0 {
		return Unknown
	}
	like := a.compare(b)
	if like == Different {
		b.family, b.given = b.given, b.family
		if a.compare(b) == Same { // Family and given name were put in each other's place.
			return Alike
		}
	}
	return like
}

// A personName is a name in folded words.
type personName struct {
	family, given, middle []string
	suffix                string
}

func newName(family, given, middle, suffix string) personName {
	n := personName{family: fold(family), given: fold(given), middle: fold(middle)}
	for _, w := range fold(suffix) {
		if s := generation(w); s != "" {
			n.suffix = s
		}
	}
	// Many systems have no place for a suffix and write it after the family name.
	if last := len(n.family) - 1; last > 0 {
		if s := generation(n.family[last]); s != "" {
			n.family = n.family[:last]
			if n.suffix == "" {
				n.suffix = s
			}
		}
	}
	return n
}

func parsePN(name string) personName {
	group, _, _ := strings.Cut(name, "=")
	parts := append(strings.Split(group, "^"), "", "", "", "", "")
	return newName(parts[0], parts[1], parts[2], parts[4])
}

func (n personName) compare(m personName) Likeness {
	family, given := compareFamily(n.family, m.family), n.compareGiven(m)
	like := min(family, given)
	if like == Same && n.suffix != "" && m.suffix != "" && n.suffix != m.suffix {
		return Alike
	}
	return like
}

// compareFamily takes one of two surnames for the whole as alike, as people
// write after a marriage: Ortiz, Ortiz-Vega.
func compareFamily(a, b []string) Likeness {
	x, y := strings.Join(a, ""), strings.Join(b, "")
	switch {
	case x == y:
		return Same
	case subset(a, b) || subset(b, a), misspelt(x, y):
		return Alike
	}
	return Different
}

// compareGiven looks at given and middle names as one row, for systems divide
// them differently: Mary Ann is one given name here and two names there.
func (n personName) compareGiven(m personName) Likeness {
	a, b := slices.Concat(n.given, n.middle), slices.Concat(m.given, m.middle)
	if strings.Join(a, "") == strings.Join(b, "") {
		return Same
	}
	if x, y := strings.Join(n.given, ""), strings.Join(m.given, ""); x == y {
		return compareMiddle(n.middle, m.middle)
	}
	switch {
	case a[0] == b[0]:
		return compareMiddle(a[1:], b[1:])
	case initialOf(a[0], b[0]), misspelt(a[0], b[0]):
		return Alike
	}
	return Different
}

func compareMiddle(a, b []string) Likeness {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] && !initialOf(a[i], b[i]) {
			return Alike
		}
	}
	return Same
}

func initialOf(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return len([]rune(a)) == 1 && strings.HasPrefix(b, a)
}

func subset(some, all []string) bool {
	for _, w := range some {
		if len(w) < 3 || !slices.Contains(all, w) { // A particle, such as "de", is no surname.
			return false
		}
	}
	return true
}

// misspelt reports whether two words of five letters or more are one slip
// apart: a letter changed, left out, put in, or two exchanged.
func misspelt(a, b string) bool {
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
	if i == len(x) {
		return true // The same word.
	}
	exchanged := i+1 < len(x) && x[i] == y[i+1] && x[i+1] == y[i] && slices.Equal(x[i+2:], y[i+2:])
	return exchanged || slices.Equal(x[i+1:], y[i+1:])
}

// generation returns the canonical form of a suffix that tells generations
// apart; a degree, such as MD, tells nobody apart.
func generation(word string) string {
	switch word {
	case "jr", "junior":
		return "jr"
	case "sr", "senior":
		return "sr"
	case "ii", "2nd":
		return "ii"
	case "iii", "3rd":
		return "iii"
	case "iv", "4th":
		return "iv"
	}
	return ""
}

// letters are those that Unicode does not take apart into a base and a mark.
var letters = strings.NewReplacer(
	"ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "đ", "d", "ð", "d", "ł", "l", "þ", "th", "ı", "i", "ħ", "h",
)

// fold returns the words of s in lower case without accents. Apostrophes and
// full stops join (O'Neil is oneil), everything else that is no letter or digit
// divides (Smith-Jones is two words).
func fold(s string) []string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r), strings.ContainsRune(".'’‘ʼ`´ʻ", r):
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Fields(letters.Replace(b.String()))
}
