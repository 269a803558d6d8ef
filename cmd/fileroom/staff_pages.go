package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.temporal.io/sdk/client"

	"fileroom/internal/desk"
	"fileroom/internal/postgres"
	"fileroom/internal/signin"
	"fileroom/internal/staff"
	"fileroom/internal/vault"
	"fileroom/internal/web"
	"fileroom/workers"
)

// pagesOf is what the staff's pages are made of.
type pagesOf struct {
	records   *postgres.Store
	ring      *vault.Keyring
	keeper    *signin.Keeper
	signer    staff.Signer
	temporal  client.Client
	namespace string
}

// desk returns the handler of the panel's name: sign-in, desk and panel.
func (p pagesOf) desk(s staffCommand) (http.Handler, error) {
	folder, err := vault.ReadFolder(s.Vault, p.ring)
	if err != nil {
		return nil, err
	}
	ui, err := url.Parse(s.UI)
	if err != nil {
		return nil, fmt.Errorf("--ui-url: %w", err)
	}
	d, err := desk.New(desk.Options{
		Records: p.records, Documents: folder, Speaker: speaker{p.temporal}, Standing: standing(p.temporal),
		Session: signin.Of, SignIn: p.keeper.SignIn, SignOut: "/sign-out",
		UI: ui, Namespace: p.namespace, Extension: "fileroom-case", Now: time.Now,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", p.keeper.Panel())
	mux.Handle("/{$}", http.RedirectHandler("/desk", http.StatusSeeOther))
	for _, path := range []string{"/desk", "/desk/", "/panel", "/panel/"} {
		mux.Handle(path, p.keeper.Know(d))
	}
	return web.Bounded(mux, answerLimit), nil
}

// gateway returns the handler of the UI's name.
func (p pagesOf) gateway(s staffCommand) (http.Handler, error) {
	codec, err := vault.NewCodec(p.ring)
	if err != nil {
		return nil, err
	}
	upstream, err := url.Parse(s.TemporalUI)
	if err != nil {
		return nil, fmt.Errorf("--temporal-ui: %w", err)
	}
	o := web.Options{
		Upstream: upstream, Hosts: []string{hostOf(s.UI)}, Namespace: p.namespace, Messages: workers.StaffMessages,
		Session: p.keeper.Acted, Glance: p.keeper.Glance, SignIn: p.keeper.SignIn,
		Access: p.records, Signer: p.signer, Codec: codec, Own: web.Bounded(p.keeper.UI(), answerLimit),
	}
	return web.NewGateway(o)
}

// hostOf returns the host of a URL, with its port, as browsers send it.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if u.Port() == "443" {
		return strings.ToLower(u.Hostname())
	}
	return strings.ToLower(u.Host)
}

// answerLimit is how long a browser may take to read a page of ours.
const answerLimit = time.Minute

// strictTransport is for how long browsers are told to come by HTTPS alone.
const strictTransport = 180 * 24 * time.Hour

// doors serves each of our names with its own handler, and no other name. With
// strict, browsers are told to come by HTTPS alone (RFC 6797): not on localhost,
// where it would bind every other program of the machine.
func doors(handlers map[string]http.Handler, strict bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strict {
			w.Header().Set("Strict-Transport-Security", fmt.Sprintf("max-age=%d", int(strictTransport.Seconds())))
		}
		h, ok := handlers[strings.ToLower(r.Host)]
		if !ok {
			http.Error(w, "This address is not known here.", http.StatusMisdirectedRequest)
			return
		}
		h.ServeHTTP(w, r)
	})
}
