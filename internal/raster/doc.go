// Package raster holds what is done to the picture of a page before and
// after its words are read: cleaning, straightening, turning, and finding the ink
// that is neither print nor rule.
//
// It is pure Go on gray pixels (0 black, 255 white), knows no recogniser and
// no file but PGM, and promises to stay within a small multiple of the picture's own size and time.
package raster
