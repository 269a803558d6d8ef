package reading_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/reading"
)

// mail is the words of an e-mail as a page.
func mail(s string) library.Page {
	p := library.Page{Number: 1, Part: 1, Source: library.SourceMail}
	for l := range strings.Lines(s) {
		p.Lines = append(p.Lines, lineOf(l, nil))
	}
	return p
}

// paper is a page of a letter with places: a line of "~~~" is ink, an empty
// line is room, and words of a column stand right of a "|".
func paper(source library.Source, s string) library.Page {
	p := library.Page{Number: 1, Part: 1, Source: source, Width: 612, Height: 792}
	y := 0.06
	for l := range strings.Lines(s) {
		l = strings.TrimSpace(l)
		switch {
		case l == "~~~":
			p.Ink = append(p.Ink, library.Ink{Box: library.Box{X: 0.12, Y: y, W: 0.2, H: 0.03}})
			y += 0.02
		case l != "":
			p.Lines = append(p.Lines, lineOf(l, &y))
		}
		y += 0.02
	}
	return p
}

func lineOf(s string, y *float64) library.Line {
	var l library.Line
	x := 0.12
	for f := range strings.FieldsSeq(s) {
		if f == "|" {
			x += 0.2
			continue
		}
		w := library.Word{Text: f, Confidence: 1}
		width := 0.01 * float64(len([]rune(f)))
		if y != nil {
			w.Box = &library.Box{X: x, Y: *y, W: width, H: 0.014}
			w.Confidence = 0.95
		}
		l.Words = append(l.Words, w)
		x += width + 0.008
	}
	return l
}

// numbered gives pages their numbers.
func numbered(pages ...library.Page) []library.Page {
	for i := range pages {
		pages[i].Number = i + 1
	}
	return pages
}

var options = reading.Options{Received: "2026-06-15", Library: []string{"Duke University Hospital", "Duke Radiology"}}

const fullLetter = `
	Ada Mae Quill
	12 Alder Street
	Durham, NC 27705
	(919) 555-0142

	June 2, 2026

	Duke University Hospital
	Radiology Image Library
	2301 Erwin Road, Box 3808
	Durham, NC 27710

	Patient: Ada Mae Quill
	Date of birth: 03/19/1961
	MRN: D1000042

	Please send the following studies by electronic transfer to my new neurosurgeon:

	MRI brain with and without contrast, 02/12/2026
	CT head, 01/28/2026

	Send to:

	Dr. Nora Tarn
	Heron Neurosurgical Associates
	40 Elm Row, Suite 300
	Boone, NC 28607
	Phone (828) 555-0177
	Fax (828) 555-0178

	Sincerely,

	~~~

	Ada M. Quill
`

// The letter of the demonstration, in its two forms, must be read without a fault.
func TestReadWholeLetter(t *testing.T) {
	t.Parallel()

	want := library.Request{
		Patient: library.Patient{
			Given: "Ada", Middle: "Mae", Family: "Quill", BirthDate: "1961-03-19", MRN: "D1000042",
			Phone: "(919) 555-0142", Address: "12 Alder Street, Durham, NC 27705",
		},
		Recipient: library.Recipient{
			Person: "Dr. Nora Tarn", Organization: "Heron Neurosurgical Associates", Street: "40 Elm Row, Suite 300",
			City: "Boone", State: "NC", Zip: "28607", Phone: "(828) 555-0177", Fax: "(828) 555-0178",
		},
		Studies: []library.StudyRequest{
			{Modality: "MR", BodyPart: "brain", Date: "2026-02-12"},
			{Modality: "CT", BodyPart: "head", Date: "2026-01-28"},
		},
		Delivery: "electronic", Purpose: "continuing-care",
		Signature: library.Signature{Present: true, Name: "Ada M. Quill", Date: "2026-06-02", Signer: "patient"},
	}
	signed := want
	signed.Signature.Electronic = true
	signed.Patient.Email = "ada.quill@post.example"
	tests := map[string]struct {
		page   library.Page
		sender string
		want   library.Request
	}{
		"signed letter":   {page: paper(library.SourceText, fullLetter), want: want},
		"scanned letter":  {page: paper(library.SourceOCR, fullLetter), want: want},
		"e-mail with /s/": {page: mail(strings.Replace(fullLetter, "~~~", "/s/ Ada M. Quill", 1)), sender: "ada.quill@post.example", want: signed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			opts := options
			opts.Sender = tt.sender
			got := reading.Read([]library.Page{tt.page}, opts)
			if fmt.Sprintf("%+v", got.Request) != fmt.Sprintf("%+v", tt.want) {
				t.Errorf("request\n%+v, want\n%+v", got.Request, tt.want)
			}
			if len(got.Missing) != 0 || len(got.Others) != 0 {
				t.Errorf("missing %q, others %v, want none", got.Missing, got.Others)
			}
			if len(got.Documents) != 1 || got.Documents[0].Kind != reading.Letter {
				t.Errorf("documents %v, want one letter", got.Documents)
			}
			checkFields(t, got, tt.page)
		})
	}
}

