package devstack

import (
	"io"
	"os"
	"path/filepath"

	"fileroom/internal/library"
)

// Messages hands over every message that lies in a mailbox, as the one who
// owns it would find them.
func (s *Stack) Messages(mailbox string, each func(raw io.Reader) error) error {
	const op = "read mailbox"
	for _, sub := range []string{"new", "cur"} {
		files, err := filepath.Glob(filepath.Join(s.mailroom().dir, mailbox, sub, "*"))
		if err != nil {
			return library.Fault(op, mailbox, err)
		}
		for _, file := range files {
			f, err := os.Open(file)
			if os.IsNotExist(err) {
				continue // Dovecot has just moved it.
			}
			if err != nil {
				return library.Fault(op, mailbox, err)
			}
			err = each(f)
			_ = f.Close()
			if err != nil {
				return err
			}
		}
	}
	return nil
}
