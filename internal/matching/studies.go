package matching

import (
	"cmp"
	"slices"
	"strings"

	"fileroom/internal/library"
)

// RankStudies returns a candidate for every study found: those that fit an item
// asked for by item and date, then the others, latest first. A study fits an
// item if nothing contradicts it; one that fits several is given to the item
// with the most in its favour, and of equal ones to that with the fewest. The
// reasons of a study that fits nothing are those for the nearest item.
//
// Studies chosen by staff are the chosen ones, and no others. Otherwise the
// program chooses, for an item with one exact date and a modality, the study
// that has both if there is exactly one; and for an item that asks for all,
// every study in its range that certainly belongs to it.
func RankStudies(wanted []library.StudyRequest, found []library.StudyRecord, chosen library.Choices) []library.StudyCandidate {
	found = slices.Clone(found)
	slices.SortStableFunc(found, func(a, b library.StudyRecord) int { return strings.Compare(a.UID, b.UID) })
	found = slices.CompactFunc(found, func(a, b library.StudyRecord) bool { return a.UID == b.UID })

	fits := compareStudies(wanted, found)
	by := Program
	taken := programChoice(wanted, fits)
	if len(chosen.Studies) > 0 {
		by = chooser(chosen)
		for i, f := range found {
			taken[i] = slices.Contains(chosen.Studies, f.UID)
		}
	}
	items := assign(fits, taken)

	candidates := make([]library.StudyCandidate, len(found))
	for i, f := range found {
		c := library.StudyCandidate{
			UID: f.UID, Item: items[i], Date: f.Date, Modalities: f.Modalities,
			Description: library.Hide(f.Description), Accession: library.Hide(f.Accession), Instances: f.Instances,
		}
		if n := nearest(fits[i], items[i]); n >= 0 {
			c.Reasons = fits[i][n].reasons()
		}
		if taken[i] {
			c.Chosen, c.By = true, by
		}
		candidates[i] = c
	}
	slices.SortStableFunc(candidates, byItemAndDate)
	return candidates
}

func byItemAndDate(a, b library.StudyCandidate) int {
	if (a.Item < 0) != (b.Item < 0) {
		return cmp.Compare(b.Item, a.Item) // What fits nothing comes last.
	}
	if a.Item < 0 {
		return strings.Compare(string(b.Date), string(a.Date))
	}
	return cmp.Or(cmp.Compare(a.Item, b.Item), strings.Compare(string(a.Date), string(b.Date)))
}

// A verdict is what one comparison says.
type verdict int

const (
	silent  verdict = iota // Not asked, not known, or not enough to tell.
	against                // Contradicts.
	agrees
)

// A fit is how a study compares with one item asked for.
type fit struct {
	modality, bodyPart, date verdict
	exact                    bool // The item names one day, and it is this one.
	all                      bool // The item asks for all, and this certainly belongs to it.
}

func (f fit) contradicted() bool {
	return f.modality == against || f.bodyPart == against || f.date == against
}

// clear reports whether f alone would be enough for the program to choose.
func (f fit) clear() bool { return !f.contradicted() && f.exact && f.modality == agrees }

func (f fit) score() int {
	sum := 0
	for _, v := range []verdict{f.modality, f.bodyPart, f.date} {
		if v == agrees {
			sum++
		}
		if v == against {
			sum -= 4
		}
	}
	return sum
}

func (f fit) reasons() []library.Reason {
	var reasons []library.Reason
	add := func(v verdict, code library.ReasonCode) {
		if v != silent {
			reasons = append(reasons, library.Reason{Code: code, Against: v == against})
		}
	}
	add(f.modality, library.ReasonModality)
	add(f.bodyPart, library.ReasonBodyPart)
	add(f.date, library.ReasonDate)
	return reasons
}

// compareStudies compares each study with each item: a row a study.
func compareStudies(wanted []library.StudyRequest, found []library.StudyRecord) [][]fit {
	asked := make([]bodyPart, len(wanted))
	for i, w := range wanted {
		asked[i] = readBodyPart(w.BodyPart)
	}
	fits := make([][]fit, len(found))
	for i, f := range found {
		text := f.Description + " " + strings.Join(f.BodyParts, " ")
		if slices.Contains(f.Modalities, "MG") {
			text += " breast" // A mammogram often does not say so.
		}
		there := readBodyPart(text)
		for item, w := range wanted {
			fits[i] = append(fits[i], compareStudy(w, f, compareBodyPart(asked[item], there)))
		}
	}
	return fits
}

