package middleware

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"oauth-agent/agent/internal/httperr"
)

// MaxBody is the most that is read of a request to the agent, in bytes.
const MaxBody = 64 << 10

// ReadBody reads the body of a request before its handler runs, bounded in size. The time
// that it takes is bounded by [BodyDeadline]. While a body is on its way its request takes
// no place of an [InFlightLimit]. A read has no body that anybody would wait for.
func ReadBody(maxBody int64, next httperr.Handler) httperr.Handler {
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

// SecurityHeaders sets the headers of an answer that is data for one user: never cached,
// never sniffed, never framed, and telling no other site where it came from.
func SecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}
