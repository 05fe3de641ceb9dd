package httpserver

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// The limits of every port. Bodies and handlers have their own, since an API behind the
// proxy may stream for hours.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 96 << 10 // three values of five cookies, and room beside

	// ownAnswerTimeout is for the answers of net/http itself, such as 431: in HTTP/2 they
	// would wait for a window for ever, and hold all headers. Handlers have a time-out of
	// their own (timeouts.write).
	ownAnswerTimeout = 5 * time.Second

	adminTimeout = 30 * time.Second
)

// What one HTTP/2 connection may bring at a time, and keep in memory: bytes of bodies
// that have not been read yet. A single stream may not take all of it, or an upload that
// stands still would hold up the others.
const (
	maxStreams  = 100
	maxBuffered = 256 << 10
	maxOfStream = 64 << 10

	// frameTimeout ends a connection that takes nothing at all. It is never shorter than
	// the time-out of one answer (timeouts.write).
	frameTimeout = time.Minute
)

// server is one port: an [http.Server] with its listeners.
type server struct {
	http      *http.Server
	listeners []net.Listener
	limiter   *connLimiter // nil: without a limit
	open      atomic.Int64 // connections
}

func newServer(h http.Handler, listeners []net.Listener, limiter *connLimiter, errorLog io.Writer) *server {
	s := &server{listeners: listeners, limiter: limiter}
	s.http = &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		WriteTimeout:      ownAnswerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(errorLog, "", 0),
		ConnState:         s.count,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxStreams,
			MaxReceiveBufferPerConnection: maxBuffered,
			MaxReceiveBufferPerStream:     maxOfStream,
			WriteByteTimeout:              frameTimeout,
		},
	}
	return s
}

// count is the [http.Server.ConnState].
func (s *server) count(conn net.Conn, state http.ConnState) {
	if s.limiter != nil {
		s.limiter.note(conn, state)
	}
	switch state {
	case http.StateNew:
		s.open.Add(1)
	case http.StateHijacked, http.StateClosed:
		s.open.Add(-1)
	}
}

// serve begins to serve. An error that ends it is sent to failed.
func (s *server) serve(failed chan<- error) {
	for _, listener := range s.listeners {
		go func() {
			if err := s.http.Serve(listener); err != nil {
				select {
				case failed <- err:
				default: // the first one is enough
				}
			}
		}()
	}
}

// settleTime is how long the first request of a new connection is waited for.
const settleTime = time.Second

// shutdown stops accepting connections, reads the requests of those that have just been
// accepted, and waits for the requests that are being served.
//
// [http.Server.Shutdown] alone would close a connection whose first request is on its
// way. Its client could not know whether the request was served.
func (s *server) shutdown(ctx context.Context) error {
	for _, listener := range s.listeners {
		_ = listener.Close()
	}
	settled, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for s.open.Load() > 0 && settled.Err() == nil {
		select {
		case <-settled.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
	if err := s.http.Shutdown(ctx); !errors.Is(err, net.ErrClosed) { // as the listeners are
		return err
	}
	return nil
}

// close ends the port at once, also one that has not served yet.
func (s *server) close() {
	_ = s.http.Close()
	for _, listener := range s.listeners {
		_ = listener.Close()
	}
}

func (s *server) address() string {
	if len(s.listeners) == 0 {
		return ""
	}
	return s.listeners[0].Addr().String()
}

// debugLog writes the errors of connections, which net/http reports, at the level debug.
type debugLog struct{ log func() *slog.Logger }

// Write implements [io.Writer].
func (d debugLog) Write(text []byte) (int, error) {
	d.log().Debug(string(text[:max(0, len(text)-1)])) // without the line break
	return len(text), nil
}
