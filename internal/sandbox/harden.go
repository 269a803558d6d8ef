package sandbox

import (
	"golang.org/x/sys/unix"

	"fileroom/internal/library"
)

// Harden closes the memory and the environment of this process to other
// processes of the same user, its own children among them: /proc/PID/environ, mem, fd and
// ptrace. It leaves open /proc/PID/stat and whatever the process asks of itself, and
// does nothing against who has CAP_SYS_PTRACE or CAP_PERFMON, as root has.
func Harden() error {
	return library.Fault("close process to others", "", unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
}
