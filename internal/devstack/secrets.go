package devstack

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"fileroom/internal/library"
)

// secrets is a file of random words by name. It grows as words are asked for.
type secrets struct {
	mu   sync.Mutex
	file string
	all  map[string]string
}

// openSecrets reads a data folder's secrets and makes those that the servers
// need.
func openSecrets(p place) (*secrets, error) {
	const op = "open secrets"
	s := &secrets{file: p.secretsFile(), all: map[string]string{}}
	b, err := os.ReadFile(s.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, library.Fault(op, "", err)
	default:
		if err := json.Unmarshal(b, &s.all); err != nil {
			return nil, library.Errorf(library.Invalid, op, s.file, "not a file of secrets; delete the data folder to begin anew")
		}
	}
	for _, name := range []string{ownerRole, "mail-" + Library, "mail-" + Requester, string(PACS), string(Receiver)} {
		if _, err := s.get(name); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// get returns the secret of a name, made and kept when it is new.
func (s *secrets) get(name string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.all[name]; ok {
		return v, nil
	}
	var random [32]byte
	_, _ = rand.Read(random[:]) // Never fails.
	s.all[name] = hex.EncodeToString(random[:])
	b, err := json.MarshalIndent(s.all, "", "  ")
	if err != nil {
		return "", library.Fault("keep secret", name, err)
	}
	if err := writeWhole(s.file, b, 0o600); err != nil {
		delete(s.all, name)
		return "", library.Fault("keep secret", name, err)
	}
	return s.all[name], nil
}

// must returns a secret that openSecrets made.
func (s *secrets) must(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[name]
}

// certificateLife is how long the mail servers' certificate holds. It is
// renewed, with its authority, at a start in the last month.
const certificateLife = 365 * 24 * time.Hour

// ensureCertificates makes the authority and the certificate for localhost,
// unless the folder has good ones, and returns a pool with the authority. The
// authority's key is thrown away: nothing else can ever be signed with it.
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
	leaf := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: "localhost"},
		NotBefore:    ca.NotBefore, NotAfter: ca.NotAfter,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	caKey, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	leafKey, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		return nil, library.Fault(op, "", err)
	}
	caDER, err1 := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	leafDER, err2 := x509.CreateCertificate(rand.Reader, leaf, ca, &leafKey.PublicKey, caKey)
	keyDER, err3 := x509.MarshalPKCS8PrivateKey(leafKey)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, library.Fault(op, "", err)
	}
	caPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
	err := errors.Join(
		writeWhole(p.tlsKeyFile(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600),
		writeWhole(p.tlsFile(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leafDER}), 0o644),
		writeWhole(p.caFile(), caPEM, 0o644), // Last: it says that the rest is there.
	)
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	pool.AppendCertsFromPEM(caPEM)
	return pool, nil
}

// readCertificates returns the authority's certificate (PEM) if it vouches for
// the one of localhost, and will for another month.
func readCertificates(p place) []byte {
	caPEM, err1 := os.ReadFile(p.caFile())
	leafPEM, err2 := os.ReadFile(p.tlsFile())
	_, err3 := os.Stat(p.tlsKeyFile())
	if errors.Join(err1, err2, err3) != nil {
		return nil
	}
	block, _ := pem.Decode(leafPEM)
	roots := x509.NewCertPool()
	if block == nil || !roots.AppendCertsFromPEM(caPEM) {
		return nil
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: "localhost", Roots: roots, CurrentTime: time.Now().Add(30 * 24 * time.Hour)})
	if err != nil {
		return nil
	}
	return caPEM
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return big.NewInt(time.Now().UnixNano())
	}
	return n
}

func (p *place) tlsFile() string    { return filepath.Join(p.dir, "tls.pem") }
func (p *place) tlsKeyFile() string { return filepath.Join(p.dir, "tls-key.pem") }

// writeWhole writes a file such that readers see the old or the new, never a
// part.
func writeWhole(path string, content []byte, mode fs.FileMode) error {
	draft := path + ".new"
	if err := os.WriteFile(draft, content, mode); err != nil {
		return err
	}
	return os.Rename(draft, path)
}
