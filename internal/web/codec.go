package web

import (
	"context"
	"io"
	"mime"
	"net/http"
	"slices"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"
)

// What one request to the codec endpoint may carry.
const (
	maxCodecBody     = 16 << 20 // Bytes: a page of history.
	maxCodecPayloads = 10_000
)

// codecHandler encodes and decodes payloads for the Temporal UI (POST
// /codec/encode and /codec/decode, each with a JSON Payloads message for body
// and answer), for everybody who is signed in.
//
// The SDK has such a handler, but one without bounds, and of which one payload
// that cannot be decoded hides all others.
type codecHandler struct{ codec converter.PayloadCodec }

// serve answers a request. Before payloads are decoded it calls enter with their
// number, and decodes none if that fails.
func (h codecHandler) serve(w http.ResponseWriter, r *http.Request, enter func(ctx context.Context, payloads int) error) {
	var do func([]*commonpb.Payload) ([]*commonpb.Payload, error)
	switch r.URL.Path {
	case "/codec/encode":
		do, enter = h.codec.Encode, func(context.Context, int) error { return nil } // It shows nothing.
	case "/codec/decode":
		do = h.decode
	}
	if do == nil || r.Method != http.MethodPost {
		refuse(w, r, http.StatusNotFound, "the codec knows POST /codec/encode and /codec/decode")
		return
	}
	// A form, which any page may send anywhere, cannot have this type.
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		refuse(w, r, http.StatusUnsupportedMediaType, "payloads come as application/json")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCodecBody))
	if err != nil {
		refuse(w, r, http.StatusRequestEntityTooLarge, "too much at once, or not received whole")
		return
	}
	var payloads commonpb.Payloads
	if err := protojson.Unmarshal(body, &payloads); err != nil || len(payloads.GetPayloads()) > maxCodecPayloads {
		refuse(w, r, http.StatusBadRequest, "these are no payloads")
		return
	}
	if err := enter(r.Context(), len(payloads.GetPayloads())); err != nil {
		refuse(w, r, http.StatusServiceUnavailable, unlogged)
		return
	}
	out, err := do(payloads.GetPayloads())
	if err != nil {
		refuseError(w, r, err)
		return
	}
	b, err := protojson.Marshal(&commonpb.Payloads{Payloads: out})
	if err != nil {
		refuse(w, r, http.StatusInternalServerError, "the payloads cannot be written as JSON")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(b)
}

// decode decodes payloads one by one. One that cannot be decoded stays as it
// is: the UI then shows that it is encrypted, and under which key.
func (h codecHandler) decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := slices.Clone(payloads)
	for i, p := range payloads {
		if plain, err := h.codec.Decode([]*commonpb.Payload{p}); err == nil {
			out[i] = plain[0]
		}
	}
	return out, nil
}

// preflight answers a browser that asks whether a page of ours, known by
// another of our names, may use the codec.
func (g *Gateway) preflight(w http.ResponseWriter, r *http.Request) {
	g.allowOrigin(w, r)
	w.Header().Set("Access-Control-Allow-Methods", "POST")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Authorization-Extras, Content-Type, X-Namespace")
	w.WriteHeader(http.StatusNoContent)
}

// allowOrigin lets a page of ours read the answer. Its origin was checked.
func (g *Gateway) allowOrigin(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Allow-Credentials", "true")
	}
}
