package reading

import (
	"regexp"
	"slices"
	"strings"

	"fileroom/internal/library"
)

// The kinds of document, as the reading corpus names them.
const (
	Letter            = "letter"
	AuthorizationForm = "authorization-form"
	HealthCarePower   = "health-care-power-of-attorney"
	PowerOfAttorney   = "power-of-attorney"
	GuardianshipOrder = "guardianship-order"
	LettersTestament  = "letters-testamentary"
	LettersAdmin      = "letters-of-administration"
	SmallEstate       = "small-estate-affidavit"
	DeathCertificate  = "death-certificate"
	BirthCertificate  = "birth-certificate"
	Identification    = "identification"
	FaxCover          = "fax-cover"
	Separator         = "separator"
	Blank             = "blank"
	Other             = "other"
)

// titles tell the kind of a paper by the words at its head. A title is in
// capitals, or a short line of its own; in the lines of a letter such words are prose.
var titles = []struct {
	kind string
	re   *regexp.Regexp
}{
	{HealthCarePower, regexp.MustCompile(`(?i)health ?care power of attorney|poder notarial para (?:la )?atenci[óo]n m[ée]dica`)},
	{PowerOfAttorney, regexp.MustCompile(`(?i)power of attorney`)},
	{SmallEstate, regexp.MustCompile(`(?i)affidavit for collection|small estate`)},
	{LettersTestament, regexp.MustCompile(`(?i)letters testamentary`)},
	{LettersAdmin, regexp.MustCompile(`(?i)letters of\s+administration|letters\s+of\s.{0,40}administration`)},
	{GuardianshipOrder, regexp.MustCompile(`(?i)(?:letters of appointment|order (?:on|appointing|of)).{0,60}guardian|letters of guardianship|guardian of the (?:person|estate)|guardianship order|general guardian`)},
	{DeathCertificate, regexp.MustCompile(`(?i)certificate of death|death certificate`)},
	{BirthCertificate, regexp.MustCompile(`(?i)certificate of (?:live )?birth|birth certificate`)},
	{Identification, regexp.MustCompile(`(?i)driver['’]?s? license|identification card|\bpassport\b|licencia de conducir`)},
	{AuthorizationForm, regexp.MustCompile(`(?i)(?:authorization|consent|permission)\b.{0,80}\b(?:release|disclos\w*|use|obtain|exchange|protected health|medical (?:record|image)|images?)|autorizaci[óo]n|(?:release|request) (?:of|for) (?:own |my )?(?:medical |protected |patient )?(?:health |radiology )?(?:information|records|images|imaging)\b|\brelease form\b|\brequest form\b`)},
}

var (
	faxWords       = regexp.MustCompile(`(?i)\bfax\b|facsimile`)
	coverWords     = regexp.MustCompile(`(?i)\b(?:cover|transmittal|transmission|pages?|p[áa]ginas)\b`)
	separatorWords = regexp.MustCompile(`(?i)\b(?:document |batch |page )?separator\b|\bpatch (?:code|t)\b|\bbatch (?:sheet|scanning|cover)\b`)
	salutation     = regexp.MustCompile(`(?im)^\s*(?:dear\b|to whom it may concern|ladies and gentlemen|hello\b|hi\b|estimad[oa]s?|a quien corresponda|good (?:morning|afternoon|day))`)
	pageMark       = regexp.MustCompile(`(?i)\bpage (?:[2-9]|\d\d) ?(?:of|/|$|\n)|—\s*page\s*[2-9]`)
)

