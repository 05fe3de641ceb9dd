package config

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shared is what is of no part: it switches none on.
var shared = vars{
	"PORT": "9000", "BIND_ADDRESS": "127.0.0.1", "BASE_PATH": "/app", "PUBLIC_URL": "https://www.example.com",
	"SERVER_CERT_FILE": "cert.pem", "SERVER_KEY_FILE": "key.pem", "INSECURE_HTTP": "true",
	"AUTHORIZATION_SERVER_TIMEOUT": "5s", "REQUEST_TIMEOUT": "5s", "WRITE_TIMEOUT": "5s", "SHUTDOWN_TIMEOUT": "5s",
	"LOG_LEVEL": "warn", "LOG_FORMAT": "json", "LOG_ACCESS": "false", "LOG_CLIENT_ADDRESS": "true",
	"LOG_SUBJECT_KEY": strings.Repeat("ab", 32), "LOG_SUBJECT_KEY_FILE": "subject.key",
	"ADMIN_ADDR": "127.0.0.1:1", "SHUTDOWN_DELAY": "5s", "RELOAD_EVERY": "5s", "TRUSTED_PROXIES": "10.0.0.1",
	"TRACING_ENDPOINT": "http://127.0.0.1:1/v1/traces", "TRACING_SAMPLE_RATIO": "0.5", "TRACING_SERVICE_NAME": "front",
	"LIMIT_LOGIN_START": "10", "LIMIT_TOKEN": "10", "LIMIT_ADDRESSES": "10", "LIMIT_CONNECTIONS": "100", "LIMIT_PER_ADDRESS": "10",
}

// ofProxy is of the OAuth Proxy and of the page, which need the agent and cannot
// be without.
var ofProxy = vars{
	"ROUTES": "/api=http://127.0.0.1:1", "FORWARD_AUTH_ADDR": "127.0.0.1:1", "SOCKET_GRACE": "5s",
	"SPA_DIR": "/nowhere", "SPA_CSP": "default-src 'self'",
}

// other is a value of a setting that is not its default.
func other(s setting) string {
	if value := shared[s.env] + ofProxy[s.env]; value != "" {
		return value
	}
	value := fieldAt(reflect.ValueOf(defaults()).Elem(), s.key)
	_, sample, _ := samples(value.Type())
	if value.Kind() == reflect.Bool && value.Bool() {
		return "false"
	}
	return sample
}

// One setting alone: it is of the agent, of the PKCE proxy, or of neither, and
// whatever comes to the settings is of the agent until it is said otherwise.
func TestEverySettingSwitchesItsPartOn(t *testing.T) {
	for _, s := range settings(reflect.TypeFor[Config](), "") {
		var ms Mistakes
		c := defaults()
		if c.readEnvironment([]string{s.env + "=" + other(s)}, &ms); len(ms) > 0 {
			t.Fatal(ms)
		}
		c.trimLists()
		wantPKCE := strings.HasPrefix(s.key, "pkce_proxy.")
		wantAgent := !wantPKCE && shared[s.env] == "" && ofProxy[s.env] == ""
		if c.HasAgent() != wantAgent || c.HasPKCEProxy() != wantPKCE {
			t.Errorf("%s=%s: agent %v, want %v; PKCE proxy %v, want %v", s.env, other(s), c.HasAgent(), wantAgent, c.HasPKCEProxy(), wantPKCE)
		}
	}
	if c := defaults(); c.HasAgent() || c.HasPKCEProxy() {
		t.Errorf("the defaults: agent %v, PKCE proxy %v", c.HasAgent(), c.HasPKCEProxy())
	}
}

