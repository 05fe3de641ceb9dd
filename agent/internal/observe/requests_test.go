package observe_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/clientip"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/observe"
	"oauth-agent/agent/internal/trace"
)

func trusting(prefixes ...string) (out clientip.Proxies) {
	for _, p := range prefixes {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// requestID sends a request with such a header and gives the identifier that it
// has then: in the answer, to its handler, and in the log.
func requestID(t *testing.T, proxies clientip.Proxies, told ...string) string {
	t.Helper()
	l := &log{}
	var seen string
	o := &observe.Requests{
		Log: observe.OfRequests(l.logger()), Clock: time.Now, Metrics: observe.NewMetrics(), Tracer: &trace.Tracer{},
		Proxies: proxies, Lines: true,
	}
	h := o.Watch(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = observe.RequestID(r.Context()) }))
	r := httptest.NewRequest("GET", "/", nil)
	if told != nil {
		r.Header["X-Request-Id"] = told
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if got := w.Header()["X-Request-Id"]; len(got) != 1 || got[0] != seen || !strings.Contains(l.buf.String(), `"request_id":"`+seen+`"`) {
		t.Errorf("told %.50q: handler %q, answer %q, log %s", told, seen, got, l.buf.String())
	}
	return seen
}

func TestRequestIDOfATrustedProxy(t *testing.T) {
	for _, id := range []string{"a", "A-Z_a.z-0123", strings.Repeat("x", 128)} {
		if got := requestID(t, trusting("192.0.2.0/24"), id); got != id {
			t.Errorf("%q became %q", id, got)
		}
	}
}

func TestRequestIDIsMadeWhereNobodyIsBelieved(t *testing.T) {
	proxies := trusting("192.0.2.0/24")
	seen := map[string]bool{}
	for name, got := range map[string]string{
		"none":               requestID(t, proxies),
		"a stranger's":       requestID(t, trusting("198.51.100.0/24"), "stranger"),
		"no proxies at all":  requestID(t, nil, "stranger"),
		"a line break":       requestID(t, proxies, "a\nlevel=ERROR"),
		"a return":           requestID(t, proxies, "a\rb"),
		"a control":          requestID(t, proxies, "a\x1b[31m"),
		"a zero":             requestID(t, proxies, "a\x00"),
		"10 KB":              requestID(t, proxies, strings.Repeat("x", 10<<10)),
		"129 characters":     requestID(t, proxies, strings.Repeat("x", 129)),
		"empty":              requestID(t, proxies, ""),
		"a space":            requestID(t, proxies, "a b"),
		"a quote":            requestID(t, proxies, `a"b`),
		"no ASCII":           requestID(t, proxies, "é"),
		"two of them":        requestID(t, proxies, "a", "b"),
		"two of them in one": requestID(t, proxies, "a, b"),
	} {
		if len(got) != 32 || strings.Trim(got, "0123456789abcdef") != "" || seen[got] {
			t.Errorf("%s: %q", name, got)
		}
		seen[got] = true
	}
}

func TestClientAddress(t *testing.T) {
	for _, on := range []bool{true, false} {
		l := &log{}
		o := &observe.Requests{
			Log: observe.OfRequests(l.logger()), Clock: time.Now, Metrics: observe.NewMetrics(), Tracer: &trace.Tracer{},
			Proxies: trusting("192.0.2.0/24"), Lines: true, ClientAddress: on,
		}
		render := &httperr.Renderer{Log: o.Log, Note: o.Metrics.Note}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		o.Watch(render.Handle(func(http.ResponseWriter, *http.Request) error {
			return httperr.Unauthorized("no", nil).Because(httperr.ReasonOrigin)
		})).ServeHTTP(httptest.NewRecorder(), r)
		records := l.records(t)
		if len(records) != 2 || records[0]["msg"] != "security" || records[0]["event"] != "refused" || records[0]["reason"] != "origin" {
			t.Fatalf("%v", records)
		}
		for _, rec := range records {
			if want := map[bool]any{true: "203.0.113.9", false: nil}[on]; rec["client"] != want {
				t.Errorf("on %v: %v", on, rec)
			}
		}
	}
}

// Without lines, requests are counted all the same.
func TestWithoutLines(t *testing.T) {
	l, m := &log{}, observe.NewMetrics()
	o := &observe.Requests{Log: l.logger(), Clock: ticking(time.Second), Metrics: m, Tracer: &trace.Tracer{}}
	inside := ""
	h := o.Watch(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		observe.Of(r.Context()).Route = "/x"
		inside = value(t, m, "http_requests_in_flight")
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("CANARY", "/", nil))
	if got := value(t, m, `http_request_duration_seconds_count{method="OTHER",route="/x",status="200"}`); got != "1" || inside != "1" || l.buf.Len() != 0 {
		t.Errorf("counted %q, in flight %q, log %s", got, inside, l.buf.String())
	}
}

func TestEvents(t *testing.T) {
	key := []byte(strings.Repeat("\xab", 32))
	// By: printf '%s\0%s' https://as.example.com 12345 | openssl dgst -sha256 -mac HMAC -macopt hexkey:abab…
	const hash = "962ab21d8597de304929319d0d29f4b6"
	for _, tt := range []struct {
		name    string
		key     []byte
		happens func(e *observe.Events)
		want    map[string]any
	}{
		{"a login begins", key, func(e *observe.Events) { e.LoginStarted(t.Context()) }, map[string]any{"event": "login_started"}},
		{"a login ends", key, func(e *observe.Events) { e.LoginCompleted(t.Context(), "https://as.example.com", "12345") },
			map[string]any{"event": "login_completed", "subject": hash}},
		{"without a key", nil, func(e *observe.Events) { e.LoginCompleted(t.Context(), "https://as.example.com", "12345") },
			map[string]any{"event": "login_completed"}},
		{"without a subject", key, func(e *observe.Events) { e.LoginCompleted(t.Context(), "", "") }, map[string]any{"event": "login_completed"}},
		{"a refresh", key, func(e *observe.Events) { e.Refreshed(t.Context(), "exchanged", "https://as.example.com", "12345") },
			map[string]any{"event": "refreshed", "outcome": "exchanged", "subject": hash}},
		{"a logout", key, func(e *observe.Events) { e.LoggedOut(t.Context(), "https://as.example.com", "12345") },
			map[string]any{"event": "logout", "subject": hash}},
	} {
		l := &log{}
		tt.happens(&observe.Events{Log: l.logger(), Metrics: observe.NewMetrics(), SubjectKey: tt.key})
		records := l.records(t)
		tt.want["level"], tt.want["msg"] = "INFO", "security"
		if len(records) != 1 || len(records[0]) != len(tt.want) {
			t.Fatalf("%s: %v", tt.name, records)
		}
		for k, want := range tt.want {
			if records[0][k] != want {
				t.Errorf("%s: %s is %v, want %v", tt.name, k, records[0][k], want)
			}
		}
	}
	l := &log{}
	(&observe.Events{Log: l.logger(), Metrics: observe.NewMetrics()}).Refreshed(t.Context(), "unavailable", "", "")
	if l.buf.Len() != 0 {
		t.Errorf("a failure is told where it is answered: %s", l.buf.String())
	}
}

// Whatever a trusted proxy sends, the identifier can stand in any log and header.
func FuzzRequestID(f *testing.F) {
	for _, seed := range []string{"", "a", "a\nb", "é", strings.Repeat("x", 129)} {
		f.Add(seed)
	}
	o := &observe.Requests{
		Log: slog.New(slog.DiscardHandler), Clock: time.Now, Metrics: observe.NewMetrics(), Tracer: &trace.Tracer{},
		Proxies: trusting("192.0.2.0/24"),
	}
	h := o.Watch(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	f.Fuzz(func(t *testing.T, told string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["X-Request-Id"] = []string{told}
		r.Header["Traceparent"] = []string{told}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		id := w.Header().Get("X-Request-Id")
		const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
		if len(id) < 1 || len(id) > 128 || strings.Trim(id, plain) != "" {
			t.Errorf("%q became %q", told, id)
		}
	})
}
