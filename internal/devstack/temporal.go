package devstack

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"fileroom/internal/library"
)

// newTemporal returns the Temporal development server. It is built first if
// need be, which the other services do not wait for.
func (s *Stack) newTemporal(o Options) (*unit, error) {
	d := s.Description()
	codec := o.CodecEndpoint
	if codec == "" {
		codec = d.Gateway.URL + "/codec"
	}
	args := []string{
		"server", "start-dev", "--ip", loopback,
		"--port", strconv.Itoa(s.ports.port(portTemporal)),
		"--ui-port", strconv.Itoa(s.ports.port(portUI)),
		"--db-filename", d.Temporal.Database,
		"--log-level", "warn",
		"--ui-codec-endpoint", codec,
	}
	binary, ours := o.TemporalBinary, true
	return &unit{
		service: Temporal, out: s.out, tail: s.logTail,
		launch: func(ctx context.Context) (instance, error) {
			if binary == "" {
				var err error
				if binary, err = BuildTemporal(ctx, s.out); err != nil {
					return nil, err
				}
			}
			if out, err := exec.CommandContext(ctx, binary, "--version").Output(); err == nil {
				ours = strings.Contains(string(out), "fileroom")
			} else {
				return nil, library.Fault("start temporal", "", err)
			}
			all := args
			if ours {
				all = append(slices.Clip(all), "--internal-port", strconv.Itoa(s.ports.port(portTemporalInternal)))
			} else {
				all = append(slices.Clip(all), "--sqlite-pragma", "journal_mode=WAL")
			}
			return s.launch(command{
				service: Temporal, path: binary, args: all,
				dir: filepath.Dir(d.Temporal.Database), stop: syscall.SIGTERM,
			})
		},
		// Through the UI, this asks the frontend and its database as well.
		probe: func(ctx context.Context) error {
			return probeURL(ctx, d.Temporal.UI+"/api/v1/namespaces/"+d.Temporal.Namespace, "", "")
		},
	}, nil
}
