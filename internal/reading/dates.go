package reading

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"fileroom/internal/library"
)

// A when is a date, or a span of time, as somebody wrote it.
type when struct {
	start, end int // Where it stands in the text.
	date       library.Date
	from, to   library.Date // In place of date: a month, a year, "June 2019 through March 2026".
	confidence float64
}

const monthNames = `jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?` +
	`|enero|febrero|marzo|abril|mayo|junio|julio|agosto|se(?:p)?tiembre|octubre|noviembre|diciembre`

// The ways in which dates are written. A \b will not do before a letter with
// an accent, but no month begins with one.
var (
	isoDate     = regexp.MustCompile(`\b(\d{4})-(\d{1,2})-(\d{1,2})\b`)
	figureDate  = regexp.MustCompile(`\b(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})\b`)
	monthFirst  = regexp.MustCompile(`(?i)\b(` + monthNames + `)\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?:\s*,\s*|\s+)(\d{4})\b`)
	dayFirst    = regexp.MustCompile(`(?i)\b(\d{1,2})(?:st|nd|rd|th)?\.?\s+(?:day\s+)?(?:of\s+|de\s+)?(` + monthNames + `)\.?,?\s+(?:del?\s+)?(\d{4}|\d{2})\b`)
	sameYear    = regexp.MustCompile(`(?i)\b(` + monthNames + `)\.?\s+(\d{1,2})(?:st|nd|rd|th)?\s+of\s+the\s+same\s+year\b`)
	monthOfYear = regexp.MustCompile(`(?i)\b(` + monthNames + `)\.?,?\s+(?:of\s+|del?\s+)?(\d{4})\b`)
	figureMonth = regexp.MustCompile(`\b(\d{1,2})/(\d{4})\b`)
	yearAlone   = regexp.MustCompile(`(?i)\b(?:in|from|during|since|of|en|de|del|year|año)\s+((?:19|20)\d{2})\b`)
	between     = regexp.MustCompile(`(?i)^\s*(-|–|—|to|through|thru|until|till|hasta|and|y|al?)\s*(?:the\s+|el\s+)?$`)
)

// dates finds the dates in s, in order. Reference is the day on which the
// request came: years of two digits and birth dates are reckoned from it.
func dates(s string, reference library.Date) []when {
	return datesAs(s, reference, writesDayFirst(s))
}

// datesAs finds the dates in s where it is known in which order the writer
// puts day and month: 1 for the day first, -1 for the month, 0 for not known.
func datesAs(s string, reference library.Date, order int) []when {
	d := dateReader{s: s, reference: reference, dayFirst: order}
	d.find(isoDate, func(m []string) (library.Date, float64) { return date(m[1], m[2], m[3]), 0.98 })
	d.find(monthFirst, func(m []string) (library.Date, float64) { return date(m[3], month(m[1]), m[2]), 0.98 })
	d.find(dayFirst, func(m []string) (library.Date, float64) { return d.named(m[3], month(m[2]), m[1]) })
	d.find(figureDate, d.figures)
	d.find(sameYear, func(m []string) (library.Date, float64) {
		if year := d.yearBefore(); year != "" {
			return date(year, month(m[1]), m[2]), 0.85
		}
		return "", 0
	})
	d.findSpan(monthOfYear, func(m []string) (string, string) { return m[2], month(m[1]) })
	d.findSpan(figureMonth, func(m []string) (string, string) { return m[2], m[1] })
	d.findSpan(yearAlone, func(m []string) (string, string) { return m[1], "" })
	return joinRanges(s, d.found)
}

type dateReader struct {
	s         string
	reference library.Date
	dayFirst  int // 1 if the writer puts the day first, -1 if the month, 0 if nothing tells.
	found     []when
	at        int // Where the match being looked at begins.
}

// find adds what read makes of each match of re that no earlier kind has taken.
func (d *dateReader) find(re *regexp.Regexp, read func([]string) (library.Date, float64)) {
	for _, m := range re.FindAllStringSubmatchIndex(d.s, -1) {
		d.at = m[0]
		v, confidence := read(groups(d.s, m))
		if len(d.found) == 4*most {
			return
		}
		if v != "" && !d.taken(m[0], m[1]) {
			d.add(when{start: m[0], end: m[1], date: v, confidence: confidence})
		}
	}
}

// findSpan adds months and years.
func (d *dateReader) findSpan(re *regexp.Regexp, read func([]string) (year, month string)) {
	for _, m := range re.FindAllStringSubmatchIndex(d.s, -1) {
		year, month := read(groups(d.s, m))
		start := m[0]
		if month == "" {
			start = m[2] // Without the word before the year.
		}
		if from, to := span12(year, month); from != "" && len(d.found) < 4*most && !d.taken(start, m[1]) {
			d.add(when{start: start, end: m[1], from: from, to: to, confidence: 0.9})
		}
	}
}

func (d *dateReader) add(w when) {
	d.found = append(d.found, w)
	slices.SortFunc(d.found, func(a, b when) int { return a.start - b.start })
}

func (d *dateReader) taken(start, end int) bool {
	return slices.ContainsFunc(d.found, func(w when) bool { return start < w.end && w.start < end })
}

// named reads a date whose month is a word.
func (d *dateReader) named(year, month, day string) (library.Date, float64) {
	if len(year) == 2 {
		return date(d.century(year), month, day), 0.85
	}
	return date(year, month, day), 0.98
}

