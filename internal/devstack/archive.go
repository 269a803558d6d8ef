package devstack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"fileroom/internal/library"
)

func (s *Stack) newPACS(Options) (*unit, error) { return s.newArchive(PACS, portPACS) }

func (s *Stack) newReceiver(Options) (*unit, error) { return s.newArchive(Receiver, portReceiver) }

// newArchive returns an Orthanc server with DICOMweb.
func (s *Stack) newArchive(service Service, port int) (*unit, error) {
	op := "set up " + string(service)
	orthanc, err := exec.LookPath("Orthanc")
	if err != nil {
		if orthanc, err = exec.LookPath("/usr/sbin/Orthanc"); err != nil {
			return nil, notInstalled(op, "Orthanc", "orthanc orthanc-dicomweb")
		}
	}
	plugin, err := dicomwebPlugin()
	if err != nil {
		return nil, notInstalled(op, "the DICOMweb plugin of Orthanc", "orthanc-dicomweb")
	}
	dir, err := s.place.serverDir(service)
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	config, err := json.MarshalIndent(s.orthancConfig(service, port, dir, plugin), "", "  ")
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	file := filepath.Join(dir, "orthanc.json")
	if err := s.place.writeFor(file, config); err != nil {
		return nil, library.Fault(op, "", err)
	}
	return &unit{
		service: service, out: s.out, tail: s.logTail,
		launch: func(context.Context) (instance, error) {
			return s.launch(command{
				service: service, path: orthanc, args: []string{file},
				dir: dir, as: s.place.as, stop: syscall.SIGTERM,
			})
		},
		probe: func(ctx context.Context) error { return probeArchive(ctx, s.archive(port, service)) },
	}, nil
}

// orthancConfig closes every door of Orthanc 1.10 but DICOMweb with a password.
// It listens on every interface whatever HttpBindAddresses says;
// RemoteAccessAllowed makes it refuse all but loopback. DIMSE, which has no
// such switch, is off.
func (s *Stack) orthancConfig(service Service, port int, dir, plugin string) map[string]any {
	db := filepath.Join(dir, "db")
	return map[string]any{
		"Name":                    "fileroom " + string(service),
		"StorageDirectory":        db,
		"IndexDirectory":          db,
		"Plugins":                 []string{plugin},
		"HttpPort":                s.ports.port(port),
		"HttpBindAddresses":       []string{loopback}, // For the day it is heeded.
		"HttpServerEnabled":       true,
		"HttpThreadsCount":        16,
		"KeepAlive":               true,
		"TcpNoDelay":              true,
		"RemoteAccessAllowed":     false,
		"AuthenticationEnabled":   true,
		"RegisteredUsers":         map[string]string{archiveUser: s.secrets.must(string(service))},
		"ExecuteLuaEnabled":       false,
		"DicomServerEnabled":      false,
		"OrthancExplorerEnabled":  false,
		"OverwriteInstances":      false,
		"StableAge":               1,
		"StorageCompression":      false,
		"SyncStorageArea":         false,
		"UnknownSopClassAccepted": true,
		"DicomWeb": map[string]any{
			"Enable": true, "Root": "/dicom-web/", "EnableWado": false,
			"Host": s.ports.address(port), "Ssl": false,
			"StudiesMetadata": "Full", "SeriesMetadata": "Full",
		},
	}
}

func dicomwebPlugin() (string, error) {
	for _, dir := range []string{"/usr/share/orthanc/plugins", "/usr/lib/orthanc", "/usr/local/share/orthanc/plugins"} {
		path := filepath.Join(dir, "libOrthancDicomWeb.so")
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", os.ErrNotExist
}

// probeArchive asks for one study, which takes the plugin, the index and the
// password.
func probeArchive(ctx context.Context, a Archive) error {
	return probeURL(ctx, a.URL+"/studies?limit=1", a.User, a.Password)
}

// probeURL asks for a page and is content with 200 or 204.
func probeURL(ctx context.Context, url, user, password string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/dicom+json, application/json")
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("answers %s", resp.Status)
	}
	return nil
}
