package reading

import (
	"regexp"
	"strings"
)

// An address is a postal address as it stands in the text.
type address struct {
	start, end               int
	street, city, state, zip string
	streetAt, streetEnd      int
	cityAt, cityEnd          int
	stateAt, stateEnd        int
	zipAt, zipEnd            int
}

const (
	states = `(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])\b\.?` +
		`|(?:Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|New[ \n]Hampshire|New[ \n]Jersey|New[ \n]Mexico|New[ \n]York|North[ \n]Carolina|North[ \n]Dakota|Ohio|Oklahoma|Oregon|Pennsylvania|Puerto[ \n]Rico|Rhode[ \n]Island|South[ \n]Carolina|South[ \n]Dakota|Tennessee|Texas|Utah|Vermont|West[ \n]Virginia|Virginia|Washington|Wisconsin|Wyoming|Carolina[ \n]del[ \n]Norte)\b`
	placeGap = `(?:[ \t]*[,·•|][ \t]*\n?[ \t]*|[ \t]+[-–][ \t]+|[ \t]*\n[ \t]*|\t)`
	streetRe = `\d{1,6}[A-Za-z]?(?:-\d+)?(?:[ \n][\p{L}\d.'’-]+){1,6}?`
	boxRe    = `(?:P\.?[ ]?O\.?[ ]?)?Box \d+`
	unitRe   = `(?:,?[ \n](?:Suite|Ste\.?|Apt\.?|Apartment|Unit|Bldg\.?|Building|Floor|Fl\.?|Room|Rm\.?|Box|Apto\.?|#)[ \n]?[\p{L}\d-]+|, ?(?:[A-Z]-?\d+|\d+(?:st|nd|rd|th) Floor|Unit [\p{L}\d]+))`
	cityRe   = `(?:(?:St|Ste|Ft|Mt|Pt)\.[ \n])?\p{Lu}[\p{L}'’-]*(?:[ \n]\p{Lu}[\p{L}'’-]*){0,2}`
)

var (
	postal  = regexp.MustCompile(`((?:` + streetRe + `|` + boxRe + `)(?:` + unitRe + `)*)` + placeGap + `(` + cityRe + `),?[ \n\t]+(` + states + `),?[ \n\t]+(\d{5}(?:-\d{4})?)\b`)
	british = regexp.MustCompile(`((?:` + streetRe + `)(?:` + unitRe + `)*)` + placeGap + `(` + cityRe + `),?[ \n\t]+()([A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2})\b`)

	phoneNumber = regexp.MustCompile(`(?:\+?1[ .-]?)?\(?\b\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}\b`)
	faxLabel    = regexp.MustCompile(`(?i)(?:\bfax(?: (?:number|no\.?|is|to))?|\bfacsimile|\bF)[ .:#]*\(?$`)
	mailAddress = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`)
)

// addresses finds the postal addresses in s.
func addresses(s string) []address {
	var out []address
	for _, re := range []*regexp.Regexp{postal, british} {
		for from := 0; ; {
			m := re.FindStringSubmatchIndex(s[from:])
			if m == nil || len(out) == most {
				break
			}
			for i := range m {
				m[i] += from
			}
			if m[0] > 0 && strings.ContainsRune("-./0123456789", rune(s[m[0]-1])) {
				// The tail of a telephone number or date: look on behind it.
				from = m[0] + len(s[m[0]:]) - len(strings.TrimLeft(s[m[0]:], "0123456789"))
				continue
			}
			from = m[1]
			a := address{
				start: m[0], end: m[1], streetAt: m[2], streetEnd: m[3], cityAt: m[4], cityEnd: m[5],
				stateAt: m[6], stateEnd: m[7], zipAt: m[8], zipEnd: m[9],
			}
			a.street, a.city = oneLine(s[m[2]:m[3]]), oneLine(s[m[4]:m[5]])
			a.state, a.zip = strings.TrimSuffix(oneLine(s[m[6]:m[7]]), "."), s[m[8]:m[9]]
			if !realStreet(a.street) {
				continue
			}
			out = append(out, a)
		}
	}
	return out
}

// realStreet refuses what only looks like a street: "2026 to Triangle Spine".
func realStreet(s string) bool {
	for i, w := range strings.Fields(s) {
		switch strings.ToLower(w) {
		case "to", "at", "and", "please", "is", "the", "from", "send":
			return false
		}
		if i == 1 && len(w) > 0 && w[0] >= 'a' && w[0] <= 'z' {
			return false
		}
	}
	return true
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// written returns an address on one line, as the corpus joins them.
func (a address) written() string {
	s := a.street + ", " + a.city
	if a.state != "" {
		s += ", " + a.state
	}
	return s + " " + a.zip
}

// A phone is a telephone or fax number as it stands in the text.
type phone struct {
	start, end int
	number     string
	fax        bool
}

func phones(s string) []phone {
	var out []phone
	for _, m := range phoneNumber.FindAllStringIndex(s, -1) {
		if m[0] > 0 && (s[m[0]-1] == '-' || s[m[0]-1] >= '0' && s[m[0]-1] <= '9') {
			continue
		}
		before := s[max(0, m[0]-24):m[0]]
		out = append(out, phone{m[0], m[1], oneLine(s[m[0]:m[1]]), faxLabel.MatchString(before)})
	}
	return out
}
