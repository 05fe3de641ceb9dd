package guard

import (
	"net/http"
	"time"
)

// MaxBody is the most that is read of a request to the agent, in bytes.
const MaxBody = 64 << 10

// Limit bounds the body of a request in size, and its reading in time.
func Limit(maxBody int64, readTimeout time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		// Not every ResponseWriter of a test has deadlines; every server's has.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTimeout))
		next.ServeHTTP(w, r)
	})
}

// Harden sets the headers of an answer that is data for one user: never cached,
// never sniffed, never framed, and telling no other site where it came from.
func Harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}
