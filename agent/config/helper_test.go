package config

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	keyA = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"
	keyB = "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2"

	// canary stands in every secret of the tests, and may stand in no message.
	canary = "c4nary9"
)

// vars is variables on top of a valid set of them; an empty one is unset.
type vars map[string]string

// agentEnv is the least that the agent runs with.
func agentEnv(changes vars) []string {
	return environ(vars{
		"ISSUER": "https://login.example.com", "CLIENT_ID": "spa", "CLIENT_SECRET": canary + "-agent",
		"REDIRECT_URI": "https://www.example.com/", "TRUSTED_WEB_ORIGIN": "https://www.example.com",
		"COOKIE_ENCRYPTION_KEY": keyA,
	}, changes)
}

// pkceEnv is the least that the PKCE proxy runs with.
func pkceEnv(changes vars) []string {
	return environ(vars{
		"OAUTH_CLIENT_ID": "proxy", "OAUTH_CLIENT_SECRET": canary + "-proxy",
		"OAUTH_AUTH_URL": "https://login.example.com/authorize", "OAUTH_TOKEN_URL": "https://login.example.com/token",
		"OAUTH_REDIRECT_URL": "https://pkce.example.com/callback", "OAUTH_ALLOWED_REDIRECT_URIS": "https://app.example.com/cb",
		"JWT_SIGNING_KEY": keyA, "ENCRYPTION_KEY": keyB,
	}, changes)
}

func environ(base, changes vars) []string {
	all := maps.Clone(base)
	maps.Copy(all, changes)
	var out []string
	for k, v := range all {
		out = append(out, k+"="+v)
	}
	return out
}

func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// load loads settings that must be valid.
func load(t *testing.T, yaml string, environ []string) *Config {
	t.Helper()
	path := ""
	if yaml != "" {
		path = writeFile(t, "agent.yaml", yaml)
	}
	c, err := Load(path, environ)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mistakes loads settings that must be wrong, and checks what holds for every
// message: it is complete, tells each mistake, and has no secret in it.
func mistakes(t *testing.T, path string, environ []string) Mistakes {
	t.Helper()
	c, err := Load(path, environ)
	var ms Mistakes
	if c != nil || !errors.As(err, &ms) || len(ms) == 0 {
		t.Fatalf("the settings were taken: %v", err)
	}
	text := err.Error()
	for _, m := range ms {
		if m.Key == "" || m.Reason == "" || m.Remedy == "" || !strings.Contains(text, m.String()) {
			t.Errorf("an incomplete mistake: %#v", m)
		}
	}
	for _, secret := range []string{canary, keyA, keyB, keyA[:16]} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret is in the message:\n%s", text)
		}
	}
	return ms
}

// find gives the mistake of a key.
func (ms Mistakes) find(key string) (Mistake, bool) {
	for _, m := range ms {
		if m.Key == key {
			return m, true
		}
	}
	return Mistake{}, false
}