// checkFields holds what is promised of every field.
func checkFields(t *testing.T, got library.Reading, page library.Page) {
	t.Helper()

	seen := map[string]bool{}
	for _, f := range got.Fields {
		if seen[f.Name] {
			t.Errorf("field %s is there twice", f.Name)
		}
		seen[f.Name] = true
		if f.Value == "" || f.Page < 1 || math.IsNaN(f.Confidence) || f.Confidence < 0 || f.Confidence > 1 {
			t.Errorf("field %+v", f)
		}
		if page.Source == library.SourceOCR && f.Confidence >= 0.9 {
			t.Errorf("field %s was read from a picture and is believed to %v", f.Name, f.Confidence)
		}
	}
	for _, name := range []string{"patient.given", "patient.birth_date", "recipient.street", "studies[1].modality", "signature.present"} {
		if !seen[name] {
			t.Errorf("no field %s", name)
		}
	}
}

// A reading sees no value that is not in it: each case looks at one concern.
func TestRead(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		text string
		got  func(library.Reading) any
		want any
	}{
		"name in prose":                   {text: "My name is Ezra Dole Quill, Jr., and I was born on the 9th of March, 1944.", got: patient, want: "Ezra|Dole|Quill|Jr.|1944-03-09|"},
		"name of another in prose":        {text: "I am writing for my mother, Beatrice Louise Quill, who was born January 30, 1936. I am her health care agent.", got: patient, want: "Beatrice|Louise|Quill||1936-01-30|"},
		"name before the birth date":      {text: "Re: Transfer of studies\n\nIngrid M. Quill, b. 17 Nov 52; Medical Record No. 1-204-551", got: patient, want: "Ingrid|M.|Quill||1952-11-17|1-204-551"},
		"name only at the end":            {text: "I was born 10/30/1965. My Duke number is D0982217.\n\nSincerely yours,\n\nFiona K. Quill", got: patient, want: "Fiona|K.|Quill||1965-10-30|D0982217"},
		"middle name said apart":          {text: "I'm Denise Quill (middle name Yvette), birthday June 30 1973, Duke MRN 44107Z.", got: patient, want: "Denise|Yvette|Quill||1973-06-30|44107Z"},
		"name in Spanish":                 {text: "Me llamo María del Carmen Ruiz Olmo y nací el 14 de febrero de 1972. Mi número de expediente en Duke es D1905527.", got: patient, want: "María del Carmen||Ruiz Olmo||1972-02-14|D1905527"},
		"record number that is not known": {text: "Name: Robert Quill\nDOB: 11/2/1979\nMRN: don't know it", got: patient, want: "Robert||Quill||1979-11-02|"},
		"nobody":                          {text: "Please send my films to Dr. Tarn.", got: patient, want: "|||||"},

		"recipient in a sentence":     {text: "Send my knee MRI to Heron Ortho Clinic, 40 Elm Rd,\nRaleigh NC 27613. Attn Dr. Tarn.", got: recipient, want: "Dr. Tarn|Heron Ortho Clinic|40 Elm Rd|Raleigh|NC|27613|false"},
		"recipient after a doctor":    {text: "send it to my surgeon, Dr. Nora Tarn, at Heron Bone & Joint, 40 Elm Park Drive, Wilmington,\nNC 28403?", got: recipient, want: "Dr. Nora Tarn|Heron Bone & Joint|40 Elm Park Drive|Wilmington|NC|28403|false"},
		"department before":           {text: "to the Department of Nuclear Medicine, Heron University Hospital, 40 Harbor Drive,\nPortland, Oregon 97201, for a second opinion", got: recipient, want: "|Department of Nuclear Medicine, Heron University Hospital|40 Harbor Drive|Portland|Oregon|97201|false"},
		"no street":                   {text: "please push my MRI to Dr. Nora Tarn at Heron View Clinic in Raleigh. They are waiting.", got: recipient, want: "Dr. Nora Tarn|Heron View Clinic||Raleigh|||false"},
		"oneself":                     {text: "Please copy my chest x-ray onto a CD and mail the CD to me at the address at the top of this letter.", got: recipient, want: "||||||true"},
		"the library is no recipient": {text: "Duke University Hospital\nRadiology Image Library\n2301 Erwin Road\nDurham, NC 27710\n\nPlease send my images to my doctor.", got: recipient, want: "||||||false"},

		"one study":                {text: "Send my left knee MRI (done 4/30/26) please.", got: studies, want: "MR left knee 2026-04-30"},
		"two of a sentence":        {text: "I need the MRI of the lumbar spine that I had on August 19, 2025, and the plain x-rays of\nthe lumbar spine from September 2, 2025.", got: studies, want: "MR lumbar spine 2025-08-19, DX lumbar spine 2025-09-02"},
		"one with three dates":     {text: "the left forearm x-rays from 7/18/2025,\n8/8/2025 and 9/5/2025.", got: studies, want: "DX left forearm 2025-07-18, DX left forearm 2025-08-08, DX left forearm 2025-09-05"},
		"both on one day":          {text: "my diagnostic mammogram (left breast) and left breast\nultrasound, both performed 10/03/2025", got: studies, want: "MG left breast 2025-10-03, US left breast 2025-10-03"},
		"the same day":             {text: "• Head CT from when she fell, March 3rd, 2026\n\n• Chest x-ray the same day", got: studies, want: "CT head 2026-03-03, DX chest 2026-03-03"},
		"all of a year":            {text: "I need all my MRIs from 2022, plus the one brain MRI from Jan 15, 2023.", got: studies, want: "MR  2022-01-01..2022-12-31, MR brain 2023-01-15"},
		"a span":                   {text: "every chest x-ray and every chest CT you hold for me from June 2019\nthrough March 2026", got: studies, want: "DX chest 2019-06-01..2026-03-31, CT chest 2019-06-01..2026-03-31"},
		"everything":               {text: "I request copies of all of his radiology images on CD.", got: studies, want: "all"},
		"nothing named":            {text: "I need my pictures sent to my doctor. My birth date is 12-12-1970.", got: studies, want: ""},
		"without a date":           {text: "I had a knee MRI (the right one) last fall.", got: studies, want: "MR right knee "},
		"an appointment is none":   {text: "- CTA chest 07/06/2026\n- CXR 07/06/2026\n\nAppt is 08/03/2026.", got: studies, want: "CT chest 2026-07-06, DX chest 2026-07-06"},
		"Spanish studies":          {text: "Solicito mi ecografía de abdomen del 3 de\nmarzo de 2026 y mi tomografía de tórax del 20 de febrero de 2026 para mi doctora.", got: studies, want: "US abdomen 2026-03-03, CT tórax 2026-02-20"},
		"date before the study":    {text: "And on January 7, 2025 there was a CT of the abdomen and pelvis.", got: studies, want: "CT abdomen and pelvis 2025-01-07"},
		"electronic, not the disc": {text: "The CD they gave me would not open, so send them by the computer.", got: func(r library.Reading) any { return r.Request.Delivery }, want: "electronic"},
		"disc":                     {text: "He would like them on disc.", got: func(r library.Reading) any { return r.Request.Delivery }, want: "cd"},
		"a lawsuit":                {text: "for use in his lawsuit; he has a doctor", got: func(r library.Reading) any { return r.Request.Purpose }, want: "legal"},
		"expires":                  {text: "This authorization expires on 31 March 2026.", got: func(r library.Reading) any { return r.Request.Expires }, want: "2026-03-31"},
		"expires by an event":      {text: "This authorization shall expire upon the conclusion of my claim. I may revoke it.", got: func(r library.Reading) any { return r.Request.Expires }, want: "upon the conclusion of my claim"},

		"typed name is no signature": {text: "Patient: Ada Quill\n\nThank you!\nAda Quill", got: signature, want: "false Ada Quill  patient false"},
		"signed electronically":      {text: "Patient: Ada Quill\nSigned electronically by:\nAda Quill\n10/21/2025 2:22 PM", got: signature, want: "true Ada Quill 2025-10-21 patient true"},
		"slash s":                    {text: "Patient: Ada Quill\n\n/s/ Ada M. Quill, 4/15/2026", got: signature, want: "true Ada M. Quill 2026-04-15 patient true"},
		"mother of a child":          {text: "RE: my son Mateo Quill, date of birth July 7, 2017\n\nI am his mother and I am signing for him.\n\n/s/ Lucia Quill\nJune 6, 2026", got: signature, want: "true Lucia Quill 2026-06-06 parent true"},
		"staff of a clinic":          {text: "PT: QUILL, ADA MAE\nPlease push these to our PACS.\n\nThanks,\nBree Holm\nMedical Records Clerk", got: signature, want: "false    false"},

		"two patients":             {text: "Patient: Ada Quill\nDOB: 3/19/1961\nCT chest 1/2/2026\n\nPatient: Mark Tarn\nDOB: 4/20/1970\nMRI brain 2/3/2026", got: others, want: "Mark Tarn 1970-04-20"},
		"one patient, twice named": {text: "Patient: Ada Quill\nDOB: 3/19/1961\n\nPatient: Quill, Ada\nborn March 19, 1961", got: others, want: ""},

		"reply keeps what the patient wrote before": {
			text: "Date of birth is 11/23/1991.\n\nOn Wed, Apr 15, 2026 at 9:41 AM Image Library\n<library@hospital.example> wrote:\n\n> We need your date of birth. Were you born 1/1/1990?\n>\n> On Tue, Apr 14, 2026 at 6:20 PM Toby Quill <t@post.example> wrote:\n>\n>> My full name is Tobias Jens Quill, MRN D2417760.",
			got:  patient, want: "Tobias|Jens|Quill||1991-11-23|D2417760",
		},
		"disclaimer is not read": {text: "Patient: Ada Quill\n\nCONFIDENTIALITY NOTICE: This e-mail is private. Patient: Mark Tarn", got: others, want: ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got := reading.Read([]library.Page{mail(tt.text)}, options)
			if v := tt.got(got); v != tt.want {
				t.Errorf("got %q, want %q", v, tt.want)
			}
		})
	}
}

