// Command fileroom is the back office of a hospital's radiology image library.
// It reads requests for images, checks that they may go, finds them in the
// PACS, asks the staff, sends them, and proves that they arrived.
//
//	fileroom demo       the whole in one go, on servers of its own
//	fileroom dev        the same servers, kept running
//	fileroom worker     run workflows and activities until told to stop
//	fileroom staff      serve the staff's pages: the desk, and the Temporal UI
//	fileroom migrate    bring the database up to date, and exit
//	fileroom read       say what is in a letter, form or message
//	fileroom case       list, show, approve and verify cases
//	fileroom facility   the directory of where images can go
//	fileroom health     say whether the installation works
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
	"strings"
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
	From string `name:"dev" type:"path" placeholder:"DIR" help:"Take the settings from a running fileroom dev, such as .fileroom."`

	Demo     demoCommand     `cmd:"" help:"Show the main job on servers of its own: a letter arrives, you approve, the images go and are confirmed."`
	Dev      devCommand      `cmd:"" help:"Start the servers of the demonstration with a worker, and keep them running."`
	Worker   workerCommand   `cmd:"" help:"Run workflows and activities until told to stop."`
	Staff    staffCommand    `cmd:"" help:"Serve the staff's pages: sign-in, the desk, and the Temporal UI behind the gateway."`
	Migrate  migrateCommand  `cmd:"" help:"Bring the database up to date: tables, roles and their passwords. Run it before a new worker."`
	Read     readCommand     `cmd:"" help:"Read one request made of these files, and print what is in it."`
	Case     caseCommand     `cmd:"" help:"Look at cases, approve them, verify their records."`
	Facility facilityCommand `cmd:"" help:"Keep the directory of facilities that images can be sent to."`
	Health   healthCommand   `cmd:"" help:"Look whether the database, Temporal and workers for every task queue are there."`
	Keys     keysCommand     `cmd:"" help:"Make the keys that an installation needs; existing files are left alone."`
	Child    childCommand    `cmd:"" hidden:"" help:"Take a foreign file apart, as a child process of another command."`
}

// run is main without the globals, so that a test can run the program. An
// error of the command line says what is wrong with it and where to look.
func run(ctx context.Context, args []string, c console) error {
	var cmds commands
	helped := false // Help was asked for, and is printed.
	parser, err := kong.New(&cmds,
		kong.Name("fileroom"),
		kong.Description("The back office of a radiology image library: requests for images in, confirmed transfers out."),
		kong.Writers(c.out, c.err),
		kong.Exit(func(int) { helped = true }), // Kong calls it after help alone, and then goes on.
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
	if helped {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w\nsee %s --help", err, commandOf(err))
	}
	return parsed.Run()
}

// commandOf returns the command whose arguments cannot be parsed.
func commandOf(err error) string {
	if at, ok := errors.AsType[*kong.ParseError](err); ok && at.Context != nil && at.Context.Selected() != nil {
		return at.Context.Selected().FullPath()
	}
	return "fileroom"
}

// BeforeReset prepares the environment before the parser looks at it: it drops
// settings that are empty, and takes those of --dev.
func (commands) BeforeReset(parsed *kong.Context) error {
	if err := dropEmpty(parsed.Flags()); err != nil {
		return err
	}
	var dir, command string
	for _, p := range parsed.Path {
		switch {
		case p.Command != nil && command == "":
			command = p.Command.Name
		case p.Flag != nil && p.Flag == parsed.Model.HelpFlag: // It needs no settings.
			return nil
		case p.Flag != nil && p.Flag.Name == "dev":
			dir = fmt.Sprint(parsed.FlagValue(p.Flag))
		}
	}
	switch {
	case dir == "" || command == "":
		return nil
	case !slices.Contains([]string{"worker", "staff", "migrate", "case", "facility", "health"}, command):
		return fmt.Errorf("--dev is for worker, staff, migrate, case, facility and health: %s takes no settings", command)
	}
	if err := loadDevelopment(dir, command); err != nil {
		return fmt.Errorf("--dev: %w", err)
	}
	return nil
}

// dropEmpty takes empty settings out of the environment: a line of an .env file
// without a value means none, and not a file of no name.
func dropEmpty(flags []*kong.Flag) error {
	for _, f := range flags {
		for _, name := range f.Envs {
			if os.Getenv(name) == "" {
				if err := os.Unsetenv(name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Validate returns an error that names every setting that the command needs
// and does not have, so that they can be given at once.
func (commands) Validate(parsed *kong.Context) error {
	given := map[string]bool{}
	for _, f := range parsed.Flags() {
		given[f.Name] = !f.Target.IsZero()
	}
	var missing []string
	for _, f := range parsed.Flags() {
		switch {
		case given[f.Name]:
		case f.Required:
			missing = append(missing, settingName(f))
		case orFile(f) && !given[f.Name+"-file"]:
			missing = append(missing, settingName(f)+", itself or as a file")
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return errors.New("missing settings:\n  " + strings.Join(missing, "\n  "))
}

// settingName returns both names of a setting.
func settingName(f *kong.Flag) string {
	if len(f.Envs) == 0 {
		return "--" + f.Name
	}
	return fmt.Sprintf("--%s (%s)", f.Name, f.Envs[0])
}

// orFile reports whether a setting is required, but may come in a file: by the
// flag of the same name with -file at its end.
func orFile(f *kong.Flag) bool { return f.Tag.Has("orfile") }
