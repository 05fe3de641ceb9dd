package apiproxy_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oauth-agent/agent/internal/apiproxy"
	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/secret"
	"oauth-agent/agent/internal/session"
	"oauth-agent/test/double"
)

// refresher is an authorization server's client that counts its calls.
type refresher struct {
	calls  atomic.Int32
	expiry time.Time
	err    error
	old    session.Tokens
}

func (f *refresher) Refresh(_ context.Context, old session.Tokens) (session.Tokens, error) {
	f.calls.Add(1)
	f.old = old
	return session.Tokens{Access: secret.New("new-access"), Refresh: secret.New("new-refresh"), ID: old.ID, Expiry: f.expiry}, f.err
}

func TestRefreshOnTheWay(t *testing.T) {
	const ahead = 30 * time.Second
	failure := errors.New("the authorization server is down")
	for name, tt := range map[string]struct {
		left      time.Duration // of the access token
		unknown   bool          // its expiry
		without   string        // the cookies that are missing
		method    string
		csrf, out bool // the CSRF header; the origin is foreign
		err       error
		calls     int32
		arrives   string
		code      string
	}{
		"fresh":                     {left: time.Hour, arrives: token},
		"just not due":              {left: ahead, arrives: token},
		"due":                       {left: ahead - time.Second, calls: 1, arrives: "new-access"},
		"expired":                   {left: -time.Hour, calls: 1, arrives: "new-access"},
		"unknown":                   {unknown: true, arrives: token},
		"access cookie lost":        {left: time.Hour, without: "example-at", calls: 1, arrives: "new-access"},
		"refresh token alone":       {left: time.Hour, without: "example-at example-csrf", code: "unauthorized_request"},
		"POST":                      {left: -time.Hour, method: "POST", csrf: true, calls: 1, arrives: "new-access"},
		"POST without CSRF":         {left: -time.Hour, method: "POST", code: "unauthorized_request"},
		"foreign origin":            {left: -time.Hour, out: true, code: "unauthorized_request"},
		"no refresh token, due":     {left: time.Second, without: "example-auth", arrives: token},
		"no refresh token, expired": {left: -time.Hour, without: "example-auth", code: "token_expired"},
		"refused, due":              {left: time.Second, err: failure, calls: 1, arrives: token},
		"refused, expired":          {left: -time.Hour, err: failure, calls: 1, code: "token_expired"},
	} {
		t.Run(name, func(t *testing.T) {
			api := double.NewUpstream(t, nil)
			f := &refresher{err: tt.err}
			w := newWorld(t, []apiproxy.Route{{Path: "/api", Upstream: parse(t, api.URL)}}, func(o *settings) {
				o.Refresher, o.RefreshAhead = f, ahead
			})
			f.expiry = w.now.Add(time.Hour)
			tokens := session.Tokens{Access: secret.New(token), Refresh: secret.New("old-refresh"), ID: secret.New("id")}
			if !tt.unknown {
				tokens.Expiry = w.now.Add(tt.left)
			}
			b := w.login(t, tokens)
			b.cookies = without(b.cookies, tt.without)
			if tt.method == "" {
				tt.method = "GET"
			}
			r := w.request(t, b, tt.method, "/api", nil)
			if !tt.csrf {
				r.Header.Del(csrfHeader)
			}
			if tt.out {
				r.Header.Set("Origin", "https://evil.example")
			}
			resp := w.do(t, r)
			if f.calls.Load() != tt.calls {
				t.Errorf("%d refreshes, want %d", f.calls.Load(), tt.calls)
			}
			if tt.code != "" {
				double.WantError(t, resp, 401, tt.code, token)
				if resp.Header["Set-Cookie"] != nil {
					t.Errorf("cookies were touched: %v", resp.Header)
				}
				return
			}
			if got := api.One(t).Header.Get("Authorization"); got != "Bearer "+tt.arrives || resp.StatusCode != 200 {
				t.Errorf("%d, arrived %q", resp.StatusCode, got)
			}
			renewed := tt.arrives == "new-access"
			if (resp.Header["Set-Cookie"] != nil) != renewed {
				t.Errorf("cookies: %v", resp.Header["Set-Cookie"])
			}
			if renewed {
				checkRenewed(t, w, b, f, resp)
			}
		})
	}
}

func without(cookies []*http.Cookie, names string) []*http.Cookie {
	var out []*http.Cookie
	for _, c := range cookies {
		if !slices.Contains(strings.Fields(names), c.Name) {
			out = append(out, c)
		}
	}
	return out
}

// checkRenewed looks into the new cookies: the session goes on, with the CSRF
// token that the page knows.
func checkRenewed(t *testing.T, w *world, old browser, f *refresher, resp *http.Response) {
	t.Helper()
	if f.old.Refresh.Reveal() != "old-refresh" || f.old.ID.Reveal() != "id" {
		t.Errorf("refreshed with %q, %q", f.old.Refresh.Reveal(), f.old.ID.Reveal())
	}
	r, _ := http.NewRequest("GET", "/", nil)
	for _, c := range resp.Cookies() {
		r.AddCookie(c)
	}
	s, err := w.store.Renewable(cookie.Read(r))
	if err != nil || s.Access.Reveal() != "new-access" || s.Refresh().Reveal() != "new-refresh" || s.CheckCSRF([]string{old.csrf}) != nil {
		t.Errorf("the new session: %v, %v", s, err)
	}
}

