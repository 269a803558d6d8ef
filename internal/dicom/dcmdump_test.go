package dicom_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fileroom/internal/devstack/studies"
	"fileroom/internal/dicom"
)

// line is an element as dcmdump prints it: (0010,0020) LO [D1] #  2, 1 PatientID.
var line = regexp.MustCompile(`(?m)^\((\w{4},\w{4})\) \w\w (?:\[(.*)\]|(=\w+|\(no value available\))) +#`)

// TestHeaderIsWhatDCMTKReads compares with an independent reader.
func TestHeaderIsWhatDCMTKReads(t *testing.T) {
	t.Parallel()
	dcmdump, err := exec.LookPath("dcmdump")
	if err != nil {
		t.Fatal("dcmdump is missing: apt-get install dcmtk")
	}
	for _, s := range studies.Demonstration() {
		t.Run(s.Accession, func(t *testing.T) {
			t.Parallel()
			for _, i := range []int{0, s.Images() - 1} {
				var object bytes.Buffer
				if err := s.Write(&object, i); err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(t.TempDir(), "image.dcm")
				if err := os.WriteFile(file, object.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := exec.CommandContext(t.Context(), dcmdump, "+U8", "-Un", "+L", file).Output()
				if err != nil {
					t.Fatalf("dcmdump: %v", err)
				}
				dump := map[string]string{}
				for _, m := range line.FindAllStringSubmatch(string(out), -1) {
					dump[m[1]] = strings.TrimRight(m[2], " \x00")
				}
				h, _, err := dicom.ReadHeader(bytes.NewReader(object.Bytes()), 1<<16)
				if err != nil {
					t.Fatal(err)
				}
				p := h.Patient.Reveal()
				for tag, got := range map[string]string{
					"0002,0010": h.TransferSyntaxUID, "0008,0016": h.SOPClassUID, "0008,0018": h.SOPInstanceUID,
					"0008,0060": h.Modality, "0010,0010": p.Name, "0010,0020": p.ID,
					"0010,0030": p.BirthDate.DICOM(), "0010,0040": p.Sex,
					"0020,000d": h.StudyInstanceUID, "0020,000e": h.SeriesInstanceUID,
				} {
					if want, ok := dump[tag]; !ok || got != want {
						t.Errorf("image %d: (%s) is %q, dcmdump says %q", i, tag, got, want)
					}
				}
				if p != s.Patient {
					t.Errorf("image %d: patient %+v, want %+v", i, p, s.Patient)
				}
			}
		})
	}
}
