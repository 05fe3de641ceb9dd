package config

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// One wrong setting each: which mistake is told, and that no other is.
func TestMistakesOfTheAgent(t *testing.T) {
	for _, tt := range []struct {
		variable, value string
		key, reason     string
	}{
		{"CLIENT_ID", "", "client_id", "not set"},
		{"CLIENT_SECRET", "", "client_secret", "not set"},
		{"REDIRECT_URI", "", "redirect_uri", "not set"},
		{"TRUSTED_WEB_ORIGIN", "", "trusted_web_origins", "not set"},
		{"TRUSTED_WEB_ORIGIN", " , ,", "trusted_web_origins", "not set"},
		{"COOKIE_ENCRYPTION_KEY", "", "cookie.encryption_keys", "not set"},
		{"SCOPE", " ", "scope", "not set"},

		{"PORT", "0x", "port", "not a whole number"},
		{"PORT", "0", "port", "not a TCP port"},
		{"PORT", "65536", "port", "not a TCP port"},
		{"BIND_ADDRESS", "localhost", "bind_address", "not an IP address"},
		{"CORS_ENABLED", "maybe", "cors_enabled", "true or false"},
		{"REQUEST_TIMEOUT", "10", "timeouts.request", "not a duration"},
		{"REQUEST_TIMEOUT", "0s", "timeouts.request", "out of range"},
		{"AUTHORIZATION_SERVER_TIMEOUT", "-1s", "timeouts.authorization_server", "out of range"},
		{"SHUTDOWN_TIMEOUT", "11m", "timeouts.shutdown", "out of range"},
		{"SESSION_LIFETIME", "-1h", "session.lifetime", "out of range"},
		{"SESSION_LIFETIME", "59s", "session.lifetime", "out of range"},
		{"REFRESH_MEMORY", "61m", "refresh.memory", "out of range"},
		{"REFRESH_MEMORY_BYTES", "65535", "refresh.memory_bytes", "too small"},
		{"LOG_LEVEL", "INFO", "log.level", "unknown"},
		{"LOG_FORMAT", "xml", "log.format", "unknown"},
		{"LOGOUT_URL", "none", "logout.url", "unknown"},
		{"CLIENT_AUTH_METHOD", "none", "client_auth_method", "unknown"},
		{"SERVER_CERT_FILE", "/nowhere", "tls.key_file", "not set"},
		{"SERVER_KEY_FILE", "/nowhere", "tls.cert_file", "not set"},

		{"BASE_PATH", "oauth-agent", "base_path", "plain absolute path"},
		{"BASE_PATH", "//", "base_path", "plain absolute path"},
		{"BASE_PATH", "/a//b", "base_path", "plain absolute path"},
		{"BASE_PATH", "/a/../b", "base_path", "plain absolute path"},
		{"BASE_PATH", "/a%2fb", "base_path", "plain absolute path"},
		{"BASE_PATH", "/a?b", "base_path", "plain absolute path"},
		{"COOKIE_BASE_PATH", "/a;Domain=evil.example", "cookie.base_path", "plain absolute path"},

		{"ISSUER", "login.example.com", "issuer", "absolute http(s) URL"},
		{"ISSUER", "ftp://login.example.com", "issuer", "absolute http(s) URL"},
		{"ISSUER", "https://", "issuer", "absolute http(s) URL"},
		{"ISSUER", "https://:443", "issuer", "absolute http(s) URL"},
		{"ISSUER", "https://login.example.com\n", "issuer", "line break"},
		{"ISSUER", "https://me:" + canary + "@login.example.com", "issuer", "user name"},
		{"ISSUER", "gopher://me:" + canary + "@login.example.com", "issuer", "absolute http(s) URL"},
		{"ISSUER", "https://login.example.com?a=1", "issuer", "query"},
		{"ISSUER", "https://login.example.com#a", "issuer", "fragment"},
		{"ISSUER", "https://login.example.com#", "issuer", "fragment"},
		{"ISSUER", "http://login.example.com", "issuer", "in clear"},
		{"ISSUER", "http://localhost.example.com", "issuer", "in clear"},
		{"ISSUER", "http://127.0.0.1.example.com", "issuer", "in clear"},
		{"ISSUER", "http://192.168.0.1", "issuer", "in clear"},
		{"ISSUER", "https://login.example.com:65536", "issuer", "absolute http(s) URL"},
		{"TOKEN_ENDPOINT", "http://login.example.com/token", "endpoints.token", "in clear"},
		{"AUTHORIZE_ENDPOINT", "/authorize", "endpoints.authorize", "absolute http(s) URL"},
		{"AUTHORIZE_ENDPOINT", "https://login.example.com/a?a=b&nonce=x", "endpoints.authorize", "must not have nonce in its query"},
		{"USERINFO_ENDPOINT", "https://login.example.com/#", "endpoints.userinfo", "fragment"},
		{"JWKS_ENDPOINT", "https://u@login.example.com/", "endpoints.jwks", "user name"},
		{"LOGOUT_ENDPOINT", "javascript:alert(1)", "endpoints.logout", "absolute http(s) URL"},
		{"REVOCATION_ENDPOINT", "http://login.example.com/", "endpoints.revocation", "in clear"},
		{"REDIRECT_URI", "com.example.app:/cb", "redirect_uri", "absolute http(s) URL"},
		{"REDIRECT_URI", "https://www.example.com/#/cb", "redirect_uri", "fragment"},
		{"POST_LOGOUT_REDIRECT_URI", "/bye", "post_logout_redirect_uri", "absolute http(s) URL"},
		{"PUBLIC_URL", "https://www.example.com/agent", "public_url", "how a browser writes"},
		{"SCOPE", "openid prof\"ile", "scope", "not a scope"},
		{"SCOPE", "openid pröfile", "scope", "not a scope"},

		{"TRUSTED_WEB_ORIGIN", "*", "trusted_web_origins", "not a web origin"},
		{"TRUSTED_WEB_ORIGIN", "null", "trusted_web_origins", "not a web origin"},
		{"TRUSTED_WEB_ORIGIN", "www.example.com", "trusted_web_origins", "not a web origin"},
		{"TRUSTED_WEB_ORIGIN", "file://x", "trusted_web_origins", "not a web origin"},
		{"TRUSTED_WEB_ORIGIN", "https://*.example.com/", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "https://www.example.com/", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "https://WWW.example.com", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "HTTPS://www.example.com", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "https://www.example.com:443", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "http://localhost:80", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "http://localhost:", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "https://me:" + canary + "@www.example.com", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "https://www.example.com?a", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "https://münchen.example", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "https://www.example.com:08443", "trusted_web_origins", "how a browser writes"},
		{"TRUSTED_WEB_ORIGIN", "https://www.example.com:99999", "trusted_web_origins", "not a web origin"},
		{"TRUSTED_WEB_ORIGIN", "https://www.example.com, http://www.example.com", "trusted_web_origins", "in clear"},

		{"COOKIE_NAME_PREFIX", "a b", "cookie.name_prefix", "cannot begin"},
		{"COOKIE_NAME_PREFIX", "a;b", "cookie.name_prefix", "cannot begin"},
		{"COOKIE_NAME_PREFIX", "__Host-a", "cookie.name_prefix", "cannot begin"},
		{"COOKIE_NAME_PREFIX", strings.Repeat("a", 51), "cookie.name_prefix", "cannot begin"},
		{"COOKIE_NAME_PREFIX", "ä", "cookie.name_prefix", "cannot begin"},
		{"COOKIE_DOMAIN", "example", "cookie.domain", "not a domain"},
		{"COOKIE_DOMAIN", "Example.com", "cookie.domain", "not a domain"},
		{"COOKIE_DOMAIN", "example.com;Secure", "cookie.domain", "not a domain"},
		{"COOKIE_DOMAIN", "https://example.com", "cookie.domain", "not a domain"},
		{"COOKIE_ENCRYPTION_KEY", canary, "cookie.encryption_keys", "key 1 is not 64 hexadecimal characters"},
		{"COOKIE_ENCRYPTION_KEY", keyA + "a1", "cookie.encryption_keys", "key 1 is not"},
		{"COOKIE_ENCRYPTION_KEY", keyA[:32], "cookie.encryption_keys", "key 1 is not"},
		{"COOKIE_ENCRYPTION_KEY", keyA + ",z" + keyB[1:], "cookie.encryption_keys", "key 2 is not"},
		{"COOKIE_ENCRYPTION_KEY", keyA + "," + keyB + "," + keyA, "cookie.encryption_keys", "key 3 stands there twice"},
		{"COOKIE_ENCRYPTION_KEY", keyA + "," + strings.ToUpper(keyA), "cookie.encryption_keys", "key 2 stands there twice"},
	} {
		t.Run(tt.variable+"="+tt.value, func(t *testing.T) {
			want(t, mistakes(t, "", agentEnv(vars{tt.variable: tt.value})), tt.key, tt.reason)
		})
	}
}

