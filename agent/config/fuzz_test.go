package config

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A settings file may be anything, a half-written one above all: no panic, and
// the message never has what may be a secret.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"client_secret: c4nary9", "client_secret: *c4nary9", "{client_secret:c4nary9}", "client_secret:c4nary9: x",
		"client_secret: `c4nary9`", "port: a`b`c4nary9", "port: c4nary9", "client_secret: [c4nary9]", "client_secret: {c4nary9: 1}",
		"cookie: c4nary9", "cookie:\n  encryption_keys: [c4nary9, [x]]", "client_secret: a\nclient_secret: c4nary9",
		"client_secret: 'c4nary9", "client_secret: \"c4nary9\\q\"", "client_id: x\nclient_secret:c4nary9\n", "client_secret: !!binary c4nary9",
		"client_secret: !!int c4nary9", "? c4nary9\n: x", "? [c4nary9]\n: x", "<<: *c4nary9", "%c4nary9\n---\na: 1", "client_secret: |c4nary9\n",
		"\xff\xfec4nary9", "client_secret: c4nary9\x00", "a: &c4nary9 [*c4nary9]", "--- c4nary9\n--- c4nary9", "pkce_proxy: {encryption_key: c4nary9}",
		"client_secret_file: /c4nary9", "issuer: https://user:c4nary9@login.example.com/", "trusted_web_origins: ['https://c4nary9@a.example']",
		"timeouts: {request: c4nary9s}", "routes: [{path: /api, upstream: 'https://u:c4nary9@api.example/'}]",
		"issuer: https://user:c4nary9@login:x/c4nary9", "issuer: https://user:c4nary9?@login:x/", "pkce_proxy: {allowed_client_ids: ['é c4nary9']}", "tracing: {endpoint: c4nary9}", "cookie: {encryption_keys: [" + keyA + "," + keyA + "]}",
	} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, yaml []byte) {
		path := filepath.Join(dir, "agent.yaml")
		if err := os.WriteFile(path, yaml, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path, nil)
		if (c == nil) == (err == nil) {
			t.Fatalf("%v, %v", c, err)
		}
		if err != nil && strings.Contains(err.Error(), canary) && !inTheOpen(yaml) {
			t.Errorf("a secret is in the message:\n%s", err)
		}
	})
}

// inTheOpen tells whether the canary may stand in a setting that is no secret
// and whose value a message shows. Of a URL it shows nothing before an @.
func inTheOpen(yaml []byte) bool {
	has := func(key string) bool { return bytes.Contains(yaml, []byte(key)) }
	if slices.ContainsFunc([]string{"method", "scope", "path", "prefix", "domain", "proxies", "address", "addr", "level", "format", "logout", "client_ids", "_file: /", "_file: ./", "_file: ../", "_file: '", "_file: \"", "spa"}, has) {
		return true
	}
	urls := []string{"issuer", "endpoint", "_uri", "origins", "url", "upstream"}
	elsewhere := bytes.ReplaceAll(bytes.ReplaceAll(yaml, []byte(canary+"@"), nil), []byte(canary+"?@"), nil)
	return slices.ContainsFunc(urls, has) && bytes.Contains(elsewhere, []byte(canary))
}
