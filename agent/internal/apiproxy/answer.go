package apiproxy

import (
	"bufio"
	"maps"
	"net"
	"net/http"
	"time"
)

// answer is the ResponseWriter that the reverse proxy writes to. It keeps the
// headers that were set before (CORS, new cookies) through an interim response
// (RFC 9110 15.2), which clears them all.
type answer struct {
	http.ResponseWriter
	before     http.Header
	cleared    bool
	noInterim  bool          // the client's HTTP is older than interim responses
	socketLife time.Duration // of a WebSocket; zero: no limit
}

func newAnswer(w http.ResponseWriter, r *http.Request, socketLife time.Duration) answer {
	return answer{ResponseWriter: w, before: maps.Clone(w.Header()), noInterim: !r.ProtoAtLeast(1, 1), socketLife: socketLife}
}

// Hijack gives the client's connection to a WebSocket.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(a.ResponseWriter).Hijack()
	if err == nil && a.socketLife > 0 {
		conn = newSocket(conn, a.socketLife)
	}
	return conn, rw, err
}

// Unwrap lets http.ResponseController reach what flushes and hijacks.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	h := a.Header()
	switch {
	case status < 200 && status != http.StatusSwitchingProtocols:
		// These come straight from the upstream.
		a.cleared = true
		if a.noInterim {
			return // it would be taken for the answer (RFC 9110 15.2)
		}
		cleanInterim(h)
	case a.cleared:
		for name, values := range a.before {
			h[name] = append(values[:len(values):len(values)], h[name]...)
		}
	}
	a.ResponseWriter.WriteHeader(status)
}
