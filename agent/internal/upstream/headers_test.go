package upstream_test

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"oauth-agent/agent/internal/upstream"
	"oauth-agent/test/double"
)

// ask sends a request with further header lines and returns what arrived.
func ask(t *testing.T, w *world, api *double.Upstream, method string, lines ...string) double.Arrived {
	t.Helper()
	text := method + " /api/x HTTP/1.1\r\nHost: www.example.com\r\nOrigin: " + www + "\r\nCookie: " + ownCookies +
		"\r\n" + csrfHeader + ": " + csrf + "\r\n" + strings.Join(append(lines, ""), "\r\n") + "\r\n"
	resp := double.Raw(t, w.addr(), text)
	if resp == nil || resp.StatusCode != 200 {
		t.Fatalf("%v: %v", lines, resp)
	}
	return api.One(t)
}

func TestRequestHeaders(t *testing.T) {
	api := double.NewUpstream(t, nil)
	targets := []upstream.Target{{Name: "/api", URL: parse(t, api.URL), MethodOverride: true}}
	plain := newWorld(t, targets)
	behind := newWorld(t, targets, func(o *upstream.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	for _, tt := range []struct {
		method, line  string
		name          string
		want, trusted []string // at the upstream, when the peer is trusted
	}{
		{"GET", "X-Custom: 1", "X-Custom", []string{"1"}, []string{"1"}},
		{"GET", "X_custom: 1", "X_custom", []string{"1"}, []string{"1"}},
		{"GET", "Accept: text/event-stream", "Accept", []string{"text/event-stream"}, []string{"text/event-stream"}},
		{"GET", "Accept-Encoding: br", "Accept-Encoding", []string{"br"}, []string{"br"}},
		{"GET", "Traceparent: 00-1-2-3", "Traceparent", nil, nil}, // the observer sets ours
		{"GET", "X_Request_ID: 1", "X_request_id", nil, nil},
		{"GET", "Connection: close", "Accept-Encoding", nil, nil},
		{"GET", "Connection: close", "User-Agent", nil, nil},
		{"GET", "Connection: close", "Connection", nil, nil},
		{"GET", "Te: trailers", "Te", []string{"trailers"}, []string{"trailers"}},
		{"GET", "Proxy-Authorization: Basic x", "Proxy-Authorization", nil, nil},
		{"GET", "Connection: X-Hop\r\nX-Hop: 1", "X-Hop", nil, nil},
		{"GET", "Connection: Authorization", "Authorization", []string{"Bearer " + token}, []string{"Bearer " + token}},
		{"GET", "Connection: X-Forwarded-For", "X-Forwarded-For", []string{"127.0.0.1"}, []string{"127.0.0.1"}},

		{"GET", "Authorization: Basic x", "Authorization", []string{"Bearer " + token}, []string{"Bearer " + token}},
		{"GET", "authorization: Bearer x\r\nAuthorization: Bearer y", "Authorization", []string{"Bearer " + token}, []string{"Bearer " + token}},
		{"GET", "X-Any: 1", csrfHeader, nil, nil},
		{"GET", "X_example_csrf: 1", "X_example_csrf", nil, nil},

		{"GET", "X-Forwarded-For: 10.0.0.1", "X-Forwarded-For", []string{"127.0.0.1"}, []string{"10.0.0.1, 127.0.0.1"}},
		{"GET", "X-Forwarded-For: a\r\nX-Forwarded-For: b", "X-Forwarded-For", []string{"127.0.0.1"}, []string{"a, b, 127.0.0.1"}},
		{"GET", "X-Forwarded-Host: evil.example", "X-Forwarded-Host", []string{"www.example.com"}, []string{"evil.example"}},
		{"GET", "X-Forwarded-Proto: https", "X-Forwarded-Proto", []string{"http"}, []string{"https"}},
		{"GET", "X-Any: 1", "X-Forwarded-Proto", []string{"http"}, []string{"http"}},
		{"GET", "X-Any: 1", "X-Forwarded-Host", []string{"www.example.com"}, []string{"www.example.com"}},
		{"GET", "X-Forwarded-Port: 1", "X-Forwarded-Port", nil, []string{"1"}},
		{"GET", "X-Forwarded-User: admin", "X-Forwarded-User", nil, []string{"admin"}},
		{"GET", "X-Forwarded-Uri: /", "X-Forwarded-Uri", nil, []string{"/"}},
		{"GET", "X-Forwarded: 1", "X-Forwarded", nil, []string{"1"}},
		{"GET", "Forwarded: for=1", "Forwarded", nil, []string{"for=1"}},
		{"GET", "X-Real-IP: 1", "X-Real-Ip", nil, []string{"1"}},
		{"GET", "X-Forwarded-Prefix: /admin", "X-Forwarded-Prefix", nil, []string{"/admin"}}, // Traefik, GHSA-6384-m2mw-rf54
		{"GET", "X_Forwarded_For: 1", "X_forwarded_for", nil, []string{"1"}},                 // Traefik, GHSA-5m6w-wvh7-57vm
		{"GET", "X-Forwarded_For: 1", "X-Forwarded_for", nil, []string{"1"}},
		{"GET", "X_Real_IP: 1", "X_real_ip", nil, []string{"1"}},
		{"GET", "X.Forwarded.Proto: 1", "X.forwarded.proto", nil, []string{"1"}},

		{"GET", "X-Original-URL: /admin", "X-Original-Url", nil, nil},
		{"GET", "X_Original_URL: /admin", "X_original_url", nil, nil},
		{"GET", "X-Rewrite-URL: /admin", "X-Rewrite-Url", nil, nil},
		{"GET", "Proxy: http://evil.example", "Proxy", nil, nil}, // CVE-2016-5385

		{"GET", "X-HTTP-Method-Override: DELETE", "X-Http-Method-Override", nil, nil},
		{"HEAD", "X-HTTP-Method: DELETE", "X-Http-Method", nil, nil},
		{"OPTIONS", "X-Method-Override: DELETE", "X-Method-Override", nil, nil},
		{"GET", "X_HTTP_Method_Override: DELETE", "X_http_method_override", nil, nil},
		{"POST", "X-HTTP-Method-Override: DELETE", "X-Http-Method-Override", []string{"DELETE"}, []string{"DELETE"}},

		{"GET", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: x", "Upgrade", nil, nil},
		{"GET", "Upgrade: h2c\r\nConnection: Upgrade", "Connection", nil, nil},
		{"GET", "Upgrade: websocket, h2c\r\nConnection: Upgrade", "Upgrade", nil, nil},
		{"POST", "Upgrade: websocket\r\nConnection: Upgrade", "Upgrade", nil, nil},
	} {
		for w, want := range map[*world][]string{plain: tt.want, behind: tt.trusted} {
			got := ask(t, w, api, tt.method, tt.line)
			if !slices.Equal(got.Header[tt.name], want) {
				t.Errorf("%s %q (trusted: %v): %s arrived as %q, want %q", tt.method, tt.line, w == behind, tt.name, got.Header[tt.name], want)
			}
		}
	}
}

func TestCookiesOfOursStayHere(t *testing.T) {
	api := double.NewUpstream(t, nil)
	w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL)}})
	own := "example-at=sealed"
	for _, tt := range []struct {
		lines, want []string
	}{
		{[]string{own}, nil},
		{[]string{"a=1; " + own + "; b=2"}, []string{"a=1; b=2"}},
		{[]string{own + "; b=2"}, []string{"b=2"}},
		{[]string{"a=1; " + own}, []string{"a=1"}},
		{[]string{"a=1;" + own + ";b=2"}, []string{"a=1;b=2"}},
		{[]string{"a=1", own, "b=2"}, []string{"a=1", "b=2"}}, // crumbs of HTTP/2
		{[]string{own + "; example-at-1=x; example-csrf=x; example-auth=x; example-id=x; example-login-abcd=x; example-logout=x"}, nil},
		{[]string{own + "; __Host-example-at=x; __Host-Http-example-at=x; __Secure-example-auth-1=x; __Http-example-csrf=x"}, nil},
		{[]string{own + "; EXAMPLE-AT=x; \texample-at =x; example-at"}, nil},
		{[]string{own + "; a=\"x y\"; b=c=d; theme; =e"}, []string{"a=\"x y\"; b=c=d; theme; =e"}},
		{[]string{own + "; example-atlas=1; other-at=2; example=3"}, []string{"example-atlas=1; other-at=2; example=3"}},
	} {
		text := "GET /api/x HTTP/1.1\r\nHost: x\r\nOrigin: " + www + "\r\n"
		for _, line := range tt.lines {
			text += "Cookie: " + line + "\r\n"
		}
		resp := double.Raw(t, w.addr(), text+"\r\n")
		if resp == nil || resp.StatusCode != 200 {
			t.Fatalf("%v: %v", tt.lines, resp)
		}
		if got := api.One(t).Header["Cookie"]; !slices.Equal(got, tt.want) {
			t.Errorf("%q arrived as %q, want %q", tt.lines, got, tt.want)
		}
	}
}

