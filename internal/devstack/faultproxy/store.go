package faultproxy

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// DICOM tags of a STOW-RS answer (PS3.18 table 10.5.1-1).
const (
	tagReferencedSOPClass    = "00081150"
	tagReferencedSOPInstance = "00081155"
	tagFailureReason         = "00081197"
	tagFailedSOPs            = "00081198"
	tagReferencedSOPs        = "00081199"
)

// An element is a DICOM JSON element (PS3.18 Annex F).
type element struct {
	VR    string            `json:"vr"`
	Value []json.RawMessage `json:"Value,omitempty"`
}

// dataset is a DICOM JSON data set.
type dataset map[string]element

// store forwards the instances of a STOW-RS request that are not refused, and
// answers for those that are.
func (p *Proxy) store(w http.ResponseWriter, r *http.Request, f Faults) {
	boundary := relatedBoundary(r.Header.Get("Content-Type"))
	if boundary == "" {
		http.Error(w, "not multipart/related", http.StatusUnsupportedMediaType)
		return
	}
	var (
		body    bytes.Buffer
		refused []json.RawMessage
		kept    int
	)
	out := multipart.NewWriter(&body)
	for in := multipart.NewReader(r.Body, boundary); ; {
		part, err := in.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		var content []byte
		if err == nil {
			content, err = io.ReadAll(part)
		}
		if err != nil { // The client went away: so do we.
			breakOff(w)
			return
		}
		class, uid := identify(content)
		p.count(func(c *Counts) { c.Sent[uid]++ })
		reason, no := f.Refuse[uid]
		if f.RefuseAll != 0 {
			reason, no = f.RefuseAll, true
		}
		if no {
			refused = append(refused, failedItem(class, uid, reason))
			continue
		}
		kept++
		if err := copyPart(out, part.Header, content); err != nil {
			breakOff(w)
			return
		}
	}
	_ = out.Close() // Writes to memory.

	answer, status := dataset{}, http.StatusConflict
	if kept > 0 || len(refused) == 0 {
		r.Header.Set("Content-Type", `multipart/related; type="application/dicom"; boundary=`+out.Boundary())
		r.Header.Set("Accept", "application/dicom+json")
		resp, err := p.forward(r, &body)
		if err != nil {
			breakOff(w)
			return
		}
		content, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || json.Unmarshal(content, &answer) != nil {
			w.WriteHeader(resp.StatusCode) // Not an answer to a STOW-RS: passed on as it is.
			_, _ = w.Write(content)
			return
		}
		status = resp.StatusCode
		p.countStored(answer)
	}
	if p.losesAnswer() {
		breakOff(w)
		return
	}
	if len(refused) > 0 {
		failed := answer[tagFailedSOPs]
		failed.VR = "SQ"
		failed.Value = append(failed.Value, refused...)
		answer[tagFailedSOPs] = failed
		if status == http.StatusOK {
			status = http.StatusAccepted
		}
	}
	w.Header().Set("Content-Type", "application/dicom+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

func (p *Proxy) count(f func(*Counts)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.counts)
}

// losesAnswer takes one of the answers that are to be lost.
func (p *Proxy) losesAnswer() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.faults.LoseAnswers == 0 {
		return false
	}
	p.faults.LoseAnswers--
	return true
}

// countStored counts the instances that an answer lists as stored.
func (p *Proxy) countStored(answer dataset) {
	for _, raw := range answer[tagReferencedSOPs].Value {
		var item dataset
		if json.Unmarshal(raw, &item) != nil {
			continue
		}
		for _, v := range item[tagReferencedSOPInstance].Value {
			var uid string
			if json.Unmarshal(v, &uid) == nil {
				p.count(func(c *Counts) { c.Stored[uid]++ })
			}
		}
	}
}

// failedItem is an item of the Failed SOP Sequence.
func failedItem(class, uid string, reason uint16) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(
		`{%q:{"vr":"UI","Value":[%s]},%q:{"vr":"UI","Value":[%s]},%q:{"vr":"US","Value":[%d]}}`,
		tagReferencedSOPClass, strconv.Quote(class), tagReferencedSOPInstance, strconv.Quote(uid), tagFailureReason, reason))
}

// relatedBoundary returns the boundary of a multipart/related body, or "".
func relatedBoundary(contentType string) string {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/related" {
		return ""
	}
	return params["boundary"]
}

func copyPart(out *multipart.Writer, header textproto.MIMEHeader, content []byte) error {
	header.Del("Content-Length") // The content may have been altered.
	w, err := out.CreatePart(header)
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}

// alter returns a multipart body with every part changed by f.
func alter(in io.Reader, boundary string, f func(string, []byte) []byte) io.Reader {
	r, w := io.Pipe()
	go func() { w.CloseWithError(alterTo(w, in, boundary, f)) }()
	return r
}

func alterTo(w io.Writer, in io.Reader, boundary string, f func(string, []byte) []byte) error {
	out := multipart.NewWriter(w)
	if err := out.SetBoundary(boundary); err != nil {
		return err
	}
	for parts := multipart.NewReader(in, boundary); ; {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return out.Close()
		}
		if err != nil {
			return err
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return err
		}
		_, uid := identify(content)
		if err := copyPart(out, part.Header, f(uid, content)); err != nil {
			return err
		}
	}
}

// identify returns the SOP Class UID and SOP Instance UID that the file meta
// information of a DICOM file names (PS3.10 section 7.1), or "" and "".
func identify(file []byte) (class, instance string) {
	const prefix = 128 + 4
	if len(file) < prefix || string(file[128:prefix]) != "DICM" {
		return "", ""
	}
	// Group 2 is explicit VR, little endian, whatever the rest is.
	for b := file[prefix:]; len(b) >= 8 && binary.LittleEndian.Uint16(b) == 2; {
		tag, head, size := binary.LittleEndian.Uint16(b[2:]), 8, uint64(binary.LittleEndian.Uint16(b[6:]))
		if vr := string(b[4:6]); vr == "OB" || vr == "UN" || vr == "OW" || vr == "SQ" || vr == "UT" {
			if len(b) < 12 {
				return class, instance
			}
			head, size = 12, uint64(binary.LittleEndian.Uint32(b[8:]))
		}
		if uint64(len(b)-head) < size {
			return class, instance
		}
		value := strings.TrimRight(string(b[head:head+int(size)]), "\x00 ")
		switch tag {
		case 0x0002:
			class = value
		case 0x0003:
			instance = value
		}
		b = b[head+int(size):]
	}
	return class, instance
}
