package ocr

import (
	"bytes"
	"cmp"
	"context"
	"image"
	"math"
	"strconv"
	"strings"
	"time"

	"fileroom/internal/layout"
	"fileroom/internal/library"
	"fileroom/internal/raster"
	"fileroom/internal/sandbox"
)

// Resolution is the length in pixels of the longer side at which pages are read best: 200 dots per inch on letter paper.
const Resolution = 2200

// Longest is the length in pixels of the longer side of the largest picture that is read as it is; larger ones are shrunk.
const Longest = Resolution * 5 / 4

// A Recognizer reads pages.
type Recognizer struct {
	Timeout time.Duration // For one page; zero means 60 seconds.
}

// Page reads a picture of a page, and leaves it as it is. The words and ink stand where
// they are on the picture after the turning. Number and Part are the caller's to set.
// Errors are as those of [sandbox.Child.Run].
func (r *Recognizer) Page(ctx context.Context, picture *image.Gray) (library.Page, raster.Turning, error) {
	var how raster.Turning
	g := raster.Shrink(picture, Longest)
	page := library.Page{Source: library.SourceOCR, Width: float64(g.Rect.Dx()), Height: float64(g.Rect.Dy())}
	if blank(g) {
		return page, how, nil
	}
	if g == picture {
		g = raster.Gray(picture)
	}
	raster.Despeckle(g, 6)
	g, how.Skew = raster.Straighten(g)
	best, err := r.read(ctx, g, "eng")
	if err != nil {
		return page, raster.Turning{}, err
	}
	if best.poor() || best.sideways() {
		if g, best, err = r.turned(ctx, g, best, &how); err != nil {
			return page, raster.Turning{}, err
		}
	}
	if best.spanish() {
		again, err := r.read(ctx, g, "spa+eng")
		if err != nil {
			return page, raster.Turning{}, err
		}
		if again.score > best.score*0.95 { // The English reading of accents is sure of itself and wrong.
			best = again
		}
	}
	page.Lines = layout.Rows(best.lines)
	page.Width, page.Height = float64(g.Rect.Dx()), float64(g.Rect.Dy())
	page.Ink = raster.Ink(g, best.print())
	return page, how, nil
}

// turned reads g the other way up if Tesseract thinks it lies wrong, keeps what reads better, and notes in how that it was turned.
func (r *Recognizer) turned(ctx context.Context, g *image.Gray, upright reading, how *raster.Turning) (*image.Gray, reading, error) {
	out, err := r.child("tesseract", "-", "-", "--psm", "0", "-l", "osd").Run(ctx, bytes.NewReader(raster.EncodePGM(g)))
	if library.KindOf(err) == library.Invalid {
		return g, upright, nil // Too few letters to tell.
	}
	if err != nil {
		return g, upright, err
	}
	quarters := 0
	for line := range strings.Lines(string(out)) {
		if v, ok := strings.CutPrefix(line, "Rotate:"); ok {
			if degrees, err := strconv.Atoi(strings.TrimSpace(v)); err == nil {
				quarters = degrees / 90
			}
		}
	}
	if quarters == 0 {
		return g, upright, nil
	}
	t, rest := raster.Straighten(raster.Turn(g, quarters))
	other, err := r.read(ctx, t, "eng")
	if err != nil {
		return g, upright, err
	}
	if other.score > upright.score || upright.sideways() && !other.sideways() {
		how.Quarters, how.Rest = quarters, rest
		return t, other, nil
	}
	return g, upright, nil
}

func (r *Recognizer) read(ctx context.Context, g *image.Gray, language string) (reading, error) {
	dpi := max(g.Rect.Dx(), g.Rect.Dy()) / 11
	out, err := r.child("tesseract", "-", "-", "-l", language, "--psm", "3", "--dpi", strconv.Itoa(max(70, dpi)), "tsv").
		Run(ctx, bytes.NewReader(raster.EncodePGM(g)))
	if err != nil {
		return reading{}, err
	}
	return parse(out, float64(g.Rect.Dx()), float64(g.Rect.Dy())), nil
}

