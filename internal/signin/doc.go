// Package signin knows who of the staff is at a browser.
//
// The staff's pages have two doors, which are hosts of one site: the *panel*
// door, where people sign in, and the *ui* door. [New] makes a [Keeper] of both
// doors. People sign in by OpenID Connect (Core 1.0, code flow with PKCE), or,
// on a machine that nobody else can reach, by saying who they are. A session
// lives in the records; a browser holds, at each door, a cookie with a random
// token of which the records keep the SHA-256.
//
// What a door serves goes behind [Keeper.Know], which finds out who comes;
// [Of] says who is signed in. The package's own paths are, at the
// panel door (see [Keeper.Panel]):
//
//	GET  /sign-in?to=DOOR:PATH   signs in, or hands over at once, and goes on to PATH at DOOR
//	POST /sign-in                the demonstration: who it is
//	GET  /callback               where the identity provider sends people back to
//	GET  /sign-out               a page with the button
//	POST /sign-out               ends the session at all doors
//	GET  /signed-in, /signed-out pages that say so
//
// and at the ui door (see [Keeper.UI]):
//
//	GET  /-/enter                takes the one-time pass that the panel door gave
//	GET  /login                  where the Temporal UI by itself sends whoever is refused
//
// A pass is bound to a cookie that the ui door set in the same browser before,
// so nobody can be put into another person's session (login CSRF); it is good
// once, for a minute. Every sign-in has a new session and new tokens, so that
// none can be planted beforehand (session fixation).
//
// A browser that nobody was signed in at may be let in by what the identity
// provider remembers. One whose session is over is not: whoever sits there must
// prove anew who they are, and the provider must say that they did.
//
// The package knows the library's records of sessions and of access, and
// nothing of cases. It promises that no URL or log holds anything about a
// person, that pages load nothing from anywhere, and that strangers, who can
// start as many sign-ins as they like, cost no memory: what a sign-in must
// remember is in the browser's own cookies.
package signin
