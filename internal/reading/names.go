package reading

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"fileroom/internal/library"
)

// How names are written: words that begin with a capital, initials, and small words between them.
const (
	nameWord     = `\p{Lu}(?:\.|(?:\p{L}|['’-]\p{L})*)`
	nameParticle = `(?:de la|de los|de las|del|de|la|van der|van|von|der|den|da|di|dos|al|el|bin)`
	nameSuffix   = `(?:,?[ \n](?:Jr|Sr|II|III|IV)\b\.?)?`
	nameGap      = `[ \n]`
	personName   = nameWord + `(?:` + nameGap + `(?:` + nameParticle + nameGap + `)?` + nameWord + `){0,5}` + nameSuffix
	lineName     = nameWord + `(?: (?:` + nameParticle + ` )?` + nameWord + `){1,5}` + nameSuffix // All on one line.
	fullName     = nameWord + `(?:` + nameGap + `(?:` + nameParticle + nameGap + `)?` + nameWord + `){1,5}` + nameSuffix
	lastFirst    = `(?:` + nameParticle + ` )?` + nameWord + `(?: ` + nameWord + `)?, ?` + nameWord + `(?: ` + nameWord + `){0,2}` + nameSuffix
)

// parseName takes a written name apart. Ok is false where s is no name of a
// person. Of a single word it gives the given name alone.
func parseName(s string, spanish bool) (p library.Patient, ok bool) {
	s = cleanName(s)
	s, p.Suffix = cutSuffix(s)
	family, given, turned := strings.Cut(s, ",")
	if turned {
		given = strings.TrimSpace(given)
		if given == "" || strings.Contains(given, ",") {
			return library.Patient{}, false
		}
		tokens := join(strings.Fields(given), false)
		p.Family, p.Given, p.Middle = strings.TrimSpace(family), tokens[0], strings.Join(tokens[1:], " ")
		return p, isName(p.Family) && isName(given)
	}
	if !isName(s) {
		return library.Patient{}, false
	}
	tokens := join(strings.Fields(s), spanish)
	switch n := len(tokens); {
	case n == 0:
		return library.Patient{}, false
	case n == 1:
		p.Given = tokens[0]
	case spanish && n >= 3:
		// Two surnames; a second given name only where there are four.
		p.Given, p.Middle, p.Family = tokens[0], strings.Join(tokens[1:n-2], " "), strings.Join(tokens[n-2:], " ")
	default:
		p.Given, p.Middle, p.Family = tokens[0], strings.Join(tokens[1:n-1], " "), tokens[n-1]
	}
	return p, true
}

var (
	nameTitle  = regexp.MustCompile(`(?i)^(?:the late|el difunto|la difunta|mr|mrs|ms|miss|dr|dra|sra|srta|sr|don|doña|messrs|prof)\.?\s+`)
	nickname   = regexp.MustCompile(`\s*(?:"[^"]*"|“[^”]*”|\([^)]*\))\s*`)
	suffixWord = regexp.MustCompile(`(?i),?\s+(jr|sr|ii|iii|iv)\.?$`)
	notInName  = regexp.MustCompile(`(?i)^(?:radiology|library|image|images|imaging|hospital|duke|university|medical|center|centre|health|clinic|transfer|request|requests|dear|sincerely|records?|department|date|birth|dob|mrn|patient|name|signature|phone|fax|tel|telephone|address|street|road|avenue|to|from|re|subject|please|thank|thanks|you|and|the|my|of|for|sent|hello|hi|good|institute|associates|group|office|firm|ct|mri|mr|mra|xray|x-ray|ultrasound|study|studies|authorization|release|form|north|carolina|state|county|estate|power|attorney|letters|testamentary|enclosure|printed|print|i|am|is|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|june|july|august|september|october|november|december|biblioteca|paciente|nombre|carta|hola|estimados?|gracias|atentamente|best|kind|regards|yours|cordially|respectfully|very|truly|warm|page|cc|via|envelope|id|firma|fecha)$`)
)

// cleanName drops what stands around a name and is none of it.
func cleanName(s string) string {
	s = strings.Join(strings.Fields(nickname.ReplaceAllString(s, " ")), " ")
	s = strings.TrimRight(strings.TrimLeft(s, "-–:;,.•* "), "-–:;,• ")
	return nameTitle.ReplaceAllString(s, "")
}

