// Package sandbox runs the programs that read foreign bytes, so that none of
// them can cost more than it was given.
//
// A parser may hang, eat memory, write without end or crash on what a
// stranger sent, and a goroutine cannot be killed; and it may be taken over. A [Child] is a
// process of its own group with an empty environment, limits on time, memory and output, and no way
// to new privileges; it is killed with all it started when a limit or the caller's
// context ends, and by the kernel when this process dies. Where the kernel has Landlock ([Confined]), a child
// sees no files but the system's programs, libraries and fonts, and has no TCP. [Harden] closes this process to it.
//
// The package knows nothing of documents. What a child says on its standard
// error may quote the document, and so never becomes part of an error's text.
package sandbox
