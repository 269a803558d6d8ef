package archtest_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/rules"
)

var update = flag.Bool("update", false, "write the table of checks into the README")

// TestReadmeChecks holds the table of checks in the README to the rule packs.
func TestReadmeChecks(t *testing.T) {
	t.Parallel()
	const begin, end = "<!-- checks: written by go test ./internal/archtest -update -->\n", "<!-- end of checks -->\n"
	pack, err := rules.Load()
	if err != nil {
		t.Fatalf("rules.Load: %v", err)
	}
	name := filepath.Join(projectDir(t), "README.md")
	readme := readText(t, name)
	head, rest, found := strings.Cut(readme, begin)
	table, tail, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("README.md has no place for the table of checks between %q and %q", begin, end)
	}
	want := checksTable(pack)
	if *update {
		if err := os.WriteFile(name, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != want {
		t.Errorf("the table of checks in README.md is not what the packs hold: run go test ./internal/archtest -update\n got:\n%s\nwant:\n%s", table, want)
	}
}

func checksTable(pack *rules.Pack) string {
	var b strings.Builder
	b.WriteString("| check | what must hold | if it does not | law or policy |\n|---|---|---|---|\n")
	for _, r := range pack.Rules {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.ID, r.Title, severities(r), r.Citation)
	}
	return b.String()
}

// severities says how grave a rule's faults are: first the rule's own, then
// the others that some of them have.
func severities(r rules.Rule) string {
	words := map[library.Severity]string{
		library.Block: "blocks", library.Human: "a person judges", library.Advise: "is noted",
	}
	text, seen := words[r.Severity], map[library.Severity]bool{r.Severity: true}
	for _, w := range r.Where {
		if !seen[w.Severity] {
			seen[w.Severity] = true
			text += "; in some cases " + words[w.Severity]
		}
	}
	return text
}

// TestReadmeMap checks that the README's map of the house shows every room.
func TestReadmeMap(t *testing.T) {
	t.Parallel()
	readme := readText(t, filepath.Join(projectDir(t), "README.md"))
	for _, p := range packages(t) {
		// A room is a folder of the project, or of internal/; what lies deeper is furniture.
		parts := strings.Split(p.path(), "/")
		if len(parts) > 2 || support(p.ImportPath) {
			continue
		}
		if !strings.Contains(readme, "`"+parts[len(parts)-1]+"`") && !strings.Contains(readme, "`"+p.path()+"`") {
			t.Errorf("README.md does not say what is in %s", p.path())
		}
	}
}

func readText(tb testing.TB, name string) string {
	tb.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}