// want fails unless there is this one mistake.
func want(t *testing.T, ms Mistakes, key, reason string) {
	t.Helper()
	if len(ms) != 1 || ms[0].Key != key || !strings.Contains(ms[0].Reason, reason) || ms[0].Env == "" {
		t.Errorf("want %q for %s, got %v", reason, key, ms)
	}
}

func TestMistakesOfTheProxy(t *testing.T) {
	const raw = "c4nary9!c4nary9!c4nary9!c4nary9!" // 32 bytes
	for _, tt := range []struct {
		variable, value string
		key, reason     string
	}{
		{"OAUTH_CLIENT_ID", "", "pkce_proxy.client_id", "not set"},
		{"OAUTH_CLIENT_SECRET", "", "pkce_proxy.client_secret", "not set"},
		{"OAUTH_AUTH_URL", "", "pkce_proxy.auth_url", "not set"},
		{"OAUTH_TOKEN_URL", "", "pkce_proxy.token_url", "not set"},
		{"OAUTH_REDIRECT_URL", "", "pkce_proxy.redirect_url", "not set"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", "", "pkce_proxy.allowed_redirect_uris", "not set"},
		{"JWT_SIGNING_KEY", "", "pkce_proxy.signing_key", "not set"},
		{"ENCRYPTION_KEY", "", "pkce_proxy.encryption_key", "not set"},
		{"OAUTH_AUTH_METHOD", "tls", "pkce_proxy.auth_method", "unknown"},
		{"OAUTH_ALLOW_PLAIN", "plain", "pkce_proxy.allow_plain", "true or false"},
		{"OAUTH_AUTH_URL", "http://login.example.com/authorize", "pkce_proxy.auth_url", "in clear"},
		{"OAUTH_TOKEN_URL", "https://u:" + canary + "@login.example.com/token", "pkce_proxy.token_url", "user name"},
		{"OAUTH_REVOCATION_URL", "revoke", "pkce_proxy.revocation_url", "absolute http(s) URL"},
		{"OAUTH_REDIRECT_URL", "https://pkce.example.com/callback/", "pkce_proxy.redirect_url", "/callback"},
		{"OAUTH_REDIRECT_URL", "https://pkce.example.com/callback?a=1", "pkce_proxy.redirect_url", "/callback"},
		{"OAUTH_REDIRECT_URL", "https://pkce.example.com/cb", "pkce_proxy.redirect_url", "/callback"},
		{"JWT_SIGNING_KEY", keyB, "pkce_proxy.encryption_key", "the same"},
		{"JWT_SIGNING_KEY", strings.ToUpper(keyB), "pkce_proxy.encryption_key", "the same"},
		{"JWT_SIGNING_KEY", strings.Repeat("\xb2", 32), "pkce_proxy.encryption_key", "the same"},
		{"JWT_SIGNING_KEY", raw + "!", "pkce_proxy.signing_key", "neither 64 hexadecimal characters nor 32 bytes"},
		{"ENCRYPTION_KEY", raw[1:], "pkce_proxy.encryption_key", "neither 64 hexadecimal characters nor 32 bytes"},
		{"ENCRYPTION_KEY", "z" + keyB[1:], "pkce_proxy.encryption_key", "neither 64 hexadecimal characters nor 32 bytes"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", "/cb", "pkce_proxy.allowed_redirect_uris", "not a redirect URI"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", "https:///cb", "pkce_proxy.allowed_redirect_uris", "not a redirect URI"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", "https://app.example.com/#cb", "pkce_proxy.allowed_redirect_uris", "not a redirect URI"},
		{"OAUTH_ALLOWED_REDIRECT_URIS", "https://u:" + canary + "@app.example.com/", "pkce_proxy.allowed_redirect_uris", "not a redirect URI"},
	} {
		t.Run(tt.variable+"="+tt.value, func(t *testing.T) {
			want(t, mistakes(t, "", pkceEnv(vars{tt.variable: tt.value})), tt.key, tt.reason)
		})
	}
	c := load(t, "", pkceEnv(vars{"JWT_SIGNING_KEY": raw, "OAUTH_ALLOWED_REDIRECT_URIS": "http://127.0.0.1/cb,com.example.app:/cb"}))
	if key, err := RawKey(c.PKCEProxy.SigningKey); err != nil || key.Reveal() != raw {
		t.Errorf("a raw key: %v", err)
	}
	if key, err := RawKey(c.PKCEProxy.EncryptionKey); err != nil || key.Reveal() != strings.Repeat("\xb2", 32) {
		t.Errorf("a hexadecimal key: %v", err)
	}
}

func TestMistakesOfTheFile(t *testing.T) {
	path := writeFile(t, "agent.yaml", "")
	for _, tt := range []struct{ yaml, key, reason string }{
		{"prot: 80", "prot", "unknown key (F, line 1)"},
		{"# one\ncookie:\n  name: x", "cookie.name", "unknown key (F, line 3)"},
		{"Port: 80", "Port", "unknown key"},
		{"{client_secret:" + canary + "}", "F, line 1", "unknown key"},
		{"cookie: {encryption_keys:" + canary + ": x}", "cookie", "unknown key"},
		{"? " + canary + "\n: x", "F, line 1", "unknown key"},
		{"port: 1\nport: 2", "port", "set twice (F, line 2)"},
		{"client_secret: a\nclient_secret: " + canary, "client_secret", "set twice"},
		{"cookie: {domain: a.example}\ncookie: {name_prefix: b}", "cookie", "set twice"},
		{"port: " + canary, "port", "not a whole number (F, line 1)"},
		{"port: a`b`" + canary, "port", "not a whole number"},
		{"port: '80'", "port", "not a whole number"},
		{"port: 80.5", "port", "not a whole number"},
		{"cors_enabled: 1", "cors_enabled", "not a switch"},
		{"timeouts:\n  request: 5", "timeouts.request", "not a duration"},
		{"timeouts: {request: " + canary + "}", "timeouts.request", "not a duration"},
		{"client_secret: [" + canary + "]", "client_secret", "not a text"},
		{"client_secret:\n  " + canary + ": 1", "client_secret", "not a text"},
		{"cookie: {encryption_keys: " + canary + "}", "cookie.encryption_keys", "not a list"},
		{"cookie:\n  encryption_keys:\n  - [" + canary + "]", "cookie.encryption_keys", "not a text"},
		{"routes: /api", "routes", "not a list"},
		{"routes:\n- /api", "routes", "not a section of settings"},
		{"routes:\n- {path: /api, upstream: http://127.0.0.1, max_body: 1 GB}", "routes[0].max_body", "not a whole number"},
		{"routes:\n- {path: /api, upstream: http://127.0.0.1, csrf: never}", "routes[0].csrf", "not a switch"},
		{"routes:\n- {path: /api, upstream: http://127.0.0.1, upstreem: x}", "routes[0].upstreem", "unknown key"},
		{"trusted_web_origins: https://a.example", "trusted_web_origins", "not a list"},
		{"cookie: " + canary, "cookie", "not a section of settings"},
		{"- " + canary, "F, line 1", "no mapping of settings"},
		{canary, "F, line 1", "no mapping of settings"},
		{"port: 80\n---\nport: 81", "F", "more than one document"},
		{"client_secret: *" + canary, "F, line 1", "refers to an anchor"},
		{"client_secret: @" + canary, "F, line 1", "cannot start any token"},
		{"client_id: x\nclient_secret:" + canary + "\n", "F, line 2", "could not find expected"},
		{"client_secret: \"" + canary + "\\q\"", "F, line 1", "unknown escape character"},
		{"client_secret: !!int " + canary, "F", "no mapping of settings"},
		{"client_secret: " + canary + "\x00", "F", "control characters"},
		{"client_secret:\tx\n\ty: " + canary, "F, line 1", "tab character"},
	} {
		t.Run(tt.yaml, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(tt.yaml), 0o600); err != nil {
				t.Fatal(err)
			}
			ms := mistakes(t, path, append(agentEnv(nil), "PORT=80"))
			key, reason := strings.ReplaceAll(tt.key, "F", path), strings.ReplaceAll(tt.reason, "(F,", "("+path+",")
			if len(ms) != 1 || ms[0].Key != key || !strings.Contains(ms[0].Reason, reason) {
				t.Errorf("want %q for %s, got %v", reason, key, ms)
			}
		})
	}
}

