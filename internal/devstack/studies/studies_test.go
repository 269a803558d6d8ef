package studies_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fileroom/internal/devstack/studies"
)

// need returns the path of a program, and fails with what to install.
func need(t *testing.T, program, apt string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%s is missing: apt-get install %s", program, apt)
	}
	return path
}

// complaint is how dciodvfy begins a line about something that is wrong.
var complaint = regexp.MustCompile(`(?m)^(Error|Warning) .*$`)

func TestStudiesAreValidDICOM(t *testing.T) {
	t.Parallel()
	dciodvfy := need(t, "dciodvfy", "dicom3tools")
	dcmftest := need(t, "dcmftest", "dcmtk")

	for _, s := range studies.Demonstration() {
		t.Run(s.Accession, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var files []string
			err := s.Each(func(name string, r io.Reader) error {
				files = append(files, filepath.Join(dir, name))
				b, err := io.ReadAll(r)
				if err != nil {
					return err
				}
				return os.WriteFile(files[len(files)-1], b, 0o600)
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(files) != s.Images() {
				t.Fatalf("wrote %d files, want %d", len(files), s.Images())
			}
			out, err := exec.CommandContext(t.Context(), dcmftest, files...).CombinedOutput()
			if n := strings.Count(string(out), "yes: "); err != nil || n != len(files) {
				t.Errorf("dcmftest takes %d of %d files for DICOM (%v)", n, len(files), err)
			}
			// The instances of a series differ in numbers alone: look at the
			// first and the last of each.
			for _, i := range []int{0, s.Series[0].Images - 1, len(files) - 1} {
				out, err := exec.CommandContext(t.Context(), dciodvfy, files[i]).CombinedOutput()
				if wrong := complaint.FindAllString(string(out), -1); err != nil || wrong != nil {
					t.Errorf("dciodvfy on image %d: %v\n%s", i, err, strings.Join(wrong, "\n"))
				}
			}
		})
	}
}

func TestStudiesAreTheSameEachTime(t *testing.T) {
	t.Parallel()
	s := studies.Demonstration()[0]
	if want := "2.25."; !strings.HasPrefix(s.UID, want) {
		t.Errorf("study UID %s does not begin with %s", s.UID, want)
	}
	var first, second bytes.Buffer
	if err := s.Write(&first, 137); err != nil {
		t.Fatal(err)
	}
	if err := studies.Demonstration()[0].Write(&second, 137); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same image was written differently")
	}
	second.Reset()
	if err := s.Write(&second, 138); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first.Bytes()[first.Len()/2:], second.Bytes()[second.Len()/2:]) {
		t.Error("two slices have the same pixels")
	}
	if err := s.Write(io.Discard, s.Images()); err == nil {
		t.Error("an image beyond the last was written")
	}
}

func TestNoInstanceHasTheUIDOfAnother(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range studies.Demonstration() {
		for i := range s.Images() {
			in := s.Instance(i)
			if seen[in.SOP] || len(in.SOP) > 64 {
				t.Errorf("instance %d of %s has the bad UID %s", i, s.Accession, in.SOP)
			}
			seen[in.SOP] = true
		}
	}
}
