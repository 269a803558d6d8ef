package reading_test

import (
	"slices"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/reading"
)

func day(d library.Date) []reading.When         { return []reading.When{{Date: d}} }
func span(from, to library.Date) []reading.When { return []reading.When{{From: from, To: to}} }

func TestDates(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		text string
		want []reading.When
	}{
		"no date":                        {text: "room 12, 40 films"},
		"American figures":               {text: "on 3/9/1961.", want: day("1961-03-09")},
		"figures with two-digit year":    {text: "done 4/30/26)", want: day("2026-04-30")},
		"two digits of the last century": {text: "b. 17 Nov 52;", want: day("1952-11-17")},
		"ISO":                            {text: "DOB 1955-08-30", want: day("1955-08-30")},
		"dashes":                         {text: "06-14-1938", want: day("1938-06-14")},
		"dots":                           {text: "5.16.1982", want: day("1982-05-16")},
		"day above twelve goes first":    {text: "14/04/2026", want: day("2026-04-14")},
		"another date shows the order":   {text: "14/04/2026 and 05/04/2026", want: []reading.When{{Date: "2026-04-14"}, {Date: "2026-04-05"}}},
		"month in words":                 {text: "April 6, 2026", want: day("2026-04-06")},
		"month cut short":                {text: "Feb. 3, 2026", want: day("2026-02-03")},
		"month without comma":            {text: "June 30 1973", want: day("1973-06-30")},
		"ordinal":                        {text: "February 19th, 2026", want: day("2026-02-19")},
		"day of month":                   {text: "the 9th of March, 1944", want: day("1944-03-09")},
		"legal day":                      {text: "this 28th day of April, 2026", want: day("2026-04-28")},
		"day first in words":             {text: "14 Sept. 1951", want: day("1951-09-14")},
		"over the end of a line":         {text: "July 3,\n2026", want: day("2026-07-03")},
		"Spanish":                        {text: "el 14 de febrero de 1972", want: day("1972-02-14")},
		"same year":                      {text: "August 19, 2025. On January 7 of the same year", want: []reading.When{{Date: "2025-08-19"}, {Date: "2025-01-07"}}},
		"month alone":                    {text: "in June 2019.", want: span("2019-06-01", "2019-06-30")},
		"year alone":                     {text: "my MRIs from 2022", want: span("2022-01-01", "2022-12-31")},
		"leap February":                  {text: "02/2024", want: span("2024-02-01", "2024-02-29")},
		"months through months":          {text: "from June 2019 through March 2026", want: span("2019-06-01", "2026-03-31")},
		"between and":                    {text: "between 1/2/2024 and 3/4/2025", want: span("2024-01-02", "2025-03-04")},
		"list is no range":               {text: "7/18/2025, 8/8/2025 and 9/5/2025", want: []reading.When{{Date: "2025-07-18"}, {Date: "2025-08-08"}, {Date: "2025-09-05"}}},
		"day that does not exist":        {text: "02/30/2026"},
		"telephone is no date":           {text: "call 919-555-0142"},
		"record number is no date":       {text: "MRN 00-6218-94"},
		"day without a year":             {text: "my appointment is on April 20"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if got := reading.Dates(tt.text, "2026-06-01"); !slices.Equal(got, tt.want) {
				t.Errorf("Dates(%q) = %v, want %v", tt.text, got, tt.want)
			}
		})
	}
}

func FuzzDates(f *testing.F) {
	for _, s := range []string{"3/9/1961", "from June 2019 through March 2026", "el 14 de febrero de 1972", "31 de noviembre 99", "00/00/0000", "May\n1,\n20266"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, w := range reading.Dates(s, "2026-06-01") {
			for _, d := range []library.Date{w.Date, w.From, w.To} {
				if _, ok := d.Time(); d != "" && !ok {
					t.Errorf("%q gives %q, which is no date", s, d)
				}
			}
			if w.Date == "" && w.From > w.To {
				t.Errorf("%q gives a span from %s to %s", s, w.From, w.To)
			}
		}
	})
}
