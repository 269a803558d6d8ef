package mimemail

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/jhillyerd/enmime/v2"
	"github.com/jhillyerd/enmime/v2/mediatype"

	"fileroom/internal/library"
)

// A dissection is a message being taken apart.
type dissection struct {
	wire
}

// A place is where in a message something stands.
type place struct {
	number int  // Of the part that receives text and blame.
	depth  int  // How many messages deep.
	plain  bool // Plain text was found: HTML beside it says the same again.
}

func (d *dissection) trouble(number int, code library.TroubleCode, text string) {
	t := library.Trouble{Code: code, Part: number, Text: text}
	if !slices.Contains(d.Troubles, t) && len(d.Troubles) < maxParts {
		d.Troubles = append(d.Troubles, t)
	}
}

// add adds a part and returns its number.
func (d *dissection) add(p wirePart) int {
	p.Size = len(p.body)
	d.Parts = append(d.Parts, p)
	return len(d.Parts) + 1
}

// message takes one message apart, this one or one attached to it, and
// returns its text.
func (d *dissection) message(raw []byte, at place) string {
	if tooComplex(raw) {
		d.trouble(at.number, library.TroubleTooLarge, "The message is nested too deeply or has too many parts. Look at it as it came.")
		return ""
	}
	parser := enmime.NewParser(
		enmime.SkipMalformedParts(true),
		enmime.MultipartWOBoundaryAsSinglePart(true),
		enmime.SetReadPartErrorPolicy(enmime.AllowCorruptTextPartErrorPolicy),
		enmime.MaxStoredPartErrors(10),
		// The parser would otherwise guess at character sets, and read UTF-8
		// that does not say so as something else: names would be misspelt.
		enmime.DisableCharacterDetection(true),
		enmime.MinCharsetDetectRunes(maxMessage),
		enmime.SetCustomParseMediaType(parseMediaType),
	)
	root, err := parser.ReadParts(bytes.NewReader(raw))
	if err != nil {
		d.trouble(at.number, library.TroubleDamaged, "The message is not well formed. Look at it as it came.")
		return ""
	}
	return d.walk(root, at)
}

// parseMediaType leaves out the character set US-ASCII, which is what text
// is when nobody said: text that is more than ASCII is read by toUTF8.
func parseMediaType(s string) (kind string, params map[string]string, invalid []string, err error) {
	kind, params, invalid, err = mediatype.Parse(s)
	if strings.EqualFold(strings.TrimPrefix(strings.ToLower(params["charset"]), "us-"), "ascii") {
		delete(params, "charset")
	}
	return kind, params, invalid, err
}

// walk adds the attachments under p and returns the text under it.
func (d *dissection) walk(p *enmime.Part, at place) string {
	kind := contentType(p.ContentType)
	switch {
	case p.FirstChild == nil && strings.HasPrefix(kind, "multipart/"):
		d.blame(p, at.number)
		d.trouble(at.number, library.TroubleDamaged, "The parts of the message cannot be told apart. Look at it as it came.")
		return cleanText(toUTF8(string(p.Content)))
	case kind == "multipart/alternative":
		d.blame(p, at.number)
		return d.alternative(p, at)
	case p.FirstChild != nil:
		d.blame(p, at.number)
		var texts []string
		for c := p.FirstChild; c != nil; c = c.NextSibling {
			if text := d.walk(c, at); strings.TrimSpace(text) != "" {
				texts = append(texts, text)
			}
		}
		return strings.Join(texts, "\n\n")
	case kind == "message/rfc822":
		d.forwarded(p, at)
		return ""
	case isText(p):
		d.blame(p, at.number)
		return d.text(p, at)
	}
	n := d.add(wirePart{Name: fileName(p.FileName), Type: kind, body: p.Content})
	d.blame(p, n)
	return "" // That a part is empty is seen when it is opened.
}

// alternative returns the plainest of several versions of the same text: the
// plain one, or else the last that says anything.
func (d *dissection) alternative(p *enmime.Part, at place) string {
	best := ""
	for c := p.FirstChild; c != nil; c = c.NextSibling {
		if isText(c) && contentType(c.ContentType) == "text/plain" && strings.TrimSpace(string(c.Content)) != "" && best == "" {
			best = d.text(c, at)
			at.plain = true
		}
	}
	for c := p.FirstChild; c != nil; c = c.NextSibling {
		if at.plain && isText(c) {
			d.blame(c, at.number)
			continue
		}
		// Attachments may hide in here too.
		if text := d.walk(c, at); strings.TrimSpace(text) != "" && !at.plain {
			best = text
		}
	}
	return best
}

