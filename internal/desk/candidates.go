package desk

import (
	"fmt"
	"slices"
	"strings"

	"fileroom/internal/library"
)

// A patientsView sets the candidates beside what was read.
type patientsView struct {
	Candidates []candidateView
	Rows       []compareRow
	Chosen     bool
	Among      string // Which candidates these are.
}

// A candidateView is a patient of the PACS.
type candidateView struct {
	Key, Name string
	Chosen    bool
	By        string
}

// A compareRow is one thing that is compared.
type compareRow struct {
	Label, Read string
	Cells       []compareCell
}

// A compareCell is what a candidate has, and how it compares in a word.
type compareCell struct {
	Value string
	Mark  string // same, alike, differs, or empty where nothing was read.
}

// spokenName writes a DICOM name (PS3.5 section 6.2, PN) as it is spoken.
func spokenName(dicom string) string {
	dicom, _, _ = strings.Cut(dicom, "=")
	parts := append(strings.Split(dicom, "^"), "", "", "", "", "")
	return strings.Join(strings.Fields(strings.Join([]string{parts[3], parts[1], parts[2], parts[0], parts[4]}, " ")), " ")
}

func (f *casefile) patientsView() patientsView {
	read := f.patientRead()
	name := compareRow{Label: "Name", Read: read.Name()}
	birth := compareRow{Label: "Birth date", Read: dateWords(read.BirthDate)}
	mrn := compareRow{Label: "Record number", Read: read.MRN}
	sex := compareRow{Label: "Sex"}
	v := patientsView{Among: f.match.Among()}
	for _, c := range f.match.Patients {
		p := c.Record.Reveal()
		v.Chosen = v.Chosen || c.Chosen
		v.Candidates = append(v.Candidates, candidateView{Key: c.Key, Name: spokenName(p.Name), Chosen: c.Chosen, By: f.name(c.By)})
		name.Cells = append(name.Cells, compareCell{spokenName(p.Name), compared(c.Reasons, library.ReasonName, read.Name(), spokenName(p.Name))})
		birth.Cells = append(birth.Cells, compareCell{dateWords(p.BirthDate), compared(c.Reasons, library.ReasonBirthDate, string(read.BirthDate), string(p.BirthDate))})
		id := p.ID
		if p.Issuer != "" {
			id += " (" + p.Issuer + ")"
		}
		mrn.Cells = append(mrn.Cells, compareCell{id, compared(c.Reasons, library.ReasonMRN, read.MRN, p.ID)})
		sex.Cells = append(sex.Cells, compareCell{Value: p.Sex})
	}
	v.Rows = []compareRow{name, birth, mrn, sex}
	return v
}

// patientRead is the patient as read, with what staff corrected.
func (f *casefile) patientRead() library.Patient {
	p := f.reading.Request.Patient
	for name, at := range map[string]*string{
		"patient.given": &p.Given, "patient.middle": &p.Middle, "patient.family": &p.Family, "patient.suffix": &p.Suffix,
		"patient.birth_date": (*string)(&p.BirthDate), "patient.mrn": &p.MRN,
	} {
		if c, ok := f.choices.Corrections[name]; ok {
			*at = c
		}
	}
	return p
}

// compared says how a candidate's value compares with what was read. Only what
// is written alike is the same: what the match thought, when there was another
// value to compare, makes no different value equal.
func compared(reasons []library.Reason, code library.ReasonCode, read, have string) string {
	switch {
	case read == "":
		return ""
	case code == library.ReasonName && sameNames(read, have), strings.EqualFold(strings.TrimSpace(read), strings.TrimSpace(have)):
		return "same"
	case library.Supports(reasons, code) && code != library.ReasonBirthDate,
		code == library.ReasonName && library.Supports(reasons, library.ReasonNameAlike):
		return "alike"
	}
	return "differs"
}

