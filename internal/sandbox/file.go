package sandbox

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"fileroom/internal/library"
)

// File returns an unnamed file in memory that holds content, for programs that want a
// file and not a pipe: what patients send never touches a disk unencrypted. The caller closes it.
func File(content []byte) (*os.File, error) {
	const op = "make file in memory"
	fd, err := unix.MemfdCreate("fileroom", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, library.Fault(op, "", err)
	}
	f := os.NewFile(uintptr(fd), "memory")
	if _, err := f.Write(content); err != nil {
		_ = f.Close()
		return nil, library.Fault(op, "", err)
	}
	return f, nil
}

// Path is where a child finds the i-th of its [Child.Files].
func Path(i int) string { return "/proc/self/fd/" + strconv.Itoa(3+i) }

// Content returns what f holds, up to limit bytes.
func Content(f *os.File, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, limit))
	return b, library.Fault("read file in memory", "", err)
}
