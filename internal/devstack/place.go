package devstack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"fileroom/internal/library"
)

const (
	// outside is where servers' data goes when the unprivileged user cannot
	// reach the data folder.
	outside = "/var/lib/fileroom"

	// longestSocketDir leaves room for the names that PostgreSQL and Dovecot
	// give to sockets: a socket's path ends at 107 bytes.
	longestSocketDir = 70
)

// A place is a data folder in use.
type place struct {
	dir     string // Absolute.
	servers string // Where the servers' data is, without symbolic links.
	sockets string // Where the sockets' folders are.
	as      account
	lock    *os.File
}

// An account is the user that the servers run as.
type account struct {
	uid, gid int
	name     string
	group    string
	drop     bool // We are root, and give that up for the servers.
}

// takePlace makes and locks the data folder. dir "" makes one for this stack.
func takePlace(dir string) (_ place, err error) {
	const op = "open data folder"
	p := place{dir: dir}
	if p.as, err = serverAccount(); err != nil {
		return place{}, err
	}
	if dir == "" {
		if p.dir, err = os.MkdirTemp("", "fileroom-"); err != nil {
			return place{}, library.Fault(op, "", err)
		}
	}
	if p.dir, err = filepath.Abs(p.dir); err != nil {
		return place{}, library.Fault(op, dir, err)
	}
	if err := os.MkdirAll(p.dir, 0o755); err != nil { //nolint:gosec // The servers' user must pass through.
		return place{}, library.Fault(op, dir, err)
	}
	if p.lock, err = lockFile(filepath.Join(p.dir, "lock")); err != nil {
		return place{}, library.Errorf(library.Conflict, op, dir, "another process uses it: %w", err)
	}
	defer func() {
		if err != nil {
			p.release()
		}
	}()
	for _, d := range []string{"logs", "pids", "temporal"} {
		if err := os.MkdirAll(filepath.Join(p.dir, d), 0o700); err != nil {
			return place{}, library.Fault(op, dir, err)
		}
	}
	if err := p.findServers(); err != nil {
		return place{}, library.Fault(op, dir, err)
	}
	return p, nil
}

// serverAccount returns who the servers run as: ourselves, or when we are root
// somebody with as little right as possible. The user needs an entry in the
// password database, or initdb refuses it.
func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		u, err := user.Current()
		if err != nil {
			return account{}, library.Fault("find own user", "", err)
		}
		return accountOf(u, false)
	}
	for _, name := range []string{"fileroom", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		return accountOf(u, true)
	}
	return account{}, library.Errorf(library.NotFound, "find user", "nobody", "root must run the servers as somebody else: add a user of that name")
}

func accountOf(u *user.User, drop bool) (account, error) {
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	g, err3 := user.LookupGroupId(u.Gid)
	if err := errors.Join(err1, err2, err3); err != nil {
		return account{}, library.Fault("find user", u.Username, err)
	}
	return account{uid: uid, gid: gid, name: u.Username, group: g.Name, drop: drop}, nil
}

// findServers decides where the servers' data and sockets are.
func (p *place) findServers() error {
	link := filepath.Join(p.dir, "servers")
	digest := sha256.Sum256([]byte(p.dir))
	short := hex.EncodeToString(digest[:6])

	if p.as.drop {
		// The folder itself is ours to open; what is above it is not.
		if info, err := os.Stat(p.dir); err == nil && info.Mode().Perm()&0o011 != 0o011 {
			if err := os.Chmod(p.dir, info.Mode().Perm()|0o011); err != nil {
				return err
			}
		}
	}
	target, err := filepath.EvalSymlinks(link)
	switch {
	case err == nil && p.as.reaches(filepath.Dir(target)):
		p.servers = target
	case err == nil:
		return fmt.Errorf("user %s cannot reach %s: a folder above it is closed to others", p.as.name, target)
	case p.as.reaches(p.dir):
		_ = os.Remove(link) // A link that leads nowhere.
		if p.servers, err = filepath.EvalSymlinks(p.dir); err != nil {
			return err
		}
		p.servers = filepath.Join(p.servers, "servers")
	default:
		p.servers = filepath.Join(outside, short)
		if err := p.linkOutside(link); err != nil {
			return err
		}
	}
	if err := passage(p.servers); err != nil {
		return err
	}

	p.sockets = filepath.Join(p.servers, "run")
	if len(p.sockets) > longestSocketDir {
		p.sockets = fmt.Sprintf("/tmp/fileroom-%d-%s", os.Geteuid(), short)
	}
	return ownFolder(p.sockets)
}

