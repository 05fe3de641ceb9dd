package trace_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"oauth-agent/agent/internal/trace"
)

// collector decodes what it is sent.
type collector struct {
	*httptest.Server
	mu       sync.Mutex
	spans    []*tracepb.Span
	services []string
	status   int
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{status: http.StatusOK}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var data tracepb.TracesData
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(body, &data) != nil {
			t.Errorf("sent: %s %v, %v", r.Method, r.Header, err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if w.WriteHeader(c.status); c.status != http.StatusOK {
			return
		}
		for _, rs := range data.ResourceSpans {
			for _, a := range rs.Resource.Attributes {
				if a.Key == "service.name" {
					c.services = append(c.services, a.Value.GetStringValue())
				}
			}
			for _, ss := range rs.ScopeSpans {
				c.spans = append(c.spans, ss.Spans...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) answer(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}

func (c *collector) byName() map[string]*tracepb.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]*tracepb.Span{}
	for _, s := range c.spans {
		out[s.Name] = s
	}
	return out
}

func (c *collector) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.spans)
}

func exporter(endpoint string, ratio float64, log io.Writer) *trace.Tracer {
	if log == nil {
		log = io.Discard
	}
	return trace.New(trace.Config{Endpoint: endpoint, SampleRatio: ratio, Service: "shop", Version: "1.2.3"},
		trace.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
}

func closed(t *testing.T, tracer *trace.Tracer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := tracer.Close(ctx); err != nil {
		t.Error(err)
	}
}

func TestSpansReachTheCollector(t *testing.T) {
	c := newCollector(t)
	tracer := exporter(c.URL, 1, nil)
	ctx, served := tracer.Serve(context.Background(), http.Header{"Traceparent": {parent}}, false)
	h := http.Header{}
	_, call := tracer.Call(ctx, h)
	call.End(trace.Result{Name: "authorization server token", Method: "POST", Host: "as.example.com", Status: 503})
	served.End(trace.Result{Name: "POST /refresh", Method: "POST", Route: "/refresh", Status: 502, Code: "authorization_server_error", RequestID: "r1"})
	served.End(trace.Result{Name: "twice"})
	closed(t, tracer)

	spans := c.byName()
	server, client := spans["POST /refresh"], spans["authorization server token"]
	if len(spans) != 2 || server == nil || client == nil || c.services[0] != "shop" {
		t.Fatalf("spans %v of %v", spans, c.services)
	}
	sentID := sent.FindStringSubmatch(h.Get("Traceparent"))
	if got := hex.EncodeToString(server.TraceId); got != parentID || hex.EncodeToString(client.TraceId) != parentID {
		t.Errorf("trace %s", got)
	}
	if hex.EncodeToString(server.ParentSpanId) != "b7ad6b7169203331" || !bytes.Equal(client.ParentSpanId, server.SpanId) || hex.EncodeToString(client.SpanId) != sentID[2] {
		t.Errorf("parents %x %x, sent %v", server.ParentSpanId, client.ParentSpanId, sentID)
	}
	if server.Kind != tracepb.Span_SPAN_KIND_SERVER || client.Kind != tracepb.Span_SPAN_KIND_CLIENT ||
		server.Status.GetCode() != tracepb.Status_STATUS_CODE_ERROR || server.Status.Message != "authorization_server_error" {
		t.Errorf("%v %v %v", server.Kind, client.Kind, server.Status)
	}
	want := "http.request.method=POST http.route=/refresh error.type=authorization_server_error oauth_agent.request_id=r1 http.response.status_code=502"
	if got := attributes(server); got != want {
		t.Errorf("attributes %s", got)
	}
}

func attributes(s *tracepb.Span) string {
	var out []string
	for _, a := range s.Attributes {
		value := a.Value.GetStringValue()
		if value == "" {
			value = strconv.FormatInt(a.Value.GetIntValue(), 10)
		}
		out = append(out, a.Key+"="+value)
	}
	return strings.Join(out, " ")
}

// A browser may name its trace; whether we export is not its to say.
func TestOnlyATrustedCallerDecidesOnExport(t *testing.T) {
	unsampled := parent[:len(parent)-1] + "0"
	for _, tt := range []struct {
		name, parent string
		trusted      bool
		ratio        float64
		want         int
	}{
		{"a browser asks for it", parent, false, 0, 0},
		{"a gateway asks for it", parent, true, 0, 1},
		{"a browser asks for none", unsampled, false, 1, 1},
		{"a gateway asks for none", unsampled, true, 1, 0},
		{"nobody says", "", true, 1, 1},
		{"nobody says, and the ratio is zero", "", true, 0, 0},
	} {
		c := newCollector(t)
		tracer := exporter(c.URL, tt.ratio, nil)
		h := http.Header{}
		if tt.parent != "" {
			h.Set("Traceparent", tt.parent)
		}
		ctx, span := tracer.Serve(context.Background(), h, tt.trusted)
		out := http.Header{}
		_, call := tracer.Call(ctx, out)
		if trace.ID(ctx) == "" || !sent.MatchString(out.Get("Traceparent")) {
			t.Errorf("%s: no context", tt.name)
		}
		call.End(trace.Result{Name: "call", Status: 200})
		span.End(trace.Result{Name: "served", Status: 200})
		closed(t, tracer)
		if got := len(c.byName()); got != 2*tt.want {
			t.Errorf("%s: %d spans", tt.name, got)
		}
	}
}

// The usual samplers look at the identifier of the trace, and a browser can choose one
// that they always take, or never.
func TestNoTraceIsChosenByItsName(t *testing.T) {
	for _, id := range []string{"aaaaaaaaaaaaaaaa0000000000000001", "ffffffffffffffffffffffffffffffff"} {
		c := newCollector(t)
		tracer := exporter(c.URL, 0.5, nil)
		for range 400 {
			h := http.Header{"Traceparent": {"00-" + id + "-00f067aa0ba902b7-01"}}
			_, span := tracer.Serve(context.Background(), h, false)
			span.End(trace.Result{Name: "served", Status: 200})
		}
		closed(t, tracer)
		if n := c.count(); n < 100 || n > 300 { // ten standard deviations
			t.Errorf("%s: %d of 400 are exported", id, n)
		}
	}
}

// requests are served by a tracer, many more than it can keep; it returns when
// all have ended.
func requests(tracer *trace.Tracer) {
	for range 20_000 {
		_, span := tracer.Serve(context.Background(), nil, false)
		span.End(trace.Result{Name: "GET /", Status: 200})
	}
}

func TestACollectorThatIsDownCostsNothing(t *testing.T) {
	var log bytes.Buffer
	tracer := exporter("http://127.0.0.1:1/v1/traces", 1, &log)
	requests(tracer)
	closed(t, tracer)
	if n := strings.Count(log.String(), "spans are not exported"); n != 1 {
		t.Errorf("told %d times: %s", n, log.String())
	}
}

// One that takes everything and answers nothing holds up neither requests nor the
// end of the process.
func TestACollectorThatHangsHoldsUpNothing(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer srv.Close()
	defer close(release)
	tracer := exporter(srv.URL, 1, nil)
	requests(tracer)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := tracer.Close(ctx); err == nil {
		t.Error("it was sent after all")
	}
}

func TestRefusedSpansAreTold(t *testing.T) {
	c := newCollector(t)
	var log bytes.Buffer
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusFound, http.StatusBadRequest} {
		c.answer(status)
		tracer := exporter(c.URL, 1, &log)
		_, span := tracer.Serve(context.Background(), nil, false)
		span.End(trace.Result{Name: "x", Status: 200})
		closed(t, tracer)
	}
	if n := strings.Count(log.String(), "the collector answered with status"); n != 3 {
		t.Errorf("told %d times: %s", n, log.String())
	}
}
