// Package web is the gateway by which staff reach the Temporal UI.
//
// [Gateway] stands before an unchanged Temporal UI, at the root of an HTTPS
// host. Who is signed in may look; it signs what they say to a case for them
// (package staff); and it refuses every other write, but for those by which an
// administrator runs the machine. Beneath /codec/ it serves the endpoint by
// which the Temporal UI shows and sends encrypted payloads, and beneath /-/
// what the program brings of its own, such as the sign-in.
//
// It knows package staff, Temporal's API messages, a payload codec, and how the
// id of a workflow names a case or an arrival. It must not know how people sign
// in, what a case does, or what may be said to one: it is told the names, and
// what a person may decide is for the workflow to judge. It promises that
//
//   - no request passes for somebody who is not signed in with a role;
//   - no signal or update leaves it without the header that it made itself, for
//     the person whom it was told is there, over exactly the payload it passes on;
//   - what else an administrator may write is a closed list of calls, read and
//     written anew, none of which can say something to a case, start the
//     workflow of one, hand in an activity's result, or carry such a header;
//   - who looks at a case or an arrival, has payloads decoded, writes, or is
//     refused a write, is in the access log before it happens (45 CFR
//     164.312(b)), and what cannot be entered there does not happen; what a case
//     itself refuses is entered when it has answered;
//   - the UI's own headers reach the browser as they came, and no cookie but the
//     UI's own passes in either direction.
package web
