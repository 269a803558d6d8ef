package signin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"fileroom/internal/library"
)

// OpenID says with which identity provider people sign in.
type OpenID struct {
	// Issuer is the provider's identifier, as it writes it: an https URL, or
	// http on loopback.
	Issuer string

	// ClientID is what the provider knows Fileroom by; ClientSecret is empty for
	// a public client. The provider must allow {Panel}/callback as the redirect
	// URI, and {Panel}/signed-out as the post-logout redirect URI.
	ClientID     string
	ClientSecret string

	Scopes []string // Beside openid and profile.

	// RolesClaim is the claim of the ID token that holds a person's roles, a
	// text or an array of texts; empty means "roles". Dots lead into nested
	// claims, such as realm_access.roles.
	RolesClaim string

	// Roles are the roles by the claim's values; nil means that the values are
	// the roles' own names. Other values are ignored.
	Roles map[string]library.Role

	Roots *x509.CertPool // Who vouches for the provider's certificate; nil means the system's.
}

const (
	providerTime   = 10 * time.Second // For one answer of the provider.
	maxAnswer      = 1 << 20          // Bytes of it.
	discoveryEvery = 5 * time.Second  // Between two tries to reach a provider that was down.
)

// A provider is an identity provider, which may be down now and then.
type provider struct {
	o        OpenID
	panel    string
	clock    func() time.Time
	client   *http.Client
	exchange places // For each exchange at work.

	found atomic.Pointer[description] // nil until the provider was reached.

	turn   chan struct{} // Guards what follows; a channel, so that who waits can give up.
	failed error
	tried  time.Time
}

// A description is what discovery found.
type description struct {
	oauth      oauth2.Config
	keys       oidc.KeySet
	tokens     oidc.Config // What an ID token must be.
	endSession string
	namesIssue bool // It names itself in its answers (RFC 9207).
}

func newProvider(o OpenID, panel string, clock func() time.Time) (*provider, error) {
	const op = "make sign-in"
	if !secure(o.Issuer) {
		return nil, library.Errorf(library.Invalid, op, "", "the issuer must be an https address without query, or http on loopback")
	}
	if o.ClientID == "" {
		return nil, library.Errorf(library.Invalid, op, "", "the client id is needed")
	}
	for value, role := range o.Roles {
		if value == "" || !slices.Contains(roles, role) {
			return nil, library.Errorf(library.Invalid, op, "", "the table of roles gives %q, which is none of %v", role, roles)
		}
	}
	if o.RolesClaim == "" {
		o.RolesClaim = "roles"
	}
	return &provider{
		o: o, panel: panel, clock: clock, client: newClient(o.Roots), turn: make(chan struct{}, 1),
	}, nil
}

// secure reports whether an address of the provider's can be spoken to.
func secure(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || (u.Scheme == "http" && loopbackHost(u.Hostname()))
}

// newClient returns a client for the provider alone. It follows no redirect,
// uses no proxy that the environment names, and reads no endless answer.
func newClient(roots *x509.CertPool) *http.Client {
	return &http.Client{
		Timeout:       providerTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: bounded{&http.Transport{
			DialContext:            (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    5 * time.Second,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: 64 << 10,
		}},
	}
}

// bounded cuts answers that are too long, so that they fail to parse.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	a, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	a.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(a.Body, maxAnswer), a.Body}
	return a, nil
}

// Discover asks the identity provider for its description, if that was not
// done. A fault says why it could not be had; the next sign-in asks again. With
// the demonstration there is nothing to ask.
func (k *Keeper) Discover(ctx context.Context) error {
	if k.provider == nil {
		return nil
	}
	_, err := k.provider.discover(ctx)
	return err
}

// discover returns the provider's description. Whoever comes while it is being
// asked for waits, and a provider that was down is left in peace for a moment.
func (p *provider) discover(ctx context.Context) (*description, error) {
	if d := p.found.Load(); d != nil {
		return d, nil
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, library.Fault("discover provider", "", ctx.Err())
	}
	if d := p.found.Load(); d != nil {
		return d, nil
	}
	if p.failed != nil && p.clock().Sub(p.tried).Abs() < discoveryEvery {
		return nil, p.failed
	}
	// Not the browser's context: others wait for the same answer.
	ask, cancel := context.WithTimeout(context.WithoutCancel(ctx), providerTime)
	defer cancel()
	d, err := p.describe(ask)
	p.failed, p.tried = err, p.clock()
	if err == nil {
		p.found.Store(d)
	}
	return d, err
}

