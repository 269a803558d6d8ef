package signin

import (
	"net/http"
	"net/url"
	"strings"
)

// maxWay is the most bytes of a way. It has to fit into a cookie, of which
// browsers keep 4096 bytes, in base64.
const maxWay = 2048

// A way is where somebody wanted to go: a path, with its query, at a door.
type way struct {
	door door
	path string
}

func (t way) String() string { return t.door.name + ":" + t.path }

// url returns the way's address. Whatever the path is, the host is the door's.
func (t way) url() string { return t.door.base + t.path }

// parseWay reads a way as [way.String] writes it. It refuses whatever a browser
// might take for another host.
func (k *Keeper) parseWay(s string) (way, bool) {
	name, path, _ := strings.Cut(s, ":")
	for _, d := range []door{k.panel, k.ui} {
		if name == d.name && localPath(path) {
			return way{door: d, path: path}, true
		}
	}
	return way{}, false
}

// localPath reports whether path, with its query, stays at the host where it is
// used: it begins with one slash, and holds neither backslashes, which browsers
// read as slashes, nor anything but visible ASCII.
func localPath(path string) bool {
	if len(path) > maxWay || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return false
	}
	for _, c := range []byte(path) {
		if c <= ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	u, err := url.Parse(path)
	return err == nil && u.Scheme == "" && u.Host == "" && u.User == nil
}

// back returns the way back to what a request asked for at a door.
func (k *Keeper) back(d door, r *http.Request) way {
	path := r.URL.RequestURI()
	if d.name == UIDoor && r.URL.Path == loginPath {
		path = returnPath(d, r)
	}
	if (r.Method != http.MethodGet && r.Method != http.MethodHead) || !localPath(path) {
		path = "/"
		if d.name == k.panel.name {
			path = k.home().path
		}
	}
	return way{door: d, path: path}
}

// loginPath is where the Temporal UI sends a browser when a call is refused,
// with the page's address as returnUrl.
const loginPath = "/login"

// returnPath returns the path of the page from which the Temporal UI came to
// /login.
func returnPath(d door, r *http.Request) string {
	u, err := url.Parse(r.URL.Query().Get("returnUrl"))
	if err != nil || u.User != nil || (u.Host != "" && !strings.EqualFold(strings.TrimSuffix(u.Host, ":443"), d.host)) || u.Path == loginPath {
		return "/"
	}
	return u.RequestURI()
}
