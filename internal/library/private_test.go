package library_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"fileroom/internal/library"
)

func TestPrivateStaysPrivate(t *testing.T) {
	t.Parallel()

	const name = "Ada Lovelace"
	type patient struct {
		Name library.Private[string]
		name library.Private[string]
	}
	p := patient{Name: library.Hide(name), name: library.Hide(name)}

	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "name", p.Name, "patient", p)
	leaks := map[string]string{"slog": log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		leaks[verb] = fmt.Sprintf(verb, p) + fmt.Sprintf(verb, p.Name) + fmt.Sprintf(verb, &p)
	}
	for how, out := range leaks {
		if strings.Contains(out, "Ada") || strings.Contains(out, "416461") {
			t.Errorf("%s shows the value: %s", how, out)
		}
	}
	if out, err := json.Marshal(p); err == nil {
		t.Errorf("json.Marshal succeeded: %s", out)
	}
	if p.Name.Reveal() != name || p.name.Reveal() != name {
		t.Error("Reveal lost the value")
	}
}

func TestMailStaysPrivate(t *testing.T) {
	t.Parallel()

	m := library.MailMessage{From: "Ada", Subject: "Ada", Parts: []library.Part{{Name: "Ada", Body: []byte("Ada")}}}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "mail", m, "part", m.Parts[0])
	leaks := map[string]string{"slog": log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		leaks[verb] = fmt.Sprintf(verb, m) + fmt.Sprintf(verb, &m) + fmt.Sprintf(verb, m.Parts)
	}
	for how, out := range leaks {
		if strings.Contains(out, "Ada") || strings.Contains(out, "416461") || strings.Contains(out, "65 100 97") {
			t.Errorf("%s shows the message: %s", how, out)
		}
	}
	if _, err := json.Marshal(m); err == nil {
		t.Error("a message can be marshalled")
	}
}
