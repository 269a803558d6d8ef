package rules_test

import (
	"fmt"

	"fileroom/internal/library"
	"fileroom/internal/rules"
)

func trouble(code library.TroubleCode) func(*rules.Facts) {
	return func(f *rules.Facts) {
		f.Reading.Troubles = []library.Trouble{{Code: code, Part: 2, Page: 3, Text: "could not be read; ask for another copy."}}
	}
}

var intakeCases = map[string]ruleCase{
	"an arrival in one case":         {rule: "IN-01"},
	"an arrival in no case":          {"IN-01", func(f *rules.Facts) { f.Bound = nil }, block},
	"an arrival in two cases":        {"IN-01", func(f *rules.Facts) { f.Bound = append(f.Bound, "9ZTX-1A2B") }, block},
	"everything is legible":          {rule: "IN-03"},
	"an illegible page":              {"IN-03", trouble(library.TroubleIllegible), human},
	"a damaged file":                 {"IN-03", trouble(library.TroubleDamaged), human},
	"an empty file":                  {"IN-03", trouble(library.TroubleEmpty), human},
	"a locked file is legible":       {"IN-03", trouble(library.TroubleEncrypted), pass},
	"nothing is unsafe":              {rule: "IN-06"},
	"a locked file":                  {"IN-06", trouble(library.TroubleEncrypted), human},
	"a program attached":             {"IN-06", trouble(library.TroubleUnsupported), human},
	"a file that never ends":         {"IN-06", trouble(library.TroubleTimeout), human},
	"a huge file":                    {"IN-06", trouble(library.TroubleTooLarge), human},
	"a trouble nobody foresaw":       {"IN-06", trouble("novel"), human},
	"an illegible page is safe":      {"IN-06", trouble(library.TroubleIllegible), pass},
	"asked for the first time":       {rule: "IN-04"},
	"asked for three weeks ago":      {"IN-04", func(f *rules.Facts) { f.Duplicates = []library.CaseID{"9ZTX-1A2B"} }, human},
	"one patient in the envelope":    {rule: "IN-05"},
	"two patients in the envelope":   {"IN-05", func(f *rules.Facts) { f.Reading.Others = []library.Patient{{Given: "Harold", Family: "Pruitt"}} }, block},
	"another patient without a name": {"IN-05", func(f *rules.Facts) { f.Reading.Others = []library.Patient{{}} }, block},
}

func on(b library.Basis) func(*rules.Facts) { return func(f *rules.Facts) { f.Basis = b } }

func toSelf(f *rules.Facts) {
	f.Basis, f.Reading.Request.Recipient = library.BasisAccess, library.Recipient{Self: true}
	withDirectory(f, clinic())
}

func toLawyer(f *rules.Facts) {
	f.Reading.Request.Recipient = library.Recipient{Organization: "Vann Law Office", Street: "12 Oak Street", City: "Durham", Zip: "27701"}
	f.Reading.Request.Purpose = "legal"
	withDirectory(f, clinic())
}

var basisCases = map[string]ruleCase{
	"treatment by a known provider":          {rule: "LB-0"},
	"no basis":                               {"LB-0", on(""), block},
	"a basis for families, not judged":       {"LB-0", on("LB-6"), block},
	"a lawyer under an authorization":        {"LB-0", func(f *rules.Facts) { toLawyer(f); f.Basis = library.BasisAuthorization }, pass},
	"a lawyer under a directive":             {"LB-0", func(f *rules.Facts) { toLawyer(f); f.Basis = library.BasisDirective }, human},
	"a provider, and no purpose":             {"LB-0", func(f *rules.Facts) { f.Reading.Request.Purpose = "" }, human},
	"a directive where treatment would do":   {"LB-0", on("LB-2"), pass},
	"to the patient, under access":           {"LB-1", toSelf, pass},
	"to somebody else, under access":         {"LB-1", on("LB-1"), block},
	"to somebody else, under a directive":    {"LB-1", on("LB-2"), pass},
	"a provider treats":                      {rule: "LB-3"},
	"an unknown recipient cannot treat":      {"LB-3", func(f *rules.Facts) { withDirectory(f) }, block},
	"a known facility that does not treat":   {"LB-3", func(f *rules.Facts) { f.Facility.Provider = false }, block},
	"an unknown recipient under a directive": {"LB-3", func(f *rules.Facts) { withDirectory(f); f.Basis = library.BasisDirective }, pass},
	"an authorization is judged by hand":     {"LB-4", on("LB-4"), block},
	"treatment needs no authorization":       {rule: "LB-4"},
	"a subpoena is judged by hand":           {"LB-5", on("LB-5"), block},
	"treatment needs no legal process":       {rule: "LB-5"},
}

