package mimemail_test

import (
	"strings"
	"testing"
)

func TestHTML(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ html, want string }{
		"bold within a word":     {"<p>born 0<b>3</b>/12/1970</p>", "born 03/12/1970"},
		"lines":                  {"a<br>b<div>c</div>d<p>e</p>f", "a\nb\nc\nd\n\ne\n\nf"},
		"white space":            {"  a \n\t b&nbsp;c  ", "a b c"},
		"table":                  {"<table><tr><td>Name</td><td>Ana</td></tr><tr><td>MRN</td><td>7</td></tr></table>", "Name\tAna\nMRN\t7"},
		"list":                   {"<ul><li>CT</li><li>MR</li></ul>", "* CT\n* MR"},
		"quotation":              {"Yes.<blockquote>a<br>b</blockquote>c", "Yes.\n> a\n> b\nc"},
		"scripts and styles":     {"<style>p{}</style><script>x()</script>a<!-- b -->", "a"},
		"link":                   {`<a href="https://x.example">portal</a>`, "portal"},
		"preformatted":           {"<pre>a  b\nc</pre>", "a  b\nc"},
		"nothing":                {"<p></p>", ""},
		"not HTML":               {"a < b & c", "a < b & c"},
		"nested without measure": {strings.Repeat("<div>", 5000) + "a", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := parse(t, head+"Content-Type: text/html; charset=utf-8\n\n"+tt.html)
			got := ""
			if len(m.Parts) > 0 {
				got = string(m.Parts[0].Body)
			}
			if got != tt.want {
				t.Errorf("text = %q, want %q", got, tt.want)
			}
			if (tt.want == "") != (len(m.Troubles) == 1) {
				t.Errorf("troubles = %v", m.Troubles)
			}
		})
	}
}
