package signin

import (
	"net/http"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"fileroom/internal/library"
)

// begin sends somebody to the identity provider. It may know them from another
// program (single sign-on), unless a session in this browser is over: it would
// never be, if the provider's memory let an unattended browser in again.
func (k *Keeper) begin(w http.ResponseWriter, r *http.Request, to way, bind string) {
	d, err := k.provider.discover(r.Context())
	if err != nil {
		k.providerDown(w, r, err, to)
		return
	}
	a := attempt{State: newToken(), Nonce: newToken(), Verifier: oauth2.GenerateVerifier(), To: to.String(), Bind: bind}
	options := []oauth2.AuthCodeOption{oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)}
	if proveAgain(r) {
		a.Since = k.o.Clock().Unix()
		// The one asks for it; with the other the ID token has to tell when it was
		// done (OpenID Connect Core 1.0 section 3.1.2.1).
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	if err := keepAttempt(w, r, a); err != nil {
		k.Unavailable(w, r)
		return
	}
	redirect(w, d.oauth.AuthCodeURL(a.State, options...))
}

// callback is where the identity provider sends somebody back to.
func (k *Keeper) callback(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a, ok := takeAttempt(w, r, q.Get("state"))
	to, wayOK := k.parseWay(a.To)
	if !ok || !wayOK || (a.Bind != "" && !isDigest(a.Bind)) {
		k.stale(w, r)
		return
	}
	d, err := k.provider.discover(r.Context())
	if err != nil {
		k.providerDown(w, r, err, to)
		return
	}
	// An answer of another provider than was asked (RFC 9207 section 2.4).
	if iss := q.Get("iss"); (iss != "" || d.namesIssue) && iss != k.provider.o.Issuer {
		k.notVerified(w, r, to)
		return
	}
	if code := q.Get("error"); code != "" {
		k.refused(w, r, code, to)
		return
	}
	actor, err := k.provider.redeem(r.Context(), d, q.Get("code"), a, r.RemoteAddr)
	switch library.KindOf(err) {
	case "":
		if err != nil {
			k.providerDown(w, r, err, to)
			return
		}
	case library.Unauthorized:
		k.o.Log.ErrorContext(r.Context(), "identity provider refuses this client", "err", err)
		k.tell(w, r, http.StatusBadGateway, notice{
			Title: "The identity provider refuses Fileroom",
			Text:  []string{"It knows you, but does not accept Fileroom's own registration. Tell whoever runs Fileroom: its log says why."},
		})
		return
	default:
		k.o.Log.WarnContext(r.Context(), "sign-in not verified", "err", err)
		k.notVerified(w, r, to)
		return
	}
	if len(actor.Roles) == 0 {
		k.noRole(w, r, actor)
		return
	}
	k.admitted(w, r, actor, "openid", to, a.Bind)
}

// stale answers a callback that no sign-in of this browser waits for.
func (k *Keeper) stale(w http.ResponseWriter, r *http.Request) {
	n := notice{
		Title: "Please sign in once more",
		Text:  []string{"This sign-in was already used, took longer than ten minutes, or began in another browser."},
		Links: []link{{Text: "Sign in", URL: k.home().url()}},
	}
	if _, err := k.Session(r); err == nil {
		n.Title, n.Links[0].Text = "You are signed in", "To the desk"
		n.Links = append(n.Links, link{Text: "To the Temporal UI", URL: k.ui.base + "/"})
	}
	k.tell(w, r, http.StatusBadRequest, n)
}

func (k *Keeper) providerDown(w http.ResponseWriter, r *http.Request, err error, to way) {
	k.o.Log.ErrorContext(r.Context(), "identity provider does not answer", "err", err)
	w.Header().Set("Retry-After", "10")
	k.tell(w, r, http.StatusServiceUnavailable, notice{
		Title: "The identity provider does not answer",
		Text: []string{
			"Fileroom signs people in with your organization's identity provider, which it cannot reach at the moment. Nothing is lost.",
			"Try again in a minute. If it goes on, tell whoever runs Fileroom: its log says why.",
		},
		Links: []link{{Text: "Try again", URL: to.url()}},
	})
}

func (k *Keeper) notVerified(w http.ResponseWriter, r *http.Request, to way) {
	k.tell(w, r, http.StatusForbidden, notice{
		Title: "You could not be signed in",
		Text: []string{
			"What the identity provider answered could not be verified, so nobody was signed in.",
			"Try again. If it happens once more, tell whoever runs Fileroom.",
		},
		Links: []link{{Text: "Try again", URL: to.url()}},
	})
}

// errorCodes are those that a provider may send somebody back with (RFC 6749
// section 4.1.2.1, OpenID Connect Core 1.0 section 3.1.2.6). Nothing else of
// what it says is shown: anybody can write such an address.
var errorCodes = []string{
	"invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope", "server_error", "temporarily_unavailable",
	"interaction_required", "login_required", "account_selection_required", "consent_required",
}

func (k *Keeper) refused(w http.ResponseWriter, r *http.Request, code string, to way) {
	n := notice{
		Title: "You were not signed in",
		Text:  []string{"The identity provider says that the sign-in was cancelled, or that you may not use Fileroom."},
		Links: []link{{Text: "Try again", URL: to.url()}},
	}
	if code != "access_denied" {
		n.Text = []string{"The identity provider could not sign you in. Try again; if it happens once more, tell whoever runs Fileroom."}
		if slices.Contains(errorCodes, code) {
			n.Text = append(n.Text, "It says: "+code+".")
			k.o.Log.WarnContext(r.Context(), "identity provider refused a sign-in", "code", code)
		}
	}
	k.tell(w, r, http.StatusForbidden, n)
}

// noRole answers somebody who works elsewhere. That they tried is in the access
// log.
func (k *Keeper) noRole(w http.ResponseWriter, r *http.Request, actor library.Actor) {
	look := library.Look{At: k.o.Clock(), Actor: actor, What: library.LookRefused, Detail: "sign-in without a role"}
	if err := k.o.Access.AddLooks(r.Context(), look); err != nil {
		k.o.Log.ErrorContext(r.Context(), "refused sign-in could not be entered", "err", err)
		k.Unavailable(w, r)
		return
	}
	n := notice{
		Title: "You have no role at Fileroom",
		Text: []string{
			"You are known to the identity provider as " + actor.Name + ", but it gives you no role here, so there is nothing you may see.",
			"If you work at the image library, ask its lead to have you given a role (" + roleWords() + "), then sign in again.",
		},
	}
	if to := k.provider.endSessionURL(); to != "" {
		n.Links = []link{{Text: "Sign in as somebody else", URL: to}}
	}
	k.tell(w, r, http.StatusForbidden, n)
}

func roleWords() string {
	words := make([]string, len(roles))
	for i, role := range roles {
		words[i] = string(role)
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
