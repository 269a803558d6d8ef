// Package sandbox runs the programs that read foreign bytes, so that none of
// them can cost more than it was given.
//
// A parser may hang, eat memory, write without end or crash on what a
// stranger sent, and a goroutine cannot be killed. A [Child] is a process of
// its own group with an empty environment and limits on time, memory and
// output; it is killed with all it started when a limit or the caller's
// context ends, and by the kernel when this process dies.
//
// The package knows nothing of documents. What a child says on its standard
// error may quote the document, and so never becomes part of an error's text.
package sandbox
