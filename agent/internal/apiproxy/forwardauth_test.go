package apiproxy_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"oauth-agent/agent/internal/session"
	"oauth-agent/test/double"
)

func TestForwardAuth(t *testing.T) {
	w := newWorld(t, nil)
	w.server = httptest.NewServer(w.proxy.ForwardAuth(w.cors))
	defer w.server.Close()
	live := w.login(t, session.Tokens{Expiry: w.now.Add(1e9)})
	expired := w.login(t, session.Tokens{Expiry: w.now})
	const (
		in           = "200"
		bare         = "200 without a token"
		unauthorized = "unauthorized_request"
	)
	for _, tt := range []struct {
		name, method, path string
		who                browser
		header             string // separated by '|'
		want               string
	}{
		{"GET", "GET", "", live, "", in},
		{"HEAD", "HEAD", "", live, "", in},
		{"the original path behind it", "GET", "/api/orders?x=1", live, "", in},
		{"odd paths do not matter", "GET", "/a%2f../..//b", live, "", in},
		{"Envoy: POST", "POST", "/api", live, "", in},
		{"Envoy: POST, no CSRF", "POST", "/api", live, "-csrf", unauthorized},
		{"Traefik: POST", "GET", "", live, "X-Forwarded-Method: POST", in},
		{"Traefik: POST, no CSRF", "GET", "", live, "-csrf|X-Forwarded-Method: POST", unauthorized},
		{"nginx: POST", "GET", "", live, "X-Original-Method: POST", in},
		{"nginx: POST, no CSRF", "GET", "", live, "-csrf|X-Original-Method: POST", unauthorized},
		{"nginx: GET, no CSRF", "GET", "", live, "-csrf|X-Original-Method: GET", in},
		{"the strictest: the client says GET", "GET", "", live, "-csrf|X-Original-Method: POST|X-Forwarded-Method: GET", unauthorized},
		{"the strictest: the other way round", "GET", "", live, "-csrf|X-Original-Method: GET|X-Forwarded-Method: DELETE", unauthorized},
		{"the strictest: POST itself", "POST", "", live, "-csrf|X-Original-Method: GET|X-Forwarded-Method: GET", unauthorized},
		{"the strictest: twice", "GET", "", live, "-csrf|X-Original-Method: GET|X-Original-Method: POST", unauthorized},
		{"a list", "GET", "", live, "-csrf|X-Original-Method: GET, POST", unauthorized},
		{"an empty method", "GET", "", live, "-csrf|X-Original-Method: ", unauthorized},
		{"in small letters", "GET", "", live, "-csrf|X-Original-Method: get", unauthorized},
		{"TRACE", "GET", "", live, "X-Original-Method: TRACE", unauthorized},
		{"TRACE, behind a POST of the client's", "GET", "", live, "X-Forwarded-Method: POST|X-Original-Method: TRACE", unauthorized},
		{"TRACE, by POST", "POST", "", live, "X-Original-Method: trace", unauthorized},
		{"TRACE, by an override", "POST", "", live, "X-HTTP-Method-Override: TRACE", unauthorized},
		{"CONNECT", "GET", "", live, "X-Forwarded-Method: CONNECT", unauthorized},

		{"no session", "GET", "", browser{}, "", unauthorized},
		{"expired", "GET", "", expired, "", "token_expired"},
		{"foreign origin", "GET", "", live, "-origin|Origin: https://evil.example", unauthorized},
		{"null origin", "GET", "", live, "-origin|Origin: null", unauthorized},
		{"no origin", "GET", "", live, "-origin", unauthorized},
		{"no origin, same-origin", "GET", "", live, "-origin|Sec-Fetch-Site: same-origin", in},
		{"no origin, POST", "GET", "", live, "-origin|Sec-Fetch-Site: same-origin|X-Original-Method: POST", unauthorized},
		{"WebSocket", "GET", "", live, "Upgrade: websocket|Connection: Upgrade", in},
		{"WebSocket, no origin", "GET", "", live, "-origin|Sec-Fetch-Site: same-origin|Upgrade: websocket|Connection: Upgrade", unauthorized},
		{"WebSocket, hop-by-hop headers gone", "GET", "", live, "-origin|Sec-Fetch-Site: same-origin|Sec-WebSocket-Key: x", unauthorized},
		{"a bearer token of the client's", "GET", "", browser{}, "Authorization: Bearer x", unauthorized},

		{"preflight: nginx", "GET", "", browser{}, "X-Original-Method: OPTIONS|Access-Control-Request-Method: POST", bare},
		{"preflight: Traefik", "GET", "", browser{}, "X-Forwarded-Method: OPTIONS|Access-Control-Request-Method: POST", bare},
		{"preflight: Envoy", "OPTIONS", "/api", browser{}, "Access-Control-Request-Method: POST", bare},
		{"preflight with cookies", "OPTIONS", "", live, "Access-Control-Request-Method: POST", bare},
		{"preflight, foreign", "OPTIONS", "", browser{}, "-origin|Origin: https://evil.example|Access-Control-Request-Method: POST", unauthorized},
		{"preflight, foreign, nginx", "GET", "", browser{}, "-origin|Origin: https://evil.example|X-Original-Method: OPTIONS|Access-Control-Request-Method: POST", unauthorized},
		{"preflight, no origin", "OPTIONS", "", browser{}, "-origin|Access-Control-Request-Method: POST", unauthorized},
		{"preflight, two origins", "OPTIONS", "", browser{}, "Origin: https://evil.example|Access-Control-Request-Method: POST", unauthorized},
		{"preflight without a method", "OPTIONS", "", browser{}, "", unauthorized},
		// oauth2-proxy was let through by a forged X-Forwarded-Uri; here the one header
		// is the gateway's, the other the client's.
		{"forged preflight through nginx", "GET", "", browser{}, "X-Original-Method: GET|X-Forwarded-Method: OPTIONS|Access-Control-Request-Method: GET", unauthorized},
		{"forged preflight through Caddy", "GET", "", browser{}, "X-Forwarded-Method: GET|X-Original-Method: OPTIONS|Access-Control-Request-Method: GET", unauthorized},
		{"forged preflight by an override", "GET", "", browser{}, "X-Original-Method: OPTIONS|X-HTTP-Method-Override: GET|Access-Control-Request-Method: GET", unauthorized},
		{"a preflight that is a WebSocket", "GET", "", browser{}, "X-Original-Method: OPTIONS|Access-Control-Request-Method: GET|Connection: upgrade|Upgrade: websocket|Sec-WebSocket-Key: x", unauthorized},
		{"method override needs CSRF", "GET", "", live, "-csrf|X-Original-Method: GET|X-HTTP-Method-Override: DELETE", unauthorized},
		{"method override with underscores", "GET", "", live, "-csrf|X-Original-Method: GET|X_HTTP_Method: delete", unauthorized},
		{"a preflight that is a POST itself", "POST", "", browser{}, "X-Original-Method: OPTIONS|Access-Control-Request-Method: POST", unauthorized},
		{"a preflight that is a POST", "GET", "", browser{}, "X-Forwarded-Method: OPTIONS|X-Original-Method: POST|Access-Control-Request-Method: POST", unauthorized},
		{"a GET that says preflight", "GET", "", browser{}, "Access-Control-Request-Method: POST", unauthorized},
		{"OPTIONS with a session", "OPTIONS", "", live, "", in},

		{"Accept: text/event-stream (traefikoidc)", "GET", "", browser{}, "Accept: text/event-stream", unauthorized},
		{"a health check's User-Agent (oauth2-proxy, GHSA-5hvv-m4w4-gf6v)", "GET", "", browser{}, "User-Agent: GoogleHC/1.0", unauthorized},
		{"X-Forwarded-Uri (oauth2-proxy #3506)", "GET", "", browser{}, "X-Forwarded-Uri: /ping|X-Original-Uri: /ping|X-Auth-Request-Redirect: /ping", unauthorized},
		{"a rewritten Host (envoyproxy/envoy#42968)", "GET", "", live, "X-Forwarded-Host: other.example", in},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := tt.method + " /oauth-agent/authorize" + tt.path + " HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n"
			if !strings.Contains(tt.header, "-origin") {
				text += "Origin: " + www + "\r\n"
			}
			if tt.who.csrf != "" {
				text += "Cookie: " + tt.who.header() + "\r\n"
				if !strings.Contains(tt.header, "-csrf") {
					text += csrfHeader + ": " + tt.who.csrf + "\r\n"
				}
			}
			for line := range strings.SplitSeq(tt.header, "|") {
				if line != "" && line[0] != '-' {
					text += line + "\r\n"
				}
			}
			resp := double.Raw(t, w.addr(), text+"\r\n")
			if resp == nil {
				t.Fatal("no answer")
			}
			checkForwardAnswer(t, resp, tt.want, in, bare)
		})
	}
}

