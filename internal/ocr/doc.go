// Package ocr reads words from pictures of pages, with Tesseract in a child process.
//
// It promises every word with its place and with Tesseract's own confidence, which is
// an estimate: a digit below 0.9 needs a person. Handwriting is not read, only marked
// by low confidence and as [library.Ink]. A page that lies upside down or on its side is turned first; its
// words stand where they are on the turned page. The package opens no files: it is given gray pixels.
package ocr
