package web_test

import (
	"context"
	"testing"
	"time"

	"fileroom/internal/devstack"
)

// startTemporal starts a Temporal server for one test, and returns where its
// frontend listens (host and port) and the URL of its UI.
func startTemporal(t *testing.T) (address, ui string) {
	t.Helper()
	// Long, for the first start on a machine builds the server.
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	s, err := devstack.Start(ctx, devstack.Options{Only: []devstack.Service{devstack.Temporal}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	d := s.Description().Temporal
	return d.Address, d.UI
}
