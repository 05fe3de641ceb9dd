package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
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

// newDemo starts the identity provider and puts agent and page on one origin.
// The provider is on 127.0.0.1 and the page on localhost: cookies do not know
// ports, and these are two sites, as in real life.
func newDemo(ctx context.Context, origin string, opts options, log *slog.Logger) (*demo, error) {
	page, err := web.Demo(basePath)
	if err != nil {
		return nil, err
	}
	clientSecret := randomHex()
	provider, err := idp.Start(ctx, "127.0.0.1:0", providerConfig(origin, clientSecret, opts))
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load("", environ(origin, provider.Issuer, clientSecret))
	if err != nil {
		_ = provider.Close()
		return nil, fmt.Errorf("settings: %w", err)
	}
	a, err := agent.New(ctx, cfg, agent.Options{Log: log})
	if err != nil {
		_ = provider.Close()
		return nil, err
	}
	journal := newCookieJournal(time.Now)
	mux := http.NewServeMux()
	mux.Handle(basePath+"/", reporter(opts.testReport, provider, journal.watch(a.Handler())))
	mux.Handle("GET "+basePath+"/demo/cookies", journal.list(opts.accessTokenLifetime))
	mux.Handle("/", page)
	return &demo{
		handler: onlyOrigin(origin, mux),
		close: func() {
			a.Close()
			_ = provider.Close()
		},
	}, nil
}
