package middleware

import (
	"bufio"
	"net"
	"net/http"
	"time"
)

// WriteDeadline ends an answer of which the client takes nothing for timeout. Otherwise
// it would hold its connection, and what its handler holds, for ever. The deadline is only
// for what is being sent: between two parts of a stream there may be hours.
func WriteDeadline(timeout time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p := &progressDeadlineWriter{ResponseWriter: w, timeout: timeout, stream: r.ProtoMajor > 1}
			p.setDeadline(time.Time{}) // that of the server is for its own answers
			next.ServeHTTP(p, r)
			p.finish()
		})
	}
}

// progressDeadlineWriter is a [http.ResponseWriter] with a deadline for what is being sent.
//
// In HTTP/1 the deadline is that of the connection: it only matters while something is
// written, and the server lifts it after the request. In HTTP/2 it is a timer that ends
// the stream, so that it has to be stopped in between.
type progressDeadlineWriter struct {
	http.ResponseWriter
	timeout  time.Duration
	stream   bool
	hijacked bool
	set      time.Time // when the deadline was set, in HTTP/1
	held     int       // bytes written, in HTTP/2
}

// heldBack is how many bytes of an answer an HTTP/2 server buffers until the end of the
// handler or a flush. It is half of the real number.
const heldBack = 2 << 10

// finish is called after the handler.
func (p *progressDeadlineWriter) finish() {
	switch {
	case p.hijacked:
	case !p.stream:
		p.extend() // the rest is sent after this
	case p.held > 0:
		_ = p.FlushError() // the server would send it when the request is not counted any more
	}
}

// Write sends b, or some of it.
func (p *progressDeadlineWriter) Write(b []byte) (int, error) {
	if p.stream && p.held+len(b) <= heldBack {
		p.held += len(b)
		return p.ResponseWriter.Write(b)
	}
	p.held = heldBack
	defer p.begin()()
	return p.ResponseWriter.Write(b)
}

// WriteHeader sends an interim status at once, and any other with what follows.
func (p *progressDeadlineWriter) WriteHeader(status int) {
	if status < http.StatusOK {
		p.setDeadline(time.Now().Add(p.timeout))
		defer p.setDeadline(time.Time{}) // the next one may take long
	}
	p.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController], as are the two methods below.
func (p *progressDeadlineWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// FlushError sends what is buffered.
func (p *progressDeadlineWriter) FlushError() error {
	defer p.begin()()
	return http.NewResponseController(p.ResponseWriter).Flush()
}

// Hijack takes over the connection, which then has no deadline.
func (p *progressDeadlineWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(p.ResponseWriter).Hijack()
	p.hijacked = p.hijacked || err == nil
	return conn, buffered, err
}

// begin is called before something is sent, and what it returns is called afterwards.
func (p *progressDeadlineWriter) begin() (end func()) {
	if !p.stream {
		p.extend()
		return func() {}
	}
	p.setDeadline(time.Now().Add(p.timeout))
	return func() { p.setDeadline(time.Time{}) }
}

// extend sets the deadline of a connection, unless that was done a moment ago.
func (p *progressDeadlineWriter) extend() {
	if now := time.Now(); now.Sub(p.set) > p.timeout/8 {
		p.set = now
		p.setDeadline(now.Add(p.timeout))
	}
}

// setDeadline ignores the error, as setReadDeadline does.
func (p *progressDeadlineWriter) setDeadline(t time.Time) {
	_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(t)
}
