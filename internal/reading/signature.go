package reading

import (
	"regexp"
	"strings"

	"fileroom/internal/library"
)

// A typedName is the name under or in place of a signature.
type typedName struct {
	start, end int
	name       string
	role       string // What follows it: "Executor", "mother".
	staff      bool   // Somebody of a practice who asks as part of the work.
	confidence float64
}

var (
	closing       = regexp.MustCompile(`(?im)^[\t ]*(?:i am, )?(?:sincerely|yours|respectfully|cordially|best|warm|kind|with kind|many thanks|thank you|thanks|regards|very truly|gracias|muchas gracias|atentamente|saludos|cordialmente|le agradezco|i thank you|thank you and god)\b[^\n]{0,60}$`)
	slashS        = regexp.MustCompile(`(?i)(?:^|\s)/s/[ \t]*(` + `[^\n,;\d]{3,60}` + `)`)
	eSigned       = regexp.MustCompile(`(?i)(?:\b(?:electronically signed|signed electronically|digitally signed|e-?signed|docusigned)(?: by)?|\bfirmado electr[óo]nicamente(?: por)?|\bfirma electr[óo]nica)\s*:?\s*`)
	signedColon   = regexp.MustCompile(`(?m)(?:^|\n)[ \t]*(?:Signed|SIGNED|Firmado|Signature)\s*:\s*(` + fullName + `)`)
	printedName   = regexp.MustCompile(`(?i)\bprint(?:ed)? name\s*:?\s*([^\n\t]{3,60})`)
	signatureWord = regexp.MustCompile(`(?i)\b(?:signature|signed|firma)\b`)
	nameLine      = regexp.MustCompile(`^(?:\([Pp]rincipal\) )?(` + fullName + `|` + nameWord + `)(?:\s*[,(-]+\s*([^,()]{2,40})\)?)?\.?$`)
	signDate      = regexp.MustCompile(`(?:\b(?:[Dd]ate|DATE)(?: [Ss]igned)?\s*:\s*|\b(?:Dated|DATED)(?: this)?:?\s*(?:the\s+)?|\b[Ss]igned (?:this|on)\s*(?:the\s+)?|\bFecha:\s*)$`)
	jobLine       = regexp.MustCompile(`(?i)\b(?:RN|LPN|CMA|clerk|coordinator|medical records|assistant|receptionist|front desk|manager|scheduler|navigator|liaison|secretary|technologist)\b`)
	ruleOfLines   = regexp.MustCompile(`^[_\s.-]{6,}$`)
)

// findTyped finds the name at the end of the letter.
func (r *reader) findTyped() {
	lines := r.t.lines()
	for i, l := range lines {
		if m := printedName.FindStringSubmatch(l.text); m != nil {
			if _, ok := parseName(m[1], r.spanish); ok {
				at := l.start + strings.Index(l.text, m[1])
				r.typed = typedName{start: at, end: at + len(m[1]), name: oneLine(m[1]), confidence: 0.9}
				return
			}
		}
		if closing.MatchString(l.text) {
			for j := i + 1; j < min(len(lines), i+5); j++ {
				if r.penned(lines, j) {
					r.pen = &lines[j]
					continue
				}
				if r.takeTyped(lines[j], 0.88) {
					r.typed.staff = jobLine.MatchString(r.typed.role) || j+1 < len(lines) && jobLine.MatchString(lines[j+1].text)
					break
				}
				if !ruleOfLines.MatchString(lines[j].text) && !closing.MatchString(lines[j].text) {
					break
				}
			}
		}
	}
	if r.typed.name != "" {
		return
	}
	for i := len(lines) - 1; i >= 0 && i >= len(lines)-12; i-- {
		if r.takeTyped(lines[i], 0.75) && len(strings.Fields(r.typed.name)) >= 2 {
			return
		}
	}
	// A message often ends with the name on the line of its last words: "Appt is monday. Jerome Pettiford".
	if m := trailingName.FindStringSubmatchIndex(strings.TrimSpace(r.t.s)); m != nil && r.typed.name == "" {
		at := strings.Index(r.t.s, strings.TrimSpace(r.t.s)) + m[2]
		if v := r.t.s[at : at+m[3]-m[2]]; isName(v) && !r.isLibrary(v) {
			r.typed = typedName{start: at, end: at + len(v), name: oneLine(v), confidence: 0.6}
		}
	}
}

