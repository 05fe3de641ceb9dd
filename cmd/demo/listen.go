package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// listeners are one port of localhost, in both IP versions: a browser may take
// either, and must not end up at somebody else's server on the other one.
type listeners struct {
	port int
	each []net.Listener
}

// origin is what a browser calls the listeners.
func (l *listeners) origin() string { return "http://localhost:" + strconv.Itoa(l.port) }

func (l *listeners) close() {
	for _, ln := range l.each {
		_ = ln.Close()
	}
}

// listen binds the port of localhost; when it is taken and any will do, a free one.
func listen(ctx context.Context, port int, anyPort bool) (*listeners, error) {
	l, err := listenOn(ctx, port)
	if errors.Is(err, syscall.EADDRINUSE) && anyPort {
		l, err = listenOn(ctx, 0)
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d is taken: choose another one, or -port 0 for any: %w", port, err)
	}
	return l, err
}

func listenOn(ctx context.Context, port int) (*listeners, error) {
	var lc net.ListenConfig
	v4, err := lc.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	l := &listeners{port: v4.Addr().(*net.TCPAddr).Port, each: []net.Listener{v4}}
	v6, err := lc.Listen(ctx, "tcp6", net.JoinHostPort("::1", strconv.Itoa(l.port)))
	switch {
	case err == nil:
		l.each = append(l.each, v6)
	case errors.Is(err, syscall.EADDRINUSE):
		l.close()
		return nil, err
	}
	return l, nil // a machine without IPv6 is fine
}

// serve answers until ctx is done, then lets running requests end.
func serve(ctx context.Context, l *listeners, h http.Handler) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	failed := make(chan error, len(l.each))
	for _, ln := range l.each {
		go func() { failed <- srv.Serve(ln) }()
	}
	select {
	case err := <-failed:
		return errors.Join(err, srv.Close())
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if srv.Shutdown(drain) != nil {
		return srv.Close()
	}
	return nil
}
