// Package archtest holds the shape of the house: which package may import
// which, how packages are named and described, and that the README says what
// the program does. It looks at the sources alone; of the program it knows
// only the rule packs, which the README must list.
package archtest_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A pkg is what `go list` says of a package of the product.
type pkg struct {
	Dir          string
	ImportPath   string
	Standard     bool
	Imports      []string // Of the program.
	TestImports  []string
	XTestImports []string
	Deps         []string // All that the program's imports reach.
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
}

// path returns the package's folder within the project: "." is the project.
func (p pkg) path() string { return inside(p.ImportPath) }

func (p pkg) files() []string {
	var all []string
	for _, names := range [][]string{p.GoFiles, p.TestGoFiles, p.XTestGoFiles} {
		for _, name := range names {
			all = append(all, filepath.Join(p.Dir, name))
		}
	}
	return all
}

const module = "fileroom"

// inside returns an import path without the module's name, if it has it.
func inside(importPath string) string {
	return strings.TrimPrefix(importPath, module+"/")
}

// list returns every package of the product. It is asked for once: all tests
// look at the same.
var list = sync.OnceValues(func() ([]pkg, error) {
	// -e: a package that does not compile fails elsewhere, and better explained.
	out, err := exec.Command("go", "list", "-e", "-json=Dir,ImportPath,Standard,Imports,TestImports,XTestImports,Deps,GoFiles,TestGoFiles,XTestGoFiles", module+"/...").Output()
	if err != nil {
		return nil, err
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

func packages(tb testing.TB) []pkg {
	tb.Helper()
	all, err := list()
	if err != nil {
		tb.Fatalf("go list: %v", err)
	}
	if len(all) < 20 {
		tb.Fatalf("go list names %d packages: it was not asked for the whole product", len(all))
	}
	return all
}
