package reading_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/reading"
)

// form is a page of a form, a row a line: "@40" goes to 0.40 of the width,
// "^" lifts the next words a little off the row, as those that are filled in are, and "~20" puts
// ink at 0.20.
func form(source library.Source, rows string) library.Page {
	p := library.Page{Number: 1, Part: 1, Source: source, Width: 612, Height: 792}
	y := 0.04
	for row := range strings.Lines(rows) {
		var l library.Line
		x, lift := 0.06, 0.0
		for f := range strings.FieldsSeq(row) {
			if n, err := strconv.Atoi(f[1:]); err == nil && f[0] == '@' {
				x = float64(n) / 100
				continue
			} else if err == nil && f[0] == '~' {
				p.Ink = append(p.Ink, library.Ink{Box: library.Box{X: float64(n) / 100, Y: y - 0.006, W: 0.16, H: 0.02}})
				continue
			}
			if f == "^" {
				lift = 0.005
				continue
			}
			w := 0.008 * float64(len([]rune(f)))
			l.Words = append(l.Words, library.Word{Text: f, Confidence: 0.95, Box: &library.Box{X: x, Y: y - lift, W: w, H: 0.012}})
			x += w + 0.006
		}
		if len(l.Words) > 0 {
			p.Lines = append(p.Lines, l)
		}
		y += 0.022
	}
	return p
}

// Labels left of what is filled in, boxes of a font of symbols, and a mark beside its box.
const besideForm = `
	AUTHORIZATION FOR RELEASE OF INFORMATION

	PART A: PATIENT INFORMATION
	Legal Patient Name (Required): Ada Mae Quill @62 Preferred Name: Addie
	Date of Birth: 03/19/1961 @40 Medical Record #: D1000042 @70 SS# (Last 4): 0000
	Address: 12 Alder Street @50 City: Durham @66 State: NC @80 Zip: 27705
	Email: ada@post.example @60 Phone: (919) 555-0142
	PART B: WHO WILL RECEIVE INFORMATION
	☐ Self (same as above)
	☐ ✔ Person or Entity: Heron Spine Clinic, Dr. Nora Tarn @68 Phone: 828-555-0177
	Address: 40 Elm Row, Suite 3 @50 City: Boone @66 State: NC @80 Zip: 28607
	PART C: INFORMATION TO BE RELEASED (check all that apply)
	✔ From 01/01/2025 to 03/31/2026 (please be specific) @70 ☐ All Treatment Dates
	☐ Entire Record @40 ✔ Radiology Images
	PART D: PURPOSE OF REQUEST
	☐ Personal ☐ Legal ☐ Insurance ☐ ✔ Continuation of Care ☐ Other:
	PART E: FORMAT AND DELIVERY
	☐ Patient Portal ☐ Encrypted Email @60 ✔ CD @75 ☐ Paper
	I understand that this authorization will be kept, and that I may revoke it at any time.
	This authorization will expire one year from the date signed below unless another date is written here:

	~10 @48 Ada M. Quill @78 05/02/2026
	Signature of Patient or Representative @48 Printed Name @78 Date
	Relationship (if not signed by patient) @48 Phone Number (if different from above)
	SEND COMPLETED FORM TO:
	Marsh Hospital, 9 Marsh Road, Durham, NC 27710 Phone: 919-555-0199
`

// Labels under the rules that one writes on, and a signer who is not the patient.
const underForm = `
	CONSENT TO RELEASE OF HEALTH INFORMATION

	PATIENT INFORMATION
	Toby @34 Quill @75 11/23/2015
	First Name @34 Last Name @75 Date of Birth MM/DD/YYYY

	RELEASE INFORMATION FROM
	Marsh Hospital, 9 Marsh Road
	Hospital

	SEND INFORMATION TO
	Heron Bone Center, Dr. Nora Tarn
	Name (Example: Healthcare Facility, Insurance Company)
	40 Elm Row @50 Boone @70 NC @80 28607
	Street Address @50 City @70 State @80 ZIP Code
	( 828 ) 555 - 0177 @50 ( 828 ) 555 - 0178
	Phone Number @50 Fax Number

	Radiology images (specify CT, MRI, X-ray): @60 ^ MRI left knee 04/16/2026
	Purpose of release: second opinion
	This authorization is valid for 6 months from the date of signature.
	To revoke this authorization write to the hospital.

	~10 @50 Lucia Quill @75 05/20/2026
	Signature of Parent or Legal Guardian @50 Print Name @75 Date
	mother
	Relationship to Patient
`

