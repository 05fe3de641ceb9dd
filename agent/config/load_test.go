package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLeastSettingsGetTheDefaults(t *testing.T) {
	c := load(t, "", agentEnv(nil))
	for key, want := range map[string]any{
		"port": 8080, "base_path": "/oauth-agent", "scope": "openid profile", "cors_enabled": true,
		"cookie.name_prefix": "agent", "cookie.prefixes": true, "cookie.domain": "", "cookie.base_path": "",
		"logout.url": "continue", "session.lifetime": time.Duration(0), "refresh.memory": time.Minute,
		"timeouts.authorization_server": 10 * time.Second, "client_auth_method": "auto",
		"log.level": "info", "log.format": "text", "insecure_http": false, "allow_scope_widening": false,
		"pkce_proxy.auth_method": "auto", "pkce_proxy.allow_plain": false,
	} {
		if got := fieldAt(reflect.ValueOf(c).Elem(), key).Interface(); got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	if !c.HasAgent() || c.HasPKCEProxy() || !c.SecureCookies() || !slices.Equal(c.Scopes(), []string{"openid", "profile"}) {
		t.Errorf("agent %v, proxy %v, secure %v, scopes %v", c.HasAgent(), c.HasPKCEProxy(), c.SecureCookies(), c.Scopes())
	}
}

func TestAgentAndProxyAreIndependent(t *testing.T) {
	if c := load(t, "", pkceEnv(nil)); c.HasAgent() || !c.HasPKCEProxy() {
		t.Errorf("the proxy alone: agent %v, proxy %v", c.HasAgent(), c.HasPKCEProxy())
	}
	if c := load(t, "", append(agentEnv(nil), pkceEnv(nil)...)); !c.HasAgent() || !c.HasPKCEProxy() {
		t.Errorf("both: agent %v, proxy %v", c.HasAgent(), c.HasPKCEProxy())
	}
	for _, environ := range [][]string{nil, {"PORT=80", "LOG_LEVEL=warn"}} {
		if ms := mistakes(t, "", environ); len(ms) != 1 || !strings.Contains(ms[0].Reason, "neither") {
			t.Errorf("with %v: %v", environ, ms)
		}
	}
}

// Whatever is set of a part switches it on, so that half of one is told.
func TestHalfOfAPartIsNotSilentlyOff(t *testing.T) {
	for _, variable := range []string{"ISSUER=https://login.example.com", "CLIENT_SECRET=x", "CLIENT_SECRET_FILE=/nowhere",
		"COOKIE_ENCRYPTION_KEY_FILE=/nowhere", "REDIRECT_URI=https://www.example.com/", "JWKS_ENDPOINT=https://login.example.com/jwks"} {
		if ms := mistakes(t, "", append(pkceEnv(nil), variable)); !slices.ContainsFunc(ms, func(m Mistake) bool { return m.Key == "client_id" }) {
			t.Errorf("%s: %v", variable, ms)
		}
	}
	for _, variable := range []string{"OAUTH_CLIENT_SECRET=x", "JWT_SIGNING_KEY=" + keyA, "ENCRYPTION_KEY_FILE=/nowhere",
		"OAUTH_ALLOW_PLAIN=true", "OAUTH_REVOCATION_URL=https://login.example.com/revoke"} {
		if ms := mistakes(t, "", append(agentEnv(nil), variable)); !slices.ContainsFunc(ms, func(m Mistake) bool { return m.Key == "pkce_proxy.client_id" }) {
			t.Errorf("%s: %v", variable, ms)
		}
	}
}

func TestFileInAllItsForms(t *testing.T) {
	c := load(t, `
# The agent of the example.
port: 9443
issuer: https://login.example.com/o
client_id: 0123   # digits stay text
client_secret: "#1: {c4nary9}"
redirect_uri: https://www.example.com/app?tab=1
scope: openid  profile   orders
trusted_web_origins:
  - https://www.example.com
  - 'http://localhost:3000'
base_path: /
cookie: {name_prefix: example, encryption_keys: [`+keyA+", "+keyB+`]}
session: {lifetime: 8h}
`, nil)
	if c.Port != 9443 || c.ClientID != "0123" || c.ClientSecret.Reveal() != "#1: {c4nary9}" || c.BasePath != "/" ||
		len(c.TrustedWebOrigins) != 2 || len(c.Cookie.EncryptionKeys) != 2 || c.Session.Lifetime != 8*time.Hour ||
		!slices.Equal(c.Scopes(), []string{"openid", "profile", "orders"}) {
		t.Errorf("%+v", c)
	}
	for _, empty := range []string{" \n", "# nothing\n", "{}\n", "---\n"} {
		if got := load(t, empty, agentEnv(nil)); !cmp.Equal(text(reflect.ValueOf(*got)), text(reflect.ValueOf(*load(t, "", agentEnv(nil))))) {
			t.Errorf("%q changed something: %+v", empty, got)
		}
	}
}

func TestEmptyVariablesAreUnset(t *testing.T) {
	c := load(t, "port: 9000", append(agentEnv(nil), "PORT=", "CORS_ENABLED=", "OAUTH_CLIENT_ID=", "=::=::\\", "NOT_OURS"))
	if c.Port != 9000 || !c.CORSEnabled || c.HasPKCEProxy() {
		t.Errorf("port %d, CORS %v, proxy %v", c.Port, c.CORSEnabled, c.HasPKCEProxy())
	}
}

func TestSlashAtTheEndOfAPathGoes(t *testing.T) {
	for in, want := range map[string]string{"/": "/", "/api": "/api", "/api/": "/api", "/a/b~1/_c.d-e": "/a/b~1/_c.d-e"} {
		if c := load(t, "", agentEnv(vars{"BASE_PATH": in, "COOKIE_BASE_PATH": in})); c.BasePath != want || c.Cookie.BasePath != want {
			t.Errorf("%q became %q and %q", in, c.BasePath, c.Cookie.BasePath)
		}
	}
}

func TestSettingsFileThatCannotBeRead(t *testing.T) {
	huge := writeFile(t, "huge.yaml", "#"+strings.Repeat("x", MaxFile))
	for path, reason := range map[string]string{
		filepath.Join(t.TempDir(), "none.yaml"): "no such file",
		t.TempDir():                             "directory",
		huge:                                    "larger than 1048576 bytes",
	} {
		// Nothing else is told, since nothing else is known.
		if ms := mistakes(t, path, nil); len(ms) != 1 || ms[0].Key != path || !strings.Contains(ms[0].Reason, reason) {
			t.Errorf("%s: %v", path, ms)
		}
	}
	if os.Geteuid() != 0 { // root may read anything
		path := writeFile(t, "agent.yaml", "port: 80")
		if err := os.Chmod(path, 0); err != nil {
			t.Fatal(err)
		}
		if ms := mistakes(t, path, nil); len(ms) != 1 || !strings.Contains(ms[0].Reason, "permission denied") {
			t.Errorf("%v", ms)
		}
	}
}
