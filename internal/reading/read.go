package reading

import (
	"math"
	"regexp"
	"strings"

	"fileroom/internal/library"
)

// Options are what is known of an arrival besides its pages.
type Options struct {
	Received library.Date // When it came; dates are judged by it.
	Sender   string       // The mail address it came from, if any.
	// SenderName is the name that goes with Sender, as the sender writes it.
	SenderName string
	// Library names the library and its hospital as letters address them,
	// such as "Duke University Hospital"; they are never the recipient.
	Library []string
}

// Read reads the request that pages make together. It always returns a
// reading; what it could not find is named in Missing.
func Read(pages []library.Page, opts Options) library.Reading {
	r := &reader{opts: opts}
	for _, n := range opts.Library {
		if n = fold(strings.TrimSpace(n)); n != "" {
			r.library = append(r.library, n)
		}
	}
	docs := documents(pages, r)
	forms := formPages(docs)
	r.pages = requestPages(pages, docs)
	m := r.unquote(r.pages)
	r.t = newText(m.pages, m.quoted, m.dropped, forms)
	r.flat = strings.ReplaceAll(r.t.s, "\n", " ")
	r.forwarded, r.authors = m.forwarded, m.authors
	r.spanish = spanish(r.t.s)
	r.dates = dates(r.t.s, opts.Received)
	r.dates = r.dates[:min(len(r.dates), 4*most)]
	r.born = r.births()
	r.form = newForm(m.pages, forms)
	if onlyForms(r.pages, forms) {
		r.fillIn(r.form)
		r.formSignature(r.form)
		r.formExpires(r.form)
	} else {
		r.letter(docs)
		r.fillIn(r.form)
	}

	out := library.Reading{Documents: docs, Request: r.req, Fields: r.fields, Others: r.others()}
	out.Missing = r.missing(pages, docs)
	if r.t.cut {
		out.Troubles = []library.Trouble{{
			Code: library.TroubleTooLarge, Part: 1,
			Text: "There is more text than the program reads. Only the beginning was read; look at the rest by eye.",
		}}
	}
	if out.Fields == nil {
		out.Fields = []library.Field{}
	}
	return out
}

// letter reads what is said in sentences and in blocks of an address.
func (r *reader) letter(docs []library.Document) {
	r.findTyped()
	r.author = r.typed
	r.preferPatientsForm(docs)

	r.patient()
	r.patientFromSignature()
	r.studies()
	r.recipient()
	r.signature()
	r.reach()
	r.delivery()
	r.purpose()
	r.expires()
}

// onlyForms reports whether nothing but forms makes the request.
func onlyForms(pages []library.Page, forms map[int]bool) bool {
	for _, p := range pages {
		if !forms[p.Number] {
			return false
		}
	}
	return len(pages) > 0
}

// A reader is one request being read.
type reader struct {
	opts      Options
	library   []string // Folded names of the library.
	pages     []library.Page
	t         *text
	flat      string // The text with its lines joined, place for place.
	dates     []when
	born      []when // The dates that are birth dates.
	spanish   bool
	forwarded bool     // The message passes on what somebody else wrote.
	authors   []string // Who wrote the older messages.
	typed     typedName
	best      *destination  // Where the images shall go, if it has an address.
	all       []destination // Every address.
	form      *form         // What stands on the pages that are forms.
	pen       *line         // The signature, where it was taken for words.
	author    typedName     // Typed, before an enclosed form took its place.
	signedAt  [2]int        // Where an electronic signature stands.
	req       library.Request
	fields    []library.Field
}

// field records a value and where it was found; a confidence is never more
// than what its words are worth. An empty value is no field.
func (r *reader) field(name, value string, confidence float64, start, end int) {
	if value == "" {
		return
	}
	page, box, trust := r.firstPage(), (*library.Box)(nil), 1.0
	if start >= 0 && end > start {
		page, box, trust = r.t.where(start, end)
	}
	r.fieldAt(name, value, math.Min(confidence, trust), page, box)
}

func (r *reader) fieldAt(name, value string, confidence float64, page int, box *library.Box) {
	confidence = math.Round(math.Max(0, math.Min(1, confidence))*100) / 100
	r.fields = append(r.fields, library.Field{Name: name, Value: value, Confidence: confidence, Page: page, Box: box})
}

