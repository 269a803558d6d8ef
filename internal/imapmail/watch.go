package imapmail

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// A watchedConn gives up on a server that owes us an answer and says nothing.
// The limit is on each silence, not on the whole answer, so a large message
// may take its time.
type watchedConn struct {
	net.Conn

	mu      sync.Mutex
	silence time.Duration // 0 when nothing is owed.
	err     error         // What ended the connection, if not we.
}

// expect sets how long the server may be silent from now on; 0 is for ever.
func (c *watchedConn) expect(silence time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.silence = silence
	c.arm()
}

func (c *watchedConn) arm() {
	var deadline time.Time
	if c.silence > 0 {
		deadline = time.Now().Add(c.silence)
	}
	_ = c.Conn.SetReadDeadline(deadline)
}

func (c *watchedConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	err := c.err
	c.arm()
	c.mu.Unlock()
	if err != nil { // The client library reads on after an error, a few times.
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.err = err
	}
	return n, err
}

// lost returns what ended the connection, or nil.
func (c *watchedConn) lost() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// SetReadDeadline does nothing: the client library sets deadlines of its own,
// which start only with the first byte of an answer.
func (c *watchedConn) SetReadDeadline(time.Time) error { return nil }
