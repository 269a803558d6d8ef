package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"fileroom/internal/devstack"
)

// words are what the program wrote.
type words struct{ out, err bytes.Buffer }

// start runs the program with nothing on standard input.
func start(ctx context.Context, args ...string) (*words, error) {
	var w words
	err := run(ctx, args, console{in: strings.NewReader(""), out: &w.out, err: &w.err})
	return &w, err
}

// bare takes the program's settings out of the environment until the test ends.
func bare(t *testing.T) {
	t.Helper()
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "FILEROOM_") || strings.HasPrefix(name, "TEMPORAL_") {
			t.Setenv(name, "") // Which puts it back afterwards.
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// model returns the program's command line as the parser sees it.
func model(tb testing.TB) *kong.Application {
	tb.Helper()
	parser, err := kong.New(&commands{}, kong.Name("fileroom"))
	if err != nil {
		tb.Fatal(err)
	}
	return parser.Model
}

func TestHelp(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args []string
		want []string
	}{
		"of the program": {
			args: []string{"--help"},
			want: []string{"demo", "dev", "worker", "staff", "migrate", "read", "case list", "case show", "case approve", "case verify", "facility import", "facility list", "facility check", "health", "keys", "--dev=DIR"},
		},
		"where nothing is said": {want: []string{"Usage: fileroom <command>"}},
		"of a group":            {args: []string{"case", "--help"}, want: []string{"list", "show", "approve", "verify"}},
		"of demo":               {args: []string{"demo", "--help"}, want: []string{"--auto", "--dir", "--port-base=7740", "--patience=5m"}},
		"of dev":                {args: []string{"dev", "--help"}, want: []string{"--dir", "--port-base=7700", "--no-worker", "--build-only"}},
		"of worker": {args: []string{"worker", "--help"}, want: []string{
			"--database-url=", "--keyring=", "--temporal-address=", "--vault=", "--staff-keys=", "--secrets=", "--log=",
			"--mailbox-address=", "--smtp-address=", "--pacs-url=", "--letterhead-phone=", "--[no-]require-signature-date",
			"$FILEROOM_MAILBOX_PASSWORD_FILE", "$FILEROOM_SMTP_FROM", "$FILEROOM_PACS_CA_FILE", "$TEMPORAL_ADDRESS",
		}},
		"of staff": {args: []string{"staff", "--help"}, want: []string{
			"--address=", "--tls-cert=", "--tls-key=", "--ui-url=", "--panel-url=", "--temporal-ui=", "--signing-key=", "--vault=", "--session-idle=15m",
			"--oidc-issuer=", "--oidc-client-id=", "--oidc-roles-claim=", "$FILEROOM_OIDC_CLIENT_SECRET_FILE", "$FILEROOM_DATABASE_URL_FILE",
		}},
		"of migrate":         {args: []string{"migrate", "--help"}, want: []string{"--database-url-file=", "--worker-password-file=", "--reader-password-file="}},
		"of read":            {args: []string{"read", "--help"}, want: []string{"<files>", "--json", "--received=DATE"}},
		"of case list":       {args: []string{"case", "list", "--help"}, want: []string{"--all", "--database-url="}},
		"of case show":       {args: []string{"case", "show", "--help"}, want: []string{"<case>", "--database-url="}},
		"of case approve":    {args: []string{"case", "approve", "--help"}, want: []string{"<case>", "--revision=", "--note=", "--as=", "--signing-key="}},
		"of case verify":     {args: []string{"case", "verify", "--help"}, want: []string{"[<case>]", "--json", "--staff-keys=", "--keyring="}},
		"of facility import": {args: []string{"facility", "import", "--help"}, want: []string{"<file>", "--database-url="}},
		"of facility list":   {args: []string{"facility", "list", "--help"}, want: []string{"--json"}},
		"of facility check":  {args: []string{"facility", "check", "--help"}, want: []string{"<facility>", "--secrets=DIR"}},
		"of health":          {args: []string{"health", "--help"}, want: []string{"--database-url=", "--keyring=", "--temporal-address="}},
		"of keys":            {args: []string{"keys", "--help"}, want: []string{"<dir>"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, err := start(t.Context(), tt.args...)
			if err != nil {
				t.Fatalf("error %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(w.out.String(), want) {
					t.Errorf("the help does not mention %s:\n%s", want, w.out.String())
				}
			}
			if w.err.Len() > 0 {
				t.Errorf("standard error has %q", w.err.String())
			}
		})
	}
	for _, leaf := range model(t).Leaves(true) {
		if _, ok := tests["of "+leaf.Path()]; !ok {
			t.Errorf("no test looks at the help of %s", leaf.Path())
		}
	}
}