func cutSuffix(s string) (name, suffix string) {
	m := suffixWord.FindStringSubmatchIndex(s)
	if m == nil {
		return s, ""
	}
	suffix = s[m[2]:m[3]]
	if rest := s[m[3]:]; rest == "." {
		suffix += "."
	}
	return s[:m[0]], suffix
}

// isName reports whether each word of s could be of a name.
func isName(s string) bool {
	words := strings.Fields(s)
	for _, w := range words {
		bare := strings.Trim(w, ".,'’-")
		if bare == "" || notInName.MatchString(bare) || strings.ContainsFunc(bare, func(c rune) bool {
			return !unicode.IsLetter(c) && c != '\'' && c != '’' && c != '-' && c != '.'
		}) {
			return false
		}
	}
	return len(words) > 0 && len(words) <= 7
}

var particle = regexp.MustCompile(`(?i)^` + nameParticle + `$`)

// join puts particles to the word after them, and in Spanish "María del Carmen" together.
func join(words []string, spanish bool) []string {
	var out []string
	for i := 0; i < len(words); i++ {
		w := words[i]
		if i == 0 || !particle.MatchString(w) || strings.ToUpper(w[:1]) == w[:1] {
			out = append(out, w)
			continue
		}
		for i+1 < len(words) && particle.MatchString(w[strings.LastIndexByte(w, ' ')+1:]) {
			i++
			w += " " + words[i]
		}
		// "del Carmen" belongs to the given name before it; "de Fuentes" to the family name before it.
		if spanish && (len(out) == 1 || len(out) >= 2) {
			out[len(out)-1] += " " + w
			continue
		}
		out = append(out, w)
	}
	return out
}

// sameName reports whether two written names can be of one person: the family
// names have a part in common and the given names agree or one is the other's beginning.
func sameName(a, b string) bool {
	x, y := nameWords(a), nameWords(b)
	if len(x) == 0 || len(y) == 0 {
		return false
	}
	if len(x) == 1 || len(y) == 1 {
		return slices.Contains(y, x[0]) || slices.Contains(x, y[0])
	}
	if strings.Contains(a, ",") && !suffixWord.MatchString(a) || strings.Contains(b, ",") && !suffixWord.MatchString(b) {
		slices.Sort(x)
		slices.Sort(y)
		return shared(x, y) >= 2
	}
	g, h := x[0], y[0]
	given := g == h || strings.HasPrefix(g, h) || strings.HasPrefix(h, g) || len(g) >= 3 && len(h) >= 3 && g[:3] == h[:3]
	return given && shared(x[1:], y[1:]) >= 1
}

func shared(x, y []string) int {
	n := 0
	for _, w := range x {
		if len(w) > 1 && slices.Contains(y, w) {
			n++
		}
	}
	return n
}

// nameWords returns the words of a name, folded, hyphens parted, titles and suffixes gone.
func nameWords(s string) []string {
	s, _ = cutSuffix(cleanName(s))
	var out []string
	for _, w := range strings.FieldsFunc(fold(s), func(c rune) bool { return !unicode.IsLetter(c) }) {
		if w != "jr" && w != "sr" && w != "de" && w != "del" {
			out = append(out, w)
		}
	}
	return out
}

// fold lowers s and takes the accents and apostrophes from it.
func fold(s string) string {
	return strings.Map(func(c rune) rune {
		if c == '\'' || c == '’' || c == '.' {
			return -1
		}
		for accented, plain := range map[rune]string{'a': "áàäâãå", 'e': "éèëê", 'i': "íìïî", 'o': "óòöôõ", 'u': "úùüû", 'n': "ñ", 'c': "ç"} {
			if strings.ContainsRune(plain, c) {
				return accented
			}
		}
		return c
	}, strings.ToLower(s))
}

// trimName cuts a run of capitalised words where it stops being a name.
func trimName(s string) string {
	at := 0
	for i, w := range strings.Fields(s) {
		j := at + strings.Index(s[at:], w)
		if i >= 2 && notInName.MatchString(strings.Trim(w, ".,:()")) {
			return strings.TrimSpace(s[:j])
		}
		at = j + len(w)
	}
	return s
}
