// Package reading makes a request of the words of the pages that arrived: who
// is the patient, which studies are asked for, who shall have them, who signed, and what is missing.
//
// It is pure: pages in, [library.Reading] out, no file, clock or network. It is
// honest rather than clever. What it is not told it leaves empty; a value that was
// inferred rather than labelled, read from a picture, taken from quoted history or
// open to two meanings has a confidence below 0.9, and a person looks at it.
//
// Letters and e-mails are read as prose and blocks of addresses. Authorization forms are
// read by their labels: what stands beside, above or below a label and can be its answer, whom
// the part of the form is about, which boxes are ticked, and what is written where
// one signs. What is filled in but cannot be read is not called missing.
package reading
