package dicomweb

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fileroom/internal/library"
)

// A Config says where an archive is and how to speak to it.
type Config struct {
	URL      string      // The DICOMweb service root, such as https://pacs.example/dicom-web.
	Username string      // For HTTP Basic; empty for none.
	Password string      // For HTTP Basic.
	TLS      *tls.Config // Nil for the system's certificate authorities and TLS 1.2 or later.

	// Answer is how long the archive may take to begin its answer once it
	// has the whole question; 2 minutes if zero. Stall is how long a stream
	// may stand still; 1 minute if zero.
	Answer time.Duration
	Stall  time.Duration
}

// An Archive is a DICOMweb server. It is safe for use by several goroutines.
type Archive struct {
	root     string
	username string
	password string
	stall    time.Duration
	asking   *http.Client
	storing  *http.Client
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// New returns the archive that c describes, without speaking to it. A URL that
// cannot be one gives a [library.Invalid] error.
func New(c Config) (*Archive, error) {
	const op = "configure archive"
	u, err := url.Parse(c.URL)
	switch {
	case err != nil:
		return nil, library.Errorf(library.Invalid, op, "", "url is not one")
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, library.Errorf(library.Invalid, op, "", "url must begin with https:// or http:// and a host")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, library.Errorf(library.Invalid, op, "", "url must begin with https://: passwords and images would cross the network in the clear")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, library.Errorf(library.Invalid, op, "", "url must hold no user, query or fragment")
	}
	config := c.TLS
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	transport := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  cmp.Or(c.Answer, 2*time.Minute),
		IdleConnTimeout:        10 * time.Second,
		DisableCompression:     true, // Images do not shrink, and a bomb must not grow.
		MaxResponseHeaderBytes: 1 << 18,
	}
	// A stream cannot be sent a second time, so it does not go over a
	// connection that the archive may be about to close.
	once := transport.Clone()
	once.DisableKeepAlives = true
	return &Archive{
		root:     strings.TrimRight(u.String(), "/"),
		username: c.Username,
		password: c.Password,
		stall:    cmp.Or(c.Stall, time.Minute),
		asking:   &http.Client{Transport: transport, CheckRedirect: stay},
		storing:  &http.Client{Transport: once, CheckRedirect: stay},
	}, nil
}

// stay follows no redirection: it would carry a patient's number, and images,
// to where nobody approved.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Check asks the archive a question without a patient in it, and so whether it
// is there, speaks DICOMweb, and takes our credentials. Bad credentials give a
// [library.Unauthorized] error; a server that is no DICOMweb archive gives
// [library.Invalid] or [library.NotFound].
func (a *Archive) Check(ctx context.Context) error {
	// An instance that cannot be: the answer is an empty list.
	_, err := a.ask(ctx, "check archive", "/studies", []string{"StudyInstanceUID=2.25.0", "limit=1"}, func(dataSet) error { return nil })
	return err
}

// exchange sends one request and returns the answer, whatever its status. The
// caller closes its body.
func (a *Archive) exchange(ctx context.Context, op string, client *http.Client, method, target string, header http.Header, body io.Reader) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := newWatch(ctx, op, a.stall, cancel)
	if body != nil {
		body = &sending{watch: w, body: body}
	}
	req, err := http.NewRequestWithContext(ctx, method, a.root+target, body)
	if err != nil {
		cancel(nil)
		return nil, library.Errorf(library.Invalid, op, "", "request cannot be made")
	}
	req.Header = header
	if a.username != "" {
		req.SetBasicAuth(a.username, a.password)
	}
	resp, err := client.Do(req)
	if err != nil {
		err = w.fault(err)
		cancel(nil)
		return nil, err
	}
	resp.Body = &receiving{watch: w, body: resp.Body}
	return resp, nil
}

// get asks for target and returns the answer if it is a good one.
func (a *Archive) get(ctx context.Context, op, target, accept string) (*http.Response, error) {
	resp, err := a.exchange(ctx, op, a.asking, http.MethodGet, target, http.Header{"Accept": {accept}}, nil)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNoContent {
		return resp, nil
	}
	_ = resp.Body.Close()
	return nil, refusal(op, resp.StatusCode)
}

// refusal says what a status other than success means (PS3.18 section 8.5).
func refusal(op string, status int) error {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return library.Errorf(library.Unauthorized, op, "", "archive refuses our credentials (status %d)", status)
	case status == http.StatusNotFound, status == http.StatusGone:
		return library.Errorf(library.NotFound, op, "", "archive has no such thing (status %d)", status)
	case status >= 300 && status < 400:
		return library.Errorf(library.Invalid, op, "", "archive sends us elsewhere (status %d): correct its url", status)
	case status == http.StatusNotImplemented:
		return library.Errorf(library.Invalid, op, "", "archive does not offer this (status %d)", status)
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500, status < 300:
		return library.Errorf("", op, "", "archive answers with status %d", status)
	}
	return library.Errorf(library.Invalid, op, "", "archive does not take the request (status %d)", status)
}

// boundary returns the boundary of a multipart/related answer.
func boundary(op string, resp *http.Response) (string, error) {
	kind, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/related" || params["boundary"] == "" {
		return "", library.Errorf("", op, "", "answer is not multipart/related")
	}
	return params["boundary"], nil
}

// plain returns err as it may be told: without the address of the request,
// which may hold a patient's number, and without words of the archive, which
// net/http quotes when they are no HTTP.
func plain(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return err // The network, or a deadline.
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return err
	}
	for _, known := range []error{errStalled, io.EOF, io.ErrUnexpectedEOF, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return err
		}
	}
	return errors.New("connection broke, or what answers is not HTTP")
}
