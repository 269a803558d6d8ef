package letter_test

import (
	"strings"
	"testing"

	"fileroom/internal/letter"
	"fileroom/internal/library"
)

func TestWrite(t *testing.T) {
	t.Parallel()

	facts := letter.Facts{
		Library:  letter.Letterhead{Name: "Radiology Image Library", Phone: "(919) 555-0100", Hours: "Monday to Friday, 8 to 5"},
		Case:     "K7MQ-42XD",
		Asks:     []string{"Your date of birth.", "Your signature, with the date."},
		Message:  "The paper is another person's.",
		Images:   201,
		Facility: "Blue Ridge Neurosurgical Associates",
	}
	tests := map[string]struct {
		kind library.LetterKind
		says []string
	}{
		"acknowledgement gives the number":       {library.LetterAcknowledgement, []string{"K7MQ-42XD", "(919) 555-0100"}},
		"deficiency lists everything":            {library.LetterDeficiency, []string{"Your date of birth.", "Your signature, with the date."}},
		"denial gives the reason and the rights": {library.LetterDenial, []string{"another person's", "Office\nfor Civil Rights"}},
		"release says where and how many":        {library.LetterReleased, []string{"Blue Ridge", "201 images"}},
		"not found says what may help":           {library.LetterNotFound, []string{"record number"}},
		"withdrawal tells what had already gone": {library.LetterWithdrawn, []string{"201 images"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			subject, text, err := letter.Write(tt.kind, facts)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(subject, "[K7MQ-42XD]") || strings.Contains(subject, "Subject") {
				t.Errorf("subject = %q", subject)
			}
			for _, s := range tt.says {
				if !strings.Contains(text, s) {
					t.Errorf("letter lacks %q:\n%s", s, text)
				}
			}
			if strings.Contains(text, "<no value>") {
				t.Errorf("letter has a hole:\n%s", text)
			}
		})
	}
	if _, _, err := letter.Write("love", facts); library.KindOf(err) != library.Invalid {
		t.Errorf("Write(love) error = %v, want kind %q", err, library.Invalid)
	}
}
