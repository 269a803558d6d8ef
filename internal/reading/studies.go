package reading

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"fileroom/internal/library"
)

// examinations are the ways in which an examination is named, with its DICOM
// modality (PS3.3 C.7.3.1.1.1) and the body part that the name itself tells. The order matters where one
// name holds another: PET/CT before CT.
var examinations = []struct {
	re       *regexp.Regexp
	modality string
	part     string
}{
	{regexp.MustCompile(`(?i)\bPET[ /-]*CT\b(?: scans?)?|\bPET\b(?: scans?)?`), "PT", ""},
	{regexp.MustCompile(`(?i)\b(?:DEXA|DXA)\b(?: scans?)?|\bbone (?:mineral )?density\b(?: scans?| tests?)?|\bdensitometr[íi]a\b`), "BMD", ""},
	{regexp.MustCompile(`(?i)\bechocardiogra(?:ms?|phy)\b|\becocardiograma\b`), "US", "heart"},
	{regexp.MustCompile(`(?i)\bcoronary (?:angiogra(?:ms?|phy)|arteriogram)\b|\bheart cath\w*|\bcardiac cath\w*`), "XA", "heart"},
	{regexp.MustCompile(`(?i)\bC(?:A)?T\b(?:[- ]scans?)?(?: (?:angiogra(?:ms?|phy)|urogra(?:ms?|phy)))?|\bCTA\b|\bCAT[- ]scans?\b|\bTAC\b|\btomograf[íi]as?(?: computari?zada)?`), "CT", ""},
	{regexp.MustCompile(`(?i)\bMR[IA]?s?\b(?: scans?)?(?: (?:arthrogra(?:ms?|phy)|angiogra(?:ms?|phy)))?|\bMRCP\b|\bmagnetic resonance\b(?: imaging)?|\bresonancias?(?: magn[ée]ticas?)?`), "MR", ""},
	{regexp.MustCompile(`(?i)\bCXRs?\b`), "DX", "chest"},
	{regexp.MustCompile(`(?i)\b(?:x[ -]?rays?|xrays?|radiographs?|plain films?|roentgenograms?)\b|\bradiograf[íi]as?|\brayos[ -]?x\b|\bplacas?\b`), "DX", ""},
	{regexp.MustCompile(`(?i)\bmammogra(?:ms?|phy)\b|\bmamograf[íi]as?`), "MG", ""},
	{regexp.MustCompile(`(?i)\b(?:ultra-?sounds?|sonogra(?:ms?|phy)|doppler)\b|\becograf[íi]as?|\bultrasonidos?\b`), "US", ""},
	{regexp.MustCompile(`(?i)\bHIDA\b(?: scans?)?|\b(?:nuclear medicine )?bone scans?\b|\bnuclear (?:medicine|stress)\b(?: scans?| tests?)?|\b(?:thyroid|lung|gastric emptying|V/Q) scans?\b|\bSPECT\b|\bgammagraf[íi]as?`), "NM", ""},
	{regexp.MustCompile(`(?i)\bfluoroscop(?:y|ies)\b(?: \([^)]*\))?|\bbarium (?:swallow|enema)\b|\bupper GI\b|\bfluoroscopia\b`), "RF", ""},
	{regexp.MustCompile(`(?i)\bangiogra(?:ms?|phy)\b|\barteriograms?\b`), "XA", ""},
}

const side = `(?:left|right|both|bilateral|lt|rt)`

