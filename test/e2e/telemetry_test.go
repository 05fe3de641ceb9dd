package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"oauth-agent/agent"
)

// telemetry is what an operator sees of a world beside its log: spans, and what
// the admin listener answered last.
type telemetry struct {
	collector *httptest.Server

	mu    sync.Mutex
	spans []*tracepb.Span
	text  strings.Builder
}

func newTelemetry(t *testing.T) *telemetry {
	o := &telemetry{}
	o.collector = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var data tracepb.TracesData
		if err != nil || proto.Unmarshal(body, &data) != nil {
			t.Errorf("the collector was sent what it cannot read: %v", err)
			return
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		o.text.WriteString(prototext.Format(&data))
		for _, rs := range data.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				o.spans = append(o.spans, ss.Spans...)
			}
		}
	}))
	t.Cleanup(o.collector.Close)
	return o
}

// admin notes what the admin listener says.
func (o *telemetry) admin(a *agent.Server) {
	for _, path := range []string{"/livez", "/readyz", "/metrics", "/buildinfo", "/nothing"} {
		w := httptest.NewRecorder()
		a.Admin().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		o.mu.Lock()
		o.text.WriteString(w.Body.String())
		o.mu.Unlock()
	}
}

func (o *telemetry) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// metric is the value of one series of the first agent; empty: there is none.
func (w *world) metric(series string) string {
	w.t.Helper()
	out := httptest.NewRecorder()
	w.agents[0].Admin().ServeHTTP(out, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(out.Body.String()) {
		if rest, ok := strings.CutPrefix(line, "oauth_agent_"+series+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// securityLines are the events in the log, each as its text from "event=" on.
func (w *world) securityLines() (out []string) {
	for line := range strings.Lines(w.log.String()) {
		if _, rest, ok := strings.Cut(line, "msg=security "); ok {
			out = append(out, strings.TrimSpace(rest))
		}
	}
	return out
}
