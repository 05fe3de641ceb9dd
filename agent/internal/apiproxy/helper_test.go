package apiproxy_test

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

	"oauth-agent/agent/internal/apiproxy"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/middleware"
	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
	"oauth-agent/agent/internal/upstream"
	"oauth-agent/test/double"
)

const (
	www        = "https://www.example.com"
	csrfHeader = "X-Example-Csrf"
	token      = "an-access-token"
)

func parse(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// world is the proxy under test with what it needs.
type world struct {
	proxy     *apiproxy.Proxy
	forwarder *upstream.Forwarder
	server    *httptest.Server
	store     *session.Store
	jar       *cookie.Jar
	origins   *middleware.Origins
	log       *double.Log
	now       time.Time
}

// settings are the options of both rooms that an API call passes.
type settings struct {
	apiproxy.Options
	upstream upstream.Options
}

type option func(*settings)

func newWorld(t testing.TB, routes []apiproxy.Route, options ...option) *world {
	t.Helper()
	w := buildWorld(t, routes, options...)
	w.server = httptest.NewServer(w.surface())
	t.Cleanup(w.server.Close)
	return w
}

func buildWorld(t testing.TB, routes []apiproxy.Route, options ...option) *world {
	t.Helper()
	ring, err := seal.NewRing([]secret.String{secret.New(strings.Repeat("ab", 32))})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{log: &double.Log{}, now: time.Unix(1_800_000_000, 0)}
	policy := cookie.Policy{NamePrefix: "example", BasePath: "/"}
	w.jar = cookie.NewJar(policy, ring, 0)
	clock := func() time.Time { return w.now }
	w.store = session.NewStore(w.jar, 0, clock)
	w.origins = middleware.NewOrigins([]string{www}, true)
	log := slog.New(slog.NewTextHandler(w.log, nil))
	render := &httperr.Renderer{Log: log}
	transports := upstream.NewTransportPool(0, nil)
	opt := settings{
		Options: apiproxy.Options{
			Store: w.store, Origins: w.origins, CSRFHeader: csrfHeader, BasePath: "/oauth-agent",
			Render: render, Log: log, Clock: clock,
		},
		upstream: upstream.Options{
			Render: render, OwnsCookie: policy.Owns, PrivateHeader: csrfHeader, Transports: transports, Log: log, Clock: clock,
		},
	}
	for _, o := range options {
		o(&opt)
	}
	if opt.Forwarder, err = upstream.New(opt.upstream); err != nil {
		t.Fatal(err)
	}
	w.forwarder = opt.Forwarder
	w.proxy, err = apiproxy.New(routes, opt.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transports.CloseIdle)
	return w
}

// cors adds the CORS headers of forward auth.
func (w *world) cors(next http.Handler) http.Handler { return w.origins.CORS(nil)(next) }

// surface is the public port: CORS around the proxy, 404 for the rest.
func (w *world) surface() http.Handler {
	return w.origins.CORS(w.proxy.Allows)(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.proxy.Route(r) == "" {
			http.NotFound(rw, r)
			return
		}
		w.proxy.ServeHTTP(rw, r)
	}))
}

// browser is a logged-in user's cookies and CSRF token.
type browser struct {
	cookies []*http.Cookie
	csrf    string
}

func (b browser) header() string {
	var pairs []string
	for _, c := range b.cookies {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

func (w *world) login(t testing.TB, tokens session.Tokens) browser {
	t.Helper()
	if tokens.Access.Empty() {
		tokens.Access = secret.New(token)
	}
	rec := httptest.NewRecorder()
	csrf, err := w.store.Start(rec, cookie.Read(httptest.NewRequest("GET", "/", nil)), tokens, session.NewSeed(), secret.String{})
	if err != nil {
		t.Fatal(err)
	}
	return browser{rec.Result().Cookies(), csrf.Reveal()}
}

// request is one of a page of the SPA, with its session.
func (w *world) request(t testing.TB, b browser, method, path string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, w.server.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", www)
	if b.csrf != "" {
		r.Header.Set(csrfHeader, b.csrf)
		r.Header.Set("Cookie", b.header())
	}
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
func rawGet(b browser, target string, lines ...string) string {
	return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: www.example.com\r\nOrigin: %s\r\nCookie: %s\r\nConnection: close\r\n%s\r\n",
		target, www, b.header(), strings.Join(append(lines, ""), "\r\n"))
}

func (w *world) addr() string { return w.server.Listener.Addr().String() }

func renderer() *httperr.Renderer { return &httperr.Renderer{Log: slog.New(slog.DiscardHandler)} }
