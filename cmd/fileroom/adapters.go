package main

import (
	"context"
	"encoding/json"
	"io"

	"fileroom/activities"
	"fileroom/internal/library"
	"fileroom/internal/staff"
	"fileroom/internal/vault"
)

// verified is the verifier of staff's signatures as activities want it.
type verified struct{ v *staff.Verifier }

// OpenSignal implements [activities.Verifier].
func (s verified) OpenSignal(ctx context.Context, workflow string, m activities.Signal) (activities.Signed, json.RawMessage, error) {
	signed, payload, err := s.v.OpenSignal(ctx, workflow, staff.Message{Name: m.Name, Sealed: m.Sealed, Header: m.Header})
	return activities.Signed{Actor: signed.Actor, Nonce: signed.Nonce, Header: signed.Header}, payload, err
}

// Holds implements [activities.Verifier].
func (s verified) Holds(header, workflow string, m library.Message, payload []byte) (activities.Signed, error) {
	signed, err := s.v.Holds(header, workflow, string(m), payload)
	return activities.Signed{Actor: signed.Actor, Nonce: signed.Nonce, Header: signed.Header, IssuedAt: signed.IssuedAt}, err
}

// documents is the vault's folder as activities want it.
type documents struct{ *vault.Folder }

// Put implements [activities.Vault].
func (d documents) Put(ctx context.Context, r io.Reader, limit int64) (digest string, size int64, err error) {
	kept, err := d.Folder.Put(ctx, r, limit)
	return kept.Digest, kept.Size, err
}

// maxPicture is the most bytes of the picture of a page.
const maxPicture = 16 << 20

// keepPicture keeps the picture of a page, for staff to look at.
func (d documents) keepPicture(ctx context.Context, png io.Reader) (string, error) {
	kept, err := d.Folder.Put(ctx, png, maxPicture)
	return kept.Digest, err
}