// revise changes the value of a field that was added to.
func (r *reader) revise(name, value string) {
	for i := range r.fields {
		if r.fields[i].Name == name {
			r.fields[i].Value = value
			r.fields[i].Confidence = math.Min(r.fields[i].Confidence, 0.88)
		}
	}
}

// drop removes a field.
func (r *reader) drop(name string) {
	kept := r.fields[:0]
	for _, f := range r.fields {
		if f.Name != name {
			kept = append(kept, f)
		}
	}
	r.fields = kept
}

func (r *reader) firstPage() int {
	if len(r.pages) == 0 {
		return 0
	}
	return r.pages[0].Number
}

var libraryWords = regexp.MustCompile(`(?i)\b(?:radiology )?image library\b|\bbiblioteca de im[áa]genes\b|image-?library@|imagelibrary@`)

// isLibrary reports whether s names the library itself.
func (r *reader) isLibrary(s string) bool {
	if libraryWords.MatchString(s) {
		return true
	}
	f := fold(oneLine(s))
	for _, n := range r.library {
		if strings.Contains(f, n) {
			return true
		}
	}
	return false
}

// patientFromSignature takes the name at the end for the patient's, where none is named.
func (r *reader) patientFromSignature() {
	p := &r.req.Patient
	if r.typed.name == "" || r.representative() {
		return
	}
	q, ok := parseName(r.typed.name, r.spanish)
	if !ok {
		return
	}
	c := candidate{start: r.typed.start, end: r.typed.end, name: r.typed.name, confidence: min(0.85, r.typed.confidence)}
	switch {
	case p.Given == "" && p.Family == "":
		r.patientName(c, nil)
	case sameName(p.Name(), q.Name()):
		if p.Suffix == "" && q.Suffix != "" {
			p.Suffix = q.Suffix
			r.field("patient.suffix", q.Suffix, c.confidence, c.start, c.end)
		}
		if p.Middle == "" && q.Middle != "" {
			p.Middle = q.Middle
			r.field("patient.middle", q.Middle, c.confidence, c.start, c.end)
		}
	}
}

var (
	electronicWay = regexp.MustCompile(`(?i)\belectronic(?:ally)?\b[^.\n]{0,30}?\b(?:transfer|transmi\w*|image|send|sent|please|is fine|means|form)?|\bpowershare\b|\bpacs\b|\bpush\b|\bplease transfer\b|\bby (?:the )?computer\b|\bimage (?:exchange|transfer)\b|\b(?:v[íi]a|env[íi]o) electr[óo]nic[oa]\b|\btransferencia electr[óo]nica\b|\belectr[óo]nicamente\b|\bonline transfer\b|\bnuance\b|\bambra\b|\blife ?image\b`)
	discWay       = regexp.MustCompile(`(?i)\b(?:cds?|dvds?|compact discs?|discs?|disks?|discos?)\b`)
	discFailed    = regexp.MustCompile(`(?i)^[^.\n]{0,40}(?:would not|did not|didn|won|gave me|never arrived)`)
	paperWay      = regexp.MustCompile(`(?i)\b(?:paper copies|printed copies|film copies)\b`)
	usbWay        = regexp.MustCompile(`(?i)\b(?:usb|thumb drive|flash drive)\b`)
	portalWay     = regexp.MustCompile(`(?i)\b(?:mychart|patient portal|portal)\b`)
	signedWay     = regexp.MustCompile(`(?i)(?:signed|firmado|firma|sign(?:ature)?|digitally)\s*$`)
)

// delivery reads how the images shall travel. The wish for an electronic
// transfer goes before a disc, which letters often mention as what did not work.
func (r *reader) delivery() {
	for _, w := range []struct {
		re    *regexp.Regexp
		value string
		sure  float64
	}{
		{electronicWay, "electronic", 0.92},
		{discWay, "cd", 0.9},
		{usbWay, "usb", 0.9},
		{portalWay, "portal", 0.8},
		{paperWay, "paper", 0.8},
	} {
		for _, m := range w.re.FindAllStringIndex(r.flat, -1) {
			if signedWay.MatchString(r.t.s[max(0, m[0]-14):m[0]]) || strings.HasPrefix(strings.ToLower(r.t.s[m[0]:]), "electronically signed") {
				continue
			}
			if w.value == "cd" && discFailed.MatchString(r.t.s[m[1]:]) {
				continue
			}
			r.req.Delivery = w.value
			r.field("delivery", w.value, w.sure, m[0], m[1])
			return
		}
	}
}

