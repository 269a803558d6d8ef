// Package library is the radiology image library in its own words: the case a
// request becomes, the stages it passes through, who may decide what, and what
// must be on record.
//
// It imports only the standard library. It knows nothing of mail servers,
// databases, DICOM or Temporal, so every rule in it can be tested with a plain
// table.
//
// # Glossary
//
//   - Arrival: one envelope as it came in: an e-mail, a fax, a scanned batch.
//   - Case: one request, from its first envelope to the last confirmation.
//   - Reading: what the program read in a case's papers.
//   - Finding: what a check says about a case, with the rule it rests on.
//   - Candidate: a patient or study of the PACS that may be the one meant.
//   - Facility: a place that images are sent to.
//   - Manifest: the images approved, one line an instance.
//   - Release: the leave, given by people, to send a manifest to one facility.
//   - Disclosure: the record that images left, kept for six years
//     (45 CFR 164.528, 164.530(j)).
package library
