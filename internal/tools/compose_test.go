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
	ours      = []string{"certificates", "migrate", "worker", "staff", "desk", "keys"}
	oneShot   = []string{"certificates", "temporal-schema", "temporal-namespace", "migrate"}
	onDemand  = []string{"desk", "keys"} // Run by a person, and for no longer than that.
	published = []string{"staff"}
)

// certified says whose certificate for Temporal a service has, and nobody
// else's.
var certified = map[string]string{
	"temporal": "certificates-temporal", "temporal-namespace": "certificates-tools", "temporal-ui": "certificates-ui",
	"worker": "certificates-worker", "staff": "certificates-staff", "desk": "certificates-desk",
}

// members says who is in a network.
var members = map[string][]string{
	"database": {"desk", "migrate", "postgres", "staff", "temporal", "temporal-schema", "worker"},
	"frontend": {"desk", "staff", "temporal", "temporal-namespace", "worker"},
	"ui":       {"staff", "temporal", "temporal-ui"},
	"outside":  {"worker"},
	"entrance": {"staff"},
}

// ways says which networks lead out of the machine.
var ways = []string{"entrance", "outside"}

// clientAuth is how Temporal is told to let nobody in without a certificate. A
// test of devtools/temporal starts the real server with all of its settings.
var clientAuth = map[string]string{
	"TEMPORAL_TLS_REQUIRE_CLIENT_AUTH": "true",
	"TEMPORAL_TLS_FRONTEND_CERT":       "/run/certificates/frontend.pem",
	"TEMPORAL_TLS_CLIENT1_CA_CERT":     "/run/certificates/ca.pem",
	"TEMPORAL_TLS_SERVER_CA_CERT":      "/run/certificates/cluster-ca.pem",
}

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
		"the UI for everybody":            {"    networks: [ui]\n", "    ports: [\"127.0.0.1:8080:8080\"]\n    networks: [ui]\n", "temporal-ui: publishes 8080"},
		"the UI for the worker":           {"networks: [database, frontend, outside]", "networks: [database, frontend, ui, outside]", "network ui has"},
		"the UI at the entrance":          {"    networks: [ui]\n", "    networks: [ui, entrance]\n", "network entrance has"},
		"the database of the UI":          {"    networks: [ui]\n", "    networks: [ui, database]\n", "network database has"},
		"Temporal with a way out":         {"networks: [database, frontend, ui]\n", "networks: [database, frontend, ui, outside]\n", "network outside has"},
		"no gateway":                      {"ports: [\"${FILEROOM_PUBLISH:-443}:8443\"]", "expose: [\"8443\"]", "staff: publishes nothing"},
		"Temporal without certificates":   {"TEMPORAL_TLS_REQUIRE_CLIENT_AUTH: \"true\"", "TEMPORAL_TLS_REQUIRE_CLIENT_AUTH: \"false\"", "temporal: TEMPORAL_TLS_REQUIRE_CLIENT_AUTH"},
		"one authority for all":           {"/run/certificates/cluster-ca.pem", "/run/certificates/ca.pem", "temporal: TEMPORAL_TLS_SERVER_CA_CERT"},
		"a certificate of another":        {"certificates-worker:/run/certificates:ro", "certificates-staff:/run/certificates:ro", "worker: holds certificates-staff"},
		"a certificate too many":          {"- certificates-ui:/run/certificates:ro", "- certificates-ui:/run/certificates:ro\n      - certificates-tools:/run/tools:ro", "temporal-ui: holds certificates-tools"},
		"no certificate":                  {"      - certificates-desk:/run/certificates:ro\n", "", "desk: TEMPORAL_TLS_CLIENT_CERT_PATH"},
		"a certificate that may change":   {"certificates-staff:/run/certificates:ro", "certificates-staff:/run/certificates", "staff: may write certificates-staff"},
		"Temporal before certificates":    {"certificates: {condition: service_completed_successfully}", "certificates: {condition: service_started}", "temporal: waits for certificates"},
		"a gateway that writes documents": {"vault:/var/lib/fileroom/vault:ro", "vault:/var/lib/fileroom/vault", "staff: may write vault"},
		"a gateway with a worker's login": {"FILEROOM_DATABASE_URL_FILE: /run/secrets/staff_database_url", "FILEROOM_DATABASE_URL_FILE: /run/secrets/worker_database_url", "/run/secrets/worker_database_url"},
		"a gateway that cannot sign":      {"staff_database_url, keyring, staff_signing,", "staff_database_url, keyring,", "/run/secrets/staff_signing"},
		"the database for everybody":      {"shm_size: 256m", "ports: [\"127.0.0.1:5432:5432\"]", "postgres: publishes 5432"},
		"Temporal for everybody":          {"stop_grace_period: 1m\n    healthcheck:\n      test: [CMD, nc", "ports: [\"127.0.0.1:7233:7233\"]\n    healthcheck:\n      test: [CMD, nc", "temporal: publishes 7233"},
		"a password in the environment":   {"POSTGRES_PASSWORD_FILE: /run/secrets/postgres_password", "POSTGRES_PASSWORD: hunter2", "POSTGRES_PASSWORD"},
		"a password in a URL":             {"FILEROOM_DATABASE_URL_FILE: /run/secrets/owner_database_url", "FILEROOM_DATABASE_URL: postgres://u:p@postgres/fileroom", "FILEROOM_DATABASE_URL"},
		"a secret that is not given":      {"worker_password, reader_password, staff_password]", "worker_password, staff_password]", "/run/secrets/reader_password"},
		"a secret from the environment":   {"postgres_password: {file: ./secrets/postgres_password}", "postgres_password: {environment: PW}", "secret postgres_password"},
		"the server before its schema":    {"temporal-schema: {condition: service_completed_successfully}", "temporal-schema: {condition: service_started}", "temporal: waits for temporal-schema"},
		"the worker before the migration": {"migrate: {condition: service_completed_successfully}\n      temporal-namespace", "migrate: {condition: service_started}\n      temporal-namespace", "worker: waits for migrate"},
		"a service without restart":       {"restart: unless-stopped\n    cap_drop: [ALL]\n    security_opt: [\"no-new-privileges:true\"]\n    depends_on:\n      temporal: {condition: service_healthy}\n    environment: # For", "cap_drop: [ALL]\n    security_opt: [\"no-new-privileges:true\"]\n    depends_on:\n      temporal: {condition: service_healthy}\n    environment: # For", "temporal-ui: restart"},
		"a migration for ever":            {"command: [migrate]\n    restart: on-failure:5", "command: [migrate]\n    restart: always", "migrate: restart"},
		"a container that may write":      {"  read_only: true\n", "", "worker: its root is not read-only"},
		"a container with capabilities":   {"user: \"10001:10001\"\n  read_only: true\n  cap_drop: [ALL]", "user: \"10001:10001\"\n  read_only: true", "worker: keeps capabilities"},
		"a container that may rise":       {"security_opt: [\"no-new-privileges:true\"]\n  tmpfs", "tmpfs", "worker: may gain privileges"},
		"a container that is root":        {"user: \"10001:10001\"", "user: root", "worker: runs as root"},
		"a service nobody looks after":    {"test: [CMD, nc, -z, 127.0.0.1, \"7233\"]", "disable: true", "temporal: has no healthcheck"},
		"the signing key in the desk":     {"secrets: [worker_database_url, keyring, staff_public]", "secrets: [worker_database_url, keyring, staff_public, staff_signing]", "desk: holds the key that signs for staff"},
		"all keys in the worker":          {"- certificates-worker:/run/certificates:ro", "- ./secrets:/run/all:ro\n      - certificates-worker:/run/certificates:ro", "worker: is given ./secrets"},
		"the signing key in the worker":   {"secrets: [worker_database_url, keyring, staff_public, mailbox_password", "secrets: [worker_database_url, keyring, staff_public, staff_signing, mailbox_password", "worker: holds the key that signs for staff"},
		"the owner's URL in the worker":   {"secrets: [worker_database_url, keyring, staff_public, mailbox_password", "secrets: [worker_database_url, owner_database_url, keyring, staff_public, mailbox_password", "worker: holds the owner's"},
		"a way out for the database":      {"database: {internal: true}", "database: {}", "network database has a way out"},
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
	for _, name := range slices.Concat(ours, oneShot, published, []string{"postgres", "temporal"}) {
		if _, ok := p.Services[name]; !ok {
			fault("there is no service %s", name)
		}
	}
	return slices.Concat(faults, checkOrder(p), checkNetworks(p), checkCertificates(p))
}

