package agent

import (
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/middleware"
	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/trace"
)

// This file ties the rooms to what is observed of them. The rooms know nothing of
// it: they tell what happens by functions that they are given.

// flushTimeout bounds how long spans that wait are sent at the end.
const flushTimeout = 5 * time.Second

// buildWatch makes what watches requests and users.
func (a *Agent) buildWatch() {
	t := a.cfg.Tracing
	a.tracer = trace.New(trace.Config{
		Endpoint: t.Endpoint, SampleRatio: t.SampleRatio, Service: t.ServiceName, Version: observe.Build().Version,
	}, trace.Options{Log: a.log})
	a.requests = &observe.Requests{
		Log: a.log, Clock: a.clock, Metrics: a.metrics, Tracer: a.tracer, Proxies: a.cfg.TrustedProxyPrefixes(),
		Lines: a.cfg.Log.Access, ClientAddress: a.cfg.Log.ClientAddress,
	}
	key, _ := hex.DecodeString(a.cfg.Log.SubjectKey.Reveal()) // validated; empty: nobody is named
	a.events = &observe.Events{Log: a.log, Metrics: a.metrics, SubjectKey: key}
}

// watched is h as a listener serves it: bounded in number and in the patience with
// clients, watched, and with its panics answered.
func (a *Agent) watched(h http.Handler, limit *middleware.InFlightLimit, clients *middleware.Clients) http.Handler {
	h = middleware.CloseAfterChunks(h)
	h = a.requests.Watch(observe.Recover(a.log, a.panicked, h))
	return limit.Count(clients, middleware.WriteDeadline(a.cfg.Timeouts.Write, h))
}

// closeTracer sends what spans there are.
func (a *Agent) closeTracer() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	_ = a.tracer.Close(ctx)
}

// watchServer is told of each call to an authorization server: it is the
// request's and the trace's, and it is counted.
func (a *Agent) watchServer(ctx context.Context, endpoint, method, host string, h http.Header) func(status int, outcome string) {
	if ctx.Value(trialKey{}) != nil {
		return func(int, string) {}
	}
	start := a.clock()
	span := a.send(ctx, h)
	return func(status int, outcome string) {
		a.metrics.ServerCalled(endpoint, outcome, a.clock().Sub(start))
		span.End(trace.Result{
			Name: "authorization server " + endpoint, Method: method, Host: host,
			Status: status, RequestID: observe.RequestID(ctx),
		})
	}
}

// watchUpstream is told of each API call that goes up.
func (a *Agent) watchUpstream(ctx context.Context, route, method, host string, h http.Header) func(status int) {
	span := a.send(ctx, h)
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

// send puts the identifiers of a request and its trace into the headers of one
// that it causes.
func (a *Agent) send(ctx context.Context, h http.Header) trace.Span {
	delete(h, "X-Request-Id")
	if id := observe.RequestID(ctx); id != "" {
		h["X-Request-Id"] = []string{id}
	}
	_, span := a.tracer.Call(ctx, h)
	return span
}

// refreshed is told what came of each call with a refresh token.
func (a *Agent) refreshed(ctx context.Context, outcome string, who authserver.Identity) {
	a.events.Refreshed(ctx, outcome, who.Issuer, who.Subject)
}
