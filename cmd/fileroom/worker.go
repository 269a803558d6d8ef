package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"

	"fileroom/activities"
	"fileroom/internal/dicomweb"
	"fileroom/internal/imapmail"
	"fileroom/internal/letter"
	"fileroom/internal/library"
	"fileroom/internal/mimemail"
	"fileroom/internal/ocr"
	"fileroom/internal/pages"
	"fileroom/internal/pdf"
	"fileroom/internal/postgres"
	"fileroom/internal/rules"
	"fileroom/internal/sandbox"
	"fileroom/internal/smtpmail"
	"fileroom/internal/staff"
	"fileroom/internal/tiff"
	"fileroom/internal/vault"
	"fileroom/workers"
)

// workerCommand runs workflows and activities.
type workerCommand struct {
	databaseFlags
	keyFlags
	temporalFlags
	panelFlags

	Vault     string     `env:"FILEROOM_VAULT" required:"" type:"path" placeholder:"DIR" help:"Folder of the documents, encrypted."`
	StaffKeys string     `env:"FILEROOM_STAFF_KEYS_FILE" required:"" type:"path" placeholder:"FILE" help:"File of the public keys that sign what staff say."`
	Secrets   string     `env:"FILEROOM_SECRETS" type:"path" placeholder:"DIR" help:"Folder with a file for each credential of a facility: user, colon, password."`
	Log       slog.Level `env:"FILEROOM_LOG_LEVEL" default:"info" help:"How much to log: debug, info, warn or error."`

	Mailbox    mailboxFlags    `embed:"" prefix:"mailbox-" envprefix:"FILEROOM_MAILBOX_"`
	SMTP       smtpFlags       `embed:"" prefix:"smtp-" envprefix:"FILEROOM_SMTP_"`
	PACS       archiveFlags    `embed:"" prefix:"pacs-" envprefix:"FILEROOM_PACS_"`
	Letterhead letterheadFlags `embed:"" prefix:"letterhead-" envprefix:"FILEROOM_LETTERHEAD_"`

	Metrics              string `env:"FILEROOM_METRICS_ADDRESS" placeholder:"HOST:PORT" help:"Where to serve metrics for Prometheus; nowhere if not given."`
	RequireSignatureDate bool   `env:"FILEROOM_REQUIRE_SIGNATURE_DATE" default:"true" negatable:"" help:"Whether a letter needs a date beside its signature (check DL-07)."`
}

// mailboxFlags say where requests arrive.
type mailboxFlags struct {
	Name         string   `env:"NAME" default:"imagelibrary" help:"Name of the mailbox, for people and for its workflow."`
	Address      string   `env:"ADDRESS" required:"" placeholder:"HOST:PORT" help:"IMAP server, with TLS from the first byte."`
	User         string   `env:"USER" required:"" help:"Account at the IMAP server."`
	Password     string   `env:"PASSWORD" orfile:"" help:"Its password."`
	PasswordFile string   `env:"PASSWORD_FILE" type:"path" placeholder:"FILE" help:"File that holds the password."`
	Folder       string   `env:"FOLDER" default:"INBOX" help:"Folder that is watched."`
	CA           string   `env:"CA_FILE" type:"path" placeholder:"FILE" help:"Certificate authority of the server; the system's if not given."`
	Own          []string `env:"OWN" required:"" placeholder:"ADDRESS" help:"Addresses of the library itself: mail from them is never answered."`
}

// smtpFlags say how letters leave.
type smtpFlags struct {
	Address      string `env:"ADDRESS" required:"" placeholder:"HOST:PORT" help:"Submission server, with STARTTLS."`
	User         string `env:"USER" required:"" help:"Account at the submission server."`
	Password     string `env:"PASSWORD" orfile:"" help:"Its password."`
	PasswordFile string `env:"PASSWORD_FILE" type:"path" placeholder:"FILE" help:"File that holds the password."`
	From         string `env:"FROM" required:"" placeholder:"ADDRESS" help:"Address that letters come from."`
	CA           string `env:"CA_FILE" type:"path" placeholder:"FILE" help:"Certificate authority of the server; the system's if not given."`
}