// linkOutside makes the folder under /var/lib and the link to it. A folder
// there without a data folder that knows its passwords is of a data folder
// that was deleted: its servers could not be logged in to.
func (p *place) linkOutside(link string) error {
	if _, err := os.Stat(p.secretsFile()); errors.Is(err, fs.ErrNotExist) {
		if err := os.RemoveAll(p.servers); err != nil {
			return err
		}
	}
	if err := errors.Join(passage(outside), passage(p.servers)); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(p.servers, "OWNER"), []byte(p.dir+"\n"), 0o600); err != nil {
		return err
	}
	_ = os.Remove(link)
	return os.Symlink(p.servers, link)
}

// passage makes a folder that everybody may pass through, whatever the umask,
// and nobody else may list.
func passage(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	return os.Chmod(path, 0o711) //nolint:gosec // The servers' user must pass through.
}

// ownFolder makes a folder, and refuses one that somebody else put there.
func ownFolder(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("%s is not a folder of ours", path)
	}
	return os.Chmod(path, 0o711) //nolint:gosec // The servers' user must pass through.
}

// reaches reports whether the account may pass through every folder of path.
func (a account) reaches(path string) bool {
	if !a.drop {
		return true
	}
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	for ; ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		if err != nil {
			return false
		}
		if info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if path == filepath.Dir(path) {
			return true
		}
	}
}

// serverDir makes and returns a folder of a server's own, which nobody else can
// look into.
func (p *place) serverDir(service Service) (string, error) {
	return p.folder(filepath.Join(p.servers, string(service)))
}

// socketDir returns the folder of a server's sockets.
func (p *place) socketDir(service Service) string {
	return filepath.Join(p.sockets, string(service))
}

// folder makes a folder that belongs to the servers' account.
func (p *place) folder(path string) (string, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", err
	}
	return path, p.give(path)
}

// give makes a file or folder the servers' account's.
func (p *place) give(path string) error {
	if !p.as.drop {
		return nil
	}
	return os.Lchown(path, p.as.uid, p.as.gid)
}

// writeFor writes a file that the servers' account alone may read.
func (p *place) writeFor(path string, content []byte) error {
	draft := path + ".new"
	if err := os.WriteFile(draft, content, 0o600); err != nil { //nolint:gosec // Inside our folder.
		return err
	}
	if err := p.give(draft); err != nil {
		return err
	}
	return os.Rename(draft, path)
}

func (p *place) secretsFile() string      { return filepath.Join(p.dir, "secrets.json") }
func (p *place) caFile() string           { return filepath.Join(p.dir, "ca.pem") }
func (p *place) temporalDatabase() string { return filepath.Join(p.dir, "temporal", "temporal.db") }
func (p *place) pidFile(s Service) string { return filepath.Join(p.dir, "pids", string(s)+".json") }

// release gives the folder back to other stacks.
func (p *place) release() {
	if p.sockets != "" && filepath.Dir(p.sockets) == "/tmp" {
		_ = os.RemoveAll(p.sockets)
	}
	if p.lock != nil {
		_ = p.lock.Close()
	}
}

// remove deletes the folder and what belongs to it.
func (p *place) remove() {
	_ = os.RemoveAll(p.servers)
	_ = os.RemoveAll(p.dir)
}

// lockFile opens a file and locks it for this process, until it is closed.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
