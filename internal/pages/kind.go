package pages

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"net/textproto"
	"strings"
	"unicode/utf8"

	"fileroom/internal/library"
)

// A kind is a kind of file, as its first bytes tell.
type kind string

const (
	kindEmpty     kind = "empty"
	kindText      kind = "text"
	kindHTML      kind = "web page"
	kindPDF       kind = "PDF"
	kindTIFF      kind = "TIFF"
	kindPicture   kind = "picture"
	kindMail      kind = "e-mail message"
	kindZip       kind = "zip archive"
	kindLockedZip kind = "zip archive with a password"
	kindOffice    kind = "Word or Excel file"
	kindProgram   kind = "program"
	kindHEIC      kind = "HEIC photo"
	kindArchive   kind = "archive"
	kindDICOM     kind = "DICOM image"
	kindUnknown   kind = "file of an unknown kind"
)

// kindOf tells the kind of a part from its content.
func kindOf(b []byte, p Part) kind {
	head := b[:min(len(b), 1024)]
	has := func(s string) bool { return bytes.HasPrefix(head, []byte(s)) }
	switch {
	case len(bytes.TrimSpace(b)) == 0:
		return kindEmpty
	case p.Text:
		return kindText
	case has("%PDF-"):
		return kindPDF
	case has("II*\x00"), has("MM\x00*"), has("II+\x00"), has("MM\x00+"):
		return kindTIFF
	case has("\xff\xd8\xff"), has("\x89PNG\r\n\x1a\n"):
		return kindPicture
	case has("PK\x03\x04"), has("PK\x05\x06"):
		return zipKind(b)
	case has("\xd0\xcf\x11\xe0"), has("{\\rtf"):
		return kindOffice
	case has("MZ"), has("\x7fELF"), has("#!"), has("\xcf\xfa\xed\xfe"):
		return kindProgram
	case len(head) > 12 && string(head[4:8]) == "ftyp":
		return kindHEIC
	case has("Rar!"), has("7z\xbc\xaf"), has("\x1f\x8b"), has("BZh"), has("\xfd7zXZ"):
		return kindArchive
	case len(head) > 132 && string(head[128:132]) == "DICM":
		return kindDICOM
	case isMail(b):
		return kindMail
	case bytes.Contains(head, []byte("%PDF-")): // Readers of PDF allow rubbish before it.
		return kindPDF
	case binaryBytes(head):
		return kindUnknown
	case isHTML(head):
		return kindHTML
	}
	return kindText
}

// binaryBytes reports whether b holds what no text holds.
func binaryBytes(b []byte) bool {
	odd := 0
	for _, c := range b {
		if c == 0 {
			return true
		}
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' {
			odd++
		}
	}
	if !utf8.Valid(b[:len(b)-min(len(b), 3)]) {
		// Latin-1 has a letter with an accent here and there, not everywhere.
		for _, c := range b {
			if c >= 0x80 {
				odd++
			}
		}
		return odd*4 > len(b)
	}
	return odd*10 > len(b)
}

// zipKind tells office files and archives with a password from other archives (APPNOTE.TXT 4.4.4: bit 0 means encrypted).
func zipKind(b []byte) kind {
	if len(b) > 30 && binary.LittleEndian.Uint16(b[6:])&1 == 1 {
		return kindLockedZip
	}
	head := b[:min(len(b), 4096)]
	if bytes.Contains(head, []byte("[Content_Types].xml")) || bytes.Contains(head, []byte("mimetypeapplication/vnd.oasis")) {
		return kindOffice
	}
	return kindZip
}

// isMail reports whether b begins as a message: header fields that only a message has.
func isMail(b []byte) bool {
	end := bytes.Index(b, []byte("\n\n"))
	if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 && (end < 0 || i < end) {
		end = i + 2
	}
	if end < 0 {
		return false
	}
	h, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(b[:end:end], "\n\n"...)))).ReadMIMEHeader()
	if err != nil {
		return false
	}
	return h.Get("From") != "" && (h.Get("Date") != "" || h.Get("Message-Id") != "" || h.Get("Mime-Version") != "" || h.Get("Received") != "")
}

func isHTML(head []byte) bool {
	s := strings.ToLower(strings.TrimLeft(string(head), "\ufeff \t\r\n"))
	return strings.HasPrefix(s, "<!doctype html") || strings.HasPrefix(s, "<html") || strings.HasPrefix(s, "<body") || strings.HasPrefix(s, "<div") || strings.HasPrefix(s, "<head")
}

// unsupported records a part of a kind that is not opened.
func (w *work) unsupported(k kind) {
	code, text := library.TroubleUnsupported, "Ask the sender for a PDF, a photo (JPEG) or a fax."
	switch k {
	case kindLockedZip:
		code, text = library.TroubleEncrypted, "It needs a password. Ask the sender for the papers as a PDF without one."
	case kindProgram:
		text = "Do not open it. Tell the security office if it came with a request."
	case kindHEIC:
		text = "An iPhone made it. Ask the sender for a JPEG (Settings, Camera, Formats, Most Compatible) or a PDF."
	case kindDICOM:
		text = "Images that come in belong to the import of outside studies, not to a request."
	case kindMail:
		text = "It lies too deep in other messages. Open it by hand."
	default:
	}
	article := "a "
	if strings.ContainsAny(string(k)[:1], "aeiou") {
		article = "an "
	}
	w.troubles = append(w.troubles, library.Trouble{Code: code, Part: w.part, Text: "This part is " + article + string(k) + ", which the program does not open. " + text})
}
