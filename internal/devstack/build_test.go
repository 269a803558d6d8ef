package devstack_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"fileroom/internal/devstack"
	"fileroom/internal/library"
)

func TestSourcesOfTemporal(t *testing.T) {
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
