package observe_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/trace"
)

// answering is a ResponseWriter that costs nothing.
type answering struct{ h http.Header }

func (a answering) Header() http.Header         { return a.h }
func (a answering) Write(b []byte) (int, error) { return len(b), nil }
func (a answering) WriteHeader(int)             {}

// BenchmarkWatch is what watching adds to a request: metrics, request id and
// trace context, alone and with a line in the log (to /dev/null, so that the
// system call counts), and with spans.
func BenchmarkWatch(b *testing.B) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer collector.Close()
	for _, bb := range []struct {
		name   string
		w      io.Writer
		format string
		parent string
		spans  bool
	}{
		{"counted", nil, "text", "", false},
		{"counted, in the caller's trace", nil, "text", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
		{"text", null, "text", "", false},
		{"json", null, "json", "", false},
		{"spans", nil, "text", "", true},
	} {
		b.Run(bb.name, func(b *testing.B) {
			tracer := &trace.Tracer{}
			if bb.spans {
				tracer = trace.New(trace.Config{Endpoint: collector.URL, SampleRatio: 1, Service: "bench"}, trace.Options{})
				defer func() { _ = tracer.Close(b.Context()) }()
			}
			o := &observe.Requests{Clock: time.Now, Metrics: observe.NewMetrics(), Tracer: tracer, Lines: bb.w != nil, Log: slog.New(slog.DiscardHandler)}
			if bb.w != nil {
				o.Log = observe.OfRequests(observe.NewLogger(bb.w, "info", bb.format))
			}
			out := http.Header{}
			h := o.Watch(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				observe.Of(r.Context()).Route = "/api/"
				w.WriteHeader(http.StatusOK)
				_, span := tracer.Call(r.Context(), out)
				span.End(trace.Result{Name: "upstream of /api/", Status: 200})
			}))
			r := httptest.NewRequest("GET", "/api/orders", nil)
			if bb.parent != "" {
				r.Header.Set("Traceparent", bb.parent)
			}
			w := answering{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}