func patient(change func(*library.Patient)) func(*rules.Facts) {
	return func(f *rules.Facts) { change(&f.Reading.Request.Patient) }
}

func recipient(b library.Basis, change func(*library.Recipient)) func(*rules.Facts) {
	return func(f *rules.Facts) { f.Basis = b; change(&f.Reading.Request.Recipient) }
}

func signature(change func(*library.Signature)) func(*rules.Facts) {
	return func(f *rules.Facts) { change(&f.Reading.Request.Signature) }
}

func signedBy(name string) func(*rules.Facts) {
	return signature(func(s *library.Signature) { s.Name, s.Signer = name, "" })
}

// asked replaces what is asked for, before anything is chosen.
func asked(items ...library.StudyRequest) func(*rules.Facts) {
	return func(f *rules.Facts) {
		f.Reading.Request.Studies = items
		for i := range f.Match.Studies {
			f.Match.Studies[i].Chosen, f.Match.Studies[i].By = false, ""
		}
	}
}

func unsigned(f *rules.Facts) { f.Reading.Request.Signature = library.Signature{} }

var letterCases = map[string]ruleCase{
	"a full name":                           {rule: "DL-01"},
	"no first name":                         {"DL-01", patient(func(p *library.Patient) { p.Given = "" }), block},
	"no family name":                        {"DL-01", patient(func(p *library.Patient) { p.Family = "" }), block},
	"a dash for a family name":              {"DL-01", patient(func(p *library.Patient) { p.Family = "-" }), block},
	"an initial for a first name":           {"DL-01", patient(func(p *library.Patient) { p.Given = "E." }), human},
	"no name under an authorization":        {"DL-01", func(f *rules.Facts) { f.Basis, f.Reading.Request.Patient.Given = "LB-4", "" }, pass},
	"a birth date":                          {rule: "DL-02"},
	"no birth date":                         {"DL-02", patient(func(p *library.Patient) { p.BirthDate = "" }), block},
	"no such day":                           {"DL-02", patient(func(p *library.Patient) { p.BirthDate = "1958-02-30" }), block},
	"born after writing":                    {"DL-02", patient(func(p *library.Patient) { p.BirthDate = "2026-05-01" }), block},
	"born in another age":                   {"DL-02", patient(func(p *library.Patient) { p.BirthDate = "1858-04-17" }), block},
	"a record number":                       {rule: "DL-03"},
	"no record number is a note":            {"DL-03", patient(func(p *library.Patient) { p.MRN = "" }), advise},
	"no record number, under a directive":   {"DL-03", func(f *rules.Facts) { f.Basis, f.Reading.Request.Patient.MRN = "LB-2", "" }, advise},
	"a recipient with an address":           {rule: "DL-04"},
	"the patient herself":                   {"DL-04", toSelf, pass},
	"a doctor without a practice":           {"DL-04", recipient("LB-3", func(r *library.Recipient) { r.Organization = "" }), pass},
	"nobody, for treatment":                 {"DL-04", recipient("LB-3", func(r *library.Recipient) { r.Person, r.Organization = "", "" }), block},
	"nobody, under a directive":             {"DL-04", recipient("LB-2", func(r *library.Recipient) { *r = library.Recipient{} }), block},
	"nobody, under access":                  {"DL-04", recipient("LB-1", func(r *library.Recipient) { *r = library.Recipient{} }), human},
	"a town is no address":                  {"DL-04", recipient("LB-2", func(r *library.Recipient) { r.Street = "" }), block},
	"a street without a town":               {"DL-04", recipient("LB-2", func(r *library.Recipient) { r.City, r.Zip = "", "" }), block},
	"a postcode for a town":                 {"DL-04", recipient("LB-2", func(r *library.Recipient) { r.City = "" }), pass},
	"studies with dates":                    {rule: "DL-05"},
	"nothing asked for":                     {"DL-05", asked(), block},
	"an item without a clue":                {"DL-05", asked(library.StudyRequest{}), block},
	"a study without a date":                {"DL-05", asked(library.StudyRequest{Modality: "CT"}), human},
	"a date and nothing else":               {"DL-05", asked(library.StudyRequest{Date: "2026-02-12"}), human},
	"a body part in a month":                {"DL-05", asked(library.StudyRequest{BodyPart: "chest", From: "2026-02-01", To: "2026-02-28"}), pass},
	"all of them":                           {"DL-05", asked(library.StudyRequest{All: true}), pass},
	"a study without a date, picked":        {"DL-05", func(f *rules.Facts) { f.Reading.Request.Studies[0].Date = "" }, pass},
	"a signature":                           {rule: "DL-06"},
	"no signature, under a directive":       {"DL-06", func(f *rules.Facts) { unsigned(f); f.Basis = "LB-2" }, block},
	"no signature, for treatment":           {"DL-06", unsigned, human},
	"no signature, under access":            {"DL-06", func(f *rules.Facts) { unsigned(f); f.Basis = "LB-1" }, human},
	"no signature in a portal":              {"DL-06", func(f *rules.Facts) { unsigned(f); f.Basis, f.Channel = "LB-2", library.ChannelPortal }, human},
	"a dated signature":                     {rule: "DL-07"},
	"dated on the day of receipt":           {"DL-07", signature(func(s *library.Signature) { s.Date = "2026-04-08" }), pass},
	"no date where the site asks for one":   {"DL-07", signature(func(s *library.Signature) { s.Date = "" }), block},
	"no date where the site does not":       {"DL-07", func(f *rules.Facts) { f.Site = rules.Site{}; f.Reading.Request.Signature.Date = "" }, human},
	"no date in a portal":                   {"DL-07", func(f *rules.Facts) { f.Channel = library.ChannelPortal; f.Reading.Request.Signature.Date = "" }, pass},
	"no such date":                          {"DL-07", signature(func(s *library.Signature) { s.Date = "2026-02-30" }), block},
	"dated tomorrow":                        {"DL-07", signature(func(s *library.Signature) { s.Date = "2026-04-09" }), block},
	"dated tomorrow, whatever the site":     {"DL-07", func(f *rules.Facts) { f.Site = rules.Site{}; f.Reading.Request.Signature.Date = "2026-04-09" }, block},
	"dated a year ago to the day":           {"DL-07", signature(func(s *library.Signature) { s.Date = "2025-04-08" }), pass},
	"dated more than a year ago":            {"DL-07", signature(func(s *library.Signature) { s.Date = "2025-04-07" }), human},
	"receipt not recorded, dated in future": {"DL-07", func(f *rules.Facts) { f.Received = ""; f.Reading.Request.Signature.Date = "2026-04-10" }, block},
	"signed at seventeen":                   {"DL-07", patient(func(p *library.Patient) { p.BirthDate = "2008-04-07" }), block},
	"signed on the eighteenth birthday":     {"DL-07", patient(func(p *library.Patient) { p.BirthDate = "2008-04-06" }), pass},
	"a minor's mother signed":               {"DL-07", childOf("parent", "2015-01-01"), pass},
	"her own name":                          {rule: "DL-08"},
	"her initials":                          {"DL-08", signedBy("E. Whitcombe"), pass},
	"her name backwards":                    {"DL-08", signedBy("WHITCOMBE, Eleanor"), pass},
	"her name with an accent":               {"DL-08", signedBy("Éleanor Whitcombe"), pass},
	"a short form of her name":              {"DL-08", signedBy("Ele Whitcombe"), pass},
	"her middle name":                       {"DL-08", signedBy("Ruth Whitcombe"), pass},
	"her family name alone":                 {"DL-08", signedBy("Mrs. Whitcombe"), pass},
	"her double name":                       {"DL-08", signedBy("Eleanor Hale-Whitcombe"), pass},
	"a suffix":                              {"DL-08", func(f *rules.Facts) { f.Reading.Request.Patient.Suffix = "Sr."; signedBy("Eleanor Whitcombe Jr.")(f) }, pass},
	"one of two surnames": {"DL-08", func(f *rules.Facts) {
		f.Reading.Request.Patient.Family = "Whitcombe Ortiz"
		signedBy("Eleanor Ortiz")(f)
	}, pass},
	"a maiden name":                        {"DL-08", signedBy("Eleanor Hargrove"), human},
	"a maiden name, said to be hers":       {"DL-08", signature(func(s *library.Signature) { s.Name = "Eleanor Hargrove" }), human},
	"her husband's name":                   {"DL-08", signedBy("Walter Whitcombe"), human},
	"nobody's name":                        {"DL-08", signature(func(s *library.Signature) { s.Name, s.Signer = "", "" }), human},
	"nobody's name, said to be hers":       {"DL-08", signature(func(s *library.Signature) { s.Name = "" }), pass},
	"her agent's name is for another rule": {"DL-08", signerWith("health-care-agent"), pass},
	"a way of delivery":                    {rule: "DL-10"},
	"no way of delivery":                   {"DL-10", func(f *rules.Facts) { f.Reading.Request.Delivery = "" }, advise},
	"the patient in her portal":            {"DL-11", func(f *rules.Facts) { f.Channel = library.ChannelPortal }, pass},
	"her proxy in the portal":              {"DL-11", func(f *rules.Facts) { signerWith("guardian")(f); f.Channel = library.ChannelPortal }, human},
	"a guardian by letter":                 {"DL-11", signerWith("guardian"), pass},
	"a telephone number":                   {rule: "DL-12"},
	"no way to answer a fax":               {"DL-12", func(f *rules.Facts) { f.Channel = library.ChannelFax; f.Reading.Request.Patient.Phone = "" }, advise},
	"an e-mail can be answered":            {"DL-12", patient(func(p *library.Patient) { p.Phone = "" }), pass},
}

