package web_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"fileroom/internal/vault"
)

func TestCodecEndpoint(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	plain := &commonpb.Payloads{Payloads: []*commonpb.Payload{jsonPayload(said), jsonPayload("1")}}
	w := h.ask(t, "POST", "/codec/encode?preserveStorageRefs=true", toJSON(t, plain))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var sealed commonpb.Payloads
	if err := protojson.Unmarshal(w.Body.Bytes(), &sealed); err != nil {
		t.Fatal(err)
	}
	if got := string(sealed.Payloads[0].Metadata["encoding"]); got != vault.EncryptedEncoding {
		t.Errorf("encoded as %q", got)
	}

	// One that cannot be decoded hides none of the others.
	stranger := newHouse(t).seal(t, jsonPayload(said))
	sealed.Payloads = append(sealed.Payloads, stranger)
	w = h.ask(t, "POST", "/codec/decode", toJSON(t, &sealed), "Origin", "https://ui.fileroom.localhost")
	var back commonpb.Payloads
	if err := protojson.Unmarshal(w.Body.Bytes(), &back); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	want := &commonpb.Payloads{Payloads: append(plain.Payloads, stranger)}
	if !proto.Equal(&back, want) {
		t.Errorf("decoded as %v", &back)
	}
	if got := w.Header().Get("Access-Control-Allow-Origin"); got != "https://ui.fileroom.localhost" {
		t.Errorf("readable for %q", got)
	}
	if len(h.seen) != 0 {
		t.Error("the UI saw it")
	}
}

func TestCodecEndpointRefuses(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	good := toJSON(t, &commonpb.Payloads{Payloads: []*commonpb.Payload{h.seal(t, jsonPayload(said))}})
	tests := map[string]struct {
		method, target, body string
		headers              []string
		want                 int
	}{
		"nobody":                {headers: []string{as, "nobody"}, want: 401},
		"without a role":        {headers: []string{as, nemo.Subject}, want: 403},
		"sessions away":         {headers: []string{as, "broken"}, want: 503},
		"viewer":                {headers: []string{as, vera.Subject}, want: 200},
		"admin":                 {headers: []string{as, adam.Subject}, want: 200},
		"not by HTTPS":          {headers: []string{"Origin", "http://ui.library.example:8443"}, want: 403},
		"from another page":     {headers: []string{"Origin", "https://evil.example"}, want: 403},
		"rebound name":          {headers: []string{"Host", "evil.example:8080"}, want: 421},
		"a form":                {headers: []string{"Content-Type", "text/plain"}, want: 415},
		"get":                   {method: "GET", want: 404},
		"another path":          {target: "/codec/decode/", want: 404},
		"download":              {target: "/codec/download", want: 404},
		"no JSON":               {body: "x", want: 400},
		"too many":              {body: `{"payloads":[` + strings.Repeat("{},", 10_000) + "{}]}", want: 400},
		"huge":                  {body: strings.Repeat(" ", 17<<20), want: 413},
		"preflight, other page": {method: "OPTIONS", headers: []string{"Origin", "https://evil.example"}, want: 403},
		"preflight":             {method: "OPTIONS", want: 204},
		"good":                  {want: 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			or := func(s, otherwise string) string {
				if s == "" {
					return otherwise
				}
				return s
			}
			w := h.ask(t, or(tt.method, "POST"), or(tt.target, "/codec/decode"), or(tt.body, good), tt.headers...)
			if w.Code != tt.want {
				t.Errorf("%d %.200s, want %d", w.Code, w.Body, tt.want)
			}
			if tt.want != http.StatusOK && bytes.Contains(w.Body.Bytes(), []byte("data")) {
				t.Errorf("answered %.200s", w.Body)
			}
			if got := w.Header().Get("Access-Control-Allow-Origin"); strings.Contains(got, "evil") || got == "*" {
				t.Errorf("readable for %q", got)
			}
		})
	}
}
