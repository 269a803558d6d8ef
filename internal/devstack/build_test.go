package devstack_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"fileroom/internal/devstack"
	"fileroom/internal/library"
)

func TestTemporalFromThePath(t *testing.T) {
	whole(t) // Whatever has to be built is built.
	for name, tt := range map[string]struct {
		version string
		taken   bool
	}{
		"new enough":        {"temporal version 1.10.0 (Server 1.32.0, UI 2.55.0)", true},
		"newer":             {"temporal version 2.0.0 (Server 2.0.1, UI 3.1.0)", true},
		"its UI is too old": {"temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)", false},
		"server too old":    {"temporal version 1.5.1 (Server 1.29.1, UI 2.55.0)", false},
		"says nothing":      {"hello", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			fake := filepath.Join(dir, "temporal")
			if err := os.WriteFile(fake, []byte("#!/bin/sh\necho '"+tt.version+"'\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
			var out bytes.Buffer
			got, err := devstack.BuildTemporal(t.Context(), &out)
			if err != nil || (got == fake) != tt.taken {
				t.Errorf("%s is taken (%v)\n%s", got, err, out.String())
			}
		})
	}
}

func TestSourcesOfTemporal(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("FILEROOM_DEVTOOLS", t.TempDir())
	if _, err := devstack.BuildTemporal(t.Context(), &bytes.Buffer{}); library.KindOf(err) != library.Invalid {
		t.Errorf("a folder without the sources: %v, want invalid", err)
	}
	t.Setenv("FILEROOM_DEVTOOLS", "")
	t.Chdir(t.TempDir())
	if _, err := devstack.BuildTemporal(t.Context(), &bytes.Buffer{}); library.KindOf(err) != library.NotFound ||
		!strings.Contains(err.Error(), "FILEROOM_DEVTOOLS") {
		t.Errorf("outside the project: %v, want not found and what to set", err)
	}
}

// TestTemporalServesTheSDK starts the binary as tests of workflows do.
func TestTemporalServesTheSDK(t *testing.T) {
	path, err := devstack.BuildTemporal(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	stage := temporal.NewSearchAttributeKeyKeyword("Stage")
	server, err := testsuite.StartDevServer(t.Context(), testsuite.DevServerOptions{
		ExistingPath: path, LogLevel: "never",
		SearchAttributes: temporal.NewSearchAttributes(stage.ValueSet("")),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	got, err := server.Client().OperatorService().ListSearchAttributes(t.Context(),
		&operatorservice.ListSearchAttributesRequest{Namespace: "default"})
	if err != nil || got.GetCustomAttributes()["Stage"] != enums.INDEXED_VALUE_TYPE_KEYWORD {
		t.Errorf("search attributes %v (%v), want Stage as a keyword", got.GetCustomAttributes(), err)
	}
}
