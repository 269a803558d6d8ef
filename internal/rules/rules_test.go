package rules_test

import (
	"maps"
	"reflect"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/rules"
)

const (
	pass   = library.Severity("")
	block  = library.Block
	human  = library.Human
	advise = library.Advise
)

// A ruleCase changes the facts of the plain letter and says what one rule then
// finds: the severity of its first finding, or none.
type ruleCase struct {
	rule   string
	change func(*rules.Facts)
	want   library.Severity
}

func caseGroups() []map[string]ruleCase {
	return []map[string]ruleCase{
		intakeCases, basisCases, letterCases, representativeCases, identityCases, studyCases, destinationCases,
	}
}

// ruleCases are all of them, by what they say.
func ruleCases() map[string]ruleCase {
	all := map[string]ruleCase{}
	for _, group := range caseGroups() {
		maps.Copy(all, group)
	}
	return all
}

func load(t *testing.T) *rules.Pack {
	t.Helper()
	pack, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

func TestEveryRuleFindsWhatItShouldAndNothingElse(t *testing.T) {
	t.Parallel()
	pack := load(t)
	for name, tt := range ruleCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := facts()
			if tt.change != nil {
				tt.change(&f)
			}
			got := pass
			for _, finding := range pack.Check(f) {
				if finding.Rule == tt.rule {
					got = finding.Severity
					if finding.Why == "" || finding.Title == "" || finding.Citation == "" || finding.Pack == "" {
						t.Errorf("%s is not told in full: %+v", tt.rule, finding)
					}
					break
				}
			}
			if got != tt.want {
				t.Errorf("%s: severity %q, want %q", tt.rule, got, tt.want)
			}
		})
	}
}

func TestEveryRuleHasAPassingAndAFailingCase(t *testing.T) {
	t.Parallel()
	n := 0
	for _, group := range caseGroups() {
		n += len(group)
	}
	if got := len(ruleCases()); got != n {
		t.Errorf("%d cases of %d: two groups use the same sentence", got, n)
	}
	passing, failing := map[string]bool{}, map[string]bool{}
	known := map[string]bool{}
	for _, r := range load(t).Rules {
		known[r.ID] = true
	}
	for name, c := range ruleCases() {
		if !known[c.rule] {
			t.Errorf("%q is about %s, which no pack holds", name, c.rule)
		}
		passing[c.rule] = passing[c.rule] || c.want == pass
		failing[c.rule] = failing[c.rule] || c.want != pass
	}
	for id := range known {
		if !passing[id] || !failing[id] {
			t.Errorf("%s: passing case %t, failing case %t; want both", id, passing[id], failing[id])
		}
	}
}

func TestThePlainLetterHasNothingWrong(t *testing.T) {
	t.Parallel()
	f := facts()
	if got := load(t).Check(f); len(got) > 0 {
		t.Errorf("findings %+v, want none", got)
	}
	if tier := rules.TierOf(f, nil); tier != 1 {
		t.Errorf("tier %d, want 1", tier)
	}
}

func TestCheckSaysTheSameTwice(t *testing.T) {
	t.Parallel()
	pack := load(t)
	for name, c := range ruleCases() {
		f := facts()
		if c.change != nil {
			c.change(&f)
		}
		if a, b := pack.Check(f), pack.Check(f); !reflect.DeepEqual(a, b) {
			t.Errorf("%s: the same facts gave %+v and %+v", name, a, b)
		}
	}
}

func TestAFindingCarriesWhereItStands(t *testing.T) {
	t.Parallel()
	f := facts()
	for i := range f.Reading.Fields {
		f.Reading.Fields[i].Confidence = 0.5
	}
	findings := load(t).Check(f)
	if len(findings) != 4 {
		t.Fatalf("%d findings, want one for each identity field: %+v", len(findings), findings)
	}
	for _, finding := range findings {
		if finding.Rule != "ID-02" || finding.Page != 1 || finding.Box == nil || finding.Confidence != 0.5 || finding.Field == "" {
			t.Errorf("finding %+v, want ID-02 with page, box and confidence of its field", finding)
		}
	}
}

func TestNothingAtAllIsBlocked(t *testing.T) {
	t.Parallel()
	pack := load(t)
	for _, basis := range []library.Basis{"", "LB-1", "LB-2", "LB-3", "LB-4", "LB-5", "LB-6", "LB-7"} {
		f := rules.Facts{Basis: basis, Bound: []library.CaseID{"K7MQ-42XD"}}
		blocked := map[string]bool{}
		for _, finding := range pack.Check(f) {
			blocked[finding.Rule] = blocked[finding.Rule] || finding.Severity == block
		}
		for _, rule := range []string{"PM-01", "DS-01"} {
			if !blocked[rule] {
				t.Errorf("basis %q without any facts: %s does not block", basis, rule)
			}
		}
	}
}
