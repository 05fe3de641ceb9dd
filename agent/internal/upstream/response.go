package upstream

import (
	"bufio"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"time"
)

// responseWriter is what the reverse proxy writes to. It keeps the headers that
// were set before (CORS, new cookies) through an interim response (RFC 9110
// 15.2), after which the reverse proxy clears them all.
type responseWriter struct {
	http.ResponseWriter
	before     http.Header
	cleared    bool
	noInterim  bool          // the client's HTTP is older than interim responses
	socketLife time.Duration // of a WebSocket; zero: no limit
}

func newResponseWriter(w http.ResponseWriter, r *http.Request, socketLife time.Duration) responseWriter {
	return responseWriter{ResponseWriter: w, before: maps.Clone(w.Header()), noInterim: !r.ProtoAtLeast(1, 1), socketLife: socketLife}
}

// Hijack hands the client's connection over to a WebSocket.
func (w *responseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil && w.socketLife > 0 {
		conn = newSocket(conn, w.socketLife)
	}
	return conn, rw, err
}

// Unwrap lets [http.ResponseController] flush and hijack.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements [http.ResponseWriter].
func (w *responseWriter) WriteHeader(status int) {
	h := w.Header()
	switch {
	case status < 200 && status != http.StatusSwitchingProtocols:
		// The headers are the upstream's, as they came.
		w.cleared = true
		if w.noInterim {
			return // it would be taken for the response (RFC 9110 15.2)
		}
		cleanInterim(h)
	case w.cleared:
		for name, values := range w.before {
			h[name] = append(values[:len(values):len(values)], h[name]...)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// download is the body of a response that may have trailers. They come after the
// body, announced or not, and must not bring what a header must not.
type download struct {
	io.ReadCloser
	res *http.Response
}

// filterTrailers removes forbidden trailers: those that are announced now, and
// the others when the body is at its end.
func filterTrailers(res *http.Response) {
	if res.StatusCode == http.StatusSwitchingProtocols || res.ContentLength >= 0 && len(res.Trailer) == 0 {
		return
	}
	dropTrailers(res.Trailer)
	res.Body = &download{res.Body, res}
}

// Read implements [io.Reader].
func (d *download) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	if err == io.EOF {
		dropTrailers(d.res.Trailer)
	}
	return n, err
}

func dropTrailers(h http.Header) {
	for name := range h {
		if name == "Set-Cookie" || name == "Clear-Site-Data" || isCaching(name) || isHopByHop(name) || strings.HasPrefix(name, "Access-Control-") {
			delete(h, name)
		}
	}
}
