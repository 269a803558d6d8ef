// Package tools_test holds docker-compose.yml, the Dockerfile and the scripts
// beside them to what an installation may rely on. It lives in the module of
// the tools, so that the product's go.mod needs no parser of compose files. It
// runs no containers.
package tools_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// root is the folder of the project.
const root = "../.."

// Services by what they are.
var (
	ours      = []string{"migrate", "worker", "desk", "keys"}
	oneShot   = []string{"temporal-schema", "temporal-namespace", "migrate"}
	onDemand  = []string{"desk", "keys"} // Run by a person, and for no longer than that.
	published = []string{"temporal-ui"}
)

func TestCompose(t *testing.T) {
	t.Parallel()
	for _, fault := range check(load(t, composeText(t))) {
		t.Error(fault)
	}
}

// TestComposeBites changes the file in ways that must not pass.
func TestComposeBites(t *testing.T) {
	t.Parallel()
	text := composeText(t)
	tests := map[string]struct{ old, with, want string }{
		"an image without a tag":          {"image: postgres:16\n", "image: postgres\n", "postgres: image postgres has no tag"},
		"an image that changes by itself": {"temporalio/ui:2.55.0", "temporalio/ui:latest", "tag latest"},
		"the deprecated image":            {"temporalio/server:1.32.0", "temporalio/auto-setup:1.29.6", "deprecated"},
		"a server older than its tools":   {"temporalio/server:1.32.0", "temporalio/server:1.31.0", "releases"},
		"the UI for the whole network":    {"127.0.0.1:8080:8080", "8080:8080", "temporal-ui: publishes 8080 on all addresses"},
		"the database for everybody":      {"shm_size: 256m", "ports: [\"127.0.0.1:5432:5432\"]", "postgres: publishes 5432"},
		"Temporal for everybody":          {"stop_grace_period: 1m\n    healthcheck:\n      test: [CMD, nc", "ports: [\"127.0.0.1:7233:7233\"]\n    healthcheck:\n      test: [CMD, nc", "temporal: publishes 7233"},
		"a password in the environment":   {"POSTGRES_PASSWORD_FILE: /run/secrets/postgres_password", "POSTGRES_PASSWORD: hunter2", "POSTGRES_PASSWORD"},
		"a password in a URL":             {"FILEROOM_DATABASE_URL_FILE: /run/secrets/owner_database_url", "FILEROOM_DATABASE_URL: postgres://u:p@postgres/fileroom", "FILEROOM_DATABASE_URL"},
		"a secret that is not given":      {"secrets: [owner_database_url, worker_password, reader_password]", "secrets: [owner_database_url, worker_password]", "/run/secrets/reader_password"},
		"a secret from the environment":   {"postgres_password: {file: ./secrets/postgres_password}", "postgres_password: {environment: PW}", "secret postgres_password"},
		"the server before its schema":    {"temporal-schema: {condition: service_completed_successfully}", "temporal-schema: {condition: service_started}", "temporal: waits for temporal-schema"},
		"the worker before the migration": {"migrate: {condition: service_completed_successfully}\n      temporal-namespace", "migrate: {condition: service_started}\n      temporal-namespace", "worker: waits for migrate"},
		"a service without restart":       {"restart: unless-stopped\n    cap_drop: [ALL]\n    security_opt: [\"no-new-privileges:true\"]\n    depends_on:\n      temporal: {condition: service_healthy}\n    environment:\n      TEMPORAL_ADDRESS: temporal:7233\n      TEMPORAL_DEFAULT", "cap_drop: [ALL]\n    security_opt: [\"no-new-privileges:true\"]\n    depends_on:\n      temporal: {condition: service_healthy}\n    environment:\n      TEMPORAL_ADDRESS: temporal:7233\n      TEMPORAL_DEFAULT", "temporal-ui: restart"},
		"a migration for ever":            {"command: [migrate]\n    restart: on-failure:5", "command: [migrate]\n    restart: always", "migrate: restart"},
		"a container that may write":      {"  read_only: true\n", "", "worker: its root is not read-only"},
		"a container with capabilities":   {"user: \"10001:10001\"\n  read_only: true\n  cap_drop: [ALL]", "user: \"10001:10001\"\n  read_only: true", "worker: keeps capabilities"},
		"a container that may rise":       {"security_opt: [\"no-new-privileges:true\"]\n  tmpfs", "tmpfs", "worker: may gain privileges"},
		"a container that is root":        {"user: \"10001:10001\"", "user: root", "worker: runs as root"},
		"a service nobody looks after":    {"test: [CMD, nc, -z, 127.0.0.1, \"7233\"]", "disable: true", "temporal: has no healthcheck"},
		"the signing key in the worker":   {"secrets: [worker_database_url, keyring, staff_public, mailbox_password", "secrets: [worker_database_url, keyring, staff_public, staff_signing, mailbox_password", "worker: holds the key that signs for staff"},
		"the owner's URL in the worker":   {"secrets: [worker_database_url, keyring, staff_public, mailbox_password", "secrets: [worker_database_url, owner_database_url, keyring, staff_public, mailbox_password", "worker: holds the owner's"},
		"a way out for the database":      {"inside: {internal: true}", "inside: {}", "network inside"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(text, tt.old) {
				t.Fatalf("the file has no %q to change", tt.old)
			}
			faults := check(load(t, strings.Replace(text, tt.old, tt.with, 1)))
			if !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, tt.want) }) {
				t.Errorf("faults %q, want one with %q", faults, tt.want)
			}
		})
	}
}