func patient(r library.Reading) any {
	p := r.Request.Patient
	return strings.Join([]string{p.Given, p.Middle, p.Family, p.Suffix, string(p.BirthDate), p.MRN}, "|")
}

func recipient(r library.Reading) any {
	to := r.Request.Recipient
	return fmt.Sprintf("%s|%s|%s|%s|%s|%s|%v", to.Person, to.Organization, to.Street, to.City, to.State, to.Zip, to.Self)
}

func studies(r library.Reading) any {
	var out []string
	for _, s := range r.Request.Studies {
		switch {
		case s.All:
			out = append(out, "all")
		case s.From != "":
			out = append(out, fmt.Sprintf("%s %s %s..%s", s.Modality, s.BodyPart, s.From, s.To))
		default:
			out = append(out, fmt.Sprintf("%s %s %s", s.Modality, s.BodyPart, s.Date))
		}
	}
	return strings.Join(out, ", ")
}

func signature(r library.Reading) any {
	s := r.Request.Signature
	return fmt.Sprintf("%v %s %s %s %v", s.Present, s.Name, s.Date, s.Signer, s.Electronic)
}

func others(r library.Reading) any {
	var out []string
	for _, p := range r.Others {
		out = append(out, p.Name()+" "+string(p.BirthDate))
	}
	return strings.Join(out, ", ")
}