const spanishForm = `
	AUTORIZACIÓN PARA DIVULGAR INFORMACIÓN MÉDICA

	INFORMACIÓN DEL PACIENTE
	Nombre del paciente: Ramón Ibáñez Tejada @60 Fecha de nacimiento: 31/08/1958
	Dirección: 12 Alder Street @47 Ciudad: Durham @62 Estado: NC @77 Código postal: 27705
	PERSONA QUE RECIBE LA INFORMACIÓN
	Nombre: Clínica Olmo, Dra. Ana Ferrer @60 Teléfono: 828-555-0177
	Dirección: 40 Elm Row @47 Ciudad: Boone @62 Estado: NC @77 Código postal: 28607
	FORMATO:
	☐ En papel ✔ En CD
	Para las fechas de servicio: ecografía de abdomen 14/01/2026
	La finalidad de esta divulgación es:
	✔ Continuidad de la atención ☐ Solicitud del paciente
	Esta autorización vence 12 meses después de la fecha de la firma. Puedo revocar esta autorización.

	~10 @50 Ramón Ibáñez Tejada @78 15/01/2026
	Firma del paciente @50 Nombre en letra de molde @78 Fecha
`

func TestReadForm(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		page library.Page
		want library.Request
	}{
		"labels beside": {page: form(library.SourceText, besideForm), want: library.Request{
			Patient: library.Patient{
				Given: "Ada", Middle: "Mae", Family: "Quill", BirthDate: "1961-03-19", MRN: "D1000042",
				Phone: "(919) 555-0142", Email: "ada@post.example", Address: "12 Alder Street, Durham, NC 27705",
			},
			Recipient: library.Recipient{
				Person: "Dr. Nora Tarn", Organization: "Heron Spine Clinic", Street: "40 Elm Row, Suite 3",
				City: "Boone", State: "NC", Zip: "28607", Phone: "828-555-0177",
			},
			Studies:  []library.StudyRequest{{From: "2025-01-01", To: "2026-03-31"}},
			Delivery: "cd", Purpose: "continuing-care", Expires: "one year from the date signed below",
			Signature: library.Signature{Present: true, Name: "Ada M. Quill", Date: "2026-05-02", Signer: "patient"},
		}},
		"labels under": {page: form(library.SourceText, underForm), want: library.Request{
			Patient: library.Patient{Given: "Toby", Family: "Quill", BirthDate: "2015-11-23"},
			Recipient: library.Recipient{
				Person: "Dr. Nora Tarn", Organization: "Heron Bone Center", Street: "40 Elm Row",
				City: "Boone", State: "NC", Zip: "28607", Phone: "(828) 555-0177", Fax: "(828) 555-0178",
			},
			Studies: []library.StudyRequest{{Modality: "MR", BodyPart: "left knee", Date: "2026-04-16"}},
			Purpose: "continuing-care", Expires: "6 months from the date of signature",
			Signature: library.Signature{Present: true, Name: "Lucia Quill", Date: "2026-05-20", Signer: "parent"},
		}},
		"Spanish": {page: form(library.SourceText, spanishForm), want: library.Request{
			Patient: library.Patient{Given: "Ramón", Family: "Ibáñez Tejada", BirthDate: "1958-08-31", Address: "12 Alder Street, Durham, NC 27705"},
			Recipient: library.Recipient{
				Person: "Dra. Ana Ferrer", Organization: "Clínica Olmo", Street: "40 Elm Row",
				City: "Boone", State: "NC", Zip: "28607", Phone: "828-555-0177",
			},
			Studies:  []library.StudyRequest{{Modality: "US", BodyPart: "abdomen", Date: "2026-01-14"}},
			Delivery: "cd", Purpose: "continuing-care", Expires: "12 meses después de la fecha de la firma",
			Signature: library.Signature{Present: true, Name: "Ramón Ibáñez Tejada", Date: "2026-01-15", Signer: "patient"},
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got := reading.Read([]library.Page{tt.page}, options)
			if fmt.Sprintf("%+v", got.Request) != fmt.Sprintf("%+v", tt.want) {
				t.Errorf("request\n%+v, want\n%+v", got.Request, tt.want)
			}
			if len(got.Missing) != 0 || len(got.Others) != 0 {
				t.Errorf("missing %q, others %v, want none", got.Missing, got.Others)
			}
			if len(got.Documents) != 1 || got.Documents[0].Kind != reading.AuthorizationForm {
				t.Errorf("documents %v, want one form", got.Documents)
			}
		})
	}
}

