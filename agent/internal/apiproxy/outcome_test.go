package apiproxy_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/apiproxy"
	"oauth-agent/agent/internal/session"
)

// what is told of one request for a route.
type what struct {
	route   string
	outcome apiproxy.Outcome
}

// Each request for a route is told once, when it is over.
func TestOutcomes(t *testing.T) {
	began, hang := make(chan bool), make(chan bool)
	api := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/404":
			w.WriteHeader(http.StatusNotFound)
		case "/api/reset":
			panic(http.ErrAbortHandler)
		case "/api/breaks":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "the beginning")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/api/endless":
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		case "/api/waits":
			began <- true
			<-r.Context().Done()
		case "/hangs/x":
			<-hang
		}
	})
	t.Cleanup(func() { close(hang) }) // before the upstream waits for its handlers
	told, sent := make(chan what, 9), make(chan int, 9)
	w := newWorld(t, []apiproxy.Route{
		{Path: "/api", Upstream: parse(t, api.URL), MaxBody: 10},
		{Path: "/hangs", Upstream: parse(t, api.URL), Timeout: 50 * time.Millisecond},
	},
		func(o *apiproxy.Options) {
			o.Passed = func(route string, outcome apiproxy.Outcome) { told <- what{route, outcome} }
			o.Sending = func(_ context.Context, route, method, host string, h http.Header) func(int) {
				if route != "/api" && route != "/hangs" || method == "" || host != parse(t, api.URL).Host || h["X-Request-Id"] != nil {
					t.Errorf("sending %s to %s for %s: %v", method, host, route, h)
				}
				h.Set("X-Request-Id", "ours")
				return func(status int) { sent <- status }
			}
		})
	b := w.login(t, session.Tokens{})
	for _, tt := range []struct {
		method, path, body string
		want               apiproxy.Outcome
		sent               int // -1: nothing was
	}{
		{"GET", "/api/x", "", apiproxy.Forwarded, 200},
		{"GET", "/api/404", "", apiproxy.Forwarded, 404},
		{"TRACE", "/api/x", "", apiproxy.Refused, -1},
		{"GET", "/api/%2e%2e/x", "", apiproxy.Refused, -1},
		{"POST", "/api/x", "more than ten bytes", apiproxy.Refused, -1},
		{"GET", "/api/reset", "", apiproxy.UpstreamError, 0},
		{"GET", "/hangs/x", "", apiproxy.UpstreamTimeout, 0},
		{"GET", "/api/breaks", "", apiproxy.UpstreamError, 200},
		{"GET", "/api/endless", "", apiproxy.ClientGone, 200},
		{"GET", "/api/waits", "", apiproxy.ClientGone, 0},
	} {
		ctx, leave := context.WithCancel(t.Context())
		r := w.request(t, b, tt.method, tt.path, strings.NewReader(tt.body)).WithContext(ctx)
		r.Header.Set("X-Request-Id", "forged")
		r.Close = true // or the client would try again what breaks off
		go func() {
			if tt.path == "/api/waits" {
				<-began
				leave()
			}
		}()
		if resp, err := w.server.Client().Transport.RoundTrip(r); err == nil {
			if tt.path != "/api/endless" {
				_, _ = io.Copy(io.Discard, resp.Body)
			}
			_ = resp.Body.Close()
		}
		leave()
		route := "/" + strings.Split(tt.path, "/")[1]
		if got := <-told; got != (what{route, tt.want}) {
			t.Errorf("%s %s: %v, want %s", tt.method, tt.path, got, tt.want)
		}
		select {
		case status := <-sent:
			if status != tt.sent {
				t.Errorf("%s %s: sent with status %d, want %d", tt.method, tt.path, status, tt.sent)
			}
		default:
			if tt.sent != -1 {
				t.Errorf("%s %s: not told that it was sent", tt.method, tt.path)
			}
		}
		for _, a := range api.take() {
			if got := a.header["X-Request-Id"]; len(got) != 1 || got[0] != "ours" {
				t.Errorf("%s: the upstream saw %q", tt.path, got)
			}
		}
	}
	select {
	case more := <-told:
		t.Errorf("told twice: %v", more)
	default:
	}
}