// figures reads 5/6/2026. Americans write the month first; a writer who
// has shown to put the day first, and a day above 12, turn it round.
func (d *dateReader) figures(m []string) (library.Date, float64) {
	year, confidence := m[3], 0.95
	if len(year) == 2 {
		year, confidence = d.century(year), 0.9
	}
	a, _ := strconv.Atoi(m[1])
	b, _ := strconv.Atoi(m[2])
	switch {
	case a > 12:
		return date(year, m[2], m[1]), confidence
	case b > 12 || a == b:
		return date(year, m[1], m[2]), confidence
	case d.dayFirst > 0:
		return date(year, m[2], m[1]), 0.6
	case d.dayFirst < 0:
		return date(year, m[1], m[2]), confidence
	case spanish(d.s):
		return date(year, m[2], m[1]), 0.5
	}
	return date(year, m[1], m[2]), 0.85
}

// writesDayFirst tells from the dates of s that can be read in one way only how the rest is meant.
func writesDayFirst(s string) int {
	n := 0
	for _, m := range figureDate.FindAllStringSubmatch(s, -1) {
		a, _ := strconv.Atoi(m[1])
		b, _ := strconv.Atoi(m[2])
		switch {
		case a > 12 && b <= 12:
			n++
		case b > 12 && a <= 12:
			n--
		}
	}
	return min(1, max(-1, n))
}

// century completes a year of two digits: the latest such year that is not after the reference.
func (d *dateReader) century(yy string) string {
	now := 2050
	if t, ok := d.reference.Time(); ok {
		now = t.Year()
	}
	n, _ := strconv.Atoi(yy)
	year := now - now%100 + n
	if year > now {
		year -= 100
	}
	return strconv.Itoa(year)
}

// yearBefore returns the year of the last date before the present match.
func (d *dateReader) yearBefore() string {
	year := ""
	for _, w := range d.found {
		if w.start < d.at && w.date != "" {
			year = string(w.date[:4])
		}
	}
	return year
}

// joinRanges makes one of two neighbours with "to" between them, or with
// "between" before and "and" amid them.
func joinRanges(s string, found []when) []when {
	var out []when
	for i := 0; i < len(found); i++ {
		a := found[i]
		if i+1 < len(found) && isRange(s[:a.start], s[a.end:found[i+1].start]) {
			b := found[i+1]
			if from, to := first(a), last(b); from < to {
				out = append(out, when{start: a.start, end: b.end, from: from, to: to, confidence: min(a.confidence, b.confidence, 0.92)})
				i++
				continue
			}
		}
		out = append(out, a)
	}
	return out
}

func isRange(before, middle string) bool {
	m := between.FindStringSubmatch(middle)
	if m == nil {
		return false
	}
	word := ""
	if f := strings.Fields(strings.ToLower(before[max(0, len(before)-12):])); len(f) > 0 {
		word = f[len(f)-1]
	}
	switch strings.ToLower(m[1]) {
	case "and", "y":
		return word == "between" || word == "entre"
	case "a", "al":
		return word == "de" || word == "del" || word == "desde"
	}
	return true
}

func first(w when) library.Date {
	if w.date != "" {
		return w.date
	}
	return w.from
}

func last(w when) library.Date {
	if w.date != "" {
		return w.date
	}
	return w.to
}

// date returns a day that exists and lies within two lifetimes, or "".
func date(year, month, day string) library.Date {
	y, errY := strconv.Atoi(year)
	m, errM := strconv.Atoi(month)
	n, errN := strconv.Atoi(day)
	if errY != nil || errM != nil || errN != nil || y < 1880 || y > 2100 {
		return ""
	}
	v := library.Date(fmt.Sprintf("%04d-%02d-%02d", y, m, n))
	if _, ok := v.Time(); !ok {
		return ""
	}
	return v
}

// span12 returns the first and last day of a month, or of a year if month is "".
func span12(year, month string) (from, to library.Date) {
	if month == "" {
		return date(year, "1", "1"), date(year, "12", "31")
	}
	from = date(year, month, "1")
	t, ok := from.Time()
	if !ok {
		return "", ""
	}
	return from, library.DateOf(t.AddDate(0, 1, -1))
}

// month returns the number of a month by its name.
func month(name string) string {
	three := strings.ToLower(name)
	three = three[:min(3, len(three))]
	if es := map[string]string{"ene": "1", "abr": "4", "ago": "8", "set": "9", "dic": "12"}[three]; es != "" {
		return es
	}
	for m := time.January; m <= time.December; m++ {
		if strings.ToLower(m.String()[:3]) == three {
			return strconv.Itoa(int(m))
		}
	}
	return ""
}

// groups returns the submatches of a match by its indices.
func groups(s string, m []int) []string {
	g := make([]string, len(m)/2)
	for i := range g {
		if m[2*i] >= 0 {
			g[i] = s[m[2*i]:m[2*i+1]]
		}
	}
	return g
}

var spanishWords = regexp.MustCompile(`(?i)(?:^|[\s(])(?:de|del|los|las|por|para|mi|fecha|nacimiento|nací|nacido|solicito|imágenes|enviar|señores|soy|mis|su|una)(?:[\s,.:;)]|$)`)

// spanish reports whether s is in Spanish.
func spanish(s string) bool {
	words := len(strings.Fields(s))
	return words > 0 && len(spanishWords.FindAllStringIndex(s, 40)) >= max(3, min(20, words/14))
}