func TestReadMissing(t *testing.T) {
	t.Parallel()

	without := func(cut ...string) string {
		s := fullLetter
		for _, c := range cut {
			if !strings.Contains(s, c) {
				panic("the letter does not hold " + c)
			}
			s = strings.Replace(s, c, "", 1)
		}
		return s
	}
	tests := map[string]struct {
		text string
		want []string
	}{
		"nothing":       {text: fullLetter},
		"birth date":    {text: without("Date of birth: 03/19/1961"), want: []string{"birth-date"}},
		"signature":     {text: without("~~~"), want: []string{"signature"}},
		"date":          {text: without("June 2, 2026"), want: []string{"signature-date"}},
		"studies":       {text: without("MRI brain with and without contrast, 02/12/2026", "CT head, 01/28/2026"), want: []string{"studies", "study-dates"}},
		"one date":      {text: without(", 01/28/2026"), want: []string{"study-dates"}},
		"recipient":     {text: without("Dr. Nora Tarn", "Heron Neurosurgical Associates", "40 Elm Row, Suite 300", "Boone, NC 28607"), want: []string{"recipient-name", "recipient-address"}},
		"nothing there": {text: "hello", want: []string{"patient-name", "birth-date", "recipient-name", "recipient-address", "studies", "study-dates", "signature", "signature-date"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got := reading.Read([]library.Page{paper(library.SourceText, tt.text)}, options).Missing
			if !slices.Equal(got, tt.want) {
				t.Errorf("missing %q, want %q", got, tt.want)
			}
		})
	}
}

