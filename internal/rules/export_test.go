package rules

import (
	"io/fs"
	"maps"
	"slices"
)

// LoadFrom loads packs from another place than the program.
func LoadFrom(files fs.FS, dir string) (*Pack, error) { return load(files, dir) }

// CheckNames returns the names of the check functions.
func CheckNames() []string { return slices.Sorted(maps.Keys(checks)) }

// Faults returns the kinds of fault that a check function says it finds.
func Faults(name string) []string { return checks[name].faults }

// Found returns the kinds of fault that a check function finds in the facts.
func Found(name string, f Facts) []string {
	var kinds []string
	for _, x := range checks[name].run(f) {
		kinds = append(kinds, x.kind)
	}
	return kinds
}
