package signin

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	maxPlaces = 16              // Sign-ins that are finished at the same time.
	maxHere   = 2               // Of them from one address.
	placeWait = 5 * time.Second // For a place.
)

// places bound how many exchanges with the identity provider are at work, and
// how many of them one address has. The zero value is ready for use.
type places struct {
	mu    sync.Mutex
	taken map[string]int // By where it came from; no zeros.
	all   int
	freed chan struct{} // Closed when one leaves; nil if nobody waits.
}

// enter takes a place for a browser at a remote address, host:port, and returns
// what gives it back. If there is none it waits, and is false in the end.
func (p *places) enter(ctx context.Context, from string, wait time.Duration) (leave func(), ok bool) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	from = neighbourhood(from)
	for {
		freed, ok := p.take(from)
		if ok {
			return func() { p.leave(from) }, true
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return nil, false
		}
	}
}

// take takes a place, or returns what is closed when one is free again.
func (p *places) take(from string) (<-chan struct{}, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all >= maxPlaces || p.taken[from] >= maxHere {
		if p.freed == nil {
			p.freed = make(chan struct{})
		}
		return p.freed, false
	}
	if p.taken == nil {
		p.taken = map[string]int{}
	}
	p.taken[from]++
	p.all++
	return nil, true
}

func (p *places) leave(from string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all--
	if p.taken[from]--; p.taken[from] == 0 {
		delete(p.taken, from)
	}
	if p.freed != nil {
		close(p.freed)
		p.freed = nil
	}
}

// neighbourhood returns whose address it is: of IPv6, everybody has a /64.
func neighbourhood(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	net64, err := a.Prefix(64)
	if err != nil {
		return host
	}
	return net64.String()
}
