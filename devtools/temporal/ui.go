package main

import (
	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

// ui returns the Web UI. It works behind a reverse proxy that serves it at the
// root of another origin: its CSRF check compares a cookie with a header and
// looks at Sec-Fetch-Site, never at the host's name.
func (o options) ui(inner innerTLS) *uiserver.Server {
	return uiserver.NewServer(uioptions.WithConfigProvider(o.uiConfig(inner)))
}

func (o options) uiConfig(inner innerTLS) *uiconfig.Config {
	c := &uiconfig.Config{
		Host:                o.ip,
		Port:                o.uiPort,
		TemporalGRPCAddress: o.frontend(),
		EnableUI:            true,
		DefaultNamespace:    "default",
		// The UI would otherwise fetch a feed, and its log would hold texts
		// that it renders through a URL.
		DisableNewsFetch: true,
		HideLogs:         true,
		// Fileroom's gateway lets none of these pass, so the UI need not offer them.
		WorkflowTerminateDisabled: true,
		WorkflowCancelDisabled:    true,
		WorkflowResetDisabled:     true,
		WorkflowPauseDisabled:     true,
		BatchActionsDisabled:      true,
		StartWorkflowDisabled:     true,
		ActivityCommandsDisabled:  true,
		Codec:                     uiconfig.Codec{Endpoint: o.codecEndpoint, IncludeCredentials: o.codecCredentials},
		CustomUI:                  o.customUI(),
		CORS: uiconfig.CORS{
			AllowOrigins:   o.corsOrigins,
			CookieInsecure: true, // Loopback is served without TLS.
		},
		TLS: inner.ui(),
	}
	if o.publicURL != nil {
		c.CORS.AllowOrigins = append([]string{origin(o.publicURL)}, o.corsOrigins...)
		c.CORS.CookieInsecure = o.publicURL.Scheme != "https"
	}
	return c
}

// panelHeight is the most that the UI gives a panel in this place, in CSS
// pixels. The panel asks for less by a message when it needs less.
const panelHeight = 640

// customUI returns what the UI shows beside its own pages: the case panel in
// the head of a workflow's page. deploy/temporal/ui.yaml says the same for an
// installation.
func (o options) customUI() uiconfig.CustomUI {
	if o.panelURL == nil {
		return uiconfig.CustomUI{}
	}
	return uiconfig.CustomUI{Enabled: true, IframeExtensions: []uiconfig.IframeExtension{{
		ID:            "fileroom-case",
		Title:         "Case",
		Slot:          "workflow.header.after-details",
		Src:           o.panelURL.String(),
		AllowedOrigin: origin(o.panelURL),
		RoutePatterns: []string{"/namespaces/:namespace/workflows/:workflow/:run/*"},
		// Scripts are always let run. Same origin means the panel's own: without
		// it, the panel had no cookie and could not be told which workflow is
		// shown. Popups are for signing in, which no provider does in a frame.
		Sandbox:     uiconfig.IframeSandbox{AllowForms: true, AllowPopups: true, AllowSameOrigin: true},
		Sizing:      uiconfig.IframeExtensionSizing{DefaultHeight: panelHeight, MinHeight: 48, MaxHeight: panelHeight},
		Permissions: []string{"context:workflow"},
	}}}
}
