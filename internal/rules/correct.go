package rules

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"fileroom/internal/library"
)

const (
	maxStudies = 100 // Items that corrections can make of a request.
	maxValue   = 200 // Characters of a corrected value.
)

// Apply returns the reading with corrections applied: field name, as in
// [library.Field], to value. An empty value takes the field away; studies[n] may
// be one more than there are. A corrected field has confidence 1, and what is
// missing is worked out again. The reading given is not changed.
//
// A field that does not exist or a value that it cannot have is an
// [library.Invalid] error with a sentence for staff, which never quotes the value.
func Apply(reading library.Reading, corrections map[string]string) (library.Reading, error) {
	if len(corrections) == 0 {
		return reading, nil
	}
	reading = copyOf(reading)
	for _, name := range slices.SortedFunc(maps.Keys(corrections), compareFieldNames) {
		value := strings.TrimSpace(corrections[name])
		if err := set(&reading, name, value); err != nil {
			return library.Reading{}, err
		}
		note(&reading, name, value)
	}
	reading.Missing = missingAfter(reading, corrections)
	return reading, nil
}

func copyOf(r library.Reading) library.Reading {
	r.Documents = slices.Clone(r.Documents)
	r.Request.Studies = slices.Clone(r.Request.Studies)
	r.Fields = slices.Clone(r.Fields)
	return r
}

// compareFieldNames puts studies[2] before studies[10].
func compareFieldNames(a, b string) int {
	if i, ok := indexIn(a); ok {
		if j, ok := indexIn(b); ok && i != j {
			return i - j
		}
	}
	return strings.Compare(a, b)
}

var (
	fieldName   = regexp.MustCompile(`^[a-z_]{1,20}(\[[0-9]{1,3}\])?(\.[a-z_]{1,20})?$`)
	indexedName = regexp.MustCompile(`^(?:studies|documents)\[([0-9]{1,3})\]\.`)
)

func indexIn(name string) (int, bool) {
	m := indexedName.FindStringSubmatch(name)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	return n, err == nil
}

func invalid(format string, args ...any) error {
	return library.Errorf(library.Invalid, "correct", "", format, args...)
}

// set puts one value where its name says.
func set(r *library.Reading, name, value string) error {
	if !fieldName.MatchString(name) {
		return invalid("there is no such field; field names look like patient.birth_date or studies[0].modality")
	}
	if len([]rune(value)) > maxValue || !printable(value) {
		return invalid("%s must be one line of at most %d characters", name, maxValue)
	}
	v, err := fieldOf(r, name)
	if err != nil {
		return err
	}
	switch {
	case v.text != nil:
		if value != "" && v.allowed != nil && !slices.Contains(v.allowed, value) {
			return invalid("%s must be one of %s", name, strings.Join(v.allowed, ", "))
		}
		*v.text = value
	case v.date != nil:
		if !plausible(library.Date(value)) && value != "" {
			return invalid("%s must be a date written as YYYY-MM-DD", name)
		}
		*v.date = library.Date(value)
	case v.flag != nil:
		on, ok := map[string]bool{"true": true, "yes": true, "false": false, "no": false, "": false}[strings.ToLower(value)]
		if !ok {
			return invalid("%s must be true or false", name)
		}
		*v.flag = on
	case v.modality != nil:
		if !modality.MatchString(value) {
			return invalid("%s must be a DICOM code, such as CT, MR or DX", name)
		}
		*v.modality = value
	}
	return nil
}

var modality = regexp.MustCompile(`^([A-Z]{2,8})?$`)

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func plausible(d library.Date) bool {
	t, ok := d.Time()
	return ok && t.Year() >= 1850 && t.Year() < 2150
}

// A place is where a field's value lives: one of its pointers is set.
type place struct {
	text     *string
	allowed  []string // Of text; nil for anything.
	date     *library.Date
	flag     *bool
	modality *string
}

