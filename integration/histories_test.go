package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/proxy"
	"google.golang.org/protobuf/encoding/protojson"

	"fileroom/internal/vault"
)

// histories is where package workflows looks for what it replays.
const histories = "../workflows/testdata/histories"

// record writes the history of a workflow, if that was asked for, with its
// payloads decrypted: everything here is invented, and a replay has no keys.
func (i *installation) record(ctx context.Context, t *testing.T, name, workflow string) {
	t.Helper()
	if !*record {
		return
	}
	h := i.history(ctx, t, workflow)
	codec, err := vault.NewCodec(i.ring)
	if err != nil {
		t.Fatal(err)
	}
	err = proxy.VisitPayloads(ctx, h, proxy.VisitPayloadsOptions{
		Visitor: func(_ *proxy.VisitPayloadsContext, p []*common.Payload) ([]*common.Payload, error) {
			return codec.Decode(p)
		},
		SkipSearchAttributes: true, // They are in clear.
	})
	if err != nil {
		t.Fatalf("decrypt the history of %s: %v", workflow, err)
	}
	b, err := protojson.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer // protojson's own white space differs from run to run.
	if err := json.Indent(&pretty, b, "", " "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	if err := os.MkdirAll(histories, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(histories, name+".json"), pretty.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
