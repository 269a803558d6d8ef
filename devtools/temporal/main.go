// Command temporal is the Temporal development server with its Web UI, built
// from the libraries of both, for `fileroom dev`, `fileroom demo` and the tests.
//
// It understands the flags of the official command line's `server start-dev`
// that this project and the Go SDK's testsuite.StartDevServer use, and answers
// on the loopback interface alone. It asks nothing of the outside world: no
// news, no version check. It is no production server: SQLite keeps its
// records, and nobody signs in.
//
// It is a module of its own so that its some 250 dependencies stay out of the
// product's go.mod.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	uiversion "github.com/temporalio/ui-server/v2/server/version"
	"go.temporal.io/server/common/headers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "temporal:", err)
		os.Exit(1)
	}
}

// run does what the arguments say until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 1 && (args[0] == "--version" || args[0] == "-v") {
		// The form of the official command line, which callers parse.
		_, err := fmt.Fprintf(stdout, "temporal version fileroom (Server %s, UI %s)\n",
			headers.ServerVersion, uiversion.UIVersion)
		return err
	}
	if len(args) < 2 || args[0] != "server" || args[1] != "start-dev" {
		return fmt.Errorf("usage: temporal --version | temporal server start-dev [flags]")
	}
	o, err := parseOptions(args[2:], stderr)
	if err != nil {
		return err
	}
	return serve(ctx, o, stdout)
}