// archiveFlags say where the PACS is.
type archiveFlags struct {
	URL          string `env:"URL" required:"" placeholder:"URL" help:"DICOMweb service root of the hospital's PACS."`
	User         string `env:"USER" help:"Account at the PACS."`
	Password     string `env:"PASSWORD" help:"Its password."`
	PasswordFile string `env:"PASSWORD_FILE" type:"path" placeholder:"FILE" help:"File that holds the password."`
	CA           string `env:"CA_FILE" type:"path" placeholder:"FILE" help:"Certificate authority of the PACS; the system's if not given."`
}

// letterheadFlags say who writes the letters.
type letterheadFlags struct {
	Name  string   `env:"NAME" default:"Radiology Image Library" help:"Name of the library, as letters give it."`
	Phone string   `env:"PHONE" required:"" help:"Telephone number that letters give."`
	Also  []string `env:"ALSO" placeholder:"NAME" help:"Other names that letters call the library and its hospital: they are never the recipient."`
	Hours string   `env:"HOURS" help:"When somebody answers the telephone."`
}

// Run runs the worker until ctx ends.
func (w workerCommand) Run(ctx context.Context, c console) error {
	log := newLog(c, w.Log)
	if err := sandbox.Harden(); err != nil {
		return err
	}
	if !sandbox.Confined() {
		log.WarnContext(ctx, "kernel has no landlock: what takes strangers' files apart may read the worker's files and use the network")
	}
	ring, err := w.ring()
	if err != nil {
		return err
	}
	pool, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	var options []func(*client.Options)
	if w.Metrics != "" {
		metrics, err := serveMetrics(ctx, w.Metrics, log)
		if err != nil {
			return err
		}
		options = append(options, func(o *client.Options) { o.MetricsHandler = metrics })
	}
	temporal, namespace, err := w.dial(ctx, ring, log, options...)
	if err != nil {
		return err
	}
	defer temporal.Close()
	verifier, err := newVerifier(ring, w.StaffKeys)
	if err != nil {
		return err
	}
	all, err := w.activities(ring, verifier, postgres.NewStore(pool))
	if err != nil {
		return err
	}
	run := workers.New(temporal, verifier, all)
	if err := run.Start(); err != nil {
		return err
	}
	defer run.Stop()
	if err := workers.Prepare(ctx, temporal, namespace, w.Mailbox.Name); err != nil {
		return err
	}
	log.InfoContext(ctx, "worker started", "mailbox", w.Mailbox.Name)
	<-ctx.Done()
	log.InfoContext(context.WithoutCancel(ctx), "worker stopping")
	return nil
}

// activities wires the real adapters to the activities.
func (w workerCommand) activities(ring *vault.Keyring, verifier *staff.Verifier, records library.Records) (workers.Activities, error) {
	folder, err := vault.NewFolder(w.Vault, ring)
	if err != nil {
		return workers.Activities{}, err
	}
	documents := documents{folder}
	mailbox, errMailbox := w.Mailbox.open()
	sender, errSender := w.SMTP.open()
	pacs, errPACS := w.PACS.open()
	pack, errPack := rules.Load()
	if err := errors.Join(errMailbox, errSender, errPACS, errPack); err != nil { // Every mistake at once.
		return workers.Activities{}, err
	}
	_, domain, _ := strings.Cut(w.SMTP.From, "@")
	heart := activities.Heart(activity.RecordHeartbeat)
	trusted := verified{verifier}
	cases := &activities.Cases{
		Records: records, Vault: documents, PACS: pacs, Pack: pack,
		Site: rules.Site{RequireSignatureDate: w.RequireSignatureDate}, Desk: w.Panel, Now: time.Now,
	}
	return workers.Activities{
		Mailroom: &activities.Mailroom{
			Mailboxes: map[string]activities.Mailbox{w.Mailbox.Name: mailbox}, Vault: documents, Records: records, Now: time.Now, Heart: heart,
		},
		Arrivals: &activities.Arrivals{
			Records: records, Vault: documents, Parser: newParser(w.Mailbox.Own), Opener: newOpener(documents.keepPicture), Domain: domain, Desk: w.Panel,
			Library: append([]string{w.Letterhead.Name}, w.Letterhead.Also...),
			NewID:   library.NewCaseID, Now: time.Now, Heart: heart,
		},
		Letters: &activities.Letters{
			Records: records, Mail: sender, Domain: domain,
			Letterhead: letter.Letterhead{Name: w.Letterhead.Name, Phone: w.Letterhead.Phone, Hours: w.Letterhead.Hours}, Now: time.Now,
		},
		Cases:     cases,
		Decisions: &activities.Decisions{Records: records, Cases: cases, Verifier: trusted, Now: time.Now},
		Releases:  &activities.Releases{Records: records, Cases: cases, Verifier: trusted, Now: time.Now},
		Transfers: &activities.Transfers{Records: records, PACS: pacs, Destinations: destinations{w.Secrets}, Present: activities.PresentRevision(cases), Now: time.Now, Heart: heart},
	}, nil
}