// A key that stands twice neither hides the other mistakes nor makes up any.
func TestMistakesBesideAKeySetTwice(t *testing.T) {
	for yaml, want := range map[string][]string{
		"port: 1\nport: 2\nbogus: 1":                                        {"bogus", "port"},
		"port: 1\nport: 0\nport: 0":                                         {"port", "port"},
		"cookie: {name_prefix: a, name_prefix: b, domain: co, x: y}\na: 1":  {"a", "cookie.domain", "cookie.name_prefix", "cookie.x"},
		"cookie: {domain: co, domain: co}\ncookie: {name: x, path: [a: 1]}": {"cookie", "cookie.domain", "cookie.name", "cookie.path"},
		"a: &a {port: 1}\n<<: *a\n<<: *a":                                   {"F, line 3", "a"},
		"? &p port\n: 1\n*p : 2":                                            {"F, line 3"},
	} {
		path := writeFile(t, "agent.yaml", yaml)
		var got []string
		for _, m := range mistakes(t, path, agentEnv(nil)) {
			got = append(got, strings.ReplaceAll(m.Key, path, "F"))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", yaml, got, want)
		}
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	path := writeFile(t, "agent.yaml", `
prot: 80
client_secret: [`+canary+`]
cookie:
  name_prefix: "not one"
  encryption_keys: [`+canary+`]
pkce_proxy:
  client_id: proxy
  signing_key: `+canary+`
  encryption_key_file: `+canary+`
timeouts: {shutdown: never}
`)
	ms := mistakes(t, path, []string{"CORS_ENABLED=perhaps", "TRUSTED_WEB_ORIGIN=*,https://www.example.com/", "OAUTH_CLIENT_SECRET=x", "OAUTH_CLIENT_SECRET_FILE=y"})
	var keys []string
	for _, m := range ms {
		keys = append(keys, m.Key)
	}
	slices.Sort(keys)
	want := []string{
		"client_id", "client_secret", "cookie.encryption_keys", "cookie.name_prefix", "cors_enabled",
		"endpoints.authorize", "endpoints.jwks", "endpoints.token",
		"pkce_proxy.allowed_redirect_uris", "pkce_proxy.auth_url", "pkce_proxy.client_secret", "pkce_proxy.encryption_key_file",
		"pkce_proxy.redirect_url", "pkce_proxy.signing_key", "pkce_proxy.token_url",
		"prot", "redirect_uri", "timeouts.shutdown", "trusted_web_origins", "trusted_web_origins",
	}
	if !slices.Equal(keys, want) {
		t.Errorf("got  %v\nwant %v", keys, want)
	}
	if first := strings.SplitN(ms.Error(), "\n", 2)[0]; first != "20 mistakes in the settings:" {
		t.Errorf("it begins %q", first)
	}
	if m, _ := ms.find("client_secret"); !strings.HasPrefix(m.String(), "client_secret (CLIENT_SECRET): not a text (") {
		t.Errorf("%s", m)
	}
}

func TestUnsafeHTTP(t *testing.T) {
	loopback := vars{
		"ISSUER": "http://127.0.0.1:9000", "TOKEN_ENDPOINT": "http://[::1]:9000/token", "JWKS_ENDPOINT": "http://localhost/jwks",
		"REDIRECT_URI": "http://app.localhost:3000/", "TRUSTED_WEB_ORIGIN": "http://localhost:3000,http://[::1]:3000",
	}
	if c := load(t, "", agentEnv(loopback)); c.SecureCookies() || slices.ContainsFunc(c.Warnings(), isInsecure) {
		t.Errorf("loopback: secure %v, %v", c.SecureCookies(), c.Warnings())
	}
	beyond := vars{"ISSUER": "http://login.internal", "TRUSTED_WEB_ORIGIN": "http://www.internal", "REDIRECT_URI": "http://www.internal/"}
	if ms := mistakes(t, "", agentEnv(beyond)); len(ms) != 3 {
		t.Errorf("%v", ms)
	}
	beyond["INSECURE_HTTP"] = "true"
	if c := load(t, "", agentEnv(beyond)); !slices.ContainsFunc(c.Warnings(), isInsecure) {
		t.Errorf("nothing is told of it: %v", c.Warnings())
	} else if !slices.ContainsFunc(c.Warnings(), func(w string) bool { return strings.Contains(w, "needs the CSRF header") }) {
		t.Errorf("nothing is told of what it means for the page: %v", c.Warnings())
	}
	beyond["CORS_ENABLED"] = "false"
	if c := load(t, "", agentEnv(beyond)); slices.ContainsFunc(c.Warnings(), func(w string) bool { return strings.Contains(w, "CSRF") }) {
		t.Errorf("without CORS nothing is needed: %v", c.Warnings())
	}
}

func isInsecure(warning string) bool { return strings.Contains(warning, "insecure_http") }

func TestKeysForIDTokens(t *testing.T) {
	explicit := vars{"ISSUER": "", "AUTHORIZE_ENDPOINT": "https://login.example.com/a", "TOKEN_ENDPOINT": "https://login.example.com/t"}
	want(t, mistakes(t, "", agentEnv(explicit)), "endpoints.jwks", "openid")
	explicit["SCOPE"] = "orders"
	load(t, "", agentEnv(explicit))
	explicit["SCOPE"], explicit["JWKS_ENDPOINT"] = "openid", "https://login.example.com/jwks"
	load(t, "", agentEnv(explicit))
	explicit["TOKEN_ENDPOINT"] = ""
	want(t, mistakes(t, "", agentEnv(explicit)), "endpoints.token", "not set")
}

func TestWarnings(t *testing.T) {
	for _, tt := range []struct {
		changes vars
		warning string
	}{
		{vars{}, ""},
		{vars{"ISSUER": "", "AUTHORIZE_ENDPOINT": "https://a.example/", "TOKEN_ENDPOINT": "https://a.example/", "JWKS_ENDPOINT": "https://a.example/"}, "issuer"},
		{vars{"REDIRECT_URI": "https://other.example.com/"}, "redirect_uri"},
		{vars{"COOKIE_DOMAIN": "example.com"}, "cookie.domain"},
		{vars{"COOKIE_NAME_PREFIX": "my_app"}, "underscore"},
		{vars{"COOKIE_BASE_PATH": "/oauth"}, "cookie.base_path"},
		{vars{"COOKIE_BASE_PATH": "/"}, ""},
		{vars{"PUBLIC_URL": "https://bff.example.com"}, ""},
		{vars{"PUBLIC_URL": "https://oauth-agent:8080"}, "public_url is an inside address"},
		{vars{"PUBLIC_URL": "http://localhost:8080"}, "public_url is an inside address"},
		{vars{"PUBLIC_URL": "http://localhost:8080", "TRUSTED_WEB_ORIGIN": "http://localhost:3000", "REDIRECT_URI": "http://localhost:3000/"}, ""},
		{vars{"COOKIE_BASE_PATH": "/apps", "BASE_PATH": "/apps/oauth"}, ""},
		{vars{"COOKIE_BASE_PATH": "/apps", "BASE_PATH": "/apps"}, ""},
	} {
		got := load(t, "", agentEnv(tt.changes)).Warnings()
		if tt.warning == "" && len(got) != 0 || tt.warning != "" && (len(got) != 1 || !strings.Contains(got[0], tt.warning)) {
			t.Errorf("%v: %v", tt.changes, got)
		}
	}
}
