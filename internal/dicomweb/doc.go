// Package dicomweb is a client of one DICOMweb archive (PS3.18): it finds
// patients and studies (QIDO-RS), fetches images (WADO-RS) and stores them
// (STOW-RS), each as a stream.
//
// It knows the words of the library and nothing of cases, workflows or other
// adapters; whether an image may be sent is not its question.
//
// It believes no archive. Archives ignore filters that they do not know, widen
// a search at a comma, cut off an answer in the middle and call it 200, and
// drop an image while they say that they stored it. So every match is compared
// again with what was asked for, an answer is whole only if its end was seen,
// and what was stored is known only by asking for it. Every answer is bounded in
// size and in time.
//
// Errors never quote an archive, nor the address of a request, which may hold
// a patient's number.
package dicomweb
