package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"go.temporal.io/api/enums/v1"
)

func TestOptionsOfTheSDKsTestSuite(t *testing.T) {
	t.Parallel()
	o, err := parseOptions(strings.Fields("--ip 127.0.0.1 --port 7300 --namespace default --namespace other"+
		" --dynamic-config-value frontend.enableServerVersionCheck=false --dynamic-config-value a.b={\"c\":1}"+
		" --log-level error --log-format json --headless --db-filename x.db --search-attribute Stage=Keyword"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.port != 7300 || o.uiPort != 0 || o.database != "x.db" ||
		!slices.Equal(o.namespaces, []string{"default", "other"}) ||
		o.searchAttributes["Stage"] != enums.INDEXED_VALUE_TYPE_KEYWORD ||
		o.dynamic["frontend.enableServerVersionCheck"] != false || o.dynamic["a.b"] == nil {
		t.Errorf("options %+v", o)
	}
}

func TestBadOptionsAreRefused(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]string{
		"every interface":       "--ip 0.0.0.0",
		"an outer interface":    "--ip 192.0.2.7",
		"no address":            "--ip example.org",
		"no port":               "--port 70000",
		"unknown type":          "--search-attribute Stage=Colour",
		"attribute without one": "--search-attribute Stage",
		"value that is no JSON": "--dynamic-config-value a=b",
		"value without a key":   "--dynamic-config-value 1",
		"argument left over":    "surplus",
		"unknown flag":          "--bogus",
		"a panel in plain text": "--ui-panel-url http://panel.fileroom.localhost/panel",
		"a panel that is none":  "--ui-panel-url panel",
		"a panel of the UI's":   "--ui-public-url https://ui.example --ui-panel-url https://ui.example/panel",
		"a UI of no address":    "--ui-public-url ui.example",
		"half of the TLS files": "--tls-cert a.pem --tls-key b.pem",
	} {
		if _, err := parseOptions(strings.Fields(args), io.Discard); err == nil {
			t.Errorf("%s: %s is taken", name, args)
		}
	}
}
