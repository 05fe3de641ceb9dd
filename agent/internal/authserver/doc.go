// Package authserver is the client of the authorization server: everything the
// program asks it, and every check of what it says.
//
// A [Client] is made from settings with [New] and may be used while the server
// is down: metadata is discovered on first use and asked for again until it is
// there. The calls follow a session's life: [Client.AuthorizationURL] and
// [Client.Exchange] begin it, [Client.Refresh] and [Client.Userinfo] use it,
// [Client.End] ends it.
//
// # What it owns
//
// No session is kept here, but for one thing: a refresh token that a server
// rotates is spent by its first use, while browsers present it several times,
// at once and late. So the outcome of a refresh is remembered for a short time,
// sealed, under a hash of the token that was spent; see [Client.Refresh].
//
// # What it trusts
//
// An answer is read whole, bounded in time and size, as one JSON object with
// each member once. An ID token counts only when its signature and every claim
// have been checked. Errors tell whose fault it was ([ErrUnavailable] is never
// the user's) and carry no token, code, secret or free text of the server, so
// they may be logged.
//
// It is the only package that knows go-oidc and x/oauth2. Signatures are
// verified by go-jose; the token request is our own, since the answer must be
// strict JSON and must never appear in an error.
package authserver
