package archtest_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// vague are names that say nothing of what a package holds.
var vague = []string{
	"base", "common", "core", "data", "helper", "helpers", "lib", "manager", "misc", "model", "models", "pkg", "shared",
	"tools", "types", "util", "utils",
}

func TestPackageNames(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		parts := strings.Split(p.path(), "/")
		for _, name := range parts {
			if slices.Contains(vague, name) {
				t.Errorf("%s: the name %s does not say what the package holds", p.path(), name)
			}
			if strings.ToLower(name) != name || strings.ContainsAny(name, "_-") {
				t.Errorf("%s: a package's name is one word of lower-case letters", p.path())
			}
		}
		if len(parts) > 3 {
			t.Errorf("%s is deeper than three folders", p.path())
		}
	}
}

// TestPackageComments checks that every package says what it is.
func TestPackageComments(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		var comments []string
		for _, file := range p.files() {
			// In a test file the comment counts only where a package is nothing but tests.
			if strings.HasSuffix(file, "_test.go") && len(p.GoFiles) > 0 {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if parsed.Doc != nil {
				comments = append(comments, parsed.Doc.Text())
			}
		}
		want := "Package " + filepath.Base(p.path()) + " "
		if strings.HasPrefix(p.path(), "cmd/") {
			want = "Command " + filepath.Base(p.path()) + " "
		}
		switch {
		case len(comments) == 0:
			t.Errorf("%s has no package comment", p.path())
		case len(comments) > 1:
			t.Errorf("%s has %d package comments: one is enough", p.path(), len(comments))
		case !strings.HasPrefix(comments[0], want):
			t.Errorf("%s: its package comment does not begin with %q", p.path(), want)
		}
	}
}

const maxLines = 500

// long are the files that may be longer than maxLines, with the reason.
var long = map[string]string{}

func TestFileLengths(t *testing.T) {
	t.Parallel()
	root := projectDir(t)
	for _, p := range packages(t) {
		for _, file := range p.files() {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Errorf("read source: %v", err)
				continue
			}
			name, err := filepath.Rel(root, file)
			if err != nil {
				t.Errorf("name of source: %v", err)
			}
			lines := bytes.Count(b, []byte("\n"))
			switch reason := long[filepath.ToSlash(name)]; {
			case lines > maxLines && reason == "" && !generated(b):
				t.Errorf("%s has %d lines: split it, or say in long why not", name, lines)
			case lines <= maxLines && reason != "":
				t.Errorf("%s has %d lines, and is in long for nothing", name, lines)
			}
		}
	}
}

func generated(source []byte) bool {
	parsed, err := parser.ParseFile(token.NewFileSet(), "", source, parser.PackageClauseOnly|parser.ParseComments)
	return err == nil && ast.IsGenerated(parsed)
}

// projectDir returns the folder of the project.
func projectDir(tb testing.TB) string {
	tb.Helper()
	for _, p := range packages(tb) {
		if dir, ok := strings.CutSuffix(filepath.ToSlash(p.Dir), "/internal/library"); ok {
			return filepath.FromSlash(dir)
		}
	}
	tb.Fatal("internal/library is not there")
	return ""
}
