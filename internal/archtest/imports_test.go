package archtest_test

import (
	"maps"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// Foreign modules, and parts of them, that several packages may import.
var (
	// The words that workflows and activities have for Temporal.
	temporalWorkflow = []string{"go.temporal.io/sdk/workflow", "go.temporal.io/sdk/temporal", "go.temporal.io/api/enums/v1"}
	// What encrypts and signs payloads.
	temporalPayload = []string{"go.temporal.io/sdk/converter", "go.temporal.io/api", "google.golang.org/protobuf"}
)

// mayImport says, for every package of the program, what it may import beside
// the standard library: packages of ours by their folder, and foreign ones by
// path or by the beginning of it. Since nothing is left out, what a package
// can reach is what the table lets it reach.
//
// The arrows (ARCHITECTURE.md): cmd -> workers -> workflows -> activities ->
// library. Adapters know the library and their one driver, and not each other;
// where one does, the line says why.
var mayImport = map[string][]string{
	// The words of the field, and what can be worked out without asking anybody.
	"internal/library":  nil,
	"internal/letter":   {"internal/library"},
	"internal/layout":   {"internal/library"},
	"internal/raster":   {"internal/library"},
	"internal/reading":  {"internal/library", "internal/layout"},
	"internal/rules":    {"internal/library", "go.yaml.in/yaml/v3"},
	"internal/matching": {"internal/library", "golang.org/x/text"},
	"internal/dicom":    {"internal/library", "golang.org/x/text"},

	// What happens, in what order, and where it runs.
	"activities": {
		"internal/library", "internal/rules", "internal/reading", "internal/matching", "internal/letter",
		"internal/dicom", // Each instance's own header is looked at before it leaves.
	},
	"workflows": slices.Concat(temporalWorkflow, []string{
		"go.temporal.io/sdk/converter", // Signals as they came: the SDK drops what it cannot decode.
		"activities", "internal/library",
		"internal/failure", // Kinds of error, as they come across Temporal.
		"internal/staff",   // Who asks: it opens nothing but key files, and is no adapter.
	}),
	"workers": {
		"activities", "workflows", "internal/library", "internal/failure", "internal/staff",
		"go.temporal.io/sdk", "go.temporal.io/api",
	},
	"internal/failure": {"internal/library", "go.temporal.io/sdk/interceptor", "go.temporal.io/sdk/temporal"},
	"internal/staff": slices.Concat(temporalPayload, []string{
		"internal/library", "go.temporal.io/sdk/client", "go.temporal.io/sdk/interceptor", "go.temporal.io/sdk/workflow",
	}),

	// Adapters.
	"internal/postgres": {"internal/library", "github.com/jackc/pgx/v5", "github.com/pressly/goose/v3"},
	"internal/vault":    slices.Concat(temporalPayload, []string{"internal/library", "go.temporal.io/sdk/temporal"}),
	"internal/imapmail": {"internal/library", "github.com/emersion/go-imap/v2"},
	"internal/smtpmail": {"internal/library", "github.com/wneessen/go-mail"},
	"internal/dicomweb": {"internal/library", "internal/dicom", "golang.org/x/text"},

	// The staff's pages, and who may see them.
	"internal/web":    slices.Concat(temporalPayload, []string{"internal/library", "internal/staff"}),
	"internal/desk":   {"internal/library"},
	"internal/signin": {"internal/library", "github.com/coreos/go-oidc/v3", "golang.org/x/oauth2"},

	// Adapters that read foreign bytes, which they do in the sandbox.
	"internal/sandbox": {"internal/library", "golang.org/x/sys"},
	"internal/mimemail": {
		"internal/library", "internal/sandbox", "github.com/jhillyerd/enmime/v2", "github.com/inbucket/html2text",
		"golang.org/x/net/html", "golang.org/x/text",
	},
	"internal/pdf":  {"internal/library", "internal/sandbox", "internal/layout", "github.com/ledongthuc/pdf"},
	"internal/ocr":  {"internal/library", "internal/sandbox", "internal/layout", "internal/raster"},
	"internal/tiff": {"internal/library", "internal/sandbox"},
	"internal/pages": {
		"internal/library", "internal/sandbox", "internal/raster", "golang.org/x/net/html",
		// It finds out what kind of file it has, and hands it to the reader of that kind.
		"internal/pdf", "internal/ocr", "internal/tiff",
	},

	// The servers of the demonstration, which no installation needs.
	"internal/devstack": {
		"internal/library", "github.com/emersion/go-imap/v2", "github.com/emersion/go-sasl", "github.com/emersion/go-smtp",
		"github.com/jackc/pgx/v5",
	},
	"internal/devstack/studies":    {"internal/library", "internal/dicomweb", "golang.org/x/text"}, // It fills the PACS as any client would.
	"internal/devstack/faultproxy": {"internal/library"},

	// Support of tests, which only tests import.
	"activities/activitiestest":      {"activities", "internal/library", "internal/dicom", "internal/devstack/studies"},
	"internal/library/librarytest":   {"internal/library"},
	"internal/postgres/postgrestest": {"internal/postgres", "github.com/jackc/pgx/v5"},
	"internal/staff/stafftest":       slices.Concat(temporalPayload, temporalWorkflow, []string{"internal/library", "internal/staff", "go.temporal.io/sdk/interceptor"}),
	"internal/dicomweb/dicomwebtest": nil,
	"internal/signin/signintest":     nil,
	"internal/pdf/pdftest":           nil,
	"internal/tiff/tifftest":         nil,

	// Everything meets in the program.
	"cmd/fileroom": {
		"activities", "workers", "workflows", "internal",
		"github.com/alecthomas/kong", "github.com/jackc/pgx/v5", "go.temporal.io/sdk", "go.temporal.io/api",
		"github.com/prometheus/client_golang", "go.opentelemetry.io/otel", // Metrics.
	},
}

// mayNotReach says what must not be reached even through others. It repeats
// the table in other words, for the arrows that matter most.
var mayNotReach = map[string][]string{
	"internal/library": {"golang.org", "github.com", "go.temporal.io", "internal/rules", "activities", "workflows", "workers"},
	"activities":       {"go.temporal.io/sdk/workflow", "internal/staff", "workflows", "workers", "github.com"},
	"workflows":        {"workers", "internal/postgres", "internal/vault", "internal/dicomweb", "github.com/jackc", "github.com/emersion"},
	"workers":          {"internal/postgres", "internal/vault", "internal/dicomweb", "github.com/jackc", "github.com/emersion"},
	"internal/rules":   {"go.temporal.io", "github.com"},
	"internal/reading": {"go.temporal.io", "github.com"},
}

func TestArrows(t *testing.T) {
	t.Parallel()
	unseen := maps.Clone(mayImport)
	for _, p := range packages(t) {
		delete(unseen, p.path())
		allowed, known := mayImport[p.path()]
		if !known && len(p.GoFiles) > 0 {
			t.Errorf("%s is not in mayImport: say there what it may import", p.path())
			continue
		}
		for _, imported := range p.Imports {
			if !standard(imported) && !within(inside(imported), allowed) {
				t.Errorf("%s imports %s, which mayImport does not let it", p.path(), inside(imported))
			}
			if support(imported) && !support(p.ImportPath) {
				t.Errorf("%s imports %s, which is for tests", p.path(), inside(imported))
			}
		}
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if strings.HasPrefix(inside(imported), "cmd/") {
				t.Errorf("%s imports %s: nobody imports a program", p.path(), inside(imported))
			}
			if strings.HasPrefix(imported, "github.com/stretchr/testify") {
				t.Errorf("%s imports %s: tests use the standard library", p.path(), imported)
			}
		}
		for _, reached := range p.Deps {
			if within(inside(reached), mayNotReach[p.path()]) {
				t.Errorf("%s reaches %s", p.path(), inside(reached))
			}
		}
	}
	for name := range unseen {
		t.Errorf("mayImport speaks of %s, which is not there", name)
	}
}