// parts are the names of body parts, the longer before the shorter that they hold.
const parts = `skull base to mid-?thighs?|whole[ -]body|full[ -]body|chest,? abdomen,? (?:and|&) pelvis|chest/abdomen/pelvis|abdomen(?:[ \n](?:and|&)[ \n]|/)pelvis|` +
	`(?:cervical|thoracic|lumbar|lumbosacral|full|whole|entire|total|[ctl])[- \n]spine|facial bones|temporal bones?|internal auditory canals?|lower back|upper arm|lower leg|` +
	`brain|head|skull|neck|chest|lungs?|abdomen|abdominal|pelvis|pelvic|hips?|knees?|shoulders?|elbows?|wrists?|hands?|fingers?|thumbs?|ankles?|foot|feet|toes?|heels?|` +
	`forearms?|arms?|legs?|thighs?|calf|femurs?|tibia|fibula|humerus|spine|back|sinus(?:es)?|face|jaw|orbits?|eyes?|breasts?|thyroid|liver|gallbladder|kidneys?|renal|bladder|` +
	`prostate|heart|cardiac|coronary|aorta|esophagus|stomach|bowel|colon|uterus|ovar(?:y|ies)|scrot(?:um|al)|testic(?:les?|ular)|ribs?|sternum|clavicle|scapula|carotids?|pituitary|teeth|spleen|pancreas`

const partsES = `cuerpo entero|abdomen y pelvis|columna(?: (?:cervical|tor[áa]cica|dorsal|lumbar|lumbosacra|completa))?|cabeza|cerebro|cr[áa]neo|cuello|t[óo]rax|pecho|abdomen|pelvis|` +
	`rodillas?|hombros?|caderas?|tobillos?|pies?|manos?|muñecas?|codos?|brazos?|antebrazos?|piernas?|mamas?|senos?|h[íi]gado|riñ[óo]n(?:es)?|coraz[óo]n|tiroides|ves[íi]cula|espalda|est[óo]mago|pulm[óo]n(?:es)?`

var (
	partAfter    = regexp.MustCompile(`(?i)\b(?:(` + side + `)[ \n]+)?(` + parts + `)\b`)
	partBefore   = regexp.MustCompile(`(?i)\b(?:(` + side + `)[ \n]+)?(` + parts + `)[ \n]+(?:diagnostic[ \n]+)?$`)
	partSpanish  = regexp.MustCompile(`(?i)\b(` + partsES + `)\b(?:[ \n]+(derech[oa]s?|izquierd[oa]s?))?`)
	rightOne     = regexp.MustCompile(`(?i)\(?the (right|left) one\)?`)
	sameDay      = regexp.MustCompile(`(?i)\b(?:the )?same (?:day|date)\b|\bthat (?:same )?day\b|\bmismo d[íi]a\b|\bmisma fecha\b`)
	samePart     = regexp.MustCompile(`(?i)\bsame (` + parts + `)\b`)
	bothDone     = regexp.MustCompile(`(?i)\bboth\b|\bambas?\b|\bambos\b`)
	allImages    = regexp.MustCompile(`(?i)\b(?:all|every|complete|entire|any and all|tod[oa]s?)\b[^.\n]{0,40}?\b(?:images?|imaging|films?|scans?|pictures|radiology|studies|im[áa]genes|estudios|placas)\b`)
	notAsked     = regexp.MustCompile(`(?i)\b(?:never mind|need not|not need|don['’]?t (?:need|send)|do not (?:need|send)|no need|except|already (?:has|have)|next|upcoming|scheduled|will be comparing)\b`)
	aboutHistory = regexp.MustCompile(`(?i)\b(?:appointment|appt|surgery|operation|injury|accident)\b`)
)

// A mention is an examination named in the text.
type mention struct {
	start, end int
	modality   string
	part       string
}

// mentions finds the examinations in s, in order; a name and its explanation
// ("bone density (DEXA)") are one.
func mentions(s string) []mention {
	var out []mention
	for _, e := range examinations {
		for _, m := range e.re.FindAllStringIndex(s, 2*most) {
			if !slices.ContainsFunc(out, func(o mention) bool { return m[0] < o.end && o.start < m[1] }) && !lowerCaseAbbreviation(s[m[0]:m[1]], s) {
				out = append(out, mention{m[0], m[1], e.modality, e.part})
			}
		}
	}
	slices.SortFunc(out, func(a, b mention) int { return a.start - b.start })
	var merged []mention
	for _, m := range out {
		if n := len(merged); n > 0 {
			last := &merged[n-1]
			gap := s[last.end:m.start]
			explained := strings.Contains(gap, "(") && !strings.Contains(gap, ")") && !strings.ContainsAny(gap, "0123456789")
			if explained && len(gap) < 12 || strings.TrimSpace(gap) == "" && last.modality == m.modality || strings.TrimSpace(gap) == "/" {
				if last.part == "" {
					last.part = m.part
				}
				last.end = m.end
				continue
			}
		}
		merged = append(merged, m)
	}
	return merged
}