// signerWith lets somebody sign for the patient, with papers of the kinds given.
func signerWith(signer string, papers ...string) func(*rules.Facts) {
	return func(f *rules.Facts) {
		f.Reading.Request.Signature.Name, f.Reading.Request.Signature.Signer = "Walter Hale", signer
		for i, kind := range papers {
			f.Reading.Documents = append(f.Reading.Documents, library.Document{Kind: kind, Pages: []int{i + 2}})
		}
	}
}

func childOf(signer string, born library.Date, papers ...string) func(*rules.Facts) {
	return func(f *rules.Facts) {
		signerWith(signer, papers...)(f)
		f.Reading.Request.Patient.BirthDate = born
	}
}

var representativeCases = map[string]ruleCase{
	"the patient signs alone":   {rule: "DL-09"},
	"her agent with the power":  {"DL-09", signerWith("health-care-agent", "health-care-power-of-attorney"), pass},
	"her agent without a paper": {"DL-09", signerWith("health-care-agent"), block},
	"her agent with another's paper": {"DL-09", func(f *rules.Facts) {
		signerWith("health-care-agent", "health-care-power-of-attorney")(f)
		f.Reading.Missing = []string{"legal-document"}
	}, block},
	"her agent with a guardian's order":      {"DL-09", signerWith("health-care-agent", "guardianship-order"), block},
	"her guardian with the order":            {"DL-09", signerWith("guardian", "guardianship-order"), pass},
	"her guardian with an identity card":     {"DL-09", signerWith("guardian", "identification"), block},
	"her executor with letters":              {"DL-09", signerWith("executor", "letters-testamentary"), pass},
	"her executor with a death certificate":  {"DL-09", signerWith("executor", "death-certificate"), block},
	"her administrator with letters":         {"DL-09", signerWith("administrator", "letters-of-administration"), pass},
	"her attorney in fact with a power":      {"DL-09", signerWith("attorney-in-fact", "power-of-attorney"), pass},
	"her husband without a paper":            {"DL-09", signerWith("spouse"), block},
	"a kind of signer nobody foresaw":        {"DL-09", signerWith("neighbour", "letter"), block},
	"the parent of a child":                  {"DL-09", childOf("parent", "2015-01-01"), pass},
	"the parent of a grown child":            {"DL-09", childOf("parent", "2001-01-01", "birth-certificate"), block},
	"the parent on the eighteenth birthday":  {"DL-09", childOf("parent", "2008-04-08"), block},
	"the parent on the day before":           {"DL-09", childOf("parent", "2008-04-09"), pass},
	"the parent of a child without a date":   {"DL-09", childOf("parent", ""), block},
	"another first name, and nothing stated": {"DL-09", signedBy("Walter Whitcombe"), block},
	"a maiden name is the patient's":         {"DL-09", signedBy("Eleanor Hargrove"), pass},
	"no paper to judge":                      {rule: "RC-00"},
	"a paper to judge":                       {"RC-00", signerWith("guardian", "guardianship-order"), human},
	"no paper there, nothing to judge":       {"RC-00", signerWith("guardian"), pass},
	"a parent to judge":                      {"RC-00", childOf("parent", "2015-01-01"), human},
	"no power of attorney":                   {rule: "RC-08"},
	"a power over property alone":            {"RC-08", signerWith("attorney-in-fact", "power-of-attorney"), block},
	"a power over property, and over health": {"RC-08", signerWith("attorney-in-fact", "power-of-attorney", "health-care-power-of-attorney"), pass},
	"a power that nobody uses":               {"RC-08", func(f *rules.Facts) { signerWith("patient", "power-of-attorney")(f) }, pass},
}

