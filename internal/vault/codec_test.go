package vault_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"

	"fileroom/internal/library"
	"fileroom/internal/vault"
)

func newCodec(tb testing.TB, ring *vault.Keyring) *vault.Codec {
	tb.Helper()
	c, err := vault.NewCodec(ring)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func plain(text string) *commonpb.Payload {
	return &commonpb.Payload{
		Metadata: map[string][]byte{"encoding": []byte("json/plain"), "messageType": []byte("Orsolya")},
		Data:     []byte(text),
	}
}

func encode(tb testing.TB, c *vault.Codec, p *commonpb.Payload) *commonpb.Payload {
	tb.Helper()
	out, err := c.Encode([]*commonpb.Payload{p})
	if err != nil {
		tb.Fatal(err)
	}
	return out[0]
}

func TestCodecHidesAndReturns(t *testing.T) {
	t.Parallel()

	c := newCodec(t, vault.NewKeyring())
	in := []*commonpb.Payload{plain(`{"name":"Orsolya Quist"}`), {}, plain("")}
	before := proto.Clone(in[0])
	hidden, err := c.Encode(in)
	if err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(in[0], before) {
		t.Error("Encode changed its argument")
	}
	for _, p := range hidden {
		wire, err := proto.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(wire, []byte("Orsolya")) || bytes.Contains(wire, []byte("json/plain")) {
			t.Errorf("shows its content: %q", wire)
		}
	}
	back, err := c.Decode(hidden)
	if err != nil {
		t.Fatal(err)
	}
	for i := range in {
		if !proto.Equal(in[i], back[i]) {
			t.Errorf("payload %d came back as %v, want %v", i, back[i], in[i])
		}
	}
	if again := encode(t, c, in[0]); bytes.Equal(again.Data, hidden[0].Data) {
		t.Error("the same payload is encrypted alike twice")
	}
}

func TestCodecSealsOnce(t *testing.T) {
	t.Parallel()

	c := newCodec(t, vault.NewKeyring())
	once := encode(t, c, plain("{}"))
	if twice := encode(t, c, once); !proto.Equal(once, twice) {
		t.Error("sealed twice")
	}
	// What only claims to be encrypted is not left in clear.
	claims := &commonpb.Payload{
		Metadata: map[string][]byte{"encoding": []byte(vault.EncryptedEncoding)},
		Data:     []byte("Orsolya Quist"),
	}
	if p := encode(t, c, claims); bytes.Contains(p.Data, []byte("Orsolya")) {
		t.Error("a false mark left content in clear")
	}
}

func TestCodecDecode(t *testing.T) {
	t.Parallel()

	old := vault.NewKeyring()
	ring := rotated(t, old)
	sealed := encode(t, newCodec(t, old), plain("{}"))
	change := func(f func(p *commonpb.Payload)) *commonpb.Payload {
		p := proto.Clone(sealed).(*commonpb.Payload)
		f(p)
		return p
	}
	tests := map[string]struct {
		ring *vault.Keyring
		in   *commonpb.Payload
		want *commonpb.Payload
		kind library.Kind
		text string
	}{
		"same ring":            {ring: old, in: sealed, want: plain("{}")},
		"after rotation":       {ring: ring, in: sealed, want: plain("{}")},
		"plain passes":         {ring: ring, in: plain("x"), want: plain("x")},
		"empty passes":         {ring: ring, in: &commonpb.Payload{}, want: &commonpb.Payload{}},
		"key gone":             {ring: without(t, ring, old.Active()), in: sealed, text: old.Active()},
		"a byte flipped":       {ring: ring, in: change(func(p *commonpb.Payload) { p.Data[20] ^= 1 }), kind: library.Invalid},
		"cut":                  {ring: ring, in: change(func(p *commonpb.Payload) { p.Data = p.Data[:10] }), kind: library.Invalid},
		"no content":           {ring: ring, in: change(func(p *commonpb.Payload) { p.Data = nil }), kind: library.Invalid},
		"another key's name":   {ring: ring, in: change(func(p *commonpb.Payload) { p.Metadata[vault.KeyIDMetadata] = []byte(ring.Active()) }), kind: library.Invalid},
		"no key id":            {ring: ring, in: change(func(p *commonpb.Payload) { delete(p.Metadata, vault.KeyIDMetadata) }), kind: library.Invalid},
		"key id is a letter":   {ring: ring, in: change(func(p *commonpb.Payload) { p.Metadata[vault.KeyIDMetadata] = []byte("Dear Sir,\n") }), kind: library.Invalid},
		"huge":                 {ring: ring, in: change(func(p *commonpb.Payload) { p.Data = make([]byte, 9<<20) }), kind: library.Invalid},
		"digest key is no use": {ring: vault.NewKeyring(), in: sealed, text: old.Active()},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, err := newCodec(t, tt.ring).Decode([]*commonpb.Payload{tt.in})
			if tt.want != nil {
				if err != nil || !proto.Equal(got[0], tt.want) {
					t.Fatalf("got %v, error %v", got, err)
				}
				return
			}
			if err == nil || library.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "Dear") {
				t.Errorf("error %v of kind %q, want kind %q naming %q", err, library.KindOf(err), tt.kind, tt.text)
			}
		})
	}
}