// penned reports whether line i is a signature that was taken for words: it
// stands where one signs, and is taller than print, hardly legible, or the name that is typed below it.
func (r *reader) penned(lines []line, i int) bool {
	l := lines[i]
	source, height, _ := r.t.written(l.start, l.end)
	if source != library.SourceOCR || l.box == nil || closing.MatchString(l.text) || ruleOfLines.MatchString(l.text) || organization.MatchString(l.text) {
		return false
	}
	body := r.t.height(l.page)
	if height > 1.5*body {
		return true
	}
	_, _, trust := r.t.where(l.start, l.end)
	if trust < 0.45 {
		return true
	}
	return i+1 < len(lines) && lines[i+1].box != nil && lines[i+1].page == l.page && lines[i+1].box.Y-l.box.Y < 0.09 &&
		nameLine.MatchString(l.text) && nameLine.MatchString(lines[i+1].text) && sameName(l.text, lines[i+1].text)
}

var trailingName = regexp.MustCompile(`[.!?\n] *(` + nameWord + `(?: ` + nameWord + `){1,2})$`)

// takeTyped takes line l for the typed name if it is one.
func (r *reader) takeTyped(l line, confidence float64) bool {
	text := strings.TrimSpace(strings.SplitN(l.text, "\t", 2)[0])
	m := nameLine.FindStringSubmatch(text)
	if m == nil || !isName(cleanName(m[1])) && suffixWord.FindString(m[1]) == "" || r.isLibrary(text) || organization.MatchString(m[1]) {
		return false
	}
	if _, ok := parseName(m[1], r.spanish); !ok {
		return false
	}
	if _, _, trust := r.t.where(l.start, l.end); trust < 0.4 {
		return false // A signature that was taken for words.
	}
	name, role := oneLine(m[1]), m[2]
	if suffixWord.MatchString(" " + role) {
		name, role = name+", "+role, ""
	}
	at := l.start + strings.Index(l.text, text)
	r.typed = typedName{start: at, end: at + len(name), name: strings.TrimRight(name, ","), role: role, confidence: confidence}
	return true
}

// signature reads what stands where a signature belongs.
func (r *reader) signature() {
	sig := &r.req.Signature
	switch {
	case r.electronic():
	case r.inkSignature():
	case r.penSignature():
	default:
		r.noSignature()
	}
	if sig.Name == "" && r.typed.name != "" && (!r.typed.staff || sig.Present) {
		sig.Name = r.typed.name
		confidence := r.typed.confidence
		if sameName(sig.Name, r.req.Patient.Name()) {
			confidence = max(confidence, 0.92)
		}
		r.field("signature.name", sig.Name, confidence, r.typed.start, r.typed.end)
	}
	r.signer()
	r.signatureDate()
}

// electronic finds "/s/ Name", "Signed electronically by" and "Signed: Name".
func (r *reader) electronic() bool {
	take := func(start, end, nameAt, nameEnd int, confidence float64) bool {
		name := strings.TrimSpace(r.t.s[nameAt:nameEnd])
		_, ok := parseName(name, r.spanish)
		if !ok {
			return false
		}
		sig := &r.req.Signature
		sig.Present, sig.Electronic, sig.Name = true, true, oneLine(name)
		r.signedAt = [2]int{start, nameEnd}
		r.field("signature.present", "true", confidence, start, end)
		r.field("signature.electronic", "true", confidence, start, end)
		r.field("signature.name", sig.Name, confidence, nameAt, nameEnd)
		return true
	}
	for _, m := range slashS.FindAllStringSubmatchIndex(r.t.s, -1) {
		if take(m[0], m[1], m[2], m[3], 0.95) {
			return true
		}
	}
	for _, m := range eSigned.FindAllStringIndex(r.t.s, -1) {
		rest := r.t.s[m[1]:]
		n := anyName.FindStringIndex(rest)
		if n != nil && take(m[0], m[1], m[1]+n[0], m[1]+n[1], 0.95) {
			return true
		}
	}
	if r.plainText() {
		for _, m := range signedColon.FindAllStringSubmatchIndex(r.t.s, -1) {
			if take(m[0], m[1], m[2], m[3], 0.85) {
				return true
			}
		}
	}
	return false
}

var anyName = regexp.MustCompile(`^` + fullName)

// plainText reports whether no page of the letter has a picture that could bear ink.
func (r *reader) plainText() bool {
	for _, p := range r.pages {
		if p.Source != library.SourceMail {
			return false
		}
	}
	return len(r.pages) > 0
}

