package idp

import (
	"encoding/json"
	"net/http"
	"net/url"
)

// oauthError is an error as OAuth tells it: at the token endpoint (RFC 6749 5.2),
// in a redirect (4.1.2.1), or at userinfo (RFC 6750 3.1).
type oauthError struct {
	status       int
	code         string
	description  string
	authenticate string // WWW-Authenticate
}

func invalidRequest(description string) *oauthError {
	return &oauthError{status: http.StatusBadRequest, code: "invalid_request", description: description}
}

func invalidGrant(description string) *oauthError {
	return &oauthError{status: http.StatusBadRequest, code: "invalid_grant", description: description}
}

func invalidScope(description string) *oauthError {
	return &oauthError{status: http.StatusBadRequest, code: "invalid_scope", description: description}
}

// duplicate tells whether a parameter is there twice (RFC 6749 3.1), but for the one
// that may (RFC 8707 2).
func duplicate(form url.Values) bool {
	for name, values := range form {
		if len(values) > 1 && name != "resource" {
			return true
		}
	}
	return false
}

// writeError renders e as RFC 6749 5.2 has it.
func writeError(w http.ResponseWriter, e *oauthError) {
	if e.authenticate != "" {
		w.Header().Set("WWW-Authenticate", e.authenticate)
	}
	writeJSON(w, e.status, map[string]string{"error": e.code, "error_description": e.description})
}

// writeJSON answers with v. Nothing of ours may be cached (RFC 6749 5.1).
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // a Mutate function put in what JSON cannot say
		http.Error(w, "idp: "+err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