func patients(candidates ...library.PatientCandidate) func(*rules.Facts) {
	return func(f *rules.Facts) { f.Match.Patients = candidates }
}

// withoutNumber lets the letter give no record number.
func withoutNumber(candidates ...library.PatientCandidate) func(*rules.Facts) {
	return func(f *rules.Facts) { f.Match.Patients = candidates; f.Reading.Request.Patient.MRN = "" }
}

func confidence(field string, c float64) func(*rules.Facts) {
	return func(f *rules.Facts) {
		for i := range f.Reading.Fields {
			if f.Reading.Fields[i].Name == field {
				f.Reading.Fields[i].Confidence = c
			}
		}
	}
}

var (
	eleanor    = candidate("p1", "D1093347", yes("mrn"), yes("name"), yes("birth-date"))
	twin       = candidate("p2", "D2204518", no("mrn"), yes("name"), yes("birth-date"))
	unnumbered = candidate("p1", "D1093347", yes("name"), yes("birth-date"))
	lookalike  = candidate("p2", "D2204518", yes("name-alike"), yes("birth-date"))
)

var identityCases = map[string]ruleCase{
	"read surely":                                  {rule: "ID-02"},
	"a birth date read at 0.89":                    {"ID-02", confidence("patient.birth_date", 0.89), human},
	"a birth date read at 0.90":                    {"ID-02", confidence("patient.birth_date", 0.90), pass},
	"a first name read badly":                      {"ID-02", confidence("patient.given", 0.2), human},
	"a family name read badly":                     {"ID-02", confidence("patient.family", 0.2), human},
	"a record number read badly":                   {"ID-02", confidence("patient.mrn", 0.2), human},
	"three identifiers":                            {rule: "PM-01"},
	"name and birth date":                          {"PM-01", withoutNumber(chosen(unnumbered, "program")), pass},
	"number and birth date":                        {"PM-01", patients(chosen(candidate("p1", "D1", yes("mrn"), no("name"), yes("birth-date")), "clerk")), pass},
	"nobody found":                                 {"PM-01", patients(), block},
	"nobody chosen":                                {"PM-01", patients(eleanor, twin), block},
	"name alone":                                   {"PM-01", patients(chosen(candidate("p1", "D1", yes("name")), "clerk")), block},
	"birth date alone":                             {"PM-01", patients(chosen(candidate("p1", "D1", no("name"), yes("birth-date")), "clerk")), block},
	"a name alike is no strong identifier":         {"PM-01", patients(chosen(candidate("p1", "D1", yes("name-alike"), yes("birth-date")), "clerk")), block},
	"another birth date":                           {"PM-01", patients(chosen(candidate("p1", "D1", yes("mrn"), yes("name"), no("birth-date")), "clerk")), block},
	"nobody alike":                                 {rule: "PM-02"},
	"twins told apart by the number":               {"PM-02", patients(chosen(eleanor, "program"), twin), advise},
	"twins without a number":                       {"PM-02", withoutNumber(unnumbered, candidate("p2", "D2204518", yes("name"), yes("birth-date"))), human},
	"twins without a number, one chosen":           {"PM-02", withoutNumber(chosen(unnumbered, "clerk"), candidate("p2", "D2204518", yes("name"), yes("birth-date"))), human},
	"twins, and staff chose against the number":    {"PM-02", patients(eleanor, chosen(twin, "clerk")), human},
	"twins, one without a number in the PACS":      {"PM-02", patients(chosen(eleanor, "program"), lookalike), human},
	"twins whose names are alike":                  {"PM-02", withoutNumber(chosen(unnumbered, "clerk"), lookalike), human},
	"another of the name, born another day":        {"PM-02", patients(chosen(eleanor, "program"), candidate("p2", "D9", no("mrn"), yes("name"), no("birth-date"))), pass},
	"one found, and not chosen":                    {"PM-02", patients(eleanor), pass},
	"one alike, and somebody else chosen":          {"PM-02", withoutNumber(chosen(candidate("p3", "D3", no("name"), yes("birth-date")), "clerk"), unnumbered), human},
	"the recorded name":                            {rule: "PM-03"},
	"a name misspelt":                              {"PM-03", patients(chosen(candidate("p1", "D1", yes("mrn"), yes("name-alike"), yes("birth-date")), "program")), human},
	"a former name":                                {"PM-03", patients(chosen(candidate("p1", "D1", yes("mrn"), no("name"), yes("birth-date")), "clerk")), human},
	"nobody chosen, nothing to compare":            {"PM-03", patients(eleanor), pass},
	"the number is hers":                           {rule: "PM-04"},
	"there is no number":                           {"PM-04", withoutNumber(chosen(unnumbered, "program")), pass},
	"the number is hers and not her twin's":        {"PM-04", patients(chosen(eleanor, "program"), twin), pass},
	"the number is another's":                      {"PM-04", patients(chosen(twin, "clerk"), candidate("p2", "D1", yes("mrn"), no("name"), no("birth-date"))), block},
	"the number is her twin's, by staff":           {"PM-04", patients(eleanor, chosen(twin, "clerk")), block},
	"the number leads to one, the name to another": {"PM-04", patients(candidate("p1", "D1", yes("mrn"), yes("name-alike"), yes("birth-date")), twin), block},
	"the number is hers, born another day":         {"PM-04", patients(chosen(candidate("p1", "D1", yes("mrn"), yes("name"), no("birth-date")), "clerk")), block},
	"the number is hers under a former name":       {"PM-04", patients(chosen(candidate("p1", "D1", yes("mrn"), no("name"), yes("birth-date")), "clerk")), pass},
	"the number is nobody's":                       {"PM-04", patients(chosen(candidate("p1", "D1", no("mrn"), yes("name"), yes("birth-date")), "clerk")), human},
}

