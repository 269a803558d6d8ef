package integration_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"fileroom/internal/library"
	"fileroom/internal/staff"
)

// An attack is a message that must not be heard.
type attack struct {
	says string // Part of the refusal, so that it is refused for the reason that is tried here.
	make func(t *testing.T, f *forgery) raw
}

// A forgery is what an attacker has to work with.
type forgery struct {
	*victim
	other *victim // Another case that could be approved.
}

// approve is an approval with a header as text.
func (f *forgery) approve(t *testing.T, header map[string]*common.Payload) raw {
	t.Helper()
	return raw{to: f.release, message: library.Approve, payloads: f.sealed(t, f.approval()), header: header}
}

// good is the header that a specialist's approval would have.
func (f *forgery) good(t *testing.T) string {
	t.Helper()
	return sign(t, f.signer(t), f.person(t, "demo-specialist"), f.release, library.Approve, f.approval())
}

// altered returns a header with its fields changed.
func altered(t *testing.T, text string, change func(fields map[string]any)) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatal(err)
	}
	change(fields)
	return string(encoded(fields))
}

// restated returns a header whose statement was changed after it was signed.
func restated(t *testing.T, text string, change func(statement map[string]any)) string {
	t.Helper()
	var h struct {
		Version   int    `json:"version"`
		Key       string `json:"key"`
		Statement []byte `json:"statement"`
		Signature []byte `json:"signature"`
	}
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		t.Fatal(err)
	}
	var statement map[string]any
	if err := json.Unmarshal(h.Statement, &statement); err != nil {
		t.Fatal(err)
	}
	change(statement)
	h.Statement = encoded(statement)
	return string(encoded(h))
}

// speaking is an attack by a good signature for somebody who may not.
func speaking(m library.Message, payload func(f *forgery) []byte, roles ...library.Role) func(*testing.T, *forgery) raw {
	return func(t *testing.T, f *forgery) raw {
		t.Helper()
		by := library.Actor{Subject: "somebody", Name: "Sam Body", Roles: roles}
		said := payload(f)
		return raw{
			to: f.release, message: m, payloads: f.sealed(t, said), identity: by.Subject,
			header: header(sign(t, f.signer(t), by, f.release, m, said)),
		}
	}
}

func theApproval(f *forgery) []byte { return f.approval() }

func aReason(*forgery) []byte { return encoded(library.ReasonPayload{Reason: "because"}) }