func (f mailboxFlags) open() (*imapmail.Mailbox, error) {
	password, err := pick("mailbox password", f.Password, f.PasswordFile)
	if err != nil {
		return nil, err
	}
	config, err := trust(f.CA)
	return &imapmail.Mailbox{Address: f.Address, TLS: config, Username: f.User, Password: password, Name: f.Folder}, err
}

func (f smtpFlags) open() (*smtpmail.Sender, error) {
	password, err := pick("submission password", f.Password, f.PasswordFile)
	if err != nil {
		return nil, err
	}
	config, err := trust(f.CA)
	return &smtpmail.Sender{Address: f.Address, TLS: config, Username: f.User, Password: password, From: f.From}, err
}

func (f archiveFlags) open() (*dicomweb.Archive, error) {
	password, err := pick("PACS password", f.Password, f.PasswordFile)
	if err != nil {
		return nil, err
	}
	config, err := trust(f.CA)
	if err != nil {
		return nil, err
	}
	return dicomweb.New(dicomweb.Config{URL: f.URL, Username: f.User, Password: password, TLS: config})
}

// destinations opens the archives of facilities with the credentials that are
// kept as files in a folder: an operator's to write, and not the directory's.
type destinations struct{ secrets string }

// Destination implements [activities.Destinations].
func (d destinations) Destination(_ context.Context, f library.Facility) (activities.Archive, error) {
	return openDestination(d.secrets, f)
}

func openDestination(secrets string, f library.Facility) (*dicomweb.Archive, error) {
	const op = "open destination"
	config := dicomweb.Config{URL: f.URL}
	var err error
	if f.CA != "" {
		if config.TLS, err = trust(filepath.Join(secrets, filepath.Base(f.CA))); err != nil {
			return nil, library.Errorf(library.Unauthorized, op, string(f.ID), "its certificate authority is not among the secrets")
		}
	}
	if f.Credential != "" {
		b, err := os.ReadFile(filepath.Join(secrets, filepath.Base(f.Credential)))
		if err != nil {
			return nil, library.Errorf(library.Unauthorized, op, string(f.ID), "its credential is not among the secrets")
		}
		var ok bool
		config.Username, config.Password, ok = strings.Cut(strings.TrimRight(string(b), "\r\n"), ":")
		if !ok {
			return nil, library.Errorf(library.Unauthorized, op, string(f.ID), "its credential is not of the form user:password")
		}
	}
	return dicomweb.New(config)
}

// newParser takes messages apart in a child process.
func newParser(own []string) *mimemail.Parser { return mimemail.New(sandbox.Self("mime"), own) }

// An opener turns the parts of arrivals into pages, each parser of foreign bytes
// in a child process.
type opener struct{ pages pages.Opener }

// Each page's picture is kept by keep; none is, if that is nil.
func newOpener(keep func(context.Context, io.Reader) (string, error)) opener {
	return opener{pages.Opener{
		Keep: keep,
		PDF:  &pdf.Reader{Plain: sandbox.Self("pdf")}, TIFF: &tiff.Converter{},
		Pictures: &pages.Decoder{Command: sandbox.Self("picture")}, OCR: &ocr.Recognizer{},
	}}
}

