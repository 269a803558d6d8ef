package reading

import (
	"regexp"
	"strings"
)

// A choice is something that a form offers with a box to tick.
type choice struct {
	group string // What is chosen: purpose, delivery, signer, ...
	value string
	re    *regexp.Regexp // The words behind the box, from their beginning.
}

func option(group, value, words string) choice {
	return choice{group, value, regexp.MustCompile(`(?i)^(?:(?:in|on|en|via|por|to|the) )*(?:` + words + `)`)}
}

// What is chosen on forms.
const (
	choosePurpose  = "purpose"
	chooseDelivery = "delivery"
	chooseSelf     = "self"
	chooseSigner   = "signer"
	chooseAll      = "all" // Images of all dates.
	chooseOther    = "other"
)

// choices are what forms offer; the earlier goes before the later.
var choices = []choice{
	option(choosePurpose, "continuing-care", `(?:further treatment|continu\w* (?:of )?(?:medical )?(?:care|treatment)|continuity|continuidad|coordination of care|medical (?:care|review|treatment)\b|medical$|treatment$|treatment/|transfer of care|second opinion|atenci[óo]n m[ée]dica|tratamiento|if your records are going to another provider)`),
	option(choosePurpose, "disability", `(?:social security|disability|discapacidad|rehab or disability)`),
	option(choosePurpose, "insurance", `(?:insurance|seguro|workers['’]? comp)`),
	option(choosePurpose, "legal", `(?:legal|attorney|litigation|asuntos legales)`),
	option(choosePurpose, "research", `(?:research|investigaci[óo]n)`),
	option(choosePurpose, "personal", `(?:personal|patient(?:['’]s)? request|(?:at )?(?:the |my )(?:request|personal)|at my request|a mi pedido|solicitud del paciente|uso personal|me for my personal)`),

	option(chooseDelivery, "portal", `(?:my ?duke|my ?chart|mychart|my ?nm\b|(?:online |patient )?portal\b|.{0,24}patient gateway)`),
	option(chooseDelivery, "email", `(?:(?:encrypted |secure )?e-?mail(?:ed)?\b|correo electr[óo]nico)`),
	option(chooseDelivery, "usb", `(?:usb|thumb ?drive|flash drive|unidad de memoria)`),
	option(chooseDelivery, "cd", `(?:(?:dvd ?/ ?)?cds?\b|dvds?\b|compact dis[ck]|disco compacto$|disk\b|x-ray films on cd)`),
	option(chooseDelivery, "fax", `fax(?:ed)?\b`),
	option(chooseDelivery, "electronic", `(?:electronic(?:ally)?|digital\b|electr[óo]nic[oa])`),
	option(chooseDelivery, "paper", `(?:paper|papel|impreso)\b`),

	option(chooseSelf, "true", `(?:self \(same|self$|me for my personal|check here if the records are to be mailed to the patient|myself)`),
	option(chooseSigner, "patient", `self$`),
	option(chooseSigner, "parent", `parent\b`),
	option(chooseSigner, "executor", `executor`),
	option(chooseSigner, "guardian", `legal guardian|guardian|conservator`),
	option(chooseSigner, "health-care-agent", `health ?care (?:agent|representative|proxy)`),
	option(chooseSigner, "attorney-in-fact", `power of attorney|attorney-in-fact`),
	option(chooseAll, "true", `(?:all (?:treatment )?dates|todas las fechas)`),
	option(chooseOther, "other", `(?:other|otr[oa]s?)\b`),
}

// A ticked is a choice that is ticked.
type ticked struct {
	choice
	tokens     []token
	page       int
	row        int
	y          float64
	party      party
	confidence float64
}

// ticks finds the choices of a page that are ticked.
func (f *formPage) ticks() []ticked {
	var out []ticked
	for i, r := range f.rows {
		for j, t := range r.tokens {
			if t.glyph != tick || letterMark(t.text) && !r.marks(j) {
				continue
			}
			words := f.behind(i, j)
			if len(words) == 0 {
				continue
			}
			out = append(out, f.chosen(i, t, words)...)
		}
	}
	return out
}

