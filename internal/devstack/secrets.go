package devstack

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"sync"

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

// writeWhole writes a file such that readers see the old or the new, never a
// part.
func writeWhole(path string, content []byte, mode fs.FileMode) error {
	draft := path + ".new"
	if err := os.WriteFile(draft, content, mode); err != nil {
		return err
	}
	return os.Rename(draft, path)
}
