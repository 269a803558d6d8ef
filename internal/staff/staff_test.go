package staff_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/proto"

	"fileroom/internal/library"
	"fileroom/internal/staff"
	"fileroom/internal/staff/stafftest"
)

var (
	noon  = time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)
	alice = staff.Actor{Subject: "alice@library.example", Name: "Alice Ng", Roles: []staff.Role{staff.Specialist}}
	bob   = staff.Actor{Subject: "bob@library.example", Name: "Bob Ito", Roles: []staff.Role{staff.Lead}}
)

const (
	workflowID = "release/K7M4-2QXR"
	payload    = `{"revision":"9f2c","note":"as discussed with Orsolya Quist"}`
)

// atNoon returns a door whose clocks stand.
func atNoon(tb testing.TB) *stafftest.Door {
	tb.Helper()
	d := stafftest.NewDoor(tb, nil)
	clock := func() time.Time { return noon }
	d.Signer.Now, d.Verifier.Now = clock, clock
	return d
}

func sign(tb testing.TB, d *stafftest.Door, message string) string {
	tb.Helper()
	text, err := d.Signer.Sign(alice, workflowID, message, []byte(payload))
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func TestRoles(t *testing.T) {
	t.Parallel()

	all := []staff.Role{staff.Viewer, staff.Specialist, staff.Lead, staff.Privacy, staff.Admin}
	tests := map[string]struct {
		roles []staff.Role
		want  string // One digit for each of all.
	}{
		"nobody":                {roles: nil, want: "00000"},
		"viewer":                {roles: []staff.Role{staff.Viewer}, want: "10000"},
		"specialist":            {roles: []staff.Role{staff.Specialist}, want: "11000"},
		"lead":                  {roles: []staff.Role{staff.Lead}, want: "11100"},
		"privacy":               {roles: []staff.Role{staff.Privacy}, want: "11110"},
		"admin decides nothing": {roles: []staff.Role{staff.Admin}, want: "10001"},
		"admin and specialist":  {roles: []staff.Role{staff.Admin, staff.Specialist}, want: "11001"},
		"a role nobody knows":   {roles: []staff.Role{"owner", ""}, want: "00000"},
	}
	for name, tt := range tests {
		got := ""
		for _, r := range all {
			got += map[bool]string{true: "1", false: "0"}[staff.Actor{Subject: "x", Roles: tt.roles}.Is(r)]
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
		if (staff.Actor{Roles: tt.roles}).Is("owner") {
			t.Errorf("%s: has a role that nobody knows", name)
		}
	}
}

func TestVerifyNamesTheActor(t *testing.T) {
	t.Parallel()

	d := atNoon(t)
	text := sign(t, d, "approve")
	got, err := d.Verifier.Verify(text, workflowID, "approve", []byte(" \n"+payload+"\t\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got.Actor) != fmt.Sprint(alice) || got.WorkflowID != workflowID || got.Message != "approve" ||
		!got.IssuedAt.Equal(noon) || got.Nonce == "" || got.Header != text {
		t.Errorf("verified as %+v", got)
	}
	again, err := d.Verifier.Verify(sign(t, d, "approve"), workflowID, "approve", []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	if again.Nonce == got.Nonce || again.Digest == got.Digest {
		t.Error("two signatures share nonce or digest")
	}
	for _, secret := range []string{"Orsolya", "9f2c"} {
		plain, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text+string(plain), secret) {
			t.Errorf("the header shows what was said: %s", plain)
		}
	}
}

// TestVerifyRefuses is the table of attacks on a header.
func TestVerifyRefuses(t *testing.T) {
	t.Parallel()

	d, stranger := atNoon(t), atNoon(t)
	good := sign(t, d, "approve")
	retired, err := d.Verifier.Keys.Retire(d.Signer.Key.ID, noon.Add(-time.Second))
	if err != nil {
		t.Fatal(err)
	}
	otherDigests := *d
	otherDigests.Signer.Digests = stafftest.Digests("another key")

	tests := map[string]struct {
		header   string
		workflow string
		message  string
		payload  string
		now      time.Time
		keys     staff.PublicKeys
		want     string // Part of the sentence.
	}{
		"stripped":                  {header: "", want: "nobody signed"},
		"no JSON":                   {header: "alice", want: "malformed"},
		"empty JSON":                {header: "{}", want: "malformed"},
		"huge":                      {header: strings.Repeat(" ", 9<<10) + good, want: "malformed"},
		"two headers":               {header: good + good, want: "malformed"},
		"a later version":           {header: strings.Replace(good, `"version":1`, `"version":2`, 1), want: "malformed"},
		"a field more":              {header: strings.Replace(good, `{"version"`, `{"admin":true,"version"`, 1), want: "malformed"},
		"a stranger's key":          {header: sign(t, stranger, "approve"), want: "not known"},
		"a stranger's, key renamed": {header: strings.Replace(sign(t, stranger, "approve"), stranger.Signer.Key.ID, d.Signer.Key.ID, 1), want: "forged"},
		"another person put in":     {header: restate(t, good, func(s string) string { return strings.Replace(s, "alice", "carol", 1) }), want: "forged"},
		"a role put in":             {header: restate(t, good, func(s string) string { return strings.Replace(s, `"specialist"`, `"privacy"`, 1) }), want: "forged"},
		"time moved":                {header: restate(t, good, func(s string) string { return strings.Replace(s, "2031-", "2032-", 1) }), want: "forged"},
		"signature missing":         {header: unsigned(t, good), want: "forged"},
		"expired":                   {header: good, now: noon.Add(staff.MaxAge + time.Second), want: "expired"},
		"from the future":           {header: good, now: noon.Add(-time.Minute), want: "clocks"},
		"key out of use":            {header: good, keys: retired, want: "no longer in use"},
		"another case":              {header: good, workflow: "release/QQQQ-7777", want: "another message"},
		"another message":           {header: good, message: "deny", want: "another message"},
		"another payload":           {header: good, payload: `{"revision":"0000"}`, want: "changed"},
		"a space put into it":       {header: good, payload: strings.Replace(payload, ":", ": ", 1), want: "changed"},
		"payload missing":           {header: good, payload: " ", want: "empty"},
		"payload no JSON":           {header: good, payload: payload + "x", want: "not JSON"},
		"another digest key":        {header: sign(t, &otherDigests, "approve"), want: "changed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			v := *d.Verifier
			if !tt.now.IsZero() {
				v.Now = func() time.Time { return tt.now }
			}
			if tt.keys != nil {
				v.Keys = tt.keys
			}
			or := func(s, otherwise string) string {
				if s == "" {
					return otherwise
				}
				return s
			}
			got, err := v.Verify(tt.header, or(tt.workflow, workflowID), or(tt.message, "approve"), []byte(or(tt.payload, payload)))
			if library.KindOf(err) != library.Invalid || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v of kind %q, want invalid with %q", err, library.KindOf(err), tt.want)
			}
			if strings.Contains(err.Error(), "Orsolya") {
				t.Errorf("the error tells what was said: %v", err)
			}
			if got.Actor.Subject != "" {
				t.Errorf("refused, and yet %+v", got)
			}
		})
	}
}

func restate(tb testing.TB, header string, change func(string) string) string {
	tb.Helper()
	var h map[string]any
	if err := json.Unmarshal([]byte(header), &h); err != nil {
		tb.Fatal(err)
	}
	said, err := base64.StdEncoding.DecodeString(fmt.Sprint(h["statement"]))
	if err != nil {
		tb.Fatal(err)
	}
	changed := change(string(said))
	if changed == string(said) {
		tb.Fatalf("nothing to change in %s", said)
	}
	h["statement"] = []byte(changed)
	b, err := json.Marshal(h)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func unsigned(tb testing.TB, header string) string {
	tb.Helper()
	var h map[string]any
	if err := json.Unmarshal([]byte(header), &h); err != nil {
		tb.Fatal(err)
	}
	h["signature"] = ""
	b, err := json.Marshal(h)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func TestVerifyAcceptsWithin(t *testing.T) {
	t.Parallel()

	d := atNoon(t)
	good := sign(t, d, "approve")
	retired, err := d.Verifier.Keys.Retire(d.Signer.Key.ID, noon.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]staff.Verifier{
		"just before it expires":     {Keys: d.Verifier.Keys, Now: func() time.Time { return noon.Add(staff.MaxAge) }},
		"a clock a little behind":    {Keys: d.Verifier.Keys, Now: func() time.Time { return noon.Add(-20 * time.Second) }},
		"a key retired since":        {Keys: retired, Now: func() time.Time { return noon.Add(2 * time.Minute) }},
		"a key among several others": {Keys: atNoon(t).Verifier.Keys.With(d.Signer.Key.Public()), Now: d.Verifier.Now},
	}
	for name, v := range tests {
		v.Digests = d.Verifier.Digests
		if _, err := v.Verify(good, workflowID, "approve", []byte(payload)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()

	d := atNoon(t)
	tests := map[string]struct {
		actor                      staff.Actor
		workflow, message, payload string
	}{
		"nobody":               {workflow: "w", message: "approve", payload: "{}"},
		"an endless name":      {actor: staff.Actor{Subject: "x", Name: strings.Repeat("x", 300)}, workflow: "w", message: "approve", payload: "{}"},
		"no workflow":          {actor: alice, message: "approve", payload: "{}"},
		"an endless workflow":  {actor: alice, workflow: strings.Repeat("w", 9<<10), message: "approve", payload: "{}"},
		"no message":           {actor: alice, workflow: "w", payload: "{}"},
		"no payload":           {actor: alice, workflow: "w", message: "approve"},
		"payload that is text": {actor: alice, workflow: "w", message: "approve", payload: "yes"},
	}
	for name, tt := range tests {
		if _, err := d.Signer.Sign(tt.actor, tt.workflow, tt.message, []byte(tt.payload)); library.KindOf(err) != library.Invalid {
			t.Errorf("%s: error %v, want invalid", name, err)
		}
	}
}

func TestKeyFiles(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	private, public := filepath.Join(dir, "signing.json"), filepath.Join(dir, "public.json")
	key, err := staff.NewSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := staff.WriteSigningKey(private, key); err != nil {
		t.Fatal(err)
	}
	if err := staff.WriteSigningKey(private, key); library.KindOf(err) != library.Conflict {
		t.Errorf("overwritten: %v", err)
	}
	keys := atNoon(t).Verifier.Keys.With(key.Public()).With(key.Public())
	keys, err = keys.Retire(key.ID, noon)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // The second time in place of the first.
		if err := staff.WritePublicKeys(public, keys); err != nil {
			t.Fatal(err)
		}
	}
	back, err := staff.ReadSigningKey(private)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(back.Public()) != fmt.Sprint(key.Public()) {
		t.Error("the signing key changed")
	}
	list, err := staff.ReadPublicKeys(public)
	if err != nil || fmt.Sprint(list) != fmt.Sprint(keys) || len(list) != 2 {
		t.Errorf("read %v, error %v, want %v", list, err, keys)
	}
	for path, modes := range map[string]map[os.FileMode]bool{
		private: {0o600: true, 0o400: true, 0o644: false, 0o620: false},
		public:  {0o644: true, 0o600: true, 0o664: false, 0o646: false},
	} {
		for mode, ok := range modes {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			_, err := staff.ReadSigningKey(path)
			if path == public {
				_, err = staff.ReadPublicKeys(path)
			}
			if (err == nil) != ok {
				t.Errorf("%s with mode %04o: %v, want ok %t", filepath.Base(path), mode, err, ok)
			}
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".tmp*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}

func TestKeyFilesRefuse(t *testing.T) {
	t.Parallel()

	key := atNoon(t).Signer.Key.Public()
	renamed := key
	renamed.ID = "0123456789abcdef"
	list := func(k staff.PublicKey) string {
		b, err := json.Marshal(map[string]any{"keys": staff.PublicKeys{k}})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, tt := range map[string]struct {
		text string
		ok   bool
	}{
		"a key":               {text: list(key), ok: true},
		"no keys":             {text: `{"keys":[]}`, ok: true},
		"empty":               {text: ""},
		"not JSON":            {text: "key"},
		"under another's id":  {text: list(renamed)},
		"a key that is short": {text: `{"keys":[{"id":"x","key":"AAAA"}]}`},
	} {
		path := filepath.Join(t.TempDir(), "keys.json")
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := staff.ReadPublicKeys(path); (err == nil) != tt.ok {
			t.Errorf("public, %s: %v, want ok %t", name, err, tt.ok)
		}
		if _, err := staff.ReadSigningKey(path); library.KindOf(err) != library.Invalid {
			t.Errorf("signing, %s: %v, want invalid", name, err)
		}
	}
}

func TestSigningKeyStaysPrivate(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "k.json")
	key := atNoon(t).Signer.Key
	if err := staff.WriteSigningKey(path, key); err != nil {
		t.Fatal(err)
	}
	stored, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Seed []byte }
	if err := json.Unmarshal(stored, &f); err != nil {
		t.Fatal(err)
	}
	holder := struct{ K staff.SigningKey }{key}
	out := fmt.Sprintf("%v %+v %#v %s %x %d %v", key, key, key, key, key, key, holder) + key.LogValue().String()
	for _, shown := range []string{string(f.Seed), fmt.Sprintf("%x", f.Seed), base64.StdEncoding.EncodeToString(f.Seed)} {
		if strings.Contains(out, shown) {
			t.Errorf("the key shows in %q", out)
		}
	}
	if b, err := json.Marshal(holder); err == nil {
		t.Errorf("marshalled as %s", b)
	}
}

func TestHeaderPayload(t *testing.T) {
	t.Parallel()

	text := sign(t, atNoon(t), "approve")
	if got := staff.HeaderText(staff.HeaderPayload(text)); got != text {
		t.Errorf("came back as %q", got)
	}
	for name, p := range map[string]*commonpb.Payload{
		"none":            nil,
		"empty":           {},
		"another payload": {Metadata: map[string][]byte{"encoding": []byte("binary/plain")}, Data: []byte(text)},
		"no JSON":         staff.HeaderPayload("alice"),
		"huge":            staff.HeaderPayload(`"` + strings.Repeat("x", 9<<10) + `"`),
	} {
		if got := staff.HeaderText(p); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// seal marshals payloads as a signal brings them.
func seal(tb testing.TB, payloads ...*commonpb.Payload) []byte {
	tb.Helper()
	b, err := proto.Marshal(&commonpb.Payloads{Payloads: payloads})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func jsonPayload(text string) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(text)}
}

func TestOpenSignal(t *testing.T) {
	t.Parallel()

	d := atNoon(t)
	good := sign(t, d, "approve")
	binary := jsonPayload(payload)
	binary.Metadata["encoding"] = []byte("binary/plain")
	tests := map[string]struct {
		message staff.Message
		want    string // Part of the sentence; "" when it is good.
	}{
		"good":            {message: staff.Message{Name: "approve", Header: good, Sealed: seal(t, jsonPayload(payload))}},
		"unsigned":        {message: staff.Message{Name: "approve", Sealed: seal(t, jsonPayload(payload))}, want: "nobody signed"},
		"another payload": {message: staff.Message{Name: "approve", Header: good, Sealed: seal(t, jsonPayload("{}"))}, want: "changed"},
		"no payload":      {message: staff.Message{Name: "approve", Header: good}, want: "empty"},
		"two payloads":    {message: staff.Message{Name: "approve", Header: good, Sealed: seal(t, jsonPayload(payload), jsonPayload("{}"))}, want: "one JSON value"},
		"not JSON":        {message: staff.Message{Name: "approve", Header: good, Sealed: seal(t, jsonPayload("yes"))}, want: "not JSON"},
		"binary":          {message: staff.Message{Name: "approve", Header: good, Sealed: seal(t, binary)}, want: "encoding"},
		"no encoding":     {message: staff.Message{Name: "approve", Header: good, Sealed: seal(t, &commonpb.Payload{})}, want: "encoding"},
		"noise":           {message: staff.Message{Name: "approve", Header: good, Sealed: []byte{255, 1, 2}}, want: "malformed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			signed, said, err := d.Verifier.OpenSignal(t.Context(), workflowID, tt.message)
			if tt.want == "" {
				if err != nil || string(said) != payload || signed.Actor.Subject != alice.Subject {
					t.Fatalf("opened as %s by %+v, error %v", said, signed.Actor, err)
				}
				return
			}
			if library.KindOf(err) != library.Invalid || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want invalid with %q", err, tt.want)
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	d := stafftest.NewDoor(f, nil)
	clock := func() time.Time { return noon }
	d.Signer.Now, d.Verifier.Now = clock, clock
	good := sign(f, d, "approve")
	f.Add(good, "approve", payload)
	f.Add("{}", "deny", "{}")
	f.Add(`{"version":1,"key":"x","statement":"e30=","signature":"AAAA"}`, "approve", payload)
	f.Fuzz(func(t *testing.T, header, message, said string) {
		got, err := d.Verifier.Verify(header, workflowID, message, []byte(said))
		if err != nil {
			return
		}
		if got.Actor.Subject != alice.Subject || message != "approve" || strings.TrimSpace(said) != payload {
			t.Errorf("accepted %s %q as said by %+v", message, said, got.Actor)
		}
	})
}