func TestResponseHeaders(t *testing.T) {
	var response http.Header
	api := double.NewUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range response {
			w.Header()[name] = values
		}
		w.WriteHeader(http.StatusTeapot)
	})
	w := newWorld(t, []upstream.Target{
		{Name: "/api", URL: parse(t, api.URL)},
		{Name: "/public", URL: parse(t, api.URL)},
	})
	for _, tt := range []struct {
		path, name string
		sent, want []string
	}{
		{"/api", "X-Custom", []string{"1", "2"}, []string{"1", "2"}},
		{"/api", "Location", []string{"https://elsewhere.example/"}, []string{"https://elsewhere.example/"}},
		{"/api", "Www-Authenticate", []string{`Bearer error="insufficient_scope"`}, []string{`Bearer error="insufficient_scope"`}},
		{"/api", "Access-Control-Allow-Origin", []string{"*"}, []string{www}},
		{"/api", "Access-Control-Allow-Credentials", []string{"false"}, []string{"true"}},
		{"/api", "Etag", []string{`"1"`}, []string{`"1"`}},
		{"/api", "Access-Control-Allow-Private-Network", []string{"true"}, nil},
		{"/api", "Set-Cookie", []string{"a=1; Path=/", "example-theme=dark"}, []string{"a=1; Path=/", "example-theme=dark"}},
		{"/api", "Set-Cookie", []string{"example-at=evil", "a=1"}, []string{"a=1"}},
		{"/api", "Set-Cookie", []string{"__Host-Http-example-csrf=evil; Secure", "EXAMPLE-AT=x", " example-auth =x", "__secure-example-id-3=x; Path=/"}, nil},
		{"/api", "Set-Cookie", []string{"=example-at=evil", "= =example-at", "example-at"}, nil},
		{"/api", "Clear-Site-Data", []string{`"cache", "cookies"`}, nil},
		{"/api", "Clear-Site-Data", []string{`"cache"`, `"*"`}, nil},
		{"/api", "Clear-Site-Data", []string{`"cache"`}, []string{`"cache"`}},
		{"/api", "Cache-Control", nil, []string{"private"}},
		{"/api", "Cache-Control", []string{"max-age=60"}, []string{"max-age=60", "private"}},
		{"/api", "Cache-Control", []string{"max-age=60, Public"}, []string{"max-age=60, Public"}},
		{"/api", "Cache-Control", []string{"no-store"}, []string{"no-store"}},
		{"/api", "Cache-Control", []string{"s-maxage=9"}, []string{"s-maxage=9"}},
		{"/public", "Cache-Control", nil, nil},
		{"/public", "Cache-Control", []string{"max-age=60"}, []string{"max-age=60"}},
	} {
		response = http.Header{tt.name: tt.sent}
		resp := w.do(t, w.request(t, "GET", tt.path, nil))
		if resp.StatusCode != http.StatusTeapot || !slices.Equal(resp.Header[tt.name], tt.want) {
			t.Errorf("%s: %q came as %q, want %q", tt.name, tt.sent, resp.Header[tt.name], tt.want)
		}
	}
}

// A page of another origin sees the headers of a response, and nothing of what the
// upstream says of CORS.
func TestPageReadsHeaders(t *testing.T) {
	api := double.NewUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("X-Total-Count", "5")
		h.Set("ETag", `"1"`)
		h.Set("Cache-Control", "no-cache")
		h.Set("Set-Cookie", "a=1")
		h.Set("Access-Control-Expose-Headers", "X-Secret")
	})
	w := newWorld(t, []upstream.Target{{Name: "/api", URL: parse(t, api.URL)}})
	r := w.request(t, "GET", "/api", nil)
	// Beside what our own answers need.
	if got := w.do(t, r).Header["Access-Control-Expose-Headers"]; !slices.Contains(got, "Etag, X-Total-Count") || strings.Contains(strings.Join(got, ","), "Secret") {
		t.Errorf("another origin: %q", got)
	}
	r = w.request(t, "GET", "/api", nil)
	r.Header.Del("Origin")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if got := w.do(t, r).Header["Access-Control-Expose-Headers"]; got != nil {
		t.Errorf("the same origin: %q", got)
	}
}
