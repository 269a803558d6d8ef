package devstack

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/library"
)

// oldestPostgres is the oldest major version that the product works with.
const oldestPostgres = 15

// newPostgres returns a private PostgreSQL cluster with the database
// "fileroom" and the role that owns it. The product's own roles are its
// migration's business.
func (s *Stack) newPostgres(Options) (*unit, error) {
	const op = "set up postgres"
	dir, err := s.place.serverDir(Postgres)
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	sockets, err := s.place.folder(s.place.socketDir(Postgres))
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	data := filepath.Join(dir, "data")
	bin, err := postgresBin(data)
	if err != nil {
		return nil, err
	}
	settings := []string{
		"listen_addresses=" + loopback,
		"unix_socket_directories=" + sockets,
		"port=" + strconv.Itoa(s.ports.port(portPostgres)),
		"password_encryption=scram-sha-256",
		"shared_buffers=64MB",
		"max_connections=200",
		"timezone=UTC",
		"log_timezone=UTC",
		// Statements and rows hold patients; the log must not.
		"log_error_verbosity=terse",
		"log_min_error_statement=panic",
		"log_statement=none",
	}
	args := []string{"-D", data}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return &unit{
		service: Postgres, out: s.out, tail: s.logTail,
		launch: func(ctx context.Context) (instance, error) {
			if err := s.initCluster(ctx, bin, data); err != nil {
				return nil, err
			}
			return s.launch(command{
				service: Postgres, path: filepath.Join(bin, "postgres"), args: args,
				dir: dir, as: s.place.as, stop: syscall.SIGINT, // Fast shutdown.
			})
		},
		probe:  s.probePostgres,
		settle: s.createDatabase,
	}, nil
}

// postgresBin returns the folder of the programs that can run the cluster in
// data: those of its version, or for a new one the newest installed.
func postgresBin(data string) (string, error) {
	const op = "find postgres"
	want := 0
	if b, err := os.ReadFile(filepath.Join(data, "PG_VERSION")); err == nil {
		if want, err = strconv.Atoi(strings.TrimSpace(string(b))); err != nil {
			return "", library.Errorf(library.Invalid, op, data, "no version of PostgreSQL in PG_VERSION")
		}
	}
	best, bin := 0, ""
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // The pattern is good.
	for _, path := range found {
		dir := filepath.Dir(path)
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		if err == nil && version >= oldestPostgres && version > best && (want == 0 || version == want) {
			best, bin = version, dir
		}
	}
	switch {
	case bin != "":
		return bin, nil
	case want != 0:
		return "", library.Errorf(library.NotFound, op, data, "it is of PostgreSQL %d, which is not installed", want)
	default:
		return "", notInstalled(op, "PostgreSQL 15 or newer", "postgresql-15")
	}
}

// initCluster makes the cluster unless it exists. An initdb that was killed
// leaves only a draft, which the next one replaces.
func (s *Stack) initCluster(ctx context.Context, bin, data string) error {
	const op = "make database cluster"
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err == nil {
		return nil
	}
	draft, password := data+".new", filepath.Join(filepath.Dir(data), "password")
	if err := os.RemoveAll(draft); err != nil {
		return library.Fault(op, "", err)
	}
	if err := s.place.writeFor(password, []byte(s.secrets.must(ownerRole)+"\n")); err != nil {
		return library.Fault(op, "", err)
	}
	defer func() { _ = os.Remove(password) }()
	out, err := s.runAs(ctx, filepath.Dir(data), filepath.Join(bin, "initdb"),
		"--pgdata", draft, "--username", ownerRole, "--pwfile", password,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions")
	if err != nil {
		return library.Errorf("", op, "", "initdb: %w\n%s", err, out)
	}
	return library.Fault(op, "", os.Rename(draft, data))
}

// runAs runs a program to its end as the servers' account.
func (s *Stack) runAs(ctx context.Context, dir, path string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // Installed programs.
	cmd.Dir, cmd.Env = dir, serverEnv(dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if s.place.as.drop {
		cmd.SysProcAttr.Credential = s.place.as.credential()
	}
	if err := s.nursery.start(cmd); err != nil {
		return "", err
	}
	err := cmd.Wait()
	return strings.TrimSpace(out.String()), err
}

func (s *Stack) probePostgres(ctx context.Context) error {
	c, err := pgx.Connect(ctx, s.Description().Postgres.url("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	var one int
	return c.QueryRow(ctx, `SELECT 1`).Scan(&one)
}

func (s *Stack) createDatabase(ctx context.Context) error {
	const op = "create database"
	c, err := pgx.Connect(ctx, s.Description().Postgres.url("postgres"))
	if err != nil {
		return library.Fault(op, databaseName, err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	var name string
	err = c.QueryRow(ctx, `SELECT datname FROM pg_database WHERE datname = $1`, databaseName).Scan(&name)
	if errors.Is(err, pgx.ErrNoRows) {
		_, err = c.Exec(ctx, `CREATE DATABASE `+pgx.Identifier{databaseName}.Sanitize())
	}
	return library.Fault(op, databaseName, err)
}

// notInstalled is the error about a server that the machine lacks.
func notInstalled(op, what, pkg string) error {
	return library.Errorf(library.NotFound, op, "", "%s is not installed: run scripts/setup as root, or apt-get install %s", what, pkg)
}
