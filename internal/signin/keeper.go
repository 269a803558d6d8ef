package signin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"fileroom/internal/library"
)

// The doors' names, in passes and in /sign-in?to=.
const (
	PanelDoor = "panel"
	UIDoor    = "ui"
)

// Options say what a [Keeper] keeps, and how people sign in: by exactly one of
// OpenID and Demonstration.
type Options struct {
	Sessions library.SessionRecords
	Access   library.AccessRecords // Sign-ins, sign-outs and refusals are entered.

	Panel string // Where browsers find the panel door, such as https://panel.library.example.
	UI    string // The same of the ui door.

	Idle  time.Duration // A session unused for so long is over; 0 means 15 minutes.
	Limit time.Duration // And one so old, whatever its use; 0 means 12 hours.
	Clock func() time.Time

	OpenID        *OpenID
	Demonstration []library.Actor // Invented people; only at loopback doors.

	// Log is told of an identity provider's faults, without anything about a
	// person. nil discards.
	Log *slog.Logger
}

// Keeper keeps the doors. It is made by [New], and may be used by many
// goroutines.
type Keeper struct {
	o         Options
	panel, ui door
	provider  *provider // nil in the demonstration.
	handoffs  handoffs
	panelMux  http.Handler
	uiMux     http.Handler
}

// A door is a host of the staff's pages.
type door struct {
	name string
	base string // Scheme, host and port, without a slash at the end.
	host string // As in a Host header.
}

// New returns the keeper that o describes, or a [library.Invalid] error. It asks
// the identity provider nothing yet (see [Keeper.Discover]).
func New(o Options) (*Keeper, error) {
	const op = "make sign-in"
	invalid := func(text string) error { return library.Errorf(library.Invalid, op, "", "%s", text) }
	if o.Sessions == nil || o.Access == nil {
		return nil, invalid("records of sessions and of access are needed")
	}
	if (o.OpenID == nil) == (len(o.Demonstration) == 0) {
		return nil, invalid("either OpenID Connect or the demonstration's people are needed, and not both")
	}
	k := &Keeper{o: o}
	k.o.Demonstration = slices.Clone(o.Demonstration)
	var err error
	if k.panel, err = newDoor(PanelDoor, o.Panel); err != nil {
		return nil, err
	}
	if k.ui, err = newDoor(UIDoor, o.UI); err != nil {
		return nil, err
	}
	if k.panel.host == k.ui.host {
		return nil, invalid("the two doors need hosts of their own")
	}
	if k.o.Idle == 0 {
		k.o.Idle = 15 * time.Minute
	}
	if k.o.Limit == 0 {
		k.o.Limit = 12 * time.Hour
	}
	if k.o.Idle < 0 || k.o.Limit < k.o.Idle {
		return nil, invalid("a session's limit cannot be shorter than its idle time")
	}
	if k.o.Clock == nil {
		k.o.Clock = time.Now
	}
	if k.o.Log == nil {
		k.o.Log = slog.New(slog.DiscardHandler)
	}
	if o.OpenID != nil {
		k.provider, err = newProvider(*o.OpenID, k.panel.base, k.o.Clock)
	} else {
		err = k.checkDemonstration()
	}
	if err != nil {
		return nil, err
	}
	k.panelMux, k.uiMux = k.panelHandler(), k.uiHandler()
	return k, nil
}

// newDoor reads a door's address.
func newDoor(name, base string) (door, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Opaque != "" ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return door{}, library.Errorf(library.Invalid, "make sign-in", name, "a door's address must be https://host[:port] and no more")
	}
	host := strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, ":443") // Browsers leave it out.
	return door{name: name, base: "https://" + host, host: host}, nil
}

// loopback reports whether the door can only be on this machine: names under
// localhost are never anywhere else (RFC 6761 section 6.3).
func (d door) loopback() bool {
	u, err := url.Parse(d.base)
	return err == nil && loopbackHost(u.Hostname())
}

func loopbackHost(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// door returns the door at which a request arrived.
func (k *Keeper) door(r *http.Request) (door, bool) {
	host := strings.TrimSuffix(strings.ToLower(r.Host), ":443")
	for _, d := range []door{k.panel, k.ui} {
		if host == d.host {
			return d, true
		}
	}
	return door{}, false
}

// home is where somebody goes who did not say where.
func (k *Keeper) home() way { return way{door: k.panel, path: "/desk"} }

// newToken returns 256 random bits as 43 characters of base64url.
func newToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // It never fails (crypto/rand, Go 1.24).
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// newID returns a session's id.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// digest returns what the records keep of a token.
func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// isToken reports whether s looks like what [newToken] makes, so that nothing
// else is ever looked up.
func isToken(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == 32 && len(s) == 43 // Line breaks would be skipped.
}

// isDigest reports whether s looks like what [digest] makes.
func isDigest(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size && strings.ToLower(s) == s
}
