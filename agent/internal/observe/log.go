package observe

import (
	"context"
	"io"
	"log/slog"

	"oauth-agent/agent/internal/trace"
)

// NewLogger writes to w in format "json" or "text", from level on. An unknown
// level is info. The lines of requests wait for a moment, see [Flush].
func NewLogger(w io.Writer, level, format string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // info on failure; settings are validated
	opts := &slog.HandlerOptions{Level: l}
	out := &lines{w: w}
	if format == "json" {
		return slog.New(patient{slog.NewJSONHandler(out, opts), out})
	}
	return slog.New(patient{slog.NewTextHandler(out, opts), out})
}

// OfRequests puts the identifiers of the request behind every line that is
// written for one, and the client's address where [Requests] notes it.
func OfRequests(log *slog.Logger) *slog.Logger { return slog.New(ofRequest{log.Handler()}) }

type ofRequest struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h ofRequest) Handle(ctx context.Context, line slog.Record) error {
	if rec, ok := ctx.Value(recordKey{}).(*Record); ok {
		line.AddAttrs(slog.String("request_id", rec.id), slog.String("trace_id", trace.ID(ctx)))
		if rec.client.IsValid() {
			line.AddAttrs(slog.String("client", rec.client.String()))
		}
	}
	return h.Handler.Handle(ctx, line)
}

// WithAttrs implements [slog.Handler].
func (h ofRequest) WithAttrs(attrs []slog.Attr) slog.Handler {
	return ofRequest{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (h ofRequest) WithGroup(name string) slog.Handler { return ofRequest{h.Handler.WithGroup(name)} }