func (r *Recognizer) child(command ...string) sandbox.Child {
	timeout := cmp.Or(r.Timeout, 60*time.Second)
	return sandbox.Child{
		Command: command, Env: []string{"OMP_THREAD_LIMIT=1"}, // More threads cost more than they win.
		Timeout: timeout, CPU: timeout, Memory: 2 << 30, MaxOutput: 16 << 20,
	}
}

// blank reports whether there is next to nothing on a page.
func blank(g *image.Gray) bool {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	sum, dark := 0, 0
	for _, p := range g.Pix {
		sum += int(p)
	}
	level := sum/max(1, len(g.Pix)) - 70
	for y := h / 20; y < h-h/20; y++ {
		for x := w / 20; x < w-w/20; x++ {
			if int(g.Pix[y*g.Stride+x]) < level {
				dark++
			}
		}
	}
	return dark*4000 < w*h
}

// A reading is what Tesseract made of a picture.
type reading struct {
	lines []library.Line
	score float64 // Sum over the letters of the confidence above one half.
	sure  int     // Words of three letters and more that are read well.
	mean  float64 // Confidence of the mean letter.
}

// sideways reports whether most words stand upright on their ends: Tesseract
// reads a page that lies on its side, word for word, and in a hopeless order.
func (r reading) sideways() bool {
	words, tall := 0, 0
	for _, l := range r.lines {
		for _, w := range l.Words {
			if len(w.Text) < 4 {
				continue
			}
			words++
			// Boxes are in parts of the page, whose sides differ by less than this factor.
			if w.Box.H > 1.4*w.Box.W {
				tall++
			}
		}
	}
	return tall*2 > words
}

func (r reading) poor() bool { return r.mean < 0.6 || r.sure < 8 }

// print returns the places of the words that are surely print: a signature is
// often taken for a word, with little confidence.
func (r reading) print() []library.Box {
	var boxes []library.Box
	for _, l := range r.lines {
		for _, w := range l.Words {
			letters := strings.Map(func(c rune) rune {
				if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c > 0xbf {
					return c
				}
				return -1
			}, w.Text)
			if w.Confidence >= 0.6 && (len(letters) > 1 || w.Confidence > 0.85) {
				boxes = append(boxes, *w.Box)
			}
		}
	}
	return boxes
}

// spanish reports whether the words look Spanish even when read as English.
func (r reading) spanish() bool {
	common := map[string]bool{"de": true, "del": true, "la": true, "el": true, "los": true, "las": true, "por": true, "para": true, "mi": true, "fecha": true, "nombre": true, "que": true, "una": true, "en": true}
	words, hits := 0, 0
	for _, l := range r.lines {
		for _, w := range l.Words {
			words++
			if common[strings.ToLower(w.Text)] {
				hits++
			}
		}
	}
	return hits >= 4 && hits*12 > words
}

// parse reads Tesseract's TSV: a row for each page, block, paragraph, line and word.
func parse(out []byte, width, height float64) reading {
	var r reading
	var letters, sum float64
	for row := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimRight(row, "\r\n"), "\t")
		if len(f) != 12 {
			continue
		}
		if f[0] == "4" {
			r.lines = append(r.lines, library.Line{})
		}
		text := strings.TrimSpace(strings.ToValidUTF8(f[11], ""))
		if f[0] != "5" || text == "" || len(r.lines) == 0 {
			continue
		}
		var v [5]float64 // left, top, width, height, conf
		for i := range v {
			n, err := strconv.ParseFloat(f[6+i], 64)
			if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
				n = 0
			}
			v[i] = n
		}
		w := library.Word{
			Text: text, Confidence: min(1, max(0, v[4]/100)),
			Box: &library.Box{X: v[0] / width, Y: v[1] / height, W: v[2] / width, H: v[3] / height},
		}
		l := &r.lines[len(r.lines)-1]
		l.Words = append(l.Words, w)
		n := float64(len(text))
		letters, sum = letters+n, sum+n*w.Confidence
		r.score += n * (w.Confidence - 0.5)
		if len(text) >= 3 && w.Confidence >= 0.8 {
			r.sure++
		}
	}
	if letters > 0 {
		r.mean = sum / letters
	}
	return r
}