// sameNames reports whether two names have the same words, whatever their
// case and order.
func sameNames(a, b string) bool {
	words := func(s string) []string {
		w := strings.Fields(strings.ToLower(s))
		slices.Sort(w)
		return w
	}
	return slices.Equal(words(a), words(b))
}

// A studiesView sets the studies of the chosen patient against what was asked.
type studiesView struct {
	Items  []itemView
	Rows   []studyRow
	Images int
}

// An itemView is one thing that was asked for.
type itemView struct {
	Words string
	Found int // Chosen studies that fit it.
}

// A studyRow is a study of the PACS.
type studyRow struct {
	UID, Date, Kind, Name, Accession string
	Images                           int
	Item                             int // The item that it fits, from 1; 0 for none.
	For, Against                     []string
	Chosen                           bool
	By                               string
}

func (f *casefile) studiesView() studiesView {
	v := studiesView{Images: len(f.match.Manifest)}
	for i, s := range f.reading.Request.Studies {
		item := itemView{Words: askedWords(s)}
		for _, c := range f.match.Studies {
			if c.Chosen && c.Item == i {
				item.Found++
			}
		}
		v.Items = append(v.Items, item)
	}
	for _, s := range f.match.Studies {
		row := studyRow{
			UID: s.UID, Date: dateWords(s.Date), Kind: strings.Join(s.Modalities, ", "), Name: studyName(s),
			Accession: s.Accession.Reveal(), Images: s.Instances, Item: max(s.Item+1, 0), Chosen: s.Chosen, By: f.name(s.By),
		}
		for _, r := range s.Reasons {
			if r.Against {
				row.Against = append(row.Against, word(reasonNames, r.Code))
			} else {
				row.For = append(row.For, word(reasonNames, r.Code))
			}
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

// A findingView is one finding and what can be said to it.
type findingView struct {
	Rule, Title, Citation, Why, Ask string
	Severity, Level                 string
	Field                           string // Label of the field it is about.
	Crop                            *cropView
	By, Reason                      string // Who acknowledged it.
	May                             bool   // The person may acknowledge it.
	Who                             string // Why not, if not.
}

var levels = map[library.Severity]string{library.Block: "block", library.Human: "human", library.Advise: "note"}

// findingViews returns what is open or a note, and what was acknowledged.
func (f *casefile) findingViews(actor library.Actor, may bool) (open, settled []findingView) {
	findings := slices.Clone(f.findings)
	rank := func(s library.Severity) int {
		return slices.Index([]library.Severity{library.Block, library.Human, library.Advise}, s)
	}
	slices.SortStableFunc(findings, func(a, b library.Finding) int { return rank(a.Severity) - rank(b.Severity) })
	seen := map[string]bool{} // One word answers all findings of a rule: one form.
	for _, x := range findings {
		v := findingView{
			Rule: x.Rule, Title: sentence(x.Title), Citation: x.Citation, Why: sentence(x.Why), Ask: x.Ask,
			Severity: word(severityNames, x.Severity), Level: word(levels, x.Severity), Crop: f.crop(x),
		}
		if x.Field != "" {
			group, label := fieldLabel(x.Field)
			v.Field = fmt.Sprintf("%s: %s", group, strings.ToLower(label))
		}
		if x.Acknowledged != nil {
			v.By, v.Reason = f.name(x.Acknowledged.By), x.Acknowledged.Reason
			settled = append(settled, v)
			continue
		}
		switch {
		case !x.Open() || seen[x.Rule]:
		case x.Severity == library.Block && !x.Overridable:
			v.Who = "This cannot be acknowledged: correct or choose what is wrong, ask the requester, or deny."
		case x.Severity == library.Block && !actor.Is(library.RolePrivacy):
			v.Who = "Only the privacy office may acknowledge this."
		default:
			v.May = may
		}
		seen[x.Rule] = seen[x.Rule] || x.Open()
		open = append(open, v)
	}
	return open, settled
}
