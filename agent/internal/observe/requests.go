package observe

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"oauth-agent/agent/internal/clientip"
	"oauth-agent/agent/internal/trace"
)

// Requests watches the requests of a listener: each has an identifier and a place
// in a trace, is counted, and has a line in the log.
type Requests struct {
	Log     *slog.Logger // of [OfRequests]
	Clock   func() time.Time
	Metrics *Metrics
	Tracer  *trace.Tracer
	Proxies clientip.Proxies // whose identifiers are taken, and traces followed
	// Lines writes a line a request; ClientAddress puts the client's address into
	// every line.
	Lines, ClientAddress bool
}

// Watch watches what next answers. The path is in no line, let alone the query:
// both may carry what belongs in no log.
func (o *Requests) Watch(next http.Handler) http.Handler {
	lines := o.Log
	if h, ok := lines.Handler().(ofRequest); ok {
		lines = slog.New(h.Handler) // the line of a request has its identifiers itself: one list instead of two
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := o.Clock()
		trusted := o.Proxies.Trusts(r.RemoteAddr)
		rec := &Record{Route: "none", id: requestID(r.Header, trusted), out: writer{ResponseWriter: w}}
		if o.ClientAddress {
			rec.client = o.Proxies.Client(r)
		}
		rec.line[0] = rec.id
		w.Header()["X-Request-Id"] = rec.line[:]
		ctx, span := o.Tracer.Serve(r.Context(), r.Header, trusted)
		ctx = context.WithValue(ctx, recordKey{}, rec)

		o.Metrics.inFlight.Inc()
		defer func() {
			o.Metrics.inFlight.Dec()
			o.tell(ctx, lines, rec, span, served{rec.Route, knownMethod(r.Method), rec.out.code()}, o.Clock().Sub(start))
		}()
		next.ServeHTTP(&rec.out, r.WithContext(ctx))
	})
}

// tell tells of a request that is over.
func (o *Requests) tell(ctx context.Context, lines *slog.Logger, rec *Record, span trace.Span, s served, took time.Duration) {
	o.Metrics.requests.observe(s, took)
	if span != (trace.Span{}) {
		span.End(trace.Result{
			Name: s.method + " " + s.route, Method: s.method, Route: s.route,
			Status: s.status, Code: rec.Code, RequestID: rec.id,
		})
	}
	if !o.Lines || !lines.Enabled(ctx, slog.LevelInfo) {
		return
	}
	attrs := [...]slog.Attr{
		slog.String("method", s.method), slog.String("route", s.route),
		slog.Int("status", s.status), slog.Int64("bytes", rec.out.bytes),
		slog.Duration("duration", took), slog.String("code", rec.Code),
		slog.String("request_id", rec.id), slog.String("trace_id", trace.ID(ctx)),
		slog.String("client", rec.client.String()),
	}
	n := len(attrs)
	if !rec.client.IsValid() {
		n--
	}
	lines.LogAttrs(ctx, slog.LevelInfo, requestLine, attrs[:n]...)
}
