// Package dicom reads the header of a DICOM object (PS3.10 section 7, PS3.5
// section 7): whose image it is, and which.
//
// It looks at no pixel, changes no byte, and knows nothing of archives or
// networks. What it reads comes from strangers: it promises to hold no more
// than the limit given, never to panic, and to refuse an object that two
// readers could understand differently, such as one with a second Patient ID
// out of order.
package dicom
