package main

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"oauth-agent/agent"
	"oauth-agent/agent/config"
	"oauth-agent/test/idp"
	"oauth-agent/web"
)

// demo is all that runs.
type demo struct {
	handler http.Handler
	close   func()
}

// newDemo starts the identity provider and the sample API, and puts agent and
// page on one origin. The provider is on 127.0.0.1 and the page on localhost:
// cookies do not know ports, and these are two sites, as in real life.
func newDemo(ctx context.Context, origin string, opts options, log *slog.Logger) (_ *demo, err error) {
	var opened []func() error
	closeAll := func() {
		for _, c := range slices.Backward(opened) {
			_ = c()
		}
	}
	defer func() {
		if err != nil {
			closeAll()
		}
	}()
	clientSecret := randomHex()
	provider, err := idp.Start(ctx, "127.0.0.1:0", providerConfig(origin, clientSecret, opts))
	if err != nil {
		return nil, err
	}
	opened = append(opened, provider.Close)
	api, err := startAPI(ctx, newOrders(provider.Subject))
	if err != nil {
		return nil, err
	}
	opened = append(opened, api.close)
	cfg, err := config.Load("", environ(origin, provider.Issuer, api.url, clientSecret, opts))
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	var site fs.FS
	site, cfg.SPA.CSP = newSite(opts.testPage)
	a, err := agent.New(ctx, cfg, agent.Options{Log: log, SPA: site})
	if err != nil {
		return nil, err
	}
	opened = append(opened, a.Close)

	journal := newCookieJournal()
	front := reporter(opts.testReport, provider, journal.watch(a.Handler()))
	control := &controls{provider: provider, outage: opts.outage}
	opened = append(opened, control.close)
	mux := http.NewServeMux()
	mux.Handle(basePath+"/", front)
	mux.Handle("/api/", front)
	mux.HandleFunc("GET "+basePath+"/demo/cookies", ownPage(journal.list))
	control.routes(mux, origin)
	mux.Handle("/", a.Handler())
	return &demo{handler: onlyOrigin(origin, mux), close: closeAll}, nil
}

// newSite returns the demo's page and its policy, or those of a page in a
// directory.
func newSite(directory string) (site fs.FS, policy string) {
	if directory == "" {
		return web.Site(), web.Policy()
	}
	return os.DirFS(directory), web.FrameworkPolicy()
}

// sampleAPI is a server of its own, as an API is.
type sampleAPI struct {
	url   string
	close func() error
}

func startAPI(ctx context.Context, h http.Handler) (sampleAPI, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return sampleAPI{}, err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
	go func() { _ = srv.Serve(ln) }()
	return sampleAPI{url: "http://" + ln.Addr().String(), close: srv.Close}, nil
}
