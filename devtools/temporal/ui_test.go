package main

import (
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/temporalio/ui-server/v2/plugins/fs_config_provider"

	uiconfig "github.com/temporalio/ui-server/v2/server/config"
)

const (
	publicURL = "https://ui.fileroom.localhost:7702"
	panelURL  = "https://panel.fileroom.localhost:7702/panel"
)

func TestPanelAndCodecOfTheUI(t *testing.T) {
	t.Parallel()
	o, err := parseOptions([]string{
		"--ui-public-url", publicURL, "--ui-panel-url", panelURL,
		"--ui-codec-endpoint", publicURL + "/codec", "--ui-codec-credentials",
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	c := o.uiConfig(innerTLS{})
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	sources, err := c.CustomUI.IframeFrameSources(false)
	if err != nil || !reflect.DeepEqual(sources, []string{"https://panel.fileroom.localhost:7702"}) {
		t.Errorf("the page may frame %v (%v), want the panel's origin", sources, err)
	}
	if c.Codec != (uiconfig.Codec{Endpoint: publicURL + "/codec", IncludeCredentials: true}) {
		t.Errorf("codec %+v", c.Codec)
	}
	if c.CORS.CookieInsecure || !reflect.DeepEqual(c.CORS.AllowOrigins, []string{publicURL}) {
		t.Errorf("cookies and origins %+v, want Secure ones and the public address alone", c.CORS)
	}
}

// TestUIOfAnInstallation reads deploy/temporal/ui.yaml as the UI's image does,
// and holds it to what the demonstration shows.
func TestUIOfAnInstallation(t *testing.T) {
	for name, value := range map[string]string{
		"TEMPORAL_ADDRESS": "temporal:7233", "TEMPORAL_DEFAULT_NAMESPACE": "fileroom",
		"TEMPORAL_TLS_CA": "/c/ca.pem", "TEMPORAL_TLS_CERT": "/c/client.pem", "TEMPORAL_TLS_KEY": "/c/client-key.pem",
		"FILEROOM_UI_URL": publicURL, "FILEROOM_PANEL_URL": strings.TrimSuffix(panelURL, "/panel"),
	} {
		t.Setenv(name, value)
	}
	// The image has it as docker.yaml, and says so on the command line.
	got, err := fs_config_provider.LoadConfig("../../deploy/temporal", "ui")
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Validate(); err != nil {
		t.Fatal(err)
	}
	o, err := parseOptions([]string{
		"--ui-public-url", publicURL, "--ui-panel-url", panelURL,
		"--ui-codec-endpoint", publicURL + "/codec", "--ui-codec-credentials",
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	want := o.uiConfig(innerTLS{})
	want.Host, want.Port, want.DefaultNamespace, want.TemporalGRPCAddress = "", 8080, "fileroom", "temporal:7233"
	want.TLS = uiconfig.TLS{
		CaFile: "/c/ca.pem", CertFile: "/c/client.pem", KeyFile: "/c/client-key.pem",
		ServerName: "temporal", EnableHostVerification: true,
	}
	want.Codec.DefaultErrorMessage, want.Codec.DefaultErrorLink = got.Codec.DefaultErrorMessage, got.Codec.DefaultErrorLink
	if !reflect.DeepEqual(got, want) {
		t.Errorf("an installation's UI is\n%+v, want\n%+v", got, want)
	}
}
