package devstack_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fileroom/internal/devstack"
)

// parentVar makes the test binary play a program that runs a stack in the
// folder it names, until it is killed.
const parentVar = "FILEROOM_DEVSTACK_TEST_PARENT"

// playParent starts a stack, prints its processes, and waits for its end.
func playParent(dir string) {
	s, err := devstack.Start(context.Background(), devstack.Options{Dir: dir, Out: os.Stderr})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	pids := map[devstack.Service]int{}
	for _, service := range devstack.Services() {
		pids[service] = s.PID(service)
	}
	_ = json.NewEncoder(os.Stdout).Encode(pids)
	select {}
}

func TestNothingOutlivesItsParent(t *testing.T) {
	t.Parallel()
	whole(t) // Whatever has to be built is built.
	dir := folder(t)

	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), parentVar+"="+dir)
	parent.Stderr = os.Stderr
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the parent did not start its servers: %v", err)
	}
	var pids map[devstack.Service]int
	if err := json.Unmarshal([]byte(line), &pids); err != nil {
		t.Fatal(err)
	}
	family := map[int]string{}
	for service, pid := range pids {
		for _, p := range descendants(pid) {
			family[p] = string(service)
		}
	}
	if len(family) < 8 { // Five servers, of which two have helpers.
		t.Fatalf("only %d processes seen: %v", len(family), family)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for pid, service := range family {
		if err := gone(ctx, pid); err != nil {
			t.Errorf("%s: process %d outlives its parent", service, pid)
		}
	}

	// The folder is good for another start.
	s := start(t, devstack.Options{Dir: dir})
	if s.PID(devstack.Postgres) == 0 {
		t.Error("no PostgreSQL after the second start")
	}
}

func TestStopEndsEveryProcess(t *testing.T) {
	t.Parallel()
	s := start(t, devstack.Options{Only: []devstack.Service{devstack.Postgres, devstack.IMAP, devstack.PACS}})
	family := map[int]devstack.Service{}
	for _, service := range devstack.Services() {
		for _, p := range descendants(s.PID(service)) {
			family[p] = service
		}
	}
	if len(family) < 6 {
		t.Fatalf("only %d processes seen: %v", len(family), family)
	}
	stop(t, s)
	for pid, service := range family {
		if alive(pid) {
			t.Errorf("%s: process %d is still there", service, pid)
		}
	}
}

func TestLeftoversAreEndedOnlyWhenOurs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		forge func(note map[string]any)
		ended bool
	}{
		"the same process":           {func(map[string]any) {}, true},
		"another with its number":    {func(n map[string]any) { n["start"] = "12345" }, false},
		"of before the last restart": {func(n map[string]any) { n["boot"] = "another" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t)
			o := devstack.Options{Dir: dir, Only: []devstack.Service{devstack.SMTP}}
			stop(t, start(t, o)) // Makes the folder.

			other := exec.CommandContext(t.Context(), "sleep", "600")
			other.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := other.Start(); err != nil {
				t.Fatal(err)
			}
			exited := make(chan struct{})
			go func() { _ = other.Wait(); close(exited) }()

			note := map[string]any{
				"pid": other.Process.Pid, "start": startTime(t, other.Process.Pid),
				"boot": bootID(t), "stop": int(syscall.SIGTERM),
			}
			tt.forge(note)
			b, err := json.Marshal(note)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "pids", "postgres.json"), b, 0o600); err != nil {
				t.Fatal(err)
			}
			start(t, o)
			if tt.ended {
				<-exited
			} else if !alive(other.Process.Pid) {
				t.Error("somebody else's process was ended")
			}
		})
	}
}

