package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"oauth-agent/agent"
	"oauth-agent/agent/config"
)

// Limits of the listener. Bodies and handlers have their own, since an API
// behind the proxy may stream for hours.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 96 << 10 // three values of five cookies, and room beside
)

// serve runs until ctx ends, then lets the running requests finish.
func serve(ctx context.Context, cfg *config.Config, stderr io.Writer) error {
	log := agent.NewLogger(stderr, cfg.Log)
	for _, warning := range cfg.Warnings() {
		log.Warn(warning)
	}
	// The agent outlives ctx: what is running may still need it.
	a, err := agent.New(context.WithoutCancel(ctx), cfg, agent.Options{Log: log})
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()

	listener, err := listen(cfg)
	if err != nil {
		return err
	}
	servers := []*http.Server{newServer(a.Handler(), log)}
	failed := make(chan error, 2)
	if h := a.ForwardAuth(); h != nil {
		gateways, err := net.Listen("tcp", cfg.ForwardAuth.Addr)
		if err != nil {
			_ = listener.Close()
			return fmt.Errorf("cannot listen at forward_auth.addr (FORWARD_AUTH_ADDR): %w", err)
		}
		servers = append(servers, newServer(h, log))
		go func() { failed <- servers[1].Serve(gateways) }()
		log.Info("listening for gateways", "address", gateways.Addr().String())
	}
	go func() { failed <- servers[0].Serve(listener) }()
	log.Info("listening", "address", listener.Addr().String(), "tls", cfg.TLS.CertFile != "", "base_path", cfg.BasePath)

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping: running requests may finish", "timeout", cfg.Timeouts.Shutdown)
	return drain(servers, cfg.Timeouts.Shutdown)
}

func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

func listen(cfg *config.Config) (net.Listener, error) {
	address := net.JoinHostPort(cfg.BindAddress, strconv.Itoa(cfg.Port))
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen at port (PORT) and bind_address (BIND_ADDRESS): %w", err)
	}
	if cfg.TLS.CertFile == "" {
		return listener, nil
	}
	pair, err := tls.LoadX509KeyPair(cfg.TLS.CertFile, cfg.TLS.KeyFile)
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("the certificate and key do not load: %w", err)
	}
	return tls.NewListener(listener, &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
	}), nil
}

// drain stops accepting, waits for the running requests, and cuts off those
// that take longer. The public port goes first: gateways may still be asking
// for the requests that they have.
func drain(servers []*http.Server, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var errs []error
	for _, server := range servers {
		err := server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			_ = server.Close()
			err = errors.New("some requests did not finish in time and were cut off")
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
