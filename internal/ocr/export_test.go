package ocr

import "fileroom/internal/library"

// Words returns the words of Tesseract's output, for the fuzz target.
func Words(out []byte) []library.Word {
	var words []library.Word
	for _, l := range parse(out, 100, 100).lines {
		words = append(words, l.Words...)
	}
	return words
}