// Nothing that is set is silently ignored: beside the one part, a setting of
// the other tells what is missing of that.
func TestNothingSetIsIgnored(t *testing.T) {
	for _, s := range settings(reflect.TypeFor[Config](), "") {
		base, needed := pkceEnv, []string{"redirect_uri", "client_id"}
		if strings.HasPrefix(s.key, "pkce_proxy.") {
			base, needed = agentEnv, []string{"pkce_proxy.auth_url", "pkce_proxy.client_id"}
		} else if ofProxy[s.env] != "" {
			needed = []string{s.key}
		} else if shared[s.env] != "" {
			continue
		}
		ms := mistakes(t, "", base(vars{s.env: other(s)}))
		if !slices.ContainsFunc(ms, func(m Mistake) bool { return slices.Contains(needed, m.Key) }) {
			t.Errorf("%s: %v", s.env, ms)
		}
	}
	want(t, mistakes(t, "", pkceEnv(vars{"FORWARD_AUTH_ADDR": "127.0.0.1:1"})), "forward_auth.addr", "without the agent")
	want(t, mistakes(t, "", pkceEnv(vars{"SOCKET_GRACE": "5s"})), "timeouts.socket_grace", "without the agent")
}

// Names as common as PORT may be in the environment for another reason. They
// are checked all the same.
func TestSharedSettingsAreCheckedWithoutTheAgent(t *testing.T) {
	for variable, value := range shared {
		if strings.HasPrefix(variable, "SERVER_") || strings.HasSuffix(variable, "_FILE") {
			continue // need files
		}
		if c := load(t, "", pkceEnv(vars{variable: value})); c.HasAgent() {
			t.Errorf("%s switches the agent on", variable)
		}
	}
	for variable, key := range map[string]string{
		"PORT": "port", "BIND_ADDRESS": "bind_address", "BASE_PATH": "base_path", "PUBLIC_URL": "public_url", "INSECURE_HTTP": "insecure_http",
		"AUTHORIZATION_SERVER_TIMEOUT": "timeouts.authorization_server", "REQUEST_TIMEOUT": "timeouts.request", "WRITE_TIMEOUT": "timeouts.write", "SHUTDOWN_TIMEOUT": "timeouts.shutdown",
		"LOG_LEVEL": "log.level", "LOG_FORMAT": "log.format", "SERVER_CERT_FILE": "tls.key_file",
		"LOG_ACCESS": "log.access", "LOG_CLIENT_ADDRESS": "log.client_address", "LOG_SUBJECT_KEY": "log.subject_key", "LOG_SUBJECT_KEY_FILE": "log.subject_key_file",
		"ADMIN_ADDR": "admin_addr", "SHUTDOWN_DELAY": "shutdown_delay", "RELOAD_EVERY": "reload_every", "TRUSTED_PROXIES": "trusted_proxies",
		"TRACING_ENDPOINT": "tracing.endpoint", "TRACING_SAMPLE_RATIO": "tracing.sample_ratio",
		"LIMIT_LOGIN_START": "limits.login_start", "LIMIT_TOKEN": "limits.token", "LIMIT_ADDRESSES": "limits.addresses",
		"LIMIT_CONNECTIONS": "limits.connections", "LIMIT_PER_ADDRESS": "limits.per_address",
	} {
		want(t, mistakes(t, "", pkceEnv(vars{variable: "none sense"})), key, "")
	}
}

// A setting that is written down with its default is not there.
func TestDefaultsSwitchNothingOn(t *testing.T) {
	c := load(t, `
cors_enabled: true
scope: openid profile
trusted_web_origins: []
endpoints: {}
cookie: {name_prefix: agent, encryption_keys: [], domain: ""}
routes: []
client_secret: ""
`, pkceEnv(vars{"LOGOUT_URL": "continue", "REFRESH_MEMORY": "60s"}))
	if c.HasAgent() || c.HasProxy() {
		t.Errorf("agent %v, proxy %v", c.HasAgent(), c.HasProxy())
	}
}

// The manual lists what switches nothing on, and what needs the agent.
func TestTheManualTellsWhatSwitchesAPartOn(t *testing.T) {
	text, err := os.ReadFile("../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	for begin, names := range map[string]vars{"These switch no part on": shared, "These need the agent": ofProxy} {
		_, list, found := strings.Cut(string(text), "\n- "+begin)
		list, _, _ = strings.Cut(list, "\n")
		told := regexp.MustCompile("`[A-Z_]+`").FindAllString(list, -1)
		for i := range told {
			told[i] = strings.Trim(told[i], "`")
		}
		slices.Sort(told)
		if want := slices.Sorted(maps.Keys(names)); !found || !slices.Equal(told, want) {
			t.Errorf("%s: the manual has %v, want %v", begin, told, want)
		}
	}
}
