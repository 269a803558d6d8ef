// Package pdf reads the text layer of PDF documents that strangers sent, and
// draws their pages.
//
// Poppler reads first. It gives every word its place, reads what form fields hold,
// opens what is locked against changes only, and repairs damaged files. A second parser, in
// Go, is asked for the bare words when Poppler fails; it takes no two-byte fonts,
// form fields or locked files, and never returns from some documents. Both run in a
// [sandbox.Child]: [Main] is what the program does as the child of the second.
//
// The package does not recognise characters in pictures: a page that is a
// picture is marked so, and another package reads what [Reader.Draw] gives.
package pdf