// Open implements [activities.Opener].
func (o opener) Open(ctx context.Context, parts []library.Part) ([]library.Page, []library.Trouble, error) {
	foreign := make([]pages.Part, len(parts))
	for i, p := range parts {
		foreign[i] = pages.Part{Name: p.Name, ContentType: p.ContentType, Text: p.Message, Body: bytes.NewReader(p.Body)}
	}
	return o.pages.Open(ctx, foreign...)
}

// newVerifier returns what knows who signed, by the public keys in a file.
func newVerifier(ring *vault.Keyring, keys string) (*staff.Verifier, error) {
	public, err := staff.ReadPublicKeys(keys)
	if err != nil {
		return nil, err
	}
	data, err := vault.DataConverter(ring)
	if err != nil {
		return nil, err
	}
	return &staff.Verifier{Keys: public, Digests: ring.Digests(staff.DigestPurpose), Converter: data}, nil
}

// migrateCommand brings the database up to date.
type migrateCommand struct {
	databaseFlags
	WorkerPassword     string `env:"FILEROOM_WORKER_PASSWORD" help:"Password of the role that workers use; empty leaves it alone."`
	WorkerPasswordFile string `env:"FILEROOM_WORKER_PASSWORD_FILE" type:"path" placeholder:"FILE" help:"File that holds it."`
	ReaderPassword     string `env:"FILEROOM_READER_PASSWORD" help:"Password of the role that may only look; empty leaves it alone."`
	ReaderPasswordFile string `env:"FILEROOM_READER_PASSWORD_FILE" type:"path" placeholder:"FILE" help:"File that holds it."`
	StaffPassword      string `env:"FILEROOM_STAFF_PASSWORD" help:"Password of the role that the staff's pages use; empty leaves it alone."`
	StaffPasswordFile  string `env:"FILEROOM_STAFF_PASSWORD_FILE" type:"path" placeholder:"FILE" help:"File that holds it."`
}

// Run migrates.
func (m migrateCommand) Run(ctx context.Context, c console) error {
	url, err := m.url()
	if err != nil {
		return err
	}
	worker, err := pick("worker password", m.WorkerPassword, m.WorkerPasswordFile)
	if err != nil {
		return err
	}
	reader, err := pick("reader password", m.ReaderPassword, m.ReaderPasswordFile)
	if err != nil {
		return err
	}
	people, err := pick("staff password", m.StaffPassword, m.StaffPasswordFile)
	if err != nil {
		return err
	}
	err = postgres.Migrate(ctx, url, postgres.Logins{
		Worker: postgres.Login{Password: worker}, Reader: postgres.Login{Password: reader}, Staff: postgres.Login{Password: people},
	})
	if err != nil {
		return err
	}
	c.printf("The database is up to date.\n")
	return nil
}

// keysCommand makes the keys of an installation.
type keysCommand struct {
	Dir string `arg:"" type:"path" help:"Folder to put them in: keyring.json, staff-signing.json (for the gateway alone), staff-public.json."`
}

// Run makes what is missing.
func (k keysCommand) Run(c console) error {
	if err := makeKeys(k.Dir); err != nil {
		return err
	}
	c.printf("Keys are in %s. Back up keyring.json: without it nothing that is kept can be read.\n", k.Dir)
	return nil
}

// Names of the key files.
const (
	keyringFile    = "keyring.json"
	signingKeyFile = "staff-signing.json"
	publicKeysFile = "staff-public.json"
)

func makeKeys(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	ring := filepath.Join(dir, keyringFile)
	if missing(ring) {
		if err := vault.WriteKeyring(ring, vault.NewKeyring()); err != nil {
			return err
		}
	}
	signing := filepath.Join(dir, signingKeyFile)
	if missing(signing) {
		key, err := staff.NewSigningKey()
		if err != nil {
			return err
		}
		if err := staff.WriteSigningKey(signing, key); err != nil {
			return err
		}
	}
	key, err := staff.ReadSigningKey(signing)
	if err != nil {
		return err
	}
	public := filepath.Join(dir, publicKeysFile)
	if !missing(public) {
		return nil
	}
	return staff.WritePublicKeys(public, staff.PublicKeys{}.With(key.Public()))
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist)
}
