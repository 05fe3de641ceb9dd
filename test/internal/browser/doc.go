// Package browser is a web browser for tests, as far as HTTP can see one: it
// keeps cookies as RFC 6265bis says (path, domain, Secure, HttpOnly, SameSite,
// name prefixes, size), follows redirects and submits HTML forms, and lets a
// script of a page call an API under the rules of CORS.
//
// It draws nothing and runs no script. A test plays the script with [Tab.Fetch],
// and sees of an answer what a script would see.
package browser