// purposes are the words that tell what the images are for, the more telling first.
var purposes = []struct {
	value string
	re    *regexp.Regexp
}{
	{"disability", regexp.MustCompile(`(?i)\bdisability\b|\bsocial security\b|\bdiscapacidad\b`)},
	{"legal", regexp.MustCompile(`(?i)\blitigation\b|\blaw ?suit\b|\blegal (?:purposes?|claim|matter|action)\b|\bpersonal injury\b|\bour client\b|\bdemanda\b|\bcourt case\b`)},
	{"insurance", regexp.MustCompile(`(?i)\binsurance (?:claim|purposes?|company|review)\b|\bworkers['’]? comp(?:ensation)?\b|\baseguradora\b`)},
	{"research", regexp.MustCompile(`(?i)\b(?:clinical trial|research (?:study|project|purposes?))\b|\binvestigaci[óo]n cl[íi]nica\b`)},
	{"personal", regexp.MustCompile(`(?i)\bfor (?:my|our|his|her) (?:own )?(?:personal )?(?:records?|files?|use)\b|\bmy own (?:file|record)s?\b|\bpersonal (?:records?|use|copy)\b|\bthe family needs\b|\bpara mi archivo\b|\buso personal\b`)},
	{"other", regexp.MustCompile(`(?i)\breviewing (?:his|her|their) death\b`)},
	{"continuing-care", regexp.MustCompile(`(?i)\bcontinu\w* (?:of )?(?:my |medical |his |her |the )*(?:care|treatment)\b|\bcontinuity of care\b|\b(?:second|segunda) opini[óo]n\b|\bcomparing with my\b|\boperat(?:e|ing) on me\b|\bfollow-?up\b|\bappointment\b|\bappt\b|\b(?:my|her|his|their|our|the|a) (?:[a-z’']+ ){0,3}(?:doctors?|surgeon|neurosurgeon|neurologist|cardiologist|oncologist|specialist|physical therapist|physician|orthopedist|rheumatologist|gastroenterologist|urologist|provider|pulmonologist|endocrinologist)\b|\btreat(?:ing|ed|ment)\b|\bsurgery\b|\bicu\b|\badmitted\b|\bscheduled with\b|\bi see (?:her|him|them|dr)\b|\bstarts? with them\b|\btratamiento\b|\bmi (?:doctora?|m[ée]dic[oa])\b|\batendid[oa]\b|\bcita\b|\bbefore my visit\b|\bdoctors\b`)},
}

func (r *reader) purpose() {
	for _, p := range purposes {
		if m := p.re.FindStringIndex(r.flat); m != nil {
			r.req.Purpose = p.value
			r.field("purpose", p.value, 0.82, m[0], m[1])
			return
		}
	}
	// A practice that asks for a patient of its own treats her.
	if m := toUs.FindStringIndex(r.flat); m != nil && r.typed.staff {
		r.req.Purpose = "continuing-care"
		r.field("purpose", "continuing-care", 0.7, m[0], m[1])
	}
}

var (
	expiry      = regexp.MustCompile(`(?i)\b(?:expires?|expiration(?: date)?|valid (?:until|through)|good (?:until|through)|vence|expira|v[áa]lid[oa] hasta)\b[^.\n\d]{0,20}$`)
	expiryEvent = regexp.MustCompile(`(?i)\b(?:shall|will|to) expire (upon [^.]{5,80})`)
)

// expires reads until when the request holds: a date, or an event in words.
func (r *reader) expires() {
	for _, w := range r.dates {
		if w.date != "" && expiry.MatchString(r.t.s[max(0, w.start-60):w.start]) {
			r.req.Expires = string(w.date)
			r.field("expires", r.req.Expires, min(0.93, w.confidence), w.start, w.end)
			return
		}
	}
	if m := expiryEvent.FindStringSubmatchIndex(r.flat); m != nil {
		r.req.Expires = oneLine(r.t.s[m[2]:m[3]])
		r.field("expires", r.req.Expires, 0.85, m[2], m[3])
	}
}