func fieldOf(r *library.Reading, name string) (place, error) {
	if i, ok := indexIn(name); ok {
		_, field, _ := strings.Cut(name, ".")
		if strings.HasPrefix(name, "documents") {
			return documentField(r, i, name, field)
		}
		return studyField(r, i, name, field)
	}
	q := &r.Request
	text := func(s *string, allowed ...string) place { return place{text: s, allowed: allowed} }
	places := map[string]place{
		"patient.given": text(&q.Patient.Given), "patient.middle": text(&q.Patient.Middle), "patient.family": text(&q.Patient.Family),
		"patient.suffix": text(&q.Patient.Suffix), "patient.birth_date": {date: &q.Patient.BirthDate}, "patient.mrn": text(&q.Patient.MRN),
		"patient.phone": text(&q.Patient.Phone), "patient.email": text(&q.Patient.Email), "patient.address": text(&q.Patient.Address),

		"recipient.person": text(&q.Recipient.Person), "recipient.organization": text(&q.Recipient.Organization),
		"recipient.street": text(&q.Recipient.Street), "recipient.city": text(&q.Recipient.City), "recipient.state": text(&q.Recipient.State),
		"recipient.zip": text(&q.Recipient.Zip), "recipient.phone": text(&q.Recipient.Phone), "recipient.fax": text(&q.Recipient.Fax),
		"recipient.email": text(&q.Recipient.Email), "recipient.self": {flag: &q.Recipient.Self},

		"delivery": text(&q.Delivery, "electronic", "cd", "portal", "paper", "email", "fax", "usb"),
		"purpose":  text(&q.Purpose, "continuing-care", "personal", "legal", "insurance", "disability", "research", "other"),
		"expires":  text(&q.Expires),

		"signature.present": {flag: &q.Signature.Present}, "signature.name": text(&q.Signature.Name), "signature.date": {date: &q.Signature.Date},
		"signature.electronic": {flag: &q.Signature.Electronic},
		"signature.signer": text(&q.Signature.Signer, "patient", "parent", "guardian", "health-care-agent", "attorney-in-fact",
			"executor", "administrator", "spouse", "other-representative"),
	}
	if p, ok := places[name]; ok {
		return p, nil
	}
	return place{}, invalid("there is no field %s", name)
}

func documentField(r *library.Reading, i int, name, field string) (place, error) {
	if i >= len(r.Documents) || field != "kind" {
		return place{}, invalid("there is no field %s", name)
	}
	kinds := append([]string{"letter", "authorization-form", "birth-certificate", "identification", "fax-cover", "separator", "blank", "other"}, legalPapers...)
	return place{text: &r.Documents[i].Kind, allowed: kinds}, nil
}

func studyField(r *library.Reading, i int, name, field string) (place, error) {
	switch n := len(r.Request.Studies); {
	case i > n:
		return place{}, invalid("%s: the next study is studies[%d]", name, n)
	case i >= maxStudies:
		return place{}, invalid("%s: a request has at most %d studies", name, maxStudies)
	}
	var grown library.StudyRequest
	s := &grown
	if i < len(r.Request.Studies) {
		s = &r.Request.Studies[i]
	}
	places := map[string]func(*library.StudyRequest) place{
		"modality":  func(s *library.StudyRequest) place { return place{modality: &s.Modality} },
		"body_part": func(s *library.StudyRequest) place { return place{text: &s.BodyPart} },
		"date":      func(s *library.StudyRequest) place { return place{date: &s.Date} },
		"from":      func(s *library.StudyRequest) place { return place{date: &s.From} },
		"to":        func(s *library.StudyRequest) place { return place{date: &s.To} },
		"all":       func(s *library.StudyRequest) place { return place{flag: &s.All} },
	}
	at, ok := places[field]
	if !ok {
		return place{}, invalid("there is no field %s", name)
	}
	if i == len(r.Request.Studies) {
		r.Request.Studies = append(r.Request.Studies, grown)
		s = &r.Request.Studies[i]
	}
	return at(s), nil
}

// note writes down that a person says so: the field keeps where it stands on
// the page and is believed.
func note(r *library.Reading, name, value string) {
	i := slices.IndexFunc(r.Fields, func(f library.Field) bool { return f.Name == name })
	switch {
	case value == "" && i >= 0:
		r.Fields = slices.Delete(r.Fields, i, i+1)
	case value == "":
	case i >= 0:
		r.Fields[i].Value, r.Fields[i].Confidence = value, 1
	default:
		r.Fields = append(r.Fields, library.Field{Name: name, Value: value, Confidence: 1})
	}
}
