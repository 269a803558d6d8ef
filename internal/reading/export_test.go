package reading

import "fileroom/internal/library"

// What the tables and fuzz targets of the tests call.
var (
	ParseName = parseName
	SameName  = sameName
)

// A When is a date as dates finds it.
type When struct{ Date, From, To library.Date }

// Dates returns the dates of s.
func Dates(s string, reference library.Date) []When {
	var out []When
	for _, w := range dates(s, reference) {
		out = append(out, When{w.date, w.from, w.to})
	}
	return out
}

// Addresses returns the addresses of s, each on one line.
func Addresses(s string) []string {
	var out []string
	for _, a := range addresses(s) {
		out = append(out, a.written())
	}
	return out
}

// Phones returns the telephone numbers of s; a fax number has "fax " before it.
func Phones(s string) []string {
	var out []string
	for _, p := range phones(s) {
		if p.fax {
			p.number = "fax " + p.number
		}
		out = append(out, p.number)
	}
	return out
}
