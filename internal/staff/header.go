package staff

import (
	"encoding/json"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
)

// HeaderName is the field of a Temporal header in which a statement travels.
const HeaderName = "x-fileroom-actor"

// HeaderPayload returns a header's text as a payload: JSON, in clear, for the
// data converter does not touch headers.
func HeaderPayload(text string) *commonpb.Payload {
	return &commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)},
		Data:     []byte(text),
	}
}

// HeaderText returns the text that [HeaderPayload] made a payload of, or "" for
// what is no such payload.
func HeaderText(p *commonpb.Payload) string {
	if string(p.GetMetadata()[converter.MetadataEncoding]) != converter.MetadataEncodingJSON ||
		len(p.GetData()) > maxHeader || !json.Valid(p.GetData()) {
		return ""
	}
	return string(p.GetData())
}