// New cookies go with whatever the upstream answers: a stream, an error, an
// interim response.
func TestNewCookiesGoWithEveryAnswer(t *testing.T) {
	next := make(chan bool)
	api := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/events":
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: 1\n\n")
			_ = http.NewResponseController(w).Flush()
			<-next
		case "/api/hints":
			w.WriteHeader(http.StatusEarlyHints)
		case "/api/cookies":
			w.Header().Add("Set-Cookie", "theme=dark")
			w.Header().Add("Set-Cookie", "example-at=evil")
		case "/api/broken":
			panic(http.ErrAbortHandler)
		default:
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	f := &refresher{}
	w := newWorld(t, []apiproxy.Route{{Path: "/api", Upstream: parse(t, api.URL)}}, func(o *settings) { o.Refresher = f })
	b := w.login(t, session.Tokens{Refresh: secret.New("r"), Expiry: w.now})
	for path, status := range map[string]int{"/api/events": 200, "/api/hints": 200, "/api/cookies": 200, "/api/error": 500, "/api/broken": 502} {
		resp := w.do(t, w.request(t, b, "GET", path, nil))
		cookies := fmt.Sprint(resp.Header["Set-Cookie"])
		if resp.StatusCode != status || !strings.Contains(cookies, "example-at=") || strings.Contains(cookies, "evil") ||
			resp.Header.Get("Access-Control-Allow-Origin") != www {
			t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
		}
		if path == "/api/events" {
			if line, err := bufio.NewReader(resp.Body).ReadString('\n'); line != "data: 1\n" {
				t.Errorf("%q %v", line, err)
			}
			next <- true
		}
	}
}

// No cache may keep an answer that new cookies go with, whatever the API says of
// it: the next one to be served would be somebody else.
func TestNewCookiesAreNeverCached(t *testing.T) {
	orders := http.Header{
		"Cache-Control":                {"public, max-age=600", "s-maxage=600"},
		"Cdn-Cache-Control":            {"max-age=600"},
		"Cloudflare-Cdn-Cache-Control": {"max-age=600"},
		"Edge-Control":                 {"cache-maxage=600"},
		"Expires":                      {"Fri, 01 Jan 2100 00:00:00 GMT"},
		"Pragma":                       {"public"},
		"Surrogate-Control":            {"max-age=600"},
		"X-Accel-Expires":              {"600"},
	}
	api := double.NewUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), orders)
		w.Header().Set("X-Kept", "1")
		switch r.URL.Path {
		case "/api/hints":
			w.WriteHeader(http.StatusEarlyHints)
			maps.Copy(w.Header(), orders)
			_, _ = io.WriteString(w, "after hints")
		case "/api/not-modified":
			w.WriteHeader(http.StatusNotModified)
		case "/api/gone":
			w.WriteHeader(http.StatusGone) // may be kept without being told so (RFC 9110 15.1)
		case "/api/events":
			w.Header().Set("Content-Type", "text/event-stream")
			_ = http.NewResponseController(w).Flush()
		case "/api/trailers":
			_, _ = io.WriteString(w, "body")
			for name, values := range orders {
				w.Header()[http.TrailerPrefix+name] = values
			}
		case "/api/socket":
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "websocket")
			w.WriteHeader(http.StatusSwitchingProtocols)
		}
	})
	w := newWorld(t, []apiproxy.Route{{Path: "/api", Upstream: parse(t, api.URL)}}, func(o *settings) { o.Refresher = &refresher{} })
	b := w.login(t, session.Tokens{Refresh: secret.New("r"), Expiry: w.now})
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST"} {
		for path, status := range map[string]int{
			"/api": 200, "/api/hints": 200, "/api/not-modified": 304, "/api/gone": 410, "/api/events": 200, "/api/trailers": 200, "/api/socket": 101,
		} {
			r := w.request(t, b, method, path, nil)
			if status == http.StatusSwitchingProtocols {
				r.Header.Set("Connection", "Upgrade")
				r.Header.Set("Upgrade", "websocket")
				if method != "GET" {
					continue
				}
			}
			resp := w.do(t, r)
			if resp.StatusCode != status || resp.Header["Set-Cookie"] == nil || status != 101 && resp.Header.Get("X-Kept") != "1" {
				t.Errorf("%s %s: %d %v", method, path, resp.StatusCode, resp.Header)
			}
			if status != http.StatusSwitchingProtocols {
				_ = double.Text(t, resp)
			}
			checkUncacheable(t, method+" "+path, orders, resp)
		}
	}
}

func checkUncacheable(t *testing.T, what string, orders http.Header, resp *http.Response) {
	t.Helper()
	for name := range orders {
		var want []string
		if name == "Cache-Control" {
			want = []string{"private, no-store"}
		}
		if got := resp.Header[name]; !slices.Equal(got, want) {
			t.Errorf("%s: %s: %q, want %q", what, name, got, want)
		}
		if got := resp.Trailer[name]; got != nil {
			t.Errorf("%s: trailer %s: %q", what, name, got)
		}
	}
}

// Forward auth never refreshes: not every gateway would hand the cookies on.
func TestForwardAuthDoesNotRefresh(t *testing.T) {
	f := &refresher{}
	w := newWorld(t, nil, func(o *settings) { o.Refresher = f })
	w.server.Config.Handler = w.proxy.ForwardAuth(w.cors)
	b := w.login(t, session.Tokens{Refresh: secret.New("r"), Expiry: w.now})
	double.WantError(t, w.do(t, w.request(t, b, "GET", "/oauth-agent/authorize", nil)), 401, "token_expired", token)
	if f.calls.Load() > 0 {
		t.Error("refreshed")
	}
}
