package dicomweb

import (
	"encoding/json"
	"strings"

	"fileroom/internal/dicom"
	"fileroom/internal/library"
)

// A dataSet is a set of attributes in the DICOM JSON model (PS3.18 annex F),
// by tag.
type dataSet map[string]struct {
	Value []json.RawMessage `json:"Value"`
}

// The attributes asked for and read.
const (
	tagSOPClass      = "00080016"
	tagSOPInstance   = "00080018"
	tagStudyDate     = "00080020"
	tagAccession     = "00080050"
	tagModality      = "00080060"
	tagModalities    = "00080061"
	tagDescription   = "00081030"
	tagRefClass      = "00081150"
	tagRefInstance   = "00081155"
	tagWarningReason = "00081196"
	tagFailureReason = "00081197"
	tagFailed        = "00081198"
	tagReferenced    = "00081199"
	tagOtherFailures = "0008119A"
	tagPatientName   = "00100010"
	tagPatientID     = "00100020"
	tagIssuer        = "00100021"
	tagBirthDate     = "00100030"
	tagSex           = "00100040"
	tagBodyPart      = "00180015"
	tagStudy         = "0020000D"
	tagSeries        = "0020000E"
	tagImages        = "00201208" // Number of Study Related Instances.
)

// texts returns the values of an attribute. Servers write numbers as numbers
// and as strings.
func (d dataSet) texts(tag string) []string {
	var out []string
	for _, raw := range d[tag].Value {
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			s = strings.Trim(string(raw), " ")
			if strings.ContainsAny(s, `{["`) || s == "null" {
				continue
			}
		}
		if s = strings.Trim(s, " \x00"); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// text returns the first value of an attribute, or "".
func (d dataSet) text(tag string) string {
	if all := d.texts(tag); len(all) > 0 {
		return all[0]
	}
	return ""
}

// name returns a person's name as DICOM writes it, its alphabetic component
// group alone: servers differ in the others.
func (d dataSet) name(tag string) string {
	for _, raw := range d[tag].Value {
		var groups struct{ Alphabetic string }
		if err := json.Unmarshal(raw, &groups); err == nil {
			return dicom.ParsePersonName(groups.Alphabetic).String()
		}
	}
	return dicom.ParsePersonName(d.text(tag)).String()
}

// items returns the items of a sequence.
func (d dataSet) items(tag string) []dataSet {
	var out []dataSet
	for _, raw := range d[tag].Value {
		var item dataSet
		if err := json.Unmarshal(raw, &item); err == nil {
			out = append(out, item)
		}
	}
	return out
}

func (d dataSet) patient() library.PatientRecord {
	return library.PatientRecord{
		ID:        d.text(tagPatientID),
		Issuer:    d.text(tagIssuer),
		Name:      d.name(tagPatientName),
		BirthDate: library.DateFromDICOM(d.text(tagBirthDate)),
		Sex:       d.text(tagSex),
	}
}