// check says everything that is wrong with an installation.
func check(p *types.Project) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for name, s := range p.Services {
		for _, f := range slices.Concat(checkImage(s), checkPorts(s), checkEnvironment(s), checkLife(s), checkRights(s)) {
			fault("%s: %s", name, f)
		}
		for _, secret := range s.Secrets {
			if _, ok := p.Secrets[secret.Source]; !ok {
				fault("%s: there is no secret %s", name, secret.Source)
			}
		}
	}
	for name, s := range p.Secrets {
		if s.File == "" || s.Environment != "" || s.Content != "" {
			fault("secret %s is not a file", name)
		}
	}
	if !p.Networks["inside"].Internal {
		fault("network inside has a way out")
	}
	for _, name := range slices.Concat(ours, oneShot, published, []string{"postgres", "temporal"}) {
		if _, ok := p.Services[name]; !ok {
			fault("there is no service %s", name)
		}
	}
	return append(faults, checkOrder(p)...)
}

// tag is a release: a number, and what the program itself is built under.
var tag = regexp.MustCompile(`^(\d+(\.\d+)*|dev)$`)

func checkImage(s types.ServiceConfig) []string {
	image, version, found := strings.Cut(s.Image, ":")
	switch {
	case !found:
		return []string{"image " + s.Image + " has no tag"}
	case !tag.MatchString(version):
		return []string{"image " + image + " has the tag " + version + ", which is no release"}
	case image == "temporalio/auto-setup":
		return []string{"image " + image + " is deprecated"}
	case slices.Contains(ours, s.Name) && (s.Build == nil || image != "fileroom"):
		return []string{"is ours, and not built from here"}
	}
	return nil
}

func checkPorts(s types.ServiceConfig) []string {
	var faults []string
	for _, port := range s.Ports {
		if !slices.Contains(published, s.Name) {
			faults = append(faults, "publishes "+port.Published)
		}
		if port.HostIP != "127.0.0.1" {
			faults = append(faults, "publishes "+port.Published+" on all addresses")
		}
	}
	if s.NetworkMode == "host" {
		faults = append(faults, "shares the network of the machine")
	}
	return faults
}

