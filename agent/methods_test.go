package agent

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Any method can be called by a page of another trusted origin: what its route
// says of it, the page is to read.
func TestCORSOfAnyMethod(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(file, []byte("routes: [{path: /dav/, upstream: 'http://127.0.0.1:1'}, {path: /few/, upstream: 'http://127.0.0.1:1', methods: [GET]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := buildFrom(t, file, nil, "FORWARD_AUTH_ADDR=127.0.0.1:8081")
	for _, tt := range []struct {
		name   string
		to     http.Handler
		method string
		path   string
		header []string
		status int
		origin string
	}{
		{"preflight", a.Handler(), "OPTIONS", "/dav/x", []string{"Access-Control-Request-Method", "PROPFIND"}, 204, testOrigin},
		{"preflight, unheard of", a.Handler(), "OPTIONS", "/dav/x", []string{"Access-Control-Request-Method", "FROB"}, 204, testOrigin},
		{"preflight, PUT", a.Handler(), "OPTIONS", "/dav/x", []string{"Access-Control-Request-Method", "PUT"}, 204, testOrigin},
		{"preflight, TRACE", a.Handler(), "OPTIONS", "/dav/x", []string{"Access-Control-Request-Method", "TRACE"}, 204, ""},
		{"preflight, not the route's", a.Handler(), "OPTIONS", "/few/x", []string{"Access-Control-Request-Method", "PUT"}, 204, ""},
		{"preflight, the route's", a.Handler(), "OPTIONS", "/few/x", []string{"Access-Control-Request-Method", "HEAD"}, 204, testOrigin},
		{"preflight, no token", a.Handler(), "OPTIONS", "/dav/x", []string{"Access-Control-Request-Method", "A B"}, 204, ""},
		{"no session", a.Handler(), "PROPFIND", "/dav/x", nil, 401, testOrigin},
		{"not allowed", a.Handler(), "PROPFIND", "/few/x", nil, 405, testOrigin},
		{"forward auth", a.ForwardAuth(), "GET", "/oauth-agent/authorize", []string{"X-Original-Method", "PROPFIND"}, 401, testOrigin},
		{"forward auth, no token", a.ForwardAuth(), "GET", "/oauth-agent/authorize", []string{"X-Original-Method", "A B"}, 401, ""},
	} {
		r := httptest.NewRequest(tt.method, tt.path, nil)
		r.Header.Set("Origin", testOrigin)
		for i := 0; i < len(tt.header); i += 2 {
			r.Header.Set(tt.header[i], tt.header[i+1])
		}
		w := httptest.NewRecorder()
		tt.to.ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != tt.status || got != tt.origin {
			t.Errorf("%s: status %d, Allow-Origin %q, want %d, %q", tt.name, w.Code, got, tt.status, tt.origin)
		}
		if strings.HasPrefix(tt.name, "preflight") && tt.origin != "" && w.Header().Get("Access-Control-Allow-Methods") != tt.header[1] {
			t.Errorf("%s: %v", tt.name, w.Header())
		}
		r.Header.Set("Origin", "https://evil.example")
		w = httptest.NewRecorder()
		if tt.to.ServeHTTP(w, r); w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: a foreign origin: %v", tt.name, w.Header())
		}
	}
}

// A preflight grants the methods that an endpoint has, and no other.
func TestPreflightsGrantWhatThereIs(t *testing.T) {
	a := buildFrom(t, "", nil, append(pkceEnv(), "OAUTH_ALLOWED_REDIRECT_URIS="+testOrigin+"/cb", "OAUTH_REVOCATION_URL=http://127.0.0.1:1/revoke")...)
	has := map[string]string{
		"/oauth-agent/login/start": "POST", "/oauth-agent/login/end": "POST", "/oauth-agent/refresh": "POST", "/oauth-agent/logout": "POST",
		"/oauth-agent/session": "GET HEAD", "/oauth-agent/userInfo": "GET HEAD", "/oauth-agent/claims": "GET HEAD",
		"/oauth-agent/logout/continue": "GET", "/oauth-agent/authorize": "GET HEAD POST", "/nothing": "GET HEAD POST",
		"/oauth/token": "POST", "/oauth/revoke": "POST", "/.well-known/oauth-authorization-server": "GET HEAD",
	}
	for path, methods := range has {
		for _, asked := range [][]string{{"GET"}, {"HEAD"}, {"POST"}, {"PUT"}, {"PATCH"}, {"DELETE"}, {"PROPFIND"}, {"TRACE"}, {"post"}, {"GET", "DELETE"}, {"POST", "DELETE"}} {
			r := httptest.NewRequest("OPTIONS", path, nil)
			r.Header.Set("Origin", testOrigin)
			r.Header["Access-Control-Request-Method"] = asked
			w := httptest.NewRecorder()
			a.Handler().ServeHTTP(w, r)
			var want []string
			if len(asked) == 1 && slices.Contains(strings.Fields(methods), asked[0]) {
				want = asked
			}
			if got := w.Header()["Access-Control-Allow-Methods"]; w.Code != http.StatusNoContent || !slices.Equal(got, want) {
				t.Errorf("%s: asked for %s: %d, granted %s, want %s", path, asked, w.Code, got, want)
			}
			if got := w.Header().Get("Access-Control-Allow-Origin"); (got != "") != (want != nil) || len(asked) == 1 && w.Header()["Vary"] == nil {
				t.Errorf("%s: asked for %s: %v", path, asked, w.Header())
			}
		}
	}
}
