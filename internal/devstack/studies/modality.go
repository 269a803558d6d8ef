package studies

import (
	"encoding/binary"
	"strconv"
)

// thickness is the distance of two slices in millimetres.
const thickness = 2.5

// A module is what one modality says beyond the others (PS3.3 sections A.3,
// A.4 and A.26).
type module struct {
	procedure   [2]string // SNOMED CT code and meaning.
	imageType   []string
	acquisition func(*object, Study) // Group 0018.
	grey        func(*object)        // The end of group 0028.
}

var modules = map[string]module{
	"CT": {
		procedure: [2]string{"169069000", "Computed tomography of chest"},
		imageType: []string{"ORIGINAL", "PRIMARY", "AXIAL"},
		acquisition: func(o *object, _ Study) {
			o.text(0x00180050, "DS", decimal(thickness))
			o.text(0x00180060, "DS", "120")
			o.text(0x00185100, "CS", "HFS")
		},
		grey: func(o *object) {
			o.text(0x00281050, "DS", "0")
			o.text(0x00281051, "DS", "1600")
			o.text(0x00281052, "DS", "-1024")
			o.text(0x00281053, "DS", "1")
			o.text(0x00281054, "LO", "HU")
		},
	},
	"MR": {
		procedure: [2]string{"816077007", "Magnetic resonance imaging of brain"},
		imageType: []string{"ORIGINAL", "PRIMARY", "OTHER"},
		acquisition: func(o *object, _ Study) {
			o.text(0x00180020, "CS", "SE")
			o.text(0x00180021, "CS", "NONE")
			o.text(0x00180022, "CS", "")
			o.text(0x00180023, "CS", "2D")
			o.text(0x00180050, "DS", decimal(thickness))
			o.text(0x00180080, "DS", "4000")
			o.text(0x00180081, "DS", "100")
			o.text(0x00180087, "DS", "1.5")
			o.text(0x00180091, "IS", "16")
			o.text(0x00185100, "CS", "HFS")
		},
		grey: func(o *object) {
			o.text(0x00281050, "DS", "700")
			o.text(0x00281051, "DS", "1400")
		},
	},
	"DX": {
		procedure: [2]string{"399208008", "Plain X-ray of chest"},
		imageType: []string{"ORIGINAL", "PRIMARY", ""},
		acquisition: func(o *object, s Study) {
			o.text(0x00180060, "DS", "110")
			o.text(0x00181164, "DS", spacing(s.Size), spacing(s.Size))
			o.text(0x00181508, "CS", "")
			o.text(0x00187004, "CS", "DIRECT")
		},
		grey: func(o *object) {
			o.text(0x00280301, "CS", "NO")
			o.text(0x00281040, "CS", "LOG")
			o.raw(0x00281041, "SS", binary.LittleEndian.AppendUint16(nil, 0xFFFF)) // -1: bright is dense.
			o.text(0x00281050, "DS", "1400")
			o.text(0x00281051, "DS", "2800")
			o.text(0x00281052, "DS", "0")
			o.text(0x00281053, "DS", "1")
			o.text(0x00281054, "LO", "US")
			o.text(0x00282110, "CS", "00")
		},
	},
}

// projection says which way the patient stands in a plain film (PS3.3 section
// C.7.6.1.1.1).
func projection(o *object, series Series) {
	if series.Description == "LATERAL" {
		o.text(0x00200020, "CS", "A", "F")
	} else {
		o.text(0x00200020, "CS", "L", "F")
	}
	o.text(0x00200062, "CS", "U")
}

// slice says where in the patient a slice is (PS3.3 section C.7.6.2).
func slice(o *object, frame string, number int) {
	z := decimal(float64(number-1) * thickness)
	o.text(0x00200032, "DS", "-180", "-180", z)
	o.text(0x00200037, "DS", "1", "0", "0", "0", "1", "0")
	o.text(0x00200052, "UI", frame)
	o.text(0x00201040, "LO", "")
	o.text(0x00201041, "DS", z)
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
