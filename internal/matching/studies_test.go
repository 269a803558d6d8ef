package matching_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"fileroom/internal/library"
	"fileroom/internal/matching"
)

func demoStudies() []library.StudyRecord {
	return []library.StudyRecord{
		{UID: "2.25.1", Date: "2026-02-12", Modalities: []string{"CT"}, Description: "CT CHEST W CONTRAST", Instances: 200},
		{UID: "2.25.2", Date: "2026-01-28", Modalities: []string{"MR"}, Description: "MR BRAIN WO CONTRAST", Instances: 20},
		{UID: "2.25.3", Date: "2025-11-04", Modalities: []string{"DX"}, Description: "XR CHEST 2 VIEWS", Instances: 2},
	}
}

func TestRankStudiesChoosesOnlyWhatIsClear(t *testing.T) {
	t.Parallel()
	type item = library.StudyRequest
	type study = library.StudyRecord
	one := func(modality, description string) []study {
		return []study{{UID: "2.25.9", Date: "2026-03-01", Modalities: []string{modality}, Description: description}}
	}
	on := func(modality, part string) []item {
		return []item{{Modality: modality, BodyPart: part, Date: "2026-03-01"}}
	}
	tests := map[string]struct {
		wanted  []item
		found   []study
		choices library.Choices
		want    []string // UID, item, * if chosen, reasons.
	}{
		"the demonstration letter": {
			wanted: []item{{Modality: "CT", BodyPart: "chest", Date: "2026-02-12"}, {Modality: "MR", BodyPart: "brain", Date: "2026-01-28"}},
			found:  demoStudies(),
			want: []string{
				"2.25.1 0* modality body-part date", "2.25.2 1* modality body-part date",
				"2.25.3 - -modality body-part -date",
			},
		},
		"the other day is not chosen": {
			wanted: []item{{Modality: "CT", BodyPart: "chest", Date: "2026-02-13"}}, found: demoStudies()[:1],
			want: []string{"2.25.1 - modality body-part -date"},
		},
		"no date leaves it to staff": {
			wanted: []item{{Modality: "CT", BodyPart: "chest"}}, found: demoStudies()[:1],
			want: []string{"2.25.1 0 modality body-part"},
		},
		"a month leaves it to staff": {
			wanted: []item{{Modality: "CT", BodyPart: "chest", From: "2026-02-01", To: "2026-02-28"}}, found: demoStudies()[:1],
			want: []string{"2.25.1 0 modality body-part date"},
		},
		"a range of one day is that day": {
			wanted: []item{{Modality: "CT", From: "2026-02-12", To: "2026-02-12"}}, found: demoStudies()[:1],
			want: []string{"2.25.1 0* modality date"},
		},
		"no modality leaves it to staff": {
			wanted: []item{{BodyPart: "chest", Date: "2026-02-12"}}, found: demoStudies()[:1],
			want: []string{"2.25.1 0 body-part date"},
		},
		"all of them": {
			wanted: []item{{All: true}}, found: demoStudies(),
			want: []string{"2.25.3 0*", "2.25.2 0*", "2.25.1 0*"}, // Oldest first.
		},
		"all in a range": {
			wanted: []item{{All: true, From: "2026-01-01", To: "2026-12-31"}}, found: demoStudies(),
			want: []string{"2.25.2 0* date", "2.25.1 0* date", "2.25.3 - -date"},
		},
		"all since a day": {
			wanted: []item{{All: true, From: "2026-02-01"}}, found: demoStudies()[:2],
			want: []string{"2.25.1 0* date", "2.25.2 - -date"},
		},
		"all of one part, and one that does not say": {
			wanted: []item{{All: true, BodyPart: "chest"}}, found: append(demoStudies(), study{UID: "2.25.4", Date: "2026-03-01", Modalities: []string{"CT"}}),
			want: []string{"2.25.3 0* body-part", "2.25.1 0* body-part", "2.25.4 0", "2.25.2 - -body-part"},
		},
		"two on one day are left to staff": {
			wanted: on("CT", ""), found: append(one("CT", "CT CHEST"), study{UID: "2.25.8", Date: "2026-03-01", Modalities: []string{"CT"}}),
			want: []string{"2.25.8 0 modality date", "2.25.9 0 modality date"},
		},
		"the body part tells two on one day apart": {
			wanted: on("CT", "chest"), found: append(one("CT", "CT CHEST"), study{UID: "2.25.8", Date: "2026-03-01", Modalities: []string{"CT"}, Description: "CT HEAD"}),
			want: []string{"2.25.9 0* modality body-part date", "2.25.8 - modality -body-part date"},
		},
		"two of the same, asked for twice": {
			wanted: append(on("DX", "chest"), on("DX", "chest")...),
			found:  append(one("DX", "XR CHEST"), study{UID: "2.25.8", Date: "2026-03-01", Modalities: []string{"DX"}, Description: "XR CHEST"}),
			want:   []string{"2.25.8 0 modality body-part date", "2.25.9 1 modality body-part date"},
		},
		"hip and pelvis of one day": {
			wanted: append(on("DX", "right hip"), on("DX", "pelvis")...),
			found:  append(one("DX", "XR HIP RT 2V"), study{UID: "2.25.8", Date: "2026-03-01", Modalities: []string{"CR"}, Description: "XR PELVIS 1V"}),
			want:   []string{"2.25.9 0* modality body-part date", "2.25.8 1* modality body-part date"},
		},
		"CR is a plain film":               {wanted: on("DX", "chest"), found: one("CR", "CHEST PA/LAT"), want: []string{"2.25.9 0* modality body-part date"}},
		"DX is a plain film":               {wanted: on("CR", "chest"), found: one("DX", "CHEST PA/LAT"), want: []string{"2.25.9 0* modality body-part date"}},
		"MR is no CT":                      {wanted: on("CT", "brain"), found: one("MR", "BRAIN"), want: []string{"2.25.9 - -modality body-part date"}},
		"a PET is made with a CT":          {wanted: on("PT", ""), found: []study{{UID: "2.25.9", Date: "2026-03-01", Modalities: []string{"CT", "PT"}}}, want: []string{"2.25.9 0* modality date"}},
		"the CT of a PET may not be meant": {wanted: on("CT", ""), found: []study{{UID: "2.25.9", Date: "2026-03-01", Modalities: []string{"CT", "PT"}}}, want: []string{"2.25.9 0 date"}},
		"a dose report is no image":        {wanted: on("CT", ""), found: []study{{UID: "2.25.9", Date: "2026-03-01", Modalities: []string{"CT", "SR"}}}, want: []string{"2.25.9 0* modality date"}},
		"a mammogram need not say breast":  {wanted: on("MG", "both breasts"), found: one("MG", "SCREENING BILAT"), want: []string{"2.25.9 0* modality body-part date"}},
		"a mammogram is no chest film":     {wanted: on("", "chest"), found: one("MG", "SCREENING"), want: []string{"2.25.9 - -body-part date"}},
		"the study has no date":            {wanted: on("CT", "chest"), found: []study{{UID: "2.25.9", Modalities: []string{"CT"}, Description: "CHEST"}}, want: []string{"2.25.9 0 modality body-part"}},
		"nothing was asked for":            {found: demoStudies()[:1], want: []string{"2.25.1 -"}},
		"the PACS lists one twice":         {wanted: on("CT", "chest"), found: append(one("CT", "CT CHEST"), one("CT", "CT CHEST")...), want: []string{"2.25.9 0* modality body-part date"}},
		"staff chose another": {
			wanted: []item{{Modality: "CT", BodyPart: "chest", Date: "2026-02-12"}}, found: demoStudies(),
			choices: library.Choices{Studies: []string{"2.25.3"}, By: []string{"clerk-1"}},
			want:    []string{"2.25.1 0 modality body-part date", "2.25.2 - -modality -body-part -date", "2.25.3 -* -modality body-part -date"},
		},
		"nothing in the PACS": {wanted: on("CT", "chest")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, c := range matching.RankStudies(tt.wanted, tt.found, tt.choices) {
				got = append(got, line(c))
				if by := map[bool]string{true: "program"}[c.Chosen]; len(tt.choices.By) == 0 && c.By != by {
					t.Errorf("%s: by %q, want %q", c.UID, c.By, by)
				}
				if c.Chosen && len(tt.choices.By) > 0 && c.By != tt.choices.By[0] {
					t.Errorf("%s: by %q, want %q", c.UID, c.By, tt.choices.By[0])
				}
			}
			if slices.Sort(got); !reflect.DeepEqual(got, sorted(tt.want)) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(sorted(tt.want), "\n"))
			}
		})
	}
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

