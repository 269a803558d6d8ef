package devstack

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"

	"fileroom/internal/library"
)

const loopback = "127.0.0.1"

// Offsets from the base; the package comment has the table.
const (
	portTemporal = iota
	portUI
	portGateway
	portMetrics
	portPostgres
	portIMAP
	portSMTP
	portPACS
	portReceiver
	portTemporalInternal
)

// Blocks for whoever names no base lie where neither well-known servers nor
// the kernel's ephemeral ports are.
const (
	firstFreeBase = 21000
	lastFreeBase  = 31000
)

// A portBlock is the twenty ports of one stack, taken for its lifetime.
type portBlock struct {
	base   int
	claims []net.Listener
}

// takePorts takes the block at base, or any free one when base is 0.
func takePorts(base int) (portBlock, error) {
	const op = "take ports"
	if base != 0 {
		if base < 1024 || base > 65535-PortCount {
			return portBlock{}, library.Errorf(library.Invalid, op, strconv.Itoa(base), "not between 1024 and %d", 65535-PortCount)
		}
		b, err := tryPorts(base)
		if err != nil {
			return portBlock{}, library.Errorf(library.Conflict, op, strconv.Itoa(base), "%w; choose another port base", err)
		}
		return b, nil
	}
	blocks := (lastFreeBase - firstFreeBase) / PortCount
	for _, i := range rand.Perm(blocks) { //nolint:gosec // Any block will do.
		if b, err := tryPorts(firstFreeBase + i*PortCount); err == nil {
			return b, nil
		}
	}
	return portBlock{}, library.Errorf(library.Conflict, op, "", "no %d ports in a row are free", PortCount)
}

// tryPorts claims a block among stacks, and looks whether anybody else listens
// in it.
func tryPorts(base int) (_ portBlock, err error) {
	b := portBlock{base: base}
	defer func() {
		if err != nil {
			b.release()
		}
	}()
	for port := base; port < base+PortCount; port++ {
		// A name in the abstract socket space is a lock that needs no file,
		// and that the kernel gives back when the process dies.
		claim, err := net.Listen("unix", fmt.Sprintf("@fileroom-port-%d", port)) //nolint:noctx // Does not wait.
		if err != nil {
			return portBlock{}, fmt.Errorf("another stack uses port %d", port)
		}
		b.claims = append(b.claims, claim)
		// Listening on every interface sees listeners on any of them.
		l, err := net.Listen("tcp4", ":"+strconv.Itoa(port)) //nolint:noctx // Closed at once.
		if err != nil {
			return portBlock{}, fmt.Errorf("port %d is in use", port)
		}
		_ = l.Close()
	}
	return b, nil
}

func (b portBlock) release() {
	for _, claim := range b.claims {
		_ = claim.Close()
	}
}

func (b portBlock) port(offset int) int { return b.base + offset }

func (b portBlock) address(offset int) string {
	return net.JoinHostPort(loopback, strconv.Itoa(b.port(offset)))
}
