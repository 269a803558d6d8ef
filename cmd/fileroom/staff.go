package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/postgres"
	"fileroom/internal/signin"
	"fileroom/internal/staff"
	"fileroom/internal/web"
	"fileroom/workers"
)

// staffCommand serves the staff's pages: the Temporal UI behind the gateway,
// and the desk.
type staffCommand struct {
	databaseFlags
	keyFlags
	temporalFlags
	panelFlags // Another name under the same domain as the UI's: one site, so that the frame has its cookie.
	signingFlags

	Address    string `env:"FILEROOM_STAFF_ADDRESS" default:":8443" placeholder:"HOST:PORT" help:"Where to listen, with TLS."`
	Cert       string `name:"tls-cert" env:"FILEROOM_TLS_CERT_FILE" required:"" type:"path" placeholder:"FILE" help:"Certificate for both names, with its chain (PEM). It is read anew when it changes."`
	Key        string `name:"tls-key" env:"FILEROOM_TLS_KEY_FILE" required:"" type:"path" placeholder:"FILE" help:"Its key (PEM)."`
	UI         string `name:"ui-url" env:"FILEROOM_UI_URL" required:"" placeholder:"URL" help:"Where browsers find the Temporal UI, such as https://ui.fileroom.hospital.example."`
	TemporalUI string `name:"temporal-ui" env:"FILEROOM_TEMPORAL_UI" required:"" placeholder:"URL" help:"The Temporal UI itself, which only this program may reach."`
	Vault      string `env:"FILEROOM_VAULT" required:"" type:"path" placeholder:"DIR" help:"Folder of the documents, encrypted."`

	Idle  time.Duration `name:"session-idle" env:"FILEROOM_SESSION_IDLE" default:"15m" help:"A session unused for so long is over."`
	Limit time.Duration `name:"session-limit" env:"FILEROOM_SESSION_LIMIT" default:"12h" help:"A session so old is over, whatever its use."`
	Log   slog.Level    `env:"FILEROOM_LOG_LEVEL" default:"info" help:"How much to log: debug, info, warn or error."`

	OIDC oidcFlags `embed:"" prefix:"oidc-" envprefix:"FILEROOM_OIDC_"`
}

// oidcFlags say who signs people in.
type oidcFlags struct {
	Issuer           string            `env:"ISSUER" placeholder:"URL" help:"OpenID Connect provider that signs the staff in."`
	ClientID         string            `env:"CLIENT_ID" help:"What the provider calls this program."`
	ClientSecret     string            `env:"CLIENT_SECRET" help:"Its secret at the provider."`
	ClientSecretFile string            `env:"CLIENT_SECRET_FILE" type:"path" placeholder:"FILE" help:"File that holds it."`
	Scopes           []string          `env:"SCOPES" help:"Scopes to ask for beside openid and profile."`
	RolesClaim       string            `env:"ROLES_CLAIM" default:"roles" help:"Claim that names a person's roles; dots lead into it, as in realm_access.roles."`
	Roles            map[string]string `env:"ROLES" placeholder:"GROUP=ROLE" help:"What groups of the claim mean here, such as radiology-leads=lead. Without it the claim names viewer, specialist, lead, privacy or admin."`
	CA               string            `env:"CA_FILE" type:"path" placeholder:"FILE" help:"Certificate authority of the provider; the system's if not given."`
}

// Run serves the pages until ctx ends.
func (s staffCommand) Run(ctx context.Context, c console) error {
	log := newLog(c, s.Log)
	ring, err := s.ring()
	if err != nil {
		return err
	}
	signer, err := s.signer(ring)
	if err != nil {
		return err
	}
	pool, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	temporal, namespace, err := s.dial(ctx, ring, log, speaking(staff.ContextInterceptor(signer, workers.StaffMessages...)))
	if err != nil {
		return err
	}
	defer temporal.Close()
	records := postgres.NewStore(pool)
	keeper, err := s.keeper(records, log)
	if err != nil {
		return err
	}
	if err := keeper.Discover(ctx); err != nil { // It may be down now, and is asked again at the next sign-in.
		log.WarnContext(ctx, "identity provider does not answer", "error", err)
	}
	p := pagesOf{records: records, ring: ring, keeper: keeper, signer: signer, temporal: temporal, namespace: namespace}
	desk, errDesk := p.desk(s)
	gateway, errGateway := p.gateway(s)
	if err := errors.Join(errDesk, errGateway); err != nil {
		return err
	}
	return s.serve(ctx, doors(map[string]http.Handler{hostOf(s.UI): gateway, hostOf(s.Panel): desk}, !s.Demonstration), log)
}

// keeper returns who signs people in and remembers them.
func (s staffCommand) keeper(records *postgres.Store, log *slog.Logger) (*signin.Keeper, error) {
	o := signin.Options{Sessions: records, Access: records, Panel: s.Panel, UI: s.UI, Idle: s.Idle, Limit: s.Limit, Log: log}
	switch {
	case s.Panel == "":
		return nil, errors.New("missing settings:\n  --panel-url (FILEROOM_PANEL_URL)")
	case s.Demonstration && s.OIDC.Issuer != "":
		return nil, errors.New("FILEROOM_DEMONSTRATION and FILEROOM_OIDC_ISSUER exclude each other: invented people beside real ones prove nothing")
	case s.Demonstration:
		if !loopbackAddress(s.Address) {
			return nil, fmt.Errorf("the demonstration's people sign in on this machine alone: --address %s is open to others", s.Address)
		}
		o.Demonstration = demonstrationStaff()
	default:
		openID, err := s.OIDC.openID()
		if err != nil {
			return nil, err
		}
		o.OpenID = openID
	}
	return signin.New(o)
}

// loopbackAddress reports whether only this machine can reach a listener.
func loopbackAddress(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

func (f oidcFlags) openID() (*signin.OpenID, error) {
	if f.Issuer == "" || f.ClientID == "" {
		return nil, errors.New("missing settings:\n  --oidc-issuer (FILEROOM_OIDC_ISSUER)\n  --oidc-client-id (FILEROOM_OIDC_CLIENT_ID)")
	}
	secret, err := pick("OpenID Connect client secret", f.ClientSecret, f.ClientSecretFile)
	if err != nil {
		return nil, err
	}
	config, err := trust(f.CA)
	if err != nil {
		return nil, err
	}
	o := &signin.OpenID{
		Issuer: f.Issuer, ClientID: f.ClientID, ClientSecret: secret, Scopes: f.Scopes, RolesClaim: f.RolesClaim, Roots: config.RootCAs,
	}
	for group, role := range f.Roles {
		if o.Roles == nil {
			o.Roles = map[string]library.Role{}
		}
		o.Roles[group] = library.Role(role)
	}
	return o, nil
}

// serve listens until ctx ends, and lets what is under way come to its end.
func (s staffCommand) serve(ctx context.Context, handler http.Handler, log *slog.Logger) error {
	certificate := &reloaded{cert: s.Cert, key: s.Key, now: time.Now}
	if _, err := certificate.get(nil); err != nil {
		return err
	}
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", s.Address)
	if err != nil {
		return err
	}
	server := web.NewServer(handler)
	server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.get, NextProtos: []string{"h2", "http/1.1"}}
	server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug) // Of handshakes, which strangers break off.
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err := server.Shutdown(late)
		if err != nil { // A window somewhere follows a history, as it may for ever.
			err = server.Close()
		}
		stopped <- err
	}()
	log.InfoContext(ctx, "staff pages started", "ui", s.UI, "panel", s.Panel)
	if err := server.ServeTLS(l, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
