package middleware

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"oauth-agent/agent/internal/httperr"
)

// MaxBody is the size of the largest body that the agent itself reads, in bytes.
const MaxBody = 64 << 10

// ReadBody reads the body of a request, of at most maxBody bytes, before its handler runs.
// [BodyDeadline] bounds the time that this takes. While a body is on its way its request
// takes no place of an [InFlightLimit]. The body of a GET or HEAD is ignored.
func ReadBody(maxBody int64, render *httperr.Renderer) func(http.Handler) http.Handler {
	return refusing(render, func(next httperr.Handler) httperr.Handler { return readBody(maxBody, next) })
}

func readBody(maxBody int64, next httperr.Handler) httperr.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.ContentLength > maxBody {
			return &http.MaxBytesError{Limit: maxBody}
		}
		if !hasBody(r) || r.Method == http.MethodGet || r.Method == http.MethodHead {
			return next(w, r)
		}
		f := inFlightOf(r)
		if !f.await() {
			return tooBusy(w)
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, io.NopCloser(countedBody{r.Body, f}), maxBody))
		room := f.resume(w)
		var tooLarge *http.MaxBytesError
		switch {
		case !room || errors.Is(err, errNoMemory):
			return tooBusy(w)
		case errors.As(err, &tooLarge):
			return err
		case err != nil:
			return httperr.BadRequest("the body could not be read", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		return next(w, r)
	}
}
