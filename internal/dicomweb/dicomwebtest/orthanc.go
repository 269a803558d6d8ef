// Package dicomwebtest starts real DICOMweb archives for tests: Orthanc, on
// loopback, with a password, each with a store of its own.
//
// It knows nothing of the client that is tested with it.
package dicomwebtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// plugin is where Debian puts the DICOMweb plugin of Orthanc.
const plugin = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"

// nobody is the unprivileged user of every Debian machine.
const nobody = 65534

// An Orthanc is a running archive.
type Orthanc struct {
	URL      string // Its DICOMweb service root.
	Username string
	Password string

	dir    string
	port   int
	cmd    *exec.Cmd
	exited chan struct{} // Closed when it has ended.
}

// Start starts an Orthanc and waits until it answers. Run as root, it runs as
// nobody. The caller stops it.
func Start(ctx context.Context) (*Orthanc, error) {
	program, err := exec.LookPath("Orthanc")
	if err != nil {
		return nil, errors.New("orthanc is missing: apt-get install orthanc orthanc-dicomweb")
	}
	if _, err := os.Stat(plugin); err != nil {
		return nil, errors.New("the DICOMweb plugin is missing: apt-get install orthanc-dicomweb")
	}
	// A free port can be taken by another between looking and using.
	for range 3 {
		o := &Orthanc{Username: "release", Password: "test-password"}
		if err = o.start(ctx, program); err == nil {
			return o, nil
		}
		o.Stop()
	}
	return nil, err
}

func (o *Orthanc) start(ctx context.Context, program string) error {
	var err error
	if o.dir, err = os.MkdirTemp("", "orthanc-test-"); err != nil {
		return err
	}
	if o.port, err = freePort(); err != nil {
		return err
	}
	dicomPort, err := freePort()
	if err != nil {
		return err
	}
	conf := filepath.Join(o.dir, "orthanc.json")
	if err := o.configure(conf, dicomPort); err != nil {
		return err
	}
	o.URL = fmt.Sprintf("http://127.0.0.1:%d/dicom-web", o.port)
	o.cmd = exec.Command(program, conf) //nolint:noctx // Outlives the start; Stop ends it.
	o.cmd.Dir = o.dir
	o.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		for _, p := range []string{o.dir, conf} {
			if err := os.Chown(p, nobody, nobody); err != nil {
				return err
			}
		}
		o.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	if err := o.cmd.Start(); err != nil {
		return err
	}
	o.exited = make(chan struct{})
	go func() {
		_ = o.cmd.Wait()
		close(o.exited)
	}()
	return o.ready(ctx)
}

func (o *Orthanc) configure(file string, dicomPort int) error {
	conf, err := json.Marshal(map[string]any{
		"Name":                  "TEST",
		"StorageDirectory":      filepath.Join(o.dir, "db"),
		"IndexDirectory":        filepath.Join(o.dir, "db"),
		"Plugins":               []string{plugin},
		"HttpPort":              o.port,
		"RemoteAccessAllowed":   false,
		"AuthenticationEnabled": true,
		"RegisteredUsers":       map[string]string{o.Username: o.Password},
		"DicomAet":              "TEST",
		"DicomPort":             dicomPort,
		"DicomCheckCalledAet":   true,
		"DicomAlwaysAllowStore": false,
		"OverwriteInstances":    false,
		"SyncStorageArea":       false,
		"DicomWeb": map[string]any{
			"Enable": true, "Root": "/dicom-web/", "EnableWado": false,
			"Host": "127.0.0.1:" + strconv.Itoa(o.port), "Ssl": false,
		},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(file, conf, 0o600)
}

// ready waits until the archive answers.
func (o *Orthanc) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL+"/studies?StudyInstanceUID=2.25.0", nil)
		if err != nil {
			return err
		}
		req.SetBasicAuth(o.Username, o.Password)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-o.exited:
			return errors.New("orthanc has ended")
		case <-ctx.Done():
			return fmt.Errorf("orthanc does not answer: %w", ctx.Err())
		case <-again.C:
		}
	}
}

// Kill ends the archive at once, as a power cut would.
func (o *Orthanc) Kill() {
	if o.cmd == nil || o.cmd.Process == nil {
		return
	}
	_ = o.cmd.Process.Kill()
	<-o.exited
}

// Stop ends the archive and removes what it stored. Stopping twice is
// harmless.
func (o *Orthanc) Stop() {
	o.Kill()
	_ = os.RemoveAll(o.dir)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // Closed at once.
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil //nolint:errcheck // It is one.
}