// secretName matches names of settings that hold something secret.
var secretName = regexp.MustCompile(`(?i)(password|passwd|pwd|secret|token|key|credential|database_url)`)

func checkEnvironment(s types.ServiceConfig) []string {
	var faults []string
	for name, value := range s.Environment {
		if value == nil || *value == "" {
			continue
		}
		file, isFile := strings.CutPrefix(*value, "/run/secrets/")
		switch {
		case isFile:
			if !slices.ContainsFunc(s.Secrets, func(c types.ServiceSecretConfig) bool { return c.Source == file && c.Target == "/run/secrets/"+file }) {
				faults = append(faults, name+" names "+*value+", which it is not given")
			}
		case strings.Contains(*value, "://") && strings.Contains(*value, "@"):
			faults = append(faults, name+" is a URL with a password")
		case secretName.MatchString(name) && name != "FILEROOM_SECRETS": // That is a folder.
			faults = append(faults, name+" is secret, and given in the environment")
		}
	}
	return faults
}

// checkLife looks at how a service begins, lasts and ends.
func checkLife(s types.ServiceConfig) []string {
	var faults []string
	want := "unless-stopped"
	switch {
	case slices.Contains(onDemand, s.Name):
		want = "no"
		if len(s.Profiles) == 0 {
			faults = append(faults, "is run by people, and starts with everything else")
		}
	case slices.Contains(oneShot, s.Name):
		want = "on-failure:5"
	// The image of the worker brings its own check.
	case s.Name != "worker" && (s.HealthCheck == nil || s.HealthCheck.Disable || len(s.HealthCheck.Test) == 0):
		faults = append(faults, "has no healthcheck")
	case s.Name == "worker" && s.HealthCheck != nil && s.HealthCheck.Disable:
		faults = append(faults, "has its healthcheck switched off")
	}
	if s.Restart != want {
		faults = append(faults, "restart is "+s.Restart+", want "+want)
	}
	return faults
}

func checkRights(s types.ServiceConfig) []string {
	var faults []string
	if s.Privileged || len(s.CapAdd) > 0 || !slices.Contains(s.CapDrop, "ALL") {
		faults = append(faults, "keeps capabilities")
	}
	if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
		faults = append(faults, "may gain privileges")
	}
	holds := func(secret string) bool {
		return slices.ContainsFunc(s.Secrets, func(c types.ServiceSecretConfig) bool { return c.Source == secret })
	}
	if holds("staff_signing") {
		faults = append(faults, "holds the key that signs for staff")
	}
	if s.Name != "migrate" && holds("owner_database_url") {
		faults = append(faults, "holds the owner's way into the database")
	}
	if !slices.Contains(ours, s.Name) {
		return faults
	}
	if !s.ReadOnly {
		faults = append(faults, "its root is not read-only")
	}
	if user, _, _ := strings.Cut(s.User, ":"); user == "" || user == "0" || user == "root" {
		faults = append(faults, "runs as root")
	}
	for _, v := range s.Volumes {
		if strings.Contains(v.Source, "docker.sock") {
			faults = append(faults, "holds the socket of the engine")
		}
	}
	return faults
}

// checkOrder looks at who waits for what.
func checkOrder(p *types.Project) []string {
	var faults []string
	waits := []struct{ service, on, condition string }{
		{"temporal-schema", "postgres", types.ServiceConditionHealthy},
		{"temporal", "temporal-schema", types.ServiceConditionCompletedSuccessfully},
		{"temporal-namespace", "temporal", types.ServiceConditionHealthy},
		{"temporal-ui", "temporal", types.ServiceConditionHealthy},
		{"migrate", "postgres", types.ServiceConditionHealthy},
		{"worker", "migrate", types.ServiceConditionCompletedSuccessfully},
		{"worker", "temporal-namespace", types.ServiceConditionCompletedSuccessfully},
	}
	for _, w := range waits {
		if got := p.Services[w.service].DependsOn[w.on].Condition; got != w.condition {
			faults = append(faults, fmt.Sprintf("%s: waits for %s with %q, want %q", w.service, w.on, got, w.condition))
		}
	}
	release := func(service string) string {
		_, version, _ := strings.Cut(p.Services[service].Image, ":")
		major, rest, _ := strings.Cut(version, ".")
		minor, _, _ := strings.Cut(rest, ".")
		return major + "." + minor
	}
	for _, name := range []string{"temporal-schema", "temporal-namespace"} {
		if release(name) != release("temporal") {
			faults = append(faults, fmt.Sprintf("%s and temporal are of different releases", name))
		}
	}
	return faults
}