// Each case changes the form in one place and looks at what that must change.
func TestReadFormConcerns(t *testing.T) {
	t.Parallel()

	beside := func(changes ...string) string { return strings.NewReplacer(changes...).Replace(besideForm) }
	tests := map[string]struct {
		source library.Source
		rows   string
		got    func(library.Reading) any
		want   any
	}{
		"oneself is ticked": {
			rows: beside("☐ Self", "☐ ✔ Self", "☐ ✔ Person or Entity: Heron Spine Clinic, Dr. Nora Tarn @68 Phone: 828-555-0177", "☐ Person or Entity: @68 Phone:",
				"Address: 40 Elm Row, Suite 3 @50 City: Boone @66 State: NC @80 Zip: 28607", "Address: @50 City: @66 State: @80 Zip:"),
			got: recipient, want: "||||||true",
		},
		"the hospital to which the form goes is not the recipient": {
			rows: beside("40 Elm Row, Suite 3 @50 City: Boone @66 State: NC @80 Zip: 28607", "@50 City: @66 State: @80 Zip:"),
			got:  recipient, want: "Dr. Nora Tarn|Heron Spine Clinic|||||false",
		},
		"all dates":                    {rows: beside("✔ From 01/01/2025 to 03/31/2026", "☐ From ____ to ____", "☐ All Treatment", "✔ All Treatment"), got: studies, want: "all"},
		"nothing is where one signs":   {rows: beside("~10", ""), got: signature, want: "false Ada M. Quill 2026-05-02 patient false"},
		"signing service":              {rows: beside("~10 @48 Ada M. Quill @78 05/02/2026", "Ada M. Quill (May 3, 2026 09:30 CDT)"), got: signature, want: "true Ada M. Quill 2026-05-03 patient true"},
		"agent by relationship":        {rows: beside("@48 Ada M. Quill", "@48 Mark Quill", "Relationship (if not signed by patient)", "Relationship: health care agent"), got: signature, want: "true Mark Quill 2026-05-02 health-care-agent false"},
		"expiry is written in":         {rows: beside("written here:", "written here: 12/31/2026"), got: func(r library.Reading) any { return r.Request.Expires }, want: "2026-12-31"},
		"letters in place of boxes":    {source: library.SourceOCR, rows: beside("☐ ✔ ", "[X] ", "☐", "O", "✔", "&"), got: ways, want: "continuing-care cd"},
		"the ticked box was not read":  {source: library.SourceOCR, rows: beside("☐ ✔ Cont", "@48 Cont", "☐", "O", "✔", "&"), got: ways, want: "continuing-care cd"},
		"two are ticked and none sure": {source: library.SourceOCR, rows: beside("☐ ✔ Cont", "[X] Cont", "☐ Legal", "[X] Legal", "☐", "O", "✔", "&"), got: ways, want: " cd"},
		"a slip in a label":            {source: library.SourceOCR, rows: beside("Medical Record #:", "Medical Recerd#;", "Address:", "Adaress:"), got: patient, want: "Ada|Mae|Quill||1961-03-19|D1000042"},
		"orders are text":              {rows: beside("Addie", "APPROVED"), got: patient, want: "Ada|Mae|Quill||1961-03-19|D1000042"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if tt.source == "" {
				tt.source = library.SourceText
			}
			if got := tt.got(reading.Read([]library.Page{form(tt.source, tt.rows)}, options)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func ways(r library.Reading) any { return r.Request.Purpose + " " + r.Request.Delivery }

// What is written by hand and cannot be read is not missing: a person reads it.
func TestReadFormByHand(t *testing.T) {
	t.Parallel()

	rows := strings.NewReplacer("03/19/1961", "~18", "05/02/2026", "~78").Replace(besideForm)
	got := reading.Read([]library.Page{form(library.SourceText, rows)}, options)
	if got.Request.Patient.BirthDate != "" || got.Request.Signature.Date != "" || len(got.Missing) != 0 {
		t.Errorf("birth date %q, signed %q, missing %q, want nothing", got.Request.Patient.BirthDate, got.Request.Signature.Date, got.Missing)
	}
	left := strings.NewReplacer("03/19/1961", "", "05/02/2026", "").Replace(besideForm)
	got = reading.Read([]library.Page{form(library.SourceText, left)}, options)
	if want := []string{"birth-date", "signature-date"}; !slices.Equal(got.Missing, want) {
		t.Errorf("left empty: missing %q, want %q", got.Missing, want)
	}
}

// A value is as sure as its words were read, wherever on a form it stands.
func TestReadFormConfidence(t *testing.T) {
	t.Parallel()

	for _, f := range reading.Read([]library.Page{form(library.SourceOCR, besideForm)}, options).Fields {
		if f.Confidence >= 0.9 {
			t.Errorf("field %s was read from a picture and is believed to %v", f.Name, f.Confidence)
		}
	}
	for _, f := range reading.Read([]library.Page{form(library.SourceText, besideForm)}, options).Fields {
		if f.Name == "patient.birth_date" && (f.Confidence < 0.9 || f.Box == nil) {
			t.Errorf("field %+v, want it sure and in its place", f)
		}
	}
}
