package apiproxy

import (
	"maps"
	"net/http"
)

// answer is the ResponseWriter that the reverse proxy writes to. It keeps the
// headers that were set before (CORS, new cookies) through an interim response
// (RFC 9110 15.2), which clears them all.
type answer struct {
	http.ResponseWriter
	before  http.Header
	cleared bool
}

func newAnswer(w http.ResponseWriter) answer {
	return answer{ResponseWriter: w, before: maps.Clone(w.Header())}
}

// Unwrap lets http.ResponseController reach what flushes and hijacks.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	h := a.Header()
	switch {
	case status < 200 && status != http.StatusSwitchingProtocols:
		// These come straight from the upstream.
		delete(h, "Set-Cookie")
		dropCORS(h)
		a.cleared = true
	case a.cleared:
		for name, values := range a.before {
			h[name] = append(values[:len(values):len(values)], h[name]...)
		}
	}
	a.ResponseWriter.WriteHeader(status)
}