// TestHelpIsWhole checks that no flag of any command is hidden from its help.
func TestHelpIsWhole(t *testing.T) {
	t.Parallel()
	for _, leaf := range model(t).Leaves(true) {
		w, err := start(t.Context(), append(strings.Fields(leaf.Path()), "--help")...)
		if err != nil {
			t.Errorf("%s --help: %v", leaf.Path(), err)
		}
		for _, group := range leaf.AllFlags(false) {
			for _, f := range group {
				help := strings.ReplaceAll(w.out.String(), "--[no-]", "--")
				if !strings.Contains(help, "--"+f.Name) || len(f.Envs) > 0 && !strings.Contains(help, "$"+f.Envs[0]) {
					t.Errorf("%s --help does not mention --%s and its variable", leaf.Path(), f.Name)
				}
				if f.Help == "" {
					t.Errorf("--%s of %s has no help text", f.Name, leaf.Path())
				}
			}
		}
	}
}

func TestRunRefuses(t *testing.T) {
	bare(t)
	empty := t.TempDir()
	tests := map[string]struct {
		args []string
		want string
		see  string
	}{
		"an unknown command":         {args: []string{"fly"}, want: "unexpected argument fly", see: "fileroom --help"},
		"an unknown subcommand":      {args: []string{"case", "burn"}, want: "unexpected argument burn", see: "fileroom case --help"},
		"a group alone":              {args: []string{"facility"}, want: `expected one of "import", "list", "check"`, see: "fileroom facility --help"},
		"an unknown flag":            {args: []string{"worker", "--fast"}, want: "unknown flag --fast", see: "fileroom worker --help"},
		"help for an unknown flag":   {args: []string{"worker", "--fast", "--help"}, want: "unknown flag --fast", see: "fileroom worker --help"},
		"a level that is none":       {args: []string{"worker", "--log=loud"}, want: "--log", see: "fileroom worker --help"},
		"a case without its number":  {args: []string{"case", "show", "--database-url=postgres://db.example"}, want: `expected "<case>"`, see: "fileroom case show --help"},
		"no database":                {args: []string{"case", "list"}, want: "--database-url (FILEROOM_DATABASE_URL), itself or as a file", see: "fileroom case list --help"},
		"a file that is not there":   {args: []string{"read", "nothing.eml"}, want: "nothing.eml", see: "fileroom read --help"},
		"a folder without dev.json":  {args: []string{"--dev", empty, "case", "list"}, want: "is fileroom dev running?", see: "fileroom case list --help"},
		"--dev where it has no use":  {args: []string{"--dev", empty, "keys", empty}, want: "keys takes no settings", see: "fileroom keys --help"},
		"--dev without its argument": {args: []string{"case", "list", "--dev"}, want: "--dev", see: "fileroom case list --help"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w, err := start(t.Context(), tt.args...)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasSuffix(err.Error(), "\nsee "+tt.see) {
				t.Errorf("error %v; want it to say %q and to point at %q", err, tt.want, tt.see)
			}
			if w.out.Len() > 0 {
				t.Errorf("standard output has %q", w.out.String())
			}
		})
	}
}

// workerNeeds are the settings without which no worker starts.
var workerNeeds = []string{
	"FILEROOM_DATABASE_URL", "FILEROOM_KEYRING_FILE", "FILEROOM_VAULT", "FILEROOM_STAFF_KEYS_FILE",
	"FILEROOM_MAILBOX_ADDRESS", "FILEROOM_MAILBOX_USER", "FILEROOM_MAILBOX_PASSWORD", "FILEROOM_MAILBOX_OWN",
	"FILEROOM_SMTP_ADDRESS", "FILEROOM_SMTP_USER", "FILEROOM_SMTP_PASSWORD", "FILEROOM_SMTP_FROM",
	"FILEROOM_PACS_URL", "FILEROOM_LETTERHEAD_PHONE",
}

// named returns which of the settings that a worker needs a text names.
func named(text string) []string {
	var found []string
	for _, name := range workerNeeds {
		if strings.Contains(text, "("+name+")") {
			found = append(found, name)
		}
	}
	return found
}

