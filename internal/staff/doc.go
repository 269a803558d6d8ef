// Package staff knows who works at the library, what each role may do, and how
// it is proven who said something to a case.
//
// A door that has found out who somebody is (the gateway before the Temporal
// UI, the command line) signs a [Statement] with a [Signer]: this person says
// this message with this payload to this workflow, now. The statement travels
// in the header [HeaderName] of the signal or update. The worker's [Interceptor]
// checks it with a [Verifier] before a workflow's validator sees the message.
//
//   - An update without a good statement is refused where it was asked. Its
//     validator and its handler find out who asks through [ActorFrom].
//   - A signal cannot be refused. It waits in the workflow's [Inbox], unread;
//     an activity opens it with [Verifier.OpenSignal], and a bad one is told in
//     the case.
//
// So nothing is judged again in a replay, and a reset can make nobody say what
// they did not: a statement is old after [MaxAge]. Within that time it is good
// once only if the workflow remembers the nonces it has seen; this package
// cannot know them.
//
// It knows the library's errors, cryptography and (in worker.go and client.go)
// the Temporal SDK's interceptors. It is no adapter: it opens nothing but key
// files, so workflows may import it. It must not know the vault; what it needs
// from there is [Digester]. It promises that a header holds nothing about a
// patient: names of staff, ids, and a keyed digest of what was said.
package staff
