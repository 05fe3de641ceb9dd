// Package trace passes W3C trace context on, and exports spans where the settings
// name a collector (OTLP over HTTP).
//
// Every request is part of a trace, its caller's or a new one, whether anybody
// collects spans or not: the identifier is in the log, and goes to the upstream
// and to the authorization server. Without a collector that is all there is, and
// costs next to nothing.
//
// It is the only package that knows OpenTelemetry. Nothing global of it is used:
// what the process exports is decided here alone.
package trace

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"net/http"

	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	otel "go.opentelemetry.io/otel/trace"
)

// Config says where spans go.
type Config struct {
	Endpoint    string  // the collector's URL for traces; empty: nowhere
	SampleRatio float64 // the part of the traces that begin here and are exported
	Service     string  // what the collector shows
	Version     string  // of the program
}

// Options are what a [Tracer] works with.
type Options struct {
	Transport http.RoundTripper // to the collector; nil: the standard one
	Log       *slog.Logger      // nil: nowhere
}

// Tracer makes the spans of one agent. The zero value passes context on and
// exports nothing.
type Tracer struct {
	tracer   otel.Tracer // nil without export
	provider *sdk.TracerProvider
	client   *client
}

// Serve begins the span of a request with these headers: in the caller's trace if
// they tell of one, otherwise in a new one. Only a trusted caller decides whether
// it is exported.
func (t *Tracer) Serve(ctx context.Context, h http.Header, trusted bool) (context.Context, Span) {
	if len(h["Traceparent"]) > 0 {
		ctx = propagation.TraceContext{}.Extract(ctx, carrier(h))
	}
	if t.tracer == nil {
		return otel.ContextWithSpanContext(ctx, next(otel.SpanContextFromContext(ctx))), Span{}
	}
	if trusted {
		ctx = context.WithValue(ctx, trustedKey{}, true)
	}
	ctx, span := t.tracer.Start(ctx, "request", otel.WithSpanKind(otel.SpanKindServer))
	return ctx, Span{span}
}

// Call begins the span of a request that is sent, and puts its context into the
// headers in place of any other. Within a request that is not exported there is
// no span; the context goes all the same.
func (t *Tracer) Call(ctx context.Context, h http.Header) (context.Context, Span) {
	delete(h, "Traceparent")
	delete(h, "Tracestate")
	var span Span
	if t.tracer != nil {
		if parent := otel.SpanFromContext(ctx); parent.IsRecording() || !parent.SpanContext().IsValid() {
			ctx, span.span = t.tracer.Start(ctx, "call", otel.WithSpanKind(otel.SpanKindClient))
		}
	}
	propagation.TraceContext{}.Inject(ctx, carrier(h))
	return ctx, span
}

// ID is the identifier of the trace that ctx belongs to, 32 hexadecimal digits;
// empty where it belongs to none.
func ID(ctx context.Context) string {
	sc := otel.SpanContextFromContext(ctx)
	if !sc.HasTraceID() {
		return ""
	}
	return sc.TraceID().String()
}

// next is our place in a trace: behind the caller's, or the first of a new one.
// The numbers name, and protect nothing.
func next(caller otel.SpanContext) otel.SpanContext {
	var span otel.SpanID
	binary.NativeEndian.PutUint64(span[:], rand.Uint64()|1) // zero is none
	if caller.IsValid() {
		return caller.WithSpanID(span).WithRemote(false)
	}
	var id otel.TraceID
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64()|1)
	return otel.NewSpanContext(otel.SpanContextConfig{TraceID: id, SpanID: span})
}

// carrier gives the propagator what a header says once.
type carrier http.Header

// maxState is the most of a tracestate that is passed on, in bytes: what every
// party must (W3C Trace Context 3.3.1.5).
const maxState = 512

// Get implements [propagation.TextMapCarrier]. Of two parents neither is ours
// (3.2.2.1 has one); a state may come in several lines (3.3.1).
func (c carrier) Get(key string) string {
	lines := c[canonical(key)]
	if key == "tracestate" {
		return joined(lines)
	}
	if len(lines) != 1 {
		return ""
	}
	return lines[0]
}

func joined(lines []string) (state string) {
	for i, line := range lines {
		if len(state)+len(line)+1 > maxState {
			return ""
		}
		if i > 0 {
			state += ","
		}
		state += line
	}
	return state
}

// Set implements [propagation.TextMapCarrier].
func (c carrier) Set(key, value string) { c[canonical(key)] = []string{value} }

// canonical spares http.CanonicalHeaderKey, which makes a new string each time.
func canonical(key string) string {
	switch key {
	case "traceparent":
		return "Traceparent"
	case "tracestate":
		return "Tracestate"
	}
	return http.CanonicalHeaderKey(key)
}

// Keys implements [propagation.TextMapCarrier]; the propagator knows its own.
func (c carrier) Keys() []string { return nil }
