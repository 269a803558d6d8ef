package integration_test

import (
	"context"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fileroom/internal/signin/signintest"
)

// secretOfClient is what the identity provider and the pages know.
const secretOfClient = "known to the tests and nobody else"

// provider starts an identity provider with invented people, and returns its
// issuer.
func provider(t *testing.T, panel string) (issuer string) {
	t.Helper()
	return signintest.Start(t, "..", map[string]any{
		"clients": []any{map[string]any{
			"client_id": "fileroom", "client_secret": secretOfClient,
			"redirect_uris": []string{panel + "/callback"}, "post_logout_redirect_uris": []string{panel + "/signed-out"},
		}},
		"accounts": []any{
			map[string]any{"sub": "vera", "name": "Vera Viewer", "roles": []string{"viewer"}},
			map[string]any{"sub": "adam", "name": "Adam Admin", "roles": []string{"admin"}},
		},
	}).Issuer
}

// pages are a `fileroom staff` whose people an identity provider signs in.
type pages struct {
	*installation
	ui, panel, issuer string
}

// visitor returns one of these pages.
func (p *pages) visitor(t *testing.T) *visitor {
	t.Helper()
	v := p.installation.visitor(t)
	v.ui, v.panel = p.ui, p.panel
	return v
}

// ownPages starts such pages.
func (i *installation) ownPages(ctx context.Context, t *testing.T) *pages {
	t.Helper()
	address := freeAddress(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	ui, panel := "https://ui.fileroom.localhost:"+port, "https://panel.fileroom.localhost:"+port
	issuer := provider(t, panel)
	settings := maps.Clone(i.dev.Pages)
	delete(settings, "FILEROOM_DEMONSTRATION")
	maps.Copy(settings, map[string]string{
		"FILEROOM_STAFF_ADDRESS": address, "FILEROOM_UI_URL": ui, "FILEROOM_PANEL_URL": panel,
		"FILEROOM_OIDC_ISSUER": issuer, "FILEROOM_OIDC_CLIENT_ID": "fileroom", "FILEROOM_OIDC_CLIENT_SECRET": secretOfClient,
	})
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	for name, value := range settings {
		env = append(env, name+"="+value)
	}
	p, err := i.nursery.start(command{path: i.binary, args: []string{"staff"}, env: env, log: filepath.Join(i.dir, "staff-"+port+".log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if err := p.stop(ctx); err != nil {
			t.Errorf("end the pages: %v", err)
		}
	})
	c := i.visitor(t)
	err = poll(ctx, func() (bool, error) {
		answer, err := c.Get(panel + "/sign-out")
		if err != nil {
			return false, ctx.Err()
		}
		return answer.StatusCode == http.StatusOK, answer.Body.Close()
	})
	if err != nil {
		t.Fatalf("the pages do not start: %v\n%s", err, p.tail())
	}
	return &pages{installation: i, ui: ui, panel: panel, issuer: issuer}
}

// testViewer has a viewer, whom an identity provider signs in, try what viewers
// may not.
func testViewer(t *testing.T) {
	ctx := within(t, limit)
	s := show(ctx, t, 50, plain)
	p := s.ownPages(ctx, t)
	s.play(ctx, t, "deskViewer", map[string]any{
		"id": s.id, "login": "vera", "at": map[string]any{"ui": p.ui, "panel": p.panel, "others": []string{p.issuer}},
	}, nil)
	s.wantUnmoved(ctx, t, 0, 0)
	s.wantReleasable(ctx, t)
}