// formLabels are what authorization forms ask for and letters do not put side by side.
var formLabels = []*regexp.Regexp{
	regexp.MustCompile(`(?i)\bpatient(?:['’]s)? name\b|\bname of patient\b|nombre del paciente`),
	regexp.MustCompile(`(?i)\b(?:date of birth|birth ?date|dob)\b|fecha de nacimiento`),
	regexp.MustCompile(`(?i)\b(?:phone|telephone|tel[ée]fono)\b`),
	regexp.MustCompile(`(?i)\b(?:street )?address\b|direcci[óo]n`),
	regexp.MustCompile(`(?i)\bcity\b|ciudad`),
	regexp.MustCompile(`(?i)\bsignature\b|firma`),
	regexp.MustCompile(`(?i)\brelationship\b|relaci[óo]n|parentesco`),
	regexp.MustCompile(`(?i)\brevoke|revocar`),
	regexp.MustCompile(`(?i)\bexpir|\bvence`),
	regexp.MustCompile(`(?i)\bdisclos|\bdivulga`),
	regexp.MustCompile(`(?i)\bauthoriz|\bautoriz`),
	regexp.MustCompile(`(?i)\bpurpose\b|prop[óo]sito`),
	regexp.MustCompile(`_{8,}|[☐☑☒□■]|\x{f0a8}|\x{f06f}`),
}

// looksLikeForm reports whether s has most of what forms ask for.
func looksLikeForm(s string) bool {
	n := 0
	for _, re := range formLabels {
		if re.MatchString(s) {
			n++
		}
	}
	return n >= 7
}

// legalPaper reports whether a paper of kind can show that somebody may act for the patient.
func legalPaper(kind string) bool {
	switch kind {
	case HealthCarePower, PowerOfAttorney, GuardianshipOrder, LettersTestament, LettersAdmin, SmallEstate:
		return true
	}
	return false
}

// documents sorts pages into papers.
func documents(pages []library.Page, r *reader) []library.Document {
	kinds := make([]string, len(pages))
	for i, p := range pages {
		kinds[i] = kindOf(p)
		if kinds[i] == "" && i > 0 && continues(pages[i-1], kinds[i-1], p) {
			kinds[i] = kinds[i-1]
		}
		if kinds[i] == "" {
			kinds[i] = Letter
		}
	}
	coveringWords(pages, kinds, r)
	docs := []library.Document{}
	for i, p := range pages {
		n := len(docs)
		same := n > 0 && docs[n-1].Kind == kinds[i] && pages[i-1].Part == p.Part && p.Source != library.SourceMail &&
			kinds[i] != Separator && kinds[i] != FaxCover && kinds[i] != Identification
		if same {
			docs[n-1].Pages = append(docs[n-1].Pages, p.Number)
			continue
		}
		docs = append(docs, library.Document{Kind: kinds[i], Pages: []int{p.Number}})
	}
	return docs
}

// kindOf tells the kind of a page by itself, or "" where it may be a letter or go on with what came before.
func kindOf(p library.Page) string {
	words := 0
	for _, l := range p.Lines {
		words += len(l.Words)
	}
	if p.Source == library.SourceMail {
		return Letter
	}
	if words == 0 {
		if len(p.Ink) == 0 {
			return Blank
		}
		return ""
	}
	head := p.Lines[:min(len(p.Lines), 22)]
	all := pageText(head)
	switch {
	case words < 60 && separatorWords.MatchString(all):
		return Separator
	case words < 170 && faxWords.MatchString(pageText(head[:min(len(head), 4)])) && coverWords.MatchString(all) && !salutation.MatchString(all) && len(mentions(all)) < 2:
		return FaxCover
	}
	if salutation.MatchString(pageText(p.Lines[:min(len(p.Lines), 14)])) {
		return "" // A letter, whatever papers it talks of.
	}
	if words < 90 && isCard(pageText(p.Lines)) {
		return Identification
	}
	if kind := titleOf(head); kind != "" {
		return kind
	}
	if looksLikeForm(pageText(p.Lines)) {
		return AuthorizationForm
	}
	return ""
}

// cardWords are what cards with a photograph print beside their fields.
var cardWords = []*regexp.Regexp{
	regexp.MustCompile(`\bDLN?\b|\bDL NO\b|(?i)\blicense\b`), regexp.MustCompile(`\bEXP\b`), regexp.MustCompile(`\bISS\b`), regexp.MustCompile(`\bDOB\b`),
	regexp.MustCompile(`\bEYES?\b`), regexp.MustCompile(`HGT`), regexp.MustCompile(`\bSEX`), regexp.MustCompile(`CLASS`),
}

