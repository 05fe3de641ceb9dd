package config

import (
	"slices"
	"strings"
	"testing"
)

// What the PKCE proxy would refuse to start with, each told with its key.
func TestMistakesOfClientApps(t *testing.T) {
	const uris, ids = "pkce_proxy.allowed_redirect_uris", "pkce_proxy.allowed_client_ids"
	for _, tt := range []struct{ variable, value, key, reason string }{
		{"OAUTH_ALLOWED_REDIRECT_URIS", "myapp:/cb", uris, "with a dot"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", "javascript:alert(1)", uris, "with a dot"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", "https://*.example.com/cb", uris, "no wildcard"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", "https://app.example.com/cb#", uris, "no fragment"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", "https://app.example.com/?code=1", uris, "code in its query"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", "HTTPS://app.example.com/", uris, "lower case"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", "https://:80/", uris, "have a host"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", "https://münchen.example/", uris, "an absolute URI"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", `https://app.example.com\@evil.example/`, uris, "an absolute URI"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", "http://app.example.com/cb", uris, "in clear"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", "http://10.0.0.1/cb", uris, "in clear"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", "http://127.1/cb", uris, "in clear"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", "http://localhost.example.com/cb", uris, "in clear"},
		{"OAUTH_ALLOWED_CLIENT_IDS", "café", ids, "not a client id"},
		{"OAUTH_ALLOWED_CLIENT_IDS", "app," + strings.Repeat("a", 257), ids, "not a client id"},
		{"OAUTH_AUTH_URL", "https://login.example.com/authorize?a=b&state=x", "pkce_proxy.auth_url", "state in its query"},
		{"OAUTH_AUTH_URL", "https://login.example.com/authorize?%63lient_id=x", "pkce_proxy.auth_url", "client_id in its query"},
		{"OAUTH_REDIRECT_URL", "https://pkce.example.com/callback?", "pkce_proxy.redirect_url", "/callback"},
		{"OAUTH_REDIRECT_URL", "https://pkce.example.com/{x}/callback", "pkce_proxy.redirect_url", "plain"},
		{"OAUTH_REDIRECT_URL", "https://pkce.example.com/a/../callback", "pkce_proxy.redirect_url", "plain"},
	} {
		t.Run(tt.variable+"="+tt.value, func(t *testing.T) {
			want(t, mistakes(t, "", pkceEnv(vars{tt.variable: tt.value})), tt.key, tt.reason)
		})
	}
	load(t, "", pkceEnv(vars{"OAUTH_REDIRECT_URL": "https://example.com/pkce/callback", "OAUTH_AUTH_URL": "https://login.example.com/?audience=x"}))
}

func TestMistakesOfClientAppsAreToldWithAllOthers(t *testing.T) {
	var keys []string
	for _, m := range mistakes(t, "", pkceEnv(vars{
		"PORT": "99999", "OAUTH_ALLOWED_REDIRECT_URIS": "myapp:/cb,https://*.x/cb", "OAUTH_ALLOWED_CLIENT_IDS": "é",
	})) {
		keys = append(keys, m.Key)
	}
	want := []string{"port", "pkce_proxy.allowed_redirect_uris", "pkce_proxy.allowed_redirect_uris", "pkce_proxy.allowed_client_ids"}
	if !slices.Equal(keys, want) {
		t.Errorf("got %v, want %v", keys, want)
	}
}

// RFC 9700 2.6: a code goes over http to the own machine alone.
func TestRedirectURIsInClear(t *testing.T) {
	load(t, "", pkceEnv(vars{"OAUTH_ALLOWED_REDIRECT_URIS": "http://127.0.0.1/cb,http://[::1]:8000/cb,http://localhost:3000/cb,com.example.app://cb"}))
	load(t, "", pkceEnv(vars{"OAUTH_ALLOWED_REDIRECT_URIS": "http://app.internal/cb", "INSECURE_HTTP": "true"}))
	ms := mistakes(t, "", pkceEnv(vars{"OAUTH_ALLOWED_REDIRECT_URIS": "http://a.internal/,https://b.example.com/,http://c.internal/"}))
	if len(ms) != 2 {
		t.Errorf("%v", ms)
	}
}

// No path may be the agent's and the PKCE proxy's.
func TestBasePathBesideThePKCEProxy(t *testing.T) {
	for _, tt := range []struct {
		base, issuer string // the issuer's path
		collide      bool
	}{
		{"/oauth", "", true},
		{"/oauth/", "", true},
		{"/oauth", "/pkce", true},
		{"/pkce/oauth", "/pkce", true},
		{"/oauth-agent", "/oauth-agent/authorize", true},
		{"/oauth-agent", "/oauth-agent/authorize/x", true},
		{"/", "/authorize", true},
		{"/oauth-agent", "", false},
		{"/oauth-agent", "/oauth-agent", false},
		{"/oauth-agent", "/oauth-agent/authorized", false},
		{"/", "", false},
		{"/", "/pkce", false},
		{"/pkce/oauth", "", false},
		{"/oauth/agent", "", false},
		{"/OAuth", "", false},
	} {
		t.Run(tt.base+" "+tt.issuer, func(t *testing.T) {
			both := append(agentEnv(vars{"BASE_PATH": tt.base}),
				pkceEnv(vars{"OAUTH_REDIRECT_URL": "https://pkce.example.com" + tt.issuer + "/callback"})...)
			if tt.collide {
				want(t, mistakes(t, "", both), "base_path", "PKCE proxy")
				return
			}
			load(t, "", both)
		})
	}
	load(t, "", agentEnv(vars{"BASE_PATH": "/oauth"}))
	load(t, "", pkceEnv(vars{"BASE_PATH": "/oauth"}))
}