// TestFolderOutOfReach starts a server that must not run as root in a folder
// that only root can reach.
func TestFolderOutOfReach(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root's folders are out of its servers' reach")
	}
	dir := filepath.Join(t.TempDir(), "closed", ".fileroom")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	o := devstack.Options{Dir: dir, Only: []devstack.Service{devstack.Postgres}}
	s := start(t, o)
	target, err := os.Readlink(filepath.Join(dir, "servers"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(target) })
	owner, err := os.ReadFile(filepath.Join(target, "OWNER"))
	if err != nil || strings.TrimSpace(string(owner)) != dir {
		t.Errorf("%s says it belongs to %q (%v), want %s", target, owner, err, dir)
	}
	stop(t, s)

	// Deleted and made again, the folder has new passwords: the old data
	// must not be in their way.
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	start(t, o)
}

// TestListensOnLoopbackAlone looks at every socket of every process of the
// stack. Orthanc listens everywhere whatever it is told;
// TestArchivesAskForAPassword shows that it refuses strangers.
func TestListensOnLoopbackAlone(t *testing.T) {
	t.Parallel()
	s := whole(t)
	d := s.Description()
	archives := map[int]bool{}
	for _, a := range []devstack.Archive{d.PACS, d.Receiver} {
		port, err := strconv.Atoi(mustURL(t, a.URL).Port())
		if err != nil {
			t.Fatal(err)
		}
		archives[port] = true
	}
	pids := []int{os.Getpid()}
	for _, service := range devstack.Services() {
		if pid := s.PID(service); pid != 0 {
			pids = append(pids, descendants(pid)...)
		}
	}
	seen := 0
	for _, l := range listeners(t, pids) {
		if l.port < d.PortBase || l.port >= d.PortBase+devstack.PortCount {
			// Tests listen in this process too, but on loopback as well.
			if !l.ip.IsLoopback() {
				t.Errorf("somebody listens on %s, port %d, outside the stack's block", l.ip, l.port)
			}
			continue
		}
		seen++
		if !l.ip.IsLoopback() && !archives[l.port] {
			t.Errorf("offset %d listens on %s", l.port-d.PortBase, l.ip)
		}
	}
	if seen < 8 {
		t.Errorf("only %d listeners seen: the test is blind", seen)
	}
}

type listener struct {
	ip   net.IP
	port int
}

// listeners returns the listening TCP sockets of processes.
func listeners(t *testing.T, pids []int) []listener {
	t.Helper()
	mine := map[string]bool{}
	for _, pid := range pids {
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, fd := range fds {
			if target, err := os.Readlink(fd); err == nil && strings.HasPrefix(target, "socket:[") {
				mine[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] = true
			}
		}
	}
	var all []listener
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, err := os.ReadFile(table)
		if err != nil {
			continue // No IPv6.
		}
		for _, line := range strings.Split(string(b), "\n")[1:] {
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != "0A" || !mine[f[9]] {
				continue
			}
			all = append(all, parseListener(t, f[1]))
		}
	}
	return all
}

// parseListener reads an address as the kernel prints it: words in the
// machine's byte order, of which this reads the little-endian one.
func parseListener(t *testing.T, s string) listener {
	t.Helper()
	addr, portHex, _ := strings.Cut(s, ":")
	port, err := strconv.ParseUint(portHex, 16, 16)
	if err != nil {
		t.Fatal(err)
	}
	ip := make(net.IP, len(addr)/2)
	for i := range ip {
		b, err := strconv.ParseUint(addr[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		ip[i/4*4+3-i%4] = byte(b)
	}
	return listener{ip: ip, port: int(port)}
}

// descendants returns a process and all below it.
func descendants(pid int) []int {
	if pid == 0 {
		return nil
	}
	all := []int{pid}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return all
	}
	for f := range strings.FieldsSeq(string(b)) {
		if child, err := strconv.Atoi(f); err == nil {
			all = append(all, descendants(child)...)
		}
	}
	return all
}

func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// gone waits until a process is no more.
func gone(ctx context.Context, pid int) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for alive(pid) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

func startTime(t *testing.T, pid int) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return strings.Fields(rest)[19]
}

func bootID(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}
