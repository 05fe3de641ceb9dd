// Package middleware is what stands before the handlers of the agent: which requests are
// let in, by origin, rate, number, size and time, and the headers of the answers.
//
// Each middleware is a file, and of the shape func(http.Handler) http.Handler or a
// function that returns one. Those that refuse requests are given how to write errors.
package middleware

import (
	"net/http"

	"oauth-agent/agent/internal/httperr"
)

// refusing returns a middleware that may refuse a request.
func refusing(render *httperr.Renderer, wrap func(httperr.Handler) httperr.Handler) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return render.Handle(wrap(func(w http.ResponseWriter, r *http.Request) error {
			next.ServeHTTP(w, r)
			return nil
		}))
	}
}
