package middleware

import (
	"bufio"
	"net"
	"net/http"
	"time"
)

// WriteDeadline ends an answer of which the client takes nothing for that long: it
// would hold its connection, and what next holds, for ever. Only what is being sent
// must be taken; between two parts of a stream there may be hours.
func WriteDeadline(timeout time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := &progressDeadlineWriter{ResponseWriter: w, timeout: timeout, stream: r.ProtoMajor > 1}
		p.setDeadline(time.Time{}) // the server's is for answers of its own
		next.ServeHTTP(p, r)
		switch {
		case p.hijacked:
		case !p.stream:
			p.due() // what is left is sent after this
		case p.held > 0:
			_ = p.FlushError() // or it would be sent when nobody counts the request any more
		}
	})
}

// progressDeadlineWriter is a [http.ResponseWriter] with a deadline for what is being sent.
//
// In HTTP/1 it is one of the connection, which counts while something is written, and
// which the server lifts after the request. In HTTP/2 it is a timer that ends the
// stream, so that it has to be stopped in between.
type progressDeadlineWriter struct {
	http.ResponseWriter
	timeout  time.Duration
	stream   bool
	hijacked bool
	set      time.Time // when the deadline was set, in HTTP/1
	held     int       // bytes written, in HTTP/2
}

// heldBack is how many bytes of an answer an HTTP/2 server keeps until the end of the
// handler, or until it is told to flush: half of what it really does.
const heldBack = 2 << 10

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

// WriteHeader sends an interim status at once, others with what follows.
func (p *progressDeadlineWriter) WriteHeader(status int) {
	if status < http.StatusOK {
		p.setDeadline(time.Now().Add(p.timeout))
		defer p.setDeadline(time.Time{}) // another one may come late
	}
	p.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController], as are the two methods below.
func (p *progressDeadlineWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// FlushError sends what is there.
func (p *progressDeadlineWriter) FlushError() error {
	defer p.begin()()
	return http.NewResponseController(p.ResponseWriter).Flush()
}

// Hijack hands the connection over, which has no deadline then.
func (p *progressDeadlineWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(p.ResponseWriter).Hijack()
	p.hijacked = p.hijacked || err == nil
	return conn, buffered, err
}

// begin is before something is sent, and what it returns is for afterwards.
func (p *progressDeadlineWriter) begin() (end func()) {
	if !p.stream {
		p.due()
		return func() {}
	}
	p.setDeadline(time.Now().Add(p.timeout))
	return func() { p.setDeadline(time.Time{}) }
}

// due sets the deadline of a connection. One that was set a moment ago will do.
func (p *progressDeadlineWriter) due() {
	if now := time.Now(); now.Sub(p.set) > p.timeout/8 {
		p.set = now
		p.setDeadline(now.Add(p.timeout))
	}
}

// setDeadline leaves the error aside, as setReadDeadline does.
func (p *progressDeadlineWriter) setDeadline(t time.Time) {
	_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(t)
}
