// Package pages opens what arrived, whatever kind of file it is, as pages of
// words for package reading.
//
// It recognises a file by its content and never by its name or by what the
// sender calls it, since both may lie. It knows the formats and their readers only through the
// interfaces it declares. It promises that every part gives pages, or a [library.Trouble] that tells staff what it is
// and what to do, or both; that pages are numbered from 1 through all parts; and that no
// part, nor all together, cost more than the limits below, in time, memory and words. An error is a fault of the surroundings: the same parts may be opened again.
package pages
