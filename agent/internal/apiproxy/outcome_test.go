package apiproxy_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"oauth-agent/agent/internal/apiproxy"
	"oauth-agent/agent/internal/session"
	"oauth-agent/agent/internal/upstream"
	"oauth-agent/test/double"
)

// observer records what both rooms report.
type observer struct{ done, refused chan string }

// Sending implements [upstream.Observer].
func (o observer) Sending(_ context.Context, _, _, _ string, h http.Header) func(int) {
	h.Set("X-Request-Id", "ours")
	return nil
}

// Done implements [upstream.Observer].
func (o observer) Done(target string, outcome upstream.Outcome) {
	o.done <- target + " " + string(outcome)
}

// Refused implements [apiproxy.Observer].
func (o observer) Refused(route string) { o.refused <- route }

// Each request for a route is reported once: as refused, or by what became of it
// when it went up.
func TestOutcomes(t *testing.T) {
	api := double.NewUpstream(t, nil)
	watch := observer{make(chan string, 9), make(chan string, 9)}
	w := newWorld(t, []apiproxy.Route{{Path: "/api", Upstream: parse(t, api.URL), MaxBody: 10}}, func(o *settings) {
		o.Observer, o.upstream.Observer = watch, watch
	})
	b := w.login(t, session.Tokens{})
	for _, tt := range []struct {
		method, path, body string
		forwarded          bool
	}{
		{"GET", "/api/x", "", true},
		{"POST", "/api/x", "ten bytes.", true},
		{"TRACE", "/api/x", "", false},
		{"GET", "/api/%2e%2e/x", "", false},
		{"POST", "/api/x", "more than ten bytes", false},
	} {
		r := w.request(t, b, tt.method, tt.path, strings.NewReader(tt.body))
		r.Header.Set("X-Request-Id", "forged")
		_ = double.Text(t, w.do(t, r))
		if tt.forwarded {
			if got := <-watch.done; got != "/api forwarded" {
				t.Errorf("%s %s: %s", tt.method, tt.path, got)
			}
			if got := api.One(t).Header["X-Request-Id"]; len(got) != 1 || got[0] != "ours" {
				t.Errorf("%s: the upstream saw %q", tt.path, got)
			}
		} else if got := <-watch.refused; got != "/api" {
			t.Errorf("%s %s: refused %q", tt.method, tt.path, got)
		}
	}
	if n, m := len(watch.done), len(watch.refused); n+m > 0 {
		t.Errorf("reported twice: %d, %d", n, m)
	}
	if got := api.Take(); len(got) > 0 {
		t.Errorf("arrived: %v", got)
	}
}
