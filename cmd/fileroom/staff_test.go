package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWhoSignsIn holds who may sign people in, and where.
func TestWhoSignsIn(t *testing.T) {
	t.Parallel()
	const ui, panel = "https://ui.fileroom.localhost:8443", "https://panel.fileroom.localhost:8443"
	with := func(change func(*staffCommand)) staffCommand {
		s := staffCommand{Address: "127.0.0.1:8443", UI: ui, panelFlags: panelFlags{Panel: panel}}
		change(&s)
		return s
	}
	tests := map[string]struct {
		command staffCommand
		want    string // Of the error; empty for none.
	}{
		"invented people on this machine":  {command: with(func(s *staffCommand) { s.Demonstration = true })},
		"invented people for everybody":    {command: with(func(s *staffCommand) { s.Demonstration, s.Address = true, ":8443" }), want: "on this machine alone"},
		"invented people, another address": {command: with(func(s *staffCommand) { s.Demonstration, s.Address = true, "192.0.2.7:8443" }), want: "on this machine alone"},
		"invented people, another name": {
			command: with(func(s *staffCommand) { s.Demonstration, s.Panel = true, "https://panel.hospital.example" }), want: "loopback",
		},
		"invented people beside real ones": {
			command: with(func(s *staffCommand) { s.Demonstration, s.OIDC.Issuer = true, "https://login.hospital.example" }), want: "exclude each other",
		},
		"nobody":   {command: with(func(*staffCommand) {}), want: "FILEROOM_OIDC_ISSUER"},
		"no panel": {command: with(func(s *staffCommand) { s.Demonstration, s.Panel = true, "" }), want: "FILEROOM_PANEL_URL"},
		"the same name twice": {
			command: with(func(s *staffCommand) { s.Demonstration, s.Panel = true, ui }), want: "hosts of their own",
		},
		"real people": {
			command: with(func(s *staffCommand) {
				s.OIDC = oidcFlags{Issuer: "https://login.hospital.example", ClientID: "fileroom"}
			}),
		},
		"real people in clear": {
			command: with(func(s *staffCommand) {
				s.OIDC = oidcFlags{Issuer: "http://login.hospital.example", ClientID: "fileroom"}
			}), want: "https",
		},
		"a role that there is not": {
			command: with(func(s *staffCommand) {
				s.OIDC = oidcFlags{Issuer: "https://login.hospital.example", ClientID: "fileroom", Roles: map[string]string{"radiology": "boss"}}
			}), want: "boss",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tt.command.keeper(nil, slog.New(slog.DiscardHandler))
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

// TestDoors holds which names are served, and that browsers are told at each to
// come by HTTPS alone: but on localhost, where it would bind other programs.
func TestDoors(t *testing.T) {
	t.Parallel()
	named := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
	}
	handlers := map[string]http.Handler{"ui.hospital.example": named("the UI"), "panel.hospital.example:8443": named("the desk")}
	tests := map[string]struct {
		host, want string
		status     int
	}{
		"the UI":                  {host: "ui.hospital.example", want: "the UI", status: 200},
		"the desk":                {host: "panel.hospital.example:8443", want: "the desk", status: 200},
		"as others spell it":      {host: "Panel.Hospital.Example:8443", want: "the desk", status: 200},
		"without its port":        {host: "panel.hospital.example", status: 421},
		"a name that points here": {host: "evil.example", status: 421},
		"no name":                 {status: 421},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for strict, header := range map[bool]string{true: "max-age=15552000", false: ""} {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
				r.Host = tt.host
				w := httptest.NewRecorder()
				doors(handlers, strict).ServeHTTP(w, r)
				if w.Code != tt.status || tt.want != "" && w.Body.String() != tt.want || w.Header().Get("Strict-Transport-Security") != header {
					t.Errorf("strict %t: %d %q with %q, want %d %q with %q", strict, w.Code, w.Body, w.Header().Get("Strict-Transport-Security"), tt.status, tt.want, header)
				}
			}
		})
	}
}

// TestCertificateIsReadAnew changes the certificate under a server's feet.
func TestCertificateIsReadAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Date(2026, 5, 31, 12, 0, 0, 0, time.UTC)
	c := &reloaded{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), now: func() time.Time { return now }}
	if _, err := c.get(nil); err == nil {
		t.Fatal("there is no certificate, and none is missed")
	}
	serial := func() int64 {
		t.Helper()
		got, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return got.Leaf.SerialNumber.Int64()
	}
	writeCertificate(t, c, 1, now)
	if got := serial(); got != 1 {
		t.Errorf("certificate %d, want the first", got)
	}
	writeCertificate(t, c, 2, now.Add(time.Second))
	if got := serial(); got != 1 {
		t.Errorf("certificate %d: the files are read at every handshake", got)
	}
	now = now.Add(2 * certificateAge)
	if got := serial(); got != 2 {
		t.Errorf("certificate %d, want the second", got)
	}
	if err := os.WriteFile(c.cert, []byte("half a certif"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * certificateAge)
	if got := serial(); got != 2 {
		t.Errorf("certificate %d: a broken file must leave the last one in use", got)
	}
}

func writeCertificate(t *testing.T, c *reloaded, serial int64, at time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: at.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{c.cert: {Type: "CERTIFICATE", Bytes: der}, c.key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tls.LoadX509KeyPair(c.cert, c.key); err != nil {
		t.Fatal(err)
	}
}
