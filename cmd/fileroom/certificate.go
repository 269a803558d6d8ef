package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// certificateAge is how long a certificate is used before its file is looked at
// again.
const certificateAge = time.Minute

// reloaded is a certificate that is read anew when its file has changed: they
// live for some months, and the pages for longer.
type reloaded struct {
	cert, key string
	now       func() time.Time

	mu      sync.Mutex
	current *tls.Certificate
	changed time.Time // Of the file.
	looked  time.Time
}

// get implements the function of [tls.Config] of the same purpose. A new file
// that is no certificate leaves the old one in use.
func (c *reloaded) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.current != nil && now.Sub(c.looked) < certificateAge {
		return c.current, nil
	}
	c.looked = now
	info, err := os.Stat(c.cert)
	if err == nil && c.current != nil && info.ModTime().Equal(c.changed) {
		return c.current, nil
	}
	pair, loadErr := tls.LoadX509KeyPair(c.cert, c.key)
	switch {
	case loadErr == nil && err == nil:
		c.current, c.changed = &pair, info.ModTime()
	case c.current == nil:
		return nil, fmt.Errorf("certificate of the staff's pages: %w", loadErr)
	}
	return c.current, nil
}