// TestComposeSettings checks that deploy/env.example has every setting that
// docker-compose.yml takes from outside, and no other.
func TestComposeSettings(t *testing.T) {
	t.Parallel()
	text := composeText(t)
	wanted := map[string]bool{}
	for _, m := range regexp.MustCompile(`\$\{([A-Z_]+)|(?m:^      ([A-Z_]+):$)`).FindAllStringSubmatch(text, -1) {
		wanted[m[1]+m[2]] = true
	}
	offered := map[string]bool{}
	for name := range example(t, true) {
		offered[name] = true
		if !wanted[name] {
			t.Errorf("deploy/env.example has %s, which docker-compose.yml does not use", name)
		}
	}
	for name := range wanted {
		if !offered[name] {
			t.Errorf("docker-compose.yml uses %s, which deploy/env.example does not explain", name)
		}
	}
}

// TestComposeNames checks that the program knows every setting that its
// containers are given: the README lists them all, which a test of the program
// sees to.
func TestComposeNames(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for service, s := range load(t, composeText(t)).Services {
		for name := range s.Environment {
			if strings.HasPrefix(name, "FILEROOM_") && !strings.Contains(string(readme), "`"+name+"`") {
				t.Errorf("%s is given %s, which the program does not know", service, name)
			}
		}
	}
}

// TestComposeFiles checks that every file of the project that a container is
// given is there.
func TestComposeFiles(t *testing.T) {
	t.Parallel()
	base, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range load(t, composeText(t)).Services {
		for _, v := range s.Volumes {
			relative, err := filepath.Rel(base, v.Source)
			if v.Type != types.VolumeTypeBind || err != nil || strings.HasPrefix(relative, "secrets") {
				continue
			}
			if _, err := os.Stat(v.Source); err != nil {
				t.Errorf("%s: there is no %s", name, relative)
			}
		}
	}
}

func composeText(tb testing.TB) string {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(root, "docker-compose.yml"))
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

// load parses a compose file with the example's settings.
func load(tb testing.TB, text string) *types.Project {
	tb.Helper()
	dir, err := filepath.Abs(root)
	if err != nil {
		tb.Fatal(err)
	}
	p, err := loader.LoadWithContext(tb.Context(), types.ConfigDetails{
		WorkingDir:  dir,
		ConfigFiles: []types.ConfigFile{{Filename: "docker-compose.yml", Content: []byte(text)}},
		Environment: types.Mapping(example(tb, false)),
	}, func(o *loader.Options) {
		o.SetProjectName("fileroom", true)
		o.Profiles = []string{"*"}
	})
	if err != nil {
		tb.Fatalf("parse docker-compose.yml: %v", err)
	}
	return p
}

// example returns the settings of deploy/env.example, with those that are
// commented out if all is true.
func example(tb testing.TB, all bool) map[string]string {
	tb.Helper()
	f, err := os.Open(filepath.Join(root, "deploy", "env.example"))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	settings := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if all {
			line = strings.TrimPrefix(line, "#")
		}
		if name, value, ok := strings.Cut(line, "="); ok && regexp.MustCompile(`^[A-Z_]+$`).MatchString(name) {
			settings[name] = value
		}
	}
	return settings
}
