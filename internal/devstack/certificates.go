package devstack

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
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fileroom/internal/library"
)

// certificateLife is how long the certificates hold. They are renewed, with
// their authority, at a start in the last month.
const certificateLife = 365 * 24 * time.Hour

// The names of the gateway's two hosts, and of the certificates.
const (
	uiHost    = "ui.fileroom.localhost"
	panelHost = "panel.fileroom.localhost"

	serverName  = "tls"     // Of the mail servers, and of Temporal.
	gatewayName = "gateway" // Of the gateway, whose key the servers' user need not read.
	clientName  = "client"  // Of Temporal's clients.
)

// A leaf is what a certificate is for.
type leaf struct {
	name  string // Of its files.
	hosts []string
	ips   []net.IP
	usage x509.ExtKeyUsage
}

// leaves returns all certificates of a stack. A folder of an earlier version,
// which lacks one or one of its hosts, gets new ones.
func leaves() []leaf {
	return []leaf{
		{
			name: serverName, hosts: []string{"localhost"}, ips: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
			usage: x509.ExtKeyUsageServerAuth,
		},
		{name: gatewayName, hosts: []string{uiHost, panelHost}, usage: x509.ExtKeyUsageServerAuth},
		{name: clientName, usage: x509.ExtKeyUsageClientAuth},
	}
}

// ensureCertificates makes the authority and its certificates, unless the
// folder has good ones, and returns a pool with the authority. The authority's
// key is thrown away: nothing else can ever be signed with it.
func ensureCertificates(p place) (*x509.CertPool, error) {
	const op = "make certificates"
	pool := x509.NewCertPool()
	if good := readCertificates(p); good != nil {
		pool.AppendCertsFromPEM(good)
		return pool, nil
	}
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: "Fileroom development authority"},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign,
		// A stolen key could vouch for this machine's own names alone.
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: []string{"localhost"},
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	for _, l := range leaves() {
		if err := l.make(p, ca, caKey); err != nil {
			return nil, library.Fault(op, l.name, err)
		}
	}
	caPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
	if err := writeWhole(p.caFile(), caPEM, 0o644); err != nil { // Last: it says that the rest is there.
		return nil, library.Fault(op, "", err)
	}
	pool.AppendCertsFromPEM(caPEM)
	return pool, nil
}

// make makes a key, has its certificate signed, and writes both.
func (l leaf) make(p place, ca *x509.Certificate, caKey *ecdsa.PrivateKey) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	subject := "fileroom"
	if len(l.hosts) > 0 {
		subject = l.hosts[0]
	}
	der, err1 := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: subject},
		NotBefore:    ca.NotBefore, NotAfter: ca.NotAfter,
		DNSNames: l.hosts, IPAddresses: l.ips,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{l.usage},
	}, ca, &key.PublicKey, caKey)
	keyDER, err2 := x509.MarshalPKCS8PrivateKey(key)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	return errors.Join(
		writeWhole(p.keyFile(l.name), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600),
		writeWhole(p.certificateFile(l.name), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644),
	)
}

// readCertificates returns the authority's certificate (PEM) if it vouches for
// all that a stack has, and will for another month.
func readCertificates(p place) []byte {
	caPEM, err := os.ReadFile(p.caFile())
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(caPEM) {
		return nil
	}
	for _, l := range leaves() {
		// Reading both also sees whether they belong together.
		pair, err := tls.LoadX509KeyPair(p.certificateFile(l.name), p.keyFile(l.name))
		if err != nil {
			return nil
		}
		names := l.hosts
		if len(names) == 0 {
			names = []string{""} // Which is not looked at.
		}
		for _, name := range names {
			_, err = pair.Leaf.Verify(x509.VerifyOptions{
				DNSName: name, Roots: roots, KeyUsages: []x509.ExtKeyUsage{l.usage},
				CurrentTime: time.Now().Add(30 * 24 * time.Hour),
			})
			if err != nil {
				return nil
			}
		}
	}
	return bytes.Clone(caPEM)
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return big.NewInt(time.Now().UnixNano())
	}
	return n
}

func (p *place) certificateFile(name string) string { return filepath.Join(p.dir, name+".pem") }
func (p *place) keyFile(name string) string         { return filepath.Join(p.dir, name+"-key.pem") }
func (p *place) tlsFile() string                    { return p.certificateFile(serverName) }
func (p *place) tlsKeyFile() string                 { return p.keyFile(serverName) }

// TLS returns a client's settings that trust the mail servers' authority and
// nobody else.
func (s *Stack) TLS() *tls.Config {
	return &tls.Config{RootCAs: s.roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
}

// Transport returns what an HTTP client reaches the gateway with, as a browser
// does: it trusts the stack's authority and nobody else, and takes every name
// that ends in .localhost for this machine.
func (s *Stack) Transport() *http.Transport {
	var dialer net.Dialer
	return &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(address)
			if err == nil && strings.HasSuffix(host, ".localhost") {
				address = net.JoinHostPort(loopback, port)
			}
			return dialer.DialContext(ctx, network, address)
		},
		ForceAttemptHTTP2: true,
	}
}
