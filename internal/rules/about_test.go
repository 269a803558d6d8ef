package rules_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/rules"
)

// A choice changes one thing that was chosen and nothing that is said about it,
// and reports whether there was anything to change.
var choices = map[string]func(*rules.Facts) bool{
	"patient": rechosen(func(p *library.PatientRecord) { p.ID = "D9999999" }),
	"issuer":  rechosen(func(p *library.PatientRecord) { p.Issuer = "ANNEX" }),
	"studies": func(f *rules.Facts) bool {
		changed := false
		f.Match.Studies, f.Match.Manifest = slices.Clone(f.Match.Studies), slices.Clone(f.Match.Manifest)
		for i, s := range f.Match.Studies {
			if !s.Chosen {
				continue
			}
			changed = true
			f.Match.Studies[i].UID = s.UID + ".9"
			for j, image := range f.Match.Manifest {
				if image.Study == s.UID {
					f.Match.Manifest[j].Study = s.UID + ".9"
				}
			}
		}
		return changed
	},
	"facility": func(f *rules.Facts) bool {
		if f.Facility == nil {
			return false
		}
		was, other := f.Facility.ID, *f.Facility
		other.ID = "elsewhere-too"
		f.Facility, f.Facilities = &other, slices.Clone(f.Facilities)
		for i := range f.Facilities {
			if f.Facilities[i].Facility.ID == was {
				f.Facilities[i].Facility.ID = other.ID
			}
		}
		return true
	},
}

func rechosen(change func(*library.PatientRecord)) func(*rules.Facts) bool {
	return func(f *rules.Facts) bool {
		f.Match.Patients = slices.Clone(f.Match.Patients)
		i := slices.IndexFunc(f.Match.Patients, func(c library.PatientCandidate) bool { return c.Chosen })
		if i < 0 {
			return false
		}
		record := f.Match.Patients[i].Record.Reveal()
		change(&record)
		f.Match.Patients[i].Record = library.Hide(record)
		return true
	}
}

// aboutOf says which choices make the findings of a rule others. A rule that is
// not here looks at the papers alone.
var aboutOf = map[string][]string{
	"IN-04": {"patient", "issuer", "facility"},
	"LB-0":  {"facility"},
	"LB-3":  {"facility"},
	"PM-01": {"patient", "issuer"},
	"PM-02": {"patient", "issuer"},
	"PM-03": {"patient", "issuer"},
	"PM-04": {"patient", "issuer"},
	"SM-01": {"patient", "issuer", "studies"},
	"SM-02": {"patient", "issuer", "studies"},
	"SM-04": {"patient", "issuer", "studies"},
	"DS-01": {"facility"},
	"DS-02": {"facility"},
}

// TestACorrectionIsAnotherThing corrects a middle name that no finding's words
// name: what was acknowledged of the patient chosen is not what stands now.
func TestACorrectionIsAnotherThing(t *testing.T) {
	t.Parallel()
	pack := load(t)
	abouts := func(change func(*rules.Facts)) map[string]string {
		all := map[string]string{}
		for _, c := range ruleCases() {
			f := facts()
			if c.change != nil {
				c.change(&f)
			}
			change(&f)
			for _, finding := range pack.Check(f) {
				if finding.About != "" {
					all[finding.Rule+" "+finding.Why] = finding.About
				}
			}
		}
		return all
	}
	before := abouts(func(*rules.Facts) {})
	changes := map[string]func(*rules.Facts){
		"PM-": func(f *rules.Facts) { f.Reading.Request.Patient.Suffix = "III" },
		"DS-": func(f *rules.Facts) { f.Reading.Request.Recipient.Phone = "(828) 555-0199" },
		"SM-": func(f *rules.Facts) {
			f.Reading.Request.Studies = append(slices.Clone(f.Reading.Request.Studies), library.StudyRequest{Modality: "US"})
		},
	}
	for group, change := range changes {
		seen := 0
		for key, about := range abouts(change) {
			if was, ok := before[key]; ok && strings.HasPrefix(key, group) {
				seen++
				if was == about {
					t.Errorf("%s is about the same as before the correction", key)
				}
			}
		}
		if seen == 0 {
			t.Errorf("no finding of %s looked at: the test proves nothing", group)
		}
	}
}

