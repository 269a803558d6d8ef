package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/interceptor"
	tlog "go.temporal.io/sdk/log"

	"fileroom/internal/postgres"
	"fileroom/internal/staff"
	"fileroom/internal/vault"
)

// pick returns the secret from the value or the file; one of them may be empty.
func pick(what, value, file string) (string, error) {
	if file == "" {
		return value, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// databaseFlags say where the records are.
type databaseFlags struct {
	DatabaseURL     string `env:"FILEROOM_DATABASE_URL" orfile:"" help:"Where the records are: a postgres:// URL."`
	DatabaseURLFile string `env:"FILEROOM_DATABASE_URL_FILE" help:"File that holds the database URL." type:"path"`
}

func (f databaseFlags) url() (string, error) {
	return pick("database URL", f.DatabaseURL, f.DatabaseURLFile)
}

func (f databaseFlags) open(ctx context.Context) (*pgxpool.Pool, error) {
	url, err := f.url()
	if err != nil {
		return nil, err
	}
	return postgres.Open(ctx, url)
}

// keyFlags say where the keys are.
type keyFlags struct {
	Keyring string `env:"FILEROOM_KEYRING_FILE" required:"" help:"File of the key ring that encrypts documents and payloads." type:"path" placeholder:"FILE"`
}

func (f keyFlags) ring() (*vault.Keyring, error) {
	return vault.ReadKeyring(f.Keyring)
}

// panelFlags say where the desk is.
type panelFlags struct {
	Panel string `name:"panel-url" env:"FILEROOM_PANEL_URL" placeholder:"URL" help:"Where browsers find the desk, such as https://panel.fileroom.hospital.example. The worker puts links to it into the Temporal UI."`
}

// signingFlags say with which key it is signed what staff say.
type signingFlags struct {
	SigningKey string `env:"FILEROOM_SIGNING_KEY_FILE" required:"" type:"path" placeholder:"FILE" help:"Key that signs what staff say. Only the process of their pages has it."`

	Demonstration bool `env:"FILEROOM_DEMONSTRATION" help:"Set by fileroom dev, and by nobody else: who comes is one of its invented people. On loopback alone."`
}

// signer returns what signs with the key, over digests of the ring's.
func (f signingFlags) signer(ring *vault.Keyring) (staff.Signer, error) {
	key, err := staff.ReadSigningKey(f.SigningKey)
	return staff.Signer{Key: key, Digests: ring.Digests(staff.DigestPurpose)}, err
}

// temporalFlags say where Temporal is. Its other settings are Temporal's own:
// TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_TLS_..., or a profile.
type temporalFlags struct {
	TemporalAddress string `env:"TEMPORAL_ADDRESS" help:"Host and port of Temporal. Its other TEMPORAL_* settings and profiles are honoured too." placeholder:"HOST:PORT"`
}

// dial connects to Temporal with everything encrypted that goes there.
func (f temporalFlags) dial(ctx context.Context, ring *vault.Keyring, log *slog.Logger, more ...func(*client.Options)) (client.Client, string, error) {
	o, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return nil, "", fmt.Errorf("temporal settings: %w", err)
	}
	if f.TemporalAddress != "" {
		o.HostPort = f.TemporalAddress
	}
	if o.Namespace == "" {
		o.Namespace = client.DefaultNamespace
	}
	if o.DataConverter, err = vault.DataConverter(ring); err != nil {
		return nil, "", err
	}
	if o.FailureConverter, err = vault.FailureConverter(ring); err != nil {
		return nil, "", err
	}
	o.Logger = tlog.NewStructuredLogger(log)
	o.Identity = fmt.Sprintf("fileroom/%d", os.Getpid())
	o.DisableWorkerEnvironmentInfo = true
	for _, change := range more {
		change(&o)
	}
	c, err := client.DialContext(ctx, o)
	if err != nil {
		return nil, "", fmt.Errorf("cannot reach Temporal at %s: %w", o.HostPort, err)
	}
	return c, o.Namespace, nil
}

// speaking lets one person speak through a client.
func speaking(i interceptor.ClientInterceptor) func(*client.Options) {
	return func(o *client.Options) { o.Interceptors = append(o.Interceptors, i) }
}

// trust returns TLS settings that trust the authorities in file, or those of
// the system if file is empty.
func trust(file string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if file == "" {
		return config, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("certificate authority: %s holds no certificate", filepath.Base(file))
	}
	return config, nil
}

// newLog returns the program's log: JSON lines of ids, counts and durations.
func newLog(c console, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(c.err, &slog.HandlerOptions{Level: level}))
}
