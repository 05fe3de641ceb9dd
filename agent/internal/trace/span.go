package trace

import (
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	otel "go.opentelemetry.io/otel/trace"
)

// Span is one request, served or sent. The zero value is one that nobody
// exports.
type Span struct{ span otel.Span }

// Result is what became of the request, and all that a span tells: words of the
// settings and of the program. The exception is Code: a client may make up the error
// of an authorization response, which is short and plain.
type Result struct {
	Name      string // "GET /api/": a template, no path
	Method    string
	Route     string // template
	Host      string // asked, of the settings; empty for a request that was served
	Status    int    // 0: no answer
	Code      string // error code, if any
	RequestID string
}

// End ends the span.
func (s Span) End(r Result) {
	if s.span == nil || !s.span.IsRecording() {
		return
	}
	s.span.SetName(r.Name)
	attrs := make([]attribute.KeyValue, 0, 6)
	for _, a := range [...]attribute.KeyValue{
		attribute.String("http.request.method", r.Method),
		attribute.String("http.route", r.Route),
		attribute.String("server.address", r.Host),
		attribute.String("error.type", r.Code),
		attribute.String("oauth_agent.request_id", r.RequestID),
	} {
		if a.Value.AsString() != "" {
			attrs = append(attrs, a)
		}
	}
	if r.Status != 0 {
		attrs = append(attrs, attribute.Int("http.response.status_code", r.Status))
	}
	s.span.SetAttributes(attrs...)
	if r.Status == 0 || r.Status >= http.StatusInternalServerError {
		s.span.SetStatus(codes.Error, r.reason())
	}
	s.span.End()
}

func (r Result) reason() string {
	if r.Code != "" || r.Status == 0 {
		return r.Code
	}
	return strconv.Itoa(r.Status)
}
