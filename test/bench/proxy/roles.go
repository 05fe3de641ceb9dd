package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"time"
)

// serve serves h on a free port, which it prints.
func serve(ctx context.Context, h http.Handler, limits bool) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	srv := &http.Server{Handler: h}
	if limits { // those of the agent's listener
		srv.ReadHeaderTimeout, srv.IdleTimeout = 10*time.Second, 2*time.Minute
	}
	go func() {
		// The end of standard input is the end of whoever started this.
		_, _ = os.Stdin.Read(make([]byte, 1))
		_ = srv.Close()
	}()
	go func() {
		<-ctx.Done()
		_ = srv.Close()
	}()
	if err := srv.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// upstream is an API: 1 KB of JSON, to requests with a token only.
func upstream() http.Handler {
	body := []byte(`{"items":"` + strings.Repeat("x", 1024-12) + `"}`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
}

// bare is the standard library's reverse proxy, with the only setting that it
// needs under load; and with limits, those that it needs where others reach it.
func bare(target string, limits bool) http.Handler {
	u, err := url.Parse(target)
	if err != nil {
		panic(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 256
	transport.MaxIdleConns = 0
	if limits {
		transport.ResponseHeaderTimeout = 30 * time.Second
	}
	return &httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.SetURL(u)
			pr.SetXForwarded()
		},
		Transport: transport,
	}
}

// yes answers forward auth without looking.
func yes() http.Handler {
	token := "Bearer " + strings.Repeat("t", 1024)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Authorization", token)
	})
}
