// Package roomtest serves a handler room over HTTPS to browsers with cookies, for the
// tests of the room. It stands in for what the composition root puts around it: no
// origin, method or size is checked.
package roomtest

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/httproute"
	"oauth-agent/agent/internal/seal"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
	"oauth-agent/test/double"
)

const (
	// BasePath is that of the agent.
	BasePath = "/oauth-agent"
	// CSRFHeader is the header that brings the CSRF token.
	CSRFHeader = "X-Example-Csrf"
)

// Site is a room behind HTTPS, with what the room needs.
type Site struct {
	Origin   string
	Clock    *double.Clock // starts at the real time, by which sealed values age
	Log      *double.Log
	Logger   *slog.Logger
	Jar      *cookie.Jar
	Sessions session.Finder

	t     testing.TB
	mux   *http.ServeMux
	tls   *tls.Config // of a browser
	mu    sync.Mutex
	noted *httperr.Error
}

// New starts a site whose sessions live for an hour.
func New(t testing.TB) *Site {
	t.Helper()
	ring, err := seal.NewRing([]secret.String{secret.New(strings.Repeat("ab", 32))})
	if err != nil {
		t.Fatal(err)
	}
	s := &Site{t: t, Clock: double.NewClock(time.Now().Truncate(time.Second)), Log: &double.Log{}, mux: http.NewServeMux()}
	s.Logger = slog.New(slog.NewTextHandler(s.Log, nil))
	s.Jar = cookie.NewJar(cookie.Policy{NamePrefix: "example", BasePath: BasePath, Secure: true, Prefixes: true}, ring, time.Hour)
	s.Sessions = session.Finder{Store: session.NewStore(s.Jar, time.Hour, s.Clock.Now), CSRFHeader: CSRFHeader}
	server := httptest.NewTLSServer(s.mux)
	t.Cleanup(server.Close)
	s.Origin = server.URL
	s.tls = server.Client().Transport.(*http.Transport).TLSClientConfig
	return s
}

// Mount serves the routes of a room.
func (s *Site) Mount(routes []httproute.Route) {
	render := &httperr.Renderer{Log: s.Logger, Note: func(_ *http.Request, e *httperr.Error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.noted = e
	}}
	for _, rt := range routes {
		s.mux.Handle(BasePath+rt.Path, render.Handle(rt.Handler))
	}
}

// takeNoted returns the error of the last answer; nil: it was none.
func (s *Site) takeNoted() *httperr.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.noted
	s.noted = nil
	return e
}

// Browser keeps cookies, and does not follow redirects.
type Browser struct {
	site *Site
	http *http.Client
	base *url.URL
}

// Browser returns one without cookies.
func (s *Site) Browser() *Browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	base, err := url.Parse(s.Origin + BasePath + "/")
	if err != nil {
		s.t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: s.tls}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &Browser{site: s, base: base, http: &http.Client{
		Jar: jar, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Answer is what a browser got.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	Err    *httperr.Error // what the handler returned; nil without an error
}

// Is reports whether the answer is an error of that status and code, as the client and
// the handler have it.
func (a Answer) Is(status int, code string) bool {
	var body struct{ Code, Message string }
	return json.Unmarshal([]byte(a.Body), &body) == nil && a.Err != nil && body.Message != "" &&
		a.Status == status && body.Code == code && a.Err.Status == status && a.Err.Code == code
}

// Do sends a request to a path below the base path; header is names and values in turn.
func (b *Browser) Do(method, path, body string, header ...string) Answer {
	t := b.site.t
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.site.Origin+BasePath+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	resp, err := b.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: string(text), Err: b.site.takeNoted()}
}

// LogIn begins a session of the browser and returns its CSRF token.
func (b *Browser) LogIn(tokens session.Tokens) (csrf string) {
	b.site.t.Helper()
	w := httptest.NewRecorder()
	token, err := b.site.Sessions.Start(w, cookie.Read(httptest.NewRequest(http.MethodGet, "/", nil)), tokens, session.NewSeed(), secret.String{})
	if err != nil {
		b.site.t.Fatal(err)
	}
	b.http.Jar.SetCookies(b.base, w.Result().Cookies())
	return token.Reveal()
}

// Cookies returns the browser's cookies by name.
func (b *Browser) Cookies() map[string]string {
	cookies := map[string]string{}
	for _, c := range b.http.Jar.Cookies(b.base) {
		cookies[c.Name] = c.Value
	}
	return cookies
}

// Has reports whether the browser has a cookie of a kind, under whatever tag.
func (b *Browser) Has(k cookie.Kind) bool {
	for name := range b.Cookies() {
		if prefix := b.site.Jar.Name(k, ""); name == prefix || strings.HasPrefix(name, prefix+"-") {
			return true
		}
	}
	return false
}

// SetCookie replaces the cookie of a kind where the browser has one; an empty value
// removes it.
func (b *Browser) SetCookie(k cookie.Kind, tag, value string) {
	c := &http.Cookie{Name: b.site.Jar.Name(k, tag), Value: value, Path: BasePath, Secure: true}
	if k == cookie.Access || k == cookie.CSRF || k == cookie.Browser {
		c.Path = "/"
	}
	if value == "" {
		c.MaxAge = -1
	}
	b.http.Jar.SetCookies(b.base, []*http.Cookie{c})
}
