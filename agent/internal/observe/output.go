package observe

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// Output is the handler of a log that outlives reloads: it writes where the settings
// of the moment say.
type Output struct{ current atomic.Pointer[slog.Logger] }

// NewOutput makes one that writes to log.
func NewOutput(log *slog.Logger) *Output {
	o := &Output{}
	o.current.Store(log)
	return o
}

// Use writes to log from now on.
func (o *Output) Use(log *slog.Logger) { Flush(o.current.Swap(log)) }

func (o *Output) handler() slog.Handler { return o.current.Load().Handler() }

// Enabled implements [slog.Handler].
func (o *Output) Enabled(ctx context.Context, level slog.Level) bool {
	return o.handler().Enabled(ctx, level)
}

// Handle implements [slog.Handler].
func (o *Output) Handle(ctx context.Context, line slog.Record) error {
	return o.handler().Handle(ctx, line)
}

// WithAttrs implements [slog.Handler], for where the log is written to now.
func (o *Output) WithAttrs(attrs []slog.Attr) slog.Handler { return o.handler().WithAttrs(attrs) }

// WithGroup implements [slog.Handler], likewise.
func (o *Output) WithGroup(name string) slog.Handler { return o.handler().WithGroup(name) }