func compareStudy(w library.StudyRequest, f library.StudyRecord, bodyPart verdict) fit {
	r := fit{
		modality: compareModality(w.Modality, f.Modalities),
		bodyPart: bodyPart,
		date:     compareDate(w, f.Date),
	}
	r.exact = r.date == agrees && (w.Date != "" || w.From == w.To)
	certain := func(asked bool, v verdict) bool { return !asked || v == agrees }
	r.all = w.All && certain(w.Modality != "", r.modality) && certain(w.BodyPart != "", r.bodyPart) &&
		certain(w.Date != "" || w.From != "" || w.To != "", r.date)
	return r
}

func compareDate(w library.StudyRequest, d library.Date) verdict {
	asked := w.Date != "" || w.From != "" || w.To != ""
	if _, known := d.Time(); !asked || !known {
		return silent
	}
	inside := d >= w.From && (w.To == "" || d <= w.To) // Dates sort as text.
	if w.Date != "" {
		inside = d == w.Date
	}
	if inside {
		return agrees
	}
	return against
}

// programChoice returns which studies the program may choose by itself.
func programChoice(wanted []library.StudyRequest, fits [][]fit) []bool {
	taken := make([]bool, len(fits))
	for item, w := range wanted {
		var clear []int
		for i := range fits {
			if fits[i][item].all {
				taken[i] = true
			}
			if fits[i][item].clear() {
				clear = append(clear, i)
			}
		}
		if !w.All && len(clear) == 1 {
			taken[clear[0]] = true
		}
	}
	return taken
}

// assign gives each study the item that it fits best, the chosen ones first.
func assign(fits [][]fit, taken []bool) []int {
	items := make([]int, len(fits))
	given := map[int]int{}
	for _, turn := range []bool{true, false} {
		for i := range fits {
			if taken[i] != turn {
				continue
			}
			items[i] = -1
			for item, f := range fits[i] {
				if f.contradicted() {
					continue
				}
				best := items[i]
				if best < 0 || f.score() > fits[i][best].score() ||
					f.score() == fits[i][best].score() && given[item] < given[best] {
					items[i] = item
				}
			}
			given[items[i]]++
		}
	}
	return items
}

// nearest returns the item given, or else the one with the least against it; -1
// if nothing was asked for.
func nearest(fits []fit, item int) int {
	if item >= 0 {
		return item
	}
	best := -1
	for i, f := range fits {
		if best < 0 || f.score() > fits[best].score() {
			best = i
		}
	}
	return best
}

// compareModality holds the modality asked for against those of a study (DICOM
// PS3.3 section C.7.3.1.1.1). Plain films are DX, CR and RG alike. The CT of a
// PET/CT is no CT examination of its own, but may be meant: it says nothing.
func compareModality(wanted string, found []string) verdict {
	w := canonicalModality(wanted)
	var images []string
	for _, f := range found {
		if m := canonicalModality(f); m != "" && !attachment[m] {
			images = append(images, m)
		}
	}
	if w == "" || len(images) == 0 {
		return silent
	}
	hybrid := slices.Contains(images, "PT") || slices.Contains(images, "NM")
	switch {
	case !slices.Contains(images, w):
		return against
	case hybrid && w != "PT" && w != "NM":
		return silent
	}
	return agrees
}

// attachment holds modalities that accompany images of another.
var attachment = map[string]bool{
	"SR": true, "PR": true, "KO": true, "OT": true, "SC": true, "SEG": true, "REG": true, "DOC": true, "AU": true,
	"RTSTRUCT": true, "RTDOSE": true, "RTPLAN": true, "RTRECORD": true,
}

func canonicalModality(s string) string {
	m := strings.ToUpper(strings.TrimSpace(s))
	switch m {
	case "CR", "RG", "XR", "X-RAY":
		return "DX"
	case "MRI":
		return "MR"
	case "PET", "PET/CT":
		return "PT"
	case "CAT":
		return "CT"
	}
	return m
}
