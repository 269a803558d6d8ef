package rules_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"fileroom/internal/library"
	"fileroom/internal/rules"
)

func TestThePackHoldsTogether(t *testing.T) {
	t.Parallel()
	pack := load(t)
	plain := regexp.MustCompile(`^[A-Z][A-Za-z ,'-]+$`) // No template, no number, nothing of a case.
	used := map[string]bool{}
	seen := map[string]bool{}
	for _, r := range pack.Rules {
		used[r.Check] = true
		if seen[r.ID] {
			t.Errorf("%s is there twice", r.ID)
		}
		seen[r.ID] = true
		if !plain.MatchString(r.Title) {
			t.Errorf("%s: title %q is not plain words", r.ID, r.Title)
		}
		if r.Citation == "" {
			t.Errorf("%s: no citation", r.ID)
		}
		if strings.ContainsAny(r.Ask+r.AskES, "{}%<>") {
			t.Errorf("%s: what is asked for holds a template", r.ID)
		}
	}
	for _, name := range rules.CheckNames() {
		if !used[name] {
			t.Errorf("no rule uses the function %s", name)
		}
	}
	for id := range strings.FieldsSeq("IN-01 IN-03 IN-04 IN-05 IN-06 DL-01 DL-02 DL-03 DL-04 DL-05 DL-06 DL-07 DL-08 DL-09 DL-10 DL-11 DL-12 " +
		"PM-01 PM-02 PM-04 SM-01 SM-02 SM-04 DS-01 DS-02 LB-4 LB-5") {
		if !seen[id] {
			t.Errorf("%s is not in the pack", id)
		}
	}
	if !strings.HasPrefix(pack.Version, "base 2026.") {
		t.Errorf("version %q", pack.Version)
	}
}

func TestEveryKindOfFaultIsFoundByACase(t *testing.T) {
	t.Parallel()
	check := map[string]string{}
	for _, r := range load(t).Rules {
		check[r.ID] = r.Check
	}
	found := map[string]bool{}
	for _, c := range ruleCases() {
		f := facts()
		if c.change != nil {
			c.change(&f)
		}
		name := check[c.rule]
		for _, kind := range rules.Found(name, f) {
			found[name+" "+kind] = true
			if !slices.Contains(rules.Faults(name), kind) {
				t.Errorf("%s finds %q, which it does not say", name, kind)
			}
		}
	}
	for _, name := range rules.CheckNames() {
		for _, kind := range rules.Faults(name) {
			if !found[name+" "+kind] {
				t.Errorf("no case in which %s finds %q", name, kind)
			}
		}
	}
}

func TestAskSpeaksTheRequestersLanguage(t *testing.T) {
	t.Parallel()
	pack := load(t)
	en, es := pack.Ask("DL-02", "en"), pack.Ask("DL-02", "es")
	if !strings.Contains(en, "date of birth") || !strings.Contains(es, "fecha de nacimiento") {
		t.Errorf("Ask(DL-02) = %q, %q", en, es)
	}
	if got := pack.Ask("DL-03", "en") + pack.Ask("DL-03", "es") + pack.Ask("XX-99", "en"); got != "" {
		t.Errorf("a record number is never asked for, and got %q", got)
	}
}

func TestLoadRefusesAPackThatDoesNotHoldTogether(t *testing.T) {
	t.Parallel()
	const (
		head = "name: test\nversion: \"1\"\nrules:\n"
		rule = "  - {id: X-1, title: A title, citation: A law, check: signed, severity: BLOCK}\n"
	)
	tests := map[string]struct {
		pack string
		want string // In the error; empty for none.
	}{
		"a rule":                           {head + rule, ""},
		"no rules":                         {head, "there are no rules"},
		"no version":                       {"name: test\nrules:\n" + rule, "version is missing"},
		"the same id twice":                {head + rule + rule, "X-1 is there twice"},
		"no such function":                 {head + strings.Replace(rule, "signed", "sealed", 1), "no check function sealed"},
		"no title":                         {head + strings.Replace(rule, "title: A title, ", "", 1), "title is missing"},
		"no citation":                      {head + strings.Replace(rule, "citation: A law, ", "", 1), "citation is missing"},
		"a severity nobody knows":          {head + strings.Replace(rule, "BLOCK", "STOP", 1), "severity must be"},
		"a key nobody knows":               {head + strings.Replace(rule, "title", "heading", 1), "heading"},
		"asked in one language":            {head + strings.Replace(rule, "}", ", ask: Please sign.}", 1), "ask_es"},
		"an exception to no fault":         {head + strings.Replace(rule, "}", ", where: [{fault: blue, severity: HUMAN}]}", 1), "no fault blue"},
		"an exception of no severity":      {head + strings.Replace(rule, "}", ", where: [{fault: missing}]}", 1), "where: severity"},
		"a setting that no site has":       {head + strings.Replace(rule, "}", ", where: [{site: blue, severity: HUMAN}]}", 1), "no site flag blue"},
		"everything wrong is told at once": {head + "  - {id: X-1}\n", "title is missing; X-1: citation is missing"},
		"no YAML":                          {"\t{", "yaml"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := rules.LoadFrom(fstest.MapFS{"packs/test.yaml": {Data: []byte(tt.pack)}}, "packs")
			if tt.want == "" {
				if err != nil {
					t.Errorf("err %v, want none", err)
				}
				return
			}
			if library.KindOf(err) != library.Invalid || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err %v, want Invalid with %q", err, tt.want)
			}
		})
	}
}

func TestAnEditedPackIsAnotherVersion(t *testing.T) {
	t.Parallel()
	version := func(title string) string {
		raw := "name: test\nversion: \"1\"\nrules:\n  - {id: X-1, title: " + title + ", citation: A law, check: signed, severity: BLOCK}\n"
		pack, err := rules.LoadFrom(fstest.MapFS{"packs/test.yaml": {Data: []byte(raw)}}, "packs")
		if err != nil {
			t.Fatal(err)
		}
		return pack.Version
	}
	if a, b := version("One"), version("Two"); a == b {
		t.Errorf("both are %q", a)
	}
}
