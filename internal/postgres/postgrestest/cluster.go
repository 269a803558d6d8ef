package postgrestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/postgres"
)

// A cluster is the private server of this test process.
type cluster struct {
	folder string // Of its socket; the data are below it.
}

// running returns the cluster, started on the first call.
var running = sync.OnceValues(start)

// starting bounds how long a cluster may take to be ready.
const starting = 2 * time.Minute

// server starts PostgreSQL, waits until its own standard input ends, which it
// does when the test process is gone, and then stops the server and removes
// its folder.
const server = `
folder=$1; shift
"$@" >"$folder/log" 2>&1 &
pid=$!
cat >/dev/null
kill -QUIT $pid
wait $pid
rm -rf "$folder"`

func start() (*cluster, error) {
	ctx, cancel := context.WithTimeout(context.Background(), starting)
	defer cancel()

	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	who, err := unprivileged()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("/tmp", "fileroom-pg-") // A socket's path may have 107 bytes, so not a test's long folder.
	if err != nil {
		return nil, err
	}
	c := &cluster{folder: folder}
	if err := c.launch(ctx, bin, who); err != nil {
		log, _ := os.ReadFile(filepath.Join(folder, "log"))
		_ = os.RemoveAll(folder)
		return nil, fmt.Errorf("start PostgreSQL for tests: %w\n%s", err, log)
	}
	return c, c.prepare(ctx)
}

// binaries returns the folder of the newest PostgreSQL installed.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // Debian keeps them out of the path.
	if err != nil || len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed: run make setup, or install postgresql-15")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// unprivileged returns the credential to run the server under: its own, or for
// root, under which PostgreSQL refuses to run, that of another user.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

// launch makes the cluster and starts its server.
func (c *cluster) launch(ctx context.Context, bin string, who *syscall.Credential) error {
	data, secret := filepath.Join(c.folder, "data"), filepath.Join(c.folder, "secret")
	if err := os.WriteFile(secret, []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	if who != nil {
		for _, path := range []string{c.folder, secret} {
			if err := os.Chown(path, int(who.Uid), int(who.Gid)); err != nil {
				return err
			}
		}
	}
	command := func(ctx context.Context, name string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir = "/"
		cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
		// A group of its own: an interrupt at the terminal is not for it.
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who, Setpgid: true}
		return cmd
	}
	initdb := command(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", string(Superuser), "--pwfile", secret,
		"-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, bytes.TrimSpace(out))
	}
	// The server serves many tests, and ends with this process: see below.
	cmd := command(context.WithoutCancel(ctx), "/bin/sh", "-c", server, "sh", c.folder, filepath.Join(bin, "postgres"), "-D", data,
		"-c", "listen_addresses=", "-c", "unix_socket_directories="+c.folder, "-c", "max_connections=200",
		"-c", "shared_buffers=32MB", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
		"-c", "log_statement=all", "-c", "timezone=America/New_York") // Not UTC: nothing may rest on the server's zone.
	if _, err := cmd.StdinPipe(); err != nil { // Never closed but by the end of this process.
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }()
	return c.ready(ctx)
}

// ready waits until the server takes connections.
func (c *cluster) ready(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, c.url("postgres", Superuser))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// prepare makes the owner and the template.
func (c *cluster) prepare(ctx context.Context) error {
	for _, sql := range []string{
		"CREATE ROLE " + string(Owner) + " LOGIN CREATEROLE PASSWORD '" + password + "'",
		"CREATE DATABASE " + template + " OWNER " + string(Owner),
	} {
		if err := c.administer(ctx, sql); err != nil {
			return err
		}
	}
	return postgres.Migrate(ctx, c.url(template, Owner), postgres.Logins{
		Worker: postgres.Login{Password: password},
		Reader: postgres.Login{Password: password},
		Staff:  postgres.Login{Password: password},
	})
}
