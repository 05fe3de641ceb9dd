package observe

import (
	"net/http"
	"slices"
	"strconv"

	"oauth-agent/agent/internal/httperr"
)

// other stands for whatever is in no fixed set.
const other = "other"

func oneOf(word string, set []string) string {
	if slices.Contains(set, word) {
		return word
	}
	return other
}

func refreshOutcomes() []string {
	return []string{"exchanged", "shared", "remembered", "session_expired", "client_refused", "unavailable"}
}

func serverEndpoints() []string {
	return []string{"discovery", "jwks", "token", "userinfo", "revocation", "probe"}
}

func serverOutcomes() []string { return []string{"ok", "refused", "unavailable"} }

func proxyOutcomes() []string {
	return []string{"forwarded", "refused", "upstream_error", "upstream_timeout", "client_gone"}
}

func unsealReasons() []string { return []string{"malformed", "key", "expired"} }

func sealPurposes() []string {
	return []string{"at", "csrf", "auth", "id", "login", "logout", "pkce_state", "pkce_code"}
}

// loginReasons are the error codes that a login fails with: the program's own,
// and those of an authorization response (RFC 6749 4.1.2.1, OpenID Connect Core
// 3.1.2.6). A response may say any other.
func loginReasons() []string {
	return append(httperr.Reasons(),
		httperr.InvalidRequest, httperr.AuthorizationError, httperr.AuthorizationServerError, httperr.ServerError,
		"unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope", "temporarily_unavailable",
		httperr.LoginRequired, "interaction_required", "consent_required", "account_selection_required",
		"invalid_request_uri", "invalid_request_object", "request_not_supported", "request_uri_not_supported",
		"registration_not_supported")
}

// knownMethod keeps made-up methods out of labels and logs.
func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return m
	}
	return "OTHER"
}

// statusClientGone is what logs show when nobody was left to answer.
const statusClientGone = 499

// knownStatus is a status as a label: an API may answer any number of three digits.
func knownStatus(status int) string {
	switch {
	case http.StatusText(status) != "" || status == statusClientGone:
		return strconv.Itoa(status)
	case status >= 100 && status < 600:
		return strconv.Itoa(status/100) + "xx"
	}
	return other
}
