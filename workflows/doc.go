// Package workflows decides what happens next to an arrival and to a case, how
// long to wait for it, and who is asked. It does nothing itself: it calls
// package activities.
//
// Code here is replayed, so it must make the same decisions every time: no
// clocks, no randomness, no I/O, no goroutines, no ranging over maps, and no
// rules, which run in an activity so that a new rule pack changes no running
// history. Change a workflow that may be running only behind
// [workflow.GetVersion].
package workflows
