// Package oauthsyntax checks what OAuth clients and authorization servers are registered
// with: redirect URIs, client ids, endpoints and their hosts.
//
// The settings are checked by these rules before anything starts; so are metadata and
// the requests to the PKCE proxy. A function whose name ends in Fault returns a message
// that begins with "must" and shows nothing of the value, or "" if nothing is wrong.
package oauthsyntax

import (
	"fmt"
	"net/url"
	"strings"
)

// MaxClientID is the length of the longest client id, in bytes. Ids are part of sealed
// state, which has to stay small.
const MaxClientID = 256

// ClientIDFault requires printable ASCII (RFC 6749 A.1) of at most [MaxClientID] bytes.
func ClientIDFault(id string) string {
	if id == "" || len(id) > MaxClientID || !Printable(id) {
		return fmt.Sprintf("must be printable ASCII, of at most %d bytes", MaxClientID)
	}
	return ""
}

// RedirectURIFault requires a URI in the syntax of RFC 3986, so that it can be compared
// byte by byte (RFC 9700 2.1). Its scheme is http, https or a domain name in reverse
// order (RFC 8252 7.1), which also excludes javascript, data and the like.
func RedirectURIFault(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Scheme == "" || !Printable(uri) || strings.ContainsAny(uri, ` "<>\^{|}`+"`"):
		return "must be an absolute URI"
	case strings.ContainsAny(uri, "#*"):
		return "must have no fragment and no wildcard"
	case u.User != nil:
		return "must have no user name"
	case !strings.HasPrefix(uri, u.Scheme):
		return "must have its scheme in lower case"
	case (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() == "":
		return "must have a host"
	case u.Scheme != "http" && u.Scheme != "https" && !strings.Contains(u.Scheme, "."):
		return "must be of http, https or a private-use scheme with a dot, such as com.example.app"
	}
	if name := first(u, "code", "state", "iss", "error", "error_description", "error_uri"); name != "" {
		return "must not have " + name + " in its query, which the response sets"
	}
	return ""
}

// AuthorizationEndpointFault refuses parameters that each request sets (RFC 6749 4.1.1),
// and the additional ones that this client sets: the request would have them twice. The
// query of the endpoint may have any others.
func AuthorizationEndpointFault(u *url.URL, additional ...string) string {
	names := append([]string{"client_id", "redirect_uri", "response_type", "state"}, additional...)
	if name := first(u, names...); name != "" {
		return "must not have " + name + " in its query, which each request sets"
	}
	return ""
}

// AgentParameters returns what the agent sets in addition (OpenID Connect Core 3.1.2.1,
// RFC 7636 4.3).
func AgentParameters() []string {
	return []string{"scope", "nonce", "code_challenge", "code_challenge_method"}
}

// first returns the first of names that the query of u has, or "".
func first(u *url.URL, names ...string) string {
	q := u.Query()
	for _, name := range names {
		if q.Has(name) {
			return name
		}
	}
	return ""
}

// Printable reports whether s consists of VSCHAR alone (RFC 6749 A).
func Printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}
