// Package observe is what an operator sees of a running process: its log, one
// line a request.
package observe

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// NewLogger writes to w in format "json" or "text", from level on. An unknown
// level is info.
func NewLogger(w io.Writer, level, format string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // info on failure; settings are validated
	opts := &slog.HandlerOptions{Level: l}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// Record is what is told of one request. Handlers add to it by [Of].
type Record struct {
	Route string // template, never what a client made up
	Code  string // error code told to the client, if any
}

type recordKey struct{}

// Of gives the record of a request, or one that nobody reads.
func Of(ctx context.Context) *Record {
	if rec, ok := ctx.Value(recordKey{}).(*Record); ok {
		return rec
	}
	return &Record{}
}

// Access logs a line for every request that next has answered. The path is not
// in it, let alone the query: both may carry what belongs in no log.
func Access(log *slog.Logger, clock func() time.Time, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &Record{Route: "none"}
		start := clock()
		out := &writer{ResponseWriter: w}
		defer func() {
			log.LogAttrs(r.Context(), slog.LevelInfo, "request",
				slog.String("method", knownMethod(r.Method)), slog.String("route", rec.Route),
				slog.Int("status", out.code()), slog.Int64("bytes", out.bytes),
				slog.Duration("duration", clock().Sub(start)), slog.String("code", rec.Code))
		}()
		next.ServeHTTP(out, r.WithContext(context.WithValue(r.Context(), recordKey{}, rec)))
	})
}

// Recover answers a panic by fail and logs where it came from. The value of the
// panic is not logged: it may hold anything. Within [Access] it knows whether an
// answer has begun, and then cuts it off: the half of one must not look whole.
func Recover(log *slog.Logger, fail func(w http.ResponseWriter, r *http.Request), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				log.ErrorContext(r.Context(), "panic", "stack", string(debug.Stack()))
				if out, ok := w.(*writer); ok && out.status != 0 {
					panic(http.ErrAbortHandler)
				}
				fail(w, r)
			}
		}()
		next.ServeHTTP(w, r)
	})
}
