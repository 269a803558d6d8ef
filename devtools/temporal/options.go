package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"

	"go.temporal.io/api/enums/v1"
)

// options is what a command line asks for.
type options struct {
	ip           string // A loopback address.
	port         int    // Of the frontend, gRPC.
	uiPort       int    // 0 for no UI.
	internalPort int    // First of three for history, matching and worker; 0 for free ones.

	namespaces       []string
	searchAttributes map[string]enums.IndexedValueType
	dynamic          map[string]any // Dynamic configuration values by name.

	database string // SQLite file; "" keeps everything in memory.
	logLevel string

	codecEndpoint    string   // URL the browser sends payloads to for decoding.
	codecCredentials bool     // The browser sends its cookies with them, to another origin too.
	publicURL        *url.URL // Under which browsers reach the UI; nil for its own address.
	panelURL         *url.URL // Page shown in the head of every workflow's page; nil for none.
	corsOrigins      []string // Other origins whose pages may call the UI's API.

	tls tlsFiles // Mutual TLS of the frontend; zero for none.
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

func parseOptions(args []string, out io.Writer) (options, error) {
	var (
		o                         options
		namespaces, attrs, values list
		origins                   list
		public, panel             string
		headless                  bool
	)
	fs := flag.NewFlagSet("temporal server start-dev", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.StringVar(&o.ip, "ip", "127.0.0.1", "loopback `address` to listen on")
	fs.IntVar(&o.port, "port", 7233, "`port` of the frontend")
	fs.IntVar(&o.uiPort, "ui-port", 0, "`port` of the Web UI (default: that of the frontend and 1000)")
	fs.BoolVar(&headless, "headless", false, "serve no Web UI")
	fs.IntVar(&o.internalPort, "internal-port", 0, "first of three `ports` between the server's own parts (default: free ones)")
	fs.Var(&namespaces, "namespace", "`name` of a namespace to create besides \"default\"; may be repeated")
	fs.Var(&attrs, "search-attribute", "`name=Type` of a search attribute of new namespaces; may be repeated")
	fs.Var(&values, "dynamic-config-value", "`key=JSON` of the dynamic configuration; may be repeated")
	fs.StringVar(&o.database, "db-filename", "", "SQLite `file` that keeps the state (default: kept in memory)")
	fs.StringVar(&o.logLevel, "log-level", "warn", "`level`: debug, info, warn, error or never")
	fs.StringVar(&o.codecEndpoint, "ui-codec-endpoint", "", "`URL` of the payload codec for the Web UI")
	fs.BoolVar(&o.codecCredentials, "ui-codec-credentials", false, "have the Web UI send cookies to the payload codec, wherever that is")
	fs.StringVar(&public, "ui-public-url", "", "`URL` under which browsers reach the Web UI through a proxy; with https its cookies are for TLS alone")
	fs.StringVar(&panel, "ui-panel-url", "", "`URL` of a page to show in the head of every workflow's page; https, and of an origin of its own")
	fs.Var(&origins, "ui-cors-origin", "another `origin` whose pages may call the Web UI's API; may be repeated")
	fs.StringVar(&o.tls.cert, "tls-cert", "", "PEM `file` of the frontend's certificate: it then speaks TLS, and only with clients of --tls-client-ca")
	fs.StringVar(&o.tls.key, "tls-key", "", "PEM `file` of the key of --tls-cert")
	fs.StringVar(&o.tls.clientCA, "tls-client-ca", "", "PEM `file` of the authority whose clients may connect")
	fs.String("log-format", "", "accepted for compatibility; logs are JSON")
	if err := fs.Parse(args); err != nil {
		return options{}, err
	}

	var errs []error
	if fs.NArg() > 0 {
		errs = append(errs, fmt.Errorf("unexpected argument %q", fs.Arg(0)))
	}
	if o.ip == "localhost" {
		o.ip = "127.0.0.1"
	}
	// A server without sign-in has no business on a network.
	if ip := net.ParseIP(o.ip); ip == nil || ip.To4() == nil || !ip.IsLoopback() {
		errs = append(errs, fmt.Errorf("--ip %s: not an IPv4 loopback address", o.ip))
	}
	switch {
	case headless:
		o.uiPort = 0
	case o.uiPort == 0:
		o.uiPort = o.port + 1000
	}
	for name, p := range map[string]int{"--port": o.port, "--ui-port": o.uiPort, "--internal-port": o.internalPort} {
		if p < 0 || p > 65533 {
			errs = append(errs, fmt.Errorf("%s %s: not a port", name, strconv.Itoa(p)))
		}
	}
	if o.logLevel == "never" {
		o.logLevel = "fatal"
	}

	o.namespaces = append(o.namespaces, "default")
	for _, n := range namespaces {
		if n != "default" {
			o.namespaces = append(o.namespaces, n)
		}
	}
	o.corsOrigins = origins
	errs = append(errs, o.setPages(public, panel))
	if set := o.tls.set(); set != 0 && set != 3 {
		errs = append(errs, errors.New("--tls-cert, --tls-key and --tls-client-ca: give all three or none"))
	}

	o.searchAttributes = make(map[string]enums.IndexedValueType, len(attrs))
	for _, a := range attrs {
		name, kind, _ := strings.Cut(a, "=")
		t, err := enums.IndexedValueTypeFromString(kind)
		if err != nil || name == "" || t == enums.INDEXED_VALUE_TYPE_UNSPECIFIED {
			errs = append(errs, fmt.Errorf("--search-attribute %s: not name=Type", a))
			continue
		}
		o.searchAttributes[name] = t
	}

	o.dynamic = make(map[string]any, len(values))
	for _, v := range values {
		key, text, ok := strings.Cut(v, "=")
		var value any
		if err := json.Unmarshal([]byte(text), &value); !ok || key == "" || err != nil {
			errs = append(errs, fmt.Errorf("--dynamic-config-value %s: not key=JSON", v))
			continue
		}
		o.dynamic[key] = value
	}
	return o, errors.Join(errs...)
}

// setPages takes the addresses of what browsers see.
func (o *options) setPages(public, panel string) error {
	var errs []error
	for _, page := range []struct {
		flag, text string
		to         **url.URL
	}{{"--ui-public-url", public, &o.publicURL}, {"--ui-panel-url", panel, &o.panelURL}} {
		if page.text == "" {
			continue
		}
		u, err := url.Parse(page.text)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
			errs = append(errs, fmt.Errorf("%s %s: not an http or https URL", page.flag, page.text))
			continue
		}
		*page.to = u
	}
	if o.panelURL != nil {
		// The UI would end the process over it, and say less.
		if err := o.customUI().Validate(false); err != nil {
			errs = append(errs, fmt.Errorf("--ui-panel-url %s: %w", panel, err))
		}
		if o.publicURL != nil && origin(o.publicURL) == origin(o.panelURL) {
			errs = append(errs, errors.New("--ui-panel-url: the UI shows no panel of its own origin"))
		}
	}
	return errors.Join(errs...)
}

// origin returns the origin of a URL.
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }
