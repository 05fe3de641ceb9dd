package apiproxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/apiproxy"
	"oauth-agent/agent/internal/session"
	"oauth-agent/test/double"
)

func TestDecision(t *testing.T) {
	api := double.NewUpstream(t, nil)
	up := parse(t, api.URL)
	w := newWorld(t, []apiproxy.Route{
		{Path: "/api", Upstream: up},
		{Path: "/public", Upstream: up, Public: true},
		{Path: "/bearer", Upstream: up, AllowBearer: true},
		{Path: "/nocsrf", Upstream: up, SkipCSRF: true},
	})
	live := w.login(t, session.Tokens{Expiry: w.now.Add(time.Second)})
	expired := w.login(t, session.Tokens{Expiry: w.now})
	other := w.login(t, session.Tokens{})
	broken := browser{cookies: []*http.Cookie{{Name: "example-at", Value: "x"}}, csrf: live.csrf}
	mixed := browser{cookies: live.cookies, csrf: other.csrf}

	const unauthorized = "unauthorized_request"
	set := func(kv ...string) func(http.Header) {
		return func(h http.Header) {
			for i := 0; i < len(kv); i += 2 {
				if kv[i+1] == "" {
					h.Del(kv[i])
				} else {
					h[http.CanonicalHeaderKey(kv[i])] = strings.Split(kv[i+1], "\n")
				}
			}
		}
	}
	for _, tt := range []struct {
		name, method, path string
		who                browser
		change             func(http.Header)
		status             int
		code               string // or the Authorization that arrives
	}{
		{"GET", "GET", "/api", live, nil, 200, "Bearer " + token},
		{"HEAD", "HEAD", "/api", live, nil, 200, "Bearer " + token},
		{"OPTIONS, no preflight", "OPTIONS", "/api", live, nil, 200, "Bearer " + token},
		{"POST", "POST", "/api", live, nil, 200, "Bearer " + token},
		{"PUT", "PUT", "/api", live, nil, 200, "Bearer " + token},
		{"PATCH", "PATCH", "/api", live, nil, 200, "Bearer " + token},
		{"DELETE", "DELETE", "/api", live, nil, 200, "Bearer " + token},
		{"any method", "FROB", "/api", live, nil, 200, "Bearer " + token},
		{"GET without CSRF", "GET", "/api", live, set(csrfHeader, ""), 200, "Bearer " + token},
		{"GET, same-origin", "GET", "/api", live, set("Origin", "", "Sec-Fetch-Site", "same-origin"), 200, "Bearer " + token},

		{"no session", "GET", "/api", browser{}, nil, 401, unauthorized},
		{"broken session", "GET", "/api", broken, nil, 401, unauthorized},
		{"expired", "GET", "/api", expired, nil, 401, "token_expired"},
		{"expired, POST", "POST", "/api", expired, nil, 401, "token_expired"},
		{"expired, no CSRF", "POST", "/api", expired, set(csrfHeader, ""), 401, unauthorized},
		{"expired, foreign origin", "GET", "/api", expired, set("Origin", "https://evil.example"), 401, unauthorized},
		{"GET, foreign origin", "GET", "/api", live, set("Origin", "https://evil.example"), 401, unauthorized},
		{"GET, null", "GET", "/api", live, set("Origin", "null"), 401, unauthorized},
		{"GET, nothing", "GET", "/api", live, set("Origin", ""), 401, unauthorized},
		{"GET, cross-site", "GET", "/api", live, set("Origin", "", "Sec-Fetch-Site", "cross-site"), 401, unauthorized},
		{"GET, navigation", "GET", "/api", live, set("Origin", "", "Sec-Fetch-Site", "none"), 401, unauthorized},
		{"POST, no origin", "POST", "/api", live, set("Origin", "", "Sec-Fetch-Site", "same-origin"), 401, unauthorized},
		{"POST, no CSRF", "POST", "/api", live, set(csrfHeader, ""), 401, unauthorized},
		{"POST, wrong CSRF", "POST", "/api", live, set(csrfHeader, "x"), 401, unauthorized},
		{"POST, CSRF twice", "POST", "/api", live, set(csrfHeader, live.csrf+"\n"+live.csrf), 401, unauthorized},
		{"POST, another session's CSRF", "POST", "/api", mixed, nil, 401, unauthorized},
		{"lower case get", "get", "/api", live, set(csrfHeader, ""), 401, unauthorized},
		{"a client's bearer", "GET", "/api", live, set("Authorization", "Bearer mine"), 200, "Bearer " + token},
		{"a client's bearer, no session", "GET", "/api", browser{}, set("Authorization", "Bearer mine"), 401, unauthorized},

		{"public, no session", "GET", "/public", browser{}, nil, 200, ""},
		{"public, POST, no session", "POST", "/public", browser{}, nil, 200, ""},
		{"public, a client's bearer", "GET", "/public", browser{}, set("Authorization", "Bearer mine"), 200, ""},
		{"public, broken session", "GET", "/public", broken, nil, 200, ""},
		{"public, session", "GET", "/public", live, nil, 200, "Bearer " + token},
		{"public, POST, no CSRF", "POST", "/public", live, set(csrfHeader, ""), 401, unauthorized},
		{"public, expired", "GET", "/public", expired, nil, 401, "token_expired"},
		{"public, foreign origin", "GET", "/public", browser{}, set("Origin", "https://evil.example"), 401, unauthorized},

		{"bearer", "POST", "/bearer", browser{}, set("Authorization", "bearer mine", "Origin", ""), 200, "bearer mine"},
		{"bearer and session", "POST", "/bearer", live, set("Authorization", "Bearer mine"), 200, "Bearer mine"},
		{"bearer, empty", "GET", "/bearer", browser{}, set("Authorization", "Bearer "), 401, unauthorized},
		{"bearer, twice", "GET", "/bearer", browser{}, set("Authorization", "Bearer a\nBearer b"), 401, unauthorized},
		{"bearer, Basic", "GET", "/bearer", browser{}, set("Authorization", "Basic eDp5"), 401, unauthorized},
		{"bearer route, session", "GET", "/bearer", live, nil, 200, "Bearer " + token},
		{"bearer route, POST, no CSRF", "POST", "/bearer", live, set(csrfHeader, ""), 401, unauthorized},

		{"CSRF off", "POST", "/nocsrf", live, set(csrfHeader, ""), 200, "Bearer " + token},
		{"CSRF off, foreign origin", "POST", "/nocsrf", live, set(csrfHeader, "", "Origin", "https://evil.example"), 401, unauthorized},
		{"CSRF off, no origin", "POST", "/nocsrf", live, set(csrfHeader, "", "Origin", ""), 401, unauthorized},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := w.request(t, tt.who, tt.method, tt.path+"/x", nil)
			if tt.change != nil {
				tt.change(r.Header)
			}
			resp := w.do(t, r)
			if tt.status != 200 {
				double.WantError(t, resp, tt.status, tt.code, token)
				if got := api.Take(); len(got) > 0 {
					t.Errorf("arrived all the same: %v", got)
				}
			} else if got := api.One(t); resp.StatusCode != 200 || got.Header.Get("Authorization") != tt.code || got.Method != tt.method {
				t.Errorf("%d, arrived %v, want Authorization %q", resp.StatusCode, got, tt.code)
			}
			// CORS knows the standard methods only.
			if trusted := r.Header.Get("Origin") == www; tt.method != "FROB" && tt.method != "get" && (resp.Header.Get("Access-Control-Allow-Origin") == www) != trusted {
				t.Errorf("CORS headers %v", resp.Header)
			}
			if resp.Header.Get("Location") != "" {
				t.Error("a redirect")
			}
		})
	}
}

