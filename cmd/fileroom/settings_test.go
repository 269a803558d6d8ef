package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var update = flag.Bool("update", false, "write the table of settings into the README")

// TestReadmeSettings holds the table of settings in the README to the flags.
func TestReadmeSettings(t *testing.T) {
	t.Parallel()
	const begin, end = "<!-- settings: written by go test ./cmd/fileroom -update -->\n", "<!-- end of settings -->\n"
	name := filepath.Join("..", "..", "README.md")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(b), begin)
	table, tail, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("README.md has no place for the table of settings between %q and %q", begin, end)
	}
	want := settingsTable(model(t))
	if *update {
		if err := os.WriteFile(name, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != want {
		t.Errorf("the table of settings in README.md is not what the flags say: run go test ./cmd/fileroom -update\n it has:\n%s\nand not:\n%s\nor has another order", without(table, want), without(want, table))
	}
}

// without returns the lines of a text that another has not.
func without(text, other string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.Contains(other, line) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// settingsTable writes down every setting that has a variable, in the order of
// commands and flags, with the commands that take it. What it means to the
// first of them is said.
func settingsTable(app *kong.Application) string {
	type setting struct {
		line string // But for the commands.
		of   []string
	}
	var order []string
	all := map[string]*setting{}
	for _, leaf := range app.Leaves(true) {
		for _, f := range leaf.Flags {
			for _, env := range f.Envs {
				if all[env] == nil {
					order = append(order, env)
					all[env] = &setting{line: fmt.Sprintf("%s | %s", defaultOf(f), f.Help)}
				}
				if command, _, _ := strings.Cut(leaf.Path(), " <"); !slices.Contains(all[env].of, command) {
					all[env].of = append(all[env].of, command)
				}
			}
		}
	}
	var b strings.Builder
	b.WriteString("| variable | for | default | meaning |\n|---|---|---|---|\n")
	for _, env := range order {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", env, commandWords(all[env].of), all[env].line)
	}
	return b.String()
}

// commandWords names the commands that take a setting. Many take the same few.
func commandWords(commands []string) string {
	if len(commands) > 3 {
		return "all"
	}
	return "`" + strings.Join(commands, "`, `") + "`"
}

func defaultOf(f *kong.Flag) string {
	switch {
	case f.Required:
		return "required"
	case orFile(f):
		return "required, or its file"
	case f.Default != "":
		return "`" + f.Default + "`"
	}
	return ""
}

// TestSettingsAgree checks that a variable means the same to every command.
func TestSettingsAgree(t *testing.T) {
	t.Parallel()
	flags := map[string]*kong.Flag{}
	for _, leaf := range model(t).Leaves(true) {
		for _, f := range leaf.Flags {
			for _, env := range f.Envs {
				if first := flags[env]; first == nil {
					flags[env] = f
				} else if first.Name != f.Name || first.Help != f.Help || defaultOf(first) != defaultOf(f) {
					t.Errorf("%s is --%s (%s) for one command and --%s (%s) for %s", env, first.Name, first.Help, f.Name, f.Help, leaf.Path())
				}
			}
		}
	}
	if len(flags) < 30 {
		t.Errorf("only %d settings are seen", len(flags))
	}
}

// TestOrFile checks that each secret that may come in a file has a flag for it.
func TestOrFile(t *testing.T) {
	t.Parallel()
	count := 0
	for _, leaf := range model(t).Leaves(true) {
		names := map[string]bool{}
		for _, f := range leaf.Flags {
			names[f.Name] = true
		}
		for _, f := range leaf.Flags {
			if orFile(f) {
				count++
				if !names[f.Name+"-file"] {
					t.Errorf("%s has no --%s-file", leaf.Path(), f.Name)
				}
			}
		}
	}
	if count < 3 {
		t.Errorf("only %d such settings are seen", count)
	}
}
