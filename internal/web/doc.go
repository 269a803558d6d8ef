// Package web is what the staff's browsers talk to.
//
// [Gateway] stands before an unchanged Temporal UI, at the root of a host. It
// lets people look; it signs what they say to a case for them (package staff);
// and it refuses every other write. Beneath /codec/ it serves the endpoint by
// which the Temporal UI shows and sends encrypted payloads.
//
// It knows package staff, Temporal's API messages and a payload codec. It must
// not know workflows or what may be said to them: it is told the names, and
// what a person may do is for the workflow to judge. It promises that no signal
// or update leaves it without the header that it made itself, for the person
// whom it was told is there, over exactly the payload it passes on.
package web