// isCard reports whether s is the words of a driver's license or another card that identifies.
func isCard(s string) bool {
	n := 0
	for _, re := range cardWords {
		if re.MatchString(s) {
			n++
		}
	}
	return n >= 4
}

// titleOf finds the kind of paper by a title among the lines of a page's head.
func titleOf(head []library.Line) string {
	for _, t := range titles {
		for i := range head {
			// A title may be broken over two lines.
			line := head[i].Text()
			two := line
			if i+1 < len(head) {
				two += " " + head[i+1].Text()
			}
			if t.re.MatchString(line) && isTitle(t.re.FindString(line), line) || t.re.MatchString(two) && !t.re.MatchString(line) && isTitle(t.re.FindString(two), two) && capitals(t.re.FindString(two)) {
				return t.kind
			}
		}
	}
	return ""
}

// isTitle reports whether match is a title rather than prose in line.
func isTitle(match, line string) bool {
	if capitals(match) {
		return true
	}
	words := strings.Fields(line)
	return len(words) <= 9 && isTitleLike(strings.ReplaceAll(strings.Trim(line, " .:()-"), " to ", " ")) && !strings.HasSuffix(line, ".")
}

func capitals(s string) bool { return s == strings.ToUpper(s) }

func pageText(lines []library.Line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.Text())
		b.WriteByte('\n')
	}
	return b.String()
}

// continues reports whether page p goes on with the paper of the page before.
func continues(before library.Page, kind string, p library.Page) bool {
	if kind == Separator || kind == Blank || kind == FaxCover || kind == Identification || before.Source == library.SourceMail {
		return false
	}
	s := pageText(p.Lines)
	if kind == Letter {
		return before.Part == p.Part
	}
	if salutation.MatchString(s) || before.Part != p.Part {
		return false
	}
	return pageMark.MatchString(s) || !closing.MatchString(s)
}

// coveringWords finds the messages that only pass on what is attached.
func coveringWords(pages []library.Page, kinds []string, r *reader) {
	papers := false
	for i, p := range pages {
		papers = papers || p.Source != library.SourceMail && (kinds[i] == Letter || kinds[i] == AuthorizationForm)
	}
	if !papers {
		return
	}
	for i, p := range pages {
		if p.Source != library.SourceMail {
			continue
		}
		s := pageText(p.Lines)
		asks := 0
		for _, m := range mentions(s) {
			if len(dates(s[m.end:min(len(s), m.end+60)], r.opts.Received)) > 0 {
				asks++
			}
		}
		if asks == 0 {
			kinds[i] = Other
		}
	}
}

// requestPages are the pages that make the request: letters and forms, or, where there are none, what there is.
func requestPages(pages []library.Page, docs []library.Document) []library.Page {
	var out, rest []library.Page
	for _, p := range pages {
		switch kindAt(docs, p.Number) {
		case Letter, AuthorizationForm:
			out = append(out, p)
		case Other:
			rest = append(rest, p)
		}
	}
	if out == nil {
		return rest
	}
	return out
}

func kindAt(docs []library.Document, page int) string {
	for _, d := range docs {
		if slices.Contains(d.Pages, page) {
			return d.Kind
		}
	}
	return ""
}

// formPages are the pages that are forms.
func formPages(docs []library.Document) map[int]bool {
	forms := map[int]bool{}
	for _, d := range docs {
		if d.Kind == AuthorizationForm {
			for _, p := range d.Pages {
				forms[p] = true
			}
		}
	}
	return forms
}

// preferPatientsForm takes the patient's signature on an enclosed
// authorization for the signature, before that of the lawyer who sends it.
func (r *reader) preferPatientsForm(docs []library.Document) {
	forms := formPages(docs)
	if len(forms) == 0 || len(forms) == len(r.pages) {
		return
	}
	names := r.patientNames()
	if len(names) == 0 || r.typed.name != "" && sameName(r.typed.name, names[0].name) {
		return
	}
	for _, l := range r.t.lines() {
		if forms[l.page] && sameName(l.text, names[0].name) && nameLine.MatchString(l.text) {
			r.takeTyped(l, 0.85)
		}
	}
}
