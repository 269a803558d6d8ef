package devstack

import (
	"context"
	"path/filepath"
	"strconv"
	"syscall"
)

// newTemporal returns the Temporal development server. It is built first if
// need be, which the other services do not wait for.
func (s *Stack) newTemporal(o Options) (*unit, error) {
	d := s.Description()
	codec, panel := o.CodecEndpoint, o.PanelURL
	if codec == "" {
		codec = d.Gateway.URL + "/codec"
	}
	if panel == "" {
		panel = d.Gateway.PanelURL + "/panel"
	}
	args := []string{
		"server", "start-dev", "--ip", loopback,
		"--port", strconv.Itoa(s.ports.port(portTemporal)),
		"--ui-port", strconv.Itoa(s.ports.port(portUI)),
		"--internal-port", strconv.Itoa(s.ports.port(portTemporalInternal)),
		"--db-filename", d.Temporal.Database,
		"--log-level", "warn",
		"--ui-public-url", d.Gateway.URL,
		"--ui-panel-url", panel,
		"--ui-codec-endpoint", codec, "--ui-codec-credentials",
	}
	if s.temporalTLS {
		args = append(args, "--tls-cert", s.place.tlsFile(), "--tls-key", s.place.tlsKeyFile(), "--tls-client-ca", s.place.caFile())
	}
	binary := o.TemporalBinary
	return &unit{
		service: Temporal, out: s.out, tail: s.logTail,
		launch: func(ctx context.Context) (instance, error) {
			if binary == "" {
				var err error
				if binary, err = BuildTemporal(ctx, s.out); err != nil {
					return nil, err
				}
			}
			return s.launch(command{
				service: Temporal, path: binary, args: args,
				dir: filepath.Dir(d.Temporal.Database), stop: syscall.SIGTERM,
			})
		},
		// Through the UI, this asks the frontend and its database as well.
		probe: func(ctx context.Context) error {
			return probeURL(ctx, d.Temporal.UI+"/api/v1/namespaces/"+d.Temporal.Namespace, "", "")
		},
	}, nil
}
