package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"time"

	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	"go.temporal.io/server/common/config"
)

// tlsFiles are the PEM files of a frontend that speaks mutual TLS.
type tlsFiles struct{ cert, key, clientCA string }

// set returns how many of the three are given.
func (f tlsFiles) set() int {
	n := 0
	for _, file := range []string{f.cert, f.key, f.clientCA} {
		if file != "" {
			n++
		}
	}
	return n
}

// innerName is the name in the certificate of the server's own parts.
const innerName = "temporal.internal"

// innerTLS is mutual TLS as the server's own parts and the UI need it. They
// have an authority and a certificate of their own, made at each start and kept
// in memory alone, so that they need no client certificate of those who
// connect from outside. All values are PEM in base64, as the configurations of
// server and UI want them; the zero value is for a server without TLS.
type innerTLS struct {
	serverCert, serverKey string // The frontend's.
	serverName            string // A name in its certificate.
	clientCA              string // The authority of clients from outside.

	ca, cert, key string // Of the server's own parts and the UI.
}

// open reads the files and makes the inner authority.
func (f tlsFiles) open() (innerTLS, error) {
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return innerTLS{}, fmt.Errorf("--tls-cert and --tls-key: %w", err)
	}
	t := innerTLS{}
	switch leaf := pair.Leaf; {
	case len(leaf.DNSNames) > 0:
		t.serverName = leaf.DNSNames[0]
	case len(leaf.IPAddresses) > 0:
		t.serverName = leaf.IPAddresses[0].String()
	default:
		return innerTLS{}, errors.New("--tls-cert: the certificate names no host")
	}
	for file, to := range map[string]*string{f.cert: &t.serverCert, f.key: &t.serverKey, f.clientCA: &t.clientCA} {
		b, err := os.ReadFile(file) //nolint:gosec // Named on the command line.
		if err != nil {
			return innerTLS{}, err
		}
		*to = base64.StdEncoding.EncodeToString(b)
	}
	if b, _ := base64.StdEncoding.DecodeString(t.clientCA); !x509.NewCertPool().AppendCertsFromPEM(b) {
		return innerTLS{}, errors.New("--tls-client-ca: the file holds no certificate")
	}
	return t, t.makeInner()
}

// makeInner makes the authority of the server's own parts, and their
// certificate. Its key is forgotten.
func (t *innerTLS) makeInner() error {
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Temporal development server, inner authority"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: innerName}, DNSNames: []string{innerName},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	caKey, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	leafKey, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	caDER, err1 := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	leafDER, err2 := x509.CreateCertificate(rand.Reader, leaf, ca, &leafKey.PublicKey, caKey)
	keyDER, err3 := x509.MarshalPKCS8PrivateKey(leafKey)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	encode := func(kind string, der []byte) string {
		return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	t.ca, t.cert, t.key = encode("CERTIFICATE", caDER), encode("CERTIFICATE", leafDER), encode("PRIVATE KEY", keyDER)
	return nil
}

// protect puts mutual TLS on the frontend and between the server's parts.
func (t innerTLS) protect(conf *config.Config) {
	conf.Global.TLS = config.RootTLS{
		Frontend: config.GroupTLS{Server: config.ServerTLS{
			CertData: t.serverCert, KeyData: t.serverKey,
			ClientCAData: []string{t.clientCA, t.ca}, RequireClientAuth: true,
		}},
		// The frontend's certificate stands for itself: whoever signed it is
		// nobody that its own worker has to know.
		SystemWorker: config.WorkerTLS{
			CertData: t.cert, KeyData: t.key,
			Client: config.ClientTLS{ServerName: t.serverName, RootCAData: []string{t.serverCert}},
		},
		Internode: config.GroupTLS{
			Server: config.ServerTLS{CertData: t.cert, KeyData: t.key, ClientCAData: []string{t.ca}, RequireClientAuth: true},
			Client: config.ClientTLS{ServerName: innerName, RootCAData: []string{t.ca}},
		},
	}
}

// ui returns the UI's settings as a client of the frontend.
func (t innerTLS) ui() uiconfig.TLS {
	if t.cert == "" {
		return uiconfig.TLS{}
	}
	return uiconfig.TLS{
		CaData: t.serverCert, CertData: t.cert, KeyData: t.key,
		ServerName: t.serverName, EnableHostVerification: true,
	}
}
