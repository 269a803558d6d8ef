package library

import (
	"strings"
	"time"
)

// A Date is a calendar day as YYYY-MM-DD, or "" for none. It has no time zone:
// a birth date is the same everywhere.
type Date string

// DateOf returns the day on which t falls in t's own location.
func DateOf(t time.Time) Date { return Date(t.Format(time.DateOnly)) }

// Time returns the first instant of d in UTC, and false when d is no date.
func (d Date) Time() (time.Time, bool) {
	t, err := time.Parse(time.DateOnly, string(d))
	return t, err == nil
}

// DICOM returns d as the eight digits of DICOM's DA (PS3.5 section 6.2).
func (d Date) DICOM() string { return strings.ReplaceAll(string(d), "-", "") }

// DateFromDICOM reads a DA value; what is not one gives "".
func DateFromDICOM(s string) Date {
	t, err := time.Parse("20060102", strings.TrimSpace(s))
	if err != nil {
		return ""
	}
	return DateOf(t)
}

// A Request is what one letter, form or message asks for, value for value as
// it is written there; what is not there is empty. The JSON names are those of
// the reading corpus.
type Request struct {
	Patient   Patient        `json:"patient"`
	Recipient Recipient      `json:"recipient"`
	Studies   []StudyRequest `json:"studies,omitempty"`
	Delivery  string         `json:"delivery,omitempty"` // electronic, cd, portal, paper, email, fax, usb.
	Purpose   string         `json:"purpose,omitempty"`  // continuing-care, personal, legal, insurance, disability, research, other.
	Signature Signature      `json:"signature"`
	Expires   string         `json:"expires,omitempty"` // A Date, or the event in words.
}

// A Patient is whose images are asked for, as the request names them.
type Patient struct {
	Given     string `json:"given,omitempty"`
	Middle    string `json:"middle,omitempty"`
	Family    string `json:"family,omitempty"`
	Suffix    string `json:"suffix,omitempty"`
	BirthDate Date   `json:"birth_date,omitempty"`
	MRN       string `json:"mrn,omitempty"`
	Phone     string `json:"phone,omitempty"`
	Email     string `json:"email,omitempty"`
	Address   string `json:"address,omitempty"`
}

// Name returns the patient's name in the order it is spoken.
func (p Patient) Name() string {
	return strings.Join(strings.Fields(p.Given+" "+p.Middle+" "+p.Family+" "+p.Suffix), " ")
}

// A Recipient is who shall receive the images, as the request names them.
type Recipient struct {
	Person       string `json:"person,omitempty"`
	Organization string `json:"organization,omitempty"`
	Street       string `json:"street,omitempty"`
	City         string `json:"city,omitempty"`
	State        string `json:"state,omitempty"`
	Zip          string `json:"zip,omitempty"`
	Phone        string `json:"phone,omitempty"`
	Fax          string `json:"fax,omitempty"`
	Email        string `json:"email,omitempty"`
	Self         bool   `json:"self,omitempty"` // The images go to the patient or signer.
}

// A StudyRequest is one study asked for, or a range of them.
type StudyRequest struct {
	Modality string `json:"modality,omitempty"` // DICOM code; plain films are DX.
	BodyPart string `json:"body_part,omitempty"`
	Date     Date   `json:"date,omitempty"`
	From     Date   `json:"from,omitempty"`
	To       Date   `json:"to,omitempty"`
	All      bool   `json:"all,omitempty"`
}

// A Signature is what stands where a signature belongs.
type Signature struct {
	Present    bool   `json:"present"`
	Name       string `json:"name,omitempty"`
	Date       Date   `json:"date,omitempty"`
	Signer     string `json:"signer,omitempty"` // patient, parent, guardian, health-care-agent, ...
	Electronic bool   `json:"electronic,omitempty"`
}

// A Reading is a request with how each value was found. It is full of patient
// data: it is kept in the vault, and never in a workflow, a log or an error.
type Reading struct {
	Documents []Document `json:"documents"`
	Request   Request    `json:"request"`
	Fields    []Field    `json:"fields"`
	Missing   []string   `json:"missing"`

	// Others are further patients named in the same envelope: more than none
	// means that staff must split it (check IN-05).
	Others []Patient `json:"others,omitempty"`
	// Troubles are parts that could not be read, or not well.
	Troubles []Trouble `json:"troubles,omitempty"`
}

// A Document is one paper in the envelope.
type Document struct {
	Kind  string `json:"kind"`  // letter, authorization-form, power-of-attorney, fax-cover, ...
	Pages []int  `json:"pages"` // From 1, through all files in order.
}

// A Field is one value read, and why it is believed.
type Field struct {
	Name       string  `json:"name"` // patient.birth_date, studies[0].modality, ...
	Value      string  `json:"value"`
	Confidence float64 `json:"confidence"` // 0 to 1.
	Page       int     `json:"page"`
	Box        *Box    `json:"box,omitempty"` // Where on the page; nil where a page has no geometry.
}

// A Box is a rectangle on a page, as fractions of its width and height from
// the upper left corner.
type Box struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
	W float64 `json:"w"`
	H float64 `json:"h"`
}

// A Trouble is a part of an arrival that could not be read. Its words are the
// program's own and hold nothing from the document.
type Trouble struct {
	Code TroubleCode `json:"code"`
	Part int         `json:"part"`           // Which part or file, from 1.
	Page int         `json:"page,omitempty"` // From 1; 0 for the whole part.
	Text string      `json:"text"`           // For staff: what it is and what to do.
}

// A TroubleCode says what is wrong with a part of an arrival.
type TroubleCode string

// What can be wrong with a part of an arrival.
const (
	TroubleEmpty       TroubleCode = "empty"       // Nothing in it.
	TroubleTooLarge    TroubleCode = "too-large"   // Beyond the limit on size, pages or pixels.
	TroubleTimeout     TroubleCode = "timeout"     // The reader was stopped at its limit of time or memory.
	TroubleEncrypted   TroubleCode = "encrypted"   // Needs a password.
	TroubleDamaged     TroubleCode = "damaged"     // Broken, or of a broken encoding.
	TroubleUnsupported TroubleCode = "unsupported" // A kind of file that the program does not open.
	TroubleIllegible   TroubleCode = "illegible"   // Read with too little confidence.
)