// text returns the text of a part that is text.
func (d *dissection) text(p *enmime.Part, at place) string {
	content := toUTF8(string(p.Content))
	if contentType(p.ContentType) != "text/html" {
		return cleanText(content)
	}
	if at.plain {
		return ""
	}
	text, err := htmlText(content)
	if err != nil {
		d.trouble(at.number, library.TroubleDamaged, "The HTML of the message cannot be read. Look at it as it came.")
	}
	return cleanText(text)
}

// forwarded takes apart a message attached to this one. Its text becomes a
// part, headed by who wrote it when.
func (d *dissection) forwarded(p *enmime.Part, at place) {
	if at.depth >= maxForwarded {
		n := d.add(wirePart{Name: fileName(p.FileName), Type: "message/rfc822", body: p.Content})
		d.trouble(n, library.TroubleUnsupported, "Messages are attached to messages more than four deep. Open this one by hand.")
		return
	}
	n := d.add(wirePart{Name: fileName(p.FileName), Type: "text/plain", Message: true})
	d.blame(p, n)
	head, _ := splitHead(p.Content)
	if len(head) > maxHead {
		d.trouble(n, library.TroubleTooLarge, "The header of the attached message is larger than 64 KB. Look at it as it came.")
		return
	}
	h := parseHeader(head)
	var b strings.Builder
	for _, name := range []string{"From", "Date", "To", "Subject"} {
		if value := h.text(strings.ToLower(name)); value != "" {
			b.WriteString(name + ": " + value + "\n")
		}
	}
	b.WriteString("\n" + d.message(p.Content, place{number: n, depth: at.depth + 1}))
	part := &d.Parts[n-2]
	part.body = []byte(b.String())
	part.Size = len(part.body)
	if len(p.Content) == 0 {
		d.trouble(n, library.TroubleEmpty, "The attached message is empty.")
	}
}

// blame turns the parser's complaints about p into troubles of part number.
func (d *dissection) blame(p *enmime.Part, number int) {
	for _, e := range p.Errors {
		switch e.Name {
		case enmime.ErrorMalformedBase64, enmime.ErrorContentEncoding:
			d.trouble(number, library.TroubleDamaged, "The encoding is broken and some or all of the content is lost. Ask for it again.")
		case enmime.ErrorMissingBoundary:
			d.trouble(number, library.TroubleDamaged, "The message ends before it is complete. Ask for it again.")
		case enmime.ErrorCharsetConversion:
			d.trouble(number, library.TroubleDamaged, "The text is in an unknown character set, so names may be misspelt.")
		default:
			if e.Severe {
				d.trouble(number, library.TroubleDamaged, "A part of the message could not be read. Look at it as it came.")
			}
		}
	}
}

// isText reports whether p is text of the message and no attached file.
func isText(p *enmime.Part) bool {
	kind := contentType(p.ContentType)
	return (kind == "text/plain" || kind == "text/html") && p.Disposition != "attachment" && p.FileName == "" && p.FirstChild == nil
}

var mediaType = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}$`)

// contentType returns a type fit to be stored. What has none is plain text
// (RFC 2045 section 5.2), and what has an impossible one is just bytes.
func contentType(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	switch {
	case s == "":
		return "text/plain"
	case !mediaType.MatchString(s):
		return "application/octet-stream"
	}
	return s
}

// maxName bounds the name of a file, in bytes.
const maxName = 120

// fileName returns a sender's name for a file without folders, control
// characters or anything that turns the direction of reading, and short. It
// is for showing; nothing is ever stored under it.
func fileName(s string) string {
	s = strings.ReplaceAll(oneLine(toUTF8(s), 2000), `\`, "/")
	s = strings.Trim(path.Base("/"+s), ". /")
	if ext := path.Ext(s); len(s) > maxName && len(ext) <= 10 {
		return cut(s, maxName-len(ext)) + ext
	}
	return cut(s, maxName)
}
