// Package vault keeps what must not lie about in clear: documents, under keys
// from one ring, and the payloads that Temporal stores.
//
//   - [Keyring] holds the keys. One is active and encrypts; all of them
//     decrypt. Documents, payloads and digests each use a key of their own,
//     derived from the ring's.
//   - [Folder] keeps documents in a folder, encrypted, found by their digest.
//   - [Codec], [DataConverter] and [FailureConverter] encrypt what workflows
//     write into Temporal.
//   - [Digests] are keyed digests, which say nothing to those without the key.
//
// It knows the library's errors and the Temporal SDK's converter, and nothing
// of cases, mail or people. It promises that what it hands back is what was
// put in, to the last byte, or an error; and that nothing it writes shows
// content, or which known documents are there.
//
// # Rotation
//
// A new key must reach every process before it is made active, or those
// without it cannot read what the others write: [Keyring.Add] everywhere, then
// [Keyring.Activate]. An old key is needed for as long as anything lies
// encrypted under it. Rotate before one key has sealed 2^32 payloads, where
// random 96-bit nonces stop being safe (NIST SP 800-38D section 8.3).
package vault
