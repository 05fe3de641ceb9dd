package pkceproxy_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oauth-agent/agent/internal/pkceproxy"
)

func TestMetadata(t *testing.T) {
	minimal := `{"issuer":"https://pkce.example.com",
		"authorization_endpoint":"https://pkce.example.com/oauth/authorization",
		"token_endpoint":"https://pkce.example.com/oauth/token",
		"response_types_supported":["code"],"response_modes_supported":["query"],
		"grant_types_supported":["authorization_code","refresh_token"],
		"token_endpoint_auth_methods_supported":["none"],
		"code_challenge_methods_supported":["S256"],
		"authorization_response_iss_parameter_supported":true,
		"request_parameter_supported":false,"request_uri_parameter_supported":false}`
	below := `{"issuer":"https://example.com/pkce",
		"authorization_endpoint":"https://example.com/pkce/oauth/authorization",
		"token_endpoint":"https://example.com/pkce/oauth/token",
		"revocation_endpoint":"https://example.com/pkce/oauth/revoke",
		"response_types_supported":["code"],"response_modes_supported":["query"],
		"grant_types_supported":["authorization_code","refresh_token"],
		"token_endpoint_auth_methods_supported":["none"],
		"revocation_endpoint_auth_methods_supported":["none"],
		"code_challenge_methods_supported":["S256","plain"],
		"authorization_response_iss_parameter_supported":true,
		"request_parameter_supported":false,"request_uri_parameter_supported":false}`
	for _, tt := range []struct {
		name   string
		change func(*pkceproxy.Config)
		paths  []string
		want   string
	}{
		{"at the root", func(c *pkceproxy.Config) { c.RevocationURL = "" },
			[]string{"/.well-known/oauth-authorization-server"}, minimal},
		// RFC 8414 3.1 puts the path of the issuer behind the well-known one; a
		// gateway may strip it, and older clients append.
		{"below a path", func(c *pkceproxy.Config) {
			c.RedirectURL, c.AllowPlain = "https://example.com/pkce/callback", true
		}, []string{
			"/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/pkce",
			"/pkce/.well-known/oauth-authorization-server",
		}, below},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.change)
			for _, path := range tt.paths {
				r := w.get(w.proxy.URL, path, nil)
				var got, want any
				fatalIf(t, json.Unmarshal([]byte(tt.want), &want))
				if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.Header.Get("Content-Type") != "application/json" {
					t.Fatalf("%s: %d %s", path, r.StatusCode, r.body)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(path, diff)
				}
			}
		})
	}
}

// Behind a gateway that does not strip the path, a login works below it.
func TestEndpointsBelowAPath(t *testing.T) {
	w := newWorld(t, func(c *pkceproxy.Config) { c.RedirectURL = "https://example.com/pkce/callback" })
	_, q := w.location(w.get(w.proxy.URL, "/pkce/oauth/authorization", goodRequest()))
	_, q = w.location(w.get(w.proxy.URL, "/pkce/callback", with(q, "code=x")))
	if q.Get("iss") != "https://example.com/pkce" {
		t.Error(q)
	}
	if r := w.post(w.proxy.URL, "/pkce/oauth/token", tokenForm(q.Get("code"))); r.body != answerBody {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

func TestCORS(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		origin string
		ok     bool
	}{
		{"https://app.example.com", true},
		{"http://localhost:3000", true},
		{"http://127.0.0.1:49152", true}, // loopback, any port
		{"http://127.0.0.1", true},
		{"http://localhost:3001", false},
		{"https://app.example.com.evil.example", false},
		{"https://evil.example", false},
		{"https://APP.example.com", false},
		{"http://app.example.com", false},
		{"https://app.example.com:8443", false},
		{"http://127.0.0.1.evil.example", false},
		{"http://127.0.0.1:80.evil.example", false},
		{"https://127.0.0.1:8000", false},
		{"com.example.app:", false},
		{"null", false},
	} {
		t.Run(tt.origin, func(t *testing.T) {
			want := ""
			if tt.ok {
				want = tt.origin
			}
			for _, path := range []string{"/oauth/token", "/oauth/revoke", "/.well-known/oauth-authorization-server"} {
				for _, method := range []string{"OPTIONS", "GET", "POST"} {
					if method == "GET" != (path[1] == '.') && method != "OPTIONS" {
						continue
					}
					req, err := http.NewRequest(method, w.proxy.URL+path, nil)
					fatalIf(t, err)
					req.Header.Set("Origin", tt.origin)
					if method == "OPTIONS" {
						asked := map[bool]string{true: "GET", false: "POST"}[path[1] == '.']
						req.Header.Set("Access-Control-Request-Method", asked)
						req.Header.Set("Access-Control-Request-Headers", "content-type")
					}
					r := w.do(req)
					if got := r.Header.Get("Access-Control-Allow-Origin"); got != want {
						t.Errorf("%s %s: allowed %q", method, path, got)
					}
					if r.Header.Get("Access-Control-Allow-Credentials") != "" || r.StatusCode >= 500 {
						t.Errorf("%s %s: %d %v", method, path, r.StatusCode, r.Header)
					}
				}
			}
		})
	}
	// A bare OPTIONS ends here, and never at the handler.
	req, err := http.NewRequest(http.MethodOptions, w.proxy.URL+"/oauth/token", nil)
	fatalIf(t, err)
	if r := w.do(req); r.StatusCode != http.StatusNoContent {
		t.Errorf("%d", r.StatusCode)
	}
}

func TestHead(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]int{
		"/.well-known/oauth-authorization-server":        http.StatusOK,
		"/oauth/authorization?" + goodRequest().Encode(): http.StatusFound,
		"/callback": http.StatusBadRequest,
	} {
		req, err := http.NewRequest(http.MethodHead, w.proxy.URL+path, nil)
		fatalIf(t, err)
		if r := w.do(req); r.StatusCode != want || r.body != "" {
			t.Errorf("%s: %d %q", path, r.StatusCode, r.body)
		}
	}
}
