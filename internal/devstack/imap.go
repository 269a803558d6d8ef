package devstack

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	"fileroom/internal/library"
)

// newIMAP returns a Dovecot that serves the mailboxes over TLS.
func (s *Stack) newIMAP(Options) (*unit, error) {
	const op = "set up imap"
	dovecot, err := exec.LookPath("dovecot")
	if err != nil {
		if dovecot, err = exec.LookPath("/usr/sbin/dovecot"); err != nil {
			return nil, notInstalled(op, "Dovecot", "dovecot-imapd")
		}
	}
	dir, err := s.place.serverDir(IMAP)
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	file, err := s.writeDovecot(dir)
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	if err := s.mailroom().prepare(); err != nil {
		return nil, library.Fault(op, "", err)
	}
	return &unit{
		service: IMAP, out: s.out, tail: s.logTail,
		launch: func(context.Context) (instance, error) {
			return s.launch(command{
				service: IMAP, path: dovecot, args: []string{"-F", "-c", file},
				dir: dir, as: s.place.as, stop: syscall.SIGTERM,
			})
		},
		probe: s.probeIMAP,
	}, nil
}

// writeDovecot writes Dovecot's settings and returns their file.
func (s *Stack) writeDovecot(dir string) (string, error) {
	run, err1 := s.place.folder(s.place.socketDir(IMAP))
	state, err2 := s.place.folder(filepath.Join(dir, "state"))
	cert, err3 := os.ReadFile(s.place.tlsFile())
	key, err4 := os.ReadFile(s.place.tlsKeyFile())
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return "", err
	}
	// Dovecot opens this folder to all in any case; the sockets have modes of
	// their own.
	if err := os.Chmod(run, 0o755); err != nil { //nolint:gosec // As said.
		return "", err
	}
	var users strings.Builder
	for _, a := range s.accounts() {
		fmt.Fprintf(&users, "%s:{PLAIN}%s\n", a.User, a.Password)
	}
	file := filepath.Join(dir, "dovecot.conf")
	settings := strings.NewReplacer(
		"@run@", run, "@state@", state, "@dir@", dir, "@mail@", s.mailroom().dir,
		"@user@", s.place.as.name, "@group@", s.place.as.group, "@uid@", fmt.Sprint(s.place.as.uid), "@gid@", fmt.Sprint(s.place.as.gid),
		"@port@", fmt.Sprint(s.ports.port(portIMAP)),
	).Replace(dovecotSettings)
	return file, errors.Join(
		s.place.writeFor(filepath.Join(dir, "tls.pem"), cert),
		s.place.writeFor(filepath.Join(dir, "tls-key.pem"), key),
		s.place.writeFor(filepath.Join(dir, "users"), []byte(users.String())),
		s.place.writeFor(file, []byte(settings)),
	)
}

// dovecotSettings run Dovecot 2.3 without root: every part as one user, no
// chroot. Refusals are not slowed down; tests refuse a lot.
const dovecotSettings = `
base_dir = @run@
state_dir = @state@
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
instance_name = fileroom
default_internal_user = @user@
default_internal_group = @group@
default_login_user = @user@
first_valid_uid = 1
first_valid_gid = 1
ssl = required
ssl_min_protocol = TLSv1.2
ssl_cert = <@dir@/tls.pem
ssl_key = <@dir@/tls-key.pem
disable_plaintext_auth = yes
auth_mechanisms = plain login
auth_failure_delay = 0
auth_cache_size = 1M
mail_location = maildir:@mail@/%u
mail_max_userip_connections = 200
mailbox_idle_check_interval = 2s
login_log_format_elements = user=<%u> method=%m
passdb {
  driver = passwd-file
  args = @dir@/users
}
userdb {
  driver = static
  args = uid=@uid@ gid=@gid@ home=@mail@/%u
}
namespace inbox {
  inbox = yes
  separator = /
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
service imap-login {
  chroot =
  service_count = 0
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = @port@
    ssl = yes
  }
}
`

// probeIMAP signs in to each mailbox and opens its inbox.
func (s *Stack) probeIMAP(ctx context.Context) error {
	d := s.Description().IMAP
	for _, a := range d.Accounts {
		if err := s.signIn(ctx, d.Address, a); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stack) signIn(ctx context.Context, address string, a Account) error {
	dialer := tls.Dialer{Config: s.TLS()}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	// The client has no timeout of its own.
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(probeLimit)
	}
	_ = conn.SetDeadline(deadline)
	c := imapclient.New(conn, nil)
	defer func() { _ = c.Close() }()
	if err := c.Login(a.User, a.Password).Wait(); err != nil {
		return err
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		return err
	}
	return c.Logout().Wait()
}