// attacks are messages by Temporal's own protocol: what the temporal command
// line can send, or whoever has got into the network.
func attacks() map[string]attack {
	const forged, malformed, unsigned = "forged or damaged", "signature is malformed", "nobody signed"
	return map[string]attack{
		"without a header": {says: unsigned, make: func(t *testing.T, f *forgery) raw { return f.approve(t, nil) }},
		"with the identity of somebody who may": {says: unsigned, make: func(t *testing.T, f *forgery) raw {
			r := f.approve(t, nil)
			r.identity = "demo-privacy"
			return r
		}},
		"with a header of another name": {says: unsigned, make: func(t *testing.T, f *forgery) raw {
			return f.approve(t, map[string]*common.Payload{"X-Fileroom-Actor": staff.HeaderPayload(f.good(t))})
		}},
		"with the claims of somebody and no signature": {says: malformed, make: func(t *testing.T, f *forgery) raw {
			return f.approve(t, header(string(encoded(f.person(t, "demo-privacy")))))
		}},
		"with a header of another encoding": {says: unsigned, make: func(t *testing.T, f *forgery) raw {
			p := staff.HeaderPayload(f.good(t))
			p.Metadata[converter.MetadataEncoding] = []byte(converter.MetadataEncodingBinary)
			return f.approve(t, map[string]*common.Payload{staff.HeaderName: p})
		}},
		"with garbage for a header": {says: malformed, make: func(t *testing.T, f *forgery) raw {
			return f.approve(t, header(`"garbage"`))
		}},
		"with a header that is too long": {says: unsigned, make: func(t *testing.T, f *forgery) raw {
			return f.approve(t, header(`"`+strings.Repeat("x", 64<<10)+`"`))
		}},
		"signed with a key of one's own": {says: "not known here", make: func(t *testing.T, f *forgery) raw {
			return f.approve(t, header(sign(t, f.forger(t), f.person(t, "demo-privacy"), f.release, library.Approve, f.approval())))
		}},
		"signed with a key of one's own under the name of the door's": {says: forged, make: func(t *testing.T, f *forgery) raw {
			own := f.forger(t)
			own.Key.ID = f.signer(t).Key.ID
			return f.approve(t, header(sign(t, own, f.person(t, "demo-privacy"), f.release, library.Approve, f.approval())))
		}},
		"with a header that says that it needs no signature": {says: malformed, make: func(t *testing.T, f *forgery) raw {
			return f.approve(t, header(altered(t, f.good(t), func(h map[string]any) { h["alg"], h["signature"] = "none", "" })))
		}},
		"with a header of another version": {says: malformed, make: func(t *testing.T, f *forgery) raw {
			return f.approve(t, header(altered(t, f.good(t), func(h map[string]any) { h["version"] = 2 })))
		}},
		"with an empty signature": {says: forged, make: func(t *testing.T, f *forgery) raw {
			return f.approve(t, header(altered(t, f.good(t), func(h map[string]any) { h["signature"] = "" })))
		}},
		"with a statement that names somebody else": {says: forged, make: func(t *testing.T, f *forgery) raw {
			return f.approve(t, header(restated(t, f.good(t), func(st map[string]any) { st["actor"] = f.person(t, "demo-privacy") })))
		}},
		"with a statement that names a later time": {says: forged, make: func(t *testing.T, f *forgery) raw {
			return f.approve(t, header(restated(t, f.good(t), func(st map[string]any) { st["issued_at"] = time.Now().Add(time.Second).UTC() })))
		}},
		"with the header of another case's approval": {says: "another message", make: func(t *testing.T, f *forgery) raw {
			o := f.other
			r := f.approve(t, header(sign(t, f.signer(t), f.person(t, "demo-specialist"), o.release, library.Approve, o.approval())))
			return r
		}},
		"with header and payload of another case's approval": {says: "another message", make: func(t *testing.T, f *forgery) raw {
			o := f.other
			r := f.approve(t, header(sign(t, f.signer(t), f.person(t, "demo-specialist"), o.release, library.Approve, o.approval())))
			r.payloads = f.sealed(t, o.approval())
			return r
		}},
		"with the header of another message": {says: "another message", make: func(t *testing.T, f *forgery) raw {
			return f.approve(t, header(sign(t, f.signer(t), f.person(t, "demo-lead"), f.release, library.Hold, f.approval())))
		}},
		"with the header of another payload": {says: "changed after it was signed", make: func(t *testing.T, f *forgery) raw {
			seen := encoded(library.ApprovePayload{Revision: "0123456789abcdef0123"})
			return f.approve(t, header(sign(t, f.signer(t), f.person(t, "demo-specialist"), f.release, library.Approve, seen)))
		}},
		"with a note that was not signed": {says: "changed after it was signed", make: func(t *testing.T, f *forgery) raw {
			r := f.approve(t, header(f.good(t)))
			r.payloads = f.sealed(t, encoded(library.ApprovePayload{Revision: f.revision, Note: "seen by all"}))
			return r
		}},
		"with a signature that has expired": {says: "expired", make: func(t *testing.T, f *forgery) raw {
			late := f.signer(t)
			late.Now = func() time.Time { return time.Now().Add(-staff.MaxAge - time.Second) }
			return f.approve(t, header(sign(t, late, f.person(t, "demo-specialist"), f.release, library.Approve, f.approval())))
		}},
		"with a signature of tomorrow": {says: "dated in the future", make: func(t *testing.T, f *forgery) raw {
			early := f.signer(t)
			early.Now = func() time.Time { return time.Now().Add(24 * time.Hour) }
			return f.approve(t, header(sign(t, early, f.person(t, "demo-specialist"), f.release, library.Approve, f.approval())))
		}},
		"of a revision that was never shown": {says: "not as you saw it", make: speaking(library.Approve,
			func(*forgery) []byte { return encoded(library.ApprovePayload{Revision: "0123456789abcdef0123"}) }, library.RoleSpecialist)},
		"by a viewer":               {says: "needs the role specialist", make: speaking(library.Approve, theApproval, library.RoleViewer)},
		"by an administrator":       {says: "needs the role specialist", make: speaking(library.Approve, theApproval, library.RoleAdmin)},
		"by nobody's role":          {says: "needs the role specialist", make: speaking(library.Approve, theApproval)},
		"by an invented role":       {says: "needs the role specialist", make: speaking(library.Approve, theApproval, "superuser", "Specialist")},
		"a denial by a specialist":  {says: "needs the role privacy", make: speaking(library.Deny, aReason, library.RoleSpecialist)},
		"a denial by a lead":        {says: "needs the role privacy", make: speaking(library.Deny, aReason, library.RoleLead)},
		"a hold by a specialist":    {says: "needs the role lead", make: speaking(library.Hold, aReason, library.RoleSpecialist)},
		"a withdrawal by a viewer":  {says: "needs the role specialist", make: speaking(library.Withdraw, aReason, library.RoleViewer)},
		"a withdrawal by an admin":  {says: "needs the role specialist", make: speaking(library.Withdraw, aReason, library.RoleAdmin)},
		"a correction by a viewer":  {says: "needs the role specialist", make: speaking(library.Correct, aCorrection, library.RoleViewer)},
		"a denial without a header": {says: unsigned, make: bare(library.Deny, aReason)},
		"a withdrawal without one":  {says: unsigned, make: bare(library.Withdraw, aReason)},
		"a correction without one":  {says: unsigned, make: bare(library.Correct, aCorrection)},
		"a choice without one": {says: unsigned, make: bare(library.Choose, func(*forgery) []byte {
			return encoded(library.ChoosePayload{Basis: library.BasisAuthorization})
		})},
	}
}

