package reading

import "regexp"

// formWay takes the way of delivery from what is written in: "x-ray films on CD please".
func (r *reader) formWay(f *form) {
	if r.req.Delivery != "" {
		return
	}
	for _, t := range f.ticks {
		if t.group == chooseOther && discWay.MatchString(joinTokens(t.tokens)) {
			r.req.Delivery = "cd"
			r.answer("delivery", "cd", 0.88, t.page, t.tokens)
			return
		}
	}
	for _, p := range f.pages {
		for i, row := range p.rows {
			if pleaseDisc.MatchString(row.text) && len(p.studyLine(i).Words)+len(row.tokens) > 0 {
				r.req.Delivery = "cd"
				r.answer("delivery", "cd", 0.85, row.page, row.tokens)
				return
			}
		}
	}
}

var pleaseDisc = regexp.MustCompile(`(?i)\((?:on )?(?:a )?(?:cd|disc) please\)|\b(?:on|en) (?:a |un )?(?:cd|disc|disco),? (?:please|por favor)`)

// formReason takes the purpose from words where none is ticked.
func (r *reader) formReason(f *form) {
	if r.req.Purpose != "" {
		return
	}
	v, ok := f.first(askReason, theConditions, theRecords, anybody, theRecipient, thePatient)
	if !ok {
		return
	}
	for _, p := range purposes {
		if p.re.MatchString(v.text()) {
			r.req.Purpose = p.value
			r.answer("purpose", p.value, 0.85, v.page, v.tokens)
			return
		}
	}
	if consult.MatchString(v.text()) {
		r.req.Purpose = "continuing-care"
		r.answer("purpose", r.req.Purpose, 0.85, v.page, v.tokens)
	}
}

var consult = regexp.MustCompile(`(?i)\b(?:consult\w*|visit|care|therapy|review by|evaluation)\b`)
