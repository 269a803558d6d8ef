package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
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
	"fileroom/internal/vault"
	"fileroom/internal/web"
	"fileroom/workers"
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
	c.printf("\nReady.\n  Temporal UI   %s\n  everything    %s\n\nEnd it with Ctrl-C.\n", i.dev.Gateway.URL, filepath.Join(d.Dir, devFile))
	select {
	case <-ctx.Done():
		return nil
	case err := <-i.failed:
		return err
	}
}

// devFile is the file that says where everything is.
const devFile = "dev.json"

// A development is what dev.json holds.
type development struct {
	devstack.Description
	Staff []staff.Actor `json:"staff"` // The demonstration's people; the gateway signs for the first.
	Keys  string        `json:"keys"`  // Folder of the key files.
	Vault string        `json:"vault"`
	// Worker is the environment that `fileroom worker` and the other commands
	// need. `fileroom --dev DIR ...` takes it from here.
	Worker map[string]string `json:"worker"`
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
// installation needs, and starts the gateway and a worker.
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
	if err := i.serveGateway(ctx); err != nil {
		return nil, err
	}
	if !d.NoWorker {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		if err := i.stack.Run(ctx, devstack.Program{Name: "worker", Path: self, Args: []string{"worker"}, Env: i.dev.environment()}); err != nil {
			return nil, err
		}
	}
	return i, i.write(d.Dir)
}

// prepare migrates, fills the directory and the PACS.
func (i *installation) prepare(ctx context.Context, d devCommand) error {
	passwords, err := i.passwords(d.Dir)
	if err != nil {
		return err
	}
	err = postgres.Migrate(ctx, i.dev.Postgres.URL, postgres.Logins{
		Worker: postgres.Login{Password: passwords["worker"]}, Reader: postgres.Login{Password: passwords["reader"]},
	})
	if err != nil {
		return err
	}
	if err := i.secrets(d.Dir, passwords["worker"]); err != nil {
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
		return p, json.Unmarshal(b, &p)
	}
	p["worker"], p["reader"] = rand.Text(), rand.Text()
	b, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return p, os.WriteFile(file, b, 0o600)
}

// secrets writes the facility's credential and gathers what a worker needs.
func (i *installation) secrets(dir, password string) error {
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
	database.User = url.UserPassword(postgres.WorkerUser, password)
	mailbox := i.dev.IMAP.Account(devstack.Library)
	i.dev.Worker = map[string]string{
		"FILEROOM_DATABASE_URL":     database.String(),
		"FILEROOM_KEYRING_FILE":     filepath.Join(i.dev.Keys, keyringFile),
		"FILEROOM_STAFF_KEYS_FILE":  filepath.Join(i.dev.Keys, publicKeysFile),
		"FILEROOM_SIGNING_KEY_FILE": filepath.Join(i.dev.Keys, signingKeyFile),
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
	}
	return nil
}

// environment returns the worker's settings, and of this process's own what a
// program needs to run at all.
func (d development) environment() []string {
	env := []string{}
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "TZ", "LANG"} {
		if v := os.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	for name, v := range d.Worker {
		env = append(env, name+"="+v)
	}
	slices.Sort(env)
	return env
}

// serveGateway puts the gateway before the Temporal UI. It signs for the one
// person of the demonstration, and so answers on loopback alone.
func (i *installation) serveGateway(ctx context.Context) error {
	ring, err := vault.ReadKeyring(i.dev.Worker["FILEROOM_KEYRING_FILE"])
	if err != nil {
		return err
	}
	key, err := staff.ReadSigningKey(i.dev.Worker["FILEROOM_SIGNING_KEY_FILE"])
	if err != nil {
		return err
	}
	codec, err := vault.NewCodec(ring)
	if err != nil {
		return err
	}
	upstream, err := url.Parse(i.dev.Temporal.UI)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(i.dev.Gateway.Address)
	if err != nil {
		return err
	}
	gateway, err := web.NewGateway(web.Options{
		Upstream: upstream, Hosts: []string{"127.0.0.1:" + port, "localhost:" + port}, Namespace: i.dev.Temporal.Namespace,
		Messages: workers.StaffMessages, Codec: codec,
		Actor:  func(*http.Request) (staff.Actor, bool) { return i.dev.Staff[0], true },
		Signer: staff.Signer{Key: key, Digests: ring.Digests(staff.DigestPurpose)},
	})
	if err != nil {
		return err
	}
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", i.dev.Gateway.Address)
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	server := web.NewServer(gateway)
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			i.failed <- fmt.Errorf("gateway: %w", err)
		}
	}()
	i.stops = append(i.stops, func(context.Context) { _ = server.Close() })
	return nil
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
	if command == "migrate" { // It makes tables and roles, which a worker may not.
		d.Worker["FILEROOM_DATABASE_URL"] = d.Postgres.URL
	}
	for name, v := range d.Worker {
		if os.Getenv(name) == "" {
			if err := os.Setenv(name, v); err != nil {
				return err
			}
		}
	}
	return nil
}
