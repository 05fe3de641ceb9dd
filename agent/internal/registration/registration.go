// Package registration has the rules for what OAuth clients and authorization
// servers are registered with: redirect URIs, client ids and authorization
// endpoints.
//
// The settings tell by them what is wrong, before anything starts; discovery and
// the PKCE proxy defend themselves by them. A fault is a text that begins with
// "must", and shows nothing of the value; the empty text means that there is none.
package registration

import (
	"fmt"
	"net/url"
	"strings"
)

// MaxClientID is the longest client id, in bytes: ids go into sealed state.
const MaxClientID = 256

// ClientIDFault wants printable ASCII (RFC 6749 A.1), of a bounded size.
func ClientIDFault(id string) string {
	if id == "" || len(id) > MaxClientID || !Printable(id) {
		return fmt.Sprintf("must be printable ASCII, of at most %d bytes", MaxClientID)
	}
	return ""
}

// RedirectURIFault wants a URI that is spelled as RFC 3986 has it, so that it
// can be compared byte by byte (RFC 9700 2.1). The scheme is http, https or a
// domain name in reverse order (RFC 8252 7.1), which also keeps out javascript,
// data and their kin.
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

// AuthorizationEndpointFault looks for parameters that each request sets anew
// (RFC 6749 4.1.1), and for those that this client sets besides: they would be
// there twice. Any other may be fixed by the query of the endpoint.
func AuthorizationEndpointFault(u *url.URL, besides ...string) string {
	names := append([]string{"client_id", "redirect_uri", "response_type", "state"}, besides...)
	if name := first(u, names...); name != "" {
		return "must not have " + name + " in its query, which each request sets"
	}
	return ""
}

// AgentParameters are what the agent sets besides: OpenID Connect Core 3.1.2.1
// and RFC 7636 4.3.
func AgentParameters() []string {
	return []string{"scope", "nonce", "code_challenge", "code_challenge_method"}
}

// first gives the first of names that the query of u has.
func first(u *url.URL, names ...string) string {
	q := u.Query()
	for _, name := range names {
		if q.Has(name) {
			return name
		}
	}
	return ""
}

// Printable tells whether s is of VSCHAR alone (RFC 6749 A).
func Printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}