func TestFailuresAreEncoded(t *testing.T) {
	t.Parallel()

	ring := vault.NewKeyring()
	fc, err := vault.FailureConverter(ring)
	if err != nil {
		t.Fatal(err)
	}
	cause := temporal.NewNonRetryableApplicationError("Orsolya Quist", "invalid", errors.New("Quist too"), "and Quist")
	failure := fc.ErrorToFailure(cause)
	wire, err := proto.Marshal(failure)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(wire, []byte("Quist")) {
		t.Errorf("shows its text: %q", wire)
	}
	back := fc.FailureToError(failure)
	var app *temporal.ApplicationError
	if !errors.As(back, &app) || app.Message() != "Orsolya Quist" || app.Type() != "invalid" {
		t.Errorf("came back as %v", back)
	}
}

func FuzzDecode(f *testing.F) {
	ring := vault.NewKeyring()
	c := newCodec(f, ring)
	sealed := encode(f, c, plain(`{"note":""}`))
	f.Add(sealed.Data, []byte(vault.EncryptedEncoding), []byte(ring.Active()))
	f.Add([]byte("{}"), []byte("json/plain"), []byte(""))
	f.Add([]byte{}, []byte(vault.EncryptedEncoding), []byte("k\x00"))
	f.Fuzz(func(t *testing.T, content, encoding, id []byte) {
		p := &commonpb.Payload{
			Metadata: map[string][]byte{"encoding": encoding, vault.KeyIDMetadata: id},
			Data:     content,
		}
		got, err := c.Decode([]*commonpb.Payload{p})
		switch {
		case err != nil:
		case string(encoding) != vault.EncryptedEncoding:
			if !proto.Equal(got[0], p) {
				t.Error("changed what it did not make")
			}
		case !bytes.Equal(content, sealed.Data):
			t.Error("opened what nobody sealed")
		}
	})
}

// BenchmarkConverter reports what encryption costs beside Temporal's plain
// converter, for a payload of a kilobyte.
func BenchmarkConverter(b *testing.B) {
	sealing, err := vault.DataConverter(vault.NewKeyring())
	if err != nil {
		b.Fatal(err)
	}
	value := map[string]string{"note": strings.Repeat("x", 1<<10)}
	run := func(dc converter.DataConverter) time.Duration {
		start := time.Now()
		for range b.N {
			p, err := dc.ToPayload(value)
			if err != nil {
				b.Fatal(err)
			}
			var back map[string]string
			if err := dc.FromPayload(p, &back); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(start)
	}
	clear := run(converter.GetDefaultDataConverter())
	b.ResetTimer()
	b.ReportMetric(float64(run(sealing))/float64(clear), "x-plain")
}