// checkNetworks looks at who can reach whom.
func checkNetworks(p *types.Project) []string {
	var faults []string
	in := map[string][]string{}
	for name, s := range p.Services {
		for network := range s.Networks {
			in[network] = append(in[network], name)
		}
	}
	for network, want := range members {
		got := in[network]
		slices.Sort(got)
		if !slices.Equal(got, want) {
			faults = append(faults, fmt.Sprintf("network %s has %v, want %v", network, got, want))
		}
	}
	for name, n := range p.Networks {
		switch _, known := members[name]; {
		case !known && len(in[name]) > 0:
			faults = append(faults, "network "+name+" is not known")
		case known && !n.Internal && !slices.Contains(ways, name):
			faults = append(faults, "network "+name+" has a way out")
		}
	}
	return faults
}

// checkCertificates looks at who may speak to Temporal.
func checkCertificates(p *types.Project) []string {
	var faults []string
	for name, want := range clientAuth {
		got := p.Services["temporal"].Environment[name]
		if got == nil || *got != want {
			faults = append(faults, "temporal: "+name+" is not "+want)
		}
	}
	for name, s := range p.Services {
		held := ""
		for _, v := range s.Volumes {
			if !strings.HasPrefix(v.Source, "certificates-") || name == "certificates" {
				continue
			}
			if v.Source != certified[name] {
				faults = append(faults, name+": holds "+v.Source)
			}
			if !v.ReadOnly {
				faults = append(faults, name+": may write "+v.Source)
			}
			held = v.Target
		}
		for setting, value := range s.Environment {
			if value != nil && strings.HasPrefix(*value, "/run/certificates/") && held != "/run/certificates" {
				faults = append(faults, name+": "+setting+" names a certificate that it is not given")
			}
		}
	}
	return faults
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
	}
	if slices.Contains(published, s.Name) && len(s.Ports) != 1 {
		faults = append(faults, "publishes nothing, or more than the one port")
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
		case strings.HasPrefix(*value, "/run/certificates/"): // See checkCertificates.
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
	if s.Name != "staff" && holds("staff_signing") {
		faults = append(faults, "holds the key that signs for staff")
	}
	for _, v := range s.Volumes {
		_, folder, inside := strings.Cut(v.Source+"/", "/secrets/")
		if v.Type == types.VolumeTypeBind && inside && folder != "facilities/" && (s.Name != "keys" || folder != "keys/") {
			faults = append(faults, "is given ./secrets/"+folder)
		}
		if s.Name == "staff" && v.Source == "vault" && !v.ReadOnly {
			faults = append(faults, "may write vault")
		}
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
		{"temporal", "certificates", types.ServiceConditionCompletedSuccessfully},
		{"temporal-namespace", "temporal", types.ServiceConditionHealthy},
		{"temporal-ui", "temporal", types.ServiceConditionHealthy},
		{"migrate", "postgres", types.ServiceConditionHealthy},
		{"worker", "migrate", types.ServiceConditionCompletedSuccessfully},
		{"worker", "temporal-namespace", types.ServiceConditionCompletedSuccessfully},
		{"staff", "migrate", types.ServiceConditionCompletedSuccessfully},
		{"staff", "temporal-namespace", types.ServiceConditionCompletedSuccessfully},
		{"staff", "temporal-ui", types.ServiceConditionHealthy},
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
