// Package studies makes the patients and images of the demonstration: invented
// people, drawn phantoms, valid DICOM.
//
// Everything is made anew, byte for byte the same, each time that it is asked
// for, so that nothing large lies in the repository. It is no part of the
// product: only `fileroom dev`, `fileroom demo` and tests use it.
//
// It writes DICOM by itself, in some eighty lines: a library would have to be
// held back from sorting, guessing and keeping all pixels in memory.
package studies
