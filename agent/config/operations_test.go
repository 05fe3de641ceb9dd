package config

import (
	"strings"
	"testing"
	"time"
)

func TestOperationsAreChecked(t *testing.T) {
	for _, tt := range []struct{ env, value, key, reason string }{
		{"ADMIN_ADDR", "7090", "admin_addr", "not an address with a port"},
		{"ADMIN_ADDR", "admin.example:7090", "admin_addr", "not an address with a port"},
		{"ADMIN_ADDR", "127.0.0.1:0", "admin_addr", "not an address with a port"},
		{"ADMIN_ADDR", "127.0.0.1:8080", "admin_addr", "the port is the public one"},
		{"ADMIN_ADDR", "127.0.0.1:8081", "admin_addr", "the address is forward_auth.addr"},
		{"SHUTDOWN_DELAY", "11m", "shutdown_delay", "out of range"},
		{"RELOAD_EVERY", "10ms", "reload_every", "out of range"},
		{"RELOAD_EVERY", "2h", "reload_every", "out of range"},
		{"TRUSTED_PROXIES", "half", "trusted_proxies", "not an address or a CIDR block"},
		{"TRACING_ENDPOINT", "collector:4318", "tracing.endpoint", "not an absolute http(s) URL"},
		{"TRACING_ENDPOINT", "http://collector:4318/v1/traces", "tracing.endpoint", "in clear"},
		{"TRACING_SAMPLE_RATIO", "1.5", "tracing.sample_ratio", "out of range"},
		{"TRACING_SAMPLE_RATIO", "NaN", "tracing.sample_ratio", "out of range"},
		{"LIMIT_LOGIN_START", "-1", "limits.login_start", "out of range"},
		{"LIMIT_TOKEN", "9999999", "limits.token", "out of range"},
		{"LIMIT_CONNECTIONS", "0", "limits.connections", "out of range"},
		{"LIMIT_PER_ADDRESS", "3", "limits.per_address", "out of range"},
		{"LIMIT_PER_ADDRESS", "-1", "limits.per_address", "out of range"},
		{"LIMIT_PER_ADDRESS", "2000000", "limits.per_address", "out of range"},
		{"LIMIT_CONNECTIONS", "2000000", "limits.connections", "out of range"},
		{"LIMIT_ADDRESSES", "0", "limits.addresses", "out of range"},
		{"LOG_SUBJECT_KEY", "short", "log.subject_key", "not 64 hexadecimal characters"},
		{"COOKIE_KEY_GRACE", "25h", "cookie.key_grace", "out of range"},
		{"COOKIE_KEY_CREATED", "21.11.2026", "cookie.key_created", "not a day"},
	} {
		want(t, mistakes(t, "", agentEnv(vars{"FORWARD_AUTH_ADDR": "127.0.0.1:8081", tt.env: tt.value})), tt.key, tt.reason)
	}
}

func TestOperations(t *testing.T) {
	c := load(t, "", agentEnv(nil))
	if address, set := c.AdminListener(); address != "127.0.0.1:7090" || set {
		t.Errorf("%q, set: %v", address, set)
	}
	if !c.HasAdmin() || len(c.Warnings()) != 0 || !c.KeyCreatedDay().IsZero() {
		t.Errorf("%v %q %v %v", c.HasAdmin(), c.AdminAddr, c.Warnings(), c.KeyCreatedDay())
	}
	c = load(t, "", agentEnv(vars{"ADMIN_ADDR": ":7090", "RELOAD_EVERY": "0s", "COOKIE_KEY_CREATED": "2026-11-21"}))
	if w := strings.Join(c.Warnings(), "\n"); !strings.Contains(w, "admin_addr is not a loopback address") || c.ReloadEvery != 0 {
		t.Errorf("%v, %v", w, c.ReloadEvery)
	}
	if address, set := c.AdminListener(); address != ":7090" || !set {
		t.Errorf("%q, set: %v", address, set)
	}
	// Whoever has the default port for another purpose has not asked for ours.
	load(t, "", agentEnv(vars{"PORT": "7090"}))
	load(t, "", agentEnv(vars{"FORWARD_AUTH_ADDR": DefaultAdminAddr}))
	if want := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC); !c.KeyCreatedDay().Equal(want) {
		t.Errorf("%v", c.KeyCreatedDay())
	}
	if c = load(t, "", pkceEnv(vars{"ADMIN_ADDR": "off", "LIMIT_TOKEN": "0", "LIMIT_LOGIN_START": "0"})); c.HasAdmin() || c.HasAgent() {
		t.Errorf("%v %v", c.HasAdmin(), c.HasAgent())
	}
}