func studies(list ...library.StudyCandidate) func(*rules.Facts) {
	return func(f *rules.Facts) {
		f.Match.Studies, f.Match.Manifest = list, nil
		for _, s := range f.Match.ChosenStudies() {
			f.Match.Manifest = append(f.Match.Manifest, images(s.UID, s.Instances)...)
		}
	}
}

func unchosen(s library.StudyCandidate) library.StudyCandidate {
	s.Chosen, s.By = false, ""
	return s
}

var (
	first  = study("2.25.1", 0, "2026-02-12", 3)
	second = study("2.25.2", 1, "2026-01-28", 2)
)

func contradicted(s library.StudyCandidate) library.StudyCandidate {
	s.Reasons = []library.Reason{yes("modality"), no("date")}
	return s
}

var studyCases = map[string]ruleCase{
	"each item has its study":               {rule: "SM-01"},
	"an item whose candidate is not chosen": {"SM-01", studies(first, unchosen(second)), block},
	"an item that nothing fits":             {"SM-01", studies(first), human},
	"nothing is chosen":                     {"SM-01", studies(unchosen(first), unchosen(second)), block},
	"nothing is in the PACS":                {"SM-01", studies(), block},
	"no patient, so nothing to say":         {"SM-01", func(f *rules.Facts) { patients()(f); studies()(f) }, pass},
	"only what was asked for":               {rule: "SM-02"},
	"a study that fits nothing":             {"SM-02", studies(first, second, study("2.25.3", -1, "2025-11-04", 1)), block},
	"a study of no item":                    {"SM-02", studies(first, second, study("2.25.3", 7, "2025-11-04", 1)), block},
	"a study of another day":                {"SM-02", studies(first, contradicted(second)), block},
	"a study that fits nothing, not chosen": {"SM-02", studies(first, second, unchosen(study("2.25.3", -1, "2025-11-04", 1))), pass},
	"images of a study that is not chosen":  {"SM-02", func(f *rules.Facts) { f.Match.Manifest = append(f.Match.Manifest, images("2.25.9", 1)...) }, block},
	"as many images as counted":             {rule: "SM-04"},
	"fewer images than counted":             {"SM-04", func(f *rules.Facts) { f.Match.Manifest = f.Match.Manifest[1:] }, human},
	"more images than counted":              {"SM-04", func(f *rules.Facts) { f.Match.Studies[0].Instances = 2 }, human},
	"one image listed twice":                {"SM-04", func(f *rules.Facts) { f.Match.Manifest[1] = f.Match.Manifest[0] }, human},
	"no images at all":                      {"SM-04", func(f *rules.Facts) { f.Match.Manifest = nil }, block},
	"a study not chosen lists none":         {"SM-04", studies(first, second, unchosen(study("2.25.3", -1, "2025-11-04", 9))), pass},
}