// TestProgramHoldsNoTests looks for support of tests in what is shipped. That
// Temporal's SDK reaches package testing itself is not ours to change.
func TestProgramHoldsNoTests(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		if !support(p.ImportPath) && slices.Contains(p.Imports, "testing") {
			t.Errorf("%s imports testing", p.path())
		}
		if !strings.HasPrefix(p.path(), "cmd/") {
			continue
		}
		for _, reached := range p.Deps {
			if support(reached) {
				t.Errorf("%s reaches %s", p.path(), inside(reached))
			}
		}
	}
}

// TestArrowsBite checks the test itself, with what must not pass.
func TestArrowsBite(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		imported string
		allowed  []string
		want     bool
	}{
		"a package allowed":                  {imported: "internal/library", allowed: []string{"internal/library"}, want: true},
		"a part of a module allowed":         {imported: "github.com/jackc/pgx/v5/pgconn", allowed: []string{"github.com/jackc/pgx/v5"}, want: true},
		"a name that only begins alike":      {imported: "internal/librarytest", allowed: []string{"internal/library"}},
		"an adapter where none is":           {imported: "internal/postgres", allowed: []string{"internal/library"}},
		"anything where nothing is":          {imported: "golang.org/x/text"},
		"a whole where a part of it allowed": {imported: "go.temporal.io/sdk", allowed: []string{"go.temporal.io/sdk/workflow"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := within(tt.imported, tt.allowed); got != tt.want {
				t.Errorf("within(%q, %q) = %v, want %v", tt.imported, tt.allowed, got, tt.want)
			}
		})
	}
	if !support(module+"/internal/postgres/postgrestest") || support(module+"/internal/postgres") {
		t.Error("support does not know support of tests from the rest")
	}
	if standard("github.com/jackc/pgx/v5") || standard(module+"/internal/library") || !standard("net/http") {
		t.Error("standard does not know the standard library")
	}
}

// TestModule checks that the product's go.mod has no module that only tools or
// the development server need.
func TestModule(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Path}}", "all").Output()
	if err != nil {
		t.Fatalf("go list -m all: %v", err)
	}
	for _, banned := range []string{"go.temporal.io/server", "github.com/temporalio/ui-server/v2", "github.com/golangci/golangci-lint/v2", "github.com/compose-spec/compose-go/v2"} {
		if slices.Contains(strings.Fields(string(out)), banned) {
			t.Errorf("go.mod needs %s: that belongs into devtools/temporal or internal/tools", banned)
		}
	}
}

// within reports whether a path is one of the allowed ones, or lies in one.
func within(imported string, allowed []string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		return imported == a || strings.HasPrefix(imported, a+"/")
	})
}

// standard reports whether a package is of the standard library, whose paths
// have no dot in their first part.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return first != module && !strings.Contains(first, ".")
}

// support reports whether a package of ours is there for tests alone.
func support(importPath string) bool {
	return strings.HasPrefix(importPath, module+"/") && strings.HasSuffix(path.Base(importPath), "test")
}
