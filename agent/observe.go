package agent

import (
	"context"
	"encoding/hex"
	"log/slog"
	"net/http"
	"time"

	"oauth-agent/agent/config"
	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/trace"
	"oauth-agent/agent/internal/upstream"
)

// This file ties the rooms to what is observed of them. A room knows nothing of that:
// it declares an observer, and the adapters here implement these.

// flushTimeout bounds how long spans that wait are sent at the end.
const flushTimeout = 5 * time.Second

// newTracer makes what exports spans.
func newTracer(cfg *config.Config, log *slog.Logger) *trace.Tracer {
	return trace.New(trace.Config{
		Endpoint: cfg.Tracing.Endpoint, SampleRatio: cfg.Tracing.SampleRatio,
		Service: cfg.Tracing.ServiceName, Version: observe.Build().Version,
	}, trace.Options{Log: log})
}

// newRequests makes what watches requests.
func newRequests(cfg *config.Config, s *Server, tracer *trace.Tracer) *observe.Requests {
	return &observe.Requests{
		Log: s.log, Clock: s.clock, Metrics: s.metrics, Tracer: tracer, Proxies: cfg.TrustedProxyPrefixes(),
		Lines: cfg.Log.Access, ClientAddress: cfg.Log.ClientAddress,
	}
}

// newEvents makes what watches users.
func newEvents(cfg *config.Config, s *Server) *observe.Events {
	key, _ := hex.DecodeString(cfg.Log.SubjectKey.Reveal()) // validated; empty: nobody is named
	return &observe.Events{Log: s.log, Metrics: s.metrics, SubjectKey: key}
}

// closeTracer sends what spans there are.
func closeTracer(tracer *trace.Tracer) {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	_ = tracer.Close(ctx)
}

// watchServer is an [authserver.Watch]: each call to an authorization server belongs
// to a request and its trace, and is counted.
func (s *Server) watchServer(ctx context.Context, endpoint, method, host string, h http.Header) func(status int, outcome string) {
	if authserver.IsTrial(ctx) {
		return func(int, string) {}
	}
	start := s.clock()
	span := s.current.Load().send(ctx, h)
	return func(status int, outcome string) {
		s.metrics.ServerCalled(endpoint, outcome, s.clock().Sub(start))
		span.End(trace.Result{
			Name: "authorization server " + endpoint, Method: method, Host: host,
			Status: status, RequestID: observe.RequestID(ctx),
		})
	}
}

// proxyObserver counts and traces the calls to APIs. It is the [apiproxy.Observer]
// and the [upstream.Observer].
type proxyObserver struct{ g *generation }

// Sending begins the span of a call that goes up.
func (o proxyObserver) Sending(ctx context.Context, route, method, host string, h http.Header) func(status int) {
	span := o.g.send(ctx, h)
	if span == (trace.Span{}) {
		return nil
	}
	return func(status int) {
		span.End(trace.Result{
			Name: "upstream of " + route, Method: method, Route: route, Host: host,
			Status: status, RequestID: observe.RequestID(ctx),
		})
	}
}

// Done counts a call that went up.
func (o proxyObserver) Done(route string, outcome upstream.Outcome) {
	o.g.server.metrics.Proxied(route, string(outcome))
}

// Refused counts a call that did not go up.
func (o proxyObserver) Refused(route string) {
	o.g.server.metrics.Proxied(route, string(upstream.Refused))
}

// send puts the identifiers of a request and its trace into the headers of one
// that it causes.
func (g *generation) send(ctx context.Context, h http.Header) trace.Span {
	delete(h, "X-Request-Id")
	if id := observe.RequestID(ctx); id != "" {
		h["X-Request-Id"] = []string{id}
	}
	_, span := g.tracer.Call(ctx, h)
	return span
}

// cookieObserver is the [cookie.Observer].
type cookieObserver struct{ metrics *Metrics }

// CookieSet implements [cookie.Observer].
func (o cookieObserver) CookieSet(k cookie.Kind, bytes int) { o.metrics.CookieSet(string(k), bytes) }

// UnsealFailed implements [cookie.Observer].
func (o cookieObserver) UnsealFailed(k cookie.Kind, reason string) {
	o.metrics.UnsealFailed(string(k), reason)
}

// tokenObserver is the [tokens.Observer].
type tokenObserver struct {
	events  *observe.Events
	metrics *Metrics
}

// Refreshed implements [tokens.Observer].
func (o tokenObserver) Refreshed(ctx context.Context, outcome string, who authserver.Identity) {
	o.events.Refreshed(ctx, outcome, who.Issuer, who.Subject)
}

// CallersServed implements [tokens.Observer].
func (o tokenObserver) CallersServed(callers int) { o.metrics.RefreshShared(callers) }
