// Package session says what a session is: an identifier, a time of start, the
// tokens of one user, and a CSRF token, each sealed in a cookie of its own that
// carries the identifier, so that cookies of two sessions never mix.
//
// A session starts with [Store.Start], is found by [Store.Current] (by its
// access token) or [Store.Renewable] (by its refresh token), is rewritten by
// [Store.Refreshed] and ends with [Store.End]. The server keeps nothing: any
// replica that has the keys serves any request.
//
// A [Finder] finds the session of a request to one of the OAuth Agent's endpoints and
// checks its CSRF token. [Store.LoadStatus] is for a page that asks whether the user is
// logged in.
package session
