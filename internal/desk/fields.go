package desk

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fileroom/internal/library"
)

// A fieldView is one value that was read, and may be corrected.
type fieldView struct {
	Name, Label string
	Value       string // As it is sent.
	Shown       string // In words.
	Input       string // What the form holds: the value, or what the person typed.
	Choices     []choice
	Date        bool
	Sure        string // How surely it was read, in words.
	Percent     int
	Level       string // Of confidence, for its mark: firm, fair, doubt or staff.
	Box         string // Id of its box or mark on the page; empty if it has none.
	Link        string // To its box or mark.
	Page        int
	Missing     bool
}

// A fieldGroup is the fields that belong together.
type fieldGroup struct {
	Title  string
	Fields []fieldView
	Spare  []fieldView // What was not read, and can be added.
}

// A choice is one value that a field can have.
type choice struct {
	Value, Words string
	Chosen       bool
}

var fieldLabels = map[string]string{
	"patient.given": "Given name", "patient.middle": "Middle name", "patient.family": "Family name", "patient.suffix": "Suffix",
	"patient.birth_date": "Birth date", "patient.mrn": "Record number (MRN)", "patient.phone": "Telephone", "patient.email": "E-mail", "patient.address": "Address",
	"recipient.person": "Person", "recipient.organization": "Organization", "recipient.street": "Street", "recipient.city": "City",
	"recipient.state": "State", "recipient.zip": "ZIP code", "recipient.phone": "Telephone", "recipient.fax": "Fax", "recipient.email": "E-mail",
	"recipient.self": "To the patient or signer",
	"modality":       "Kind of imaging", "body_part": "Body part", "date": "Date", "from": "From", "to": "To", "all": "Everything there is",
	"delivery": "Way of delivery", "purpose": "Purpose", "expires": "Valid until",
	"signature.present": "Signed", "signature.name": "Name", "signature.date": "Date", "signature.signer": "Who signed", "signature.electronic": "Signed electronically",
	"kind": "Kind of paper",
}

// spareFields can be added by hand where they were not read.
var spareFields = []string{
	"patient.given", "patient.middle", "patient.family", "patient.suffix", "patient.birth_date", "patient.mrn",
	"recipient.person", "recipient.organization", "recipient.street", "recipient.city", "recipient.state", "recipient.zip", "recipient.self",
	"delivery", "purpose", "expires",
	"signature.present", "signature.name", "signature.date", "signature.signer",
}

var fieldChoices = map[string][]choice{
	"delivery": choices("electronic", "electronic", "portal", "portal", "cd", "CD", "usb", "USB stick", "paper", "paper", "email", "e-mail", "fax", "fax"),
	"purpose": choices("continuing-care", "continuing care", "personal", "personal use", "legal", "legal", "insurance", "insurance",
		"disability", "disability", "research", "research", "other", "other"),
	"signature.signer": choices("patient", "the patient", "parent", "a parent", "guardian", "a guardian", "health-care-agent", "health-care agent",
		"attorney-in-fact", "attorney-in-fact", "executor", "executor", "administrator", "administrator of the estate", "spouse", "spouse",
		"other-representative", "another representative"),
}

var yesNo = choices("true", "yes", "false", "no")

func choices(pairs ...string) []choice {
	all := []choice{{"", "nothing", false}}
	for i := 0; i+1 < len(pairs); i += 2 {
		all = append(all, choice{Value: pairs[i], Words: pairs[i+1]})
	}
	return all
}

var indexed = regexp.MustCompile(`^(studies|documents)\[([0-9]{1,3})\]\.([a-z_]+)$`)

// fieldLabel returns the heading under which a field stands, and its name in
// plain words.
func fieldLabel(name string) (group, label string) {
	if m := indexed.FindStringSubmatch(name); m != nil {
		n, _ := strconv.Atoi(m[2]) // At most three digits.
		return fmt.Sprintf("%s %d", map[string]string{"studies": "Study", "documents": "Paper"}[m[1]], n+1), word(fieldLabels, m[3])
	}
	head, _, dotted := strings.Cut(name, ".")
	group = map[string]string{"patient": "Patient", "recipient": "Recipient", "signature": "Signature"}[head]
	if group == "" || !dotted {
		group = "Request"
	}
	return group, word(fieldLabels, name)
}

