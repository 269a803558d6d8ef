// Package reading makes a request of the words of the pages that arrived: who
// is the patient, which studies are asked for, who shall have them, who signed, and what is missing.
//
// It is pure: pages in, [library.Reading] out, no file, clock or network. It is
// honest rather than clever. What it is not told it leaves empty; a value that was
// inferred rather than labelled, read from a picture, taken from quoted history or
// open to two meanings has a confidence below 0.9, and a person looks at it.
//
// It reads letters and e-mails. Authorization forms are recognised, but what it takes
// from one is offered with little confidence.
package reading
