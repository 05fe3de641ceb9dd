package login

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/httperr"
)

// authorizationResponse is what the authorization server may have put into the URL of
// the page (RFC 6749 4.1.2, RFC 9207).
//
// The URL is read leniently: the page is the application's own, and its query may hold
// what no parser of ours likes. That must not keep the page from loading.
type authorizationResponse struct {
	location string // of the page: scheme, host and path in normal form
	state    string
	code     string
	err      string
	iss      string
	repeated bool // a parameter of the response is there twice
}

// parsePageURL reads the response out of pageUrl; ok is false unless that is an http(s)
// URL.
func parsePageURL(raw string) (response authorizationResponse, ok bool) {
	raw, _, _ = strings.Cut(raw, "#")
	base, query, _ := strings.Cut(raw, "?")
	response.location, ok = normalLocation(base)
	if !ok {
		return authorizationResponse{}, false
	}
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		response.take(unescape(key), unescape(value), seen)
	}
	return response, true
}

// take keeps a parameter of the response. Two readers may take different values of one
// that is there twice, even if one of them is empty. Alone, an empty one counts as
// absent (RFC 6749 3.1).
func (p *authorizationResponse) take(key, value string, seen map[string]bool) {
	target := map[string]*string{"state": &p.state, "code": &p.code, "error": &p.err, "iss": &p.iss}[key]
	if target == nil {
		return
	}
	if seen[key] {
		p.repeated = true
		if key == "state" {
			*target = "" // neither of the two decides
			return
		}
	}
	seen[key] = true
	if value != "" {
		*target = value
	}
}

// present reports whether there is a response at all: a code or an error.
func (p authorizationResponse) present() bool { return p.code != "" || p.err != "" }

// unambiguous reports whether the response says one thing.
func (p authorizationResponse) unambiguous() bool {
	return !p.repeated && (p.code == "") != (p.err == "")
}

// normalLocation returns scheme, host and path, equal for two spellings of one page that
// differ by case, default port or an empty path.
func normalLocation(base string) (string, bool) {
	scheme, rest, ok := strings.Cut(base, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "http" && scheme != "https" {
		return "", false
	}
	host, path, _ := strings.Cut(rest, "/")
	host = strings.ToLower(host)
	if host == "" || strings.ContainsAny(host, " \t\r\n\\") {
		return "", false
	}
	defaultPort := map[string]string{"http": ":80", "https": ":443"}[scheme]
	return scheme + "://" + strings.TrimSuffix(host, defaultPort) + "/" + path, true
}

// unescape decodes a query component; one that cannot be decoded is returned as it is.
func unescape(s string) string {
	if text, err := url.QueryUnescape(s); err == nil {
		return text
	}
	return s
}

// responseError returns the answer for an error of the authorization response (RFC 6749
// 4.1.2.1, OpenID Connect Core 3.1.2.6). The code is the server's and the message ours:
// the server's text could say anything to the user.
func responseError(code string) error {
	const refused = "the authorization server refused the login"
	switch {
	case !authserver.PlainCode(code):
		return httperr.New(http.StatusBadRequest, httperr.AuthorizationError, refused, nil)
	case slices.Contains([]string{"login_required", "interaction_required", "consent_required", "account_selection_required"}, code):
		return httperr.New(http.StatusUnauthorized, code, "the authorization server needs the user: log in", nil)
	default:
		return httperr.New(http.StatusBadRequest, code, refused, nil)
	}
}
