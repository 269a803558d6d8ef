package devstack

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
)

// A Description says where everything is and how to get in. It holds
// passwords: whoever writes it to a file gives it mode 0600. A service that the
// stack runs without is described all the same, and does not answer.
type Description struct {
	Dir      string `json:"dir"`       // The data folder.
	Logs     string `json:"logs"`      // Folder with a log for each server.
	PortBase int    `json:"port_base"` // See the table of ports in the package comment.

	Temporal TemporalServer `json:"temporal"`
	Gateway  Gateway        `json:"gateway"` // Where the program puts its gateway, by which staff come in.
	Metrics  Page           `json:"metrics"` // Where the worker serves its metrics, under /metrics.
	Postgres Database       `json:"postgres"`
	IMAP     MailServer     `json:"imap"` // TLS from the first byte.
	SMTP     MailServer     `json:"smtp"` // STARTTLS, then AUTH PLAIN.
	PACS     Archive        `json:"pacs"`
	Receiver Archive        `json:"receiver"`

	CACertificate string `json:"ca_certificate"` // PEM file: the authority of IMAP, SMTP, the gateway, and of Temporal where it speaks TLS.
}

// A TemporalServer is where Temporal answers. It asks for no account, and for a
// certificate only if the stack was started so.
type TemporalServer struct {
	Address   string `json:"address"` // Host and port of the frontend (gRPC).
	Namespace string `json:"namespace"`
	UI        string `json:"ui"`       // URL of the bare UI; people go through the gateway.
	Database  string `json:"database"` // SQLite file; beside it lies a write-ahead log, -wal.

	// PEM files for clients, with [Options.TemporalTLS]; else empty. Temporal's
	// own settings for them are TEMPORAL_TLS_CLIENT_CERT_PATH,
	// TEMPORAL_TLS_CLIENT_KEY_PATH and TEMPORAL_TLS_SERVER_CA_CERT_PATH.
	ClientCertificate string `json:"client_certificate,omitempty"`
	ClientKey         string `json:"client_key,omitempty"`
	ServerCA          string `json:"server_ca,omitempty"`
}

// A Gateway is the port that staff come in by: one for two hosts, HTTPS. Their
// names end in .localhost, which browsers take for this machine without asking
// anybody; for other programs, see [Stack.Transport].
type Gateway struct {
	Address     string `json:"address"`     // Host and port to listen on.
	URL         string `json:"url"`         // Of the Temporal UI. Without a slash at the end, as the next.
	PanelURL    string `json:"panel_url"`   // Of the sign-in, the desk and the panel.
	Certificate string `json:"certificate"` // PEM file, for both names.
	Key         string `json:"key"`         // PEM file (0600).
}

// A Page is a place that the program itself serves.
type Page struct {
	Address string `json:"address"` // Host and port.
	URL     string `json:"url"`     // Without a slash at the end.
}

// A Database is a PostgreSQL database and the account that owns everything in
// it.
type Database struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Socket   string `json:"socket"` // Folder of the Unix socket.
	Name     string `json:"name"`
	User     string `json:"user"`
	Password string `json:"password"`
	URL      string `json:"url"` // The same as one connection URL.
}

// A MailServer is an IMAP or SMTP server and its accounts.
type MailServer struct {
	Host     string    `json:"host"` // A name that its certificate carries.
	Port     int       `json:"port"`
	Address  string    `json:"address"` // Host and port.
	Accounts []Account `json:"accounts"`
}

// Account returns the account of a user, or a zero one.
func (m MailServer) Account(user string) Account {
	for _, a := range m.Accounts {
		if a.User == user {
			return a
		}
	}
	return Account{}
}

// An Account is a mailbox's.
type Account struct {
	Email    string `json:"email"`
	User     string `json:"user"`
	Password string `json:"password"`
}

// An Archive is a DICOMweb archive.
type Archive struct {
	URL      string `json:"url"` // Root of DICOMweb, without a slash at the end.
	User     string `json:"user"`
	Password string `json:"password"`
}

// The accounts and names that the servers are set up with.
const (
	ownerRole    = "fileroom_owner"
	databaseName = "fileroom"
	mailDomain   = "hospital.example"
	archiveUser  = "fileroom"

	// Library is the mailbox that requests come to.
	Library = "imagelibrary"
	// Requester is the mailbox of whoever asks. All mail that is not for the
	// library ends there.
	Requester = "requester"
)

// Description returns where everything is.
func (s *Stack) Description() Description {
	d := Description{
		Dir:      s.place.dir,
		Logs:     filepath.Join(s.place.dir, "logs"),
		PortBase: s.ports.base,
		Temporal: TemporalServer{
			Address:   s.ports.address(portTemporal),
			Namespace: "default",
			UI:        "http://" + s.ports.address(portUI),
			Database:  s.place.temporalDatabase(),
		},
		Gateway: Gateway{
			Address:     s.ports.address(portGateway),
			URL:         s.gatewayURL(uiHost),
			PanelURL:    s.gatewayURL(panelHost),
			Certificate: s.place.certificateFile(gatewayName),
			Key:         s.place.keyFile(gatewayName),
		},
		Metrics:       page(s.ports.address(portMetrics)),
		PACS:          s.archive(portPACS, PACS),
		Receiver:      s.archive(portReceiver, Receiver),
		IMAP:          s.mailServer(portIMAP),
		SMTP:          s.mailServer(portSMTP),
		CACertificate: s.place.caFile(),
	}
	if s.temporalTLS {
		d.Temporal.ClientCertificate, d.Temporal.ClientKey = s.place.certificateFile(clientName), s.place.keyFile(clientName)
		d.Temporal.ServerCA = s.place.caFile()
	}
	d.Postgres = Database{
		Host: loopback, Port: s.ports.port(portPostgres), Socket: s.place.socketDir(Postgres),
		Name: databaseName, User: ownerRole, Password: s.secrets.must(ownerRole),
	}
	d.Postgres.URL = d.Postgres.url(databaseName)
	return d
}

func (d Database) url(name string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(d.User, d.Password),
		Host: net.JoinHostPort(d.Host, strconv.Itoa(d.Port)), Path: "/" + name,
		RawQuery: "sslmode=disable", // Loopback.
	}
	return u.String()
}

func (s *Stack) archive(port int, service Service) Archive {
	return Archive{
		URL:      fmt.Sprintf("http://%s/dicom-web", s.ports.address(port)),
		User:     archiveUser,
		Password: s.secrets.must(string(service)),
	}
}

func (s *Stack) mailServer(port int) MailServer {
	m := MailServer{Host: "localhost", Port: s.ports.port(port)}
	m.Address = net.JoinHostPort(m.Host, strconv.Itoa(m.Port))
	m.Accounts = s.accounts()
	return m
}

func (s *Stack) accounts() []Account {
	var all []Account
	for _, user := range []string{Library, Requester} {
		all = append(all, Account{Email: user + "@" + mailDomain, User: user, Password: s.secrets.must("mail-" + user)})
	}
	return all
}

func (s *Stack) gatewayURL(host string) string {
	return "https://" + net.JoinHostPort(host, strconv.Itoa(s.ports.port(portGateway)))
}

func page(address string) Page { return Page{Address: address, URL: "http://" + address} }
