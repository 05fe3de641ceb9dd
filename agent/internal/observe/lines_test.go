package observe_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oauth-agent/agent/internal/observe"
)

// writes are those that a log has made.
type writes struct {
	mu  sync.Mutex
	all []string
}

func (w *writes) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, string(p))
	return len(p), nil
}

// take gives how many lines each write had since the last call.
func (w *writes) take() (out []int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, text := range w.all {
		out = append(out, strings.Count(text, "\n"))
	}
	w.all = nil
	return out
}

func TestLinesOfRequestsWaitForOneAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writes{}
		base := observe.NewLogger(w, "info", "json")
		for name, log := range map[string]*slog.Logger{
			"plain": base, "of requests": observe.OfRequests(base), "with": base.With("a", 1), "grouped": base.WithGroup("g"),
		} {
			expect := func(what string, want ...int) {
				t.Helper()
				if got := w.take(); len(got) != len(want) || len(want) > 0 && got[0] != want[0] {
					t.Errorf("%s, %s: writes of %v lines, want %v", name, what, got, want)
				}
			}
			log.Info("request")
			log.Info("request")
			expect("at first")
			time.Sleep(150 * time.Millisecond)
			expect("a moment later", 2)
			log.Info("request")
			log.Info("security")
			expect("before another line", 2)
			log.Error("request")
			expect("an error", 1)
			log.Info("request")
			observe.Flush(log)
			expect("flushed", 1)
			time.Sleep(150 * time.Millisecond)
			expect("nothing is left")
			for range 1000 {
				log.Info("request")
			}
			if got := w.take(); len(got) < 3 || len(got) > 20 {
				t.Errorf("%s: many: writes of %v lines", name, got)
			}
			time.Sleep(150 * time.Millisecond)
			w.take()
		}
		observe.Flush(slog.New(slog.DiscardHandler))
	})
}

// At the end nobody is there to write what waits.
func TestFinishedLogsWait(t *testing.T) {
	w := &writes{}
	log := observe.OfRequests(observe.NewLogger(w, "info", "json"))
	log.Info("request")
	observe.Finish(log)
	log.Info("request")
	log.With("a", 1).Info("request")
	if got := w.take(); len(got) != 3 {
		t.Errorf("writes of %v lines", got)
	}
	observe.Finish(slog.New(slog.DiscardHandler))
}
