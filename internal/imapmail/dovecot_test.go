package imapmail_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"fileroom/internal/imapmail"
	"fileroom/internal/library"
)

const password = "orange-kettle-41"

var started atomic.Bool

// A dovecot is a private Dovecot server for this package's tests: any user
// name signs in, with [password], and has a mailbox of its own. Users whose
// name begins with "nokeywords" may not set keywords.
type dovecot struct {
	dir     string
	address string
	roots   *x509.CertPool
	cmd     *exec.Cmd
}

// server starts the Dovecot at its first use; TestMain ends it.
var server = sync.OnceValues(startDovecot)

func TestMain(m *testing.M) {
	code := m.Run()
	if started.Load() {
		if d, err := server(); err == nil {
			d.stop()
		}
	}
	os.Exit(code)
}

const config = `
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{dir}/cert.pem
ssl_key = <{dir}/key.pem
auth_mechanisms = plain login
mail_location = maildir:{dir}/mail/%u
mail_plugins = acl
first_valid_uid = 1
auth_failure_delay = 0
passdb {
  driver = static
  args = password={password}
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home={dir}/mail/%u
}
namespace inbox {
  inbox = yes
  separator = /
}
plugin {
  acl = vfile:{dir}/acl
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = {port}
    ssl = yes
  }
}
`

// acls: without the right w no flag but \Seen and \Deleted can be set.
const acls = "INBOX user=nokeywords lrstipekxa\n"

func startDovecot() (*dovecot, error) {
	started.Store(true)
	if os.Getuid() != 0 {
		return nil, fmt.Errorf("dovecot must be started as root")
	}
	if _, err := exec.LookPath("dovecot"); err != nil {
		return nil, fmt.Errorf("no dovecot: apt-get install dovecot-imapd")
	}
	dir, err := os.MkdirTemp("", "dovecot") // Not t.TempDir: the mail user must get in.
	if err != nil {
		return nil, err
	}
	d := &dovecot{dir: dir}
	certificate, key, roots, err := authority()
	if err != nil {
		return nil, err
	}
	d.roots = roots
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	d.address = net.JoinHostPort("127.0.0.1", port)
	text := strings.NewReplacer("{dir}", dir, "{port}", port, "{password}", password).Replace(config)
	for name, content := range map[string]string{"dovecot.conf": text, "cert.pem": certificate, "key.pem": key, "acl": acls} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return nil, err
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "mail"), 0o777); err != nil {
		return nil, err
	}
	for path, mode := range map[string]os.FileMode{"": 0o755, "mail": 0o777} { // Whatever the umask is.
		if err := os.Chmod(filepath.Join(dir, path), mode); err != nil {
			return nil, err
		}
	}
	d.cmd = exec.Command("dovecot", "-F", "-c", filepath.Join(dir, "dovecot.conf"))
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	return d, d.ready()
}

// ready waits until the server greets.
func (d *dovecot) ready() error {
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		var conn *tls.Conn
		if conn, err = tls.Dial("tcp", d.address, d.tls()); err == nil {
			return conn.Close()
		}
		<-time.After(50 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(d.dir, "log"))
	return fmt.Errorf("dovecot does not answer: %w\n%s", err, log)
}

func (d *dovecot) stop() {
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	_ = d.cmd.Wait()
	_ = os.RemoveAll(d.dir)
}

func (d *dovecot) tls() *tls.Config {
	return &tls.Config{RootCAs: d.roots, MinVersion: tls.VersionTLS12}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// authority makes a certificate for 127.0.0.1 that is its own authority.
func authority() (certificate, key string, roots *x509.CertPool, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Fileroom test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return "", "", nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", nil, err
	}
	certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	key = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(certificate))
	return certificate, key, roots, nil
}

// mailbox returns a mailbox that no other test uses, and a client that can
// deliver into it.
func mailbox(t *testing.T, user string) (*imapmail.Mailbox, *client) {
	t.Helper()

	d, err := server()
	if err != nil {
		t.Fatal(err)
	}
	m := &imapmail.Mailbox{Address: d.address, TLS: d.tls(), Username: user, Password: password}
	c, err := imapclient.DialTLS(d.address, &imapclient.Options{TLSConfig: d.tls()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Login(user, password).Wait(); err != nil {
		t.Fatal(err)
	}
	return m, &client{t: t, Client: c}
}

// A client does to a mailbox what mail servers and staff do.
type client struct {
	t *testing.T
	*imapclient.Client
}

func (c *client) deliver(mailbox, text string) {
	c.t.Helper()

	cmd := c.Append(mailbox, int64(len(text)), nil)
	if _, err := io.WriteString(cmd, text); err != nil {
		c.t.Fatal(err)
	}
	if err := cmd.Close(); err != nil {
		c.t.Fatal(err)
	}
	if _, err := cmd.Wait(); err != nil {
		c.t.Fatal(err)
	}
}

// flags returns the flags of each message in mailbox, in order.
func (c *client) flags(mailbox string) []string {
	c.t.Helper()

	box, err := c.Select(mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		c.t.Fatal(err)
	}
	if box.NumMessages == 0 {
		return nil
	}
	messages, err := c.Fetch(imap.SeqSet{{Start: 1}}, &imap.FetchOptions{Flags: true}).Collect()
	if err != nil {
		c.t.Fatal(err)
	}
	var all []string
	for _, m := range messages {
		var s []string
		for _, f := range m.Flags {
			if f != `\Recent` {
				s = append(s, string(f))
			}
		}
		all = append(all, strings.Join(s, " "))
	}
	return all
}

// doveadm runs Dovecot's administration tool.
func doveadm(t *testing.T, args ...string) {
	t.Helper()

	d, err := server()
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"-c", filepath.Join(d.dir, "dovecot.conf")}, args...)
	if out, err := exec.CommandContext(t.Context(), "doveadm", args...).CombinedOutput(); err != nil {
		t.Fatalf("doveadm %v: %v\n%s", args, err, out)
	}
}

// collect returns a function for Each that keeps what it is given in texts.
func collect(texts *[]string) func(context.Context, library.IncomingMail) error {
	return func(_ context.Context, m library.IncomingMail) error {
		var b bytes.Buffer
		_, err := io.Copy(&b, m.Body)
		*texts = append(*texts, b.String())
		return err
	}
}