func TestMethods(t *testing.T) {
	api := double.NewUpstream(t, nil)
	w := newWorld(t, []apiproxy.Route{
		{Path: "/api", Upstream: parse(t, api.URL)},
		{Path: "/read", Upstream: parse(t, api.URL), Methods: []string{"GET", "POST"}},
	})
	b := w.login(t, session.Tokens{})
	for _, tt := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"TRACE", "/api", 405, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"},
		{"TRACK", "/api", 405, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"},
		{"CONNECT", "/api", 405, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"},
		{"trace", "/api", 405, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"},
		{"GET", "/read", 200, ""},
		{"HEAD", "/read", 200, ""},
		{"POST", "/read", 200, ""},
		{"DELETE", "/read", 405, "GET, POST"},
		{"OPTIONS", "/read", 405, "GET, POST"},
		{"TRACE", "/read", 405, "GET, POST"},
	} {
		text := tt.method + " " + tt.path + " HTTP/1.1\r\nHost: x\r\nOrigin: " + www + "\r\nCookie: " + b.header() +
			"\r\n" + csrfHeader + ": " + b.csrf + "\r\nConnection: close\r\n\r\n"
		resp := double.Raw(t, w.addr(), text)
		if resp == nil || resp.StatusCode != tt.status || resp.Header.Get("Allow") != tt.allow {
			t.Errorf("%s %s: %v", tt.method, tt.path, resp)
		}
		if n := len(api.Take()); (n == 1) != (tt.status == 200) {
			t.Errorf("%s %s: %d arrived", tt.method, tt.path, n)
		}
	}
}

func TestPreflightIsAnsweredHere(t *testing.T) {
	api := double.NewUpstream(t, nil)
	w := newWorld(t, []apiproxy.Route{{Path: "/api", Upstream: parse(t, api.URL), Methods: []string{"GET", "POST"}}})
	for _, wrapped := range []bool{true, false} {
		r := w.request(t, browser{}, "OPTIONS", "/api/x", nil)
		r.Header.Set("Access-Control-Request-Method", "POST")
		if !wrapped {
			w.server.Config.Handler = w.proxy
		}
		resp := w.do(t, r)
		if resp.StatusCode != 204 || (resp.Header.Get("Access-Control-Allow-Origin") == www) != wrapped {
			t.Errorf("%d %v", resp.StatusCode, resp.Header)
		}
		if got := api.Take(); len(got) > 0 {
			t.Errorf("arrived: %v", got)
		}
	}
}

// traefikoidc let any request pass that accepted an event stream; oauth2-proxy
// one whose User-Agent was that of a health check (GHSA-5hvv-m4w4-gf6v), or
// whose X-Forwarded-Uri named a path without authentication (#3506,
// GHSA-7x63-xv5r-3p2x, CVE-2026-40575). Traefik passed on what claimed trust in an
// odd spelling, or by X-Forwarded-Prefix (GHSA-5m6w-wvh7-57vm, GHSA-6384-m2mw-rf54).
func TestHeadersThatOpenedOtherProxies(t *testing.T) {
	api := double.NewUpstream(t, nil)
	w := newWorld(t, []apiproxy.Route{
		{Path: "/api", Upstream: parse(t, api.URL)},
		{Path: "/public", Upstream: parse(t, api.URL), Public: true},
	})
	for _, header := range []string{
		"Accept: text/event-stream",
		"User-Agent: GoogleHC/1.0",
		"User-Agent: kube-probe/1.31",
		"X-Forwarded-Uri: /public",
		"X_Forwarded_Uri: /public",
		"X-Forwarded-Prefix: /public",
		"X-Original-Url: /public/x",
		"X-Rewrite-Url: /public/x",
		"X-Forwarded-Method: OPTIONS",
		"X-Original-Method: OPTIONS",
		"X-Forwarded-Host: localhost",
		"X-Forwarded-For: 127.0.0.1",
		"X-Auth-Request-User: admin",
		"Upgrade: h2c",
		"Connection: Cookie, Origin",
	} {
		text := "GET /api/x HTTP/1.1\r\nHost: x\r\nOrigin: " + www + "\r\n" + header + "\r\n\r\n"
		resp := double.Raw(t, w.addr(), text)
		if resp == nil || resp.StatusCode != 401 {
			t.Errorf("%s: %v", header, resp)
		}
		if got := api.Take(); len(got) > 0 {
			t.Errorf("%s: arrived %v", header, got)
		}
	}
}

// Envoy's oauth2 filter signed the Host that a route had rewritten, and no
// cookie verified any more (envoyproxy/envoy#42968). Nothing of ours depends on
// the Host.
func TestAnyHostWillDo(t *testing.T) {
	api := double.NewUpstream(t, nil)
	w := newWorld(t, []apiproxy.Route{{Path: "/api", Upstream: parse(t, api.URL)}})
	b := w.login(t, session.Tokens{})
	for _, host := range []string{"www.example.com", "evil.example", "WWW.EXAMPLE.COM:443", "[::1]:80", "x y", "a/b", "a@b", ""} {
		text := "GET /api/x HTTP/1.1\r\nHost: " + host + "\r\nOrigin: " + www + "\r\nCookie: " + b.header() + "\r\nConnection: close\r\n\r\n"
		resp := double.Raw(t, w.addr(), text)
		if resp == nil {
			t.Errorf("%q: no answer", host)
			continue
		}
		for _, a := range api.Take() {
			if a.Host != parse(t, api.URL).Host || a.Header.Get("X-Forwarded-Host") != host || a.URI != "/api/x" {
				t.Errorf("%q: arrived %v", host, a)
			}
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 && resp.StatusCode != 400 {
			t.Errorf("%q: %d, %v", host, resp.StatusCode, err)
		}
	}
}
