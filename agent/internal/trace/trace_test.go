package trace_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"oauth-agent/agent/internal/trace"
)

const (
	parentID = "0af7651916cd43dd8448eb211c80319c"
	parent   = "00-" + parentID + "-b7ad6b7169203331-01"
)

var sent = regexp.MustCompile(`^00-([0-9a-f]{32})-([0-9a-f]{16})-0([0-3])$`)

// pass serves a request with these headers and gives those of a request that it
// causes, which had a stale context before.
func pass(t *testing.T, tracer *trace.Tracer, in http.Header) (id string, out http.Header) {
	t.Helper()
	ctx, served := tracer.Serve(context.Background(), in, false)
	out = http.Header{"Traceparent": {"stale"}, "Tracestate": {"stale=1"}, "Accept": {"*/*"}}
	ctx, span := tracer.Call(ctx, out)
	span.End(trace.Result{Name: "call", Status: 200})
	served.End(trace.Result{Name: "served", Status: 200})
	if out.Get("Accept") != "*/*" || !sent.MatchString(out.Get("Traceparent")) {
		t.Fatalf("sent %v", out)
	}
	return trace.ID(ctx), out
}

func TestContextIsPassedOn(t *testing.T) {
	id, out := pass(t, &trace.Tracer{}, http.Header{"Traceparent": {parent}, "Tracestate": {"a=1", "b=2"}})
	got := sent.FindStringSubmatch(out.Get("Traceparent"))
	if id != parentID || got[1] != parentID || got[2] == "b7ad6b7169203331" || got[3] != "1" {
		t.Errorf("trace %s, sent %q", id, out.Get("Traceparent"))
	}
	if out.Get("Tracestate") != "a=1,b=2" {
		t.Errorf("state %q", out.Get("Tracestate"))
	}
}

func TestStrangeContextBeginsANewTrace(t *testing.T) {
	for name, h := range map[string]http.Header{
		"none":            {},
		"zeros":           {"Traceparent": {"00-00000000000000000000000000000000-b7ad6b7169203331-01"}},
		"no span":         {"Traceparent": {"00-" + parentID + "-0000000000000000-01"}},
		"upper case":      {"Traceparent": {strings.ToUpper(parent)}},
		"version ff":      {"Traceparent": {"ff" + parent[2:]}},
		"too long":        {"Traceparent": {parent + "-x"}},
		"10 KB":           {"Traceparent": {strings.Repeat("0", 10<<10)}},
		"a line break":    {"Traceparent": {parent + "\r\nX: y"}},
		"two of them":     {"Traceparent": {parent, parent}},
		"a state alone":   {"Tracestate": {"a=1"}},
		"another charset": {"Traceparent": {"00-" + strings.Repeat("é", 16) + "-b7ad6b7169203331-01"}},
	} {
		id, out := pass(t, &trace.Tracer{}, h)
		if id == parentID || len(id) != 32 || strings.Trim(id, "0") == "" {
			t.Errorf("%s: trace %q", name, id)
		}
		if _, ok := out["Tracestate"]; ok {
			t.Errorf("%s: state %q", name, out["Tracestate"])
		}
	}
	one, _ := pass(t, &trace.Tracer{}, nil)
	if two, _ := pass(t, &trace.Tracer{}, nil); one == two {
		t.Errorf("two requests have one trace: %s", one)
	}
}

func TestStateIsBounded(t *testing.T) {
	for _, state := range [][]string{{"a=" + strings.Repeat("x", 600)}, {strings.Repeat("a=1,", 200)}, {"a=1", strings.Repeat("b", 600)}, {"a=\x01"}} {
		id, out := pass(t, &trace.Tracer{}, http.Header{"Traceparent": {parent}, "Tracestate": state})
		if id != parentID || out["Tracestate"] != nil {
			t.Errorf("%.20q: trace %s, state %.60q", state, id, out["Tracestate"])
		}
	}
}

func TestOutsideARequestThereIsNoTrace(t *testing.T) {
	h := http.Header{}
	ctx, span := (&trace.Tracer{}).Call(context.Background(), h)
	span.End(trace.Result{})
	if trace.ID(ctx) != "" || len(h) != 0 {
		t.Errorf("trace %q, %v", trace.ID(ctx), h)
	}
	if err := (&trace.Tracer{}).Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// Whatever comes, what goes on is a context of the standard's form.
func FuzzContext(f *testing.F) {
	f.Add(parent, "a=1")
	f.Add("00-", "")
	f.Add(strings.ToUpper(parent), "a=1,b=2")
	f.Fuzz(func(t *testing.T, traceparent, tracestate string) {
		id, out := pass(t, &trace.Tracer{}, http.Header{"Traceparent": {traceparent}, "Tracestate": {tracestate}})
		if len(id) != 32 || len(out.Get("Tracestate")) > 512 || strings.ContainsAny(out.Get("Tracestate"), "\r\n") {
			t.Errorf("trace %q, state %q", id, out.Get("Tracestate"))
		}
	})
}
