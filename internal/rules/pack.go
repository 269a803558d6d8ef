package rules

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"fileroom/internal/library"
)

//go:embed packs/*.yaml
var packs embed.FS

// A Pack is the rules that apply, in the order of their files.
type Pack struct {
	// Version names every file of the pack with its version and the start of its
	// digest, so that an edit is another version even if nobody said so.
	Version string
	Rules   []Rule
}

// A Rule is one check as a pack holds it.
type Rule struct {
	ID          string           `yaml:"id"`       // Such as DL-02 (FIELD.md, section 2).
	Title       string           `yaml:"title"`    // What must hold, without anything of a case: it is shown in URLs.
	Citation    string           `yaml:"citation"` // The law or policy.
	Check       string           `yaml:"check"`    // Name of the function.
	Bases       []library.Basis  `yaml:"bases"`    // On which it applies; empty for all.
	Severity    library.Severity `yaml:"severity"`
	Overridable bool             `yaml:"overridable"` // Privacy may acknowledge a BLOCK of it.
	Where       []Exception      `yaml:"where"`       // The first that fits counts.
	Ask         string           `yaml:"ask"`         // What the requester is asked for; empty for nothing.
	AskES       string           `yaml:"ask_es"`      // The same in Spanish.

	pack string // Name and version of its file.
}

// An Exception is another severity for some of a rule's faults. What it does
// not name, it does not look at.
type Exception struct {
	Fault       string            `yaml:"fault"` // As the function names it.
	Bases       []library.Basis   `yaml:"bases"`
	Channels    []library.Channel `yaml:"channels"`
	Site        string            `yaml:"site"` // A flag of [Site] that must be on.
	Severity    library.Severity  `yaml:"severity"`
	Overridable *bool             `yaml:"overridable"` // Absent: as the rule says.
	Silent      bool              `yaml:"silent"`      // The requester is not asked.
}

// Load returns the pack that is built into the program. An error means that the
// program was built with a pack that does not hold together.
func Load() (*Pack, error) { return load(packs, "packs") }

func load(files fs.FS, dir string) (*Pack, error) {
	const op = "load rule packs"
	names, err := fs.Glob(files, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	var pack Pack
	var versions []string
	for _, name := range names { // Glob sorts.
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, library.Fault(op, path.Base(name), err)
		}
		rules, version, err := parse(raw)
		if err != nil {
			return nil, library.Errorf(library.Invalid, op, path.Base(name), "%w", err)
		}
		versions = append(versions, version)
		pack.Rules = append(pack.Rules, rules...)
	}
	pack.Version = strings.Join(versions, ", ")
	if err := pack.validate(); err != nil {
		return nil, library.Errorf(library.Invalid, op, "", "%w", err)
	}
	return &pack, nil
}

func parse(raw []byte) ([]Rule, string, error) {
	var file struct {
		Name    string `yaml:"name"`
		Version string `yaml:"version"`
		Rules   []Rule `yaml:"rules"`
	}
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true) // A misspelt key must not pass for an absent one.
	if err := d.Decode(&file); err != nil {
		return nil, "", err
	}
	if file.Name == "" || file.Version == "" {
		return nil, "", fmt.Errorf("name or version is missing")
	}
	sum := sha256.Sum256(raw)
	version := file.Name + " " + file.Version + " " + hex.EncodeToString(sum[:4])
	for i := range file.Rules {
		file.Rules[i].pack = version
	}
	return file.Rules, version, nil
}

// validate says everything that is wrong with a pack at once.
func (p *Pack) validate() error {
	var wrong []string
	seen := map[string]bool{}
	if len(p.Rules) == 0 {
		wrong = append(wrong, "there are no rules")
	}
	for _, r := range p.Rules {
		if seen[r.ID] {
			wrong = append(wrong, r.ID+" is there twice")
		}
		seen[r.ID] = true
		for _, w := range r.validate() {
			wrong = append(wrong, r.ID+": "+w)
		}
	}
	if wrong == nil {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(wrong, "; "))
}

func (r Rule) validate() []string {
	var wrong []string
	need := func(ok bool, what string) {
		if !ok {
			wrong = append(wrong, what)
		}
	}
	need(r.ID != "", "id is missing")
	need(r.Title != "", "title is missing")
	need(r.Citation != "", "citation is missing")
	need(isSeverity(r.Severity), "severity must be BLOCK, HUMAN or ADVISE")
	need((r.Ask == "") == (r.AskES == ""), "ask and ask_es must both be there, or neither")
	c, known := checks[r.Check]
	need(known, "there is no check function "+r.Check)
	for _, w := range r.Where {
		need(isSeverity(w.Severity), "where: severity must be BLOCK, HUMAN or ADVISE")
		need(w.Fault == "" || slices.Contains(c.faults, w.Fault), "where: "+r.Check+" has no fault "+w.Fault)
		_, flag := Site{}.flag(w.Site)
		need(w.Site == "" || flag, "where: there is no site flag "+w.Site)
	}
	return wrong
}

func isSeverity(s library.Severity) bool {
	return s == library.Block || s == library.Human || s == library.Advise
}

// Ask returns what the requester is asked for under a rule, in the language
// ("en", "es"; anything else is English); empty if nothing.
func (p *Pack) Ask(rule, language string) string {
	for _, r := range p.Rules {
		if r.ID == rule && language == "es" {
			return r.AskES
		}
		if r.ID == rule {
			return r.Ask
		}
	}
	return ""
}
