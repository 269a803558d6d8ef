package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"fileroom/internal/devstack"
	"fileroom/internal/devstack/studies"
	"fileroom/internal/dicomweb"
	"fileroom/internal/library"
	"fileroom/internal/postgres"
	"fileroom/internal/staff"
)

// devCommand starts the servers of the demonstration and keeps them running.
type devCommand struct {
	Dir       string `default:".fileroom" type:"path" help:"Folder of the servers' data, and of dev.json, which says where everything is."`
	PortBase  int    `default:"7700" help:"First of twenty ports; another base moves all of them, so that two can run side by side."`
	NoWorker  bool   `help:"Start no worker. dev.json has the environment to start one with."`
	BuildOnly bool   `help:"Build the Temporal development server, if it is not there, and exit."`
}

// Run runs until ctx ends.
func (d devCommand) Run(ctx context.Context, c console) error {
	if d.BuildOnly {
		_, err := devstack.BuildTemporal(ctx, c.err)
		return err
	}
	i, err := startInstallation(ctx, d, c.err)
	if err != nil {
		return err
	}
	defer i.stop(context.WithoutCancel(ctx))
	c.printf("\nReady.\n  desk          %s/desk\n  Temporal UI   %s\n  everything    %s\n\n%s\nEnd it with Ctrl-C.\n",
		i.dev.Gateway.PanelURL, i.dev.Gateway.URL, filepath.Join(d.Dir, devFile), certificateWords)
	select {
	case <-ctx.Done():
		return nil
	case err := <-i.failed:
		return err
	}
}

// certificateWords tell what a browser will say, and why.
const certificateWords = `The browser will warn of the certificate, once for each of the two names, for it is this machine's own. Let it pass, and
choose one of the three invented people to sign in as.
`

// devFile is the file that says where everything is.
const devFile = "dev.json"

// A development is what dev.json holds.
type development struct {
	devstack.Description
	Staff []staff.Actor `json:"staff"` // The demonstration's people.
	Keys  string        `json:"keys"`  // Folder of the key files.
	Vault string        `json:"vault"`
	// Worker is the environment that `fileroom worker` and the other commands
	// need. `fileroom --dev DIR ...` takes it from here.
	Worker map[string]string `json:"worker"`
	// Pages is the environment of `fileroom staff`, which signs what staff say.
	Pages map[string]string `json:"pages"`
}

// demonstrationStaff are invented people.
func demonstrationStaff() []staff.Actor {
	return []staff.Actor{
		{Subject: "demo-specialist", Name: "Dana Okoye", Roles: []library.Role{library.RoleSpecialist}},
		{Subject: "demo-lead", Name: "Luis Ferrante", Roles: []library.Role{library.RoleLead}},
		{Subject: "demo-privacy", Name: "Priya Raman", Roles: []library.Role{library.RolePrivacy}},
	}
}

// tidewater is the lung doctor of the demonstration: the name in the directory,
// and of the file that says how to log in.
const tidewater = "tidewater-pulmonary"

// demonstrationFacilities are where the demonstration sends images.
func demonstrationFacilities(receiver devstack.Archive) []library.Facility {
	return []library.Facility{
		{
			ID: tidewater, Name: "Tidewater Pulmonary Associates", Aliases: []string{"Dr. Marcus Ellery"},
			Street: "410 Harbor Road, Suite 200", City: "Wilmington", State: "NC", Zip: "28401",
			Phone: "(910) 555-0133", Fax: "(910) 555-0134", NPI: "1999999984", Provider: true,
			URL: receiver.URL, Credential: tidewater, Proof: library.ProofReadBack,
		},
		{
			ID: "ridgeline-imaging", Name: "Ridgeline Imaging Center", Street: "77 Overlook Drive", City: "Boone", State: "NC", Zip: "28607",
			Phone: "(828) 555-0121", Provider: true, URL: receiver.URL, Credential: tidewater, Proof: library.ProofListed,
		},
	}
}

// An installation is Fileroom on the servers of the demonstration.
type installation struct {
	stack  *devstack.Stack
	dev    development
	log    *slog.Logger
	failed chan error // What must not end, has ended.
	stops  []func(context.Context)
}