func line(c library.StudyCandidate) string {
	item := "-"
	if c.Item >= 0 {
		item = string(rune('0' + c.Item))
	}
	if c.Chosen {
		item += "*"
	}
	return strings.TrimSpace(c.UID + " " + item + " " + spell(c.Reasons))
}

func TestRankStudiesPutsWhatFitsFirst(t *testing.T) {
	t.Parallel()
	wanted := []library.StudyRequest{{Modality: "MR"}, {All: true, Modality: "CT"}}
	var got []string
	for _, c := range matching.RankStudies(wanted, append(demoStudies(),
		library.StudyRecord{UID: "2.25.4", Date: "2026-01-02", Modalities: []string{"CT"}},
		library.StudyRecord{UID: "2.25.5", Date: "2026-05-01", Modalities: []string{"US"}}), library.Choices{}) {
		got = append(got, c.UID)
	}
	if want := []string{"2.25.2", "2.25.4", "2.25.1", "2.25.5", "2.25.3"}; !reflect.DeepEqual(got, want) {
		t.Errorf("order %q, want %q", got, want)
	}
}

func TestBodyPartsAreComparedAsAClerkWould(t *testing.T) {
	t.Parallel()
	const agrees, against, silent = "body-part", "-body-part", ""
	tests := map[string]struct {
		wanted, description, want string
	}{
		"head is brain":                    {"head", "CT BRAIN WO", agrees},
		"brain is head":                    {"brain", "MRI HEAD W/WO", agrees},
		"chest is thorax":                  {"chest", "CT THORAX", agrees},
		"tórax is chest":                   {"tórax", "XR CHEST 2V", agrees},
		"c-spine is cervical spine":        {"cervical spine", "MR C-SPINE", agrees},
		"CSPINE is cervical spine":         {"cervical spine", "XR CSPINE 3V", agrees},
		"columna lumbar is L-spine":        {"columna lumbar", "MR L SPINE WO", agrees},
		"lumbar is no left":                {"lumbar spine", "XR L-SPINE", agrees},
		"cervical is not lumbar":           {"cervical spine", "MR LUMBAR SPINE", against},
		"abdomen and pelvis, run together": {"abdomen and pelvis", "CT ABDPELV W", agrees},
		"abdomen and pelvis, shortened":    {"abdomen and pelvis", "CT ABD/PEL W", agrees},
		"abdomen and pelvis, in full":      {"abdomen y pelvis", "CT ABDOMEN & PELVIS", agrees},
		"half of abdomen and pelvis":       {"abdomen and pelvis", "CT ABDOMEN", silent},
		"more than asked for":              {"chest", "CT CHEST ABDOMEN PELVIS", agrees},
		"left knee":                        {"left knee", "XR KNEE LT 3V", agrees},
		"right knee is not left":           {"left knee", "XR KNEE RT 3V", against},
		"a knee that says no side":         {"left knee", "XR KNEE 3V", silent},
		"any knee":                         {"knee", "XR KNEE RT", agrees},
		"both knees are the left as well":  {"left knee", "XR KNEES BILATERAL", agrees},
		"both knees asked, one there":      {"both knees", "XR KNEE LEFT", silent},
		"rodilla derecha":                  {"rodilla derecha", "MRI RIGHT KNEE", agrees},
		"rodilla derecha is not left":      {"rodilla derecha", "MRI LEFT KNEE", against},
		"b/l":                              {"both wrists", "XR WRIST B/L", agrees},
		"a part of the leg":                {"left leg", "XR ANKLE LEFT", silent},
		"another part of the leg":          {"left ankle", "XR FOOT LEFT", against},
		"liver within abdomen":             {"liver", "US ABDOMEN", silent},
		"kidneys are renal":                {"kidneys", "US RENAL", agrees},
		"heart is not head":                {"heart", "MR BRAIN", against},
		"full spine is all its parts":      {"full spine", "XR SCOLIOSIS SERIES", agrees},
		"full spine, one part there":       {"full spine", "XR LUMBAR SPINE", silent},
		"skull base to mid-thigh":          {"skull base to mid-thigh", "PET/CT SKULL BASE TO MID THIGH", agrees},
		"chest in a whole body":            {"chest", "PET/CT WHOLE BODY", silent},
		"words it does not know":           {"left xiphoid", "XR OUTSIDE FILM", silent},
		"no description":                   {"chest", "", silent},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := matching.RankStudies([]library.StudyRequest{{BodyPart: tt.wanted}},
				[]library.StudyRecord{{UID: "2.25.1", Description: tt.description}}, library.Choices{})
			if s := spell(got[0].Reasons); s != tt.want {
				t.Errorf("%q against %q: %q, want %q", tt.wanted, tt.description, s, tt.want)
			}
		})
	}
}

func TestAssembleKeepsOnlyTheImagesOfChosenStudies(t *testing.T) {
	t.Parallel()
	studies := []library.StudyCandidate{{UID: "2.25.1", Chosen: true}, {UID: "2.25.2"}}
	a := library.Instance{Study: "2.25.1", Series: "2.25.11", SOP: "2.25.111"}
	b := library.Instance{Study: "2.25.1", Series: "2.25.11", SOP: "2.25.112"}
	other := library.Instance{Study: "2.25.2", Series: "2.25.21", SOP: "2.25.211"}
	got := matching.Assemble(nil, studies, []library.Instance{b, other, a, b}).Manifest
	if want := []library.Instance{a, b}; !reflect.DeepEqual(got, want) {
		t.Errorf("manifest %v, want %v", got, want)
	}
}
