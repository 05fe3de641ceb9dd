package config

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFiles(t *testing.T) {
	path := writeFile(t, "agent.yaml", "client_secret_file: /s/client\nunknown: x\ncookie: {encryption_keys_file: /s/keys}\ntls: {cert_file: /t/cert, key_file: /t/key}\n")
	want := []string{path, "/t/cert", "/t/key", "/s/other", "/s/keys", "/s/sign"}
	if got := Files(path, []string{"CLIENT_SECRET_FILE=/s/other", "JWT_SIGNING_KEY_FILE=/s/sign", "PORT=x"}); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := Files("", []string{"CLIENT_SECRET=value"}); len(got) != 0 {
		t.Errorf("%v", got)
	}
	broken := writeFile(t, "broken.yaml", "a: [")
	if got := Files(broken, []string{"ENCRYPTION_KEY_FILE=/s/enc"}); !slices.Equal(got, []string{broken, "/s/enc"}) {
		t.Errorf("%v", got)
	}
}

func TestSuccessor(t *testing.T) {
	base := vars{"FORWARD_AUTH_ADDR": "127.0.0.1:8081"}
	before := load(t, "", agentEnv(base))
	for _, tt := range []struct{ env, value, key string }{
		{"PORT", "8088", "port"},
		{"BIND_ADDRESS", "127.0.0.1", "bind_address"},
		{"ADMIN_ADDR", "off", "admin_addr"},
		{"FORWARD_AUTH_ADDR", "", "forward_auth.addr"},
		{"LIMIT_CONNECTIONS", "100", "limits.connections"},
	} {
		next := load(t, "", agentEnv(vars{"FORWARD_AUTH_ADDR": "127.0.0.1:8081", tt.env: tt.value}))
		var ms Mistakes
		if err := before.Successor(next); !errors.As(err, &ms) || len(ms) != 1 || ms[0].Key != tt.key || ms[0].Env != tt.env || !strings.Contains(ms[0].Reason, "takes a restart") {
			t.Errorf("%s: %v", tt.env, err)
		}
	}
	tls := *before
	tls.TLS.CertFile = "/t/cert"
	for _, err := range []error{before.Successor(&tls), tls.Successor(before)} {
		if err == nil || !strings.Contains(err.Error(), "tls (SERVER_CERT_FILE): TLS has been switched o") {
			t.Errorf("%v", err)
		}
	}
	rest := load(t, "", agentEnv(vars{
		"FORWARD_AUTH_ADDR": "127.0.0.1:8081", "COOKIE_ENCRYPTION_KEY": keyB, "CLIENT_SECRET": "other", "LOG_LEVEL": "debug",
		"ROUTES": "/api/=http://127.0.0.1:9000", "TRUSTED_WEB_ORIGIN": "https://other.example.com", "SHUTDOWN_DELAY": "1s", "RELOAD_EVERY": "0s",
	}))
	if err := before.Successor(rest); err != nil {
		t.Error(err)
	}
}

// Whatever else is wrong with the settings, the process may run by older ones.
func TestAdminAddress(t *testing.T) {
	for _, tt := range []struct {
		yaml string
		env  []string
		want string
	}{
		{"", nil, "127.0.0.1:7090"},
		{"admin_addr: 127.0.0.2:99", nil, "127.0.0.2:99"},
		{"admin_addr: 127.0.0.2:99", []string{"ADMIN_ADDR=:98"}, "127.0.0.1:98"},
		{"admin_addr: 0.0.0.0:99\nunknown: x\nport: x\nclient_secret_file: /nowhere", nil, "127.0.0.1:99"},
		{`admin_addr: "[::]:99"`, nil, "[::1]:99"},
		{"broken: [", []string{"ADMIN_ADDR=127.0.0.1:97"}, "127.0.0.1:97"},
		{"broken: [", nil, "127.0.0.1:7090"},
		{"admin_addr: off", nil, ""},
		{"admin_addr: 127.0.0.1:8080", nil, "127.0.0.1:8080"},
	} {
		path := writeFile(t, "agent.yaml", tt.yaml)
		if got, err := AdminAddress(path, tt.env); err != nil || got != tt.want {
			t.Errorf("%q %v: %q, %v", tt.yaml, tt.env, got, err)
		}
	}
	if got, err := AdminAddress(filepath.Join(t.TempDir(), "none"), nil); err != nil || got != "127.0.0.1:7090" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := AdminAddress("", []string{"ADMIN_ADDR=7090"}); err == nil || !strings.Contains(err.Error(), "admin_addr (ADMIN_ADDR): not an address with a port") {
		t.Errorf("%v", err)
	}
}