// startInstallation starts the servers, sets everything up that an
// installation needs, and starts the staff's pages and a worker.
func startInstallation(ctx context.Context, d devCommand, progress io.Writer) (_ *installation, err error) {
	i := &installation{failed: make(chan error, 4)}
	if i.stack, err = devstack.Start(ctx, devstack.Options{Dir: d.Dir, PortBase: d.PortBase, Out: progress}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			i.stop(context.WithoutCancel(ctx))
		}
	}()
	i.dev.Description = i.stack.Description()
	if i.dev.Keys, i.dev.Vault = filepath.Join(d.Dir, "keys"), filepath.Join(d.Dir, "vault"); makeKeys(i.dev.Keys) != nil {
		return nil, fmt.Errorf("make keys in %s", i.dev.Keys)
	}
	i.dev.Staff = demonstrationStaff()
	logFile, err := os.OpenFile(filepath.Join(i.dev.Logs, "fileroom.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	i.stops = append(i.stops, func(context.Context) { _ = logFile.Close() })
	i.log = slog.New(slog.NewJSONHandler(logFile, nil))
	if err := i.prepare(ctx, d); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(i.dev.Vault, 0o700); err != nil { // The worker makes it, and may come later than the pages.
		return nil, err
	}
	if err := i.run(ctx, "staff", i.dev.Pages); err != nil {
		return nil, err
	}
	if !d.NoWorker {
		if err := i.run(ctx, "worker", i.dev.Worker); err != nil {
			return nil, err
		}
	}
	return i, i.write(d.Dir)
}

// run starts a command of this program as a process of its own.
func (i *installation) run(ctx context.Context, command string, settings map[string]string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return i.stack.Run(ctx, devstack.Program{Name: command, Path: self, Args: []string{command}, Env: environment(settings)})
}

// prepare migrates, fills the directory and the PACS.
func (i *installation) prepare(ctx context.Context, d devCommand) error {
	passwords, err := i.passwords(d.Dir)
	if err != nil {
		return err
	}
	err = postgres.Migrate(ctx, i.dev.Postgres.URL, postgres.Logins{
		Worker: postgres.Login{Password: passwords["worker"]}, Reader: postgres.Login{Password: passwords["reader"]},
		Staff: postgres.Login{Password: passwords["staff"]},
	})
	if err != nil {
		return err
	}
	if err := i.secrets(d.Dir, passwords); err != nil {
		return err
	}
	pool, err := databaseFlags{DatabaseURL: i.dev.Worker["FILEROOM_DATABASE_URL"]}.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	store := postgres.NewStore(pool)
	for _, f := range demonstrationFacilities(i.dev.Receiver) {
		if err := store.SaveFacility(ctx, f); err != nil {
			return err
		}
	}
	pacs, err := dicomweb.New(dicomweb.Config{URL: i.dev.PACS.URL, Username: i.dev.PACS.User, Password: i.dev.PACS.Password})
	if err != nil {
		return err
	}
	err = studies.Load(ctx, pacs)
	return err
}

// passwords returns the database passwords of the roles, made once.
func (i *installation) passwords(dir string) (map[string]string, error) {
	file := filepath.Join(dir, "keys", "database.json")
	p := map[string]string{}
	if b, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(b, &p); err != nil {
			return nil, err
		}
	}
	for _, role := range []string{"worker", "reader", "staff"} {
		if p[role] == "" {
			p[role] = rand.Text()
		}
	}
	b, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return p, os.WriteFile(file, b, 0o600)
}