const agentsLetter = `
	May 15, 2026

	Dear Library,

	I am writing for my mother, Beatrice Louise Quill, who was born January 30, 1936. I am her health
	care agent. Please send the head CT of March 3, 2026 electronically to her doctors at the
	Heron Institute, 40 Elm Row, Boone, NC 28607.

	Sincerely,

	~~~

	Connie Quill-Tarn
`

func TestReadLegalPapers(t *testing.T) {
	t.Parallel()

	const power = `
	HEALTH CARE POWER OF ATTORNEY

	I, Beatrice Louise Quill, born January 30, 1936, appoint Connie Quill-Tarn as my agent.
	~~~
	`
	tests := map[string]struct {
		papers []string
		kinds  []string
		want   []string
	}{
		"no paper":         {kinds: []string{reading.Letter}, want: []string{"legal-document"}},
		"her paper":        {papers: []string{power}, kinds: []string{reading.Letter, reading.HealthCarePower}},
		"unsigned":         {papers: []string{strings.Replace(power, "~~~", "", 1)}, kinds: []string{reading.Letter, reading.HealthCarePower}, want: []string{"legal-document"}},
		"another person's": {papers: []string{strings.Replace(power, "Beatrice Louise", "Ernestine", 1)}, kinds: []string{reading.Letter, reading.HealthCarePower}, want: []string{"legal-document"}},
		"run out":          {papers: []string{power + "\nThis power of attorney terminates on May 1, 2026."}, kinds: []string{reading.Letter, reading.HealthCarePower}, want: []string{"legal-document"}},
		"a birth certificate is none": {
			papers: []string{"CERTIFICATE OF LIVE BIRTH\n\nBeatrice Louise Quill\n~~~"}, kinds: []string{reading.Letter, reading.BirthCertificate}, want: []string{"legal-document"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			pages := []library.Page{paper(library.SourceText, agentsLetter)}
			for _, p := range tt.papers {
				pages = append(pages, paper(library.SourceText, p))
			}
			got := reading.Read(numbered(pages...), options)
			var kinds []string
			for _, d := range got.Documents {
				kinds = append(kinds, d.Kind)
			}
			if !slices.Equal(kinds, tt.kinds) || !slices.Equal(got.Missing, tt.want) {
				t.Errorf("documents %q, missing %q, want %q, %q", kinds, got.Missing, tt.kinds, tt.want)
			}
			if s := got.Request.Signature; s.Signer != "health-care-agent" || s.Name != "Connie Quill-Tarn" {
				t.Errorf("signature %+v, want the agent's", s)
			}
		})
	}
}