// lowerCaseAbbreviation refuses "ct" and "mr" inside text that is not all in small letters: "Mr. Odom".
func lowerCaseAbbreviation(word, s string) bool {
	return word == "Mr" || word == "MR" && strings.Contains(s, "MR.") || word == "ct" && strings.Contains(s, "CT ")
}

// A draft is an examination that may be one that is asked for.
type draft struct {
	mention
	part       string
	partAt     [2]int
	whens      []when
	confidence float64
}

// studies reads what is asked for.
func (r *reader) studies() {
	drafts := r.drafts()
	r.shareDates(drafts)
	dated := slices.ContainsFunc(drafts, func(d draft) bool { return len(d.whens) > 0 })
	for _, d := range drafts {
		if dated && len(d.whens) == 0 && d.part == "" || d.confidence < 0.5 && len(drafts) > 1 {
			continue // A word in passing.
		}
		d.part = r.sideElsewhere(d.part)
		if len(d.whens) == 0 {
			d.whens, d.confidence = []when{{}}, min(d.confidence, 0.7)
		}
		for _, w := range d.whens {
			r.study(d, w)
		}
	}
	if len(drafts) == 0 {
		r.allStudies()
	}
}

// drafts finds each examination with its part of the body and its dates.
func (r *reader) drafts() []draft {
	ms := mentions(r.t.s)
	ms = ms[:min(len(ms), most)]
	taken := 0 // Up to here the text has been used for an earlier study.
	var drafts []draft
	for i, m := range ms {
		scope, partScope := r.scope(ms, i)
		sentence, _ := r.t.sentence(m.start)
		d := draft{mention: m, confidence: 0.93}
		d.part, d.partAt = r.bodyPart(m, max(sentence, taken), partScope)
		d.whens = r.within(m.end, scope)
		if len(d.whens) == 0 {
			d.whens = r.before(m, max(sentence, taken))
		}
		behind := r.t.s[m.end:scope]
		if len(drafts) > 0 {
			d.asBefore(drafts[len(drafts)-1], behind)
		}
		if notAsked.MatchString(r.t.s[sentence:m.start]) && len(d.whens) == 0 || aboutHistory.MatchString(behind[:min(len(behind), 25)]) {
			d.confidence = 0.4
		}
		taken = max(m.end, d.partAt[1])
		if len(d.whens) > 0 {
			taken = max(taken, d.whens[len(d.whens)-1].end)
		}
		drafts = append(drafts, d)
		if other, ok := r.secondPart(d, scope); ok {
			drafts = append(drafts, other)
		}
	}
	return drafts
}

// scope returns up to where the words behind examination i of ms belong to it,
// and up to where its part of the body can be named.
func (r *reader) scope(ms []mention, i int) (scope, partScope int) {
	m := ms[i]
	scope = len(r.t.s)
	if e := slices.IndexFunc(r.t.ends, func(e int) bool { return e > m.end }); e >= 0 {
		scope = r.t.ends[e]
	}
	if i+1 == len(ms) || ms[i+1].start > scope {
		return scope, scope
	}
	scope = ms[i+1].start
	if p := partBefore.FindStringIndex(r.t.s[m.end:scope]); p != nil {
		return scope, m.end + p[0] // That part is the next examination's.
	}
	return scope, scope
}

// asBefore completes d where the words behind it say "the same day" or "the same knee" as of the study before.
func (d *draft) asBefore(before draft, behind string) {
	if n := len(before.whens); len(d.whens) == 0 && n > 0 && sameDay.MatchString(behind) {
		w := before.whens[n-1]
		w.confidence = min(w.confidence, 0.85)
		d.whens = []when{w}
	}
	if d.part != "" && strings.HasSuffix(before.part, d.part) && samePart.MatchString(behind) {
		d.part = before.part
	}
}

