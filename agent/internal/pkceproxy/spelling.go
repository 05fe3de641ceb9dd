package pkceproxy

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Parameters are told by their exact names (RFC 6749 3.1). Servers that read
// them more loosely are real: without case (ASP.NET), or "a.b", " a_b", "a_b[]"
// and "a[b" as a_b (PHP). There, another spelling of a name that the proxy
// decides about would be a second one, past every check. So it is refused.

// authorizationNames are those of an authorization request.
func authorizationNames() []string {
	return append(formNames(), "response_type", "response_mode", "state", "request", "request_uri",
		"code_challenge", "code_challenge_method")
}

// formNames are those of a token or revocation request.
func formNames() []string { return append(grantNames(), "redirect_uri", "client_id") }

// grantNames are the parameters by which a token or revocation request proves
// something: what is granted, or who asks. They are for the proxy to send, each where
// it belongs. In an authorization request they have no place.
func grantNames() []string {
	return []string{"grant_type", "code", "code_verifier", "refresh_token", "token",
		"client_secret", "client_assertion", "client_assertion_type",
		"username", "password", "assertion", "device_code", // RFC 6749 4.3, 7521 4.1, 8628 3.4
		"subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type"} // RFC 8693 2.1
}

// misspelled gives the one of names that v has, with a value, in another
// spelling.
func misspelled(v url.Values, names []string) string {
	for _, given := range slices.Sorted(maps.Keys(v)) {
		if slices.Contains(names, given) || !slices.ContainsFunc(v[given], func(value string) bool { return value != "" }) {
			continue
		}
		one, other := readings(given)
		for _, name := range names {
			if strings.EqualFold(one, name) || strings.EqualFold(other, name) {
				return name
			}
		}
	}
	return ""
}

// readings are what loose servers make of a name: a bracket begins an index, or
// is a character that names cannot have.
func readings(given string) (index, character string) {
	given, _, _ = strings.Cut(given, "\x00")
	given = strings.Map(func(r rune) rune {
		if r == '.' || r == ' ' {
			return '_'
		}
		return r
	}, strings.TrimSpace(given))
	index, _, _ = strings.Cut(given, "[")
	return index, strings.ReplaceAll(given, "[", "_")
}