func checkForwardAnswer(t *testing.T, resp *http.Response, want, in, bare string) {
	t.Helper()
	header := ""
	switch want {
	case in:
		header = "Bearer " + token
	case bare:
	default:
		double.WantError(t, resp, 401, want, token)
		return
	}
	if body := double.Text(t, resp); resp.StatusCode != 200 || body != "" || resp.Header.Get("Authorization") != header {
		t.Errorf("%d %q %v", resp.StatusCode, body, resp.Header)
	}
	if resp.Header.Get("Cache-Control") != "no-store" || resp.Header["Set-Cookie"] != nil {
		t.Errorf("%v", resp.Header)
	}
}

// What the page may read is the gateway's to pass on.
func TestForwardAuthErrorsHaveCORS(t *testing.T) {
	w := newWorld(t, nil)
	w.server = httptest.NewServer(w.proxy.ForwardAuth(w.cors))
	defer w.server.Close()
	for origin, want := range map[string]string{www: www, "https://evil.example": ""} {
		r := w.request(t, browser{}, "GET", "/oauth-agent/authorize", nil)
		r.Header.Set("Origin", origin)
		resp := w.do(t, r)
		if resp.Header.Get("Access-Control-Allow-Origin") != want || resp.StatusCode != 401 {
			t.Errorf("%s: %d %v", origin, resp.StatusCode, resp.Header)
		}
	}
}

func TestForwardAuthPaths(t *testing.T) {
	w := newWorld(t, nil)
	w.server = httptest.NewServer(w.proxy.ForwardAuth(w.cors))
	defer w.server.Close()
	b := w.login(t, session.Tokens{})
	for path, status := range map[string]int{
		"/oauth-agent/authorize": 200, "/oauth-agent/authorize/": 200, "/oauth-agent/authorize/api/x": 200,
		"/": 404, "/authorize": 404, "/oauth-agent": 404, "/oauth-agent/authorized": 404, "/oauth-agent/login/start": 404,
		"/oauth-agent/%61uthorize": 404,
	} {
		if resp := w.do(t, w.request(t, b, "GET", path, nil)); resp.StatusCode != status {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}