func TestAFindingIsAboutWhatWasChosen(t *testing.T) {
	t.Parallel()
	pack := load(t)
	digest := regexp.MustCompile(`^[0-9a-f]{32}$`)
	judged := map[string]bool{}
	for name, c := range ruleCases() {
		if c.want == pass {
			continue
		}
		build := func() rules.Facts {
			f := facts()
			if c.change != nil {
				c.change(&f)
			}
			return f
		}
		before := pack.Check(build())
		for _, f := range before {
			if want := len(aboutOf[f.Rule]) > 0; want != digest.MatchString(f.About) || !want && f.About != "" {
				t.Errorf("%s: %s is about %q, want a digest: %t", name, f.Rule, f.About, want)
			}
		}
		for what, choose := range choices {
			f := build()
			if !choose(&f) {
				continue
			}
			after := pack.Check(f)
			if len(after) != len(before) {
				t.Fatalf("%s, another %s: %d findings, want the %d as before", name, what, len(after), len(before))
			}
			for i, b := range before {
				a := after[i]
				judged[b.Rule+" "+what] = true
				if want := slices.Contains(aboutOf[b.Rule], what); (a.About != b.About) != want {
					t.Errorf("%s, another %s: %s is about another thing: %t, want %t", name, what, b.Rule, a.About != b.About, want)
				}
				if a.About = b.About; a.Rule != b.Rule || a.Severity != b.Severity || a.Why != b.Why || a.Field != b.Field {
					t.Errorf("%s, another %s: finding %+v, want %+v, or the case proves nothing", name, what, a, b)
				}
			}
		}
	}
	for rule, whats := range aboutOf {
		for _, what := range whats {
			if !judged[rule+" "+what] {
				t.Errorf("no case has a finding of %s with another %s", rule, what)
			}
		}
	}
}

func TestWhatAFindingIsAbout(t *testing.T) {
	t.Parallel()
	third := study("2.25.3", -1, "2025-11-04", 1)
	nothing := func(id string) func(*rules.Facts) {
		return func(f *rules.Facts) {
			patients(chosen(candidate("p1", id, yes("mrn"), yes("name"), yes("birth-date")), "clerk"))(f)
			studies()(f)
		}
	}
	for name, tt := range map[string]struct {
		rule string
		a, b func(*rules.Facts)
		same bool
	}{
		"the order of the studies is nothing":          {"SM-02", studies(first, second, third), studies(third, second, first), true},
		"one study more is":                            {"SM-02", studies(first, third), studies(first, second, third), false},
		"no images of one patient, or of another":      {"SM-01", nothing("D1"), nothing("D2"), false},
		"nobody chosen, or somebody":                   {"PM-02", withoutNumber(unnumbered, lookalike), withoutNumber(chosen(unnumbered, "clerk"), lookalike), false},
		"who chose is nothing":                         {"PM-02", withoutNumber(chosen(unnumbered, "program"), lookalike), withoutNumber(chosen(unnumbered, "clerk"), lookalike), true},
		"id and issuer do not run together":            {"PM-02", issued("D1", "2X"), issued("D12", "X"), false},
		"one patient more to choose from is nothing":   {"PM-02", withoutNumber(chosen(unnumbered, "clerk"), lookalike), withoutNumber(chosen(unnumbered, "clerk"), lookalike, twin), true},
		"no destination, or one of another name":       {"DS-01", func(f *rules.Facts) { withDirectory(f) }, destination("elsewhere"), false},
		"one of two destinations of names unlike":      {"DS-01", destination("elsewhere"), destination("nowhere"), false},
		"the same destination with a name of its own":  {"DS-01", destination("elsewhere"), destination("elsewhere"), true},
		"a destination is nothing to a patient's name": {"PM-03", misspelt, func(f *rules.Facts) { misspelt(f); destination("elsewhere")(f) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := aboutBy(t, tt.rule, tt.a), aboutBy(t, tt.rule, tt.b)
			if (a == b) != tt.same {
				t.Errorf("%s is about %q and about %q, want the same: %t", tt.rule, a, b, tt.same)
			}
		})
	}
}

// aboutBy returns what the first finding of a rule is about.
func aboutBy(t *testing.T, rule string, change func(*rules.Facts)) string {
	t.Helper()
	f := facts()
	change(&f)
	findings := load(t).Check(f)
	i := slices.IndexFunc(findings, func(x library.Finding) bool { return x.Rule == rule })
	if i < 0 {
		t.Fatalf("no finding of %s in %+v", rule, findings)
	}
	return findings[i].About
}

func issued(id, issuer string) func(*rules.Facts) {
	c := chosen(candidate("p1", id, yes("name"), yes("birth-date")), "clerk")
	record := c.Record.Reveal()
	record.Issuer = issuer
	c.Record = library.Hide(record)
	return withoutNumber(c, lookalike)
}

func destination(id library.FacilityID) func(*rules.Facts) {
	return picked(library.Facility{ID: id, Name: "Coastal Bone & Joint"})
}

func misspelt(f *rules.Facts) {
	patients(chosen(candidate("p1", "D1", yes("mrn"), yes("name-alike"), yes("birth-date")), "program"))(f)
}
