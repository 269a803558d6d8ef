// Command fileroom is the back office of a hospital's radiology image library.
// It reads requests for images, checks that they may go, finds them in the
// PACS, asks the staff, sends them, and proves that they arrived.
//
//	fileroom demo       the whole in one go, on servers of its own
//	fileroom dev        the same servers, kept running
//	fileroom worker     run workflows and activities until told to stop
//	fileroom migrate    bring the database up to date, and exit
//	fileroom read       say what is in a letter, form or message
//	fileroom case       list, show, approve and verify cases
//	fileroom facility   the directory of where images can go
//	fileroom keys       make the keys that an installation needs
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], console{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	if exit, ok := errors.AsType[exitCode](err); ok {
		os.Exit(int(exit))
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "fileroom: %v\n", err)
		os.Exit(1)
	}
}

// A console is where a command reads and writes.
type console struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

func (c console) printf(format string, args ...any) { fmt.Fprintf(c.out, format, args...) }

// An exitCode ends the program without a further word.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// commands are the subcommands; the help texts are the documentation.
type commands struct {
	Demo     demoCommand     `cmd:"" help:"Show the main job on servers of its own: a letter arrives, you approve, the images go and are confirmed."`
	Dev      devCommand      `cmd:"" help:"Start the servers of the demonstration with a worker, and keep them running."`
	Worker   workerCommand   `cmd:"" help:"Run workflows and activities until told to stop."`
	Migrate  migrateCommand  `cmd:"" help:"Bring the database up to date: tables, roles and their passwords. Run it before a new worker."`
	Read     readCommand     `cmd:"" help:"Read one request made of these files, and print what is in it."`
	Case     caseCommand     `cmd:"" help:"Look at cases, approve them, verify their records."`
	Facility facilityCommand `cmd:"" help:"Keep the directory of facilities that images can be sent to."`
	Keys     keysCommand     `cmd:"" help:"Make the keys that an installation needs; existing files are left alone."`
	Child    childCommand    `cmd:"" hidden:"" help:"Take a foreign file apart, as a child process of another command."`
}

// run is main without the globals, so that a test can run the program.
func run(ctx context.Context, args []string, c console) error {
	var cmds commands
	code := -1
	parser, err := kong.New(&cmds,
		kong.Name("fileroom"),
		kong.Description("The back office of a radiology image library: requests for images in, confirmed transfers out."),
		kong.UsageOnError(),
		kong.Writers(c.out, c.err),
		kong.Exit(func(n int) { code = n }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(c),
	)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if code >= 0 || slices.Contains(args, "--help") && err != nil { // Help was asked for and shown.
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w (see fileroom --help)", err)
	}
	return parsed.Run()
}
