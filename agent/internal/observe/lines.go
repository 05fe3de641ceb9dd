package observe

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// The lines of requests wait for one another, so that many are written at once:
// to write each by itself costs as much as to make it. All other lines are written
// at once, and the waiting ones before them.
const (
	lineDelay = 100 * time.Millisecond
	lineBytes = 16 << 10
)

// requestLine is the message of a request's line.
const requestLine = "request"

// patient is the handler of a log whose lines may wait.
type patient struct {
	slog.Handler
	out *lines
}

// Handle implements [slog.Handler].
func (h patient) Handle(ctx context.Context, line slog.Record) error {
	err := h.Handler.Handle(ctx, line)
	if line.Message != requestLine || line.Level >= slog.LevelWarn {
		h.out.flush()
	}
	return err
}

// WithAttrs implements [slog.Handler].
func (h patient) WithAttrs(attrs []slog.Attr) slog.Handler {
	return patient{h.Handler.WithAttrs(attrs), h.out}
}

// WithGroup implements [slog.Handler].
func (h patient) WithGroup(name string) slog.Handler {
	return patient{h.Handler.WithGroup(name), h.out}
}

// Flush writes the lines that wait, if it is a log of [NewLogger].
func Flush(log *slog.Logger) {
	if out := linesOf(log); out != nil {
		out.flush()
	}
}

// Finish is Flush for the end of the process: lines that come still are written at
// once, since nobody may be there a moment later.
func Finish(log *slog.Logger) {
	if out := linesOf(log); out != nil {
		out.finish()
	}
}

// linesOf is where a log of [NewLogger] writes; nil for any other.
func linesOf(log *slog.Logger) *lines {
	h := log.Handler()
	if inner, ok := h.(ofRequest); ok {
		h = inner.Handler
	}
	if o, ok := h.(*Output); ok {
		h = o.handler()
	}
	if p, ok := h.(patient); ok {
		return p.out
	}
	return nil
}

// lines keeps what is written for a moment.
type lines struct {
	w io.Writer

	mu       sync.Mutex
	waiting  []byte
	due      bool // a flush is
	finished bool // nothing waits any more
}

// Write implements [io.Writer].
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, p...)
	switch {
	case l.finished || len(l.waiting) >= lineBytes:
		l.write()
	case !l.due:
		l.due = true
		time.AfterFunc(lineDelay, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.due = false
			l.write()
		})
	}
	return len(p), nil
}

func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write()
}

func (l *lines) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finished = true
	l.write()
}

// write writes what waits. The lock is held. Where nobody takes it, nobody can be
// told.
func (l *lines) write() {
	if len(l.waiting) > 0 {
		_, _ = l.w.Write(l.waiting)
		l.waiting = l.waiting[:0]
	}
}