// shareDates gives an examination without a date that of the next in its
// sentence: "CT and x-ray of the chest, both on 6 May".
func (r *reader) shareDates(drafts []draft) {
	for i := len(drafts) - 2; i >= 0; i-- {
		a, b := &drafts[i], drafts[i+1]
		_, end := r.t.sentence(a.start)
		if b.start >= end || len(a.whens) > 0 || len(b.whens) == 0 {
			continue
		}
		a.whens = slices.Clone(b.whens[:1])
		if !bothDone.MatchString(r.t.s[a.end:end]) {
			a.confidence = min(a.confidence, 0.6)
		}
		if a.part == "" && a.modality != "MG" {
			a.part, a.partAt = b.part, b.partAt
		}
	}
}

// study adds what d asks for at w, once.
func (r *reader) study(d draft, w when) {
	study := library.StudyRequest{Modality: d.modality, BodyPart: d.part, Date: w.date, From: w.from, To: w.to}
	if slices.Contains(r.req.Studies, study) {
		return
	}
	name := fmt.Sprintf("studies[%d].", len(r.req.Studies))
	r.req.Studies = append(r.req.Studies, study)
	r.field(name+"modality", study.Modality, d.confidence, d.start, d.end)
	r.field(name+"body_part", d.part, min(d.confidence, 0.89), d.partAt[0], d.partAt[1])
	c := min(d.confidence, w.confidence)
	r.field(name+"date", string(w.date), c, w.start, w.end)
	r.field(name+"from", string(w.from), c, w.start, w.end)
	r.field(name+"to", string(w.to), c, w.start, w.end)
}

// allStudies reads a request for everything.
func (r *reader) allStudies() {
	m := allImages.FindStringIndex(r.t.s)
	if m == nil {
		return
	}
	_, end := r.t.sentence(m[0])
	study := library.StudyRequest{All: true}
	at := m
	for _, w := range r.within(m[1], end) {
		if w.from != "" {
			study = library.StudyRequest{From: w.from, To: w.to}
			at = []int{w.start, w.end}
			break
		}
	}
	r.req.Studies = append(r.req.Studies, study)
	if study.All {
		r.field("studies[0].all", "true", 0.85, at[0], at[1])
		return
	}
	r.field("studies[0].from", string(study.From), 0.85, at[0], at[1])
	r.field("studies[0].to", string(study.To), 0.85, at[0], at[1])
}

// within returns the dates of examinations between two places.
func (r *reader) within(from, to int) []when {
	var out []when
	for _, w := range r.dates {
		if w.start < from || w.end > to || r.isBirth(w) {
			continue
		}
		lead := strings.ToLower(r.t.s[max(from, w.start-28):w.start])
		if strings.Contains(lead, "appointment") || strings.Contains(lead, "appt") || strings.Contains(lead, "see ") || strings.Contains(lead, "signed") || strings.Contains(lead, "expire") || strings.Contains(lead, "vence") {
			continue
		}
		if strings.Contains(r.t.s[from:w.start], "\n\n") {
			break
		}
		out = append(out, w)
	}
	return out
}

var onDate = regexp.MustCompile(`(?i)[,:]? *(?:,? ?(?:there was|i had|you did|we did|had|was done)(?: an?| the)?|:|-|–)\s*(?:an?|the|my)?\s*$`)

// before returns the date that leads up to an examination: "on January 7 there was a CT".
func (r *reader) before(m mention, from int) []when {
	for _, w := range slices.Backward(r.dates) {
		if w.end > m.start {
			continue
		}
		if w.start < from || m.start-w.end > 40 || r.isBirth(w) {
			return nil
		}
		gap := strings.ReplaceAll(r.t.s[w.end:m.start], "\n", " ")
		if i := partBefore.FindStringIndex(gap); i != nil {
			gap = gap[:i[0]]
		}
		if onDate.MatchString(gap) || strings.TrimSpace(gap) == "" {
			w.confidence = min(w.confidence, 0.88)
			return []when{w}
		}
		return nil
	}
	return nil
}
