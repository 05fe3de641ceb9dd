package upstream_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/upstream"
	"oauth-agent/test/double"
)

// done is what was reported of one request.
type done struct {
	target  string
	outcome upstream.Outcome
}

// observer passes on what is reported, and sets the identifier of each request.
type observer struct {
	t    *testing.T
	host string
	done chan done
	sent chan int
}

// Sending implements [upstream.Observer].
func (o observer) Sending(_ context.Context, target, method, host string, h http.Header) func(int) {
	if target != "/api" && target != "/hangs" || method == "" || host != o.host || h["X-Request-Id"] != nil {
		o.t.Errorf("sending %s to %s for %s: %v", method, host, target, h)
	}
	h.Set("X-Request-Id", "ours")
	return func(status int) { o.sent <- status }
}

// Done implements [upstream.Observer].
func (o observer) Done(target string, outcome upstream.Outcome) { o.done <- done{target, outcome} }

// Each request is reported once, when it is over.
func TestOutcomes(t *testing.T) {
	began, hang := make(chan bool), make(chan bool)
	api := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) {
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
	watch := observer{t, parse(t, api.URL).Host, make(chan done, 9), make(chan int, 9)}
	w := newWorld(t, []upstream.Target{
		{Name: "/api", URL: parse(t, api.URL), MaxBody: 10},
		{Name: "/hangs", URL: parse(t, api.URL), Timeout: 50 * time.Millisecond},
	}, func(o *upstream.Options) { o.Observer = watch })
	for _, tt := range []struct {
		method, path, body string
		want               upstream.Outcome
		sent               int
	}{
		{"GET", "/api/x", "", upstream.Forwarded, 200},
		{"GET", "/api/404", "", upstream.Forwarded, 404},
		{"POST", "/api/x", "more than ten bytes", upstream.Refused, 0},
		{"GET", "/api/reset", "", upstream.UpstreamError, 0},
		{"GET", "/hangs/x", "", upstream.UpstreamTimeout, 0},
		{"GET", "/api/breaks", "", upstream.UpstreamError, 200},
		{"GET", "/api/endless", "", upstream.ClientGone, 200},
		{"GET", "/api/waits", "", upstream.ClientGone, 0},
	} {
		ctx, leave := context.WithCancel(t.Context())
		var body io.Reader
		if tt.body != "" {
			body = io.MultiReader(strings.NewReader(tt.body)) // in chunks: its length is not known before
		}
		r := w.request(t, tt.method, tt.path, body).WithContext(ctx)
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
		target := "/" + strings.Split(tt.path, "/")[1]
		if got := <-watch.done; got != (done{target, tt.want}) {
			t.Errorf("%s %s: %v, want %s", tt.method, tt.path, got, tt.want)
		}
		select {
		case status := <-watch.sent:
			if status != tt.sent {
				t.Errorf("%s %s: sent with status %d, want %d", tt.method, tt.path, status, tt.sent)
			}
		default:
			t.Errorf("%s %s: it was not reported that it was sent", tt.method, tt.path)
		}
		for _, a := range api.Take() {
			if got := a.Header["X-Request-Id"]; len(got) != 1 || got[0] != "ours" {
				t.Errorf("%s: the upstream saw %q", tt.path, got)
			}
		}
	}
	select {
	case more := <-watch.done:
		t.Errorf("reported twice: %v", more)
	default:
	}
}