// sister is another place of the same name.
func sister() library.Facility {
	f := clinic()
	f.ID, f.Street, f.City, f.Zip = "blue-ridge-west", "9 Sand Hill Road", "Candler", "28715"
	return f
}

// renamed writes the recipient otherwise and looks at the directory again.
func renamed(change func(*library.Recipient), directory ...library.Facility) func(*rules.Facts) {
	return func(f *rules.Facts) {
		change(&f.Reading.Request.Recipient)
		withDirectory(f, directory...)
	}
}

func picked(c library.Facility) func(*rules.Facts) {
	return func(f *rules.Facts) { f.Facility = &c }
}

var destinationCases = map[string]ruleCase{
	"the facility of the letter":             {rule: "DS-01"},
	"no such facility":                       {"DS-01", func(f *rules.Facts) { withDirectory(f) }, block},
	"to the patient's home":                  {"DS-01", toSelf, block},
	"to the patient, and a facility chosen":  {"DS-01", func(f *rules.Facts) { toSelf(f); picked(clinic())(f) }, block},
	"the name without an address":            {"DS-01", renamed(func(r *library.Recipient) { r.Street, r.Zip = "", "" }, clinic()), human},
	"the name misread":                       {"DS-01", renamed(func(r *library.Recipient) { r.Organization = "Blue Ridqe Neurosurgical Associates" }, clinic()), human},
	"chosen by staff, at another address":    {"DS-01", func(f *rules.Facts) { withDirectory(f, clinic(), sister()); picked(sister())(f) }, human},
	"chosen by staff, with another name":     {"DS-01", picked(library.Facility{ID: "elsewhere", Name: "Coastal Bone & Joint"}), block},
	"chosen by staff, in the same house":     {"DS-01", renamed(func(r *library.Recipient) { r.Person, r.Organization = "", "Vance Street Dental" }, clinic()), block},
	"one facility of the name":               {rule: "DS-02"},
	"two of the name, and the address tells": {"DS-02", func(f *rules.Facts) { withDirectory(f, clinic(), sister()) }, advise},
	"two of the name, and no address":        {"DS-02", renamed(func(r *library.Recipient) { r.Street, r.Zip = "", "" }, clinic(), sister()), human},
	"two of the name, and the other chosen":  {"DS-02", func(f *rules.Facts) { withDirectory(f, clinic(), sister()); picked(sister())(f) }, human},
	"two of the name in one house": {"DS-02", func(f *rules.Facts) {
		other := clinic()
		other.ID = "blue-ridge-two"
		withDirectory(f, clinic(), other)
	}, human},
}

// many returns so many chosen studies.
func many(n int) []library.StudyCandidate {
	var list []library.StudyCandidate
	for i := range n {
		list = append(list, study(fmt.Sprintf("2.25.%d", i+1), 0, "2026-02-12", 1))
	}
	return list
}
