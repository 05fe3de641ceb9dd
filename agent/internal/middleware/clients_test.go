package middleware_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/clientip"
	"oauth-agent/agent/internal/httperr"
	"oauth-agent/agent/internal/middleware"
)

// limited serves a handler with a limit behind these proxies.
func limited(t *testing.T, l *middleware.RateLimiter, log *slog.Logger, proxies ...string) *httptest.Server {
	t.Helper()
	var trusted clientip.Proxies
	for _, p := range proxies {
		trusted = append(trusted, netip.MustParsePrefix(p))
	}
	render := &httperr.Renderer{Log: discard()}
	srv := httptest.NewServer(middleware.NewClients(trusted, log).Limit(l, render)(render.Handle(func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusNoContent)
		return nil
	})))
	t.Cleanup(srv.Close)
	return srv
}

func call(t *testing.T, srv *httptest.Server, forwardedFor ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(forwardedFor) > 0 {
		req.Header["X-Forwarded-For"] = forwardedFor
	}
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func TestLimitSaysHowLongToWait(t *testing.T) {
	c := newClock()
	srv := limited(t, middleware.NewRateLimiter(2, 10, c.Now), discard())
	for range 2 {
		if resp := call(t, srv); resp.StatusCode != 204 {
			t.Fatalf("status %d", resp.StatusCode)
		}
	}
	for _, tt := range []struct {
		pass   time.Duration
		status int
		wait   string
	}{
		{0, 429, "30"}, {500 * time.Millisecond, 429, "30"}, {500 * time.Millisecond, 429, "29"},
		{28900 * time.Millisecond, 429, "1"}, {time.Second, 204, ""},
	} {
		c.Add(tt.pass)
		resp := call(t, srv)
		if got := resp.Header.Get("Retry-After"); resp.StatusCode != tt.status || got != tt.wait {
			t.Errorf("%v later: %d, Retry-After %q, want %d and %q", tt.pass, resp.StatusCode, got, tt.status, tt.wait)
		}
	}
}

func TestLimitByForgedAddresses(t *testing.T) {
	for _, tt := range []struct {
		name    string
		proxies []string
		from    func(n int) []string // X-Forwarded-For of the nth request
		passed  int                  // of twenty, with five a minute
	}{
		{"no header", nil, func(int) []string { return nil }, 5},
		{"forged, and nobody is trusted", nil, func(n int) []string { return []string{numbered(n).String()} }, 5},
		{"forged, and others are trusted", []string{"10.0.0.0/8"}, func(n int) []string { return []string{numbered(n).String()} }, 5},
		{"other clients of a trusted proxy", []string{"127.0.0.0/8"}, func(n int) []string { return []string{numbered(n).String()} }, 20},
		{"one client that forges", []string{"127.0.0.0/8"}, func(n int) []string { return []string{numbered(n).String() + ", 192.0.2.1"} }, 5},
		{"one client that forges lines", []string{"127.0.0.0/8"}, func(n int) []string { return []string{numbered(n).String(), "192.0.2.1"} }, 5},
		{"one client with many ports", []string{"127.0.0.0/8"}, func(n int) []string { return []string{netip.AddrPortFrom(addr("192.0.2.1"), uint16(1000+n)).String()} }, 5},
		{"one client in two notations", []string{"127.0.0.0/8"}, func(n int) []string {
			return []string{[]string{"192.0.2.1", "::ffff:192.0.2.1", "[::ffff:c000:201]", "::FFFF:192.0.2.1"}[n%4]}
		}, 5},
		{"one IPv6 client with many addresses", []string{"127.0.0.0/8"}, func(n int) []string { return []string{"2001:db8::" + strings.Repeat("1", 1+n%4)} }, 5},
		{"junk", []string{"127.0.0.0/8"}, func(n int) []string { return []string{strings.Repeat("x", n)} }, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := limited(t, middleware.NewRateLimiter(5, 100, newClock().Now), discard(), tt.proxies...)
			passed := 0
			for n := range 20 {
				if call(t, srv, tt.from(n)...).StatusCode == 204 {
					passed++
				}
			}
			if passed != tt.passed {
				t.Errorf("%d passed, want %d", passed, tt.passed)
			}
		})
	}
}

// Behind a gateway that nobody has named, all clients are one; the operator is
// told so, once.
func TestGatewayThatIsNotTrustedIsTold(t *testing.T) {
	for _, tt := range []struct {
		name    string
		max     int
		proxies []string
		header  []string
		told    int
	}{
		{"a gateway", 5, nil, []string{"198.51.100.7\nforged"}, 1},
		{"a trusted one", 5, []string{"127.0.0.0/8"}, []string{"198.51.100.7"}, 0},
		{"no gateway", 5, nil, nil, 0},
		{"no limit", 0, nil, []string{"198.51.100.7"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			render := &httperr.Renderer{Log: discard()}
			var trusted clientip.Proxies
			for _, p := range tt.proxies {
				trusted = append(trusted, netip.MustParsePrefix(p))
			}
			h := middleware.NewClients(trusted, slog.New(slog.NewTextHandler(&log, nil))).
				Limit(middleware.NewRateLimiter(tt.max, 10, newClock().Now), render)(render.Handle(func(http.ResponseWriter, *http.Request) error { return nil }))
			for _, peer := range []string{"127.0.0.1:1", "127.0.0.1:2", "192.0.2.1:3"} {
				r := httptest.NewRequest(http.MethodPost, "/", nil)
				r.RemoteAddr, r.Header["X-Forwarded-For"] = peer, tt.header
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
			if got := strings.Count(log.String(), "trusted_proxies"); got != tt.told || strings.Contains(log.String(), "198.51") {
				t.Errorf("told %d times: %s", got, &log)
			}
		})
	}
}

func TestWhoLooksLikeAGateway(t *testing.T) {
	for peer, want := range map[string]bool{
		"127.0.0.1:1": true, "[::1]:1": true, "10.1.2.3:1": true, "[fd00::1]:1": true, "[fe80::1%eth0]:1": true,
		"[::ffff:192.168.0.1]:1": true, "@": true,
		"192.0.2.1:1": false, "[2001:db8::1]:1": false,
	} {
		var log bytes.Buffer
		h := middleware.NewClients(nil, slog.New(slog.NewTextHandler(&log, nil))).
			Limit(middleware.NewRateLimiter(1, 10, newClock().Now), &httperr.Renderer{Log: discard()})(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.RemoteAddr, r.Header["X-Forwarded-For"] = peer, []string{"198.51.100.7"}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != http.StatusOK || (log.Len() > 0) != want {
			t.Errorf("%s: %d %s", peer, rec.Code, &log)
		}
	}
}