func (p *provider) describe(ctx context.Context) (*description, error) {
	const op = "discover provider"
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.o.Issuer)
	if err != nil {
		return nil, library.Errorf("", op, "", "%s", reason(err))
	}
	var more struct {
		EndSession string   `json:"end_session_endpoint"`
		Keys       string   `json:"jwks_uri"`
		Methods    []string `json:"token_endpoint_auth_methods_supported"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
		NamesIssue bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := found.Claims(&more); err != nil {
		return nil, library.Errorf("", op, "", "its description cannot be read")
	}
	endpoint := found.Endpoint()
	for _, address := range []string{endpoint.AuthURL, endpoint.TokenURL, more.Keys} {
		if !secure(address) {
			return nil, library.Errorf("", op, "", "its description lacks an https address for sign-in, tokens or keys")
		}
	}
	if more.EndSession != "" && !secure(more.EndSession) {
		more.EndSession = ""
	}
	endpoint.AuthStyle = oauth2.AuthStyleInHeader // The default (OpenID Connect Discovery 1.0 section 3).
	if p.o.ClientSecret == "" || (len(more.Methods) > 0 && !slices.Contains(more.Methods, "client_secret_basic")) {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &description{
		oauth: oauth2.Config{
			ClientID: p.o.ClientID, ClientSecret: p.o.ClientSecret, Endpoint: endpoint,
			RedirectURL: p.panel + "/callback",
			Scopes:      append([]string{oidc.ScopeOpenID, oidc.ScopeProfile}, p.o.Scopes...),
		},
		// The keys are fetched again when an unknown one signs, long after this request.
		keys: oidc.NewRemoteKeySet(oidc.ClientContext(context.WithoutCancel(ctx), p.client), more.Keys),
		tokens: oidc.Config{
			ClientID: p.o.ClientID, Now: p.clock,
			SupportedSigningAlgs: slices.DeleteFunc(more.Algorithms, func(a string) bool { return !slices.Contains(algorithms, a) }),
		},
		endSession: more.EndSession,
		namesIssue: more.NamesIssue,
	}, nil
}

// endSessionURL is where a person ends the provider's own session (OpenID
// Connect RP-Initiated Logout 1.0), or "". It says nothing about who it is: the
// provider asks.
func (p *provider) endSessionURL() string {
	d := p.found.Load()
	if d == nil || d.endSession == "" {
		return ""
	}
	u, err := url.Parse(d.endSession)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("client_id", p.o.ClientID)
	q.Set("post_logout_redirect_uri", p.panel+"/signed-out")
	u.RawQuery = q.Encode()
	return u.String()
}

// redeem returns who an authorization code was given for, that a browser at the
// address from brought. An [library.Invalid] error is the code's or the token's;
// [library.Unauthorized] means that the provider refuses Fileroom; a fault may
// pass.
func (p *provider) redeem(ctx context.Context, d *description, code string, a attempt, from string) (library.Actor, error) {
	const op = "redeem code"
	leave, ok := p.exchange.enter(ctx, from, placeWait)
	if !ok {
		return library.Actor{}, library.Errorf("", op, "", "too many people are signing in at this moment")
	}
	defer leave()
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), providerTime)
	defer cancel()
	tokens, err := d.oauth.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return library.Actor{}, refusal(op, err)
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return library.Actor{}, library.Errorf(library.Invalid, op, "", "the provider gave no ID token")
	}
	keys := &watchedKeys{KeySet: d.keys}
	id, err := oidc.NewVerifier(p.o.Issuer, keys, &d.tokens).Verify(ctx, raw)
	switch {
	case err != nil && keys.fault != nil:
		return library.Actor{}, library.Errorf("", op, "", "the provider's keys: %s", reason(keys.fault))
	case err != nil:
		return library.Actor{}, library.Errorf(library.Invalid, op, "", "the ID token cannot be verified")
	case id.Nonce != a.Nonce:
		return library.Actor{}, library.Errorf(library.Invalid, op, "", "the ID token is of another sign-in")
	case !provedSince(id, a.Since):
		return library.Actor{}, library.Errorf(library.Invalid, op, "", "the provider did not ask again who it is")
	}
	return p.actor(id)
}

// algorithms are those by which only the provider itself can sign. Neither
// "none" nor a secret that Fileroom shares is among them.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}

// watchedKeys remember why the provider's keys could not be had, which the
// verifier does not tell from a bad signature.
type watchedKeys struct {
	oidc.KeySet
	fault error
}

// VerifySignature implements [oidc.KeySet].
func (k *watchedKeys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, jwt)
	if err != nil && unreachable(err) {
		k.fault = err
	}
	return payload, err
}

// refusal says why a code was not redeemed, in words of ours and the error codes
// of RFC 6749 section 5.2 alone: what else a provider writes may name a person.
func refusal(op string, err error) error {
	e, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return library.Errorf("", op, "", "%s", reason(err))
	}
	switch e.ErrorCode {
	case "invalid_grant":
		return library.Errorf(library.Invalid, op, "", "the provider says %s", e.ErrorCode)
	case "invalid_client", "unauthorized_client", "invalid_request", "unsupported_grant_type", "invalid_scope":
		return library.Errorf(library.Unauthorized, op, "", "the provider says %s", e.ErrorCode)
	}
	if e.Response != nil && e.Response.StatusCode != http.StatusOK {
		return library.Errorf("", op, "", "the provider answers with status %d", e.Response.StatusCode)
	}
	return library.Errorf("", op, "", "the provider's answer cannot be read")
}

// unreachable reports whether the provider could not be asked.
func unreachable(err error) bool {
	_, ok := errors.AsType[*url.Error](err)
	return ok || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// reason says why the provider could not be asked, without a word of its own.
func reason(err error) string {
	if e, ok := errors.AsType[*oidc.IssuerMismatchError](err); ok {
		return fmt.Sprintf("the provider calls itself %.200q, and not as in the settings", e.Discovered)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		if e.Timeout() {
			return "the provider does not answer in time"
		}
		return "the provider cannot be reached: " + e.Err.Error()
	}
	if unreachable(err) {
		return "the provider does not answer in time"
	}
	return "the provider's answer cannot be read"
}