// inkSignature finds ink above the typed name, or beside the word "Signature".
func (r *reader) inkSignature() bool {
	type anchor struct {
		page       int
		box        library.Box
		above      bool // Ink belongs above it, else beside.
		confidence float64
	}
	var anchors []anchor
	if page, box, trust := r.t.where(r.typed.start, r.typed.end); r.typed.name != "" && box != nil {
		anchors = append(anchors, anchor{page, *box, true, min(0.88, trust)})
	}
	lines := r.t.lines()
	for _, l := range lines {
		if m := signatureWord.FindStringIndex(l.text); m != nil && l.box != nil && len(strings.Fields(l.text)) <= 9 {
			if page, box, _ := r.t.where(l.start+m[0], l.start+m[1]); box != nil {
				anchors = append(anchors, anchor{page, *box, false, 0.8})
			}
		}
		if closing.MatchString(l.text) && l.box != nil && r.typed.name == "" {
			anchors = append(anchors, anchor{l.page, library.Box{X: l.box.X, Y: l.box.Y + l.box.H + 0.09, W: l.box.W, H: 0.01}, true, 0.7})
		}
	}
	if len(anchors) == 0 && len(lines) > 0 {
		if l := lines[len(lines)-1]; l.box != nil { // Ink below the last words, and no name at all.
			anchors = append(anchors, anchor{l.page, library.Box{X: l.box.X, Y: l.box.Y + l.box.H + 0.1, W: l.box.W, H: 0.01}, true, 0.6})
		}
	}
	for _, a := range anchors {
		for _, p := range r.pages {
			if p.Number != a.page {
				continue
			}
			for _, ink := range p.Ink {
				if strokes(ink.Box) && near(ink.Box, a.box, a.above) {
					r.req.Signature.Present = true
					page, box := p.Number, ink.Box
					r.fieldAt("signature.present", "true", a.confidence, page, &box)
					r.fieldAt("signature.electronic", "false", a.confidence, page, &box)
					return true
				}
			}
		}
	}
	return false
}

// penSignature takes the signature that was read as words.
func (r *reader) penSignature() bool {
	set := func(page int, box *library.Box, confidence float64) bool {
		r.req.Signature.Present = true
		r.fieldAt("signature.present", "true", confidence, page, box)
		r.fieldAt("signature.electronic", "false", confidence, page, box)
		return true
	}
	if r.pen != nil {
		return set(r.pen.page, r.pen.box, 0.8)
	}
	for _, m := range besideSignature.FindAllStringSubmatchIndex(r.t.s, most) {
		source, _, _ := r.t.written(m[2], m[3])
		page, box, trust := r.t.where(m[2], m[3])
		if source == library.SourceOCR && box != nil && trust < 0.75 && box.W > 0.02 {
			return set(page, box, 0.65)
		}
	}
	return false
}

// besideSignature is what stands behind the word "Signature:" before a date.
var besideSignature = regexp.MustCompile(`(?im)\b(?:signature|firma)\s*:[ \t]*([^\n]{2,60}?)(?:[ \t]+(?:date|fecha)\b.*)?$`)

// strokes reports whether b has the size of a signature.
func strokes(b library.Box) bool {
	return b.W >= 0.05 && b.W <= 0.7 && b.H >= 0.008 && b.H <= 0.2
}

// near reports whether ink stands where the signature to an anchor would.
func near(ink, at library.Box, above bool) bool {
	middle := ink.Y + ink.H/2
	beside := ink.X < at.X+at.W+0.3 && at.X < ink.X+ink.W+0.15
	if above {
		return beside && middle < at.Y+at.H && ink.Y+ink.H > at.Y-0.07 && middle > at.Y-0.13
	}
	return ink.X < at.X+0.5 && at.X < ink.X+ink.W+0.02 && middle > at.Y-0.06 && middle < at.Y+at.H+0.05
}

// noSignature says that none was found, and how surely: on the text of an e-mail one
// can be sure, on a picture ink may be missed.
func (r *reader) noSignature() {
	confidence := 0.7
	if r.plainText() {
		confidence = 0.95
	}
	r.fieldAt("signature.present", "false", confidence, r.firstPage(), nil)
}