// secrets writes the facility's credential and gathers what a worker and the
// staff's pages need.
func (i *installation) secrets(dir string, passwords map[string]string) error {
	folder := filepath.Join(dir, "keys", "facilities")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	credential := i.dev.Receiver.User + ":" + i.dev.Receiver.Password + "\n"
	if err := os.WriteFile(filepath.Join(folder, tidewater), []byte(credential), 0o600); err != nil {
		return err
	}
	database, err := url.Parse(i.dev.Postgres.URL)
	if err != nil {
		return err
	}
	as := func(user, role string) string {
		database.User = url.UserPassword(user, passwords[role])
		return database.String()
	}
	mailbox := i.dev.IMAP.Account(devstack.Library)
	i.dev.Worker = map[string]string{
		"FILEROOM_DATABASE_URL":     as(postgres.WorkerUser, "worker"),
		"FILEROOM_KEYRING_FILE":     filepath.Join(i.dev.Keys, keyringFile),
		"FILEROOM_STAFF_KEYS_FILE":  filepath.Join(i.dev.Keys, publicKeysFile),
		"FILEROOM_SECRETS":          folder,
		"FILEROOM_VAULT":            i.dev.Vault,
		"FILEROOM_MAILBOX_ADDRESS":  i.dev.IMAP.Address,
		"FILEROOM_MAILBOX_USER":     mailbox.User,
		"FILEROOM_MAILBOX_PASSWORD": mailbox.Password,
		"FILEROOM_MAILBOX_CA_FILE":  i.dev.CACertificate,
		"FILEROOM_MAILBOX_OWN":      mailbox.Email,
		"FILEROOM_SMTP_ADDRESS":     i.dev.SMTP.Address,
		"FILEROOM_SMTP_USER":        mailbox.User,
		"FILEROOM_SMTP_PASSWORD":    mailbox.Password,
		"FILEROOM_SMTP_CA_FILE":     i.dev.CACertificate,
		"FILEROOM_SMTP_FROM":        mailbox.Email,
		"FILEROOM_PACS_URL":         i.dev.PACS.URL,
		"FILEROOM_PACS_USER":        i.dev.PACS.User,
		"FILEROOM_PACS_PASSWORD":    i.dev.PACS.Password,
		"FILEROOM_LETTERHEAD_PHONE": "(919) 555-0100",
		"FILEROOM_LETTERHEAD_HOURS": "Monday to Friday, 8 to 5",
		"FILEROOM_DEMONSTRATION":    "true",
		"FILEROOM_METRICS_ADDRESS":  i.dev.Metrics.Address,
		"TEMPORAL_ADDRESS":          i.dev.Temporal.Address,
		"TEMPORAL_NAMESPACE":        i.dev.Temporal.Namespace,
		"FILEROOM_PANEL_URL":        i.dev.Gateway.PanelURL,
	}
	i.dev.Pages = map[string]string{
		"FILEROOM_DATABASE_URL":     as(postgres.StaffUser, "staff"),
		"FILEROOM_KEYRING_FILE":     filepath.Join(i.dev.Keys, keyringFile),
		"FILEROOM_SIGNING_KEY_FILE": filepath.Join(i.dev.Keys, signingKeyFile),
		"FILEROOM_VAULT":            i.dev.Vault,
		"FILEROOM_STAFF_ADDRESS":    i.dev.Gateway.Address,
		"FILEROOM_TLS_CERT_FILE":    i.dev.Gateway.Certificate,
		"FILEROOM_TLS_KEY_FILE":     i.dev.Gateway.Key,
		"FILEROOM_UI_URL":           i.dev.Gateway.URL,
		"FILEROOM_PANEL_URL":        i.dev.Gateway.PanelURL,
		"FILEROOM_TEMPORAL_UI":      i.dev.Temporal.UI,
		"FILEROOM_DEMONSTRATION":    "true",
		"TEMPORAL_ADDRESS":          i.dev.Temporal.Address,
		"TEMPORAL_NAMESPACE":        i.dev.Temporal.Namespace,
	}
	return nil
}

// environment returns settings, and of this process's own environment what a
// program needs to run at all.
func environment(settings map[string]string) []string {
	env := []string{}
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "TZ", "LANG"} {
		if v := os.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	for name, v := range settings {
		env = append(env, name+"="+v)
	}
	slices.Sort(env)
	return env
}

// write writes dev.json, whole or not at all: it holds passwords.
func (i *installation) write(dir string) error {
	b, err := json.MarshalIndent(i.dev, "", "  ")
	if err != nil {
		return err
	}
	part := filepath.Join(dir, devFile+".part")
	if err := os.WriteFile(part, append(b, '\n'), 0o600); err != nil {
		return err
	}
	i.stops = append(i.stops, func(context.Context) { _ = os.Remove(filepath.Join(dir, devFile)) })
	return os.Rename(part, filepath.Join(dir, devFile))
}

// stop ends everything that was started, the last first.
func (i *installation) stop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, stop := range slices.Backward(i.stops) {
		stop(ctx)
	}
	if err := i.stack.Stop(ctx); err != nil && i.log != nil {
		i.log.ErrorContext(ctx, "stop servers", "error", err)
	}
}

// loadDevelopment puts the settings that a command needs from the `fileroom
// dev` that runs in a folder into the environment, where they are not set.
func loadDevelopment(dir, command string) error {
	b, err := os.ReadFile(filepath.Join(dir, devFile))
	if err != nil {
		return fmt.Errorf("is fileroom dev running? %w", err)
	}
	var d development
	if err := json.Unmarshal(b, &d); err != nil {
		return fmt.Errorf("%s: %w", devFile, err)
	}
	if d.Worker == nil {
		return fmt.Errorf("%s holds no settings", devFile)
	}
	settings := d.Worker
	switch command {
	case "migrate": // It makes tables and roles, which a worker may not.
		settings["FILEROOM_DATABASE_URL"] = d.Postgres.URL
	case "case": // The demonstration's people may approve at the command line.
		settings["FILEROOM_SIGNING_KEY_FILE"] = d.Pages["FILEROOM_SIGNING_KEY_FILE"]
	case "staff":
		settings = d.Pages
	}
	for name, v := range settings {
		if os.Getenv(name) == "" {
			if err := os.Setenv(name, v); err != nil {
				return err
			}
		}
	}
	return nil
}
