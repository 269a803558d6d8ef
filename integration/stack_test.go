package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"fileroom/internal/devstack"
	"fileroom/internal/dicomweb"
	"fileroom/internal/library"
	"fileroom/internal/postgres"
	"fileroom/internal/vault"
)

var (
	record = flag.Bool("record", false, "write the histories that package workflows replays")
	seed   = flag.Uint64("seed", 1, "chooses the moments at which workers are killed")
	shots  = flag.Bool("screenshots", false, "take the pictures of the README")
)

// The tests wait for servers and timeouts, and seldom for a processor, so many
// of them run at the same time.
const parallel = 40

// startLimit is how long the servers may take to start: the Temporal
// development server may have to be built first.
const startLimit = 15 * time.Minute

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", fmt.Sprint(parallel)); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if err := shared.end(); err != nil {
		fmt.Fprintln(os.Stderr, "the servers did not end well:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// shared are the servers that all tests share.
var shared = &stack{nursery: newNursery()}

// A development is what outsiders may know of dev.json.
type development struct {
	devstack.Description
	Staff  []library.Actor   `json:"staff"`
	Keys   string            `json:"keys"`
	Vault  string            `json:"vault"`
	Worker map[string]string `json:"worker"`
	Pages  map[string]string `json:"pages"`
}

// A stack is the program's binary and the servers of `fileroom dev`.
type stack struct {
	nursery *nursery
	once    sync.Once
	failed  error

	dir    string // Of everything; it goes with the stack.
	binary string
	server *process
	dev    development

	pool     *pgxpool.Pool // As the owner of the database.
	store    *postgres.Store
	ring     *vault.Keyring
	papers   *vault.Folder
	pacs     *dicomweb.Archive
	receiver *dicomweb.Archive

	ledger  ledger
	usual   usual
	browser browser
}

// servers returns the shared servers, which the first test starts.
func servers(t *testing.T) *stack {
	t.Helper()
	shared.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), startLimit)
		defer cancel()
		shared.failed = shared.start(ctx)
	})
	if shared.failed != nil {
		t.Fatalf("start the servers: %v", shared.failed)
	}
	return shared
}

func (s *stack) start(ctx context.Context) error {
	var err error
	if s.dir, err = os.MkdirTemp("", "fileroom-integration-"); err != nil {
		return err
	}
	// Servers that must not run as root keep their data below.
	if err := os.Chmod(s.dir, 0o755); err != nil {
		return err
	}
	s.binary = filepath.Join(s.dir, "fileroom")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", s.binary, "fileroom/cmd/fileroom")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, out)
	}
	data := filepath.Join(s.dir, "data")
	s.server, err = s.nursery.start(command{
		path: s.binary, args: []string{"dev", "--dir", data, "--port-base", "0", "--no-worker"}, env: os.Environ(), log: filepath.Join(s.dir, "dev.log"),
	})
	if err != nil {
		return err
	}
	if s.dev, err = s.awaitDevelopment(ctx, filepath.Join(data, "dev.json")); err != nil {
		return err
	}
	return s.connect(ctx)
}

// awaitDevelopment waits until dev.json is there, which is written when
// everything is ready.
func (s *stack) awaitDevelopment(ctx context.Context, file string) (development, error) {
	var d development
	err := poll(ctx, func() (bool, error) {
		select {
		case <-s.server.done:
			return false, fmt.Errorf("fileroom dev has ended: %w\n%s", s.server.err, s.server.tail())
		default:
		}
		b, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			return false, nil
		}
		if err == nil {
			err = json.Unmarshal(b, &d)
		}
		return err == nil, err
	})
	return d, err
}

// connect opens what the tests look at.
func (s *stack) connect(ctx context.Context) error {
	var err error
	if s.pool, err = postgres.Open(ctx, s.dev.Postgres.URL); err != nil {
		return err
	}
	s.store = postgres.NewStore(s.pool)
	if s.ring, err = vault.ReadKeyring(s.dev.Worker["FILEROOM_KEYRING_FILE"]); err != nil {
		return err
	}
	if s.papers, err = vault.NewFolder(s.dev.Vault, s.ring); err != nil {
		return err
	}
	if s.pacs, err = open(s.dev.PACS); err != nil {
		return err
	}
	s.receiver, err = open(s.dev.Receiver)
	return err
}

func open(a devstack.Archive) (*dicomweb.Archive, error) {
	return dicomweb.New(dicomweb.Config{URL: a.URL, Username: a.User, Password: a.Password})
}

// end ends every process and removes what they left.
func (s *stack) end() error {
	if s.pool != nil {
		s.pool.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	errs := []error{s.browser.end(), s.usual.end(ctx)}
	if s.server != nil {
		errs = append(errs, s.server.stop(ctx))
	}
	s.nursery.close()
	if s.dir != "" {
		// Where nobody may look into our folder, the servers' data is elsewhere.
		if elsewhere, err := os.Readlink(filepath.Join(s.dir, "data", "servers")); err == nil {
			errs = append(errs, os.RemoveAll(elsewhere))
		}
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}
