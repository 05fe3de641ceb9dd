package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/activation"

	"oauth-agent/agent/config"
)

// The names of sockets that a service manager may pass on (FileDescriptorName= of
// systemd).
const (
	publicSocket   = "public"
	gatewaysSocket = "forward-auth"
	adminSocket    = "admin"
)

// sockets are the listeners that were passed on, by their names. Two of a name are
// one for IPv4 and one for IPv6, say.
type sockets map[string][]net.Listener

// inherited takes over the sockets that this process was started with
// (sd_listen_fds(3)). One alone needs no name.
func inherited() (sockets, error) {
	files := activation.Files(true)
	s := sockets{}
	for _, f := range files {
		name := f.Name()
		if !slices.Contains([]string{publicSocket, gatewaysSocket, adminSocket}, name) {
			if len(files) > 1 {
				return s, fmt.Errorf("the socket %q was passed on: name it %s, %s or %s", name, publicSocket, gatewaysSocket, adminSocket)
			}
			name = publicSocket
		}
		listener, err := net.FileListener(f)
		_ = f.Close() // the listener has its own
		if err != nil {
			return s, fmt.Errorf("the socket %q was passed on, and is none to listen at: %w", name, err)
		}
		s[name] = append(s[name], listener)
	}
	return s, nil
}

// listen takes the sockets of that name, or else listens at address, which the
// settings have from setting.
func (s sockets) listen(name, address, setting string) ([]net.Listener, error) {
	if passed := s[name]; len(passed) > 0 {
		delete(s, name)
		return passed, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen at %s: %w", setting, err)
	}
	return []net.Listener{listener}, nil
}

// unused tells of sockets that the settings have no use for.
func (s sockets) unused() error {
	for name := range s {
		setting := map[string]string{gatewaysSocket: "forward_auth.addr (FORWARD_AUTH_ADDR)", adminSocket: "admin_addr (ADMIN_ADDR)"}[name]
		return fmt.Errorf("the socket %q was passed on, but %s is off", name, setting)
	}
	return nil
}

func (s sockets) close() {
	for _, listener := range slices.Concat(slices.Collect(maps.Values(s))...) {
		_ = listener.Close()
	}
}

// Limits of the listeners. Bodies and handlers have their own, since an API
// behind the proxy may stream for hours.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 96 << 10 // three values of five cookies, and room beside

	// ownAnswerTimeout is for answers that net/http gives itself, such as 431: in HTTP/2
	// they would wait for a window for ever, with all headers. The agent's handlers have
	// a time-out of their own (timeouts.write).
	ownAnswerTimeout = 5 * time.Second

	adminTimeout = 30 * time.Second
)

// What a connection of HTTP/2 may bring at a time, and keep in memory: bytes of bodies
// that nobody has read yet. One stream has not all of it, or an upload that stands
// still would hold up the others.
const (
	maxStreams  = 100
	maxBuffered = 256 << 10
	maxOfStream = 64 << 10

	// frameTimeout ends a connection that takes nothing at all; it is never shorter
	// than the patience with one answer (timeouts.write).
	frameTimeout = time.Minute
)

// port is a server with what it listens at.
type port struct {
	server    *http.Server
	listeners []net.Listener
	limiter   *connLimiter // nil: without a limit
	open      atomic.Int64 // connections
}

func newPort(h http.Handler, listeners []net.Listener, limiter *connLimiter, complaints io.Writer) *port {
	p := &port{listeners: listeners, limiter: limiter}
	p.server = &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		WriteTimeout:      ownAnswerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(complaints, "", 0),
		ConnState:         p.count,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxStreams,
			MaxReceiveBufferPerConnection: maxBuffered,
			MaxReceiveBufferPerStream:     maxOfStream,
			WriteByteTimeout:              frameTimeout,
		},
	}
	return p
}

// count counts the connections.
func (p *port) count(conn net.Conn, state http.ConnState) {
	if p.limiter != nil {
		p.limiter.note(conn, state)
	}
	switch state {
	case http.StateNew:
		p.open.Add(1)
	case http.StateHijacked, http.StateClosed:
		p.open.Add(-1)
	}
}

// serve begins, and tells failed when it cannot go on.
func (p *port) serve(failed chan<- error) {
	for _, listener := range p.listeners {
		go func() {
			if err := p.server.Serve(listener); err != nil {
				select {
				case failed <- err:
				default: // the first one will do
				}
			}
		}()
	}
}

// settleTime is how long the first request of a connection may be on its way.
const settleTime = time.Second

// shutdown ends the port in good order: nobody may connect any more, those who
// just have are heard, and the running requests finish.
//
// [http.Server.Shutdown] alone would close a connection, unanswered, whose request
// it reads a moment later: to whoever sent that, it may have been served or not.
func (p *port) shutdown(ctx context.Context) error {
	for _, listener := range p.listeners {
		_ = listener.Close()
	}
	settled, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for p.open.Load() > 0 && settled.Err() == nil {
		select {
		case <-settled.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
	if err := p.server.Shutdown(ctx); !errors.Is(err, net.ErrClosed) { // as the listeners are
		return err
	}
	return nil
}

// close is for the end, and for a start that fails.
func (p *port) close() {
	_ = p.server.Close()
	for _, listener := range p.listeners {
		_ = listener.Close()
	}
}

func (p *port) address() string {
	if len(p.listeners) == 0 {
		return ""
	}
	return p.listeners[0].Addr().String()
}

// debugging writes what net/http has to say of connections into the log of the
// hour, at the level debug.
type debugging struct{ log func() *slog.Logger }

func (d debugging) Write(text []byte) (int, error) {
	d.log().Debug(string(text[:max(0, len(text)-1)])) // without the line break
	return len(text), nil
}

func publicAddress(cfg *config.Config) string {
	return net.JoinHostPort(cfg.BindAddress, strconv.Itoa(cfg.Port))
}
