package studies

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"

	"fileroom/internal/library"
)

// A Study is one study of the demonstration.
type Study struct {
	UID          string // Study Instance UID.
	Patient      library.PatientRecord
	Date         library.Date
	Time         string // DICOM's TM.
	Modality     string // CT, MR or DX.
	BodyPart     string // Body Part Examined, such as CHEST.
	Description  string
	Accession    string
	CharacterSet string // Specific Character Set of its objects.
	Series       []Series

	// Size is the width and height of each image in pixels of two bytes. It
	// changes the pixels and not the UIDs: a study of another size is the
	// same study with other pixels, which is what some tests want.
	Size int
}

// A Series is one series of a study.
type Series struct {
	UID         string // Series Instance UID.
	Number      int
	Description string
	Images      int
}

// Size is the width and height of the demonstration's images: large enough to
// see something, small enough to be sent while somebody watches.
const Size = 256

// The patients of the demonstration.
var (
	whitcombe = library.PatientRecord{
		ID: "D1093347", Name: "WHITCOMBE^ELEANOR^RUTH", BirthDate: "1958-04-17", Sex: "F",
	}
	namesake = library.PatientRecord{
		ID: "D2204518", Name: "WHITCOMBE^ELEANOR^RUTH", BirthDate: "1958-04-17", Sex: "F",
	}
	obrien = library.PatientRecord{
		ID: "D3317702", Name: "O'BRIEN-MÜLLER^ZOË^NIAMH", BirthDate: "1991-09-30", Sex: "F",
	}
)

// Demonstration returns the studies of three patients:
//
//   - Eleanor Ruth Whitcombe, born 1958-04-17, MRN D1093347: a CT of the chest
//     of 200 slices in two series (2026-02-12), an MR of the brain
//     (2026-01-28), a plain film of the chest (2025-11-04). The sample letter
//     is hers.
//   - Another Eleanor Ruth Whitcombe born the same day, MRN D2204518: a CT of
//     the chest (2025-09-19).
//   - Zoë Niamh O'Brien-Müller, born 1991-09-30, MRN D3317702: a plain film of
//     the chest (2026-03-03) in Latin 1 and an MR of the brain (2026-03-05) in
//     UTF-8.
func Demonstration() []Study {
	return []Study{
		newStudy(Study{
			Patient: whitcombe, Date: "2026-02-12", Time: "093015", Modality: "CT", BodyPart: "CHEST",
			Description: "CT CHEST WITHOUT CONTRAST", Accession: "A26021247", CharacterSet: "ISO_IR 100",
			Series: []Series{{Description: "CHEST AXIAL", Images: 120}, {Description: "CHEST LUNG", Images: 80}},
		}),
		newStudy(Study{
			Patient: whitcombe, Date: "2026-01-28", Time: "141200", Modality: "MR", BodyPart: "BRAIN",
			Description: "MR BRAIN WITHOUT CONTRAST", Accession: "A26012819", CharacterSet: "ISO_IR 100",
			Series: []Series{{Description: "AX T2", Images: 24}},
		}),
		newStudy(Study{
			Patient: whitcombe, Date: "2025-11-04", Time: "080745", Modality: "DX", BodyPart: "CHEST",
			Description: "XR CHEST 2 VIEWS", Accession: "A25110402", CharacterSet: "ISO_IR 100",
			Series: []Series{{Description: "PA", Images: 1}, {Description: "LATERAL", Images: 1}},
		}),
		newStudy(Study{
			Patient: namesake, Date: "2025-09-19", Time: "104230", Modality: "CT", BodyPart: "CHEST",
			Description: "CT CHEST WITHOUT CONTRAST", Accession: "A25091933", CharacterSet: "ISO_IR 100",
			Series: []Series{{Description: "CHEST AXIAL", Images: 40}},
		}),
		newStudy(Study{
			Patient: obrien, Date: "2026-03-03", Time: "161100", Modality: "DX", BodyPart: "CHEST",
			Description: "XR CHEST 1 VIEW", Accession: "A26030351", CharacterSet: "ISO_IR 100",
			Series: []Series{{Description: "PA", Images: 1}},
		}),
		newStudy(Study{
			Patient: obrien, Date: "2026-03-05", Time: "112030", Modality: "MR", BodyPart: "BRAIN",
			Description: "MR BRAIN WITHOUT CONTRAST", Accession: "A26030508", CharacterSet: "ISO_IR 192",
			Series: []Series{{Description: "AX T2", Images: 12}},
		}),
	}
}

// newStudy gives a study and its series their UIDs and numbers.
func newStudy(s Study) Study {
	s.Size = Size
	s.UID = uid("study", s.Accession)
	s.Series = slices.Clone(s.Series)
	for i := range s.Series {
		s.Series[i].Number = i + 1
		s.Series[i].UID = uid("series", s.Accession, i+1)
	}
	return s
}

// Images returns the number of instances of the study.
func (s Study) Images() int {
	n := 0
	for _, series := range s.Series {
		n += series.Images
	}
	return n
}

// Instance returns the i-th instance of the study, from 0.
func (s Study) Instance(i int) library.Instance {
	series, number := s.locate(i)
	return library.Instance{
		Study:  s.UID,
		Series: series.UID,
		SOP:    uid("instance", s.Accession, series.Number, number),
		Class:  classes[s.Modality],
	}
}

// locate returns the series of the i-th instance, and its number there from 1.
func (s Study) locate(i int) (series Series, number int) {
	for _, series := range s.Series {
		if i < series.Images {
			return series, i + 1
		}
		i -= series.Images
	}
	return Series{}, 0
}

// classes are the SOP classes of the modalities (PS3.4 annex B.5).
var classes = map[string]string{
	"CT": "1.2.840.10008.5.1.4.1.1.2",
	"MR": "1.2.840.10008.5.1.4.1.1.4",
	"DX": "1.2.840.10008.5.1.4.1.1.1.1", // For presentation.
}

// uid returns a UID below 2.25, which is made of a UUID and needs no
// registered root (PS3.5 section B.2). The UUID is of version 8, from a digest
// of the name (RFC 9562 section 5.8), and so the same for ever.
func uid(name ...any) string {
	sum := sha256.Sum256(fmt.Appendln(nil, append([]any{"fileroom demonstration"}, name...)...))
	sum[6] = sum[6]&0x0F | 0x80
	sum[8] = sum[8]&0x3F | 0x80
	return "2.25." + new(big.Int).SetBytes(sum[:16]).String()
}
