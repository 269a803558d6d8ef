// Package pdftest writes small PDF documents for tests: letters with a text
// layer, with a pen stroke for a signature, or with a picture for a page.
package pdftest

import (
	"bytes"
	"fmt"
	"image"
	"strings"
)

// A Page is one page of letter paper. Lines are written from the upper left
// corner, in Helvetica of 12 points, 16 points apart.
type Page struct {
	Lines  []string
	Signed int         // Number of the line, from 1, above which somebody signed with a pen; 0 for nobody.
	Hidden []string    // Lines in white, at the foot.
	Scan   *image.Gray // Fills the page.
	More   string      // Further entries of the page's dictionary, such as "/Rotate 90".
}

// Document returns a document of these pages.
func Document(pages ...Page) []byte {
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>", "", // The page tree comes last.
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
	}
	var kids []string
	for _, p := range pages {
		resources := "/Font << /F1 3 0 R >>"
		if p.Scan != nil {
			objects = append(objects, picture(p.Scan))
			resources += fmt.Sprintf(" /XObject << /Scan %d 0 R >>", len(objects))
		}
		content := p.content()
		objects = append(objects, fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content))
		objects = append(objects, fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << %s >> /Contents %d 0 R %s >>", resources, len(objects), p.More))
		kids = append(kids, fmt.Sprintf("%d 0 R", len(objects)))
	}
	objects[1] = fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", strings.Join(kids, " "), len(kids))
	return File(objects...)
}

// File returns a file of the given objects, numbered from 1, the first of them its root.
func File(objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	offsets := make([]int, 0, len(objects))
	for i, o := range objects {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return b.Bytes()
}

func (p Page) content() string {
	var b strings.Builder
	if p.Scan != nil {
		b.WriteString("q 612 0 0 792 0 0 cm /Scan Do Q\n")
	}
	write := func(y int, lines []string) {
		fmt.Fprintf(&b, "BT /F1 12 Tf 16 TL 72 %d Td\n", y)
		for _, l := range lines {
			fmt.Fprintf(&b, "(%s) Tj T*\n", escape(l))
		}
		b.WriteString("ET\n")
	}
	write(720, p.Lines)
	if p.Signed > 0 {
		y := 720 - 16*(p.Signed-1) + 14
		fmt.Fprintf(&b, "q 1.4 w 0.1 0.1 0.4 RG 80 %d m", y)
		for i := range 9 { // Loops of a pen that runs to the right.
			x := 80 + 13*i
			fmt.Fprintf(&b, " %d %d %d %d %d %d c", x+16, y+26, x-6, y+22, x+9, y-4+i%3*3)
		}
		b.WriteString(" S Q\n")
	}
	if len(p.Hidden) > 0 {
		b.WriteString("1 1 1 rg\n")
		write(60, p.Hidden)
	}
	return b.String()
}

// escape writes s as the inside of a PDF string in Latin-1.
func escape(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '(' || c == ')' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c < 0x100:
			b.WriteByte(byte(c))
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

func picture(g *image.Gray) string {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	return fmt.Sprintf("<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 /Length %d >>\nstream\n%s\nendstream",
		w, h, len(g.Pix), g.Pix)
}