func TestReadDocuments(t *testing.T) {
	t.Parallel()

	cover := "FAX\n\nTO: Duke Radiology Image Library\nFROM: Ada Quill\nPAGES: 2 with cover"
	tests := map[string]struct {
		pages []library.Page
		want  string
	}{
		"nothing":                  {want: "[]"},
		"letter of two pages":      {pages: []library.Page{paper(library.SourceText, fullLetter), paper(library.SourceText, "and one thing more")}, want: "[{letter [1 2]}]"},
		"cover before a letter":    {pages: []library.Page{paper(library.SourceOCR, cover), paper(library.SourceOCR, fullLetter)}, want: "[{fax-cover [1]} {letter [2]}]"},
		"separator and blank page": {pages: []library.Page{paper(library.SourceOCR, "DOCUMENT SEPARATOR\nSEP-0042"), paper(library.SourceOCR, fullLetter), paper(library.SourceOCR, "")}, want: "[{separator [1]} {letter [2]} {blank [3]}]"},
		"message that passes on":   {pages: []library.Page{mail("Please find my letter attached."), paper(library.SourceText, fullLetter)}, want: "[{other [1]} {letter [2]}]"},
		"message that asks itself": {pages: []library.Page{mail("Please send my CT chest of 1/2/2026."), paper(library.SourceText, "CERTIFICATE OF DEATH")}, want: "[{letter [1]} {death-certificate [2]}]"},
		"license":                  {pages: []library.Page{paper(library.SourceOCR, "NORTH CAROLINA\n4d DLN 000000000001\n1 QUILL\n2 ADA MAE\n3 DOB 03/19/1961\n4a ISS 1/1/2024 | 4b EXP 1/1/2032\n15 SEX F | 18 EYES BRO")}, want: "[{identification [1]}]"},
		"authorization":            {pages: []library.Page{paper(library.SourceText, "Authorization to Release Medical Information\nPatient Name: Ada Quill")}, want: "[{authorization-form [1]}]"},
		"letter about a paper":     {pages: []library.Page{paper(library.SourceText, "Dear Library,\nI hold her power of attorney, copy attached, and it covers health information.")}, want: "[{letter [1]}]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if got := fmt.Sprint(reading.Read(numbered(tt.pages...), options).Documents); got != tt.want {
				t.Errorf("documents %s, want %s", got, tt.want)
			}
		})
	}
}

// A signature that a reader of print takes for words is a signature; a name in print is none.
func TestReadSignatureTakenForWords(t *testing.T) {
	t.Parallel()

	scrawled := paper(library.SourceOCR, strings.Replace(fullLetter, "~~~", "Ada Quill", 1))
	for i, l := range scrawled.Lines {
		if l.Text() == "Ada Quill" {
			for j := range scrawled.Lines[i].Words {
				scrawled.Lines[i].Words[j].Box.H = 0.03
			}
		}
	}
	tests := map[string]struct {
		page library.Page
		want string
	}{
		"tall words over the typed name": {page: scrawled, want: "true Ada M. Quill 2026-06-02 patient false"},
		"typed name alone":               {page: paper(library.SourceOCR, strings.Replace(fullLetter, "~~~", "", 1)), want: "false Ada M. Quill 2026-06-02 patient false"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if got := signature(reading.Read([]library.Page{tt.page}, options)); got != tt.want {
				t.Errorf("signature %q, want %q", got, tt.want)
			}
		})
	}
}

// Dates that can be meant in two ways are not sure.
func TestReadDoubtsAmbiguousDates(t *testing.T) {
	t.Parallel()

	got := reading.Read([]library.Page{mail("Me llamo Ana Ruiz Olmo, fecha de nacimiento 05/06/1972. Solicito mis imágenes por favor para mi doctora.")}, options)
	i := slices.IndexFunc(got.Fields, func(f library.Field) bool { return f.Name == "patient.birth_date" })
	if i < 0 || got.Fields[i].Confidence > 0.7 {
		t.Errorf("fields %+v, want a birth date with little confidence", got.Fields)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(fullLetter, false)
	f.Add(agentsLetter, true)
	f.Add("> > On 1/1/2026 x wrote:\n>> Patient: A, B\nFrom: a\nTo: b\n/s/ É É", true)
	f.Add("CT CT CT MRI (x-ray x-ray) 1/1/26 to 2/2/26 Patient: ( DOB ) 1 A B, C 12345", false)
	f.Add("AUTHORIZATION FOR RELEASE OF INFORMATION\nPatient Name: | ____ ( ) X\nSignature of Patient | Date:\n~~~\nCity/State/Zip: A, NC 1", false)
	f.Fuzz(func(t *testing.T, s string, isMail bool) {
		p := paper(library.SourceOCR, s)
		if isMail {
			p = mail(s)
		}
		opts := options
		opts.Sender = s[:min(len(s), 20)]
		got := reading.Read([]library.Page{p}, opts)
		if got.Documents == nil || got.Fields == nil || got.Missing == nil {
			t.Error("a list is nil and would be null in JSON")
		}
		for _, f := range got.Fields {
			if f.Value == "" || math.IsNaN(f.Confidence) || f.Confidence < 0 || f.Confidence > 1 || p.Source == library.SourceOCR && f.Confidence >= 0.9 {
				t.Errorf("field %+v", f)
			}
		}
		for _, s := range got.Request.Studies {
			if _, ok := s.Date.Time(); s.Date != "" && !ok {
				t.Errorf("study on %q", s.Date)
			}
		}
	})
}