func aCorrection(*forgery) []byte {
	return encoded(library.CorrectPayload{"patient.birth_date": "1961-03-09"})
}

// bare is an attack by a message that nobody signed.
func bare(m library.Message, payload func(f *forgery) []byte) func(*testing.T, *forgery) raw {
	return func(t *testing.T, f *forgery) raw {
		t.Helper()
		return raw{to: f.release, message: m, payloads: f.sealed(t, payload(f))}
	}
}

// TestAttackByMessages sends a case what must not be heard, each as an update
// and as a signal, and looks each time that nothing has come of it. In the end
// the case is approved rightly: nothing of all that hinders it.
func TestAttackByMessages(t *testing.T) {
	t.Parallel()
	i := usualInstallation(t)
	ctx := within(t, limit)
	f := &forgery{victim: newVictim(ctx, t, i, numberAttack, 3, i.dev.Receiver.URL), other: newVictim(ctx, t, i, numberAttack+1, 3, i.dev.Receiver.URL)}
	table := attacks()
	for _, name := range slices.Sorted(maps.Keys(table)) {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // One after the other: they speak to one case.
			a := table[name]
			if err := i.update(ctx, t, a.make(t, f)); err == nil || !strings.Contains(err.Error(), a.says) {
				t.Errorf("the update's refusal is %v, want %q", err, a.says)
			}
			f.wantUnmoved(ctx, t, 0, 0)
			if told := i.signal(ctx, t, f.id, a.make(t, f)); !strings.Contains(told, a.says) {
				t.Errorf("of the signal it tells %q, want %q", told, a.says)
			}
			f.wantUnmoved(ctx, t, 0, 0)
		})
	}
	t.Run("with payloads that nobody can read", func(t *testing.T) { testUnreadable(ctx, t, f) })
	f.wantReleasable(ctx, t)
	f.other.wantUnmoved(ctx, t, 0, 0)
}

// testUnreadable sends what is signed well and is no message.
func testUnreadable(ctx context.Context, t *testing.T, f *forgery) {
	good := header(f.good(t))
	garbled := f.sealed(t, f.approval())
	garbled.Payloads[0].Data[len(garbled.Payloads[0].Data)-1] ^= 1
	plain := &common.Payloads{Payloads: []*common.Payload{{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingBinary)}, Data: f.approval(),
	}}}
	for name, payloads := range map[string]*common.Payloads{
		"none": nil, "two": f.sealed(t, f.approval(), f.approval()), "garbled": garbled, "bytes": plain, "not JSON at all": {Payloads: []*common.Payload{{Data: []byte("{")}}},
	} {
		r := raw{to: f.release, message: library.Approve, payloads: payloads, header: good}
		if told := f.signal(ctx, t, f.id, r); told == "" {
			t.Errorf("%s: the case tells nothing of the signal", name)
		}
		f.wantUnmoved(ctx, t, 0, 0)
	}
}
