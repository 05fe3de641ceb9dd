package idp

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Server is a provider on a loopback port.
type Server struct {
	*Provider
	URL    string // scheme, host and port
	Issuer string // the issuer identifier

	http *http.Server
	stop func() bool
}

// Start serves a provider on addr, such as "127.0.0.1:0", until ctx is done or
// Close is called. Any addr beyond loopback is refused: this provider gives
// tokens to whoever reads the password off its login page.
func Start(ctx context.Context, addr string, cfg Config) (*Server, error) {
	ln, err := listenLoopback(ctx, addr)
	if err != nil {
		return nil, err
	}
	base := "http://" + ln.Addr().String()
	if cfg.Issuer == "" {
		cfg.Issuer = base + cfg.Path
	}
	p, err := New(cfg)
	if err != nil {
		_ = ln.Close()
		return nil, err
	}
	s := &Server{Provider: p, URL: base, Issuer: cfg.Issuer, http: newHTTPServer(p)}
	s.stop = context.AfterFunc(ctx, func() { _ = s.http.Close() })
	go func() { _ = s.http.Serve(ln) }() // ends with Close
	return s, nil
}

// Close ends the server and every request that it holds.
func (s *Server) Close() error {
	s.stop()
	return s.http.Close()
}

func newHTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h,
		// No ReadTimeout: it would end a request that a fault holds.
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    256 << 10,
	}
}

// listenLoopback looks at the address before it binds, and at what it got after:
// "localhost" is whatever the machine says it is.
func listenLoopback(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("idp: address %q: %w", addr, err)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("idp: address %q is not loopback", addr)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("idp: %w", err)
	}
	if got, ok := ln.Addr().(*net.TCPAddr); !ok || !got.IP.IsLoopback() {
		_ = ln.Close()
		return nil, fmt.Errorf("idp: address %q is not loopback", addr)
	}
	return ln, nil
}
