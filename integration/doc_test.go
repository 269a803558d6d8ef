// Package integration checks the whole program from outside, on the real
// servers: it builds the binary, runs `fileroom dev` and `fileroom worker` as
// child processes, and knows of them what dev.json says, as any script would.
//
// What a test waits for it looks up in the records, at the receiver, in the
// mailbox or in Temporal: never in the program's output, and never by the
// clock. It must not know how the program is wired. It promises that every
// process it starts is gone when it ends.
//
// All tests share one set of servers, started by the first that needs it. A
// test that kills workers, or puts a fault before the PACS, has a Temporal
// namespace, a mailbox folder and a worker of its own. Every case has a
// patient of its own, so that no test's request is a duplicate of another's.
//
// Tests whose names begin with TestAttack try what nobody may, by Temporal's own
// protocol and by the staff's addresses, and judge by what came of it: nothing.
//
// TestBrowser has a real browser do what staff do all day. The scenes that it
// plays are in the folder browser, a project of Node.js of its own; what a scene
// shows when it fails is kept with -artifacts. With -screenshots it takes the
// README's pictures.
//
// With -record the histories of some cases are written to the testdata of
// package workflows, which replays them from then on.
package integration_test
