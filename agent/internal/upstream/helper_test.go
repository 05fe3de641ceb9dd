package upstream_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/upstream"
	"oauth-agent/test/double"
)

const (
	www        = "https://www.example.com"
	csrfHeader = "X-Example-Csrf"
	csrf       = "a-csrf-token"
	token      = "an-access-token"
	// ownCookies are the agent's, as the page of a logged-in user sends them.
	ownCookies = "example-at=sealed; example-csrf=sealed"
)

func parse(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// world is a forwarder behind a server that has decided: every request goes up,
// with auth, to the target that is named by the first segment of its path.
type world struct {
	forwarder *upstream.Forwarder
	targets   map[string]*upstream.Upstream
	auth      upstream.Authorization
	server    *httptest.Server
	render    *httperr.Renderer
	log       *double.Log
	now       time.Time
}

type option func(*upstream.Options)

func newWorld(t testing.TB, targets []upstream.Target, options ...option) *world {
	t.Helper()
	w := buildWorld(t, targets, options...)
	w.server = httptest.NewServer(w)
	t.Cleanup(w.server.Close)
	return w
}

func buildWorld(t testing.TB, targets []upstream.Target, options ...option) *world {
	t.Helper()
	w := &world{
		log: &double.Log{}, now: time.Unix(1_800_000_000, 0), targets: map[string]*upstream.Upstream{},
		auth: upstream.Authorization{Token: secret.New(token)},
	}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	w.render = &httperr.Renderer{Log: log}
	opt := upstream.Options{
		Render: w.render, OwnsCookie: cookie.Policy{NamePrefix: "example", BasePath: "/"}.Owns, PrivateHeader: csrfHeader,
		Transports: upstream.NewTransportPool(0, nil), Log: log, Clock: func() time.Time { return w.now },
	}
	for _, o := range options {
		o(&opt)
	}
	var err error
	if w.forwarder, err = upstream.New(opt); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opt.Transports.CloseIdle)
	for _, target := range targets {
		w.targets[target.Name] = w.forwarder.Upstream(target)
	}
	return w
}

// ServeHTTP does what the proxy around a forwarder does: CORS, and errors.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Origin") == www {
		rw.Header().Set("Access-Control-Allow-Origin", www)
		rw.Header().Set("Access-Control-Allow-Credentials", "true")
	}
	name := "/" + strings.Split(r.URL.Path, "/")[1]
	auth := w.auth
	if name == "/public" {
		auth = upstream.Authorization{}
	}
	if err := w.targets[name].Forward(rw, r, r.URL.EscapedPath(), auth); err != nil {
		upstream.AbandonBody(rw, r)
		rw.Header().Set("Cache-Control", "no-store")
		w.render.Write(rw, r, err)
	}
}

// request is one of a page of the SPA, with its session.
func (w *world) request(t testing.TB, method, path string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, w.server.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", www)
	r.Header.Set(csrfHeader, csrf)
	r.Header.Set("Cookie", ownCookies)
	return r
}

func (w *world) do(t testing.TB, r *http.Request) *http.Response {
	t.Helper()
	resp, err := w.server.Client().Transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// rawGet is the text of a GET by the SPA for a request target as it stands.
func rawGet(target string) string {
	return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: www.example.com\r\nOrigin: %s\r\nCookie: %s\r\nConnection: close\r\n\r\n",
		target, www, ownCookies)
}

func (w *world) addr() string { return w.server.Listener.Addr().String() }