func TestWorkerNamesAllThatIsMissing(t *testing.T) {
	tests := map[string]struct {
		env   map[string]string
		args  []string
		given []string // Of workerNeeds.
	}{
		"nothing is given":   {},
		"one is a flag":      {args: []string{"--vault=vault"}, given: []string{"FILEROOM_VAULT"}},
		"one is a variable":  {env: map[string]string{"FILEROOM_PACS_URL": "https://pacs.example"}, given: []string{"FILEROOM_PACS_URL"}},
		"one is empty":       {env: map[string]string{"FILEROOM_VAULT": ""}},
		"a secret is a file": {env: map[string]string{"FILEROOM_SMTP_PASSWORD_FILE": "smtp"}, given: []string{"FILEROOM_SMTP_PASSWORD"}},
		"the database is a file": {
			args: []string{"--database-url-file=database"}, given: []string{"FILEROOM_DATABASE_URL"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bare(t)
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			_, err := start(t.Context(), append([]string{"worker"}, tt.args...)...)
			if err == nil {
				t.Fatal("no error")
			}
			want := slices.DeleteFunc(slices.Clone(workerNeeds), func(s string) bool { return slices.Contains(tt.given, s) })
			if got := named(err.Error()); !slices.Equal(got, want) {
				t.Errorf("names as missing\n%q, want\n%q", got, want)
			}
			if lines := strings.Count(err.Error(), "\n  "); lines != len(want) {
				t.Errorf("names %d settings, want %d:\n%v", lines, len(want), err)
			}
		})
	}
}

// running writes the dev.json of servers that answer nowhere.
func running(t *testing.T, settings map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	b, err := json.Marshal(development{
		Description: devstack.Description{Postgres: devstack.Database{URL: "postgres://owner@127.0.0.1:1/fileroom"}}, Worker: settings,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, devFile), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestDevSettings(t *testing.T) {
	const worker, owner, own = "postgres://worker@127.0.0.1:1/fileroom", "postgres://owner@127.0.0.1:1/fileroom", "postgres://own@127.0.0.1:1/fileroom"
	tests := map[string]struct {
		args []string
		env  string
		want string // FILEROOM_DATABASE_URL, as the command finds it.
	}{
		"a command takes the worker's":      {args: []string{"case", "list"}, want: worker},
		"migrate takes the owner's":         {args: []string{"migrate"}, want: owner},
		"what is set stays":                 {args: []string{"facility", "list"}, env: own, want: own},
		"also after the command":            {args: []string{"facility", "list"}, want: worker},
		"help needs none, and takes none":   {args: []string{"worker", "--help"}, want: ""},
		"without a command none are needed": {args: []string{"case"}, want: worker},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bare(t)
			t.Setenv("FILEROOM_DATABASE_URL", tt.env)
			dir := running(t, map[string]string{"FILEROOM_DATABASE_URL": worker})
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // Nothing is to be reached.
			args := append([]string{"--dev=" + dir}, tt.args...)
			if strings.HasPrefix(name, "also after") {
				args = append(slices.Clone(tt.args), "--dev", dir)
			}
			if _, err := start(ctx, args...); err != nil && strings.Contains(err.Error(), "missing") {
				t.Errorf("error %v", err)
			}
			if got := os.Getenv("FILEROOM_DATABASE_URL"); got != tt.want {
				t.Errorf("the command finds %q, want %q", got, tt.want)
			}
		})
	}
}

// TestDevSettingsAreNamed checks that what dev.json does not hold is asked for,
// and only that.
func TestDevSettingsAreNamed(t *testing.T) {
	bare(t)
	settings := map[string]string{}
	for _, name := range workerNeeds {
		t.Setenv(name, "")
		settings[name] = "x"
	}
	delete(settings, "FILEROOM_PACS_URL")
	_, err := start(t.Context(), "--dev", running(t, settings), "worker")
	if err == nil || !slices.Equal(named(err.Error()), []string{"FILEROOM_PACS_URL"}) {
		t.Errorf("error %v, want one that names the PACS's URL", err)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	read := func() map[string]string {
		files := map[string]string{}
		for _, name := range []string{keyringFile, signingKeyFile, publicKeysFile} {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			files[name] = string(b)
		}
		return files
	}
	if _, err := start(t.Context(), "keys", dir); err != nil {
		t.Fatal(err)
	}
	made := read()
	if _, err := start(t.Context(), "keys", dir); err != nil {
		t.Fatal(err)
	}
	for name, text := range read() {
		if text != made[name] {
			t.Errorf("%s is another one after the keys were made again", name)
		}
	}
	for _, name := range []string{keyringFile, signingKeyFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, error %v; want one that only its owner reads", name, info.Mode(), err)
		}
	}
}
