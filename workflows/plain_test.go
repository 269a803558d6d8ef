package workflows_test

import (
	"strings"
	"testing"

	"fileroom/workflows"
)

// TestPlain holds that words which come from elsewhere are words in the Temporal
// UI, which makes links of Markdown and of bare addresses.
func TestPlain(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct{ text, want string }{
		"words stay":              {"Dana O'Brien: no answer, 3 times", "Dana O'Brien: no answer, 3 times"},
		"one line":                {" a\n\n# b\t|c ", `a # b \|c`},
		"a link":                  {"[x](https://evil.example)", `\[x](https : //evil.example)`},
		"a link behind an escape": {`\[x](https://evil.example)`, `\\\[x](https : //evil.example)`},
		"a picture":               {"![x](//evil.example)", `!\[x](//evil.example)`},
		"a bare address":          {"see HTTPS://evil.example/a", "see HTTPS : //evil.example/a"},
		"one without a scheme":    {"see www.evil.example, wWw.evil.example", "see www .evil.example, wWw .evil.example"},
		"one in entities":         {"https:&#47;&#47;evil.example", "https:&amp;#47;&amp;#47;evil.example"},
		"one in angles":           {"<https://evil.example>", "&lt;https : //evil.example>"},
		"markup":                  {"<b>x</b>", "&lt;b>x&lt;/b>"},
		"a long text is cut":      {strings.Repeat("é", 500), strings.Repeat("é", 400) + "…"},
	} {
		if got := workflows.Plain(tt.text); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
