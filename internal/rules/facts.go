package rules

import (
	"slices"
	"strings"

	"fileroom/internal/library"
)

// Facts are everything that the checks of a case look at.
type Facts struct {
	Reading    library.Reading // With corrections applied.
	Channel    library.Channel
	Received   library.Date // The day it reached the hospital, not the day it was opened.
	Today      library.Date
	Basis      library.Basis
	Match      library.Match
	Facility   *library.Facility   // The destination; nil while there is none.
	Facilities []FacilityCandidate // What the directory holds that may be meant, from [MatchFacility].
	Bound      []library.CaseID    // The cases that this part of the arrival belongs to: exactly one, or IN-01 blocks.
	Duplicates []library.CaseID    // Other cases of the same patient and facility.
	Site       Site
}

// Site is what a hospital decides for itself.
type Site struct {
	RequireSignatureDate bool `json:"require_signature_date"` // The law itself asks for no date beside the signature.
}

// flag returns a setting by its name in the packs, and whether there is one.
func (s Site) flag(name string) (on, known bool) {
	if name == "require_signature_date" {
		return s.RequireSignatureDate, true
	}
	return false, false
}

// A fault is one thing that a check found wrong.
type fault struct {
	kind  string // One of the check's faults; the pack may give it a severity of its own.
	why   string // For staff. The same facts must give the same words: an acknowledgement hangs on them.
	field string // The field it rests on, as in [library.Field]; empty if none.
	page  int    // Where no field says so.
}

// A check is a function with the kinds of fault that it can find, and what
// among the choices these are about.
type check struct {
	run    func(Facts) []fault
	faults []string
	about  about
}

// checks are the functions that packs name.
var checks = map[string]check{
	// intake.go.
	"bound_to_one_case": {boundToOneCase, []string{"unbound", "several"}, papersAlone},
	"pages_legible":     {pagesLegible, []string{"trouble"}, papersAlone},
	"attachments_safe":  {attachmentsSafe, []string{"trouble"}, papersAlone},
	"not_asked_before":  {notAskedBefore, []string{"duplicate"}, patientChosen | facilityChosen},
	"one_patient":       {onePatient, []string{"several"}, papersAlone},

	// basis.go.
	"basis_known":         {basisKnown, []string{"unknown", "unlike", "unsure"}, facilityChosen},
	"basis_access":        {basisAccess, []string{"not-self"}, papersAlone},
	"basis_treatment":     {basisTreatment, []string{"no-provider"}, facilityChosen},
	"basis_judged_by_law": {basisJudgedByLaw, []string{"always"}, papersAlone},

	// letter.go.
	"patient_named":       {patientNamed, []string{"missing", "initial"}, papersAlone},
	"birth_date_given":    {birthDateGiven, []string{"missing", "impossible"}, papersAlone},
	"record_number_given": {recordNumberGiven, []string{"missing"}, papersAlone},
	"recipient_named":     {recipientNamed, []string{"name", "address"}, papersAlone},
	"studies_named":       {studiesNamed, []string{"none", "open"}, papersAlone},
	"signed":              {signed, []string{"missing"}, papersAlone},
	"signature_dated":     {signatureDated, []string{"missing", "future", "old", "minor"}, papersAlone},
	"signed_by_patient":   {signedByPatient, []string{"differs", "unknown"}, papersAlone},
	"signer_authorized":   {signerAuthorized, []string{"unstated", "no-paper"}, papersAlone},
	"delivery_named":      {deliveryNamed, []string{"missing"}, papersAlone},
	"author_is_patient":   {authorIsPatient, []string{"proxy"}, papersAlone},
	"contact_given":       {contactGiven, []string{"missing"}, papersAlone},

	// papers.go.
	"paper_judged":      {paperJudged, []string{"paper"}, papersAlone},
	"health_care_power": {healthCarePower, []string{"general"}, papersAlone},

	// identity.go.
	"identity_read_surely": {identityReadSurely, []string{"unsure"}, papersAlone},
	"two_identifiers":      {twoIdentifiers, []string{"none", "one", "birth-date"}, patientChosen},
	"no_patient_alike":     {noPatientAlike, []string{"twins", "told-apart"}, patientChosen},
	"name_as_recorded":     {nameAsRecorded, []string{"alike", "differs"}, patientChosen},
	"record_number_fits":   {recordNumberFits, []string{"conflict", "unknown"}, patientChosen},

	// studies.go.
	"every_item_resolved": {everyItemResolved, []string{"nothing", "open", "not-found"}, patientChosen | studiesChosen},
	"nothing_unasked":     {nothingUnasked, []string{"study", "image"}, patientChosen | studiesChosen},
	"studies_complete":    {studiesComplete, []string{"empty", "count"}, patientChosen | studiesChosen},

	// destination.go.
	"destination_known":  {destinationKnown, []string{"none", "self", "unlike", "fuzzy"}, facilityChosen},
	"destination_unique": {destinationUnique, []string{"twins", "told-apart"}, facilityChosen},
}

// Check returns what the pack finds wrong with the facts, in the order of its
// rules. No findings means that nothing stands in the way.
func (p *Pack) Check(f Facts) []library.Finding {
	var findings []library.Finding
	for _, r := range p.Rules {
		if len(r.Bases) > 0 && !slices.Contains(r.Bases, f.Basis) {
			continue
		}
		c := checks[r.Check]
		for _, found := range c.run(f) {
			finding := r.finding(f, found)
			finding.About = f.digest(c.about)
			findings = append(findings, finding)
		}
	}
	return findings
}

func (r Rule) finding(f Facts, found fault) library.Finding {
	finding := library.Finding{
		Rule: r.ID, Title: r.Title, Citation: r.Citation, Severity: r.Severity, Overridable: r.Overridable,
		Why: found.why, Ask: r.Ask, Field: found.field, Page: found.page, Pack: r.pack,
	}
	if i := slices.IndexFunc(r.Where, func(w Exception) bool { return w.fits(f, found) }); i >= 0 {
		w := r.Where[i]
		finding.Severity = w.Severity
		if w.Overridable != nil {
			finding.Overridable = *w.Overridable
		}
		if w.Silent {
			finding.Ask = ""
		}
	}
	finding.Overridable = finding.Overridable && finding.Severity == library.Block
	if field, ok := f.evidence(found.field); ok {
		finding.Page, finding.Box, finding.Confidence = field.Page, field.Box, field.Confidence
	}
	return finding
}

func (w Exception) fits(f Facts, found fault) bool {
	on, _ := f.Site.flag(w.Site)
	return (w.Fault == "" || w.Fault == found.kind) &&
		(len(w.Bases) == 0 || slices.Contains(w.Bases, f.Basis)) &&
		(len(w.Channels) == 0 || slices.Contains(w.Channels, f.Channel)) &&
		(w.Site == "" || on)
}

// evidence returns the field that a finding rests on, or the first of its parts.
func (f Facts) evidence(name string) (library.Field, bool) {
	if name == "" {
		return library.Field{}, false
	}
	i := slices.IndexFunc(f.Reading.Fields, func(x library.Field) bool { return x.Name == name })
	if i < 0 {
		i = slices.IndexFunc(f.Reading.Fields, func(x library.Field) bool { return strings.HasPrefix(x.Name, name+".") })
	}
	if i < 0 {
		return library.Field{}, false
	}
	return f.Reading.Fields[i], true
}

// received returns the day of receipt, or today if that was not recorded.
func (f Facts) received() library.Date {
	if _, ok := f.Received.Time(); ok {
		return f.Received
	}
	return f.Today
}