// lastPart is the name of a field without where it stands.
func lastPart(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

func isDate(name string) bool {
	return slices.Contains([]string{"birth_date", "date", "from", "to"}, lastPart(name))
}

func choicesOf(name, value string) []choice {
	var from []choice
	switch lastPart(name) {
	case "self", "present", "electronic", "all":
		from = yesNo
	default:
		from = fieldChoices[name]
	}
	if from == nil {
		return nil
	}
	all := slices.Clone(from)
	if !slices.ContainsFunc(all, func(c choice) bool { return c.Value == value }) {
		all = append(all, choice{Value: value, Words: value})
	}
	for i := range all {
		all[i].Chosen = all[i].Value == value
	}
	return all
}

// sureWords says how surely a value was read.
func sureWords(confidence float64) (words, level string) {
	switch {
	case confidence >= 0.95:
		return "sure", "firm"
	case confidence >= 0.8:
		return "fairly sure", "fair"
	case confidence >= 0.5:
		return "doubtful", "doubt"
	}
	return "a guess", "doubt"
}

// fieldViews returns what was read with what staff corrected laid over it.
// Box ids come from marks, which know where a field stands on its page.
func (f *casefile) fieldViews(marks *marks, typed func(name string) (string, bool)) []fieldGroup {
	var groups []fieldGroup
	at := func(title string) *fieldGroup {
		i := slices.IndexFunc(groups, func(g fieldGroup) bool { return g.Title == title })
		if i < 0 {
			groups = append(groups, fieldGroup{Title: title})
			i = len(groups) - 1
		}
		return &groups[i]
	}
	for _, title := range []string{"Patient", "Recipient", "Study 1", "Request", "Signature"} {
		at(title) // In this order; others follow.
	}
	shown := map[string]bool{}
	studies := 0
	add := func(name, value, sure, level string, confidence float64, spare bool) {
		if shown[name] {
			return
		}
		shown[name] = true
		if m := indexed.FindStringSubmatch(name); m != nil && m[1] == "studies" && !spare {
			n, _ := strconv.Atoi(m[2]) // At most three digits.
			studies = max(studies, n+1)
		}
		group, label := fieldLabel(name)
		v := fieldView{
			Name: name, Label: label, Value: value, Input: value, Sure: sure, Level: level, Percent: int(confidence*100 + 0.5),
			Missing: value == "", Date: isDate(name),
		}
		if t, ok := typed(name); ok {
			v.Input = t
		}
		v.Choices = choicesOf(name, v.Input)
		v.Shown = shownValue(name, value)
		v.Box, v.Link, v.Page = marks.id(name), marks.link(name), marks.page(name)
		g := at(group)
		if spare {
			g.Spare = append(g.Spare, v)
		} else {
			g.Fields = append(g.Fields, v)
		}
	}
	for _, field := range f.reading.Fields {
		if c, ok := f.choices.Corrections[field.Name]; ok {
			add(field.Name, c, "corrected by staff", "staff", 1, false)
			continue
		}
		words, level := sureWords(field.Confidence)
		add(field.Name, field.Value, words, level, field.Confidence, false)
	}
	for _, name := range sortedKeys(f.choices.Corrections) {
		add(name, f.choices.Corrections[name], "entered by staff", "staff", 1, false)
	}
	for _, name := range f.reading.Missing {
		if _, known := fieldLabels[name]; known || indexed.MatchString(name) {
			add(name, "", "not found", "doubt", 0, false)
		}
	}
	for _, name := range spareFields {
		add(name, "", "", "", 0, true)
	}
	for n := range min(studies+1, 100) {
		for _, part := range []string{"modality", "body_part", "date"} {
			add(fmt.Sprintf("studies[%d].%s", n, part), "", "", "", 0, true)
		}
	}
	return slices.DeleteFunc(groups, func(g fieldGroup) bool { return len(g.Fields)+len(g.Spare) == 0 })
}

func shownValue(name, value string) string {
	if value == "" {
		return "not found"
	}
	if isDate(name) {
		return dateWords(library.Date(value))
	}
	for _, c := range choicesOf(name, value) {
		if c.Chosen {
			return c.Words
		}
	}
	return value
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