// marks reports whether the X at token j is a mark: what follows begins a phrase.
func (r formRow) marks(j int) bool {
	return j+1 < len(r.tokens) && (j == 0 || r.starts(j) || strings.HasSuffix(r.tokens[j-1].text, ":") || r.tokens[j-1].glyph != noGlyph) && r.tokens[j+1].glyph != tick
}

// behind returns the words behind the mark at token j of row i: those of its
// own row, or of a row so near that only the mark is set off from them.
func (f *formPage) behind(i, j int) []token {
	mark := f.rows[i].tokens[j]
	var out []token
	for k := j + 1; k < len(f.rows[i].tokens); k++ {
		t := f.rows[i].tokens[k]
		if t.glyph == emptyBox && t.box.X < mark.box.X+mark.box.W && len(out) == 0 {
			continue // The box that the mark is in.
		}
		if t.glyph != noGlyph || len(out) > 0 && t.dx > 1.5*wideGap(f.rows[i].tokens[k-1]) || len(out) == 0 && t.box.X-(mark.box.X+mark.box.W) > 0.06 {
			break
		}
		out = append(out, t)
	}
	if len(out) > 0 {
		return out
	}
	// The words are of the row above or below.
	for _, n := range []int{i + 1, i - 1} {
		if n < 0 || n >= len(f.rows) {
			continue
		}
		for k, t := range f.rows[n].tokens {
			near := t.box.X - (mark.box.X + mark.box.W)
			off := t.box.Y + t.box.H/2 - mark.box.Y - mark.box.H/2
			if t.glyph == noGlyph && near > -0.005 && near < 0.03 && off < 1.3*mark.box.H && off > -1.3*mark.box.H {
				return f.rows[n].tokens[k:f.rows[n].run(k)]
			}
		}
	}
	return nil
}

// chosen returns what the words behind a mark mean, one for each group.
func (f *formPage) chosen(i int, mark token, words []token) []ticked {
	s := joinTokens(words)
	var out []ticked
	seen := map[string]bool{}
	for _, c := range choices {
		if seen[c.group] || !c.re.MatchString(s) || circled.MatchString(s) {
			continue
		}
		seen[c.group] = true
		asked := f.prompt(i)
		if c.group == choosePurpose && asked != choosePurpose && asked != "" || c.group == chooseSigner && asked != chooseSigner {
			continue
		}
		p := f.partyAt(labelAt{row: i, box: mark.box})
		out = append(out, ticked{choice: c, tokens: append([]token{mark}, words...), page: f.rows[i].page, row: i, y: f.rows[i].y, party: p, confidence: 0.93})
	}
	return out
}

// circled are the words of a choice that is made among the words behind it.
var circled = regexp.MustCompile(`(?i)\(circle`)

// prompts are the questions that boxes answer.
var prompts = []struct {
	group string
	re    *regexp.Regexp
}{
	{choosePurpose, regexp.MustCompile(`(?i)\b(?:purpose|reason for|reasons? to|finalidad|prop[óo]sito|razones|motivo)\b`)},
	{chooseSigner, regexp.MustCompile(`(?i)\b(?:relationship|your legal authority|parentesco)\b`)},
	{chooseDelivery, regexp.MustCompile(`(?i)\b(?:deliver\w*|format|method|entrega|formato|send by|release instructions)\b`)},
	{chooseOther, regexp.MustCompile(`(?i)\b(?:records requested|information to be|check all that apply|treatment location|sensitive|medical information)\b`)},
}

// prompt returns what the boxes of row i answer: the nearest question above.
func (f *formPage) prompt(i int) string {
	if group, ok := f.asked[i]; ok {
		return group
	}
	f.asked[i] = f.promptAbove(i)
	return f.asked[i]
}

func (f *formPage) promptAbove(i int) string {
	for n := i; n >= max(0, i-12); n-- {
		for _, p := range prompts {
			if p.re.MatchString(f.rows[n].text) {
				return p.group
			}
		}
	}
	return ""
}
