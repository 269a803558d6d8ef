package rules

import (
	"fmt"

	"fileroom/internal/library"
)

// everyItemResolved is SM-01. Nobody gets the report without the films because
// a line of the letter was passed over. While no patient is chosen, PM-01 blocks
// and there is nothing to say about studies.
func everyItemResolved(f Facts) []fault {
	if _, ok := f.Match.ChosenPatient(); !ok {
		return nil
	}
	var found []fault
	if len(f.Match.ChosenStudies()) == 0 {
		found = append(found, fault{kind: "nothing", why: "No study is chosen.", field: "studies"})
	}
	for i := range f.Reading.Request.Studies {
		if picked(f.Match, i) {
			continue
		}
		open := 0
		for _, s := range f.Match.Studies {
			if s.Item == i {
				open++
			}
		}
		field := fmt.Sprintf("studies[%d]", i)
		if open > 0 {
			found = append(found, fault{kind: "open", why: fmt.Sprintf("For study %d there are %d candidates, and none is chosen.", i+1, open), field: field})
		} else {
			found = append(found, fault{kind: "not-found", why: fmt.Sprintf("For study %d the PACS holds nothing that fits, or it is part of another study asked for.", i+1), field: field})
		}
	}
	return found
}

// nothingUnasked is SM-02: what leaves was asked for. A study that staff know to
// be meant, though the papers say otherwise, needs a correction that says so.
func nothingUnasked(f Facts) []fault {
	var found []fault
	chosen := map[string]bool{}
	for i, s := range f.Match.Studies {
		if !s.Chosen {
			continue
		}
		chosen[s.UID] = true
		asked := s.Item >= 0 && s.Item < len(f.Reading.Request.Studies)
		for _, r := range s.Reasons {
			asked = asked && !r.Against
		}
		if !asked {
			found = append(found, fault{kind: "study", why: fmt.Sprintf("The study of %s (candidate %d) was not asked for.", orUnknown(s.Date), i+1), field: "studies"})
		}
	}
	for _, i := range f.Match.Manifest {
		if !chosen[i.Study] {
			return append(found, fault{kind: "image", why: "The manifest holds images of a study that is not chosen.", field: "studies"})
		}
	}
	return found
}

func orUnknown(d library.Date) string {
	if d == "" {
		return "an unknown date"
	}
	return string(d)
}

// studiesComplete is SM-04: as many images are listed as the PACS counts.
func studiesComplete(f Facts) []fault {
	listed := map[string]map[string]bool{}
	for _, i := range f.Match.Manifest {
		if listed[i.Study] == nil {
			listed[i.Study] = map[string]bool{}
		}
		listed[i.Study][i.SOP] = true
	}
	var found []fault
	for i, s := range f.Match.Studies {
		n := len(listed[s.UID])
		switch {
		case !s.Chosen:
		case n == 0:
			found = append(found, fault{kind: "empty", why: fmt.Sprintf("The PACS lists no image of the study of %s (candidate %d).", orUnknown(s.Date), i+1)})
		case n != s.Instances:
			found = append(found, fault{kind: "count", why: fmt.Sprintf("The PACS counts %d images of the study of %s (candidate %d), and lists %d.", s.Instances, orUnknown(s.Date), i+1, n)})
		}
	}
	return found
}
