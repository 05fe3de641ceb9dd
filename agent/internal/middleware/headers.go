package middleware

import "net/http"

// SecurityHeaders sets the headers of an answer that is data for one user: it is never
// cached, sniffed or framed, and links in it send no Referer.
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

// CloseAfterChunks closes an HTTP/1 connection after a request whose body came in chunks.
// The request may have had a Content-Length as well, which net/http has dropped: another
// server may have read what follows as a part of the body (RFC 9112 6.1).
func CloseAfterChunks(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 && len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
