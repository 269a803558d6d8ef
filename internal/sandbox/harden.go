package sandbox

import (
	"golang.org/x/sys/unix"

	"fileroom/internal/library"
)

// Harden closes the memory, environment and open files of this process to other
// processes of the same user, its own children among them: ptrace, and /proc/PID/environ,
// mem and fd. What all may read, such as stat, status and limits, stays open. It does
// nothing against who has CAP_SYS_PTRACE or CAP_PERFMON, as root has.
func Harden() error {
	return library.Fault("close process to others", "", unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
}