// relations are the words that tell what the signer is to the patient, the
// more telling first.
var relations = []struct {
	signer string
	re     *regexp.Regexp
	role   *regexp.Regexp // After the typed name.
}{
	{"executor", regexp.MustCompile(`(?i)\bi am the executor|\bas (?:the )?(?:executor|executrix)|\bexecutor of\b|\balbacea\b`), regexp.MustCompile(`(?i)execut(?:or|rix)`)},
	{"administrator", regexp.MustCompile(`(?i)\badministrat(?:or|rix)\b|\bby affidavit\b`), regexp.MustCompile(`(?i)administrat`)},
	{"guardian", regexp.MustCompile(`(?i)\b(?:legal |court-appointed )?guardian(?:ship)?\b|\btutor[ae]? legal\b`), regexp.MustCompile(`(?i)guardian`)},
	{"health-care-agent", regexp.MustCompile(`(?i)\bhealth ?-?care (?:agent|power of attorney|proxy|poa)\b|\brepresentante para decisiones m[ée]dicas|\bhealthcare agent\b`), regexp.MustCompile(`(?i)health ?care|hcpoa|agent`)},
	{"attorney-in-fact", regexp.MustCompile(`(?i)\battorney-?\s?in-?\s?fact\b|\bpower of attorney\b|\bpoder notarial\b|\bpoder\b`), regexp.MustCompile(`(?i)attorney-?in-?fact|\bpoa\b`)},
	{"other-representative", regexp.MustCompile(`(?i)\b(?:i|we|this firm|this office|our firm) represents?\b|\battorneys? (?:at law|for)\b|\bour client\b`), regexp.MustCompile(`(?i)attorney|esq|paralegal`)},
	{"spouse", regexp.MustCompile(`(?i)\bmy (?:husband|wife|spouse)\b|\bmi espos[oa]\b`), regexp.MustCompile(`(?i)wife|husband|spouse|espos[oa]`)},
	{"parent", regexp.MustCompile(`(?i)\b(?:his|her|their) (?:mother|father|mom|dad|parent)\b|\bmy (?:minor )?(?:son|daughter|child)\b|\bmi hij[oa]\b|\bsoy (?:la |el )?(?:madre|padre|mam[áa]|pap[áa])\b|\b(?:madre|padre) de (?:la|el) menor\b`), regexp.MustCompile(`(?i)mother|father|parent|mom\b|dad\b|madre|padre`)},
}

// signer tells what the signer is to the patient.
func (r *reader) signer() {
	sig := &r.req.Signature
	if sig.Name == "" && !sig.Present {
		return
	}
	at, end := r.typed.start, r.typed.end
	set := func(v string, confidence float64) {
		sig.Signer = v
		r.field("signature.signer", v, confidence, at, end)
	}
	name := r.req.Patient.Name()
	switch {
	case sig.Name != "" && name != "" && sameName(sig.Name, name) && !strings.Contains(strings.ToLower(r.typed.role), "mother") && !strings.Contains(strings.ToLower(r.typed.role), "father"):
		set("patient", 0.92)
		return
	case sig.Name == "" && !r.representative():
		set("patient", 0.6)
		return
	}
	for _, rel := range relations {
		if r.typed.role != "" && rel.role.MatchString(r.typed.role) {
			set(rel.signer, 0.9)
			return
		}
	}
	for _, rel := range relations {
		if m := rel.re.FindStringIndex(r.flat); m != nil {
			at, end = m[0], m[1]
			set(rel.signer, 0.85)
			return
		}
	}
	if name == "" {
		set("patient", 0.4)
		return
	}
	set("other-representative", 0.4)
}

// signatureDate takes the date beside the signature, else the date of the letter.
func (r *reader) signatureDate() {
	set := func(w when, confidence float64) {
		r.req.Signature.Date = w.date
		r.field("signature.date", string(w.date), min(confidence, w.confidence), w.start, w.end)
	}
	for _, w := range r.dates {
		if w.date == "" || r.isBirth(w) {
			continue
		}
		before := r.t.s[max(0, w.start-40):w.start]
		if signDate.MatchString(oneLine(before)) || signDate.MatchString(before) {
			set(w, 0.92)
			return
		}
		if r.signedAt[1] > 0 && w.start >= r.signedAt[0] && w.start-r.signedAt[1] < 80 {
			set(w, 0.93)
			return
		}
	}
	for _, l := range r.t.lines() {
		for _, w := range r.dates {
			if w.date == "" || w.start < l.start || w.end > l.end || r.isBirth(w) {
				continue
			}
			if alone := oneLine(r.t.s[l.start:w.start] + r.t.s[w.end:l.end]); len(alone) < 22 && !strings.ContainsAny(alone, "0123456789:") && len(mentions(l.text)) == 0 {
				if len(strings.Trim(alone, ".,- ")) == 0 || placeLine.MatchString(alone) {
					set(w, 0.88)
					return
				}
			}
		}
	}
}

var placeLine = regexp.MustCompile(`^\p{Lu}[\p{L} ]+,?\.?$`)

func (r *reader) isBirth(w when) bool {
	for _, b := range r.born {
		if b.start == w.start {
			return true
		}
	}
	return false
}
